import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  absolute,
  add,
  amount,
  format,
  isZero,
  negate,
  notional,
  price,
  priceFrom,
  proportion,
  quantity,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Quantity,
} from '../domain/decimal.ts';
import type { Entry } from '../domain/entry.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import type { MarketEvent, OrderReport } from '../domain/event.ts';
import { sumOfShares, type Share } from '../domain/order.ts';
import { HOUR_MS } from '../domain/time.ts';
import { layOut } from '../domain/sleeve.ts';
import { OrderTracker } from '../execution/tracker.ts';
import { Portfolio } from '../portfolio/portfolio.ts';
import { attribution, type Part } from './attribution.ts';
import { HOUR, intentFrom, SLEEVES, START, Story, SUBJECT } from './journal.fixture.ts';
import { returnRatio, TradeLedger, type ClosedTrade } from './trades.ts';

function told(story: Story): ClosedTrade[] {
  return [...story.ledger.trades()];
}

test('a trade goes from flat to flat, at average prices, net of fees', () => {
  const story = new Story();
  story.trade([[0, 0, '2']], '100', '0.2');
  story.pass().trade([[0, 0, '2']], '110', '0.22');
  story.pass().trade([[0, 0, '-1']], '120', '0.12');
  assert.equal(story.ledger.tradeCount, 0);
  story.pass().trade([[0, 0, '-3']], '100', '0.3');
  const [trade] = told(story);
  assert.ok(trade !== undefined);
  assert.deepEqual([trade.sleeve, trade.symbol, trade.side, trade.exit], ['trend', 'BTC/USDT', 'long', 'opinion']);
  assert.deepEqual([trade.openedAt, trade.closedAt], [START, START + 3 * HOUR]);
  assert.deepEqual([trade.entryPrice, trade.exitPrice, trade.quantity, trade.fees, trade.pnl].map(format), [
    '105',
    '105',
    '4',
    '0.84',
    '-0.84',
  ]);
  assert.equal(returnRatio(trade), -0.84 / 420);
  assert.deepEqual(story.ledger.openTrades(), []);
  assert.equal(story.ledger.exposedMs(START + 9 * HOUR), 3 * HOUR);
});

test('a flip ends one trade and begins the next; its fee is divided at flat', () => {
  const story = new Story();
  story.trade([[0, 0, '1']], '100');
  story.pass().trade([[0, 0, '-3']], '110', '0.3');
  const [closed] = told(story);
  const [open] = story.ledger.openTrades();
  assert.ok(closed !== undefined && open !== undefined);
  assert.deepEqual([format(closed.pnl), format(closed.fees), closed.side], ['9.9', '0.1', 'long']);
  assert.deepEqual([format(open.held), format(open.fees), format(open.cash), open.side], ['-2', '0.2', '219.8', 'short']);
  assert.equal(open.round, closed.round + 1);
});

test('an entry at a single price keeps it to the last digit', () => {
  const story = new Story();
  for (let index = 0; index < 3; index++) story.trade([[0, 0, '0.333333333333']], '64123.511111111111');
  assert.equal(format(story.ledger.openTrades()[0]?.entryPrice ?? price('0')), '64123.511111111111');
});

test('a fill is divided by the frozen shares, and counts once', () => {
  const story = new Story();
  const intent = story.intend([
    [0, 0, '1'],
    [1, 0, '2'],
  ]);
  const first = story.fill(intent, '100', '0.1', '1');
  const second = story.fill(intent, '100', '0.1', '1');
  const third = story.fill(intent, '100', '0.1', '1');
  story.tell(first);
  story.tell(first);
  story.tell(second);
  story.tell(first);
  story.tell(third);
  assert.deepEqual(
    story.ledger.openTrades().map((trade) => format(trade.held)),
    ['1', '2'],
  );
  assert.equal(story.ledger.fillCount, 3);
  assert.equal(format(story.ledger.fees), '0.3');
});

