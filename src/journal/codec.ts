// Bytes of a journal row: sequence, tape offset, kind, body. Written by hand, one function a shape: an order costs half a dozen rows,
// and a backtest places a hundred thousand orders a second.
import type { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { ZERO_QUANTITY, type Amount, type Price, type Quantity } from '../domain/decimal.ts';
import type {
  CrossingMade,
  DecisionTaken,
  Entry,
  EntryKind,
  JournalRow,
  OpinionNote,
  PoolNote,
  PoolOutcome,
  RulingNote,
  RunEnded,
  RunOutcome,
  SleeveChange,
} from '../domain/entry.ts';
import { assert, BallastError, unreachable } from '../domain/errors.ts';
import type {
  AccountReport,
  FeedReport,
  Fill,
  FundingReport,
  LetterArrived,
  LiquidationReport,
  OperatorCommand,
  OperatorSpoke,
  OrderReport,
} from '../domain/event.ts';
import type { Abstention, Forecast, Opinion, Protection } from '../domain/opinion.ts';
import {
  EXECUTION_ALGORITHMS,
  type AmendIntent,
  type CancelIntent,
  type ExecutionAlgorithm,
  type OrderIntent,
  type OrderRole,
  type OrderType,
  type Share,
  type TicketAlgorithm,
} from '../domain/order.ts';

/** Of the rows and of the tables that hold them. It rises with any change to either, and a file of a later version is refused whole. */
export const FORMAT_VERSION = 9;
/** Since this one there were only additions: what it wrote is read as it was meant, and gone on with in the format of today. */
export const OLDEST_READABLE_VERSION = 8;

/** The byte that stands for a kind. A number is never given to another kind. */
export const KIND_BYTES = {
  'order.accepted': 1,
  'order.rejected': 2,
  'order.cancelled': 3,
  'order.expired': 4,
  'order.filled': 5,
  'funding.paid': 6,
  'feed.lost': 7,
  'feed.restored': 8,
  'operator.spoke': 9,
  'opinion.formed': 10,
  'mind.failed': 11,
  'order.amended': 12,
  'position.liquidated': 13,
  'order.repriced': 14,
  'account.reported': 15,
  'decision.taken': 32,
  'order.intended': 33,
  'cancel.intended': 34,
  'order.refused': 35,
  'crossing.made': 36,
  'halt.latched': 37,
  'halt.released': 38,
  'pause.began': 39,
  'pause.ended': 40,
  'day.started': 41,
  'alert.raised': 42,
  'sleeve.stopped': 43,
  'sleeve.rearmed': 44,
  'sleeve.closed': 45,
  'stop.moved': 46,
  'mind.suspended': 47,
  'run.ended': 48,
  'amend.intended': 49,
  'ticket.opened': 50,
  'ticket.closed': 51,
  'shares.changed': 52,
  'cash.transferred': 53,
} as const satisfies Record<EntryKind, number>;

const KIND = KIND_BYTES;
const ORDER_TYPES: readonly OrderType[] = ['market', 'limit', 'post-only', 'stop', 'take-profit', 'trailing'];
const ORDER_ROLES: readonly OrderRole[] = ['target', 'stop', 'disaster'];
const COMMANDS: readonly OperatorCommand[] = ['halt', 'resume', 'flatten', 'close'];
const OUTCOMES: readonly PoolOutcome[] = ['single', 'pooled', 'all-abstained', 'no-consensus', 'expired', 'held', 'cooldown'];

const ALGORITHMS: readonly ExecutionAlgorithm[] = EXECUTION_ALGORITHMS;
const RUN_OUTCOMES: readonly RunOutcome[] = ['ended', 'until', 'stopped'];

const NO_POOL = 255;
/** Where the mark of a fill stands: no fill, and money that was counted. */
const HAS_MONEY = 5;
const IS_SELL = 1;
const IS_REDUCE_ONLY = 64;
const IS_WHOLE_POSITION = 128;
const HAS_LIMIT = 1;
const HAS_STOP = 2;
const HAS_TRAIL_BY = 4;
const HAS_PAIR = 8;
const IS_IOC = 16;
const IS_FOK = 32;
const HAS_BUDGET = 64;
const HAS_POSITION_SIDE = 128;
const HAS_EXPECTED_RETURN = 1;
const HAS_HORIZON = 2;
const HAS_PROTECTION = 4;
const HAS_LEGS = 8;
const HAS_STOP_RATIO = 1;
const HAS_TARGET_RATIO = 2;
const HAS_TRAIL = 4;
const HAS_TRAIL_RATIO = 8;

/** Appends one row. */
export function encodeRow(out: ByteWriter, entry: Entry, sequence: number, tapeOffset: number): void {
  whole(out, sequence);
  whole(out, tapeOffset);
  encodeEntry(out, entry);
}

/** Reads one row. @throws BallastError ROW_MALFORMED, BYTES_TRUNCATED */
export function decodeRow(from: ByteReader): JournalRow {
  const sequence = from.count();
  const tapeOffset = from.count();
  return { sequence, tapeOffset, entry: decodeEntry(from) };
}

function encodeEntry(out: ByteWriter, entry: Entry): void {
  // The most frequent first: an order's life, then decisions.
  switch (entry.kind) {
    case 'order.filled':
      return encodeOrderReport(out, KIND['order.filled'], entry);
    case 'order.accepted':
      return encodeOrderReport(out, KIND['order.accepted'], entry);
    case 'order.intended':
      out.byte(KIND['order.intended']);
      out.number(entry.at);
      encodeIntent(out, entry.intent);
      out.number(entry.costRatio);
      return out.byte(ALGORITHMS.indexOf(entry.algorithm));
    case 'decision.taken':
      return encodeDecision(out, entry);
    case 'order.cancelled':
      return encodeOrderReport(out, KIND['order.cancelled'], entry);
    case 'order.amended':
      out.byte(KIND['order.amended']);
      out.number(entry.at);
      out.number(entry.happenedAt);
      whole(out, entry.instrument);
      out.text(entry.order);
      out.decimal(entry.asked);
      out.decimal(entry.stopPrice);
      return out.text(entry.reason);
    case 'order.repriced':
      out.byte(KIND['order.repriced']);
      out.number(entry.at);
      out.number(entry.happenedAt);
      whole(out, entry.instrument);
      out.text(entry.order);
      out.decimal(entry.limitPrice);
      out.decimal(entry.quantity);
      return out.text(entry.reason);
    case 'amend.intended':
      out.byte(KIND['amend.intended']);
      out.number(entry.at);
      out.number(entry.intent.at);
      whole(out, entry.intent.instrument);
      out.text(entry.intent.order);
      return out.decimal(entry.intent.stopPrice);
    case 'cancel.intended':
      out.byte(KIND['cancel.intended']);
      out.number(entry.at);
      return encodeCancel(out, entry.intent);
    case 'stop.moved':
      out.byte(KIND['stop.moved']);
      out.number(entry.at);
      whole(out, entry.sleeve);
      return out.number(entry.stopPrice);
    case 'ticket.opened':
      out.byte(KIND['ticket.opened']);
      out.number(entry.at);
      whole(out, entry.instrument);
      out.byte(ALGORITHMS.indexOf(entry.algorithm));
      out.flag(entry.side === 'sell');
      out.decimal(entry.quantity);
      return out.number(entry.arrivalPrice);
    case 'ticket.closed':
      return encodeIndexed(out, KIND['ticket.closed'], entry.at, entry.instrument, entry.because);
    case 'shares.changed':
      out.byte(KIND['shares.changed']);
      out.number(entry.at);
      encodeNumbers(out, entry.shares);
      return out.text(entry.because);
    case 'cash.transferred':
      out.byte(KIND['cash.transferred']);
      out.number(entry.at);
      out.decimal(entry.amount);
      return out.number(entry.equity);
    case 'order.refused':
      out.byte(KIND['order.refused']);
      out.number(entry.at);
      out.text(entry.order);
      whole(out, entry.instrument);
      out.text(entry.rule);
      return out.text(entry.why);
    case 'crossing.made':
      return encodeCrossing(out, entry);
    case 'order.rejected':
      return encodeOrderReport(out, KIND['order.rejected'], entry);
    case 'order.expired':
      return encodeOrderReport(out, KIND['order.expired'], entry);
    case 'funding.paid':
      return encodeFunding(out, entry);
    case 'position.liquidated':
      return encodeLiquidation(out, entry);
    case 'account.reported':
      return encodeAccount(out, entry);
    case 'opinion.formed':
      return encodeLetter(out, entry);
    case 'feed.lost':
      return encodeFeed(out, KIND['feed.lost'], entry);
    case 'feed.restored':
      return encodeFeed(out, KIND['feed.restored'], entry);
    case 'operator.spoke':
      return encodeOperator(out, entry);
    case 'mind.failed':
      return encodeIndexed(out, KIND['mind.failed'], entry.at, entry.source, entry.because);
    case 'mind.suspended':
      return encodeIndexed(out, KIND['mind.suspended'], entry.at, entry.source, entry.because);
    case 'sleeve.stopped':
      return encodeIndexed(out, KIND['sleeve.stopped'], entry.at, entry.sleeve, entry.because);
    case 'sleeve.closed':
      return encodeIndexed(out, KIND['sleeve.closed'], entry.at, entry.sleeve, entry.because);
    case 'sleeve.rearmed':
      out.byte(KIND['sleeve.rearmed']);
      out.number(entry.at);
      return whole(out, entry.sleeve);
    case 'halt.latched':
      out.byte(KIND['halt.latched']);
      out.number(entry.at);
      return out.text(entry.cause);
    case 'halt.released':
      out.byte(KIND['halt.released']);
      out.number(entry.at);
      return out.text(entry.by);
    case 'pause.began':
      out.byte(KIND['pause.began']);
      out.number(entry.at);
      out.number(entry.until);
      return out.text(entry.cause);
    case 'pause.ended':
      out.byte(KIND['pause.ended']);
      return out.number(entry.at);
    case 'day.started':
      out.byte(KIND['day.started']);
      out.number(entry.at);
      return out.number(entry.equity);
    case 'alert.raised':
      out.byte(KIND['alert.raised']);
      out.number(entry.at);
      out.text(entry.rule);
      return out.text(entry.why);
    case 'run.ended':
      return encodeEnd(out, entry);
    default:
      return unreachable(entry);
  }
}

function decodeEntry(from: ByteReader): Entry {
  const kind = from.byte();
  switch (kind) {
    case KIND['order.accepted']:
      return decodeOrderReport(from, 'order.accepted');
    case KIND['order.rejected']:
      return decodeOrderReport(from, 'order.rejected');
    case KIND['order.cancelled']:
      return decodeOrderReport(from, 'order.cancelled');
    case KIND['order.expired']:
      return decodeOrderReport(from, 'order.expired');
    case KIND['order.filled']:
      return decodeOrderReport(from, 'order.filled');
    case KIND['order.amended']:
      return {
        kind: 'order.amended',
        at: from.number(),
        happenedAt: from.number(),
        instrument: from.count(),
        order: from.text(),
        asked: from.decimal<Price>(),
        stopPrice: from.decimal<Price>(),
        reason: from.text(),
      };
    case KIND['funding.paid']:
      return decodeFunding(from);
    case KIND['order.repriced']:
      return {
        kind: 'order.repriced',
        at: from.number(),
        happenedAt: from.number(),
        instrument: from.count(),
        order: from.text(),
        limitPrice: from.decimal<Price>(),
        quantity: from.decimal<Quantity>(),
        reason: from.text(),
      };
    case KIND['position.liquidated']:
      return decodeLiquidation(from);
    case KIND['account.reported']:
      return decodeAccount(from);
    case KIND['feed.lost']:
      return decodeFeed(from, 'feed.lost');
    case KIND['feed.restored']:
      return decodeFeed(from, 'feed.restored');
    case KIND['operator.spoke']:
      return decodeOperator(from);
    case KIND['opinion.formed']:
      return decodeLetter(from);
    case KIND['mind.failed']:
      return { kind: 'mind.failed', at: from.number(), source: from.count(), because: from.text() };
    case KIND['decision.taken']:
      return decodeDecision(from);
    case KIND['order.intended']:
      return {
        kind: 'order.intended',
        at: from.number(),
        intent: decodeIntent(from),
        costRatio: from.number(),
        algorithm: choice(from, ALGORITHMS, from.byte()),
      };
    case KIND['amend.intended']:
      return { kind: 'amend.intended', at: from.number(), intent: decodeAmend(from) };
    case KIND['cancel.intended']:
      return { kind: 'cancel.intended', at: from.number(), intent: decodeCancel(from) };
    case KIND['order.refused']:
      return {
        kind: 'order.refused',
        at: from.number(),
        order: from.text(),
        instrument: from.count(),
        rule: from.text(),
        why: from.text(),
      };
    case KIND['crossing.made']:
      return {
        kind: 'crossing.made',
        at: from.number(),
        instrument: from.count(),
        price: from.decimal<Price>(),
        parts: decodeShares(from),
      };
    case KIND['halt.latched']:
      return { kind: 'halt.latched', at: from.number(), cause: from.text() };
    case KIND['halt.released']:
      return { kind: 'halt.released', at: from.number(), by: from.text() };
    case KIND['pause.began']:
      return { kind: 'pause.began', at: from.number(), until: from.number(), cause: from.text() };
    case KIND['pause.ended']:
      return { kind: 'pause.ended', at: from.number() };
    case KIND['day.started']:
      return { kind: 'day.started', at: from.number(), equity: from.number() };
    case KIND['alert.raised']:
      return { kind: 'alert.raised', at: from.number(), rule: from.text(), why: from.text() };
    case KIND['sleeve.stopped']:
      return { kind: 'sleeve.stopped', at: from.number(), sleeve: from.count(), because: from.text() };
    case KIND['sleeve.rearmed']:
      return { kind: 'sleeve.rearmed', at: from.number(), sleeve: from.count() };
    case KIND['sleeve.closed']:
      return { kind: 'sleeve.closed', at: from.number(), sleeve: from.count(), because: from.text() };
    case KIND['stop.moved']:
      return { kind: 'stop.moved', at: from.number(), sleeve: from.count(), stopPrice: from.number() };
    case KIND['ticket.opened']:
      return {
        kind: 'ticket.opened',
        at: from.number(),
        instrument: from.count(),
        algorithm: decodeAlgorithm(from),
        side: from.flag() ? 'sell' : 'buy',
        quantity: from.decimal<Quantity>(),
        arrivalPrice: from.number(),
      };
    case KIND['ticket.closed']:
      return { kind: 'ticket.closed', at: from.number(), instrument: from.count(), because: from.text() };
    case KIND['shares.changed']:
      return { kind: 'shares.changed', at: from.number(), shares: decodeNumbers(from), because: from.text() };
    case KIND['cash.transferred']:
      return { kind: 'cash.transferred', at: from.number(), amount: from.decimal<Amount>(), equity: from.number() };
    case KIND['mind.suspended']:
      return { kind: 'mind.suspended', at: from.number(), source: from.count(), because: from.text() };
    case KIND['run.ended']:
      return {
        kind: 'run.ended',
        at: from.number(),
        cause: decodeRunOutcome(from),
        stateHash: from.text(),
        equity: from.number(),
        cash: from.decimal<Amount>(),
      };
    default:
      return malformed(from, `kind ${kind}`, 'a kind of docs/reference/events.md');
  }
}

function decodeAlgorithm(from: ByteReader): TicketAlgorithm {
  const place = from.byte();
  const algorithm = choice(from, ALGORITHMS, place);
  return algorithm === 'market' ? malformed(from, `choice ${place}`, 'an algorithm that works on a ticket') : algorithm;
}

function encodeOrderReport(out: ByteWriter, kind: number, report: OrderReport): void {
  out.byte(kind);
  out.number(report.at);
  out.number(report.happenedAt);
  whole(out, report.instrument);
  out.text(report.order);
  out.text(report.reason);
  encodeFill(out, report.fill);
}

function encodeFill(out: ByteWriter, fill: Fill | undefined): void {
  if (fill === undefined) return out.byte(0);
  const { feeCoin } = fill;
  out.byte((fill.liquidity === 'maker' ? 1 : 2) + (feeCoin === undefined ? 0 : 2));
  out.text(fill.id);
  out.decimal(fill.price);
  out.decimal(fill.quantity);
  out.decimal(fill.fee);
  if (feeCoin === undefined) return;
  out.text(feeCoin.currency);
  out.decimal(feeCoin.quantity);
}

function decodeOrderReport(from: ByteReader, kind: OrderReport['kind']): OrderReport {
  return {
    kind,
    at: from.number(),
    happenedAt: from.number(),
    instrument: from.count(),
    order: from.text(),
    reason: from.text(),
    fill: decodeFill(from),
  };
}

function decodeFill(from: ByteReader, mark = from.byte()): Fill | undefined {
  if (mark === 0) return undefined;
  if (mark > 4) return malformed(from, `fill mark ${mark}`, '0 (none), 1 (maker), 2 (taker), 3 or 4 (the same, with a fee coin)');
  return {
    id: from.text(),
    price: from.decimal<Price>(),
    quantity: from.decimal<Quantity>(),
    fee: from.decimal<Amount>(),
    liquidity: mark % 2 === 1 ? 'maker' : 'taker',
    ...(mark > 2 ? { feeCoin: { currency: from.text(), quantity: from.decimal<Quantity>() } } : undefined),
  };
}

function encodeFunding(out: ByteWriter, report: FundingReport): void {
  out.byte(KIND['funding.paid']);
  out.number(report.at);
  out.number(report.happenedAt);
  whole(out, report.instrument);
  out.decimal(report.amount);
  out.number(report.rate);
}

function decodeFunding(from: ByteReader): FundingReport {
  return {
    kind: 'funding.paid',
    at: from.number(),
    happenedAt: from.number(),
    instrument: from.count(),
    amount: from.decimal<Amount>(),
    rate: from.number(),
  };
}

function encodeLiquidation(out: ByteWriter, report: LiquidationReport): void {
  out.byte(KIND['position.liquidated']);
  out.number(report.at);
  out.number(report.happenedAt);
  whole(out, report.instrument);
  out.flag(report.side === 'sell');
  encodeFill(out, report.fill);
  out.decimal(report.insurance);
  out.decimal(report.deleveraged);
}

function decodeLiquidation(from: ByteReader): LiquidationReport {
  return {
    kind: 'position.liquidated',
    at: from.number(),
    happenedAt: from.number(),
    instrument: from.count(),
    side: from.flag() ? 'sell' : 'buy',
    fill: decodeFill(from) ?? malformed(from, 'no fill', 'the fill that closed the position'),
    insurance: from.decimal<Amount>(),
    deleveraged: from.decimal<Amount>(),
  };
}

function encodeAccount(out: ByteWriter, report: AccountReport): void {
  out.byte(KIND['account.reported']);
  out.number(report.at);
  out.number(report.happenedAt);
  // -1 is the account as a whole.
  whole(out, report.instrument + 1);
  out.flag(report.side === 'sell');
  if (report.money === undefined) encodeFill(out, report.fill);
  else {
    assert(report.fill === undefined, 'a report of money has no fill');
    out.byte(HAS_MONEY);
    out.decimal(report.money);
  }
  out.text(report.reason);
}

function decodeAccount(from: ByteReader): AccountReport {
  const at = from.number();
  const happenedAt = from.number();
  const instrument = from.count() - 1;
  const side = from.flag() ? 'sell' : 'buy';
  const mark = from.byte();
  const found = mark === HAS_MONEY ? { fill: undefined, money: from.decimal<Amount>() } : { fill: decodeFill(from, mark) };
  return { kind: 'account.reported', at, happenedAt, instrument, side, ...found, reason: from.text() };
}

function encodeFeed(out: ByteWriter, kind: number, report: FeedReport): void {
  out.byte(kind);
  out.number(report.at);
  out.number(report.happenedAt);
  // -1 is every instrument.
  whole(out, report.instrument + 1);
  out.text(report.reason);
}

function decodeFeed(from: ByteReader, kind: FeedReport['kind']): FeedReport {
  return { kind, at: from.number(), happenedAt: from.number(), instrument: from.count() - 1, reason: from.text() };
}

function encodeOperator(out: ByteWriter, spoke: OperatorSpoke): void {
  out.byte(KIND['operator.spoke']);
  out.number(spoke.at);
  out.number(spoke.happenedAt);
  out.byte(COMMANDS.indexOf(spoke.command));
  out.text(spoke.argument);
  out.text(spoke.by);
}

function decodeOperator(from: ByteReader): OperatorSpoke {
  return {
    kind: 'operator.spoke',
    at: from.number(),
    happenedAt: from.number(),
    command: choice(from, COMMANDS, from.byte()),
    argument: from.text(),
    by: from.text(),
  };
}

function encodeLetter(out: ByteWriter, letter: LetterArrived): void {
  out.byte(KIND['opinion.formed']);
  out.number(letter.at);
  out.number(letter.happenedAt);
  whole(out, letter.source);
  encodeOpinion(out, letter.opinion);
}

function decodeLetter(from: ByteReader): LetterArrived {
  return { kind: 'opinion.formed', at: from.number(), happenedAt: from.number(), source: from.count(), opinion: decodeOpinion(from) };
}

function encodeOpinion(out: ByteWriter, opinion: Opinion): void {
  if (opinion.kind === 'abstention') {
    out.flag(false);
    return out.text(opinion.because);
  }
  const { expectedReturn, horizonMs, protection, legs } = opinion;
  out.flag(true);
  out.number(opinion.stance);
  out.number(opinion.confidence);
  out.byte(
    (expectedReturn === undefined ? 0 : HAS_EXPECTED_RETURN) |
      (horizonMs === undefined ? 0 : HAS_HORIZON) |
      (protection === undefined ? 0 : HAS_PROTECTION) |
      (legs === undefined ? 0 : HAS_LEGS),
  );
  if (expectedReturn !== undefined) out.number(expectedReturn);
  if (horizonMs !== undefined) out.number(horizonMs);
  if (protection !== undefined) encodeProtection(out, protection);
  if (legs !== undefined) encodeNumbers(out, legs);
}

function decodeOpinion(from: ByteReader): Opinion {
  if (!from.flag()) return { kind: 'abstention', because: from.text() } satisfies Abstention;
  const stance = from.number();
  const confidence = from.number();
  const has = from.byte();
  // An absent field is absent, not undefined: what is read equals what was written.
  return {
    kind: 'forecast',
    stance,
    confidence,
    ...((has & HAS_EXPECTED_RETURN) === 0 ? undefined : { expectedReturn: from.number() }),
    ...((has & HAS_HORIZON) === 0 ? undefined : { horizonMs: from.number() }),
    ...((has & HAS_PROTECTION) === 0 ? undefined : { protection: decodeProtection(from) }),
    ...((has & HAS_LEGS) === 0 ? undefined : { legs: decodeNumbers(from) }),
  } satisfies Forecast;
}

function encodeProtection(out: ByteWriter, protection: Protection): void {
  const { stopRatio, targetRatio, trailR, trailRatio } = protection;
  out.byte(
    (stopRatio === undefined ? 0 : HAS_STOP_RATIO) |
      (targetRatio === undefined ? 0 : HAS_TARGET_RATIO) |
      (trailR === undefined ? 0 : HAS_TRAIL) |
      (trailRatio === undefined ? 0 : HAS_TRAIL_RATIO),
  );
  if (stopRatio !== undefined) out.number(stopRatio);
  if (targetRatio !== undefined) out.number(targetRatio);
  if (trailR !== undefined) out.number(trailR);
  if (trailRatio !== undefined) out.number(trailRatio);
}

function decodeProtection(from: ByteReader): Protection {
  const has = from.byte();
  return {
    ...((has & HAS_STOP_RATIO) === 0 ? undefined : { stopRatio: from.number() }),
    ...((has & HAS_TARGET_RATIO) === 0 ? undefined : { targetRatio: from.number() }),
    ...((has & HAS_TRAIL) === 0 ? undefined : { trailR: from.number() }),
    ...((has & HAS_TRAIL_RATIO) === 0 ? undefined : { trailRatio: from.number() }),
  };
}

function encodeDecision(out: ByteWriter, decision: DecisionTaken): void {
  out.byte(KIND['decision.taken']);
  out.number(decision.at);
  whole(out, decision.id);
  out.number(decision.equity);
  out.count(decision.changes.length);
  // Loops over places: a row is written a hundred times while an iterator is made ready for it.
  for (let index = 0; index < decision.changes.length; index++) encodeChange(out, decision.changes[index] as SleeveChange);
  out.count(decision.rulings.length);
  for (let index = 0; index < decision.rulings.length; index++) encodeRuling(out, decision.rulings[index] as RulingNote);
}

function decodeDecision(from: ByteReader): DecisionTaken {
  return {
    kind: 'decision.taken',
    at: from.number(),
    id: from.count(),
    equity: from.number(),
    changes: decodeList(from, decodeChange),
    rulings: decodeList(from, decodeRuling),
  };
}

function encodeChange(out: ByteWriter, change: SleeveChange): void {
  whole(out, change.sleeve);
  out.number(change.stanceBefore);
  out.number(change.stance);
  const { quantities, opinions } = change;
  out.count(quantities.length);
  for (let leg = 0; leg < quantities.length; leg++) out.decimal(quantities[leg] ?? ZERO_QUANTITY);
  out.count(opinions.length);
  for (let index = 0; index < opinions.length; index++) {
    const opinion = opinions[index] as OpinionNote;
    whole(out, opinion.source);
    out.number(opinion.stance);
    out.number(opinion.confidence);
    out.flag(opinion.abstained);
    out.number(opinion.zScore);
    out.text(opinion.because);
  }
  const { pool } = change;
  out.byte(pool === undefined ? NO_POOL : OUTCOMES.indexOf(pool.outcome));
  if (pool === undefined) return;
  whole(out, pool.voices);
  whole(out, pool.agreeing);
  out.number(pool.agreement);
}

function decodeChange(from: ByteReader): SleeveChange {
  return {
    sleeve: from.count(),
    stanceBefore: from.number(),
    stance: from.number(),
    quantities: decodeList(from, decodeQuantity),
    opinions: decodeList(from, decodeNote),
    pool: decodePool(from),
  };
}

function decodePool(from: ByteReader): PoolNote | undefined {
  const index = from.byte();
  if (index === NO_POOL) return undefined;
  return { outcome: choice(from, OUTCOMES, index), voices: from.count(), agreeing: from.count(), agreement: from.number() };
}

function decodeNote(from: ByteReader): OpinionNote {
  return {
    source: from.count(),
    stance: from.number(),
    confidence: from.number(),
    abstained: from.flag(),
    zScore: from.number(),
    because: from.text(),
  };
}

function encodeRuling(out: ByteWriter, ruling: RulingNote): void {
  out.flag(ruling.kind === 'halt');
  out.text(ruling.rule);
  out.text(ruling.why);
  encodeNumbers(out, ruling.scales);
}

function decodeRuling(from: ByteReader): RulingNote {
  const kind = from.flag() ? 'halt' : 'clamp';
  return { rule: from.text(), kind, why: from.text(), scales: decodeNumbers(from) };
}

function encodeIntent(out: ByteWriter, intent: OrderIntent): void {
  const { limitPrice, stopPrice, trailBy, pairedWith, timeInForce, budget, positionSide } = intent;
  out.text(intent.id);
  out.number(intent.at);
  whole(out, intent.instrument);
  out.byte(
    (intent.side === 'sell' ? IS_SELL : 0) |
      (ORDER_TYPES.indexOf(intent.type) << 1) |
      (ORDER_ROLES.indexOf(intent.role) << 4) |
      (intent.reduceOnly ? IS_REDUCE_ONLY : 0) |
      (intent.wholePosition ? IS_WHOLE_POSITION : 0),
  );
  out.byte(
    (limitPrice === undefined ? 0 : HAS_LIMIT) |
      (stopPrice === undefined ? 0 : HAS_STOP) |
      (trailBy === undefined ? 0 : HAS_TRAIL_BY) |
      (pairedWith === undefined ? 0 : HAS_PAIR) |
      (timeInForce === 'ioc' ? IS_IOC : timeInForce === 'fok' ? IS_FOK : 0) |
      (budget === undefined ? 0 : HAS_BUDGET) |
      (positionSide === undefined ? 0 : HAS_POSITION_SIDE),
  );
  out.decimal(intent.quantity);
  if (limitPrice !== undefined) out.decimal(limitPrice);
  if (stopPrice !== undefined) out.decimal(stopPrice);
  if (trailBy !== undefined) out.decimal(trailBy);
  if (pairedWith !== undefined) out.text(pairedWith);
  if (budget !== undefined) out.decimal(budget);
  if (positionSide !== undefined) out.flag(positionSide === 'short');
  encodeShares(out, intent.shares);
  const { attached } = intent;
  out.count(attached.length);
  for (let index = 0; index < attached.length; index++) encodeIntent(out, attached[index] as OrderIntent);
}

function decodeIntent(from: ByteReader): OrderIntent {
  const id = from.text();
  const at = from.number();
  const instrument = from.count();
  const how = from.byte();
  const has = from.byte();
  return {
    id,
    at,
    instrument,
    side: (how & IS_SELL) === 0 ? 'buy' : 'sell',
    type: choice(from, ORDER_TYPES, (how >> 1) & 7),
    role: choice(from, ORDER_ROLES, (how >> 4) & 3),
    quantity: from.decimal<Quantity>(),
    limitPrice: (has & HAS_LIMIT) === 0 ? undefined : from.decimal<Price>(),
    stopPrice: (has & HAS_STOP) === 0 ? undefined : from.decimal<Price>(),
    ...((has & HAS_TRAIL_BY) === 0 ? undefined : { trailBy: from.decimal<Price>() }),
    ...((has & HAS_PAIR) === 0 ? undefined : { pairedWith: from.text() }),
    ...((has & HAS_BUDGET) === 0 ? undefined : { budget: from.decimal<Amount>() }),
    ...((has & HAS_POSITION_SIDE) === 0 ? undefined : { positionSide: from.flag() ? ('short' as const) : ('long' as const) }),
    ...((has & (IS_IOC | IS_FOK)) === 0 ? undefined : { timeInForce: (has & IS_IOC) === 0 ? ('fok' as const) : ('ioc' as const) }),
    reduceOnly: (how & IS_REDUCE_ONLY) !== 0,
    wholePosition: (how & IS_WHOLE_POSITION) !== 0,
    shares: decodeShares(from),
    attached: decodeList(from, decodeIntent),
  };
}

function encodeCancel(out: ByteWriter, intent: CancelIntent): void {
  out.number(intent.at);
  whole(out, intent.instrument);
  out.text(intent.order);
}

function decodeCancel(from: ByteReader): CancelIntent {
  return { at: from.number(), instrument: from.count(), order: from.text() };
}

function decodeAmend(from: ByteReader): AmendIntent {
  return { at: from.number(), instrument: from.count(), order: from.text(), stopPrice: from.decimal<Price>() };
}

function encodeCrossing(out: ByteWriter, crossing: CrossingMade): void {
  out.byte(KIND['crossing.made']);
  out.number(crossing.at);
  whole(out, crossing.instrument);
  out.decimal(crossing.price);
  encodeShares(out, crossing.parts);
}

function decodeRunOutcome(from: ByteReader): RunOutcome {
  const text = from.text();
  return choice(from, RUN_OUTCOMES, RUN_OUTCOMES.indexOf(text as RunOutcome));
}

function encodeEnd(out: ByteWriter, end: RunEnded): void {
  out.byte(KIND['run.ended']);
  out.number(end.at);
  out.text(end.cause);
  out.text(end.stateHash);
  out.number(end.equity);
  out.decimal(end.cash);
}

/** Four kinds are a time, an index and a reason. */
function encodeIndexed(out: ByteWriter, kind: number, at: number, index: number, because: string): void {
  out.byte(kind);
  out.number(at);
  whole(out, index);
  out.text(because);
}

function encodeShares(out: ByteWriter, shares: readonly Share[]): void {
  out.count(shares.length);
  for (let index = 0; index < shares.length; index++) {
    const share = shares[index] as Share;
    whole(out, share.sleeve);
    whole(out, share.leg);
    out.decimal(share.quantity);
  }
}

function decodeShares(from: ByteReader): readonly Share[] {
  return decodeList(from, decodeShare);
}

function decodeShare(from: ByteReader): Share {
  return { sleeve: from.count(), leg: from.count(), quantity: from.decimal<Quantity>() };
}

function decodeQuantity(from: ByteReader): Quantity {
  return from.decimal<Quantity>();
}

function encodeNumbers(out: ByteWriter, values: readonly number[]): void {
  out.count(values.length);
  for (let index = 0; index < values.length; index++) out.number(values[index] as number);
}

function decodeNumbers(from: ByteReader): readonly number[] {
  return decodeList(from, (reader) => reader.number());
}

/** Every element takes at least a byte, so a count that was damaged runs into the end of the bytes and not out of memory. */
function decodeList<T>(from: ByteReader, decode: (from: ByteReader) => T): T[] {
  const length = from.count();
  const list: T[] = [];
  for (let index = 0; index < length; index++) list.push(decode(from));
  return list;
}

/** An index or a count. A negative one would be read back as something else. */
function whole(out: ByteWriter, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'an index in the journal is a whole number from 0');
  out.count(value);
}

function choice<T>(from: ByteReader, values: readonly T[], index: number): T {
  return values[index] ?? malformed(from, `choice ${index}`, `one of ${values.join(', ')}`);
}

function malformed(from: ByteReader, found: string, expected: string): never {
  throw new BallastError({ code: 'ROW_MALFORMED', place: `byte ${from.offset}`, found, expected, remedy: 'the row is damaged' });
}
