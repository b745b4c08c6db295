// What the desk works instead of sending it at once: one ticket an instrument. A ticket says since when, how far and how patiently; how much
// is left is nobody's state, it is what the planner finds wanted and neither held nor on its way.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { larger, quantityFrom, smaller, toNumber, type Quantity } from '../domain/decimal.ts';
import type { TicketOpened } from '../domain/entry.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { TicketAlgorithm } from '../domain/order.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';
import { almgrenChrissWeights } from './algorithms/almgren-chriss.ts';
import { shownQuantity } from './algorithms/iceberg.ts';
import { followedQuantity } from './algorithms/pov.ts';
import { twapWeights } from './algorithms/twap.ts';
import { VolumeProfile } from './algorithms/vwap.ts';

export interface ExecutionSettings {
  readonly algorithm: TicketAlgorithm;
  /** How long a ticket may take; what is left then goes out at the market. */
  readonly horizonMs: TimeMs;
  /** Limit orders take no liquidity: one that would is asked for again further behind, then sent at the market. */
  readonly postOnly: boolean;
  /** For twap, vwap and almgren-chriss: into how many parts. */
  readonly slices: number;
  /** For almgren-chriss: kappa times the horizon. */
  readonly urgency: number;
  /** For pov: part of what others trade. */
  readonly participationRatio: number;
  /** For an iceberg: part of the whole that is shown. */
  readonly displayRatio: number;
}

export interface Ticket {
  readonly side: 1 | -1;
  readonly openedAt: TimeMs;
  /** Positive: the most that was wanted of it. */
  quantity: Quantity;
  /** Slices that the clock has let go, and that were sent or passed over. */
  due: number;
  done: number;
  /** When the clock has something to do for it; NEVER once it has done all. */
  dueAt: TimeMs;
  /** Patience is over: what is left goes out at the market. */
  isCrossing: boolean;
  /** Its resting orders were called back because something else is wanted; nothing is planned until they have ended. */
  isCalledBack: boolean;
  /** How often the venue would not let a limit order rest. */
  failures: number;
  /** For pov: what bars brought since the last slice. */
  volume: number;
}

/** One order of a ticket. */
export interface Child {
  readonly quantity: Quantity;
  readonly isLimit: boolean;
}

/** A limit order that would take is asked for again so often, each time a step further behind. */
const MOST_FAILURES = 3;

export class Tickets implements Stateful {
  readonly settings: ExecutionSettings;
  readonly #instruments: readonly Instrument[];
  readonly #open: (Ticket | undefined)[];
  /** By instrument; empty unless the algorithm asks for them. */
  readonly #profiles: readonly VolumeProfile[];
  #dueAt: TimeMs = NEVER;

  constructor(settings: ExecutionSettings, instruments: readonly Instrument[]) {
    this.settings = settings;
    this.#instruments = instruments;
    this.#open = instruments.map(() => undefined);
    this.#profiles = settings.algorithm === 'vwap' ? instruments.map(() => new VolumeProfile()) : [];
  }

  of(instrument: number): Ticket | undefined {
    return this.#open[instrument];
  }

  /** When the clock has something to do for any of them, or for the one of an instrument. */
  get nextDueAt(): TimeMs {
    return this.#dueAt;
  }
  dueAt(instrument: number): TimeMs {
    return this.#open[instrument]?.dueAt ?? NEVER;
  }

