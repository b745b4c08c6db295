// What must be shown before real orders: a paper period of the same set of strategies, measured against written gates. And what such a period
// is worth, which is little.
import { BallastError } from '../domain/errors.ts';
import { counted, fixed, percent } from '../domain/words.ts';
import { minimumTrackRecord, probabilisticSharpe, sharpeSample } from '../lab/validate/sharpe-ratio.ts';
import type { Config } from './config-schema.ts';
import type { Recipe, VenueMarket } from './recipe.ts';
import { readRunRecord, strategySetHash, type RunRecord } from './run-record.ts';
import { listRuns, type RunFolder } from './runs.ts';

export interface GateFinding {
  readonly gate: string;
  readonly found: string;
  readonly expected: string;
  readonly isMet: boolean;
}

export interface GateReport {
  readonly isMet: boolean;
  /** The paper run that was looked at; null without one. */
  readonly runId: string | null;
  readonly findings: readonly GateFinding[];
  /** How much the period proves, in words. */
  readonly evidence: readonly string[];
}

const DAYS_A_YEAR = 365;
/** Fewer daily returns than this have no Sharpe ratio to speak of. */
const LEAST_RETURNS = 3;

type Gates = Config['live']['gates'];

/** Pure: a record against the gates. */
export function judgeRecord(record: RunRecord, gates: Gates): GateReport {
  const sample = sharpeSample(record.daily);
  const hasSharpe = record.daily.length >= LEAST_RETURNS && Number.isFinite(sample.sharpe);
  const sharpe = hasSharpe ? sample.sharpe * Math.sqrt(DAYS_A_YEAR) : NaN;
  const finding = (gate: string, isMet: boolean, found: string, expected: string): GateFinding => ({ gate, found, expected, isMet });
  const findings = [
    finding('length', record.days >= gates.days, counted(Number(fixed(record.days, 1)), 'day'), `at least ${gates.days} days`),
    finding('Sharpe ratio', sharpe > gates.sharpe, hasSharpe ? fixed(sharpe, 2) : 'too few days to say', `above ${gates.sharpe} a year`),
    finding('drawdown', record.drawdownRatio < gates.drawdownRatio, percent(record.drawdownRatio), `below ${percent(gates.drawdownRatio)}`),
    finding(
      'win rate',
      record.winRatio > gates.winRatio,
      record.trades === 0 ? 'no closed trade' : `${percent(record.winRatio)} of ${counted(record.trades, 'trade')}`,
      `above ${percent(gates.winRatio)}`,
    ),
  ];
  if (gates.roiErrorRatio !== null) {
    const found =
      record.predicted === 0
        ? 'no opinion that says what it expects'
        : `${percent(record.roiError)} of ${counted(record.predicted, 'trade')}`;
    const expected = `below ${percent(gates.roiErrorRatio)}`;
    findings.push(finding('predicted against actual return', record.roiError < gates.roiErrorRatio, found, expected));
  }
  return { isMet: findings.every(({ isMet }) => isMet), runId: record.runId, findings, evidence: evidenceOf(record, sharpe) };
}

/** The probabilistic Sharpe ratio, and how long a record would have to be (Bailey and López de Prado 2012). */
function evidenceOf({ daily, days }: RunRecord, sharpe: number): readonly string[] {
  if (Number.isNaN(sharpe)) return [`${counted(daily.length, 'daily return')}: nothing can be said of a Sharpe ratio.`];
  const sample = sharpeSample(daily);
  const probability = probabilisticSharpe(sample);
  const needed = minimumTrackRecord(sample);
  const words = [
    `${counted(daily.length, 'daily return')} with a Sharpe ratio of ${fixed(sharpe, 2)} a year: the probability that the true one is above zero is ${percent(probability)} (probabilistic Sharpe ratio).`,
  ];
  if (needed === Infinity) words.push('It is not above zero: no length of record would show that it is.');
  else if (needed > daily.length) {
    words.push(
      `A record of ${counted(Math.ceil(needed), 'day')} like these would be needed to say so with 95 %: ${fixed(needed / Math.max(1, days), 0)} times as long.`,
    );
  } else
    words.push(
      `That is longer than the ${counted(Math.ceil(needed), 'day')} that 95 % would need, if these returns are like those to come.`,
    );
  words.push('Neither counts how many other sets were tried before this one: ballast validate does.');
  return words;
}

export interface GateRequest {
  readonly home: string;
  /** What is to be traded. */
  readonly recipe: Recipe;
  readonly site: VenueMarket['site'];
  /** A venue on this machine: nothing real is at stake. */
  readonly isLocal: boolean;
}

/** The latest paper run of the same set that is long enough, or the longest; judged. @throws whatever a recording has to say of itself */
export async function judgePaper({ home, recipe, site, isLocal }: GateRequest): Promise<GateReport> {
  const { gates } = recipe.config.live;
  const wanted = strategySetHash(recipe);
  const runs = listRuns(home).filter((run) => run.recipe.kind === 'paper' && !run.isAlive && strategySetHash(run.recipe) === wanted);
  // A market that was made up proves nothing about a real one.
  const counts = ({ recipe: { market } }: RunFolder): boolean => market.source === 'feed' || isLocal || site !== 'main';
  const candidates = runs.filter(counts).toReversed();
  let best: RunRecord | undefined;
  for (const run of candidates) {
    const record = await readRunRecord(run, home);
    if (best === undefined || record.days > best.days) best = record;
    if (record.days >= gates.days) {
      best = record;
      break;
    }
  }
  const tried =
    runs.length > 1 ? [`There are ${runs.length} paper runs of this set; the latest that is long enough was looked at, not the best.`] : [];
  if (best !== undefined) {
    const report = judgeRecord(best, gates);
    return { ...report, evidence: [...report.evidence, ...tried] };
  }
  const found = runs.length === 0 ? 'none' : `${counted(runs.length, 'run')} on a market that was made up`;
  const finding = { gate: 'paper period', found, expected: 'a recorded ballast paper of the same strategies, on a feed', isMet: false };
  return { isMet: false, runId: null, findings: [finding], evidence: ['Nothing at all is known of how this set trades.'] };
}

/** What an operator types to trade without that: it names what is risked and where (`bybit main`), so that it cannot be typed in passing. */
export function overridePhrase(where: string, capital: string, currency: string): string {
  return `trade ${capital} ${currency} on ${where} without evidence`;
}

/** Lines for a person. */
export function gateWords({ findings, evidence, runId }: GateReport): readonly string[] {
  const lines = findings.map(
    ({ gate, found, expected, isMet }) => `  ${isMet ? 'met    ' : 'not met'}  ${gate}: ${found}, expected ${expected}`,
  );
  const of = runId === null ? '' : ` (paper run ${runId})`;
  return [`gates from paper to real orders${of}:`, ...lines, ...evidence.map((words) => `  ${words}`)];
}

/** @throws BallastError GATES_NOT_MET */
export function mustMeetGates(report: GateReport, phrase: string, typed: string | undefined): void {
  if (report.isMet || typed?.trim() === phrase) return;
  const missing = report.findings.filter(({ isMet }) => !isMet).map(({ gate, found }) => `${gate}: ${found}`);
  throw new BallastError({
    code: 'GATES_NOT_MET',
    place: report.runId === null ? 'ballast live' : `paper run ${report.runId}`,
    found: `${missing.join('; ')}${typed === undefined ? '' : `; and another phrase, ${JSON.stringify(typed)}`}`,
    expected: 'every gate of live.gates met by a paper period',
    remedy: `${report.evidence.join(' ')} To trade all the same, type: --override ${JSON.stringify(phrase)}`,
  });
}
