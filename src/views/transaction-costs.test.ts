import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { amount, price, quantity } from '../domain/decimal.ts';
import type { Entry } from '../domain/entry.ts';
import type { OrderIntent, Side, TicketAlgorithm } from '../domain/order.ts';
import { intentOf, Story, SUBJECT } from './journal.fixture.ts';
import { sessionSummary } from './report.ts';
import type { ExecutionRow } from './transaction-costs.ts';
import { TradeLedger } from './trades.ts';

/** An order of a ticket, or one at the market. */
function sent(
  story: Story,
  id: string,
  signed: string,
  costRatio: number,
  algorithm: TicketAlgorithm | 'market' = 'limit-first',
): OrderIntent {
  const intent = intentOf(id, story.at, [[0, 0, signed]]);
  story.tell({ kind: 'order.intended', at: story.at, intent, costRatio, algorithm });
  return intent;
}

function filled({ id, instrument }: OrderIntent, at: string, part: string, fee: string, liquidity: 'maker' | 'taker'): Entry {
  const fill = { id: `${id} ${part} ${at}`, price: price(at), quantity: quantity(part), fee: amount(fee), liquidity };
  return { kind: 'order.filled', at: 0, happenedAt: 0, instrument, order: id, reason: '', fill };
}

function cancelled({ id, instrument }: OrderIntent): Entry {
  return { kind: 'order.cancelled', at: 0, happenedAt: 0, instrument, order: id, reason: 'asked for', fill: undefined };
}

function opened(story: Story, side: Side, wanted: string, arrivalPrice: number): void {
  story.say({
    kind: 'ticket.opened',
    at: story.at,
    instrument: 0,
    algorithm: 'limit-first',
    side,
    quantity: quantity(wanted),
    arrivalPrice,
  });
}

function rounded(rows: readonly ExecutionRow[]): unknown[] {
  return rows.map((row) =>
    (Object.values(row) as readonly (string | number | null)[]).map((value) =>
      typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value,
    ),
  );
}

/** Ten wanted at 100: six as maker at 100, three of the rest at 101, one never; the price is 102 when the ticket is closed. */
function ticket(story: Story): void {
  story.bar(0, 100, 100, 100);
  opened(story, 'buy', '10', 100);
  const limit = sent(story, '1-1', '10', 0.0002);
  story.tell(filled(limit, '100', '6', '0.12', 'maker'));
  story.bar(0, 101, 101, 101);
  story.tell(cancelled(limit));
  const rest = sent(story, '1-2', '4', 0.001);
  story.tell(filled(rest, '101', '3', '0.1515', 'taker'));
  story.tell(cancelled(rest));
  story.bar(0, 102, 102, 102);
}

// Notional wanted 1,000, filled 900; slippage 3, fees 0.2715, missed 1 x 2; expected 600 x 2 bp + 300 x 10 bp.
const TICKET = ['limit-first', 1, 2, 1_000, 0.9, 0.666667, 33.333333, 3.016667, 20, 52.715, 4.666667];

describe('what orders cost', () => {
  test('of a ticket: all its orders against the one arrival price, and what was missed of it', () => {
    const story = new Story();
    ticket(story);
    story.say({ kind: 'ticket.closed', at: story.at, instrument: 0, because: 'test' });
    assert.deepEqual(rounded(story.ledger.executionCosts()), [TICKET]);
  });

  test('at the market: each order against the mark when it was sent; a sale is mirrored, and what was never filled is missed', () => {
    const story = new Story();
    story.bar(0, 100, 100, 100);
    const buy = sent(story, '1-1', '2', 0.0011, 'market');
    story.tell(filled(buy, '100.05', '2', '0.12', 'taker'));
    story.bar(0, 200, 200, 200);
    const sale = sent(story, '2-1', '-1', 0.0011, 'market');
    story.tell(filled(sale, '199', '0.5', '0.06', 'taker'));
    story.bar(0, 190, 190, 190);
    story.tell(cancelled(sale));
    // Wanted 400, filled 300; slippage 0.1 + 0.5; missed 0.5 x 10.
    assert.deepEqual(rounded(story.ledger.executionCosts()), [['market', 2, 2, 400, 0.75, 0, 20, 6, 125, 144.5, 11]]);
  });

  test('an order at the market beside a ticket is not of it, and protective stops are of none', () => {
    const story = new Story();
    story.bar(0, 100, 100, 100);
    opened(story, 'buy', '10', 90);
    const own = sent(story, '1-1', '1', 0.0011, 'market');
    story.tell(filled(own, '100', '1', '0', 'taker'));
    const stop = story.intend([[0, 0, '-1']], { role: 'stop' });
    story.tell(story.fill(stop, '50'));
    const rows = story.ledger.executionCosts();
    assert.deepEqual(
      rows.map(({ algorithm, orders, slippageBps }) => [algorithm, orders, slippageBps]),
      [
        ['market', 1, 0],
        ['limit-first', 0, null],
      ],
    );
  });

  test('stand in the last words of a session', () => {
    const story = new Story();
    ticket(story);
    story.say({ kind: 'ticket.closed', at: story.at, instrument: 0, because: 'test' });
    const { ledger } = story;
    const session = {
      ended: 'test',
      capital: amount('1000'),
      currency: 'USDT',
      equity: 1_000,
      basis: 1_000,
      ledger,
      marks: [],
      folder: 'runs/a1',
    };
    assert.match(sessionSummary(session), /cost by limit-first +52\.7\d bp of 1 decided, 4\.67 expected of what was filled/);
  });

  test('more that was wanted before the ticket was closed is wanted, and a late fill counts', () => {
    const story = new Story();
    story.bar(0, 100, 100, 100);
    opened(story, 'sell', '1', 100);
    const first = sent(story, '1-1', '-3', 0);
    story.tell(filled(first, '99', '2', '0', 'maker'));
    story.say({ kind: 'ticket.closed', at: story.at, instrument: 0, because: 'test' });
    story.tell(filled(first, '99', '1', '0', 'maker'));
    const [row] = story.ledger.executionCosts();
    assert.deepEqual([row?.wanted, row?.filledRatio, row?.slippageBps, row?.opportunityBps], [300, 1, 100, 0]);
  });

  test('saved in the middle of a ticket and restored into a ledger that was told the same rows, they go on', () => {
    const story = new Story();
    const rows: [Entry, number][] = [];
    const tell = story.ledger.entry.bind(story.ledger);
    story.ledger.entry = (entry, sequence) => {
      rows.push([entry, sequence]);
      tell(entry, sequence);
    };
    ticket(story);
    const market = sent(story, '2-1', '1', 0.001, 'market');
    const out = new ByteWriter();
    story.ledger.save(out);
    const restored = new TradeLedger(SUBJECT);
    for (const [entry, sequence] of rows) restored.entry(entry, sequence);
    restored.restore(new ByteReader(out.view()));
    for (const ledger of [story.ledger, restored]) {
      ledger.entry(filled(market, '103', '1', '0.1', 'taker'), 100);
      ledger.entry({ kind: 'ticket.closed', at: story.at, instrument: 0, because: 'test' }, 101);
    }
    assert.deepEqual(restored.executionCosts(), story.ledger.executionCosts());
    assert.deepEqual(rounded(restored.executionCosts())[1], TICKET);
  });
});
