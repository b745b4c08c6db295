// The rules of matching on tapes of books one by one, each worked out by hand. The book is 5 at 99, 10 at 98 and 20 at 97 against 5 at 101, 10
// at 102 and 20 at 103 unless it says otherwise; orders are sent at 60,000 and arrive a millisecond later. See matching-case.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quantity } from '../../src/domain/decimal.ts';
import type { MatchingRules } from '../../src/venues/simulated/rules.ts';
import { holds, PERPETUAL, SPOT, type Case } from './matching-case.ts';

const WHOLE = '0 whole bid 99 5 98 10 97 20 ask 101 5 102 10 103 20';
const FLAT = '100 101 99 100';

/** Orders, what happens on the tape after the first book, and what is said. */
function on(
  sends: readonly string[],
  tape: readonly string[],
  says: readonly string[],
  rules: Partial<MatchingRules> = {},
  more: Partial<Case> = {},
): Case {
  return { bars: [FLAT, FLAT], sends, book: [WHOLE, ...tape], says, ...more, settings: { ...more.settings, rules } };
}

type Cases = Readonly<Record<string, Case>>;

const taking: Cases = {
  'a market buy takes level after level': on(['1 a: buy 8'], [], ['filled a 5 at 101 taker', 'filled a 3 at 102 taker']),
  'a market sale too': on(['1 a: sell 7'], [], ['filled a 5 at 99 taker', 'filled a 2 at 98 taker']),
  'what was taken is not there for the next': on(['1 a: buy 5', '1 b: buy 2'], [], ['filled a 5 at 101 taker', 'filled b 2 at 102 taker']),
  'what is left of a level is': on(
    ['1 a: buy 3', '1 b: buy 3'],
    [],
    ['filled a 3 at 101 taker', 'filled b 2 at 101 taker', 'filled b 1 at 102 taker'],
  ),
  'a message about a level offers it again': on(
    ['1 a: buy 5', '2 b: buy 2'],
    ['90000 ask 101 4'],
    ['filled a 5 at 101 taker', 'filled b 2 at 101 taker'],
  ),
  'a message about another level does not': on(
    ['1 a: buy 5', '2 b: buy 2'],
    ['90000 ask 102 9'],
    ['filled a 5 at 101 taker', 'filled b 2 at 102 taker'],
  ),
  'a trade does not': on(['1 a: buy 5', '2 b: buy 2'], ['90000 buy 1 at 101'], ['filled a 5 at 101 taker', 'filled b 2 at 102 taker']),
  'a whole book offers everything again': on(
    ['1 a: buy 5', '2 b: buy 2'],
    ['90000 whole bid 99 5 ask 101 5'],
    ['filled a 5 at 101 taker', 'filled b 2 at 101 taker'],
  ),
  'what one side has given the other has not': on(['1 a: buy 5', '1 b: sell 5'], [], ['filled a 5 at 101 taker', 'filled b 5 at 99 taker']),
  'for more than the book has the rest waits for what comes': on(
    ['1 a: buy 36'],
    ['90000 ask 104 3'],
    ['filled a 5 at 101 taker', 'filled a 10 at 102 taker', 'filled a 20 at 103 taker', 'filled a 1 at 104 taker'],
  ),
  'without a book a market order waits for one': {
    ...on(['1 a: buy 1'], [], ['accepted a', 'filled a 1 at 101 taker']),
    book: ['70000 whole bid 99 5 ask 101 5'],
  },
  'a book of which a message is missing is none until the next whole one': on(
    ['2 a: buy 1'],
    ['90000 lost', '130000 whole bid 99 5 ask 105 5'],
    ['accepted a', 'filled a 1 at 105 taker'],
  ),
  'a level of less than a lot is passed over': {
    ...on(['1 a: buy 1'], [], ['filled a 1 at 102 taker']),
    book: ['0 whole bid 99 5 ask 101 0.0005 102 5'],
  },
  'of a level that is no whole lots the whole ones are taken': on(
    ['1 a: buy 6'],
    ['50000 ask 101 2.5'],
    ['filled a 2 at 101 taker', 'filled a 4 at 102 taker'],
    {},
    {
      settings: { instruments: [{ ...PERPETUAL, lot: quantity('1') }] },
    },
  ),
  'the book is the slippage: none is added': on(['1 a: buy 1'], [], ['filled a 1 at 101 taker'], {}, { settings: { slippageRatio: 0.01 } }),
  'the share of volume is of bars': on(['1 a: buy 8'], [], ['filled a 5 at 101 taker', 'filled a 3 at 102 taker'], {
    volumeShareRatio: 0.01,
  }),
  'each level pays its fee': on(['1 a: buy 8'], [], ['filled a 5 at 101 taker', 'filled a 3 at 102 taker'], {}, { cash: '9188.189' }),
  'an order takes the book of its arrival': on(
    ['1 a: buy 1'],
    ['60100 ask 101 0 100.5 5'],
    ['filled a 1 at 100.5 taker'],
    {},
    {
      settings: { latencyMs: 101 },
    },
  ),
  'what the tape has at the moment of its arrival comes after it': on(['1 a: buy 1'], ['60001 ask 100.5 5'], ['filled a 1 at 101 taker']),
  'spot is sold into the bids': on(
    ['1 a: buy 5', '1 b: sell 6', '1 c: sell 5'],
    [],
    ['filled a 5 at 101 taker', 'rejected b', 'filled c 5 at 99 taker'],
    {},
    {
      settings: { instruments: [SPOT] },
    },
  ),
};