test('the legs of a pair share the round of their sleeve', () => {
  const story = new Story();
  const both = (bitcoin: string, ether: string): void => {
    story.pass().trade([[2, 0, bitcoin]], '100');
    story.trade([[2, 1, ether]], '10', '0', { instrument: 1 });
  };
  both('1', '-10');
  both('-1', '10');
  both('-1', '10');
  both('2', '-20');
  both('-1', '10');
  assert.deepEqual(
    told(story).map((trade) => [trade.symbol, trade.side, trade.round]),
    [
      ['BTC/USDT', 'long', 1],
      ['ETH/USDT:USDT', 'short', 1],
      ['BTC/USDT', 'short', 2],
      ['ETH/USDT:USDT', 'long', 2],
      ['BTC/USDT', 'long', 3],
      ['ETH/USDT:USDT', 'short', 3],
    ],
  );
});

test('the exit names what ended the trade', () => {
  const story = new Story();
  const enter = (): void => {
    story.pass().decide(0, 1, ['1']);
    story.trade([[0, 0, '1']], '100');
  };
  const leave = (): void => story.pass().trade([[0, 0, '-1']], '100');
  const stopped = { kind: 'sleeve.stopped', at: 0, sleeve: 0, because: '' } as const;
  const moved = { kind: 'stop.moved', at: 0, sleeve: 0, stopPrice: 1 } as const;
  const closed = { kind: 'sleeve.closed', at: 0, sleeve: 0, because: '' } as const;
  const spoke = { kind: 'operator.spoke', at: 0, happenedAt: 0, command: 'flatten', argument: '', by: 'me' } as const;
  enter();
  story.decide(0, 0, ['0']);
  leave();
  enter();
  story.decide(0, 1, ['0']);
  leave();
  enter();
  story.say(stopped);
  leave();
  enter();
  story.say(moved);
  story.say(stopped);
  leave();
  enter();
  story.say({ kind: 'halt.latched', at: 0, cause: 'drawdown' });
  leave();
  enter();
  story.tell(spoke, closed);
  leave();
  enter();
  story.say(closed);
  leave();
  // At the venue, by the order's role; the word that follows in the same event adds nothing.
  for (const role of ['stop', 'disaster'] as const) {
    enter();
    const stop = story.intend(role === 'stop' ? [[0, 0, '-1']] : [], { role, side: 'sell' });
    story.pass().tell(story.fill(stop, '97', '0', '1'), stopped);
  }
  // The stop was rejected, and the position closed for it.
  enter();
  const naked = story.intend([[0, 0, '-1']], { role: 'stop' });
  const rejected: Entry = { ...report(naked.id), kind: 'order.rejected', reason: 'too many stops' };
  story.tell(rejected, closed);
  leave();
  const exits = ['opinion', 'risk rule', 'stop', 'trailing stop', 'halt', 'operator', 'one leg', 'stop', 'disaster stop', 'unprotected'];
  assert.deepEqual(
    told(story).map((trade) => trade.exit),
    exits,
  );
  assert.equal(story.ledger.stopOuts, 4);
  assert.deepEqual(story.ledger.haltCauses, ['drawdown']);
  assert.ok(story.ledger.isHalted);
  assert.deepEqual(story.ledger.stopPlaces(), { trend: 'venue and engine', reversion: 'none', pair: 'none' });
});

function report(order: string): OrderReport {
  return { kind: 'order.cancelled', at: START, happenedAt: START, instrument: 0, order, reason: '', fill: undefined };
}

test('a disaster stop that finds nothing to shrink goes to the first holding, as it does in the portfolio', () => {
  const story = new Story();
  const stop = story.intend([], { role: 'disaster', side: 'sell' });
  story.tell(story.fill(stop, '90', '0.1', '2'));
  const [open] = story.ledger.openTrades();
  assert.deepEqual([open?.sleeve, format(open?.held ?? ZERO_QUANTITY), format(open?.cash ?? ZERO_AMOUNT)], ['trend', '-2', '179.9']);
});

