// What must hold whatever goes wrong, watched by somebody who believes neither side: sums of the venue's own records, of the rows that are read
// back from the disk, and of what the engine believes, each reckoned by itself and laid beside the others.
import { format, type Decimal } from '../../domain/decimal.ts';
import type { Entry, JournalRow } from '../../domain/entry.ts';
import type { OrderReport } from '../../domain/event.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { SECOND_MS } from '../../domain/time.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Account } from '../../venues/bybit-server/account.ts';
import type { ExecutionRow } from '../../venues/bybit-server/wire.ts';
import type { VenueRequest } from '../../venues/ccxt/venue-wire.ts';
import type { BybitVenue } from '../../venues/ccxt/bybit-venue.ts';
import { CAPITAL } from './world.ts';

/** What must hold. */
export const INVARIANTS = {
  'fills-are-position': 'the fills of the journal, the venue’s executions, the venue’s position and the engine’s are one sum',
  'cash-identity': 'cash is capital and transfers less what was bought, paid and charged, to the last digit, here and at the venue',
  'money-is-there': 'the run’s own money is its capital, or what the account has beside its trades where that is less',
  'one-state': 'no order is in two states: it ends once, nothing is filled beyond it, and what is open here is open there',
  'one-intent-per-id': 'no id that the venue sees stands for two intents, and none for an intent that is not on the disk',
  'journal-verifies': 'the journal verifies as it was written',
  'replay-agrees': 'a replay of journal and tape says the same and ends in the same state',
  'never-naked': 'no position is without a stop at the venue for longer than its bound, in fair weather',
  'opens-under-a-stop': 'a position has its stop at the venue from its first fill on, whatever the weather, and whoever lives',
  'halted-is-flat': 'where somebody has halted it, nothing is held at the end, and the halt survives every death',
  'bars-without-a-hole': 'every bar that closed at the venue reached the engine once, in order and as it was',
  'comes-to-rest': 'when the weather has cleared, everything is reconciled and nothing is in doubt',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Break {
  readonly invariant: Invariant;
  /** Milliseconds of the world. */
  readonly at: number;
  readonly words: string;
}

/** Fair weather and a living process for so long must be enough to protect what is held: longer than the longest pause between two attempts. */
const NAKED_BOUND_MS = 60 * SECOND_MS;

/** As the venue spells what a row has executed. */
const EXECUTED = 'execQty';

/** As the request says it: what one id must always mean. */
const MEANINGS = ['symbol', 'side', 'orderType', 'qty', 'price', 'triggerPrice', 'reduceOnly'];

export class Witness {
  readonly #account: Account;
  /** By instrument, as the venue spells them. */
  readonly #symbols: readonly string[];
  readonly #now: () => number;
  readonly #linkPrefix: string;
  readonly breaks: Break[] = [];
  /** Entries that a crash would still lose. */
  #pending: Entry[] = [];
  /** Intents on the disk, by id. */
  readonly #intents = new Map<string, OrderIntent>();
  readonly #meanings = new Map<string, string>();
  /** Orders that the venue had refused when their request came to it once more. */
  readonly #comeAgain = new Set<string>();
  /** By instrument: since when it has been without a stop in fair weather. */
  readonly #nakedSince: (number | undefined)[] = [];
  /** Of money by another hand, in all. */
  #moved = 0n;
  /** By instrument: the side of the position when it was last looked at. */
  readonly #side: number[] = [];
  isFair = false;
  /** Of the journal, once it was read. */
  orders = 0;
  fills = 0;

  constructor(account: Account, symbols: readonly string[], linkPrefix: string, now: () => number) {
    this.#account = account;
    this.#symbols = symbols;
    this.#linkPrefix = linkPrefix;
    this.#now = now;
  }

  break(invariant: Invariant, words: string): void {
    // Whatever follows from a break says nothing new.
    if (this.breaks.some((each) => each.invariant === invariant)) return;
    this.breaks.push({ invariant, at: this.#now(), words });
  }

  #mustEqual(invariant: Invariant, what: string, found: bigint, expected: bigint): void {
    if (found !== expected) this.break(invariant, `${what}: found ${decimalOf(found)}, expected ${decimalOf(expected)}`);
  }

  // ---- while it runs -------------------------------------------------------------------------------------------------

  kept(entry: Entry): void {
    this.#pending.push(entry);
  }

  committed(): void {
    for (const entry of this.#pending) this.#durable(entry);
    this.#pending = [];
  }

  /** Another hand has paid in or taken out so much. */
  moved(amount: string): void {
    this.#moved += units(amount);
  }

  /** A new life knows what the disk had, and nothing else. */
  recovered(rows: Iterable<JournalRow>): void {
    this.#pending = [];
    this.#intents.clear();
    for (const { entry } of rows) this.#durable(entry);
  }

  #durable(entry: Entry): void {
    if (entry.kind !== 'order.intended') return;
    for (const intent of [entry.intent, ...entry.intent.attached]) this.#intents.set(intent.id, intent);
  }

  /** What leaves must be on the disk, and an id must mean what it meant. */
  requested(request: VenueRequest): void {
    for (const parameters of createdBy(request)) this.#created(parameters);
  }

  /**
   * A request has come to the venue, and comes once more. An order that the venue does not have by now it has refused, and may carry out this
   * time: two states, both of them the venue's. Nobody can know that when the first is told.
   */
  comesAgain(request: VenueRequest): void {
    const there = new Set(this.#account.orders.map(({ linkId }) => linkId));
    for (const parameters of createdBy(request)) {
      const id = this.#idOf(parameters);
      if (!there.has(`${this.#linkPrefix}${id}`)) this.#comeAgain.add(id);
    }
  }

  #idOf(parameters: VenueRequest['parameters']): string {
    const linkId = String(parameters['orderLinkId'] ?? '');
    return linkId.startsWith(this.#linkPrefix) ? linkId.slice(this.#linkPrefix.length) : '';
  }

  #created(parameters: VenueRequest['parameters']): void {
    const linkId = String(parameters['orderLinkId'] ?? '');
    const id = this.#idOf(parameters);
    if (!this.#intents.has(id)) {
      this.break('one-intent-per-id', `order ${linkId} leaves for the venue, and no intent on the disk has that id`);
      return;
    }
    const meaning = MEANINGS.map((name) => String(parameters[name] ?? '')).join(' ');
    const before = this.#meanings.get(linkId);
    if (before !== undefined && before !== meaning)
      this.break('one-intent-per-id', `order ${linkId} was ${before} and is ${meaning} when it is sent again`);
    this.#meanings.set(linkId, meaning);
  }

  /** Whenever the venue may have changed, and whenever the weather does. */
  look(): void {
    const now = this.#now();
    for (const [instrument, { quantity, side }] of this.#account.positions.entries()) {
      // A venue that takes a stop away later, with the instrument from its list, is the business of the next one.
      if (side !== 0 && side !== (this.#side[instrument] ?? 0) && !this.#isStopped(instrument, side))
        this.break('opens-under-a-stop', `${format(quantity)} of instrument ${instrument} were opened without a stop of the position`);
      this.#side[instrument] = side;
      const isProtected = side === 0 || this.#protects(instrument, side, quantity);
      if (isProtected || !this.isFair) this.#nakedSince[instrument] = undefined;
      else {
        const since = (this.#nakedSince[instrument] ??= now);
        if (now - since > NAKED_BOUND_MS)
          this.break('never-naked', `${format(quantity)} of instrument ${instrument} have been without a stop for ${now - since} ms`);
      }
    }
  }

  /** By the one stop that follows the position and nothing else. */
  #isStopped(instrument: number, side: number): boolean {
    for (const { listing, isForPosition, side: closing, trigger } of this.#account.openOrders())
      if (listing.index === instrument && isForPosition && trigger?.kind === 'StopLoss' && (closing === 'Sell') === side > 0) return true;
    return false;
  }

  /** Stops on the closing side that together cover all of it. */
  #protects(instrument: number, side: number, held: Decimal): boolean {
    let covered = 0n;
    for (const order of this.#account.openOrders()) {
      if (order.listing.index !== instrument || !order.reduceOnly || order.trigger === undefined) continue;
      if ((order.side === 'Sell') !== side > 0) continue;
      if (order.isForPosition) return true;
      covered += exactly(order.quantity);
    }
    return covered >= BigInt(side) * exactly(held);
  }

  // ---- at the end ----------------------------------------------------------------------------------------------------

  /** Once the weather has cleared and nothing is on its way, while the process still lives. */
  mustRest(engine: Engine, venue: BybitVenue): void {
    if (!venue.isReconciled) this.break('comes-to-rest', 'the account is not reconciled');
    for (let instrument = 0; instrument < engine.plan.instruments.length; instrument++) {
      const block = venue.blockOf(instrument);
      if (block !== undefined) this.break('comes-to-rest', `nothing may open in instrument ${instrument}: ${block}`);
    }
  }

  /** @param rows of the journal, as they are read back from the disk */
  conclude(engine: Engine, venue: BybitVenue, rows: readonly JournalRow[]): void {
    const story = this.#read(rows);
    this.orders = story.intents.size;
    this.fills = story.fills.size;
    this.#positions(engine, venue, story);
    this.#cash(engine, story);
    this.#orders(engine, story);
    if (story.isHalted) this.#halted(engine);
    for (const [instrument, { side, quantity }] of this.#account.positions.entries()) {
      if (side !== 0 && !this.#protects(instrument, side, quantity))
        this.break('never-naked', `${format(quantity)} of instrument ${instrument} are without a stop at the end`);
    }
  }

  /** What the disk says that has happened. */
  #read(rows: readonly JournalRow[]): Story {
    const story: Story = {
      intents: new Map(),
      filled: new Map(),
      ended: new Map(),
      net: [],
      cash: exactly(CAPITAL),
      transferred: 0n,
      fills: new Set(),
      isHalted: false,
    };
    const trade = (instrument: number, isBuy: boolean, { id, price, quantity, fee }: Fill): void => {
      if (story.fills.has(id)) this.break('fills-are-position', `fill ${id} is in the journal twice`);
      story.fills.add(id);
      const signed = isBuy ? exactly(quantity) : -exactly(quantity);
      story.net[instrument] = (story.net[instrument] ?? 0n) + signed;
      story.cash -= times(exactly(price), signed) + exactly(fee);
    };
    for (const { entry } of rows) {
      switch (entry.kind) {
        case 'order.intended':
          for (const intent of [entry.intent, ...entry.intent.attached]) {
            if (story.intents.has(intent.id)) this.break('one-intent-per-id', `two intents of the journal have the id ${intent.id}`);
            story.intents.set(intent.id, intent);
          }
          break;
        case 'order.filled':
          if (entry.fill !== undefined) this.#fills(story, entry.order, entry.fill, trade);
          break;
        case 'position.liquidated':
          trade(entry.instrument, entry.side === 'buy', entry.fill);
          break;
        case 'operator.spoke':
          if (entry.command === 'halt' || entry.command === 'resume') story.isHalted = entry.command === 'halt';
          break;
        case 'funding.paid':
          story.cash += exactly(entry.amount);
          break;
        case 'cash.transferred':
          story.cash += exactly(entry.amount);
          story.transferred += exactly(entry.amount);
          break;
        case 'order.rejected':
        case 'order.cancelled':
        case 'order.expired':
          this.#ends(story, entry.order, entry.kind, entry.reason);
          break;
        default:
          break;
      }
    }
    return story;
  }

  #fills({ intents, filled, ended }: Story, id: string, fill: Fill, trade: (instrument: number, isBuy: boolean, fill: Fill) => void): void {
    const intent = intents.get(id);
    if (intent === undefined) {
      this.break('fills-are-position', `fill ${fill.id} is of ${id}, which was never intended`);
      return;
    }
    const before = ended.get(id);
    const mayComeBack = before === 'order.rejected' && this.#comeAgain.has(id);
    if (before !== undefined && !mayComeBack) this.break('one-state', `order ${id} was ${before} and is filled`);
    const after = (filled.get(id) ?? 0n) + exactly(fill.quantity);
    if (!intent.wholePosition && after > exactly(intent.quantity))
      this.break('one-state', `order ${id} of ${format(intent.quantity)} has filled ${decimalOf(after)}`);
    filled.set(id, after);
    trade(intent.instrument, intent.side === 'buy', fill);
  }

  #ends({ intents, ended, filled }: Story, id: string, kind: string, reason: string): void {
    // To a cancel or an amendment of an order that has ended a venue answers that there is none.
    if (/no such order is open/.test(reason)) return;
    const intent = intents.get(id);
    const before = ended.get(id);
    if (before !== undefined) this.break('one-state', `order ${id} was ${before} and is ${kind}`);
    if (intent !== undefined && !intent.wholePosition && (filled.get(id) ?? 0n) >= exactly(intent.quantity))
      this.break('one-state', `order ${id} was filled and is ${kind}`);
    ended.set(id, kind);
  }

  #halted(engine: Engine): void {
    if (!engine.account.halted) this.break('halted-is-flat', 'the operator has halted it, and it is not halted');
    for (const [instrument, { quantity, side }] of this.#account.positions.entries())
      if (side !== 0) this.break('halted-is-flat', `${format(quantity)} of instrument ${instrument} are held under halt`);
  }

  #positions(engine: Engine, venue: BybitVenue, { net, fills }: Story): void {
    const executed: bigint[] = [];
    const known = new Set<string>();
    for (const row of this.#executions()) {
      if (row.execType === 'Funding') continue;
      const instrument = this.#symbols.indexOf(row.symbol);
      executed[instrument] = (executed[instrument] ?? 0n) + (row.side === 'Buy' ? units(row[EXECUTED]) : -units(row[EXECUTED]));
      known.add(row.execId);
      if (!fills.has(row.execId))
        this.break('fills-are-position', `the venue’s execution ${row.execId} of ${row.orderLinkId || row.orderId} is not in the journal`);
    }
    for (const id of fills) if (!known.has(id)) this.break('fills-are-position', `fill ${id} of the journal is none of the venue’s`);
    for (const [instrument, { quantity }] of this.#account.positions.entries()) {
      const truth = executed[instrument] ?? 0n;
      const mustBe = (whose: string, found: bigint): void =>
        this.#mustEqual('fills-are-position', `${whose} in instrument ${instrument}, against the venue’s executions`, found, truth);
      mustBe('the venue’s position', exactly(quantity));
      mustBe('the journal’s fills', net[instrument] ?? 0n);
      mustBe('the engine’s net', exactlyOr0(engine.portfolio.net[instrument]));
      mustBe('the adapter’s net', exactly(venue.net(instrument)));
      const holdings = engine.holdings.ofInstrument[instrument] ?? [];
      mustBe(
        'the sleeves’ holdings',
        holdings.reduce((sum, holding) => sum + exactlyOr0(engine.portfolio.quantity[holding]), 0n),
      );
    }
  }

  #cash(engine: Engine, { cash, transferred }: Story): void {
    const gone = this.#moved < 0n ? this.#moved : 0n;
    if (distance(transferred, gone) > ROUNDING)
      this.break('money-is-there', `transfers of the run: found ${decimalOf(transferred)}, expected ${decimalOf(gone)}`);
    this.#mustEqual(
      'cash-identity',
      'what the sleeves were given, against capital and transfers',
      exactly(engine.portfolio.totalGiven()),
      exactly(CAPITAL) + transferred,
    );
    let truth = exactly(CAPITAL);
    for (const row of this.#executions()) {
      if (row.execType !== 'Funding') truth += row.side === 'Buy' ? -units(row.execValue) : units(row.execValue);
      truth -= units(row.execFee);
    }
    const own = truth + transferred;
    this.#mustEqual('cash-identity', 'the journal’s cash, against the venue’s executions', cash, own);
    this.#mustEqual('cash-identity', 'the engine’s cash, against the venue’s executions', exactly(engine.portfolio.totalCash()), own);
    // What is open stands in the wallet at what it cost.
    const wallet = this.#account.positions.reduce((sum, { cost }) => sum + exactly(cost), truth + this.#moved);
    this.#mustEqual('cash-identity', 'the venue’s wallet, against its executions', exactly(this.#account.books.walletBalance), wallet);
  }

  #executions(): readonly ExecutionRow[] {
    return this.#account.books.executions.page(() => true, Infinity, '').rows.map(({ row }) => row);
  }

  #orders(engine: Engine, { intents, ended, filled }: Story): void {
    const atVenue = new Map<string, number>();
    const open = new Set<string>();
    for (const order of this.#account.orders) {
      if (!order.linkId.startsWith(this.#linkPrefix)) continue;
      const id = order.linkId.slice(this.#linkPrefix.length);
      atVenue.set(id, (atVenue.get(id) ?? 0) + 1);
      const intent = intents.get(id);
      if (intent === undefined) this.break('one-intent-per-id', `order ${id} is at the venue and not in the journal`);
      else if ((order.side === 'Buy') !== (intent.side === 'buy') || order.listing.index !== intent.instrument)
        this.break('one-intent-per-id', `order ${id} is not at the venue what it was intended to be`);
    }
    for (const [id, count] of atVenue) if (count > 1) this.break('one-intent-per-id', `order ${id} is at the venue ${count} times`);
    for (const { linkId } of this.#account.openOrders())
      if (linkId.startsWith(this.#linkPrefix)) open.add(linkId.slice(this.#linkPrefix.length));
    for (const id of open) {
      if (!engine.desk.tracker.open.some(({ intent }) => intent.id === id))
        this.break('one-state', `order ${id} is open at the venue and not here`);
      if (ended.has(id)) this.break('one-state', `order ${id} was ${ended.get(id) ?? ''} and is open at the venue`);
    }
    for (const order of engine.desk.tracker.open) {
      // The stop of a position has no id of ours, and what is attached does not rest before its entry has filled.
      const { intent } = order;
      const { id } = intent;
      if (intent.wholePosition || open.has(id)) continue;
      const parent = [...intents.values()].find(({ attached }) => attached.some((each) => each.id === id));
      if (parent !== undefined && (filled.get(parent.id) ?? 0n) === 0n) continue;
      this.break('one-state', `order ${id} is ${order.state} here and not open at the venue`);
    }
  }
}

type Fill = NonNullable<OrderReport['fill']>;

/** What it asks the venue to create. */
function createdBy({ path, parameters, rows = [] }: VenueRequest): readonly VenueRequest['parameters'][] {
  if (path === '/v5/order/create') return [parameters];
  return path === '/v5/order/create-batch' ? rows : [];
}

interface Story {
  readonly intents: Map<string, OrderIntent>;
  readonly filled: Map<string, bigint>;
  /** How each has ended that was not filled whole. */
  readonly ended: Map<string, string>;
  readonly net: bigint[];
  readonly fills: Set<string>;
  cash: bigint;
  /** By the rows that say so. */
  transferred: bigint;
  /** The last word of the operator was to halt. */
  isHalted: boolean;
}

// Sums of its own, in units of 1e-12: the arithmetic of the ledger is among what is looked at.

const PLACES = 12;
/** Two cents: average prices at the venue are rounded. */
const ROUNDING = 2n * 10n ** BigInt(PLACES - 2);

function distance(one: bigint, other: bigint): bigint {
  return one < other ? other - one : one - other;
}

function units(text: string): bigint {
  const [whole = '', part = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + part.padEnd(PLACES, '0'));
  return text.startsWith('-') ? -value : value;
}

function exactly(value: Decimal): bigint {
  return units(format(value));
}

function exactlyOr0(value: Decimal | undefined): bigint {
  return value === undefined ? 0n : exactly(value);
}

/** Of a price and a quantity whose digits together are few enough to be exact. */
function times(price: bigint, quantity: bigint): bigint {
  return (price * quantity) / 10n ** BigInt(PLACES);
}

function decimalOf(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, '0');
  const part = digits.slice(-PLACES).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${part === '' ? '' : `.${part}`}`;
}
