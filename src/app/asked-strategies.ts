// Which strategies a session runs: those of its flags, else those of the config.
import { BallastError } from '../domain/errors.ts';
import type { Config } from './config-schema.ts';
import { writeStrategy, type RecipeStrategy } from './recipe.ts';

export interface AskedStrategies {
  readonly home: string;
  /** Names or paths; the config's unless said. */
  readonly strategies?: readonly string[] | undefined;
  /** Of the one strategy that is named, `k=v,…` or the path of a JSON file. */
  readonly parameters?: string | undefined;
}

/** With their parameters checked and their files known. @throws BallastError ARGUMENT_INVALID, STRATEGY_UNKNOWN, PARAMETERS_INVALID */
export async function askedStrategies(asked: AskedStrategies, { paper }: Config): Promise<readonly RecipeStrategy[]> {
  checkParameters(asked);
  const uses: readonly Omit<RecipeStrategy, 'digest'>[] =
    asked.strategies?.map((strategy) => ({ strategy, parameters: asked.parameters ?? {} })) ??
    paper.strategies.map((entry) => ({ ...entry }) as RecipeStrategy);
  const strategies: RecipeStrategy[] = [];
  for (const use of uses) strategies.push(await writeStrategy(use, asked.home));
  return strategies;
}

function checkParameters({ parameters, strategies }: AskedStrategies): void {
  if (parameters === undefined || strategies?.length === 1) return;
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: '--params',
    found: strategies === undefined ? 'no --strategy' : `parameters for ${strategies.length} strategies`,
    expected: 'one --strategy whose parameters they are',
    remedy: 'paper.strategies of ballast.yaml has the parameters of several',
    exitCode: 2,
  });
}