test('a stop that fills in parts is one stop-out', () => {
  const story = new Story();
  story.trade([[0, 0, '2']], '100');
  const stop = story.intend([[0, 0, '-2']], { role: 'stop' });
  const stopped = { kind: 'sleeve.stopped', at: 0, sleeve: 0, because: '' } as const;
  story.tell(story.fill(stop, '97', '0', '1'), stopped);
  story.tell(story.fill(stop, '96', '0', '1'), stopped);
  assert.equal(story.ledger.stopOuts, 1);
  assert.deepEqual(
    told(story).map((trade) => [trade.exit, format(trade.exitPrice)]),
    [['stop', '96.5']],
  );
  story.say({ kind: 'sleeve.rearmed', at: 0, sleeve: 0 });
  story.say(stopped);
  assert.equal(story.ledger.stopOuts, 2);
});

test("a liquidation is a fill of nobody's order that ends the trade by name", () => {
  const story = new Story();
  story.trade([[0, 0, '2']], '100');
  const fill = { id: 'l1', price: price('90'), quantity: quantity('2'), fee: amount('-10'), liquidity: 'taker' } as const;
  const liquidated = { kind: 'position.liquidated', at: story.at, happenedAt: story.at, instrument: 0, side: 'sell', fill } as const;
  story
    .pass()
    .tell(
      { ...liquidated, insurance: amount('10'), deleveraged: amount('0') },
      { kind: 'sleeve.stopped', at: 0, sleeve: 0, because: 'liquidated by the venue' },
    );
  assert.deepEqual(
    told(story).map((trade) => [trade.exit, format(trade.exitPrice), format(trade.pnl)]),
    [['liquidation', '90', '-10']],
  );
  assert.equal(story.ledger.fillCount, 2);
});

test('a crossing trades without a fill, a fee or a venue', () => {
  const story = new Story();
  story.trade([[0, 0, '1']], '100');
  const parts = [
    { sleeve: 0, leg: 0, quantity: quantity('-1') },
    { sleeve: 1, leg: 0, quantity: quantity('1') },
  ];
  story.pass().tell({ kind: 'crossing.made', at: story.at, instrument: 0, price: price('120'), parts });
  assert.deepEqual(
    told(story).map((trade) => format(trade.pnl)),
    ['20'],
  );
  assert.deepEqual(
    story.ledger.openTrades().map((trade) => [trade.sleeve, format(trade.entryPrice)]),
    [['reversion', '120']],
  );
  assert.equal(story.ledger.fillCount, 1);
  assert.equal(story.ledger.crossings, 1);
});

test('funding goes to those who hold, and to nobody when nobody does', () => {
  const story = new Story();
  const funding = { kind: 'funding.paid', at: START, happenedAt: START, instrument: 1, amount: amount('-0.5'), rate: 0.0001 } as const;
  story.trade([[2, 1, '10']], '10', '0', { instrument: 1 });
  story.tell(funding);
  story.trade([[2, 1, '-10']], '10', '0', { instrument: 1 });
  story.tell(funding);
  assert.deepEqual(
    told(story).map((trade) => [format(trade.funding), format(trade.pnl)]),
    [['-0.5', '-0.5']],
  );
  assert.equal(format(story.ledger.unallocated), '-0.5');
  assert.equal(format(story.ledger.funding), '-1');
  assert.deepEqual(
    Array.from(story.ledger.fundingPayments(), (payment) => [payment.symbol, format(payment.amount)]),
    [
      ['ETH/USDT:USDT', '-0.5'],
      ['ETH/USDT:USDT', '-0.5'],
    ],
  );
});

test('a trade knows how far the price went against it and for it', () => {
  const story = new Story();
  story.bar(0, 90, 120, 100).trade([[0, 0, '1']], '100');
  story.pass().bar(0, 96, 103, 101).bar(1, 1, 1_000, 10);
  story.pass().bar(0, 99, 108, 104);
  // The bar in which it ends is known after it: only the fill counts.
  story.pass().trade([[0, 0, '-1']], '95');
  story.bar(0, 50, 200, 95);
  story.trade([[0, 0, '-2']], '100');
  story
    .pass()
    .bar(0, 98, 107, 100)
    .trade([[0, 0, '2']], '97');
  const [long, short] = told(story);
  assert.deepEqual([long?.maxAdverseRatio, long?.maxFavourableRatio], [0.05, 0.08]);
  assert.deepEqual([short?.maxAdverseRatio, short?.maxFavourableRatio], [0.07, 0.03]);
});

