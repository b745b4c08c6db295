// Columns by kernels: a strategy that is written for typed columns, on one instrument.
import { createHash } from 'node:crypto';
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { SweepAccount } from '../../lab/sweep/account.ts';
import { runColumn } from '../../lab/sweep/run-column.ts';
import type { SweepPoint, SweepStrategy } from '../../lab/sweep/strategy.ts';
import { kernelPool } from '../../lab/sweep/sweeper.ts';
import type { BarStore } from '../../market/history/store.ts';
import type { Config } from '../config.ts';
import { unfilteredInstrument } from '../recipe.ts';
import { describeSchema } from '../schema-findings.ts';
import { rangeEmpty, type PreparedSweep, type SweepOrder } from './prepared.ts';
import { columnSizing } from './sizing.ts';

/** @throws BallastError ARGUMENT_INVALID, RANGE_EMPTY, SERIES_UNKNOWN, VENUE_AMBIGUOUS */
export async function kernelColumns(order: SweepOrder, strategy: SweepStrategy, config: Config, store: BarStore): Promise<PreparedSweep> {
  const { timeframeMs, fromMs, toMs, workers, drawdownLimit = Infinity } = order;
  const [symbol, ...others] = order.symbols;
  if (symbol === undefined || others.length > 0) {
    throw argumentError('--symbols', `${order.symbols.length} symbols`, `one: ${strategy.name} trades one instrument`);
  }
  if (order.warmup === 'auto') throw argumentError('--warmup', 'auto', `none: ${strategy.name} is swept by a kernel, which starts cold`);
  const venue = store.resolve({ symbol, venue: order.venue, timeframeMs });
  const bars = await store.load({ venue, symbol, timeframeMs, fromMs, toMs });
  const { openAt, open, high, low, close } = bars;
  if (close.length === 0) throw rangeEmpty({ symbol, timeframeMs, fromMs, toMs });
  const account: SweepAccount = {
    capital: order.capital === undefined ? config.paper.capital : Number(order.capital),
    feeRate: config.venue.feeRate ?? unfilteredInstrument(venue, symbol, '--symbols').takerFeeRate,
    slippageRatio: config.venue.slippageRatio,
    stopSlippageRatio: config.venue.stopSlippageRatio ?? 0,
    fill: order.fill ?? strategy.fill,
    sizing: columnSizing(order.sizing ?? 'all-in'),
  };
  const identity = { path: 'kernel', venue, symbol, timeframeMs, account };
  const columns = [open, high, low, close];
  const digest = createHash('sha256');
  for (const column of columns) digest.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const known = JSON.stringify({ ...identity, strategy: strategy.name, bars: digest.digest('hex') });
  return {
    subject: {
      strategy: strategy.name,
      path: 'kernel',
      venue,
      symbols: [symbol],
      timeframe: formatSpan(timeframeMs),
      from: formatTime(openAt[0] ?? NaN),
      to: formatTime((openAt[close.length - 1] ?? NaN) + timeframeMs),
      bars: close.length,
      account,
    },
    series: [`${venue}:${symbol}`],
    identity,
    columns,
    constraint: strategy,
    fields: describeSchema(strategy.parameters)?.properties ?? {},
    pool: () => kernelPool(workers, { bars, timeframeMs, strategy: strategy.name, account, drawdownLimit }),
    fillsOf: (params) => Promise.resolve(runColumn(strategy, params, bars, account, timeframeMs).fills),
    trialId: (params) => Promise.resolve(createHash('sha256').update(known).update(inOrder(params)).digest('hex').slice(0, 32)),
  };
}

/** The same parameters in another order are the same trial. */
function inOrder(params: SweepPoint): string {
  return JSON.stringify(Object.entries(params).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function argumentError(place: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'ARGUMENT_INVALID', place, found, expected, exitCode: 2 });
}
