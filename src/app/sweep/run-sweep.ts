// A sweep from what was asked for to its document: which bars, which columns, kernels or engines, and the count of all that was tried.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import { reasonOf } from '../../domain/words.ts';
import type { SweepRow } from '../../lab/sweep/column-pool.ts';
import { evolution } from '../../lab/sweep/evolution.ts';
import { demandSensible, parseGrid, parsePoints, sensible, type Selection } from '../../lab/sweep/grid.ts';
import { barsPerYear } from '../../lab/sweep/run-column.ts';
import { demandLawfulEnds, drawn, listed, spread, type Search } from '../../lab/sweep/search.ts';
import { spaceOf } from '../../lab/sweep/space.ts';
import { SWEEP_STRATEGIES } from '../../lab/sweep/strategies.ts';
import { runSweep, sweepRunId, type SweepDocument, type SweepSubject } from '../../lab/sweep/sweep-run.ts';
import { tpe } from '../../lab/sweep/tpe.ts';
import { recordTrials } from '../../lab/validate/trial-ledger.ts';
import { openStore } from '../../market/history/store.ts';
import { loadConfig, withOverrides } from '../config.ts';
import { lockRun } from '../run-lock.ts';
import { makeRunFolder, runsFolder } from '../runs.ts';
import { trialsPath } from '../trials.ts';
import { engineColumns } from './engine-columns.ts';
import { kernelColumns } from './kernel-columns.ts';
import { objectiveFrom, type LoadedObjective } from './load-objective.ts';
import type { PreparedSweep, SweepOrder } from './prepared.ts';

export interface SweepResult {
  readonly document: SweepDocument;
  readonly objective: LoadedObjective;
  readonly folder: string;
}

/**
 * Runs or continues it. A strategy with a kernel is swept by kernels, any other by the engine, one a thread; every column is a trial in the
 * ledger, whichever it was.
 * @throws BallastError
 */
export async function sweep(order: SweepOrder): Promise<SweepResult> {
  const { home, timeframeMs, signal, onProgress } = order;
  const prepared = await prepare(order);
  const objective = await objectiveFrom(order.objective, prepared.subject.bars / barsPerYear(timeframeMs));
  const { search, found, name } = searchOf(order, prepared, objective);
  const { drawdownLimit = null } = order;
  const identity = { ...found, drawdownLimit, of: prepared.identity };
  const runId = sweepRunId(prepared.subject.strategy, identity, prepared.columns);
  const folder = join(runsFolder(home), runId);
  makeRunFolder(folder);
  const lock = lockRun(folder);
  if (lock === undefined) {
    throw new BallastError({ code: 'RUN_ALIVE', place: folder, found: 'another process with the same sweep', expected: 'one at a time' });
  }
  try {
    const document = await runSweep(
      {
        runId,
        subject: { ...prepared.subject, search: name, drawdownLimit },
        search,
        objective,
        pool: prepared.pool(),
        fillsOf: (params) => prepared.fillsOf(params),
        record: (rows) => record(home, prepared, timeframeMs, rows),
      },
      { folder, onProgress, signal },
    );
    return { document, objective, folder };
  } finally {
    lock.release();
  }
}

async function prepare(order: SweepOrder): Promise<PreparedSweep> {
  const { home, strategy } = order;
  const { feeRate, slippageRatio, stopSlippageRatio, fill } = order;
  const overrides = { venue: { feeRate, slippageRatio, stopSlippageRatio, fill } };
  const config = withOverrides(loadConfig({ home, file: order.configFile }), overrides);
  const kernel = SWEEP_STRATEGIES.find(({ name }) => name === strategy);
  const store = await openStore(home);
  try {
    return kernel === undefined ? await engineColumns(order, config, store) : await kernelColumns(order, kernel, config, store);
  } finally {
    await store.close();
  }
}

interface ChosenSearch {
  readonly search: Search;
  /** What determines its points. */
  readonly found: Readonly<Record<string, unknown>>;
  readonly name: SweepSubject['search'];
}

/** @throws BallastError ARGUMENT_INVALID, GRID_INVALID, POINT_INVALID, PARAMETERS_INVALID, SPACE_EMPTY */
function searchOf(order: SweepOrder, { constraint, fields }: PreparedSweep, objective: LoadedObjective): ChosenSearch {
  const { search: name, grid, points, trials, seed } = order;
  if (name === undefined) {
    const selection = selectionOf(order, constraint);
    return { search: listed(selection), found: { points: selection.points }, name: { name: grid === undefined ? 'points' : 'grid' } };
  }
  if (points !== undefined) throw argumentError('--points', `--points and --search ${name}`, 'a list, or a search');
  const settings = { space: spaceOf(fields, grid, '--grid'), constraint, trials, seed };
  demandLawfulEnds(settings);
  const known = { search: name, grid, trials, seed };
  const described = { name, trials, seed };
  switch (name) {
    case 'random':
      return { search: drawn(settings), found: known, name: described };
    case 'latin-hypercube':
      return { search: spread(settings), found: known, name: described };
    // What these ask for next depends on what "best" means.
    case 'tpe':
      return { search: tpe(settings), found: { ...known, objective: objective.digest ?? objective.name }, name: described };
    case 'cma-es':
      return { search: evolution(settings), found: { ...known, objective: objective.digest ?? objective.name }, name: described };
  }
}

function selectionOf({ grid, points }: SweepOrder, constraint: PreparedSweep['constraint']): Selection {
  if (grid !== undefined && points === undefined) return sensible(parseGrid(grid, '--grid'), constraint, '--grid');
  if (points === undefined || grid !== undefined) {
    throw argumentError('--grid, --points', grid === undefined ? 'neither' : 'both', 'one of them, or --search');
  }
  let text: string;
  try {
    text = readFileSync(points, 'utf8');
  } catch (cause) {
    throw argumentError('--points', reasonOf(cause), 'a file that can be read');
  }
  return demandSensible(parsePoints(text, `--points ${points}`), constraint, `--points ${points}`);
}

/**
 * As daily Sharpe ratios, like those of backtests. A column that failed was no trial of anything, nor was one whose returns do not vary: it
 * did not trade.
 */
async function record(home: string, prepared: PreparedSweep, timeframeMs: TimeMs, rows: readonly SweepRow[]): Promise<void> {
  const periodMs = Math.max(DAY_MS, timeframeMs);
  const observations = Math.floor((prepared.subject.bars * timeframeMs) / periodMs);
  const perYear = barsPerYear(periodMs);
  const trials: [string, number | null][] = [];
  for (const { params, metrics, stopped } of rows) {
    const sharpe = metrics?.sharpe ?? null;
    if (sharpe === null && stopped === undefined) continue;
    trials.push([await prepared.trialId(params), sharpe === null ? null : sharpe / Math.sqrt(perYear)]);
  }
  if (trials.length > 0 && observations > 0) {
    recordTrials(trialsPath(home), { series: [...prepared.series], periodMs, observations, trials });
  }
}

function argumentError(place: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'ARGUMENT_INVALID', place, found, expected, exitCode: 2 });
}
