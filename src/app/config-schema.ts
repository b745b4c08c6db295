// Every field of ballast.yaml: its limits, its default, its unit and why it is there. The file itself and docs/reference/config.md are
// written from this by `scripts/reference.ts`, so what they say is what is checked.
import { z } from 'zod';
import { ALLOCATION_METHODS } from '../council/allocation.ts';
import { defaultCouncilSettings } from '../council/council.ts';
import { BallastError } from '../domain/errors.ts';
import { parseSymbol } from '../domain/instrument.ts';
import { EXECUTION_ALGORITHMS } from '../domain/order.ts';
import { DAY_MS, formatSpan, HOUR_MS, MINUTE_MS, parseSpan, parseTime, SECOND_MS, type TimeMs } from '../domain/time.ts';
import { BOOK_INTERVAL_MS } from '../market/book/book-source.ts';
import { defaultRiskPolicy as risk, type RiskPolicy } from '../risk/policy.ts';

interface Limits {
  readonly above?: number;
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
}

function number(fallback: number, unit: string, { above, least, most, whole }: Limits, description: string) {
  let schema: z.ZodNumber = whole === true ? z.int() : z.number();
  if (above !== undefined) schema = schema.gt(above);
  if (least !== undefined) schema = schema.gte(least);
  if (most !== undefined) schema = schema.lte(most);
  return schema.default(fallback).meta({ description, unit });
}

/** A part of something: above 0 and at most 1. */
function ratio(fallback: number, unit: string, description: string) {
  return number(fallback, unit, { above: 0, most: 1 }, description);
}

const LONGEST_SPAN_MS = 3_650 * DAY_MS;

/** A span of time: a text such as `10s`, or whole milliseconds. */
function spanOf(least: TimeMs, most: TimeMs, unit: string, description: string) {
  const allowed = `a span such as 10s, 4h or 30d, or whole milliseconds, from ${formatLimit(least)} to ${formatLimit(most)}`;
  return z
    .union([z.string(), z.number()], { error: `expected ${allowed}` })
    .transform((value, check): TimeMs => {
      const spanMs = typeof value === 'number' ? value : spanFrom(value);
      if (Number.isInteger(spanMs) && spanMs >= least && spanMs <= most) return spanMs;
      check.issues.push({ code: 'custom', input: value, message: `expected ${allowed}` });
      return z.NEVER;
    })
    .meta({ description, unit, allowed: `${formatLimit(least)} to ${formatLimit(most)}` });
}

function span(fallback: string | number, least: TimeMs, most: TimeMs, unit: string, description: string) {
  const schema = spanOf(least, most, unit, description);
  // Shown as a text where there is one: 1m says more than 60000.
  return schema.prefault(typeof fallback === 'number' && fallback >= SECOND_MS ? formatSpan(fallback) : fallback).meta(schema.meta() ?? {});
}

function formatLimit(spanMs: TimeMs): string {
  return spanMs === 0 ? '0' : formatSpan(spanMs);
}

function spanFrom(text: string): TimeMs {
  try {
    return parseSpan(text);
  } catch (error) {
    // Its message knows neither file nor limits; the caller's does.
    if (error instanceof BallastError) return NaN;
    throw error;
  }
}

/** A moment: a UTC date, an ISO-8601 time, or whole milliseconds. */
function instant(description: string) {
  const allowed = 'a UTC date such as 2021-01-01, an ISO-8601 time, or whole milliseconds';
  return z
    .union([z.string(), z.int()], { error: `expected ${allowed}` })
    .transform((value, check): TimeMs => {
      if (typeof value === 'number') return value;
      try {
        return parseTime(value);
      } catch (error) {
        if (!(error instanceof BallastError)) throw error;
        check.issues.push({ code: 'custom', input: value, message: `expected ${allowed}` });
        return z.NEVER;
      }
    })
    .meta({ description, unit: 'UTC', allowed });
}

/** A step or a minimum of a venue's filters, where it changes. */
function filterStep(unit: string, description: string) {
  return z.number().gte(0).optional().meta({ description, unit, allowed: 'at least 0; without, as it was before' });
}

const symbol = z.string().superRefine((text, check) => {
  try {
    parseSymbol(text);
  } catch (error) {
    if (!(error instanceof BallastError)) throw error;
    check.addIssue({ code: 'custom', message: `expected ${error.expected}` });
  }
});

const everyRatio = 'ratio of equity';

type NumericField = { [Field in keyof RiskPolicy]: RiskPolicy[Field] extends number ? Field : never }[keyof RiskPolicy];

