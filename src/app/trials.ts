// Which trials were run under this home, and what a run is worth among them.
import { join } from 'node:path';
import { DAY_MS, formatSpan, parseSpan, parseTime } from '../domain/time.ts';
import { counted } from '../domain/words.ts';
import { periodReturns } from '../lab/validate/run-returns.ts';
import {
  deflatedSharpe,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeSample,
  type DeflatedSharpe,
} from '../lab/validate/sharpe-ratio.ts';
import { CONFIDENCE } from '../lab/validate/validation-verdict.ts';
import { recordTrial, trialsOn, type TrialsOnRecord } from '../lab/validate/trial-ledger.ts';
import { known } from '../views/daily.ts';
import type { ReportDocument } from '../views/report.ts';
import type { Recipe } from './recipe.ts';
import { readRunReport } from './run-report.ts';

/** Beside the history, not in a run's folder: it stays when runs are thrown away. */
export function trialsPath(home: string): string {
  return join(home, 'data', 'trials.jsonl');
}

/** Keeps a finished backtest. One without returns that vary was no trial of anything. @throws BallastError TRIALS_UNWRITABLE */
export function recordTrialOf(home: string, recipe: Recipe, id: string, { capital, timeframe, equity }: ReportDocument): void {
  const points = equity.map(([at, value]) => ({ at: parseTime(at, 'report'), equity: value }));
  const { periodMs, returns } = periodReturns(Number(capital), points, parseSpan(timeframe, 'report'));
  const { sharpe, observations } = sharpeSample(returns);
  if (Number.isFinite(sharpe)) recordTrial(trialsPath(home), { id, series: seriesOf(recipe), periodMs, observations, sharpe });
}

function seriesOf({ instruments }: Recipe): string[] {
  return instruments.map(({ venue, symbol }) => `${venue}:${symbol}`);
}

/** Sharpe ratios are of a period, unless they say otherwise. Null is "cannot be said": returns without spread, or no finite answer. */
export interface LuckDocument {
  readonly runId: string;
  /** `1d`, or the run's timeframe where that is longer. */
  readonly period: string;
  readonly returns: number;
  readonly years: number;
  readonly sharpe: number | null;
  readonly annualSharpe: number | null;
  readonly skewness: number | null;
  readonly kurtosis: number | null;
  /** That the true Sharpe ratio is above 0. */
  readonly probabilisticSharpe: number | null;
  /** Of every backtest, sweep and walk-forward under this home on one of the run's symbols at its venue, whatever the timeframe and the range. */
  readonly trials: TrialsOnRecord;
  /** That it is above what the best of as many worthless trials would show. */
  readonly deflatedSharpe: DeflatedSharpe | null;
  /** Periods from which on it would be above 0 with 95 %. */
  readonly minimumTrackRecord: number | null;
  /** Years of data below which the best of as many worthless trials is expected to show an annual Sharpe ratio of 1. */
  readonly minimumBacktestYears: number;
  readonly findings: readonly string[];
}

/** @throws BallastError RUN_UNKNOWN, REPORT_MISSING, REPORT_DAMAGED, REPORT_SHORT */
export function luckOf(home: string, name: string): LuckDocument {
  const { runId, run, periodMs, returns } = readRunReport(home, name);
  const sample = sharpeSample(returns);
  const isKnown = Number.isFinite(sample.sharpe);
  const trials = trialsOn(trialsPath(home), seriesOf(run.recipe), periodMs);
  // A run from before the ledger is a trial as well.
  const tried = { count: Math.max(1, trials.count), variance: trials.variance };
  const years = (returns.length * periodMs) / (365 * DAY_MS);
  const document = {
    runId,
    period: formatSpan(periodMs),
    returns: returns.length,
    years,
    sharpe: known(sample.sharpe),
    annualSharpe: known(sample.sharpe * Math.sqrt((365 * DAY_MS) / periodMs)),
    skewness: known(sample.skewness),
    kurtosis: known(sample.kurtosis),
    probabilisticSharpe: known(probabilisticSharpe(sample)),
    trials,
    deflatedSharpe: isKnown ? deflatedSharpe(sample, tried) : null,
    minimumTrackRecord: known(minimumTrackRecord(sample, 0, 1 - CONFIDENCE)),
    minimumBacktestYears: minimumBacktestYears(tried.count),
  };
  return { ...document, findings: findingsOf(document) };
}

function findingsOf(document: Omit<LuckDocument, 'findings'>): string[] {
  const { deflatedSharpe: deflated, minimumTrackRecord: needed, trials, years } = document;
  if (deflated === null) return ['the returns do not vary: nothing can be said of them'];
  const findings: string[] = [];
  if (deflated.probability < CONFIDENCE) {
    const chance = (100 * deflated.probability).toFixed(1);
    findings.push(`no edge beyond the luck of ${counted(Math.max(1, trials.count), 'trial')}: deflated Sharpe ${chance} %, below 95 %`);
  }
  if (needed === null) findings.push('no track record would be long enough: the Sharpe ratio is not above 0');
  else if (document.returns < needed)
    findings.push(`the track record is short: ${counted(document.returns, 'return')}, ${Math.ceil(needed)} are needed`);
  if (years < document.minimumBacktestYears) {
    findings.push(
      `the data are short for so many trials: ${years.toFixed(1)} years, ${document.minimumBacktestYears.toFixed(1)} are needed`,
    );
  }
  if (trials.damagedLines > 0)
    findings.push(`${counted(trials.damagedLines, 'line')} of the ledger of trials cannot be read: there were more trials`);
  return findings;
}
