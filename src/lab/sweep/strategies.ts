// The strategies that can be swept: built in by name, or a module's own.
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

/**
 * By name, or by the URL of a module (`file://…`) whose default export is one: each thread of a sweep loads it for itself.
 * @throws BallastError STRATEGY_UNKNOWN
 */
export async function loadSweepStrategy(nameOrUrl: string): Promise<SweepStrategy> {
  if (!nameOrUrl.startsWith('file:')) return sweepStrategyNamed(nameOrUrl);
  const module = (await import(nameOrUrl)) as { readonly default?: SweepStrategy };
  if (typeof module.default?.column === 'function') return module.default;
  throw new BallastError({
    code: 'STRATEGY_UNKNOWN',
    place: nameOrUrl,
    found: 'no default export that can be swept',
    expected: '`export default defineSweepStrategy({ ... })`',
    exitCode: 2,
  });
}