const riskPolicy = z
  .strictObject({
    riskPerTradeRatio: ratio(
      risk.riskPerTradeRatio,
      everyRatio,
      'What one sleeve may lose at its stop. Ten such losses in a row leave 82 %.',
    ),
    positionRatio: number(
      risk.positionRatio,
      everyRatio,
      { above: 0, most: 10 },
      'Gross of all sleeves in one instrument: one coin going to zero must not end the account.',
    ),
    heatRatio: ratio(risk.heatRatio, everyRatio, 'What all sleeves may lose at their stops together: stops are hit together in a crash.'),
    leverageRatio: number(
      risk.leverageRatio,
      everyRatio,
      { above: 0, most: 10 },
      'Gross of all sleeves: at 2 the market must fall by half before equity is gone.',
    ),
    maximumPositions: number(
      risk.maximumPositions,
      'sleeves',
      { least: 1, most: 1_000, whole: true },
      'Sleeves with a position, a pair being one: more than one person can follow.',
    ),
    standingToleranceRatio: number(
      risk.standingToleranceRatio,
      'multiple of a limit',
      { least: 1, most: 2 },
      'What stands already is cut only beyond limit x this, and then to the limit: drift is not traded.',
    ),
    stopRatio: ratio(
      risk.stopRatio,
      'ratio of price',
      'Widest stop that is set without being asked for; the tighter of this and stopAtr is used.',
    ),
    stopAtr: number(
      risk.stopAtr,
      'average true ranges',
      { above: 0, most: 50 },
      'The other candidate, in ranges of the decision timeframe: a quiet market deserves a nearer stop.',
    ),
    trailR: number(
      risk.trailR,
      'R, the stop distance at entry',
      { least: 0, most: 100 },
      'A stop follows the best price in whole steps of this many R once one step is won; 0 is off.',
    ),
    dailyLossAlertRatio: ratio(
      risk.dailyLossAlertRatio,
      "ratio of equity at the day's start",
      "Loss since the day's start that raises an alert.",
    ),
    dailyLossPauseRatio: ratio(
      risk.dailyLossPauseRatio,
      "ratio of equity at the day's start",
      "Loss since the day's start from which nothing may increase until the next day: bad days cluster.",
    ),
    dayStartMs: span(risk.dayStartMs, 0, 23 * HOUR_MS, 'time after 00:00 UTC', 'When the day of the daily loss starts.'),
    drawdownAlertRatio: ratio(risk.drawdownAlertRatio, 'ratio of peak equity', 'Fall from the peak that raises an alert.'),
    drawdownHalveRatio: ratio(
      risk.drawdownHalveRatio,
      'ratio of peak equity',
      'Fall from the peak from which fresh targets get half of their size: what goes wrong is bet on less.',
    ),
    drawdownHaltRatio: ratio(
      risk.drawdownHaltRatio,
      'ratio of peak equity',
      'Fall from the peak that halts: latched, everything is closed, released by hand only.',
    ),
    edgeMultiple: number(
      risk.edgeMultiple,
      'multiple of the round trip’s cost',
      { least: 0, most: 100 },
      'What a forecast that names an expected return must expect of a trade, taker fees and slippage of all legs both ways being 1: what only just pays is mostly noise. Forecasts that name none are not bound; 0 is off.',
    ),
    antiKnife: z
      .strictObject({
        percentB: number(
          risk.antiKnife.percentB,
          'Bollinger %B',
          { least: -5, most: 1 },
          'Price at or below this place in its band, 0 being the lower band.',
        ),
        volatilityRatio: number(
          risk.antiKnife.volatilityRatio,
          'short over long volatility',
          { above: 0, most: 100 },
          'And volatility this many times its usual size.',
        ),
      })
      .prefault({})
      .meta({ description: 'Both at once are a waterfall: nothing long is added while it lasts.' }),
    staleIntervals: number(
      risk.staleIntervals,
      'bars',
      { least: 1, most: 1_000 },
      'A feed of bars is stale after this many of its own intervals without a word: nothing is added on old prices.',
    ),
    staleMs: span(risk.staleMs, SECOND_MS, DAY_MS, 'market time', 'The same for feeds without an interval: trades and marks.'),
    collarRatio: ratio(
      risk.collarRatio,
      'ratio of the mark',
      'How far from the mark a limit price may be: beyond it is a slip, not a price.',
    ),
    fatFingerRatio: number(
      risk.fatFingerRatio,
      everyRatio,
      { above: 0, most: 25 },
      'Notional of one order. Turning the largest lawful position over takes 2 x positionRatio x standingToleranceRatio, so not less than that.',
    ),
    ordersPerMinute: number(
      risk.ordersPerMinute,
      'orders a minute of market time',
      { least: 1, most: 6_000 },
      'Over all instruments, in the long run: a loop that runs wild is stopped here, not by the venue.',
    ),
    orderBurst: number(
      risk.orderBurst,
      'orders',
      { least: 1, most: 6_000, whole: true },
      'Orders that may go out at one instant after a quiet time: a whole portfolio turns at once.',
    ),
    fixedRatio: number(risk.fixedRatio, everyRatio, { above: 0, most: 10 }, 'What `sizing: fixed` asks for.'),
    targetVolatilityRatio: number(
      risk.targetVolatilityRatio,
      'volatility a year',
      { above: 0, most: 10 },
      'What `sizing: volatility` aims at: calm markets are held larger than wild ones.',
    ),
    kellyFraction: ratio(
      risk.kellyFraction,
      'part of the full Kelly bet',
      'What `sizing: kelly` asks for: the full bet is right only when the odds are exactly known.',
    ),
    kellyPayoffRatio: number(
      risk.kellyPayoffRatio,
      'win over loss',
      { above: 0, most: 100 },
      "Kelly's payoff where an opinion names no target.",
    ),
  } satisfies Record<keyof RiskPolicy, z.ZodType>)
  .superRefine((policy, check) => {
    // How the limits interlock: each of these would make a limit meaningless, not merely strict.
    const atMost = (field: NumericField, limit: NumericField, why: string): void => {
      if (policy[field] > policy[limit]) {
        check.addIssue({
          code: 'custom',
          path: [field],
          message: `expected at most ${limit}, which is ${policy[limit]}: ${why}`,
        });
      }
    };
    atMost('riskPerTradeRatio', 'heatRatio', 'one sleeve cannot lose more than all together');
    atMost('positionRatio', 'leverageRatio', 'one instrument cannot be larger than all together');
    atMost('dailyLossAlertRatio', 'dailyLossPauseRatio', 'an alert comes before the pause');
    atMost('drawdownAlertRatio', 'drawdownHalveRatio', 'an alert comes before halving');
    atMost('drawdownHalveRatio', 'drawdownHaltRatio', 'halving comes before the halt');
    const turn = 2 * policy.positionRatio * policy.standingToleranceRatio;
    if (policy.fatFingerRatio < turn - 1e-12) {
      check.addIssue({
        code: 'custom',
        path: ['fatFingerRatio'],
        message: `expected at least ${turn}, 2 x positionRatio x standingToleranceRatio: a lawful turn of the largest position would be refused`,
      });
    }
  });

