// That the parts sum to the whole for any run is held in trades.test.ts, against the portfolio.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, format } from '../domain/decimal.ts';
import { attribution, type Part } from './attribution.ts';
import { Story } from './journal.fixture.ts';

const MARKS = [
  { first: 100, last: 130 },
  { first: 10, last: 11 },
];

function shown(part: Part): unknown[] {
  const { name, symbols, trades, wins, realised, unrealised, pnl, fees, funding } = part;
  return [name, symbols.join('+'), trades, wins, ...[realised, unrealised, pnl, fees, funding].map(format)];
}

/** A trip that won, one that lost, a pair of which one leg is still open, and funding that came too late. */
function told(): Story {
  const story = new Story();
  story.bar(0, 100, 100, 100).bar(1, 10, 10, 10);
  const pay = (text: string): void =>
    story.tell({ kind: 'funding.paid', at: story.at, happenedAt: story.at, instrument: 1, amount: amount(text), rate: 0 });
  story.trade([[0, 0, '1']], '100', '0.1');
  story.pass().trade([[0, 0, '-1']], '120', '0.12');
  story.trade([[1, 0, '2']], '120', '0.24');
  story.pass().trade([[1, 0, '-2']], '115', '0.23');
  story.trade([[2, 0, '1']], '115', '0.1');
  story.trade([[2, 1, '-10']], '10', '0.1', { instrument: 1 });
  pay('0.5');
  story.pass().trade([[2, 1, '10']], '12', '0.1', { instrument: 1 });
  pay('-0.125');
  return story;
}

test('a sleeve has its trips, an instrument its legs, and both what is open', () => {
  const { pnl, sleeves, instruments, unallocated } = attribution(told().ledger, MARKS);
  assert.deepEqual(sleeves.map(shown), [
    ['trend', 'BTC/USDT', 1, 1, '19.78', '0', '19.78', '0.22', '0'],
    ['reversion', 'BTC/USDT', 1, 0, '-10.47', '0', '-10.47', '0.47', '0'],
    // The leg that was closed lost 20.2 and got 0.5 of funding; the trip is not over.
    ['pair', 'BTC/USDT+ETH/USDT:USDT', 0, 0, '-19.7', '14.9', '-4.8', '0.3', '0.5'],
  ]);
  assert.deepEqual(instruments.map(shown), [
    ['BTC/USDT', 'BTC/USDT', 2, 1, '9.31', '14.9', '24.21', '0.79', '0'],
    ['ETH/USDT:USDT', 'ETH/USDT:USDT', 1, 0, '-19.825', '0', '-19.825', '0.2', '0.5'],
  ]);
  assert.deepEqual([format(unallocated), format(pnl)], ['-0.125', '4.385']);
  // Every order was sent at 100, or at 10.
  assert.deepEqual(
    sleeves.map((part) => part.slippage),
    [-20, 40 - 30, 15 + 20],
  );
});

test('what has no last price is worth what it was entered at', () => {
  const { pnl, sleeves } = attribution(told().ledger, [{ first: NaN, last: NaN }]);
  assert.deepEqual([format(sleeves[2]?.unrealised ?? amount('9')), format(pnl)], ['-0.1', '-10.615']);
});

test('of nothing the parts are nothing', () => {
  const { pnl, sleeves, instruments } = attribution(new Story().ledger, MARKS);
  assert.equal(format(pnl), '0');
  for (const part of [...sleeves, ...instruments]) assert.deepEqual([part.trades, format(part.pnl), part.slippage], [0, '0', 0]);
});