test('the distance is from the average entry, and each sleeve has its own', () => {
  const story = new Story();
  story.bar(0, 100, 100, 100).trade([[0, 0, '1']], '100');
  story.trade([[1, 0, '1']], '90');
  story
    .pass()
    .bar(0, 90, 110, 100)
    .trade([[0, 0, '1']], '110');
  story.pass().bar(0, 84, 112, 100);
  story.trade([[0, 0, '-2']], '100');
  story.trade([[1, 0, '-1']], '100');
  const [first, second] = told(story);
  assert.deepEqual([first?.maxAdverseRatio, first?.maxFavourableRatio], [21 / 105, 7 / 105]);
  assert.deepEqual([second?.maxAdverseRatio, second?.maxFavourableRatio], [6 / 90, 22 / 90]);
});

test('slippage is measured against the price that an order was sent at, or the level of its stop', () => {
  const story = new Story();
  story.bar(0, 100, 100, 100);
  const entry = story.intend([[0, 0, '2']]);
  story
    .pass()
    .bar(0, 100, 120, 120)
    .tell(story.fill(entry, '101', '0', '1'));
  story.tell(story.fill(entry, '103', '0', '1'));
  // Its stop stands at 1, and is filled 0.25 below.
  const stop = story.intend([[0, 0, '-2']], { role: 'stop' });
  story.tell(story.fill(stop, '0.75'));
  assert.equal(told(story)[0]?.slippage, 1 + 3 + 0.5);
  assert.equal(story.ledger.slippage, 4.5);
  // A flip divides it at flat; a sale above the price that was known gains.
  story.trade([[1, 0, '1']], '120');
  story.trade([[1, 0, '-3']], '122');
  assert.equal(told(story)[1]?.slippage, -2);
  assert.equal(story.ledger.openTrades()[0]?.slippage, -4);
  assert.equal(story.ledger.slippage, 4.5 - 6);
  // What sleeves trade with each other costs nobody anything.
  const parts = [
    { sleeve: 0, leg: 0, quantity: quantity('1') },
    { sleeve: 1, leg: 0, quantity: quantity('-1') },
  ];
  story.tell({ kind: 'crossing.made', at: story.at, instrument: 0, price: price('90'), parts });
  assert.equal(story.ledger.slippage, 4.5 - 6);
});

test('a stop that came back to life with a late fill of its entry is known as long as it rests', () => {
  const story = new Story();
  const stop = {
    ...intentFrom('s-1', START, [{ sleeve: 0, leg: 0, quantity: quantity('-2') }], quantity('2')),
    role: 'stop',
    side: 'sell',
  } as const;
  const entry = story.intend([[0, 0, '2']], { attached: [stop] });
  story.tell(report(entry.id));
  story.tell(story.fill(entry, '100'));
  for (let index = 0; index < 40; index++) {
    const other = story.intend([[1, 0, '1']]);
    story.tell({ ...report(other.id), at: START + 2 * HOUR_MS });
  }
  story.tell({ ...story.fill(stop, '99'), at: START + 3 * HOUR_MS });
  assert.deepEqual(story.ledger.openTrades(), []);
});

test('the slippage of a stop that was moved is measured from where it was moved to', () => {
  const story = new Story();
  story.bar(0, 100, 100, 100).trade([[0, 0, '2']], '100');
  const stop = story.intend([[0, 0, '-2']], { role: 'stop' });
  const { id: order, instrument } = stop;
  story.tell({
    kind: 'order.amended',
    at: START,
    happenedAt: START,
    instrument,
    order,
    asked: price('98'),
    stopPrice: price('98'),
    reason: '',
  });
  story.tell(story.fill(stop, '97.5'));
  assert.equal(story.ledger.slippage, 1);
});

test('the shares of an order have its slippage by what each of them trades', () => {
  const story = new Story();
  story.bar(0, 100, 100, 100).trade(
    [
      [0, 0, '1'],
      [1, 0, '3'],
    ],
    '102',
  );
  assert.deepEqual(
    story.ledger.openTrades().map((trade) => trade.slippage),
    [2, 6],
  );
});