const limits: Cases = {
  'a limit takes what is within it and rests with the rest': on(['1 a: buy 8 limit 101'], [], ['accepted a', 'filled a 5 at 101 taker']),
  'at better prices than its own': on(['1 a: buy 8 limit 102.5'], [], ['accepted a', 'filled a 5 at 101 taker', 'filled a 3 at 102 taker']),
  'a sale too': on(['1 a: sell 20 limit 98'], [], ['accepted a', 'filled a 5 at 99 taker', 'filled a 10 at 98 taker']),
  'a limit that does not cross rests': on(['1 a: buy 1 limit 100'], [], ['accepted a']),
  'where the other side comes to a limit it is maker, and fills what has come': on(
    ['1 a: buy 3 limit 100'],
    ['90000 ask 100 2', '95000 ask 99.5 4'],
    ['accepted a', 'filled a 2 at 100 maker', 'filled a 1 at 100 maker'],
  ),
  'what came and was taken is not there for the next limit': on(
    ['1 a: buy 2 limit 100', '1 b: buy 2 limit 100'],
    ['90000 ask 100 3'],
    ['accepted a', 'accepted b', 'filled a 2 at 100 maker', 'filled b 1 at 100 maker'],
  ),
  'the better of two limits is filled first': on(
    ['1 a: buy 2 limit 100', '1 b: buy 2 limit 100.5'],
    ['90000 ask 100 3'],
    ['accepted a', 'accepted b', 'filled b 2 at 100.5 maker', 'filled a 1 at 100 maker'],
  ),
  'what a limit has taken does not fill its rest': on(
    ['1 a: buy 8 limit 101'],
    ['90000 ask 102 9'],
    ['accepted a', 'filled a 5 at 101 taker'],
  ),
  'when the level is told of anew it does': on(
    ['1 a: buy 8 limit 101'],
    ['90000 ask 101 1'],
    ['accepted a', 'filled a 5 at 101 taker', 'filled a 1 at 101 maker'],
  ),
  'immediate or cancel takes what is within its limit and ends': on(
    ['1 a: buy 8 limit 101 ioc'],
    [],
    ['filled a 5 at 101 taker', 'cancelled a: immediate or cancel: the rest is not there'],
  ),
  'immediate or cancel ends where there is nothing': on(
    ['1 a: buy 1 limit 100 ioc'],
    [],
    ['cancelled a: immediate or cancel: nothing to take'],
  ),
  'a market order may be immediate or cancel': on(
    ['1 a: buy 40 ioc'],
    [],
    [
      'filled a 5 at 101 taker',
      'filled a 10 at 102 taker',
      'filled a 20 at 103 taker',
      'cancelled a: immediate or cancel: the rest is not there',
    ],
  ),
  'fill or kill takes nothing where not all is there': on(
    ['1 a: buy 16 limit 102 fok'],
    [],
    ['cancelled a: fill or kill: not all of it is there'],
  ),
  'fill or kill takes all where it is': on(['1 a: buy 15 limit 102 fok'], [], ['filled a 5 at 101 taker', 'filled a 10 at 102 taker']),
  'what was taken counts for fill or kill': on(
    ['1 a: buy 1', '1 b: buy 15 limit 102 fok'],
    [],
    ['filled a 1 at 101 taker', 'cancelled b: fill or kill: not all of it is there'],
  ),
  'a post-only at the best offer is refused': on(
    ['1 a: buy 1 post-only 101'],
    [],
    ['rejected a: post-only: it would have taken liquidity'],
  ),
  'a post-only within the spread rests': on(['1 a: buy 1 post-only 100.99'], [], ['accepted a']),
  'where the offer is ours already a post-only rests': on(
    ['1 a: buy 5', '1 b: buy 1 post-only 101'],
    [],
    ['filled a 5 at 101 taker', 'accepted b'],
  ),
  'a limit that is moved across takes': on(
    ['1 a: buy 1 limit 99', '2 reprice a 101 1'],
    [],
    ['accepted a', 'repriced a to 1 at 101: ', 'filled a 1 at 101 taker'],
  ),
  'an order that would trade with one of ours cancels it': on(
    ['1 a: sell 1 limit 101.5', '1 b: buy 6 limit 102'],
    [],
    ['accepted a', 'accepted b', 'filled b 5 at 101 taker', 'filled b 1 at 102 taker', 'cancelled a: self-trade prevention'],
    { selfTrade: 'cancel-resting' },
  ),
};