const council = z.strictObject({
  minimumConsensus: number(
    defaultCouncilSettings.minimumConsensus,
    'sources',
    { least: 1, most: 100, whole: true },
    'How many sources must be on the pooled side; a sleeve with fewer sources needs all of them.',
  ),
  minimumHoldMs: span(
    defaultCouncilSettings.minimumHoldMs,
    0,
    LONGEST_SPAN_MS,
    'market time',
    'A position is not closed or turned by opinion before it was held this long; stops are not bound by it.',
  ),
  cooldownMs: span(
    defaultCouncilSettings.cooldownMs,
    0,
    LONGEST_SPAN_MS,
    'market time',
    'After a position is closed none is opened for this long: the second thought of a bad moment is bad too.',
  ),
  allocation: z.enum(ALLOCATION_METHODS).default(defaultCouncilSettings.allocation).meta({
    description:
      'How the share of equity of all sleeves together is divided among them: `equal` leaves each the share that it was given; `hrp` is hierarchical risk parity, `erc` equal contributions to risk, `minimum-variance` and `mean-variance` the optima without short positions, on a shrunk covariance of what each sleeve earned on paper.',
  }),
  allocationWindowDays: number(
    defaultCouncilSettings.allocationWindowDays,
    'days',
    { least: 2, most: 3_650, whole: true },
    'Paper returns that the division is computed from; a sleeve takes part once it has as many.',
  ),
  allocationCadenceDays: number(
    defaultCouncilSettings.allocationCadenceDays,
    'days',
    { least: 1, most: 3_650, whole: true },
    'From one division to the next. Nothing is traded because of it, but for what is beyond its share by more than risk.standingToleranceRatio.',
  ),
});

const desk = z
  .strictObject({
    rebalanceBandRatio: number(
      0.05,
      'ratio of the position',
      { least: 0, most: 1 },
      'Drift of the net position inside this band is not traded: it would pay fees for noise.',
    ),
    disasterRatio: ratio(
      0.1,
      'ratio of price',
      'First distance of the disaster stop, which rests at the venue for the case that this process is dead; it lies beyond every sleeve stop.',
    ),
    pairDisasterRatio: ratio(
      0.3,
      'ratio of price',
      'The same for a symbol in which only legs of pairs and baskets stand: they are hedged, and their loss is watched on the spread. At least disasterRatio.',
    ),
    disasterGapRatio: ratio(
      0.05,
      'ratio of price',
      'How far beyond the furthest sleeve stop it is kept, so that it never competes with one.',
    ),
    maximumLeggedMs: span(
      '10s',
      SECOND_MS,
      DAY_MS,
      'market time',
      'A pair may hold one leg only for this long: half a pair is a bet nobody made.',
    ),
    maximumLeggedLossRatio: ratio(0.005, everyRatio, 'And may lose this much meanwhile.'),
    mostFailedCloses: number(
      5,
      'orders in a row',
      { least: 1, most: 1_000, whole: true },
      'Closes and stops of one symbol that the venue refuses or ends by itself: after so many in a row the run halts, and asks less and less often.',
    ),
  })
  .superRefine(({ disasterRatio, pairDisasterRatio }, check) => {
    if (pairDisasterRatio >= disasterRatio) return;
    check.addIssue({
      code: 'custom',
      path: ['pairDisasterRatio'],
      message: `expected at least disasterRatio, which is ${disasterRatio}: a leg that is hedged may move further than what stands alone`,
    });
  });

