// The orders of a run at a venue of the world outside, as every adapter keeps them: by our id and by the venue's, from the intent to the last
// word, and asked about until it is proven what became of each. What a venue says, and how it is asked, is the adapter's; what follows is here:
// an end is reported once and after all of its fills, an absence is believed when it was witnessed late enough, and nothing is sent again that
// may stand.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { add, compare, format, isZero, ZERO_QUANTITY } from '../../domain/decimal.ts';
import { EndedOrders } from '../../domain/ended-orders.ts';
import { assert } from '../../domain/errors.ts';
import type { Fill, OrderAmended, OrderReport, OrderRepriced } from '../../domain/event.ts';
import type { OrderIntent } from '../../domain/order.ts';
import type { Timers } from '../../domain/ports.ts';
import { SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { copyOf, keptOrder, readKept, writeKept, type KeptOrder } from './kept-order.ts';
import { isEnded } from './order-progress.ts';
import type { ReportQueue } from './report-queue.ts';
import { PRIORITY, type Priority } from './turns.ts';

/** `absent`: the venue was asked everywhere, and has no such order. `unknown`: somewhere there was no answer. */
export type Whereabouts = 'found' | 'absent' | 'unknown';

export interface KeptOrdersParts {
  /** Of the run: its orders carry it. */
  readonly runId: string;
  readonly reports: ReportQueue;
  readonly timers: Timers;
  /** Of pauses. */
  readonly random: Random;
  /** Market time. */
  readonly now: () => TimeMs;
  readonly redact: (words: string) => string;
  readonly onNotice: (words: string) => void;
  /** A request that is older than this when it arrives is not carried out. */
  readonly recvWindowMs: number;
  /** How long what the venue has taken may be missing from what it says when it is asked. */
  readonly propagationMs: number;
  /** Commands leave, and answers are heard. */
  readonly isStarted: () => boolean;
  /** A venue's id, where it may be that of other orders in other markets. */
  readonly placeOf: (order: KeptOrder, venueId: string) => string;
  /** Asks the venue. */
  readonly find: (order: KeptOrder) => Promise<Whereabouts>;
  /** It is there: what is still to be done about it. */
  readonly onFound: (order: KeptOrder) => Promise<void>;
  /** It is not there, and for this order that has a meaning of its own. @returns whether that was all */
  readonly onAbsent: (order: KeptOrder) => boolean;
  /** Sends it again, under its own id. */
  readonly send: (order: KeptOrder) => void;
  readonly onEnded: (order: KeptOrder) => void;
  /** When an order is to be looked at has changed. */
  readonly onSchedule: () => void;
}

/** The bound of Bybit, of Binance, and nobody's is narrower that takes text. */
const LONGEST_LINK_ID = 36;
/** Two answers of "no such order", each asked late enough, prove that it never arrived. */
const WITNESSES = 2;
/** What protects or closes is sent again under its own id, so often; what opens is not: the price has moved on. */
const MOST_RESENDS = 3;
/** An entry that waits for its turn longer than this is stale. */
const MOST_WAIT_MS = 5 * SECOND_MS;

export class KeptOrders {
  readonly #parts: KeptOrdersParts;
  readonly #byId = new Map<string, KeptOrder>();
  readonly #byPlace = new Map<string, KeptOrder>();
  readonly #ended = new EndedOrders<KeptOrder>((order) => this.#forget(order));
  /** For whoever watches. */
  doubts = 0;
  notReceived = 0;
  resent = 0;

  constructor(parts: KeptOrdersParts) {
    assert(/^[A-Za-z0-9-]{1,24}$/.test(parts.runId), 'a run id that fits into the ids of its orders');
    this.#parts = parts;
  }

  // ---- which there are -------------------------------------------------------------------------------------------------

  /** In the order in which they were given. */
  [Symbol.iterator](): Iterator<KeptOrder> {
    return this.#byId.values();
  }

  get(id: string): KeptOrder | undefined {
    return this.#byId.get(id);
  }

  at(place: string): KeptOrder | undefined {
    return this.#byPlace.get(place);
  }

  /** By the id that a venue says for ours. */
  byLinkId(linkId: string): KeptOrder | undefined {
    const prefix = `${this.#parts.runId}-`;
    return linkId.startsWith(prefix) ? this.#byId.get(linkId.slice(prefix.length)) : undefined;
  }

  /** With what is attached to it. Nothing is shared with whoever asked. */
  keep(intent: OrderIntent): KeptOrder {
    return this.#keep(copyOf(intent), undefined);
  }

  #keep(intent: OrderIntent, parent: KeptOrder | undefined): KeptOrder {
    assert(!this.#byId.has(intent.id), `order id ${intent.id} is used once`);
    const order = keptOrder(intent, this.#linkIdOf(intent.id), parent);
    this.#byId.set(intent.id, order);
    for (const stop of intent.attached) this.#keep(stop, order);
    return order;
  }

  #linkIdOf(id: string): string {
    const linkId = `${this.#parts.runId}-${id}`;
    assert(linkId.length <= LONGEST_LINK_ID, `an order id that fits into ${LONGEST_LINK_ID} characters`);
    return linkId;
  }

  identify(order: KeptOrder, venueId: string): void {
    order.venueId = venueId;
    this.#byPlace.set(this.#parts.placeOf(order, venueId), order);
  }

  /** For a command; where it is not open any more, that is reported. */
  stillOpen(id: string, instrument: number): KeptOrder | undefined {
    const order = this.#byId.get(id);
    if (order !== undefined && order.phase !== 'ended') return order;
    this.say('order.cancelled', { id, instrument, reason: 'no such order is open' });
    return undefined;
  }

  inDoubt(instrument: number): KeptOrder | undefined {
    for (const order of this.#byId.values()) if (order.phase === 'in-doubt' && order.intent.instrument === instrument) return order;
    return undefined;
  }

  /** Something of it is under way, so that what is held may differ from what is booked. */
  isMoving(instrument: number): boolean {
    for (const { intent, phase, progress, filled: booked } of this.#byId.values()) {
      if (intent.instrument !== instrument || phase === 'ended' || phase === 'attached') continue;
      if (phase !== 'known' || progress === undefined || compare(progress.filled, booked) !== 0) return true;
    }
    return false;
  }

  // ---- a new process ---------------------------------------------------------------------------------------------------

  /** Whatever a recovery has brought along is asked about first. */
  begin(): void {
    const now = this.#parts.timers.now();
    for (const order of this.#byId.values()) {
      if (order.phase === 'ended') continue;
      // Perhaps it left a moment before the end of the process that sent it.
      order.sentAt = now;
      if (order.phase === 'attached' && isZero(order.parent?.filled ?? ZERO_QUANTITY)) continue;
      if (order.phase !== 'known') order.phase = 'in-doubt';
      order.lookAt = now;
    }
  }

  /** A process before this one may have heard of the first fill of its entry, and sent it. */
  mayHaveLeft(stop: KeptOrder): boolean {
    return stop.sentAt !== -Infinity;
  }

  /** It leaves once the venue has proven not to have it. */
  askFirst(stop: KeptOrder): void {
    stop.phase = 'in-doubt';
    this.lookIn(stop, 0);
  }

  /** A report that a run has recorded. @param book a fill; false where it was booked before */
  recall(report: OrderReport | OrderAmended | OrderRepriced, book: (order: KeptOrder, fill: Fill) => boolean): void {
    const order = this.#byId.get(report.order);
    if (order === undefined) return;
    switch (report.kind) {
      case 'order.accepted':
        order.isReported = true;
        return;
      case 'order.filled':
        if (report.fill === undefined || !book(order, report.fill)) return;
        order.filled = add(order.filled, report.fill.quantity);
        if (compare(order.filled, order.intent.quantity) >= 0) this.close(order, report.at);
        return;
      case 'order.amended':
        order.nextAmendment = undefined;
        order.intent = { ...order.intent, stopPrice: report.stopPrice };
        return;
      case 'order.repriced':
        order.nextAmendment = undefined;
        order.intent = { ...order.intent, limitPrice: report.limitPrice, quantity: report.quantity };
        return;
      case 'order.rejected':
      case 'order.cancelled':
      case 'order.expired':
        this.close(order, report.at);
    }
  }

  /** @param more what the adapter knows of an order beside */
  save(out: ByteWriter, more: (order: KeptOrder) => void): void {
    out.count(this.#byId.size);
    for (const order of this.#byId.values()) {
      writeKept(out, order);
      more(order);
    }
  }

  restore(from: ByteReader, more: (order: KeptOrder) => void): void {
    this.#byId.clear();
    this.#byPlace.clear();
    this.#ended.clear();
    for (let left = from.count(); left > 0; left--) {
      const order = readKept(
        from,
        (id) => this.#linkIdOf(id),
        (id) => this.#byId.get(id),
      );
      this.#byId.set(order.intent.id, order);
      more(order);
      if (order.venueId !== '') this.identify(order, order.venueId);
      if (order.phase === 'ended') this.#ended.remember(order, order.endedAt);
    }
  }

  // ---- what is reported ------------------------------------------------------------------------------------------------

  say(
    kind: OrderReport['kind'],
    said: {
      readonly id: string;
      readonly instrument: number;
      readonly reason: string;
      readonly happenedAt?: TimeMs;
      readonly fill?: OrderReport['fill'];
    },
  ): void {
    const { reports, now, redact } = this.#parts;
    const { id: order, instrument, reason, happenedAt = now(), fill } = said;
    reports.push({ kind, happenedAt, instrument, order, reason: redact(reason), fill });
  }

  end(order: KeptOrder, kind: 'order.rejected' | 'order.cancelled', reason: string, happenedAt: TimeMs = this.#parts.now()): void {
    const { id, instrument } = order.intent;
    this.say(kind, { id, instrument, reason, happenedAt });
    this.close(order, this.#parts.now());
  }

  /** It is reported as ended once all that it has filled is booked: what comes after an end is easily overlooked. */
  conclude(order: KeptOrder): void {
    const { progress, intent, filled: booked } = order;
    if (progress === undefined || order.phase === 'ended' || !isEnded(progress.status) || compare(booked, progress.filled) < 0) return;
    const isWhole = intent.budget === undefined ? compare(booked, intent.quantity) >= 0 : progress.status === 'Filled' && !isZero(booked);
    if (isWhole) {
      this.close(order, this.#parts.now());
      return;
    }
    const isRefusal = isZero(booked) && (progress.status === 'Rejected' || progress.reason.includes('EC_PostOnlyWillTakeLiquidity'));
    const why = progress.status === 'Filled' ? `the venue has made it ${format(progress.quantity)} and filled that` : progress.reason;
    const happenedAt = progress.updatedAt || this.#parts.now();
    this.end(order, isRefusal ? 'order.rejected' : 'order.cancelled', why === '' ? progress.status : why, happenedAt);
  }

  close(order: KeptOrder, at: TimeMs): void {
    if (order.phase === 'ended') return;
    order.phase = 'ended';
    order.lookAt = Infinity;
    order.amendment = undefined;
    order.nextAmendment = undefined;
    this.#ended.remember(order, at);
    this.#parts.onEnded(order);
    if (!isZero(order.filled)) return;
    // What came with an entry that never filled never came to rest: the engine lets go of it with the entry.
    for (const { id } of order.intent.attached) {
      const stop = this.#byId.get(id);
      if (stop !== undefined) this.close(stop, at);
    }
  }

  #forget(order: KeptOrder): void {
    this.#byId.delete(order.intent.id);
    if (order.venueId === '') return;
    const place = this.#parts.placeOf(order, order.venueId);
    if (this.#byPlace.get(place) === order) this.#byPlace.delete(place);
  }

  // ---- doubt -----------------------------------------------------------------------------------------------------------

  /** Nobody knows whether the venue has it. */
  doubt(order: KeptOrder, words: string): void {
    const { random, onNotice } = this.#parts;
    if (order.progress !== undefined) return;
    this.doubts++;
    order.phase = 'in-doubt';
    onNotice(`order ${order.intent.id} is in doubt: ${words}`);
    this.lookIn(order, pauseAfter(0, random));
  }

  /** The venue has it. */
  known(order: KeptOrder): void {
    order.phase = 'known';
    order.looks = 0;
    order.absences = 0;
  }

  lookIn(order: KeptOrder, ms: number): void {
    order.lookAt = this.#parts.timers.now() + ms;
    this.#parts.onSchedule();
  }

  /** When the next one is to be asked about, by the timers; Infinity for never. */
  get dueAt(): number {
    let at = Infinity;
    for (const order of this.#byId.values()) if (!order.isLooking) at = Math.min(at, order.lookAt);
    return at;
  }

  /** Asks about all that are due. */
  look(): void {
    const now = this.#parts.timers.now();
    for (const order of this.#byId.values()) if (order.lookAt <= now && !order.isLooking) void this.#look(order);
  }

  async #look(order: KeptOrder): Promise<void> {
    const { timers, random, find, onFound, isStarted, onSchedule } = this.#parts;
    order.isLooking = true;
    order.lookAt = Infinity;
    const askedAt = timers.now();
    const before = order.progress;
    const answer = await find(order);
    order.isLooking = false;
    if (hasEnded(order) || !isStarted()) return;
    // Set by what was found meanwhile: it is looked at again no later than that.
    if (answer === 'unknown') this.lookIn(order, pauseAfter(order.looks++, random));
    // An absence that something has contradicted meanwhile is none.
    else if (answer === 'absent' && order.progress === before) this.#absent(order, askedAt);
    else await onFound(order);
    onSchedule();
  }

  /** Asked too early, or while it could still arrive, "no such order" proves nothing. */
  #absent(order: KeptOrder, askedAt: number): void {
    const { timers, random, recvWindowMs, propagationMs, onAbsent, onNotice } = this.#parts;
    if (onAbsent(order)) return;
    if (order.isAcknowledged || order.progress !== undefined) {
      // The venue has had it: it cannot be as if it had never been.
      if (order.looks > 4) onNotice(`order ${order.intent.id} was taken by the venue, which does not know it any more; it stays in doubt`);
      order.phase = 'in-doubt';
      this.lookIn(order, pauseAfter(order.looks++, random));
      return;
    }
    const provenAt = order.sentAt + recvWindowMs + propagationMs;
    if (askedAt >= provenAt) order.absences++;
    if (order.absences >= WITNESSES) this.#neverReceived(order);
    else if (order.absences > 0) this.lookIn(order, propagationMs);
    else this.lookIn(order, Math.max(1, Math.min(provenAt - timers.now(), pauseAfter(order.looks++, random))));
  }

  /** Proven: nothing of it can arrive any more. */
  #neverReceived(order: KeptOrder): void {
    const { intent } = order;
    this.notReceived++;
    if (order.cancel !== 'no') this.end(order, 'order.cancelled', 'the venue never received it');
    else if (isEntry(intent) || order.resends >= MOST_RESENDS) this.end(order, 'order.rejected', 'the venue never received it');
    else {
      order.resends++;
      order.absences = 0;
      order.looks = 0;
      this.resent++;
      this.#parts.onNotice(`order ${intent.id} never arrived and is sent again under its own id`);
      this.#parts.send(order);
    }
  }

  /** What we believe to be open and the venue does not list is asked for by its id, unless it may be younger than the list. */
  lookForMissing(instrument: number, listed: ReadonlySet<KeptOrder | undefined>, youngerThan: number): void {
    for (const order of this.#byId.values()) {
      if (order.intent.instrument !== instrument || listed.has(order) || order.phase !== 'known') continue;
      if (order.lookAt === Infinity && !order.isLooking && order.sentAt < youngerThan) this.lookIn(order, 0);
    }
  }
}

export function hasEnded({ phase }: KeptOrder): boolean {
  return phase === 'ended';
}

/** What may be refused because something is not in order: everything that is neither protection nor a way out. */
export function isEntry({ role, reduceOnly }: OrderIntent): boolean {
  return role === 'target' && !reduceOnly;
}

export function priorityOf(intent: OrderIntent): Priority {
  return intent.role !== 'target' ? PRIORITY.protect : intent.reduceOnly ? PRIORITY.close : PRIORITY.enter;
}

/** An order that waits for its turn: whether it is still wanted when that comes. */
export class Waiting {
  readonly #order: KeptOrder;
  readonly #timers: Timers;
  readonly #blockOf: (instrument: number) => string | undefined;
  readonly #since: number;
  #why = '';

  /** @param blockOf why nothing new may be opened in an instrument; undefined where it may */
  constructor(order: KeptOrder, timers: Timers, blockOf: (instrument: number) => string | undefined) {
    this.#order = order;
    this.#timers = timers;
    this.#blockOf = blockOf;
    this.#since = timers.now();
    order.phase = 'queued';
  }

  get isWanted(): boolean {
    const { phase, intent } = this.#order;
    if (phase !== 'queued') return false;
    if (!isEntry(intent)) return true;
    const waitedMs = this.#timers.now() - this.#since;
    this.#why =
      waitedMs > MOST_WAIT_MS ? `it has waited ${Math.round(waitedMs)} ms for its turn` : (this.#blockOf(intent.instrument) ?? '');
    return this.#why === '';
  }

  sent(): void {
    this.#order.phase = 'sent';
    this.#order.sentAt = this.#timers.now();
  }

  /** Why it was not sent. */
  get words(): string {
    return `nothing may open: ${this.#why === '' ? 'the session is over' : this.#why}`;
  }
}
