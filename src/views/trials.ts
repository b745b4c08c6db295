// Many runs side by side: a table, and what the best of many is worth.
import { counted, percent } from '../domain/words.ts';
import { normalDistribution } from '../quant/normal-distribution.ts';
import type { Metrics } from './metrics.ts';
import { againstThreshold, orUnknown, plain, section, table } from './text.ts';

export interface TrialRow {
  readonly strategy: string;
  /** Empty where the store was left to say. */
  readonly venue: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  /** Undefined for a run that failed, and then so are the metrics. */
  readonly runId: string | undefined;
  readonly metrics: Metrics | undefined;
  /** When it halted, ISO-8601; undefined where it did not. */
  readonly haltedAt: string | undefined;
  readonly failure: string | undefined;
  /** What is wrong with the bars it was run on, a sentence for each series. */
  readonly dataFlaws: readonly string[];
}

/** From this t-statistic of the mean return on, a single run can be told from luck. */
const SIGNIFICANT = 2;

/** The table, and a sentence that counts the trials. Failures are named below it. */
export function trialsText(rows: readonly TrialRow[]): string {
  const finished = rows.filter((row) => row.metrics !== undefined);
  const failed = rows.filter((row) => row.failure !== undefined);
  const halted = finished.filter((row) => row.haltedAt !== undefined);
  const halting = halted.length > 0 ? ['halted'] : [];
  const header = ['strategy', 'venue', 'symbols', 'bars', 'trades', 'return', 'held', 'drawdown', 'Sharpe', 't', 'fees', ...halting, 'run'];
  const cells = finished.map(({ strategy, venue, symbols, timeframe, metrics, haltedAt, runId }) =>
    metrics === undefined
      ? []
      : [
          strategy,
          venue,
          symbols.join(' '),
          timeframe,
          String(metrics.trades),
          percent(metrics.totalReturn),
          orUnknown(metrics.buyAndHoldReturn, percent),
          percent(metrics.maxDrawdown),
          orUnknown(metrics.sharpe, plain),
          orUnknown(metrics.returnTStatistic, (t) => againstThreshold(t, SIGNIFICANT, 2)),
          plain(metrics.feesPaid),
          ...halting.map(() => haltedAt?.slice(0, 10) ?? ''),
          runId ?? '',
        ],
  );
  const failures = failed.map((row) => `  ${row.strategy} ${row.symbols.join(' ')} ${row.timeframe}: ${row.failure ?? ''}`);
  return [
    table(header, cells),
    haltNote(halted.length),
    flawNote(finished),
    tally(finished),
    section(`${failed.length} failed`, failures.join('\n')).trim(),
  ]
    .filter((part) => part !== '' && part !== '0 failed')
    .join('\n\n');
}

function haltNote(count: number): string {
  return count === 0
    ? ''
    : `${counted(count, 'run')} halted on the day shown and opened nothing from then on: the figures are of the whole range all the same.`;
}

function flawNote(rows: readonly TrialRow[]): string {
  const flawed = rows.filter(({ dataFlaws }) => dataFlaws.length > 0);
  const [first] = flawed.flatMap(({ dataFlaws }) => dataFlaws);
  if (first === undefined) return '';
  if (new Set(flawed.flatMap(({ dataFlaws }) => dataFlaws)).size === 1) return `! ${first}`;
  return `! the bars of ${counted(flawed.length, 'run')} have flaws, the first of them: ${first.split(': ballast', 1)[0]}; ballast data check tells of all`;
}

/** Every trial is counted: among many, some are good by luck alone. */
function tally(rows: readonly TrialRow[]): string {
  const traded = rows.filter((row) => (row.metrics?.trades ?? 0) > 0);
  const won = traded.filter((row) => (row.metrics?.totalReturn ?? 0) > 0).length;
  const significant = traded.filter((row) => (row.metrics?.returnTStatistic ?? 0) >= SIGNIFICANT).length;
  // One-sided, of a normal: what chance alone puts beyond the mark.
  const byChance = (normalDistribution(-SIGNIFICANT) * traded.length).toFixed(1);
  return (
    `${counted(rows.length, 'run')}, ${traded.length} of them traded: ${won} gained after costs, ${significant} ${significant === 1 ? 'has' : 'have'} a t of ${SIGNIFICANT} or more ` +
    `(chance alone gives ${byChance} of ${traded.length}).`
  );
}