const triggers: Cases = {
  'a stop is triggered by a trade and takes the book': on(
    ['1 a: buy 1 | s: sell 1 stop 98 reduce'],
    ['90000 sell 1 at 98'],
    ['filled a 1 at 101 taker', 'filled s 1 at 99 taker'],
  ),
  'no quote triggers it': on(['1 a: buy 1 | s: sell 1 stop 98 reduce'], ['90000 bid 99 0 98 0'], ['filled a 1 at 101 taker']),
  'it takes level after level': on(
    ['1 a: buy 5 | s: sell 5 stop 98 reduce'],
    ['80000 bid 99 2', '90000 sell 1 at 97.5'],
    ['filled a 5 at 101 taker', 'filled s 2 at 99 taker', 'filled s 3 at 98 taker'],
  ),
  'triggered where there is no book it waits for one': on(
    ['1 a: buy 1 | s: sell 1 stop 98 reduce'],
    ['80000 lost', '90000 sell 1 at 98', '95000 buy 1 at 110', '100000 whole bid 96 5 ask 101 5'],
    ['filled a 1 at 101 taker', 'filled s 1 at 96 taker'],
  ),
  'a trade in the millisecond of the entry triggers its stop': on(
    ['1 a: buy 1 | s: sell 1 stop 98 reduce'],
    ['60001 sell 1 at 98'],
    ['filled a 1 at 101 taker', 'filled s 1 at 99 taker'],
  ),
  'a trade before it does not': on(['1 a: buy 1 | s: sell 1 stop 98 reduce'], ['60000 sell 1 at 98'], ['filled a 1 at 101 taker']),
  'a trailing stop follows the trades': on(
    ['1 a: buy 1 | s: sell 1 trailing 98 by 2 reduce'],
    ['90000 buy 1 at 104', '95000 sell 1 at 102'],
    ['filled a 1 at 101 taker', 'filled s 1 at 99 taker'],
  ),
  'a take-profit is triggered by a trade': on(
    ['1 a: buy 1 | s: sell 1 take-profit 105 reduce'],
    ['90000 buy 1 at 104.99', '95000 bid 104 3 ask 101 0 102 0 103 0 106 5', '96000 buy 1 at 105'],
    ['filled a 1 at 101 taker', 'filled s 1 at 104 taker'],
  ),
  // 10.1 posted: (101 - 10.1) / 0.99 = 91.818.
  'a position is liquidated by the trade at its level, at its price': on(
    ['1 a: buy 1'],
    ['90000 sell 1 at 91.82', '95000 sell 1 at 91.5'],
    ['filled a 1 at 101 taker', 'liquidated sell 1 at 91.5 fee 0 insurance 0 deleveraged 0'],
    { margin: 'isolated', liquidationFeeRate: 0, marginTiers: { 'X/USDT:USDT': [{ upTo: Infinity, maintenanceRate: 0.01 }] } },
  ),
  'funding is paid on the last trade before its boundary': on(
    ['1 a: buy 1'],
    ['90000 buy 1 at 110', '180001 buy 1 at 120'],
    ['filled a 1 at 101 taker', 'funding -1.1'],
    {},
    { settings: { instruments: [{ ...PERPETUAL, fundingRate: 0.01, fundingIntervalMs: 180_000 }] } },
  ),
};

