// How much of the capital is traded with: a part first, and more once a session of the part before has met the gates of its stage.
import { amount, format, proportion, quantity } from '../domain/decimal.ts';
import { counted, fixed, percent } from '../domain/words.ts';
import type { Config } from './config-schema.ts';
import type { Recipe, VenueMarket } from './recipe.ts';
import { readRunRecord, strategySetHash, type RunRecord } from './run-record.ts';
import { listRuns, type RunFolder } from './runs.ts';

export interface Stage {
  /** From 0. */
  readonly number: number;
  readonly of: number;
  /** What is traded with. */
  readonly capital: string;
  /** Why this one, for a person. */
  readonly because: string;
}

type Stages = Config['live']['stages'];

/** Pure: the stage after a session of stage `before` that came to this record; undefined is none before. */
export function stageAfter(
  stages: Stages,
  before: number | undefined,
  record: RunRecord | undefined,
): { readonly number: number; readonly because: string } {
  if (before === undefined || record === undefined)
    return { number: 0, because: 'the first: no session of this set has traded on this account' };
  const last = stages.length - 1;
  const number = Math.min(before, last);
  const stage = stages[number];
  if (stage === undefined) return { number: 0, because: 'the first' };
  if (record.drawdownRatio >= stage.drawdownRatio && number < last) {
    return {
      number: 0,
      because: `the first again: ${record.runId} fell by ${percent(record.drawdownRatio)}, ${percent(stage.drawdownRatio)} is the bound`,
    };
  }
  if (number === last) return { number, because: `as ${record.runId}, the last` };
  const missing: string[] = [];
  if (record.days < stage.days) missing.push(`${fixed(record.days, 1)} of ${stage.days} days`);
  if (record.trades < stage.trades) missing.push(`${record.trades} of ${counted(stage.trades, 'trade')}`);
  if (record.returnRatio < stage.returnRatio)
    missing.push(`a return of ${percent(record.returnRatio)}, ${percent(stage.returnRatio)} is wanted`);
  if (missing.length > 0) return { number, because: `as ${record.runId}, which has not met its gates: ${missing.join(', ')}` };
  return { number: number + 1, because: `the next after ${record.runId}, which met its gates` };
}

export interface StageRequest {
  readonly home: string;
  readonly config: Config;
  /** With any stage: what is traded and where. */
  readonly recipe: Recipe;
  readonly market: Pick<VenueMarket, 'venue' | 'site' | 'account'>;
  readonly wholeCapital: string;
}

/** By the latest session of the same set on the same account. @throws whatever a recording has to say of itself */
export async function stageOf({ home, config, recipe, market: { venue, site, account }, wholeCapital }: StageRequest): Promise<Stage> {
  const { stages } = config.live;
  const wanted = strategySetHash(recipe);
  const isMeant = ({ recipe: { market, kind }, isAlive }: RunFolder): boolean =>
    kind === 'live' &&
    !isAlive &&
    market.source === 'venue' &&
    market.venue === venue &&
    market.site === site &&
    market.account === account;
  const latest = listRuns(home).findLast((run) => isMeant(run) && strategySetHash(run.recipe) === wanted);
  const before = latest?.recipe.market.source === 'venue' ? latest.recipe.market.stage : undefined;
  const record = latest === undefined ? undefined : await readRunRecord(latest, home);
  const { number, because } = stageAfter(stages, before, record);
  const share = quantity(String(stages[number]?.shareRatio ?? 1));
  return { number, of: stages.length, capital: format(proportion(amount(wholeCapital), share, quantity('1'))), because };
}
