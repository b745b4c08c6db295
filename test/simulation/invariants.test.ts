// What holds after every event of every world.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../src/domain/bytes.ts';
import {
  absolute,
  add,
  compare,
  format,
  isZero,
  negate,
  notional,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Quantity,
} from '../../src/domain/decimal.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { AccountReport, Event, LiquidationReport, OrderReport } from '../../src/domain/event.ts';
import { isMarketEvent } from '../../src/domain/event.ts';
import { filledShares, isOpen, type OrderIntent } from '../../src/domain/order.ts';
import { layOut } from '../../src/domain/sleeve.ts';
import { Portfolio, type Booking } from '../../src/portfolio/portfolio.ts';
import { TestSession, type Said } from '../support/session.ts';
import { anyWorld, partsOf, trials, type World } from './worlds.ts';

/** Everything that is checked of one session, kept from its events and entries alone. */
class Auditor {
  readonly #session: TestSession;
  readonly #latencyMs: number;
  readonly #intents = new Map<string, OrderIntent>();
  /** Ids of protective stops that rest at the venue. */
  readonly #resting = new Set<string>();
  /** Ids of orders that the venue has reported dead or filled. */
  readonly #dead = new Set<string>();
  readonly #filled = new Map<string, Quantity>();
  readonly #positions: Quantity[];
  #cash: Amount;
  /** By the entries that say so: the venue of these worlds knows of none of it. */
  #transferred = ZERO_AMOUNT;
  readonly #naked: ({ readonly side: number; readonly since: number } | undefined)[];
  readonly #latched: Map<number, -1 | 1> = new Map();
  readonly #latches: number[] = [];
  events = 0;

  constructor(session: TestSession, latencyMs: number) {
    this.#session = session;
    this.#latencyMs = latencyMs;
    this.#positions = session.plan.instruments.map(() => ZERO_QUANTITY);
    this.#cash = session.plan.capital;
    this.#naked = session.plan.instruments.map(() => undefined);
  }

  after(event: Event): void {
    this.events++;
    this.#readLatches();
    if (event.kind === 'account.reported') this.#moneyIsThere(event);
    if (event.kind === 'funding.paid') this.#cash = add(this.#cash, event.amount);
    else if (event.kind === 'position.liquidated') this.#liquidated(event);
    else if ('order' in event && event.kind !== 'order.amended' && event.kind !== 'order.repriced') this.#report(event);
    this.#sumsAreExact();
    this.#venueAgrees();
    this.#isProtected(event.at);
    this.#ordersHaveOneState();
    this.#latchedSleevesStayOut();
    this.#equityIsTrue();
  }

  hear(entry: Entry): void {
    if (entry.kind === 'order.intended') {
      for (const intent of [entry.intent, ...entry.intent.attached]) {
        assert.ok(!this.#intents.has(intent.id), `order id ${intent.id} is used once`);
        this.#intents.set(intent.id, intent);
      }
    } else if (entry.kind === 'sleeve.stopped' || entry.kind === 'sleeve.closed') this.#latches.push(entry.sleeve);
    else if (entry.kind === 'cash.transferred') {
      this.#cash = add(this.#cash, entry.amount);
      this.#transferred = add(this.#transferred, entry.amount);
    } else if (entry.kind === 'sleeve.rearmed') this.#mayRearm(entry.sleeve, entry.at);
  }

  /** A sleeve that was stopped re-arms when its mind is neutral or on the other side, or stands by nothing any more. */
  #mayRearm(sleeve: number, at: number): void {
    this.#readLatches();
    const side = this.#latched.get(sleeve);
    assert.ok(side !== undefined, `sleeve ${sleeve} was latched before it re-armed`);
    const mind = this.#session.engine.minds.find((each) => each.sleeve === sleeve);
    assert.ok(mind?.opinion?.kind === 'forecast', 'an abstention re-arms nothing');
    const says = at >= mind.expiresAt ? 0 : Math.sign(mind.opinion.stance);
    assert.notEqual(says, side, `sleeve ${sleeve} re-armed while its mind still says ${side}`);
    this.#latched.delete(sleeve);
  }