const through: Cases = {
  'a limit at whose price is traded is not filled': on(['1 a: buy 2 limit 99'], ['90000 sell 30 at 99'], ['accepted a']),
  'beyond it is, by what was traded': on(
    ['1 a: buy 2 limit 99'],
    ['90000 sell 1 at 98.99', '91000 sell 5 at 98'],
    ['accepted a', 'filled a 1 at 99 maker', 'filled a 1 at 99 maker'],
  ),
  'with a touch at its price': on(['1 a: buy 2 limit 99'], ['90000 sell 1 at 99'], ['accepted a', 'filled a 1 at 99 maker'], {
    tradeThroughTicks: 0,
  }),
  'through by three ticks, two are not enough': on(
    ['1 a: buy 2 limit 99'],
    ['90000 sell 5 at 98.98', '91000 sell 5 at 98.97'],
    ['accepted a', 'filled a 2 at 99 maker'],
    { tradeThroughTicks: 3 },
  ),
  'who buys does not come to those who buy': on(['1 a: buy 2 limit 99'], ['90000 buy 5 at 98'], ['accepted a']),
  'a sale is filled by who buys above it': on(
    ['1 a: sell 2 limit 101'],
    ['90000 buy 5 at 101.01'],
    ['accepted a', 'filled a 2 at 101 maker'],
  ),
  'two of ours share what was traded': on(
    ['1 a: buy 2 limit 99', '1 b: buy 2 limit 99'],
    ['90000 sell 3 at 98'],
    ['accepted a', 'accepted b', 'filled a 2 at 99 maker', 'filled b 1 at 99 maker'],
  ),
  'the better price first': on(
    ['1 a: buy 2 limit 99', '1 b: buy 2 limit 100'],
    ['90000 sell 3 at 98'],
    ['accepted a', 'accepted b', 'filled b 2 at 100 maker', 'filled a 1 at 99 maker'],
  ),
};

/** Two wanted at 99, where 5 rest already. */
const queued = (
  model: MatchingRules['queueModel'],
  tape: readonly string[],
  fills: readonly string[],
  more: Partial<MatchingRules> = {},
): Case =>
  on(['1 a: buy 2 limit 99'], tape, ['accepted a', ...fills.map((fill) => `filled a ${fill} at 99 maker`)], { queueModel: model, ...more });

const averse: Cases = {
  'what rested before is filled before': queued('risk-averse', ['90000 sell 4 at 99', '91000 sell 1 at 99'], []),
  'what a trade has beyond that is ours': queued(
    'risk-averse',
    ['90000 sell 4 at 99', '91000 sell 2 at 99', '92000 sell 3 at 99'],
    ['1', '1'],
  ),
  'of a cancel nothing was ahead of us': queued(
    'risk-averse',
    ['89000 bid 99 9', '90000 bid 99 6', '91000 sell 5 at 99', '92000 sell 1 at 99'],
    ['1'],
  ),
  'unless less is left than was ahead of us': queued('risk-averse', ['90000 bid 99 3', '91000 sell 3 at 99', '92000 sell 1 at 99'], ['1']),
  'of a level that is gone nothing is ahead of us': queued('risk-averse', ['90000 bid 99 0', '91000 sell 1 at 99'], ['1']),
  'a trade and the change that tells of it count once': queued(
    'risk-averse',
    ['90000 sell 2 at 99', '90001 bid 99 3', '91000 sell 3 at 99', '92000 sell 1 at 99'],
    ['1'],
  ),
  'who comes later stands behind us': queued('risk-averse', ['90000 bid 99 50', '91000 sell 6 at 99'], ['1']),
  'a trade beyond our price fills us whoever was ahead': queued('risk-averse', ['90000 sell 1 at 98.99', '91000 sell 1 at 99'], ['1', '1']),
  'a whole book tells how much is left': queued(
    'risk-averse',
    ['90000 whole bid 99 2 ask 101 5', '91000 sell 2 at 99', '92000 sell 1 at 99'],
    ['1'],
  ),
  'beyond the levels it tells of it tells nothing': queued(
    'risk-averse',
    ['90000 whole bid 100 2 ask 101 5', '91000 sell 5 at 99', '92000 sell 1 at 99'],
    ['1'],
  ),
  'within the spread nobody is ahead': on(['1 a: buy 2 limit 100'], ['90000 sell 1 at 100'], ['accepted a', 'filled a 1 at 100 maker'], {
    queueModel: 'risk-averse',
  }),
  'a sale queues among the asks': on(
    ['1 a: sell 2 limit 101'],
    ['90000 buy 5 at 101', '91000 buy 1 at 101'],
    ['accepted a', 'filled a 1 at 101 maker'],
    { queueModel: 'risk-averse' },
  ),
  'more of it goes to the end of the queue': on(
    ['1 a: buy 2 limit 99', '2 reprice a 99 3'],
    ['90000 sell 5 at 99', '130000 sell 5 at 99', '140000 sell 1 at 99'],
    ['accepted a', 'repriced a to 3 at 99: ', 'filled a 1 at 99 maker'],
    { queueModel: 'risk-averse' },
  ),
  'less of it keeps its place': on(
    ['1 a: buy 3 limit 99', '2 reprice a 99 2'],
    ['90000 sell 5 at 99', '130000 sell 1 at 99'],
    ['accepted a', 'repriced a to 2 at 99: ', 'filled a 1 at 99 maker'],
    { queueModel: 'risk-averse' },
  ),
};