const execution = z.strictObject({
  algorithm: z.enum(EXECUTION_ALGORITHMS).default('market').meta({
    description:
      'How what is needed is bought and sold: `market` at once; `limit-first` at the last price, `iceberg` a part of it at a time, and at the market what is left at the end; `twap`, `vwap` and `almgren-chriss` in slices at the market; `pov` as a part of what is traded. Stops, what a stop or a halt closes, and all legs of pairs but the thinner one that a limit goes first for always go out at the market.',
  }),
  horizonMs: span(
    '15m',
    SECOND_MS,
    DAY_MS,
    'market time',
    'How long that may take; what is left then goes out at the market. A limit order is held against whole bars, so not less than one.',
  ),
  postOnly: z.boolean().default(false).meta({
    description:
      'Limit orders never take: one that would is asked for again a step further behind, three times, then what is left goes out at the market.',
    allowed: 'true or false',
  }),
  slices: number(10, 'orders', { least: 1, most: 1_000, whole: true }, 'Into how many parts twap, vwap and almgren-chriss divide it.'),
  urgency: number(
    1,
    'kappa times the horizon',
    { least: 0, most: 50 },
    'How much almgren-chriss trades early: 0 is twap, 3 gives the first of ten slices 27 %. Kappa follows from volatility, impact and risk aversion.',
  ),
  participationRatio: number(0.1, 'ratio of volume', { above: 0, most: 1 }, 'What pov trades of what the bars say others did.'),
  displayRatio: ratio(0.1, 'ratio of the whole', 'What an iceberg shows at a time.'),
});

const decision = z.strictObject({
  stanceStep: number(
    0.25,
    'stance, from -1 to 1',
    { least: 0, most: 2 },
    'A stance must change its sign, or move by this much, before a target is computed anew: trading every tremble tripled the fills.',
  ),
  graceMs: span(
    '2s',
    1,
    HOUR_MS,
    'market time',
    'How long the bars of one close wait for each other before the minds are asked without the rest.',
  ),
  opinionLifeBars: number(
    3,
    "bars of the source's timeframe",
    { least: 1, most: 1_000, whole: true },
    'A forecast that is not renewed for so long counts for flat: nobody stands behind it any more.',
  ),
});

const minds = z.strictObject({
  strikes: number(
    3,
    'failures',
    { least: 1, most: 1_000, whole: true },
    'A strategy that throws or answers nonsense so often is suspended and its sleeve made flat.',
  ),
  timeoutMs: span(
    200,
    1,
    MINUTE_MS,
    'wall time',
    'How long a strategy may think about one bar before that is a failure: a reflex must never wait for it.',
  ),
});

