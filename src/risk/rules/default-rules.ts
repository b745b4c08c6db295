// The rules of gate one in their order.
import type { RiskRule } from '../../domain/decision.ts';
import type { RiskPolicy } from '../policy.ts';
import { antiKnife } from './anti-knife.ts';
import { dailyPause } from './daily-pause.ts';
import { drawdownHalt } from './drawdown-halt.ts';
import { drawdownHalve } from './drawdown-halve.ts';
import { finiteNumbers } from './finite-numbers.ts';
import { halted } from './halted.ts';
import { heat } from './heat.ts';
import { leverage } from './leverage.ts';
import { maximumPositions } from './maximum-positions.ts';
import { minimumEdge } from './minimum-edge.ts';
import { positionLimit } from './position-limit.ts';
import { riskPerTrade } from './risk-per-trade.ts';
import { staleData } from './stale-data.ts';

/**
 * Hard halts first, then what may not increase at all, then limits from the single sleeve to the whole portfolio, then halving.
 * Later rules only shrink, and every limit is a sum of absolute weights, so what an earlier rule made lawful stays lawful.
 */
export function defaultRules(policy: RiskPolicy, instrumentNames: readonly string[] = []): readonly RiskRule[] {
  return [
    halted(),
    drawdownHalt(policy),
    finiteNumbers(),
    dailyPause(policy),
    staleData(),
    antiKnife(policy),
    minimumEdge(policy),
    maximumPositions(policy),
    riskPerTrade(policy),
    positionLimit(policy, instrumentNames),
    heat(policy),
    leverage(policy),
    drawdownHalve(policy),
  ];
}
