// A sweep as a person reads it: the best of it, and how many there were to be the best of.
import { counted, percent } from '../../domain/words.ts';
import { parseSpan } from '../../domain/time.ts';
import { normalDistribution } from '../../quant/normal-distribution.ts';
import { orUnknown, plain, section, table } from '../../views/text.ts';
import { ranked, type MeasuredRow, type Objective } from './objective.ts';
import { barsPerYear } from './run-column.ts';
import { pointText } from './strategy.ts';
import type { SweepDocument } from './sweep-run.ts';

const SHOWN = 10;
/** From this t-statistic of the mean return on, a single column can be told from luck. */
const SIGNIFICANT = 2;

/** @param objective that of the document, or another */
export function sweepText(document: SweepDocument, objective: Objective): string {
  const best = ranked(document.rows, objective).slice(0, SHOWN);
  const title = `${subjectText(document)}: the best ${best.length} by ${objective.name}`;
  const failures = document.rows.flatMap(({ params, failure }) => (failure === undefined ? [] : [`  ${pointText(params)}: ${failure}`]));
  const more = failures.length > SHOWN ? [`  and ${failures.length - SHOWN} more`] : [];
  const failed = failures.length === 0 ? '' : section(`${failures.length} failed`, [...failures.slice(0, SHOWN), ...more].join('\n'));
  return [section(title, rowsTable(best, objective)), tally(document), failed].filter((part) => part !== '').join('\n\n');
}

/** `sma-cross on BTC/USDT 1h, 20,000 bars`. */
export function subjectText({ strategy, symbols, timeframe, bars }: SweepDocument): string {
  return `${strategy} on ${symbols.join(' ')} ${timeframe}, ${counted(bars, 'bar')}`;
}

/** The objective has a column of its own where the others do not show it. */
export function rowsTable(rows: readonly MeasuredRow[], { name }: Objective): string {
  const isShown = ['sharpe', 'sortino', 'calmar', 'totalReturn', 'profitFactor', 'winRate', 'maxDrawdown'].includes(name);
  const own = isShown ? [] : [/[\\/]/.test(name) ? 'objective' : name];
  const header = ['parameters', 'trades', 'return', 'drawdown', 'Sharpe', 'Sortino', 'Calmar', 'won', 'factor', 'fees', ...own];
  const cells = rows.map(({ params, metrics, value }) => [
    pointText(params),
    String(metrics.trades),
    percent(metrics.totalReturn),
    percent(metrics.maxDrawdown),
    orUnknown(metrics.sharpe, plain),
    orUnknown(metrics.sortino, plain),
    orUnknown(metrics.calmar, plain),
    orUnknown(metrics.winRate, percent),
    orUnknown(metrics.profitFactor, plain),
    plain(metrics.feesPaid),
    ...own.map(() => plain(value)),
  ]);
  return table(header, cells);
}

function tally({ rows, trials, bars, timeframe, drawdownLimit }: SweepDocument): string {
  const years = bars / barsPerYear(parseSpan(timeframe));
  const traded = rows.filter((row) => (row.metrics?.trades ?? 0) > 0);
  const won = traded.filter((row) => (row.metrics?.totalReturn ?? 0) > 0).length;
  const significant = traded.filter((row) => (row.metrics?.sharpe ?? 0) * Math.sqrt(years) >= SIGNIFICANT).length;
  const parts = [
    `${counted(trials.tried, 'combination')} tried${trials.leftOut > 0 ? `, ${trials.leftOut} of the grid left out` : ''}`,
    trials.resumed > 0 ? `${trials.resumed} of them before an interruption` : '',
    drawdownLimit === null ? '' : `${trials.stopped} stopped at a drawdown of ${percent(drawdownLimit)}`,
    `${traded.length} traded: ${won} gained after costs, ${significant} ${significant === 1 ? 'has' : 'have'} a t of ${SIGNIFICANT} or more`,
  ];
  return `${parts.filter((part) => part !== '').join('; ')} (chance alone gives ${(normalDistribution(-SIGNIFICANT) * traded.length).toFixed(1)} of ${traded.length}). The best of ${trials.tried} is the luckiest of them, too: those that traded are in the ledger that ballast validate reads.`;
}