test('without prices nothing is known of either, and marks of a venue are no prices', () => {
  const story = new Story();
  story.ledger.price({ ...markAt(100), kind: 'mark.changed' });
  story.trade([[0, 0, '1']], '100');
  story.pass().trade([[0, 0, '-1']], '110');
  const [trade] = told(story);
  assert.deepEqual([trade?.slippage, trade?.maxAdverseRatio, trade?.maxFavourableRatio], [NaN, NaN, NaN]);
  assert.ok(Number.isNaN(story.ledger.slippage));
});

function markAt(close: number): MarketEvent {
  return {
    kind: 'trade.printed',
    at: START,
    happenedAt: START,
    instrument: 0,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1,
    warmup: false,
  };
}

test('what was learned from prices is restored into a ledger that was told the same rows', () => {
  const told = (story: Story): Story => {
    for (let index = 0; index < 100; index++) {
      story.trade([[0, 0, index % 2 === 0 ? '1' : '-1']], String(100 + (index % 7)));
      story.pass();
    }
    story.trade([[0, 0, '1']], '100');
    return story;
  };
  const priced = new Story();
  priced.bar(0, 90, 110, 100);
  told(priced);
  priced.bar(0, 80, 130, 100);
  const bytes = new ByteWriter();
  priced.ledger.save(bytes);
  const restored = told(new Story());
  assert.notDeepEqual([...restored.ledger.trades()], [...priced.ledger.trades()]);
  restored.ledger.restore(new ByteReader(bytes.view()));
  for (const story of [priced, restored]) {
    story.pass().bar(0, 85, 140, 100);
    story.trade([[0, 0, '-1']], '99');
  }
  assert.deepEqual([...restored.ledger.trades()], [...priced.ledger.trades()]);
  assert.equal(restored.ledger.slippage, priced.ledger.slippage);
  assert.throws(() => new Story().ledger.restore(new ByteReader(bytes.view())), /a snapshot of the trades is of the rows before it/);
});

test('rulings, refusals, alerts and kinds of entries are counted', () => {
  const story = new Story();
  const clamp = { rule: 'position limit', kind: 'clamp', why: '', scales: [1] } as const;
  story.decide(0, 1, ['1'], { rulings: [clamp, { ...clamp, rule: 'heat' }] });
  story.decide(0, 1, ['1'], { rulings: [clamp, { ...clamp, rule: 'drawdown', kind: 'halt' }] });
  story.tell({ kind: 'order.refused', at: START, order: '1-1', instrument: 0, rule: 'collar', why: '' });
  story.say({ kind: 'alert.raised', at: START, rule: 'daily-loss', why: '' });
  assert.deepEqual(story.ledger.rulings(), { collar: 1, drawdown: 1, heat: 1, 'position limit': 2 });
  assert.deepEqual(story.ledger.rulingCounts().get('position limit'), { clamps: 2, halts: 0, refusals: 0 });
  assert.deepEqual(story.ledger.alerts(), { 'daily-loss': 1 });
  assert.deepEqual(story.ledger.counts(), { 'alert.raised': 1, 'decision.taken': 2, 'order.refused': 1 });
});

test('a report on an order that nobody sent changes nothing', () => {
  const story = new Story();
  const stranger = intentFrom('9-9', START, [], quantity('1'));
  story.tell(story.fill(stranger, '100'));
  story.tell(report('9-9'));
  assert.equal(story.ledger.fillCount, 0);
});

test('long after its end an order is forgotten, as the order tracker forgets it', () => {
  const story = new Story();
  const early = story.intend([[0, 0, '2']]);
  story.tell(story.fill(early, '100', '0', '1'));
  story.tell(report(early.id));
  story.tell(story.fill(early, '100', '0', '0.5'));
  assert.equal(story.ledger.fillCount, 2);
  for (let index = 0; index < 100; index++) {
    const later = story.intend([[1, 0, index % 2 === 0 ? '1' : '-1']]);
    story.tell({ ...story.fill(later, '100'), at: START + 2 * HOUR_MS });
  }
  story.tell(story.fill(early, '100', '0', '0.5'));
  assert.equal(story.ledger.fillCount, 102);
  assert.equal(format(story.ledger.openTrades()[0]?.held ?? ZERO_QUANTITY), '1.5');
});

