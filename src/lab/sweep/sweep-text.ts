// A sweep as a person reads it: the best of it, and how many there were to be the best of.
import { parseSpan } from '../../domain/time.ts';
import { orUnknown, percent, plain, section, table } from '../../views/text.ts';
import { barsPerYear } from './run-column.ts';
import { pointText } from './strategy.ts';
import { ranked, type SweepDocument } from './sweep-run.ts';

const SHOWN = 10;
/** From this t-statistic of the mean return on, a single column can be told from luck. */
const SIGNIFICANT = 2;
/** What of a normal distribution lies beyond it. */
const BEYOND = 0.02275;

export function sweepText(document: SweepDocument): string {
  const { rows, objective, trials, bars } = document;
  const best = ranked(rows, objective);
  const years = bars / barsPerYear(parseSpan(document.timeframe));
  const header = ['parameters', 'trades', 'return', 'drawdown', 'Sharpe', 'Sortino', 'Calmar', 'won', 'factor', 'fees'];
  const cells = best
    .slice(0, SHOWN)
    .map(({ params, metrics }) => [
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
    ]);
  const title = `${document.strategy} on ${document.symbol} ${document.timeframe}, ${bars.toLocaleString('en')} bars: the best ${cells.length} by ${objective}`;
  const traded = rows.filter((row) => (row.metrics?.trades ?? 0) > 0);
  const won = traded.filter((row) => (row.metrics?.totalReturn ?? 0) > 0).length;
  const significant = traded.filter((row) => (row.metrics?.sharpe ?? 0) * Math.sqrt(years) >= SIGNIFICANT).length;
  const parts = [
    `${trials.tried} combinations tried${trials.leftOut > 0 ? `, ${trials.leftOut} of the grid left out` : ''}`,
    trials.resumed > 0 ? `${trials.resumed} of them before an interruption` : '',
    `${traded.length} traded: ${won} gained after costs, ${significant} have a t of ${SIGNIFICANT} or more`,
  ];
  const counted = `${parts.filter((part) => part !== '').join('; ')} (chance alone gives ${(BEYOND * traded.length).toFixed(1)} of ${traded.length}). The best of ${trials.tried} is the luckiest of them, too.`;
  const failures = rows.flatMap(({ params, failure }) => (failure === undefined ? [] : [`  ${pointText(params)}: ${failure}`]));
  const failed = failures.length === 0 ? '' : section(`${failures.length} failed`, failures.join('\n'));
  return [section(title, table(header, cells)), counted, failed].filter((part) => part !== '').join('\n\n');
}