const venueFields = z.strictObject({
  slippageRatio: number(
    0.0005,
    'ratio of price',
    { least: 0, most: 0.5 },
    'A market order and a triggered stop fill this much worse than the bar says.',
  ),
  stopSlippageRatio: z.number().gte(0).lte(0.5).nullable().default(null).meta({
    description: 'The same for a triggered stop alone; null is slippageRatio.',
    unit: 'ratio of price',
    allowed: '0 to 0.5, or null',
  }),
  fill: z.enum(['next-open', 'close']).default('next-open').meta({
    description:
      'What fills an order at the market: the open of the bar that comes, or the close on which it was decided, as if one could still trade at that price. `close` is for research.',
  }),
  feeRate: z.number().gte(-0.01).lte(0.5).nullable().default(null).meta({
    description: "Fee of every fill; null takes each instrument's own taker and maker rates.",
    unit: 'ratio of notional',
    allowed: '-0.01 to 0.5, or null',
  }),
  latencyMs: span(1, 1, MINUTE_MS, 'market time', "From an order to the venue's answer: nothing fills at the moment it is thought of."),
  maximumLeverage: number(
    10,
    'gross over equity',
    { above: 0, most: 200 },
    'Beyond this the simulated venue itself refuses an increase, as a real one would; isolated margin posts notional over this.',
  ),
  margin: z.enum(['leverage', 'cash', 'isolated', 'cross']).default('leverage').meta({
    description:
      'What stands behind a perpetual: `leverage` bounds exposure and never liquidates, `cash` pays in full and sells only what is held, `isolated` the margin of each position, `cross` the whole account.',
  }),
  maintenanceBasis: z.enum(['mark', 'entry']).default('mark').meta({
    description: 'The value of a position on which its maintenance margin is reckoned: at the mark, as Binance does, or at entry.',
  }),
  marginTiers: z
    .record(
      symbol,
      z
        .array(z.tuple([z.number().gt(0).nullable(), z.number().gt(0).lt(1)]).readonly())
        .min(1)
        .readonly(),
    )
    .readonly()
    .prefault({})
    .meta({
      description:
        'Maintenance margin by symbol: pairs of the value up to which it holds (null in the last) and its rate. Without, the brackets that Binance had in 2021.',
      unit: 'quote currency, ratio of notional',
    }),
  liquidationFeeRate: number(
    0.01,
    'ratio of notional',
    { least: 0, most: 0.5 },
    "Fee of a liquidation in place of the taker's; it takes at most what is left of the margin.",
  ),
  insuranceFund: z.number().gte(0).nullable().default(null).meta({
    description: 'What the insurance fund can bear of losses beyond the margin; the rest is auto-deleveraged. null bears everything.',
    unit: 'quote currency',
    allowed: 'at least 0, or null',
  }),
  feeTiers: z
    .array(
      z.strictObject({
        turnover: z.number().gte(0),
        takerFeeRate: z.number().gte(-0.01).lte(0.5),
        makerFeeRate: z.number().gte(-0.01).lte(0.5),
      }),
    )
    .readonly()
    .default([])
    .meta({
      description:
        'Rates by what was traded in the thirty UTC days before today, as turnover, takerFeeRate and makerFeeRate; a negative rate is a rebate. They go before every other rate.',
      unit: 'quote currency, ratio of notional',
    }),
  feeCoin: z
    .strictObject({
      currency: z.string().min(1).meta({ description: 'Its name, such as BNB.' }),
      discountRatio: z.number().gte(0).lt(1).default(0.25).meta({ description: 'What a fee in it is cheaper by.', unit: 'ratio of fee' }),
      prices: z
        .array(
          z.strictObject({
            from: instant('From when on.'),
            price: z.number().gt(0).meta({ description: 'What it costs then.', unit: 'quote currency' }),
          }),
        )
        .min(1)
        .readonly()
        .meta({ description: 'Its price, from each time on; before the first fees are in quote currency, and whole.' }),
    })
    .nullable()
    .prefault(null)
    .meta({
      allowed: 'currency, discountRatio and prices; or null',
      description:
        'A coin in which fees are paid, bought at its price as each falls due: currency, discountRatio and prices (from, price). null pays them in quote currency; rebates always are.',
    }),
  filters: z
    .array(
      z.strictObject({
        symbol: symbol.meta({ description: 'Whose.' }),
        from: instant('From when on the venue knew them.'),
        tick: filterStep('quote currency', 'Price step; 0 is none.'),
        lot: filterStep('base currency', 'Quantity step; 0 is none.'),
        minimumQuantity: filterStep('base currency', 'Least quantity of an order.'),
        minimumNotional: filterStep('quote currency', 'Least price x quantity of an order.'),
      }),
    )
    .readonly()
    .prefault([])
    .meta({
      description:
        "How the venue's filters changed: symbol, from, and what of tick, lot, minimumQuantity and minimumNotional is new from then on. An order is held to those of its arrival; what rests stays.",
    }),
  tradeThroughTicks: number(
    1,
    'ticks',
    { least: 0, most: 1_000, whole: true },
    'How far the market must go through a resting limit to fill it. 0 is a touch, 1 any price beyond it; more tells what a place in the queue is worth.',
  ),
  queueModel: z.enum(['none', 'risk-averse', 'power', 'log']).default('none').meta({
    description:
      'On books, where a resting limit stands in the queue of its price: `none` goes by tradeThroughTicks; the others let trades move it forward, and of cancels what is sure (`risk-averse`) or a likely share of them (`power`, `log`).',
  }),
  queuePower: number(
    3,
    'exponent',
    { least: 1, most: 10, whole: true },
    'For queueModel `power`: how much more of the cancels is believed to come from where more rests.',
  ),
  volumeShareRatio: number(
    0,
    "ratio of a bar's volume",
    { least: 0, most: 1 },
    'What our fills may take of a bar together; the rest of an order waits for the next. 0 is without bound.',
  ),
  slippageModel: z.enum(['fixed', 'volume-share', 'square-root']).default('fixed').meta({
    description:
      "What is added to slippageRatio: nothing, or impactRatio times the square, or the square root, of the fill's share of its bar's volume.",
  }),
  impactRatio: number(0.1, 'ratio of price', { least: 0, most: 10 }, 'Slippage of a fill as large as the volume of its bar.'),
  latencyJitterMs: number(
    0,
    'milliseconds',
    { least: 0, most: 60_000 },
    'Mean of a random delay on top of the latency, exponentially distributed.',
  ),
  latencySeed: number(1, 'any number', { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true }, 'One seed, one sequence of delays.'),
  recordedLatenciesMs: z
    .array(z.int().gte(1).lte(60_000))
    .readonly()
    .default([])
    .meta({ description: 'Latencies that were measured, used one after the other in place of latencyMs.', unit: 'milliseconds' }),
  responseLatencyMs: number(
    0,
    'milliseconds',
    { least: 0, most: 60_000, whole: true },
    'From what happens at the venue until we hear of it; 0 is at once.',
  ),
  responseJitterMs: number(
    0,
    'milliseconds',
    { least: 0, most: 60_000 },
    'Mean of a random delay on top of it, exponentially distributed.',
  ),
  recordedResponsesMs: z.array(z.int().gte(0).lte(60_000)).readonly().default([]).meta({
    description: 'Delays of answers that were measured, used one after the other in place of responseLatencyMs.',
    unit: 'milliseconds',
  }),
  selfTrade: z.enum(['allow', 'cancel-resting', 'cancel-incoming', 'cancel-both']).default('allow').meta({
    description: 'What ends when an order would trade with a resting limit of our own.',
  }),
});

const venue = venueFields.superRefine(({ fill, volumeShareRatio, slippageModel }, check) => {
  if (fill === 'next-open') return;
  const message = 'expected next-open where volumeShareRatio or slippageModel look at a bar: the close is before its volume';
  if (volumeShareRatio > 0 || slippageModel !== 'fixed') check.addIssue({ code: 'custom', path: ['fill'], message });
});