  /** The side is known once the change was folded. */
  #readLatches(): void {
    for (const sleeve of this.#latches) {
      const side = this.#session.engine.desk.wants.latchedSide[sleeve] ?? 0;
      if (side !== 0) this.#latched.set(sleeve, side > 0 ? 1 : -1);
    }
    this.#latches.length = 0;
  }

  #liquidated({ instrument, side, fill }: LiquidationReport): void {
    const signed = side === 'buy' ? fill.quantity : negate(fill.quantity);
    assert.equal(format(signed), format(negate(this.#positions[instrument] ?? ZERO_QUANTITY)), 'the whole position is liquidated');
    this.#positions[instrument] = ZERO_QUANTITY;
    this.#cash = subtract(subtract(this.#cash, notional(fill.price, signed)), fill.fee);
  }

  #report(report: OrderReport): void {
    const intent = this.#intents.get(report.order);
    assert.ok(intent !== undefined, `order ${report.order} was recorded before it was sent`);
    const { fill } = report;
    if (fill !== undefined) {
      assert.ok(!this.#dead.has(report.order), `order ${report.order} fills while it lives`);
      const signed = intent.side === 'buy' ? fill.quantity : negate(fill.quantity);
      const before = this.#positions[intent.instrument] ?? ZERO_QUANTITY;
      const after = add(before, signed);
      if (intent.reduceOnly) {
        assert.ok(compare(absolute(after), absolute(before)) <= 0 && signOf(after) !== -signOf(before), `order ${intent.id} only reduces`);
      }
      this.#positions[intent.instrument] = after;
      this.#cash = subtract(subtract(this.#cash, notional(fill.price, signed)), fill.fee);
      for (const stop of intent.attached) if (!this.#dead.has(stop.id)) this.#resting.add(stop.id);
    }
    if (report.kind === 'order.accepted' && intent.type === 'stop') this.#resting.add(intent.id);
    const filled = add(this.#filled.get(intent.id) ?? ZERO_QUANTITY, fill?.quantity ?? ZERO_QUANTITY);
    this.#filled.set(intent.id, filled);
    const isOver = fill === undefined ? report.kind !== 'order.accepted' : compare(filled, intent.quantity) >= 0;
    if (!isOver) return;
    this.#dead.add(intent.id);
    this.#resting.delete(intent.id);
    // An entry that ended without a fill takes its stops along.
    for (const stop of intent.attached) if (!this.#resting.has(stop.id)) this.#dead.add(stop.id);
  }

  #moneyIsThere({ money }: AccountReport): void {
    const { capital } = this.#session.plan;
    assert.ok(money !== undefined);
    const own = compare(money, capital) < 0 ? money : capital;
    assert.equal(format(add(capital, this.#transferred)), format(own), 'the run has its capital, or what there is where that is less');
  }

  #sumsAreExact(): void {
    const { portfolio, holdings } = this.#session.engine;
    const given = portfolio.givenCash.reduce(add);
    assert.equal(format(given), format(add(this.#session.plan.capital, this.#transferred)), 'the sleeves were given capital and transfers');
    this.#positions.forEach((position, instrument) => {
      let sum = ZERO_QUANTITY;
      for (const holding of holdings.ofInstrument[instrument] ?? []) sum = add(sum, portfolio.quantity[holding] ?? ZERO_QUANTITY);
      assert.equal(format(sum), format(position), `sleeves in instrument ${instrument} hold what was filled`);
      assert.equal(format(portfolio.net[instrument] ?? ZERO_QUANTITY), format(position), `the net of instrument ${instrument}`);
    });
    assert.equal(format(portfolio.totalCash()), format(this.#cash), 'the cash of all sleeves is capital less what was paid');
    this.#session.plan.sleeves.forEach((sleeve, index) => {
      const amounts = [portfolio.givenCash, portfolio.realised, portfolio.funding].map((list) => list[index] ?? ZERO_AMOUNT);
      let expected = amounts.reduce(add, negate(portfolio.fees[index] ?? ZERO_AMOUNT));
      sleeve.instruments.forEach((_, leg) => {
        expected = subtract(expected, portfolio.cost[(holdings.first[index] ?? 0) + leg] ?? ZERO_AMOUNT);
      });
      assert.equal(
        format(portfolio.cash[index] ?? ZERO_AMOUNT),
        format(expected),
        `${sleeve.name}: cash is start + realised + funding - fees - cost`,
      );
    });
  }

  #venueAgrees(): void {
    const { venue } = this.#session;
    // An act of the venue has at most one fill or payment, and it is said first: the two ledgers never differ between events.
    assert.equal(format(add(venue.cash, this.#transferred)), format(this.#cash), "the venue's cash");
    venue.position.forEach((position, instrument) => {
      assert.equal(format(position), format(this.#positions[instrument] ?? ZERO_QUANTITY), `the venue's position in ${instrument}`);
    });
  }

  /** Within one round trip of opening or turning; an entry that flips while the answer is on its way begins another. */
  #isProtected(at: number): void {
    this.#positions.forEach((position, instrument) => {
      const side = signOf(position);
      const rests = [...this.#resting].some((id) => {
        const intent = this.#intents.get(id);
        return intent?.wholePosition === true && intent.instrument === instrument && (intent.side === 'sell') === side > 0;
      });
      const naked = this.#naked[instrument];
      if (side === 0 || rests) this.#naked[instrument] = undefined;
      else if (naked?.side !== side) this.#naked[instrument] = { side, since: at };
      else
        assert.ok(
          at - naked.since <= this.#latencyMs + 1,
          `instrument ${instrument} was without a disaster stop for ${at - naked.since} ms`,
        );
    });
  }

  #ordersHaveOneState(): void {
    const { engine, venue } = this.#session;
    for (const order of engine.desk.tracker.open) {
      const { id } = order.intent;
      assert.ok(isOpen(order.state), `order ${id} is among the open ones and ${order.state}`);
      assert.ok(!this.#dead.has(id), `order ${id} is open here and dead at the venue`);
    }
    for (const { id } of venue.openOrders())
      assert.ok(
        engine.desk.tracker.open.some(({ intent }) => intent.id === id),
        `order ${id} is open at the venue and not here`,
      );
    engine.desk.tracker.pending.forEach((pending, holding) => {
      if (engine.desk.tracker.open.length === 0)
        assert.ok(isZero(pending), `holding ${holding} waits for ${format(pending)} and no order is open`);
    });
  }

  #latchedSleevesStayOut(): void {
    const { desk, holdings } = this.#session.engine;
    for (const sleeve of this.#latched.keys()) {
      const legs = this.#session.plan.sleeves[sleeve]?.instruments ?? [];
      legs.forEach((_, leg) => {
        const target = desk.wants.target[(holdings.first[sleeve] ?? 0) + leg] ?? ZERO_QUANTITY;
        assert.ok(isZero(target), `latched sleeve ${sleeve} wants ${format(target)}`);
      });
    }
  }

  #equityIsTrue(): void {
    const { portfolio } = this.#session.engine;
    let equity = toNumber(this.#cash);
    this.#positions.forEach((position, instrument) => {
      if (!isZero(position)) equity += toNumber(position) * (portfolio.mark[instrument] ?? NaN);
    });
    assert.ok(
      Math.abs(portfolio.equity - equity) <= 1e-9 * Math.abs(equity),
      `equity is estimated as ${portfolio.equity} and is ${equity}`,
    );
  }
}

/** A sleeve's part of each fill: what the frozen shares come to by now, less what was booked of them before. */
function bookingsOf(session: TestSession, intent: OrderIntent, filled: Quantity, booked: Quantity[]): Booking[] {
  const lot = session.plan.instruments[intent.instrument]?.lot ?? ZERO_QUANTITY;
  return filledShares(intent.shares, filled, lot).flatMap((upTo, index) => {
    const share = intent.shares[index];
    const quantity = subtract(upTo, booked[index] ?? ZERO_QUANTITY);
    booked[index] = upTo;
    if (share === undefined || isZero(quantity)) return [];
    return [{ holding: (session.engine.holdings.first[share.sleeve] ?? 0) + share.leg, quantity }];
  });
}

/** A fresh portfolio from nothing but what was recorded. */
function folded(session: TestSession): Portfolio {
  const { plan, tape, said } = session;
  const portfolio = new Portfolio(plan.sleeves, layOut(plan.sleeves, plan.instruments.length), plan.instruments.length, plan.capital);
  const orders = new Map<string, { intent: OrderIntent; filled: Quantity; booked: Quantity[] }>();
  let offset = 0;
  const price = (until: number): void => {
    for (; offset < until; offset++) {
      const event = tape[offset];
      if (event !== undefined && isMarketEvent(event)) portfolio.markAt(event.instrument, event.close);
    }
  };
  const fold = ({ entry, tapeOffset }: Said): void => {
    price(tapeOffset);
    if (entry.kind === 'order.intended') {
      for (const intent of [entry.intent, ...entry.intent.attached]) orders.set(intent.id, { intent, filled: ZERO_QUANTITY, booked: [] });
    } else if (entry.kind === 'crossing.made') portfolio.cross(entry.instrument, entry.parts, entry.price);
    else if (entry.kind === 'cash.transferred') portfolio.transfer(entry.amount);
    else if (entry.kind === 'funding.paid') portfolio.payFunding(entry.instrument, entry.amount);
    else if (entry.kind === 'position.liquidated') {
      portfolio.bookDisaster(entry.instrument, entry.fill.quantity, entry.fill.price, entry.fill.fee, entry.side);
    } else if (entry.kind === 'order.filled' && entry.fill !== undefined) {
      const order = orders.get(entry.order);
      assert.ok(order !== undefined, 'fills have their orders');
      const { fill } = entry;
      order.filled = add(order.filled, fill.quantity);
      if (order.intent.role === 'disaster')
        portfolio.bookDisaster(entry.instrument, fill.quantity, fill.price, fill.fee, order.intent.side);
      else portfolio.book(entry.instrument, bookingsOf(session, order.intent, order.filled, order.booked), fill.price, fill.fee);
    }
  };
  for (const each of said) fold(each);
  price(tape.length);
  return portfolio;
}

function bytesOf(portfolio: Portfolio): string {
  const out = new ByteWriter();
  portfolio.save(out);
  return Buffer.from(out.view()).toString('hex');
}

const seen = {
  events: 0,
  fills: 0,
  crossings: 0,
  disasters: 0,
  stops: 0,
  halts: 0,
  rejections: 0,
  funding: 0,
  rearmed: 0,
  liquidated: 0,
  tickets: 0,
  rested: 0,
  taken: 0,
  givenBack: 0,
};

async function audit(world: World): Promise<void> {
  const session = new TestSession(partsOf(world));
  const auditor = new Auditor(session, world.latencyMs);
  session.onEntry = (entry) => auditor.hear(entry);
  session.onEvent = (event) => auditor.after(event);
  await session.run();
  seen.events += auditor.events;
  seen.fills += session.of('order.filled').length;
  seen.crossings += session.of('crossing.made').length;
  seen.stops += session.of('sleeve.stopped').length;
  seen.disasters += session.of('sleeve.stopped').filter(({ because }) => because.startsWith('disaster')).length;
  seen.halts += session.of('halt.latched').length;
  seen.rejections += session.of('order.rejected').length;
  seen.funding += session.of('funding.paid').length;
  seen.liquidated += session.of('position.liquidated').length;
  seen.rearmed += session.of('sleeve.rearmed').length;
  seen.tickets += session.of('ticket.closed').length;
  seen.rested += session.of('order.filled').filter(({ fill }) => fill?.liquidity === 'maker').length;
  const transfers = session.of('cash.transferred').map(({ amount }) => signOf(amount));
  seen.taken += transfers.filter((sign) => sign < 0).length;
  seen.givenBack += transfers.filter((sign) => sign > 0).length;
  assert.equal(bytesOf(folded(session)), bytesOf(session.engine.portfolio), 'folding what was recorded gives the portfolio, byte for byte');
}

test('ledgers agree to the last digit, positions are protected, orders have one state and latches hold, after every event', async (context) => {
  const parameters = trials(60);
  await fc.assert(fc.asyncProperty(anyWorld(300), audit), parameters);
  context.diagnostic(`seed ${parameters.seed}, ${parameters.numRuns} worlds: ${JSON.stringify(seen)}`);
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `the worlds hold some ${what}`);
});
