// Plays one of the reference's streams (matching-reference.py) through the simulated venue, and writes what it says in the reference's words.
import { amount, format, price, quantity } from '../../src/domain/decimal.ts';
import type { MarketEvent, VenueReport } from '../../src/domain/event.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import { isConditional, type OrderIntent } from '../../src/domain/order.ts';
import type { MarketSource } from '../../src/domain/ports.ts';
import { NEVER } from '../../src/domain/time.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import type { MatchingRules } from '../../src/venues/simulated/rules.ts';
import { SimulatedVenue } from '../../src/venues/simulated/venue.ts';
import { z } from 'zod';

interface WrittenIntent {
  readonly id: string;
  readonly instrument: number;
  readonly side: 'buy' | 'sell';
  readonly type: OrderIntent['type'];
  readonly quantity: string;
  readonly limit: string | null;
  readonly stop: string | null;
  readonly trail: string | null;
  readonly force: 'ioc' | 'fok' | null;
  readonly pair: string | null;
  readonly position?: 'long' | 'short' | undefined;
  readonly reduceOnly: boolean;
  readonly wholePosition: boolean;
  readonly attached: readonly WrittenIntent[];
}

const writtenIntent: z.ZodType<WrittenIntent> = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    instrument: z.number(),
    side: z.enum(['buy', 'sell']),
    type: z.enum(['market', 'limit', 'post-only', 'stop', 'take-profit', 'trailing']),
    quantity: z.string(),
    limit: z.string().nullable(),
    stop: z.string().nullable(),
    trail: z.string().nullable(),
    force: z.enum(['ioc', 'fok']).nullable(),
    pair: z.string().nullable(),
    position: z.enum(['long', 'short']).optional(),
    reduceOnly: z.boolean(),
    wholePosition: z.boolean(),
    attached: z.array(writtenIntent),
  }),
);

const writtenRules = z.strictObject({
  margin: z.enum(['leverage', 'cash', 'isolated', 'cross']),
  maintenanceBasis: z.enum(['mark', 'entry']).optional(),
  liquidationFeeRate: z.string().optional(),
  insuranceFund: z.string().optional(),
  volumeShareRatio: z.string().optional(),
  slippageModel: z.enum(['volume-share', 'square-root']).optional(),
  impactRatio: z.string().optional(),
  tradeThroughTicks: z.number().optional(),
  selfTrade: z.enum(['cancel-resting', 'cancel-incoming', 'cancel-both']).optional(),
  recordedLatenciesMs: z.array(z.number()).optional(),
  recordedResponsesMs: z.array(z.number()).optional(),
  feeCoin: z.strictObject({ discountRatio: z.string(), prices: z.array(z.tuple([z.number(), z.string()])) }).optional(),
  filters: z
    .array(
      z.strictObject({
        instrument: z.number(),
        from: z.number(),
        tick: z.string().optional(),
        lot: z.string().optional(),
        minimumQuantity: z.string().optional(),
        minimumNotional: z.string().optional(),
      }),
    )
    .optional(),
  /** Turnover, taker's and maker's rate. */
  feeTiers: z.array(z.tuple([z.string(), z.string(), z.string()])).optional(),
});

export const writtenStream = z.strictObject({
  seed: z.number(),
  barMs: z.number(),
  instruments: z.array(
    z.strictObject({
      kind: z.enum(['spot', 'linear']),
      tick: z.string(),
      lot: z.string(),
      minimumQuantity: z.string(),
      minimumNotional: z.string(),
      taker: z.string(),
      maker: z.string(),
      fundingRate: z.string(),
      fundingIntervalMs: z.number(),
      tiers: z.array(z.tuple([z.string().nullable(), z.string()])),
    }),
  ),
  slippageRatio: z.string(),
  latencyMs: z.number(),
  leverage: z.number(),
  capital: z.string(),
  positions: z.literal('hedge').optional(),
  rules: writtenRules,
  /** By instrument and bar: open, high, low and close in ticks, volume in base; null is a hole. */
  bars: z.array(z.array(z.array(z.number()).nullable())),
  acts: z.array(
    z.discriminatedUnion('do', [
      z.strictObject({ at: z.number(), do: z.literal('submit'), intent: writtenIntent }),
      z.strictObject({ at: z.number(), do: z.literal('cancel'), order: z.string(), instrument: z.number() }),
      z.strictObject({
        at: z.number(),
        do: z.literal('reprice'),
        order: z.string(),
        instrument: z.number(),
        limit: z.string(),
        quantity: z.string(),
      }),
      z.strictObject({ at: z.number(), do: z.literal('amend'), order: z.string(), instrument: z.number(), stop: z.string() }),
    ]),
  ),
  said: z.array(z.string()).optional(),
  cash: z.string().optional(),
  position: z.array(z.string()).optional(),
});