const likely: Cases = {
  // 5 ahead and 5 behind: of 4 cancelled 2 were ahead.
  'with power 1 a cancel is spread evenly': queued(
    'power',
    ['80000 bid 99 10', '90000 bid 99 6', '91000 sell 3 at 99', '92000 sell 1 at 99'],
    ['1'],
    { queuePower: 1 },
  ),
  // 10 behind: 2/3 of 6 were, 2 ahead.
  'more of it where more rests': queued('power', ['80000 bid 99 15', '90000 bid 99 9', '91000 sell 3 at 99', '92000 sell 1 at 99'], ['1'], {
    queuePower: 1,
  }),
  // 10 behind: 4/5 of 5 were, 1 ahead.
  'with power 2 far more': queued('power', ['80000 bid 99 15', '90000 bid 99 10', '91000 sell 4 at 99', '92000 sell 1 at 99'], ['1'], {
    queuePower: 2,
  }),
  // 10 behind: 8/9 of 9 were, 1 ahead.
  'with power 3 more still': queued('power', ['80000 bid 99 15', '90000 bid 99 6', '91000 sell 4 at 99', '92000 sell 1 at 99'], ['1'], {
    queuePower: 3,
  }),
  // 10 behind: 8/9 of 13.5 would be 12, 2 more than there were: 1.5 and those 2 were ahead.
  'what those behind had not was ahead': queued(
    'power',
    ['80000 bid 99 15', '90000 bid 99 1.5', '91000 sell 1.5 at 99', '92000 sell 1 at 99'],
    ['1'],
    { queuePower: 3 },
  ),
  // 35 behind: log 36 is twice log 6, so 1/3 of 9 were ahead.
  'with log by the logarithms': queued('log', ['80000 bid 99 40', '90000 bid 99 31', '91000 sell 2 at 99', '92000 sell 1 at 99'], ['1']),
  'nobody behind, everybody who cancels was ahead': queued('log', ['90000 bid 99 3', '91000 sell 3 at 99', '92000 sell 1 at 99'], ['1']),
  'what was traded is not cancelled': queued(
    'power',
    ['80000 bid 99 10', '90000 sell 2 at 99', '90001 bid 99 8', '91000 sell 3 at 99', '92000 sell 1 at 99'],
    ['1'],
    { queuePower: 1 },
  ),
  'what comes is behind': queued('log', ['90000 bid 99 50', '91000 sell 5 at 99', '92000 sell 1 at 99'], ['1']),
};

const groups: Readonly<Record<string, Cases>> = {
  'taking from a book': taking,
  'limits on a book': limits,
  'triggers on a book': triggers,
  'limits without a queue': through,
  'the risk-averse queue': averse,
  'the queues of likely cancels': likely,
};

for (const [group, cases] of Object.entries(groups)) {
  describe(group, () => {
    for (const [name, each] of Object.entries(cases)) test(name, () => holds(each));
  });
}

test('there are at least seventy of them', () => {
  const count = Object.values(groups).reduce((sum, cases) => sum + Object.keys(cases).length, 0);
  assert.ok(count >= 70, `${count} cases`);
});