/** One source of opinion, and where it speaks. */
const strategyEntry = z
  .strictObject({
    strategy: z.string().min(1).meta({ description: 'Name of a strategy, or path of a file with one of your own.' }),
    parameters: z
      .record(z.string(), z.unknown())
      .prefault({})
      .meta({ description: 'Parameters by name; `ballast strategies` lists them with their defaults.' }),
    symbols: z.array(symbol).min(1).readonly().optional().meta({ description: 'Where it speaks; all symbols of the session unless said.' }),
    pairs: z
      .array(z.array(symbol).min(2).readonly())
      .min(1)
      .readonly()
      .optional()
      .meta({ description: 'The same for a strategy with several legs: pairs or baskets of symbols.' }),
    timeframeMs: spanOf(
      SECOND_MS,
      30 * DAY_MS,
      'length of a bar',
      "How long its bars are; the session's timeframe unless said.",
    ).optional(),
    weight: z
      .number()
      .gt(0)
      .lte(1_000)
      .default(1)
      .meta({ description: "Its weight in its sleeve's council; alone it has nobody to outweigh." }),
    shareRatio: z.number().gt(0).lte(1).optional().meta({
      description: 'Share of equity of each of its sleeves; what is not given out is divided equally among the others.',
      unit: everyRatio,
    }),
    council: z.string().min(1).optional().meta({
      description: 'Strategies that name the same council speak in one sleeve for each symbol; without one, each has sleeves of its own.',
    }),
  })
  .superRefine(({ symbols, pairs }, check) => {
    if (symbols === undefined || pairs === undefined) return;
    check.addIssue({ code: 'custom', path: ['pairs'], message: 'expected symbols or pairs, not both' });
  });