export type WrittenStream = z.infer<typeof writtenStream>;

export interface Answer {
  readonly said: readonly string[];
  readonly cash: string;
  readonly position: readonly string[];
}

const SYMBOLS = ['A', 'B'];

function instrumentsOf(stream: WrittenStream): Instrument[] {
  return stream.instruments.map((written, index) => ({
    venue: 'golden',
    symbol: `${SYMBOLS[index]}/USDT${written.kind === 'linear' ? ':USDT' : ''}`,
    kind: written.kind,
    base: SYMBOLS[index] ?? '',
    quote: 'USDT',
    tick: price(written.tick),
    lot: quantity(written.lot),
    minimumQuantity: quantity(written.minimumQuantity),
    minimumNotional: amount(written.minimumNotional),
    takerFeeRate: Number(written.taker),
    makerFeeRate: Number(written.maker),
    fundingRate: Number(written.fundingRate),
    fundingIntervalMs: written.fundingIntervalMs,
  }));
}

function rulesOf(stream: WrittenStream, instruments: readonly Instrument[]): Partial<MatchingRules> {
  const marginTiers = Object.fromEntries(
    stream.instruments.map(({ tiers }, index) => [
      instruments[index]?.symbol ?? '',
      tiers.map(([upTo, rate]) => ({ upTo: upTo === null ? Infinity : Number(upTo), maintenanceRate: Number(rate) })),
    ]),
  );
  const { margin, maintenanceBasis, slippageModel, tradeThroughTicks, selfTrade, recordedLatenciesMs, recordedResponsesMs, ...texts } =
    stream.rules;
  const { feeCoin, filters, liquidationFeeRate, insuranceFund, volumeShareRatio, impactRatio, feeTiers } = texts;
  const given = {
    margin,
    maintenanceBasis,
    slippageModel,
    tradeThroughTicks,
    selfTrade,
    recordedLatenciesMs,
    recordedResponsesMs,
    feeCoin: feeCoin && {
      currency: 'COIN',
      discountRatio: Number(feeCoin.discountRatio),
      prices: feeCoin.prices.map(([from, each]) => ({ from, price: Number(each) })),
    },
    filters: filters?.map(({ instrument, from, ...steps }) => ({
      symbol: instruments[instrument]?.symbol ?? '',
      from,
      ...Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, Number(step)])),
    })),
    marginTiers,
    liquidationFeeRate: numberFrom(liquidationFeeRate),
    insuranceFund: numberFrom(insuranceFund),
    volumeShareRatio: numberFrom(volumeShareRatio),
    impactRatio: numberFrom(impactRatio),
    feeTiers: feeTiers?.map(([turnover, taker, maker]) => ({
      turnover: Number(turnover),
      takerFeeRate: Number(taker),
      makerFeeRate: Number(maker),
    })),
  };
  // What a stream does not say has the venue's own default.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function numberFrom(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function sourceOf(stream: WrittenStream, instrument: number): BarSource {
  const tick = Number(stream.instruments[instrument]?.tick);
  // Reading the decimal is the one rounding: 70 steps of 0.1 are 7, not 7.000000000000001.
  const decimals = stream.instruments[instrument]?.tick.split('.')[1]?.length ?? 0;
  const rows = (stream.bars[instrument] ?? []).flatMap((bar, row) => (bar === null ? [] : [{ at: row * stream.barMs, bar }]));
  const column = (position: number): Float64Array =>
    Float64Array.from(rows, ({ bar }) => Number(((bar[position] ?? NaN) * tick).toFixed(decimals)));
  const columns = {
    openAt: Float64Array.from(rows, ({ at }) => at),
    open: column(0),
    high: column(1),
    low: column(2),
    close: column(3),
    volume: Float64Array.from(rows, ({ bar }) => bar[4] ?? NaN),
  };
  return new BarSource({ instrument, timeframeMs: stream.barMs, chunks: [columns], from: 0 });
}

