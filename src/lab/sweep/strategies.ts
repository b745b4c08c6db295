// The strategies that can be swept, by name.
import { BallastError } from '../../domain/errors.ts';
import { rsiStop } from './rsi-stop.ts';
import { smaCross } from './sma-cross.ts';
import type { SweepStrategy } from './strategy.ts';

export const SWEEP_STRATEGIES: readonly SweepStrategy[] = [smaCross, rsiStop];

/** @throws BallastError STRATEGY_UNKNOWN */
export function sweepStrategyNamed(name: string): SweepStrategy {
  const found = SWEEP_STRATEGIES.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  throw new BallastError({
    code: 'STRATEGY_UNKNOWN',
    place: '--strategy',
    found: JSON.stringify(name),
    expected: `one that can be swept: ${SWEEP_STRATEGIES.map((strategy) => strategy.name).join(', ')}`,
    exitCode: 2,
  });
}