// ---- against the ledger --------------------------------------------------------------------------------------------------

const holdings = layOut(SLEEVES, 2);

/** The engine's own ledger and order tracker, told the same. */
class Witness {
  readonly portfolio = new Portfolio(SLEEVES, holdings, 2, amount('10000'));
  readonly tracker = new OrderTracker(holdings);
  readonly ledger = new TradeLedger(SUBJECT);
  #sequence = 0;
  #numbers = 0;

  tell(entry: Entry): void {
    this.ledger.entry(entry, ++this.#sequence);
    if (entry.kind === 'order.intended') this.tracker.submitted(entry.intent);
    else if (entry.kind === 'crossing.made') this.portfolio.cross(entry.instrument, entry.parts, entry.price);
    else if (entry.kind === 'funding.paid') this.portfolio.payFunding(entry.instrument, entry.amount);
    else if (entry.kind === 'order.filled' || entry.kind === 'order.cancelled') {
      const found = this.tracker.report(entry);
      if (found === undefined || found.news === 'none' || entry.fill === undefined) return;
      const { fill, instrument } = entry;
      if (found.order.intent.role === 'disaster')
        this.portfolio.bookDisaster(instrument, fill.quantity, fill.price, fill.fee, found.order.intent.side);
      else this.portfolio.book(instrument, found.parts, fill.price, fill.fee);
    }
  }

  order(instrument: number, shares: readonly Share[], step: Step): void {
    const id = `1-${++this.#numbers}`;
    const total = sumOfShares(shares);
    const attached = step.isDisaster ? [intentFrom(`${id}-stop`, 0, [], negate(total), { instrument, role: 'disaster' })] : [];
    const intent = intentFrom(id, 0, shares, total, { instrument, attached });
    this.tell({ kind: 'order.intended', at: 0, intent, costRatio: NaN, algorithm: 'market' });
    let left = intent.quantity;
    step.parts.forEach((part, index) => {
      const filled = index === step.parts.length - 1 && step.isComplete ? left : proportion(left, quantity(String(part)), quantity('100'));
      left = subtract(left, filled);
      if (isZero(filled)) return;
      const entry = this.#fill(id, instrument, filled, step);
      this.tell(entry);
      if (step.isRepeated) this.tell(entry);
    });
    if (!step.isComplete) this.tell({ ...report(id), instrument });
    const net = this.portfolio.net[instrument] ?? ZERO_QUANTITY;
    if (step.isDisaster && !isZero(net)) {
      const part = proportion(absolute(net), quantity(String(step.share)), quantity('100'));
      this.tell(this.#fill(`${id}-stop`, instrument, isZero(part) ? absolute(net) : part, step));
    }
  }

  #fill(order: string, instrument: number, filled: Quantity, step: Step): Entry {
    const fill = {
      id: `f${++this.#numbers}`,
      price: price(step.price),
      quantity: filled,
      fee: amount(step.fee),
      liquidity: 'taker',
    } as const;
    return { ...report(order), kind: 'order.filled', instrument, fill };
  }

  check(): void {
    const { portfolio, ledger } = this;
    SLEEVES.forEach((sleeve, index) => {
      let money = ZERO_AMOUNT;
      let fees = ZERO_AMOUNT;
      let funding = ZERO_AMOUNT;
      for (const trade of ledger.trades()) {
        if (trade.sleeve !== sleeve.name) continue;
        money = add(money, trade.pnl);
        fees = add(fees, trade.fees);
        funding = add(funding, trade.funding);
      }
      for (const trade of ledger.openTrades()) {
        if (trade.sleeve !== sleeve.name) continue;
        money = add(money, trade.cash);
        fees = add(fees, trade.fees);
        funding = add(funding, trade.funding);
      }
      const won = subtract(portfolio.cash[index] ?? ZERO_AMOUNT, portfolio.givenCash[index] ?? ZERO_AMOUNT);
      assert.equal(format(money), format(won), `money of ${sleeve.name}`);
      assert.equal(format(fees), format(portfolio.fees[index] ?? ZERO_AMOUNT), `fees of ${sleeve.name}`);
      assert.equal(format(funding), format(portfolio.funding[index] ?? ZERO_AMOUNT), `funding of ${sleeve.name}`);
    });
    const reserve = subtract(portfolio.cash.at(-1) ?? ZERO_AMOUNT, portfolio.givenCash.at(-1) ?? ZERO_AMOUNT);
    assert.equal(format(ledger.unallocated), format(reserve), 'money of no trade');
    this.#checkParts();
    const held = ledger.openTrades().map((trade) => format(trade.held));
    assert.deepEqual(held, portfolio.quantity.filter((each) => !isZero(each)).map(format));
  }

  /** At a last price that divides badly. */
  #checkParts(): void {
    const last = [price('64123.123456789012'), price('0.333333333333')];
    const { pnl, sleeves, instruments, unallocated } = attribution(
      this.ledger,
      last.map((each) => ({ first: NaN, last: toNumber(each) })),
    );
    const sum = (parts: readonly Part[]): Amount => parts.reduce((total, part) => add(total, part.pnl), ZERO_AMOUNT);
    assert.equal(format(add(sum(sleeves), unallocated)), format(pnl), 'sleeves');
    assert.equal(format(sum(instruments)), format(pnl), 'instruments');
    let worth = subtract(this.portfolio.totalCash(), amount('10000'));
    last.forEach((each, instrument) => {
      const own = priceFrom(toNumber(each), ZERO_PRICE, 'nearest');
      worth = add(worth, notional(own, this.portfolio.net[instrument] ?? ZERO_QUANTITY));
    });
    assert.equal(format(pnl), format(worth), 'the whole is what the portfolio has gained');
    for (const part of [...sleeves, ...instruments]) assert.equal(format(part.pnl), format(add(part.realised, part.unrealised)));
    assert.equal(format(sleeves.reduce((total, part) => add(total, part.fees), ZERO_AMOUNT)), format(this.ledger.fees), 'fees');
  }
}