function intentOf(written: WrittenIntent, at: number): OrderIntent {
  return {
    id: written.id,
    at,
    instrument: written.instrument,
    side: written.side,
    type: written.type,
    role: written.wholePosition ? 'disaster' : isConditional(written.type) ? 'stop' : 'target',
    quantity: quantity(written.quantity),
    limitPrice: written.limit === null ? undefined : price(written.limit),
    stopPrice: written.stop === null ? undefined : price(written.stop),
    ...(written.trail === null ? {} : { trailBy: price(written.trail) }),
    ...(written.force === null ? {} : { timeInForce: written.force }),
    ...(written.pair === null ? {} : { pairedWith: written.pair }),
    ...(written.position === undefined ? {} : { positionSide: written.position }),
    reduceOnly: written.reduceOnly,
    wholePosition: written.wholePosition,
    shares: [],
    attached: written.attached.map((stop) => intentOf(stop, at)),
  };
}

function wordsOf(report: VenueReport): string {
  const { at } = report;
  switch (report.kind) {
    case 'funding.paid':
      return `${at} funding ${report.instrument} ${format(report.amount)}`;
    case 'position.liquidated': {
      const { instrument, side, fill, insurance, deleveraged } = report;
      return [at, 'liquidated', instrument, side, ...[fill.quantity, fill.price, fill.fee, insurance, deleveraged].map(format)].join(' ');
    }
    case 'order.amended':
      return `${at} amended ${report.order} ${format(report.stopPrice)}`;
    case 'order.repriced':
      return `${at} repriced ${report.order} ${format(report.limitPrice)} ${format(report.quantity)}`;
    case 'order.filled': {
      const { fill, order } = report;
      if (fill === undefined) throw new Error('a fill without a fill');
      const coin = fill.feeCoin === undefined ? '' : ` ${format(fill.feeCoin.quantity)}`;
      return `${at} filled ${order} ${format(fill.quantity)} ${format(fill.price)} ${format(fill.fee)} ${fill.liquidity}${coin}`;
    }
    default:
      return `${at} ${report.kind.slice('order.'.length)} ${report.order}`;
  }
}

/** What the venue makes of a stream. */
export function replayed(stream: WrittenStream): Answer {
  const instruments = instrumentsOf(stream);
  let closed = -1;
  const venue = new SimulatedVenue({
    instruments,
    baseTimeframeMs: stream.barMs,
    capital: amount(stream.capital),
    slippageRatio: Number(stream.slippageRatio),
    latencyMs: stream.latencyMs,
    maximumLeverage: stream.leverage,
    allowSpotShort: false,
    rules: rulesOf(stream, instruments),
    ...(stream.positions === undefined ? {} : { positions: stream.positions }),
    notBefore: () => closed + 1,
  });
  const markets: MarketSource[] = instruments.map((_, instrument) => venue.watching(sourceOf(stream, instrument)));
  const said: string[] = [];
  let next = 0;
  for (;;) {
    let at = venue.peekAt();
    let market: MarketSource | undefined;
    for (const source of markets) {
      if (source.peekAt() >= at) continue;
      at = source.peekAt();
      market = source;
    }
    const act = stream.acts[next];
    // What is sent after bars have closed is sent once all of that time is handled.
    if (act !== undefined && act.at < at) {
      closed = act.at;
      next++;
      if (act.do === 'submit') venue.submit(intentOf(act.intent, act.at));
      else if (act.do === 'cancel') venue.cancel({ at: act.at, instrument: act.instrument, order: act.order });
      else if (act.do === 'amend') venue.amend({ at: act.at, instrument: act.instrument, order: act.order, stopPrice: price(act.stop) });
      else {
        const { at: askedAt, instrument, order, limit, quantity: wanted } = act;
        venue.amend({ at: askedAt, instrument, order, limitPrice: price(limit), quantity: quantity(wanted) });
      }
      continue;
    }
    if (at === NEVER) break;
    const event = (market ?? venue).take();
    if (market === undefined) said.push(wordsOf(event as Exclude<VenueReport, MarketEvent>));
  }
  return { said, cash: format(venue.cash), position: venue.position.map(format) };
}