const paper = z.strictObject({
  symbols: z
    .array(symbol)
    .min(1)
    .readonly()
    .default(['BTC/USDT:USDT', 'ETH/USDT:USDT', 'SOL/USDT:USDT'])
    .meta({ description: 'What is traded. `BTC/USDT` is spot, `BTC/USDT:USDT` the linear perpetual.' }),
  baseTimeframeMs: span(
    '1m',
    SECOND_MS,
    DAY_MS,
    'length of a bar',
    'Bars that the market brings: stops and limits are looked at with each.',
  ),
  timeframeMs: span('15m', SECOND_MS, 30 * DAY_MS, 'length of a bar', 'Bars that strategies look at: a multiple of the base.'),
  strategies: z
    .array(strategyEntry)
    .min(1)
    .readonly()
    .prefault([{ strategy: 'trend' }, { strategy: 'mean-reversion' }])
    .meta({ description: 'Who forms opinions, on what, and with what share of equity.' }),
  capital: number(10_000, 'quote currency', { above: 0, most: 1e12 }, 'Cash at the start.'),
  seed: number(
    1,
    'any number',
    { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
    'One seed, one synthetic market: the same run again.',
  ),
  warmupMs: span(
    '30d',
    0,
    LONGEST_SPAN_MS,
    'market time',
    'History before the first decision, at least: features are formed from it, nothing is decided.',
  ),
  speed: z
    .union([z.number().gt(0).lte(1e9), z.literal('max')], { error: 'expected a number above 0, at most 1e9, or max' })
    .default(60)
    .meta({ description: 'How fast the market of the session passes.', unit: 'market seconds per second', allowed: 'above 0, or max' }),
});

/** Years of daily returns: a gate that asks for more is never met. */
const MOST_GATE_DAYS = 3_650;

const liveGates = z.strictObject({
  days: number(
    14,
    'days of market time',
    { above: 0, most: MOST_GATE_DAYS },
    'How long the set of strategies was lived through on paper, on a feed, in one run.',
  ),
  sharpe: number(1.5, 'a year, of daily returns', { least: -10, most: 20 }, 'Sharpe ratio of that period, more than this.'),
  drawdownRatio: ratio(0.15, 'ratio of peak equity', 'Deepest fall from a peak, less than this.'),
  winRatio: number(0.5, 'ratio of closed trades', { least: 0, most: 1 }, 'Won part of the closed trades, more than this.'),
  roiErrorRatio: z.number().gt(0).lte(1).nullable().default(0.02).meta({
    description:
      'Mean distance between what opinions said to expect of a trade and what it brought, less than this. null does not ask: strategies that say nothing of what they expect can never meet it.',
    unit: 'ratio of the notional',
    allowed: 'above 0 and at most 1, or null',
  }),
});

const liveStage = z.strictObject({
  shareRatio: z.number().gt(0).lte(1).meta({ description: 'Part of --capital that is traded with.' }),
  days: z.number().gte(0).lte(MOST_GATE_DAYS).default(14).meta({ description: 'Market time in this stage before the next.' }),
  trades: z.int().gte(0).lte(1e6).default(20).meta({ description: 'And closed trades.' }),
  drawdownRatio: z.number().gt(0).lte(1).default(0.1).meta({ description: 'And a deepest fall of less than this.' }),
  returnRatio: z.number().gte(-1).lte(10).default(0).meta({ description: 'And a return of at least this.' }),
});

const liveLatency = z
  .strictObject({
    alertMs: span(
      100,
      1,
      MINUTE_MS,
      'wall time',
      'Of an order, from the frame it answers to its request on the wire: over this, an alert.',
    ),
    haltMs: span(
      500,
      1,
      MINUTE_MS,
      'wall time',
      'Over this, a second alert, and nothing opens because of a book that is as old by then; the next book is judged by itself.',
    ),
  })
  .refine(({ alertMs, haltMs }) => alertMs <= haltMs, { path: ['haltMs'], error: 'expected at least live.latency.alertMs' });

const live = z
  .strictObject({
    marginMode: z.enum(['cross', 'isolated', 'keep']).default('cross').meta({
      description: 'What stands behind a perpetual at the venue; `keep` leaves the account as it is. Set at the start of a session.',
    }),
    leverage: z.number().gte(1).lte(100).nullable().default(3).meta({
      description:
        'Set for every perpetual at the start of a session: how much margin the venue wants. What is risked is bounded by risk.leverageRatio, not by this. null leaves it.',
      unit: 'notional over margin',
      allowed: '1 to 100, or null',
    }),
    deadManMs: spanOf(
      3 * SECOND_MS,
      5 * MINUTE_MS,
      'wall time',
      'After this long without this process the venue itself cancels orders that rest; stops of whole positions stay. null asks for nothing.',
    )
      .nullable()
      .prefault('30s')
      .meta({
        description:
          'After this long without this process the venue itself cancels orders that rest; stops of whole positions stay. Bybit grants it to some accounts only. null asks for nothing.',
        unit: 'wall time',
        allowed: '3s to 5m, or null',
      }),
    foreign: z.enum(['flag', 'adopt']).default('flag').meta({
      description:
        'Trades and positions that are not of this session: `flag` tells of them and opens nothing in the instrument until they are gone; `adopt` takes them over.',
    }),
    onStop: z.enum(['keep', 'close']).default('keep').meta({
      description:
        'What a stop of the session (SIGTERM, Ctrl-C) does with positions, once entries are cancelled: stops at the venue protect what is kept.',
    }),
    drainMs: span(
      '15s',
      SECOND_MS,
      10 * MINUTE_MS,
      'wall time',
      'How long a stop waits for the venue to confirm all that; then it ends all the same.',
    ),
    orderEntry: z.enum(['rest', 'socket']).default('rest').meta({
      description:
        'Which way orders, amendments and cancels take to Bybit: `socket` is its WebSocket for them, one hop shorter, with REST while that is not open. Bybit has none for demo accounts.',
    }),
    latency: liveLatency.prefault({}).meta({ description: 'How long an order may take from what it answers to the wire.' }),
    leaseFolder: z.string().min(1).nullable().default(null).meta({
      description:
        'Folder of the leases that keep a second session off an account: one for all homes, and on a shared disk for all machines. null is the state folder of the user.',
      allowed: 'a folder, or null',
    }),
    gates: liveGates
      .prefault({})
      .meta({ description: 'What a paper period must show before real orders. Two weeks prove little; the session says how little.' }),
    stages: z
      .array(liveStage)
      .min(1)
      .readonly()
      .prefault([{ shareRatio: 0.1 }, { shareRatio: 0.5 }, { shareRatio: 1 }])
      .meta({
        description:
          'How much of --capital is traded with: a session begins with the first, and the one after a session that met the gates of its stage begins with the next. Each has shareRatio, days, trades, drawdownRatio and returnRatio; the gates of the last are not looked at.',
      }),
  })
  .superRefine(({ stages }, check) => {
    stages.forEach(({ shareRatio }, index) => {
      if (index === 0 || shareRatio > (stages[index - 1]?.shareRatio ?? 0)) return;
      check.addIssue({ code: 'custom', path: ['stages', index, 'shareRatio'], message: 'expected more than that of the stage before' });
    });
  });

const api = z.strictObject({
  port: number(
    3_000,
    'port',
    { least: 0, most: 65_535, whole: true },
    'One port for pages and API, for this machine only: whoever reaches it can halt the session. 0 takes a free one.',
  ),
});

const alerts = z.strictObject({
  webhook: z.boolean().default(false).meta({
    description:
      'Sends every alert and every halt as JSON to the address in BALLAST_ALERT_WEBHOOK of the environment, which may be a secret. An address that does not answer delays nothing.',
    allowed: 'true or false',
  }),
});

/** An address without anything in it that must not be seen: configs are printed, and written beside every run. */
const address = z
  .string()
  .nullable()
  .superRefine((text, check) => {
    const url = text === null ? undefined : URL.parse(text);
    if (url === undefined) return;
    const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '';
    if (!isPlain)
      check.addIssue({ code: 'custom', message: 'expected an address such as http://127.0.0.1:8080, without user or password' });
  })
  .default(null);

function venueAddress(venue: string, paths: string) {
  return address.meta({ description: `Of ${venue}, serving ${paths}; null is its own.`, allowed: 'http(s)://…, or null' });
}

const collectEntry = z.strictObject({
  venue: z.enum(['bybit', 'binance']).meta({ description: 'Whose bars.' }),
  symbols: z
    .array(symbol)
    .min(1)
    .readonly()
    .meta({ description: 'As the venue lists them: `BTC/USDT` is spot, `BTC/USDT:USDT` the perpetual.' }),
  timeframesMs: z
    .array(spanOf(SECOND_MS, 7 * DAY_MS, 'length of a bar', 'Lengths of the bars.'))
    .min(1)
    .readonly()
    .prefault(['1m'])
    .meta({ description: 'Lengths of the bars.' }),
  days: number(90, 'days', { least: 1, most: 3_650, whole: true }, 'How far back: what is missing of it is asked for in each round.'),
});

const data = z.strictObject({
  addresses: z
    .strictObject({ bybit: venueAddress('Bybit', '/v5/…'), binance: venueAddress('Binance', '/api/v3/… and /fapi/v1/…') })
    .prefault({})
    .meta({ description: 'Where public data is asked for instead of the venue itself: a proxy of yours, or a server for tests.' }),
  collect: z
    .array(collectEntry)
    .readonly()
    .prefault([])
    .meta({ description: 'What `ballast data collect` keeps up to date. Public data: no key is needed.' }),
});

/** Large coins against each other, and coins that do the same thing. */
const UNIVERSE: [string, string][] = [
  ['BTC/USDT', 'ETH/USDT'],
  ['BTC/USDT', 'LTC/USDT'],
  ['BTC/USDT', 'XRP/USDT'],
  ['BTC/USDT', 'BCH/USDT'],
  ['ETH/USDT', 'SOL/USDT'],
  ['SOL/USDT', 'AVAX/USDT'],
  ['LINK/USDT', 'UNI/USDT'],
  ['DOT/USDT', 'ATOM/USDT'],
  ['MATIC/USDT', 'ARB/USDT'],
  ['LTC/USDT', 'DOGE/USDT'],
];

const pairs = z.strictObject({
  universe: z
    .array(z.tuple([symbol, symbol]).readonly())
    .min(1)
    .readonly()
    .prefault(UNIVERSE)
    .meta({
      description: 'What `ballast pairs scan` looks at when no symbols are named; pairs that are not stored are said to be missing.',
    }),
});

const market = z.strictObject({
  bookIntervalMs: span(
    BOOK_INTERVAL_MS,
    0,
    MINUTE_MS,
    'market time',
    'Between two looks of a strategy at the book of an instrument, in backtests, sessions and live, unless it was lost or found between them; 0 for every update. Each look is kept on the tape.',
  ),
});

/** Names of sections, in the order of the file. */
export const configSchema = z
  .strictObject({
    risk: riskPolicy.prefault({}).meta({ description: 'What protects from ruin. Both gates, sizing and the reflexes read it.' }),
    sizing: z.enum(['risk', 'fixed', 'volatility', 'kelly', 'all-in']).default('risk').meta({
      description:
        'How much a fresh opinion asks for, before any limit: `risk` lets the stop decide, `fixed` a constant, `volatility` the market, `kelly` the odds, `all-in` the cash there is where it fills, for one strategy on one spot symbol.',
    }),
    council: council.prefault({}).meta({ description: 'How the opinions of one sleeve become one stance.' }),
    desk: desk.prefault({}).meta({ description: 'How targets become orders, and how positions are protected when nobody is there.' }),
    execution: execution.prefault({}).meta({ description: 'How orders are carried out.' }),
    decision: decision.prefault({}).meta({ description: 'When a decision is taken anew.' }),
    minds: minds.prefault({}).meta({ description: 'What a source of opinion may do wrong before it is silenced.' }),
    market: market.prefault({}).meta({ description: 'What strategies see of a market.' }),
    venue: venue.prefault({}).meta({ description: 'The simulated venue.' }),
    paper: paper.prefault({}).meta({ description: 'The session of `ballast paper`; flags override it.' }),
    live: live.prefault({}).meta({ description: 'The session of `ballast live`, which trades what `paper` names: real orders.' }),
    data: data.prefault({}).meta({ description: 'History from real venues: `ballast data download` and `data collect`.' }),
    pairs: pairs.prefault({}).meta({ description: 'The statistics of pairs.' }),
    api: api.prefault({}).meta({ description: 'The HTTP server of a running session.' }),
    alerts: alerts.prefault({}).meta({ description: 'Who is told when nobody is looking.' }),
  })
  .superRefine((config, check) => {
    if (config.venue.maximumLeverage < config.risk.leverageRatio) {
      check.addIssue({
        code: 'custom',
        path: ['venue', 'maximumLeverage'],
        message: `expected at least risk.leverageRatio, which is ${config.risk.leverageRatio}: the venue would refuse what is lawful`,
      });
    }
    if (config.live.leverage !== null && config.live.leverage < config.risk.leverageRatio) {
      check.addIssue({
        code: 'custom',
        path: ['live', 'leverage'],
        message: `expected at least risk.leverageRatio, which is ${config.risk.leverageRatio}: the venue would refuse what is lawful`,
      });
    }
    if (config.paper.timeframeMs % config.paper.baseTimeframeMs !== 0) {
      check.addIssue({
        code: 'custom',
        path: ['paper', 'timeframeMs'],
        message: `expected a multiple of paper.baseTimeframeMs, which is ${formatSpan(config.paper.baseTimeframeMs)}`,
      });
    }
  });

type DeepReadonly<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;

export type Config = DeepReadonly<z.output<typeof configSchema>>;
/** One entry of `paper.strategies`. */
export type StrategyEntry = Config['paper']['strategies'][number];

/** The defaults alone. */
export function defaultConfig(): Config {
  return configSchema.parse({});
}