interface Step {
  readonly what: 'order' | 'crossing' | 'funding';
  readonly instrument: number;
  readonly isSale: boolean;
  readonly quantities: readonly string[];
  readonly parts: readonly number[];
  readonly isComplete: boolean;
  readonly isRepeated: boolean;
  readonly isDisaster: boolean;
  readonly share: number;
  readonly price: string;
  readonly fee: string;
}

const decimalText = fc
  .bigInt({ min: 1n, max: 10n ** 13n })
  .map((units) => `${units / 10n ** 9n}.${(units % 10n ** 9n).toString().padStart(9, '0')}`);
const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('order', 'order', 'order', 'crossing', 'funding'),
  instrument: fc.constantFrom(0, 0, 1),
  isSale: fc.boolean(),
  quantities: fc.array(decimalText, { minLength: 3, maxLength: 3 }),
  parts: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 }),
  isComplete: fc.boolean(),
  isRepeated: fc.boolean(),
  isDisaster: fc.boolean(),
  share: fc.integer({ min: 1, max: 100 }),
  price: decimalText,
  fee: decimalText,
});

test('closed trades and open positions sum to the portfolio, sleeve by sleeve, to the last digit', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const witness = new Witness();
      for (const step of steps) {
        const { instrument } = step;
        const shares = (holdings.ofInstrument[instrument] ?? []).map((holding, index): Share => {
          const part = quantity(step.quantities[index] ?? '1');
          return { sleeve: holdings.sleeve[holding] ?? 0, leg: holdings.leg[holding] ?? 0, quantity: step.isSale ? negate(part) : part };
        });
        const [first, second] = shares;
        if (step.what === 'order') witness.order(instrument, shares.slice(0, 1 + (step.share % shares.length)), step);
        else if (step.what === 'funding') {
          witness.tell({
            kind: 'funding.paid',
            at: 0,
            happenedAt: 0,
            instrument,
            amount: step.isSale ? negate(amount(step.fee)) : amount(step.fee),
            rate: 0,
          });
        } else if (first !== undefined && second !== undefined) {
          const parts = [first, { ...second, quantity: negate(first.quantity) }];
          witness.tell({ kind: 'crossing.made', at: 0, instrument, price: price(step.price), parts });
        }
        witness.check();
      }
    }),
    { numRuns: 150 },
  );
});