  /** By slices at fixed times. */
  get #isSliced(): boolean {
    const { algorithm } = this.settings;
    return algorithm === 'twap' || algorithm === 'vwap' || algorithm === 'almgren-chriss';
  }

  open({ instrument, at, side, quantity }: TicketOpened): void {
    const { horizonMs, slices } = this.settings;
    const dueAt = at + (this.#isSliced ? Math.round(horizonMs / slices) : horizonMs);
    this.#open[instrument] = {
      side: side === 'buy' ? 1 : -1,
      openedAt: at,
      quantity,
      due: 1,
      done: 0,
      dueAt,
      isCrossing: false,
      isCalledBack: false,
      failures: 0,
      volume: 0,
    };
    this.#findDue();
  }

  close(instrument: number): void {
    this.#open[instrument] = undefined;
    this.#findDue();
  }

  /** The clock has rung. True when patience is over. */
  ring(instrument: number): boolean {
    const ticket = this.#open[instrument];
    if (ticket === undefined) return false;
    const { slices, horizonMs } = this.settings;
    if (this.#isSliced && ticket.due < slices) ticket.due++;
    if (!this.#isSliced || ticket.due === slices) {
      ticket.isCrossing = true;
      ticket.dueAt = NEVER;
    } else ticket.dueAt = ticket.openedAt + Math.round((ticket.due * horizonMs) / slices);
    this.#findDue();
    return ticket.isCrossing;
  }

  /** The venue would not let a limit order rest, for whatever reason: the next one lies further behind, or crosses. */
  failed(ticket: Ticket, mayTryAgain: boolean): void {
    ticket.failures++;
    if (!mayTryAgain || ticket.failures > MOST_FAILURES) ticket.isCrossing = true;
  }

  /** A bar of the market has closed. True when its volume lets something go. */
  barClosed(instrument: number, closedAt: TimeMs, volume: number): boolean {
    this.#profiles[instrument]?.add(closedAt, volume);
    const ticket = this.#open[instrument];
    if (ticket === undefined || this.settings.algorithm !== 'pov') return false;
    ticket.volume += volume;
    return true;
  }

  /** What of `left` goes out now; undefined when nothing does. @param isResting a limit order of the ticket rests already */
  child(instrument: number, ticket: Ticket, left: Quantity, isResting: boolean): Child | undefined {
    const traded = this.#instruments[instrument];
    if (traded === undefined) return undefined;
    ticket.quantity = larger(ticket.quantity, left);
    if (ticket.isCrossing) return { quantity: left, isLimit: false };
    const { algorithm, displayRatio, participationRatio } = this.settings;
    switch (algorithm) {
      case 'limit-first':
        return { quantity: left, isLimit: true };
      case 'iceberg':
        if (isResting) return undefined;
        return { quantity: shownQuantity(left, ticket.quantity, displayRatio, traded.lot, traded.minimumQuantity), isLimit: true };
      case 'pov':
        return { quantity: followedQuantity(left, ticket.volume, participationRatio, traded.lot), isLimit: false };
      default:
        return ticket.done === ticket.due ? undefined : { quantity: this.#slice(instrument, ticket, left, traded.lot), isLimit: false };
    }
  }

  /** Of the slices that are not done, those that are due. */
  #slice(instrument: number, ticket: Ticket, left: Quantity, lot: Quantity): Quantity {
    const weights = this.#weights(instrument, ticket);
    let going = 0;
    let all = 0;
    for (let slice = ticket.done; slice < weights.length; slice++) {
      const weight = weights[slice] ?? 0;
      all += weight;
      if (slice < ticket.due) going += weight;
    }
    if (!(going < all)) return left;
    return smaller(left, quantityFrom((toNumber(left) * going) / all, lot, 'nearest'));
  }

  #weights(instrument: number, { openedAt }: Ticket): Float64Array {
    const { algorithm, slices, urgency, horizonMs } = this.settings;
    if (algorithm === 'almgren-chriss') return almgrenChrissWeights(slices, urgency);
    // What was learned of the day since the ticket was opened counts too.
    return this.#profiles[instrument]?.weights(openedAt, horizonMs, slices) ?? twapWeights(slices);
  }

  /** What was let go has been sent, or was too little to send and stays for the next. */
  released(ticket: Ticket, isSent: boolean): void {
    ticket.done = ticket.due;
    if (isSent) ticket.volume = 0;
  }

  #findDue(): void {
    this.#dueAt = NEVER;
    for (const ticket of this.#open) if (ticket !== undefined && ticket.dueAt < this.#dueAt) this.#dueAt = ticket.dueAt;
  }

  save(out: ByteWriter): void {
    for (const ticket of this.#open) {
      out.flag(ticket !== undefined);
      if (ticket === undefined) continue;
      out.flag(ticket.side > 0);
      out.number(ticket.openedAt);
      out.decimal(ticket.quantity);
      out.count(ticket.due);
      out.count(ticket.done);
      out.number(ticket.dueAt);
      out.flag(ticket.isCrossing);
      out.flag(ticket.isCalledBack);
      out.count(ticket.failures);
      out.number(ticket.volume);
    }
    for (const profile of this.#profiles) profile.save(out);
  }

  restore(from: ByteReader): void {
    for (let instrument = 0; instrument < this.#open.length; instrument++) {
      if (!from.flag()) {
        this.#open[instrument] = undefined;
        continue;
      }
      this.#open[instrument] = {
        side: from.flag() ? 1 : -1,
        openedAt: from.number(),
        quantity: from.decimal(),
        due: from.count(),
        done: from.count(),
        dueAt: from.number(),
        isCrossing: from.flag(),
        isCalledBack: from.flag(),
        failures: from.count(),
        volume: from.number(),
      };
    }
    for (const profile of this.#profiles) profile.restore(from);
    this.#findDue();
  }
}
