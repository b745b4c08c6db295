// What the HTTP server of a session answers, as schemas: the page, the command line and docs/reference/http.md know it from here.
import { z } from 'zod';

/** JSON has no NaN: an estimate that is not known is null. */
const estimate = z.number().nullable();
const time = z.string().meta({ description: 'ISO-8601, UTC' });
const timeMs = z.int().meta({ description: 'integer milliseconds since 1970, UTC' });
const decimal = z.string().meta({ description: 'an exact number, as a decimal text' });

export const positionSchema = z
  .strictObject({
    sleeve: z.string().meta({ description: 'whose position it is' }),
    symbol: z.string(),
    quantity: decimal.meta({ description: 'exact, negative for short' }),
    entryPrice: estimate,
    mark: estimate.meta({ description: 'last known price' }),
    unrealisedPnl: estimate,
    stopPrice: estimate.meta({ description: 'null for a pair, whose stop is on the spread' }),
    stopRestsAt: z.enum(['venue', 'engine']).meta({ description: 'who acts on the stop' }),
  })
  .readonly();

const stageTimes = z.strictObject({ lastMs: estimate, p50Ms: estimate, p99Ms: estimate, maxMs: estimate }).readonly();

const latency = z
  .strictObject({
    level: z.enum(['kept', 'slow', 'halted']).meta({ description: 'of the latest: within live.latency.alertMs, over it, over haltMs' }),
    orders: z.int().meta({ description: 'measured so far' }),
    refused: z.int().meta({ description: 'entries that did not leave because the book they answered was too old' }),
    lastMs: estimate,
    firstMs: estimate.meta({ description: 'of the first order of this process' }),
    p50Ms: estimate.meta({ description: 'of the latest few thousand orders, the commit included' }),
    p99Ms: estimate,
    commitP50Ms: estimate.meta({ description: 'the durable commit of the intent alone' }),
    commitP99Ms: estimate,
    stages: z
      .strictObject({
        wait: stageTimes.meta({ description: "from the frame's text until the loop took the book" }),
        decide: stageTimes.meta({ description: 'until what was decided was to be committed' }),
        commit: stageTimes.meta({ description: 'the durable commit' }),
        turn: stageTimes.meta({ description: "until the venue's allowance of requests gave it its turn" }),
        write: stageTimes.meta({ description: 'until the system had taken the last byte' }),
      })
      .readonly()
      .meta({ description: 'of orders because of a book' }),
    bookEventsWaiting: z.int().meta({ description: 'for the loop: two for each instrument at most' }),
  })
  .readonly();

export const runStatusSchema = z
  .strictObject({
    runId: z.string(),
    state: z.enum(['warming-up', 'running', 'halted', 'paused', 'stopping', 'ended']),
    haltCause: z.string().meta({ description: 'empty unless halted' }),
    at: time.meta({ description: 'market time, ISO-8601 UTC' }),
    atMs: timeMs.meta({ description: 'market time' }),
    startedAtMs: timeMs.meta({ description: 'when this process started the session, wall time' }),
    symbols: z.array(z.string()).readonly(),
    strategies: z.array(z.string()).readonly(),
    capital: decimal.meta({ description: 'cash at the start, exact' }),
    transferred: decimal.meta({ description: 'of the run’s own money, what came back less what left the account, exact; no profit' }),
    basisEquity: estimate.meta({ description: 'what equity is measured against: the capital, moved in proportion with each transfer' }),
    equity: estimate,
    cash: decimal.meta({ description: 'exact' }),
    peakEquity: estimate,
    drawdownRatio: estimate.meta({ description: 'of the peak, 0..1' }),
    dayLossRatio: estimate.meta({ description: 'lost since the start of the UTC day, 0..1' }),
    feesPaid: decimal.meta({ description: 'exact' }),
    fundingPaid: decimal.meta({ description: 'exact; negative was paid by us' }),
    closedTrades: z.int(),
    winningTrades: z.int(),
    stopOuts: z.int(),
    rulings: z
      .record(z.string(), z.int())
      .readonly()
      .meta({ description: 'by rule of either gate: how often it clamped, refused or halted' }),
    alerts: z
      .array(z.strictObject({ at: time, rule: z.string(), why: z.string() }).readonly())
      .readonly()
      .meta({ description: 'the latest, newest last' }),
    positions: z.array(positionSchema).readonly(),
    openOrders: z.int(),
    events: z.int().meta({ description: 'handled so far' }),
    eventsPerSecond: estimate.meta({ description: 'wall time' }),
    loopLagMs: z.int().meta({ description: 'the longest hold-up of the process in the last minute or two, wall time' }),
    latency: latency.nullable().meta({ description: 'of a live session, from a frame to the order on the wire, wall time' }),
    staleSymbols: z.array(z.string()).readonly().meta({ description: 'without fresh prices: nothing opens there' }),
    suspendedMinds: z.array(z.string()).readonly().meta({ description: 'silenced after failing too often' }),
    minutes: z
      .array(z.strictObject({ at: time, words: z.string() }).readonly())
      .readonly()
      .meta({ description: 'the words of the latest decisions, newest last' }),
    equityCurve: z
      .array(z.tuple([timeMs, estimate]).readonly())
      .readonly()
      .meta({ description: 'pairs of market time and equity, thinned' }),
    folder: z.string().meta({ description: 'of the run, on the machine of the session' }),
    pid: z.int(),
  })
  .readonly();

/** A session's status once it has been JSON: RunStatus fits it. */
export type StatusDocument = z.infer<typeof runStatusSchema>;

export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'starting']),
    runId: z.string().nullable().meta({ description: 'null while the session is starting' }),
    at: time.nullable().meta({ description: 'market time, ISO-8601 UTC; null while the session is starting' }),
  })
  .readonly();

export type HealthDocument = z.infer<typeof healthSchema>;

/** What a page may ask of a session; ending it belongs to whoever started the process. */
export const commandNames = ['halt', 'resume', 'flatten', 'close'] as const;
export type CommandName = (typeof commandNames)[number];

export const commandBodySchema = z
  .strictObject({ argument: z.string().max(1_000).optional().meta({ description: 'for `close`: the name of the sleeve' }) })
  .readonly();

export const commandAnswerSchema = z
  .strictObject({
    command: z.enum(commandNames),
    argument: z.string(),
    status: runStatusSchema.meta({ description: 'after the session has handled the command' }),
  })
  .readonly();

export type CommandAnswer = z.infer<typeof commandAnswerSchema>;

export const failureSchema = z
  .strictObject({
    error: z
      .strictObject({
        code: z.string().meta({ description: 'one of errors.md' }),
        place: z.string(),
        found: z.string(),
        expected: z.string(),
        remedy: z.string().nullable(),
      })
      .readonly(),
  })
  .readonly();

export type FailureDocument = z.infer<typeof failureSchema>;
