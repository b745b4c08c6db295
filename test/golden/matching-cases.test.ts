// The matching rules one by one. Every case is worked out by hand from the rule that its name says, on bars around 100, with a taker's fee of
// 0.1 % and a maker's of 0.05 %; unless it says otherwise 10,000 of cash, a tick of 0.01, a lot of 0.001, no slippage and a millisecond of
// latency. See matching-case.ts for the language.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { amount, quantity } from '../../src/domain/decimal.ts';
import type { MatchingRules } from '../../src/venues/simulated/rules.ts';
import { holds, PERPETUAL, SPOT, type Case } from './matching-case.ts';

const FLAT = '100 101 99 100';

type Cases = Readonly<Record<string, Case>>;

const by = (rules: Partial<MatchingRules>, more: Case['settings'] = {}): { readonly settings: NonNullable<Case['settings']> } => ({
  settings: { ...more, rules },
});
const market: Cases = {
  'a market buy fills at the next open': { bars: ['102 103 101 102'], sends: ['1 a: buy 1'], says: ['filled a 1 at 102 taker'] },
  'a market sale fills at the next open': { bars: ['98 99 97 98'], sends: ['1 a: sell 1'], says: ['filled a 1 at 98 taker'] },
  'a market buy slips upward, onto the tick above': {
    bars: ['100 101 99 100'],
    sends: ['1 a: buy 1'],
    settings: { slippageRatio: 0.00012 },
    says: ['filled a 1 at 100.02 taker'],
  },
  'a market sale slips downward, onto the tick below': {
    bars: ['100 101 99 100'],
    sends: ['1 a: sell 1'],
    settings: { slippageRatio: 0.00012 },
    says: ['filled a 1 at 99.98 taker'],
  },
  'in a hole of the data a market order waits for the next open': {
    bars: ['-', '105 106 104 105'],
    sends: ['1 a: buy 1'],
    says: ['accepted a', 'filled a 1 at 105 taker'],
  },
  'two market orders fill in the order in which they were sent': {
    bars: [FLAT],
    sends: ['1 a: buy 1', '1 b: sell 3'],
    says: ['filled a 1 at 100 taker', 'filled b 3 at 100 taker'],
  },
  'a sale larger than the position turns it': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1', '2 b: sell 3', '2 c: buy 2 reduce'],
    says: ['filled a 1 at 100 taker', 'filled b 3 at 100 taker', 'filled c 2 at 100 taker'],
  },
  'a quantity off the lot is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 0.0015'],
    says: ['rejected a: quantity 0.0015 is off the lot 0.001'],
  },
  'a quantity below the minimum is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 0.01'],
    settings: { instruments: [{ ...PERPETUAL, minimumQuantity: quantity('0.05') }] },
    says: ['rejected a: quantity 0.01 is below the minimum 0.05'],
  },
  'a notional below the minimum is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 0.049'],
    says: ['rejected a: notional 4.9 is below the minimum 5'],
  },
  'a notional of exactly the minimum is taken': { bars: [FLAT], sends: ['1 a: buy 0.05'], says: ['filled a 0.05 at 100 taker'] },
  'exposure beyond leverage is refused': { bars: [FLAT], sends: ['1 a: buy 1001'], says: ['rejected a'] },
  'exposure of exactly the leverage is taken': { bars: [FLAT], sends: ['1 a: buy 1000'], says: ['filled a 1000 at 100 taker'] },
};

const limits: Cases = {
  'a buy limit fills at its price when the low is below it': {
    bars: ['100 101 94.99 96'],
    sends: ['1 a: buy 1 limit 95'],
    says: ['accepted a', 'filled a 1 at 95 maker'],
  },
  'a buy limit that is only touched does not fill': { bars: ['100 101 95 96'], sends: ['1 a: buy 1 limit 95'], says: ['accepted a'] },
  'a sell limit fills at its price when the high is above it': {
    bars: ['100 105.01 99 104'],
    sends: ['1 a: sell 1 limit 105'],
    says: ['accepted a', 'filled a 1 at 105 maker'],
  },
  'a sell limit that is only touched does not fill': { bars: ['100 105 99 104'], sends: ['1 a: sell 1 limit 105'], says: ['accepted a'] },
  'a buy limit above the open takes the open': {
    bars: ['97 98 96 97'],
    sends: ['1 a: buy 1 limit 99'],
    says: ['accepted a', 'filled a 1 at 97 taker'],
  },
  'a sell limit below the open takes the open': {
    bars: ['103 104 102 103'],
    sends: ['1 a: sell 1 limit 101'],
    says: ['accepted a', 'filled a 1 at 103 taker'],
  },
  'a limit at the open that the market leaves on the good side is maker': {
    bars: ['100 101 99 100'],
    sends: ['1 a: buy 1 limit 100'],
    says: ['accepted a', 'filled a 1 at 100 maker'],
  },
  'a limit does not slip': {
    bars: ['100 101 94 96'],
    sends: ['1 a: buy 1 limit 95'],
    settings: { slippageRatio: 0.01 },
    says: ['accepted a', 'filled a 1 at 95 maker'],
  },
  'a limit waits as many bars as it takes': {
    bars: [FLAT, FLAT, '100 101 90 91'],
    sends: ['1 a: buy 1 limit 95'],
    says: ['accepted a', 'filled a 1 at 95 maker'],
  },
  'of two limits in one bar the nearer to the open fills first': {
    bars: ['100 101 90 91'],
    sends: ['1 a: buy 1 limit 93', '1 b: buy 2 limit 95'],
    says: ['accepted a', 'accepted b', 'filled b 2 at 95 maker', 'filled a 1 at 93 maker'],
  },
  'limits a cent apart are still ordered by their distance to the open': {
    bars: ['100 101 90 91'],
    sends: ['1 a: buy 1 limit 94.99', '1 b: buy 2 limit 95'],
    says: ['accepted a', 'accepted b', 'filled b 2 at 95 maker', 'filled a 1 at 94.99 maker'],
  },
  'of two limits at one price the first to arrive fills first': {
    bars: ['100 101 90 91'],
    sends: ['1 a: buy 1 limit 95', '1 b: buy 2 limit 95'],
    says: ['accepted a', 'accepted b', 'filled a 1 at 95 maker', 'filled b 2 at 95 maker'],
  },
  'a limit off the tick is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 1 limit 95.005'],
    says: ['rejected a: price 95.005 is off the tick 0.01'],
  },
  'a limit that has not arrived by the close is not filled by the bar': {
    bars: ['100 101 90 95', FLAT],
    sends: ['1 a: buy 1 limit 92'],
    settings: { latencyMs: 60_000 },
    says: ['accepted a'],
  },
  'a post-only below the market rests and is maker': {
    bars: ['100 101 98 100'],
    sends: ['1 a: buy 1 post-only 99'],
    says: ['accepted a', 'filled a 1 at 99 maker'],
  },
  'a post-only that would cross is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 1 post-only 101'],
    says: ['rejected a: post-only: it would have taken liquidity'],
  },
  'a post-only at the market would cross too': { bars: [FLAT], sends: ['1 a: buy 1 post-only 100'], says: ['rejected a'] },
  'a post-only sale below the market is refused': { bars: [FLAT], sends: ['1 a: sell 1 post-only 99'], says: ['rejected a'] },
  'a post-only is judged by the price of its arrival, not by that of its sending': {
    bars: ['103 104 100 103'],
    sends: ['1 a: buy 1 post-only 101'],
    says: ['accepted a', 'filled a 1 at 101 maker'],
  },
};

const through = (ticks: number): ReturnType<typeof by> => by({ tradeThroughTicks: ticks });

const tradeThrough: Cases = {
  'with a touch a buy limit fills at its low': {
    bars: ['100 101 95 96'],
    sends: ['1 a: buy 1 limit 95'],
    ...through(0),
    says: ['accepted a', 'filled a 1 at 95 maker'],
  },
  'with a touch a sell limit fills at its high': {
    bars: ['100 105 99 96'],
    sends: ['1 a: sell 1 limit 105'],
    ...through(0),
    says: ['accepted a', 'filled a 1 at 105 maker'],
  },
  'with a touch a limit a tick away does not': {
    bars: ['100 101 95.01 96'],
    sends: ['1 a: buy 1 limit 95'],
    ...through(0),
    says: ['accepted a'],
  },
  'through by two ticks, one is not enough': {
    bars: ['100 101 94.99 96'],
    sends: ['1 a: buy 1 limit 95'],
    ...through(2),
    says: ['accepted a'],
  },
  'through by two ticks, two are': {
    bars: ['100 101 94.98 96'],
    sends: ['1 a: buy 1 limit 95'],
    ...through(2),
    says: ['accepted a', 'filled a 1 at 95 maker'],
  },
  'through by five ticks a sale needs a high five above': {
    bars: ['100 105.04 99 100', '100 105.05 99 100'],
    sends: ['1 a: sell 1 limit 105'],
    ...through(5),
    says: ['accepted a', 'filled a 1 at 105 maker'],
  },
  'a bar that opens beyond the limit fills it whatever it must go through': {
    bars: ['94.99 95 94.98 95'],
    sends: ['1 a: buy 1 limit 95'],
    ...through(50),
    says: ['accepted a', 'filled a 1 at 94.99 taker'],
  },
  'stops ask for no ticks beyond': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    ...through(50),
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
};

const stops: Cases = {
  'a sell stop triggers at a touch and fills there': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
  'a sell stop a tick below the low stays': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: buy 1 | s: sell 1 stop 94.99 reduce'],
    says: ['filled a 1 at 100 taker'],
  },
  'a gap through a sell stop fills at the open': {
    bars: [FLAT, '90 91 89 90'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 90 taker'],
  },
  'a buy stop triggers at a touch and fills there': {
    bars: [FLAT, '100 105 99 104'],
    sends: ['1 a: sell 1 | s: buy 1 stop 105 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 105 taker'],
  },
  'a gap through a buy stop fills at the open': {
    bars: [FLAT, '110 111 109 110'],
    sends: ['1 a: sell 1 | s: buy 1 stop 105 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 110 taker'],
  },
  'a stop slips against us': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    settings: { slippageRatio: 0.001 },
    says: ['filled a 1 at 100.1 taker', 'filled s 1 at 94.9 taker'],
  },
  'a gap through a stop slips from the open': {
    bars: [FLAT, '90 91 89 90'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    settings: { slippageRatio: 0.001 },
    says: ['filled a 1 at 100.1 taker', 'filled s 1 at 89.91 taker'],
  },
  'the stop of an entry at the open is tested against the same bar': {
    bars: ['100 101 94 95'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
  'the stop of a limit entry is tested against the bar inside which it fills': {
    bars: ['100 101 94 95'],
    sends: ['1 a: buy 1 limit 98 | s: sell 1 stop 95 reduce'],
    says: ['accepted a', 'filled a 1 at 98 maker', 'filled s 1 at 95 taker'],
  },
  'the stop of an entry that has not filled does not rest': {
    bars: ['100 101 94 95', FLAT],
    sends: ['1 a: buy 1 limit 90 | s: sell 1 stop 95 reduce'],
    says: ['accepted a'],
  },
  'stop before target when both are inside one bar': {
    bars: [FLAT, '100 120 90 110'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce', '1 t: sell 1 limit 110 reduce'],
    says: ['filled a 1 at 100 taker', 'accepted t', 'filled s 1 at 95 taker', 'cancelled t: reduce-only: there is no position to reduce'],
  },
  'stop before target even where the target is nearer to the open': {
    bars: [FLAT, '100 102 90 95'],
    sends: ['1 a: buy 1 | s: sell 1 stop 91 reduce', '1 t: sell 1 limit 101 reduce'],
    says: ['filled a 1 at 100 taker', 'accepted t', 'filled s 1 at 91 taker', 'cancelled t'],
  },
  'of several stops the nearest to the open fills first': {
    bars: [FLAT, '100 101 80 85'],
    sends: ['1 a: buy 3 | s: sell 1 stop 90 reduce | r: sell 2 stop 95 reduce'],
    says: ['filled a 3 at 100 taker', 'filled r 2 at 95 taker', 'filled s 1 at 90 taker'],
  },
  'of stops through which the market gapped the first to arrive fills first': {
    bars: [FLAT, '80 81 79 80'],
    sends: ['1 a: buy 3 | s: sell 1 stop 90 reduce | r: sell 2 stop 95 reduce'],
    says: ['filled a 3 at 100 taker', 'filled s 1 at 80 taker', 'filled r 2 at 80 taker'],
  },
  'a stop that opens a position is margined like any entry': {
    bars: ['100 106 99 105'],
    sends: ['1 s: buy 1 stop 105'],
    says: ['accepted s', 'filled s 1 at 105 taker'],
  },
  'a stop too large for the leverage is refused on arrival': { bars: [FLAT], sends: ['1 s: buy 2000 stop 105'], says: ['rejected s'] },
  'a reduce-only stop may come before its position': {
    bars: [FLAT, FLAT, '100 101 94 95'],
    sends: ['1 s: sell 1 stop 95 reduce', '2 a: buy 1'],
    says: ['accepted s', 'filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
  'a reduce-only stop without a position ends when it triggers': {
    bars: ['100 101 94 95'],
    sends: ['1 s: sell 1 stop 95 reduce'],
    says: ['accepted s', 'cancelled s: reduce-only: there is no position to reduce'],
  },
  'a stop without a price is refused': { bars: [FLAT], sends: ['1 a: buy 1 stop 0'], says: ['rejected a: price 0 is not positive'] },
};

const targets: Cases = {
  'a sell take-profit triggers at a touch and fills there': {
    bars: [FLAT, '100 105 99 104'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105 reduce'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 105 taker'],
  },
  'a sell take-profit a tick above the high stays': {
    bars: [FLAT, '100 105 99 104'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105.01 reduce'],
    says: ['filled a 1 at 100 taker'],
  },
  'a gap beyond a take-profit fills at the better open': {
    bars: [FLAT, '108 109 107 108'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105 reduce'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 108 taker'],
  },
  'a buy take-profit triggers at a touch of the low': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: sell 1 | t: buy 1 take-profit 95 reduce'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 95 taker'],
  },
  'a gap beyond a buy take-profit fills at the lower open': {
    bars: [FLAT, '92 93 91 92'],
    sends: ['1 a: sell 1 | t: buy 1 take-profit 95 reduce'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 92 taker'],
  },
  'a take-profit becomes a market order, and slips': {
    bars: [FLAT, '100 105 99 104'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105 reduce'],
    settings: { slippageRatio: 0.001 },
    says: ['filled a 1 at 100.1 taker', 'filled t 1 at 104.89 taker'],
  },
  'stop before take-profit when both are inside one bar': {
    bars: [FLAT, '100 110 90 100'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker', 'cancelled t: its pair has filled'],
  },
  'the take-profit of an entry is tested against the bar of the entry': {
    bars: ['100 106 99 105'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105 reduce'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 105 taker'],
  },
  'a take-profit without a position ends when it triggers': {
    bars: ['100 106 99 105'],
    sends: ['1 t: sell 1 take-profit 105 reduce'],
    says: ['accepted t', 'cancelled t: reduce-only: there is no position to reduce'],
  },
  'a take-profit and a limit in one bar fill by their distance to the open': {
    bars: [FLAT, '100 110 99 109'],
    sends: ['1 a: buy 2 | t: sell 1 take-profit 104 reduce', '1 l: sell 1 limit 103 reduce'],
    says: ['filled a 2 at 100 taker', 'accepted l', 'filled l 1 at 103 maker', 'filled t 1 at 104 taker'],
  },
  'the take-profit ends the stop': {
    bars: [FLAT, '100 106 99 105', '105 106 90 91'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s'],
    says: ['filled a 1 at 100 taker', 'filled t 1 at 105 taker', 'cancelled s: its pair has filled'],
  },
  'the stop ends the take-profit': {
    bars: [FLAT, '100 101 94 95', '95 110 95 109'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker', 'cancelled t: its pair has filled'],
  },
  'a cancelled take-profit leaves its stop': {
    bars: [FLAT, FLAT, '100 101 94 95'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s', '2 cancel t'],
    says: ['filled a 1 at 100 taker', 'cancelled t: asked for', 'filled s 1 at 95 taker'],
  },
  'a pair of one sleeve leaves the stop of another': {
    bars: [FLAT, '100 106 99 105', '105 106 89 90'],
    sends: ['1 a: buy 3 | s: sell 1 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s | r: sell 2 stop 90 reduce'],
    says: ['filled a 3 at 100 taker', 'filled t 1 at 105 taker', 'cancelled s', 'filled r 2 at 90 taker'],
  },
  'paired orders need not be attached': {
    bars: [FLAT, FLAT, '100 106 99 105'],
    sends: ['1 a: buy 1', '2 s: sell 1 stop 95 reduce', '2 t: sell 1 take-profit 105 reduce pair s'],
    says: ['filled a 1 at 100 taker', 'accepted s', 'accepted t', 'filled t 1 at 105 taker', 'cancelled s: its pair has filled'],
  },
  'paired orders of an entry that never filled go with it': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90 | s: sell 1 stop 80 reduce | t: sell 1 take-profit 105 reduce pair s', '2 cancel a', '2 cancel t'],
    says: ['accepted a', 'cancelled a: asked for', 'cancelled t: it had already ended'],
  },
  'of a smaller take-profit the rest stays with the stop': {
    bars: [FLAT, '100 106 99 105', '105 106 94 95'],
    sends: ['1 a: buy 3 | s: sell 3 stop 95 reduce | t: sell 1 take-profit 105 reduce pair s'],
    says: [
      'filled a 3 at 100 taker',
      'filled t 1 at 105 taker',
      'filled s 2 at 95 taker',
      'cancelled s: reduce-only: the position is closed',
    ],
  },
};

const trailing: Cases = {
  'a trailing stop begins at its trigger': {
    bars: [FLAT, '100 101 95 96'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
  'after a whole bar it stands its distance below the high': {
    bars: [FLAT, '100 110 99 109', '109 109 105 106'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 105 taker'],
  },
  'the high of a bar does not trigger it in the same bar': {
    bars: [FLAT, '100 110 99 101', '106 107 106 106'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker'],
  },
  'of the bar in which it came to rest only the close counts': {
    bars: ['100 110 99 103', '103 103 99 99'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker'],
  },
  'and the close of that bar does count': {
    bars: ['100 110 99 103', '103 103 97.9 98'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 98 taker'],
  },
  'it never goes back': {
    bars: [FLAT, '100 110 99 106', '106 107 106 106', '106 106 105 105'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 105 taker'],
  },
  'for a short it follows the low from above': {
    bars: [FLAT, '100 101 90 91', '91 95 91 94'],
    sends: ['1 a: sell 1 | s: buy 1 trailing 105 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker'],
  },
  'a gap through it fills at the open': {
    bars: [FLAT, '100 110 99 109', '100 101 99 100'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 100 taker'],
  },
  'it comes before a target in the same bar': {
    bars: [FLAT, '100 108 94 100'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 95 by 5 reduce | t: sell 1 take-profit 105 reduce pair s'],
    says: ['filled a 1 at 100 taker', 'filled s 1 at 95 taker', 'cancelled t: its pair has filled'],
  },
  'its trigger may be moved by hand, and it follows from there': {
    bars: [FLAT, FLAT, '100 104 99.5 103', '103 103 99 100'],
    sends: ['1 a: buy 1 | s: sell 1 trailing 90 by 5 reduce', '2 move s 97'],
    says: ['filled a 1 at 100 taker', 'amended s to 97', 'filled s 1 at 99 taker'],
  },
  'a trailing stop without a distance is refused': { bars: [FLAT], sends: ['1 s: sell 1 trailing 95 reduce'], says: ['rejected s'] },
  'a plain stop with a distance is refused': { bars: [FLAT], sends: ['1 s: sell 1 stop 95 by 5 reduce'], says: ['rejected s'] },
  'a distance off the tick is refused': {
    bars: [FLAT],
    sends: ['1 s: sell 1 trailing 95 by 5.001 reduce'],
    says: ['rejected s: price 5.001 is off the tick 0.01'],
  },
};

const reducing: Cases = {
  'a reduce-only order shrinks to the position': {
    bars: [FLAT],
    sends: ['1 a: buy 1', '1 b: sell 3 reduce'],
    says: ['filled a 1 at 100 taker', 'filled b 1 at 100 taker', 'cancelled b: reduce-only: the position is closed'],
  },
  'a reduce-only order without a position is refused': {
    bars: [FLAT],
    sends: ['1 b: sell 3 reduce'],
    says: ['rejected b: reduce-only: there is no position to reduce'],
  },
  'a reduce-only order on the side of the position is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 1', '1 b: buy 1 reduce'],
    says: ['filled a 1 at 100 taker', 'rejected b'],
  },
  'a resting reduce-only limit shrinks to what is left by then': {
    bars: [FLAT, FLAT, '100 106 99 105'],
    sends: ['1 a: buy 3', '2 b: sell 3 limit 105 reduce', '2 c: sell 2'],
    says: ['filled a 3 at 100 taker', 'accepted b', 'filled c 2 at 100 taker', 'filled b 1 at 105 maker', 'cancelled b'],
  },
  'a resting reduce-only limit ends without a position': {
    bars: [FLAT, FLAT, '100 106 99 105'],
    sends: ['1 a: buy 1', '2 b: sell 1 limit 105 reduce', '2 c: sell 1'],
    says: ['filled a 1 at 100 taker', 'accepted b', 'filled c 1 at 100 taker', 'cancelled b: reduce-only: there is no position to reduce'],
  },
  'reduce-only orders need not be worth the minimum': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 0.06', '2 b: sell 0.01 reduce'],
    says: ['filled a 0.06 at 100 taker', 'filled b 0.01 at 100 taker'],
  },
  'a whole-position stop closes what was added to the position since': {
    bars: [FLAT, FLAT, '100 101 89 90'],
    sends: ['1 a: buy 1 | d: sell 1 stop 90 whole', '2 b: buy 2'],
    says: ['filled a 1 at 100 taker', 'filled b 2 at 100 taker', 'filled d 3 at 90 taker'],
  },
  'a whole-position stop closes no more than is left': {
    bars: [FLAT, FLAT, '100 101 89 90'],
    sends: ['1 a: buy 3 | d: sell 3 stop 90 whole', '2 b: sell 2'],
    says: ['filled a 3 at 100 taker', 'filled b 2 at 100 taker', 'filled d 1 at 90 taker', 'cancelled d'],
  },
  'a whole-position stop ends with its position': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 | d: sell 1 stop 90 whole', '2 b: sell 1'],
    says: ['filled a 1 at 100 taker', 'filled b 1 at 100 taker', 'cancelled d: its position is closed'],
  },
  'a whole-position stop ends when its position turns': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 | d: sell 1 stop 90 whole', '2 b: sell 3'],
    says: ['filled a 1 at 100 taker', 'filled b 3 at 100 taker', 'cancelled d: its position is closed'],
  },
};

const forces: Cases = {
  'an ioc limit above the market takes the market': {
    bars: ['100 101 99 100'],
    sends: ['1 a: buy 1 limit 101 ioc'],
    says: ['filled a 1 at 100 taker'],
  },
  'an ioc limit at the market takes it': { bars: [FLAT], sends: ['1 a: buy 1 limit 100 ioc'], says: ['filled a 1 at 100 taker'] },
  'an ioc limit below the market ends': {
    bars: ['100 101 90 91'],
    sends: ['1 a: buy 1 limit 99.99 ioc'],
    says: ['cancelled a: immediate or cancel: nothing to take'],
  },
  'an ioc sale above the market ends': { bars: [FLAT], sends: ['1 a: sell 1 limit 100.01 ioc'], says: ['cancelled a'] },
  'an ioc order slips, but not beyond its limit': {
    bars: [FLAT],
    sends: ['1 a: buy 1 limit 100.05 ioc', '1 b: buy 1 limit 101 ioc'],
    settings: { slippageRatio: 0.001 },
    says: ['filled a 1 at 100.05 taker', 'filled b 1 at 100.1 taker'],
  },
  'an ioc market order in a hole of the data ends': { bars: ['-', FLAT], sends: ['1 a: buy 1 ioc'], says: ['cancelled a'] },
  'an ioc order takes what is there and ends': {
    bars: ['100 101 99 100 4'],
    sends: ['1 a: buy 3 limit 101 ioc'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['filled a 2 at 100 taker', 'cancelled a: immediate or cancel: the rest is not there'],
  },
  'a fok order that is all there fills': {
    bars: ['100 101 99 100 6'],
    sends: ['1 a: buy 3 limit 101 fok'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['filled a 3 at 100 taker'],
  },
  'a fok order that is not all there takes nothing': {
    bars: ['100 101 99 100 4'],
    sends: ['1 a: buy 3 limit 101 fok', '1 b: buy 2 limit 101 fok'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['cancelled a: fill or kill: not all of it is there', 'filled b 2 at 100 taker'],
  },
  'a fok order below the market ends': { bars: [FLAT], sends: ['1 a: buy 1 limit 99 fok'], says: ['cancelled a'] },
  'a fok order that only reduces asks for no more than the position': {
    bars: ['100 101 99 100 4', '100 101 99 100 4'],
    sends: ['1 a: buy 2', '2 b: sell 9 limit 99 fok reduce'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['filled a 2 at 100 taker', 'filled b 2 at 100 taker', 'cancelled b: reduce-only: the position is closed'],
  },
  'an entry that ends at once takes its stops along': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90 ioc | s: sell 1 stop 80 reduce', '2 cancel s'],
    says: ['cancelled a', 'cancelled s: it had already ended'],
  },
  'an ioc order that filled in part leaves its stops': {
    bars: ['100 101 99 100 4', '100 101 79 80 100'],
    sends: ['1 a: buy 3 limit 101 ioc | s: sell 3 stop 80 reduce'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['filled a 2 at 100 taker', 'cancelled a', 'filled s 2 at 80 taker', 'cancelled s: reduce-only: the position is closed'],
  },
  'a stop cannot be ioc': { bars: [FLAT], sends: ['1 a: sell 1 stop 90 ioc'], says: ['rejected a: a stop order cannot be ioc'] },
  'a post-only cannot be fok': {
    bars: [FLAT],
    sends: ['1 a: buy 1 post-only 90 fok'],
    says: ['rejected a: a post-only order cannot be fok'],
  },
};

const amending: Cases = {
  'a stop is moved in place': {
    bars: [FLAT, FLAT, '100 101 97 98'],
    sends: ['1 a: buy 1 | s: sell 1 stop 90 reduce', '2 move s 97'],
    says: ['filled a 1 at 100 taker', 'amended s to 97', 'filled s 1 at 97 taker'],
  },
  'the old trigger protects until the venue has answered': {
    bars: [FLAT, '100 101 89 90', FLAT],
    sends: ['1 a: buy 1 | s: sell 1 stop 90 reduce', '2 move s 85'],
    settings: { latencyMs: 60_000 },
    says: ['accepted a', 'filled a 1 at 100 taker', 'amended s to 85'],
  },
  'a take-profit is moved in place': {
    bars: [FLAT, FLAT, '100 103 99 102'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 110 reduce', '2 move t 103'],
    says: ['filled a 1 at 100 taker', 'amended t to 103', 'filled t 1 at 103 taker'],
  },
  'a stop is not moved off the tick': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 | s: sell 1 stop 90 reduce', '2 move s 90.005'],
    says: ['filled a 1 at 100 taker', 'amended s to 90: price 90.005 is off the tick 0.01'],
  },
  'a limit has no trigger': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90', '2 move a 91'],
    says: ['accepted a', 'amended a to 91: a limit order has no trigger'],
  },
  'a limit is given another price': {
    bars: [FLAT, '100 101 97.9 99'],
    sends: ['1 a: buy 1 limit 90', '2 reprice a 98 1'],
    says: ['accepted a', 'repriced a to 1 at 98', 'filled a 1 at 98 maker'],
  },
  'a limit is given more quantity': {
    bars: [FLAT, '100 101 89 90'],
    sends: ['1 a: buy 1 limit 90', '2 reprice a 90 2.5'],
    says: ['accepted a', 'repriced a to 2.5 at 90', 'filled a 2.5 at 90 maker'],
  },
  'a new price goes to the end of the queue': {
    bars: [FLAT, '100 101 89 90'],
    sends: ['1 a: buy 1 limit 91', '1 b: buy 2 limit 90', '2 reprice a 90 1'],
    says: ['accepted a', 'accepted b', 'repriced a to 1 at 90', 'filled b 2 at 90 maker', 'filled a 1 at 90 maker'],
  },
  'more quantity goes to the end of the queue': {
    bars: [FLAT, '100 101 89 90'],
    sends: ['1 a: buy 1 limit 90', '1 b: buy 2 limit 90', '2 reprice a 90 1.5'],
    says: ['accepted a', 'accepted b', 'repriced a to 1.5 at 90', 'filled b 2 at 90 maker', 'filled a 1.5 at 90 maker'],
  },
  'less quantity keeps its place in the queue': {
    bars: [FLAT, '100 101 89 90'],
    sends: ['1 a: buy 1 limit 90', '1 b: buy 2 limit 90', '2 reprice a 90 0.5'],
    says: ['accepted a', 'accepted b', 'repriced a to 0.5 at 90', 'filled a 0.5 at 90 maker', 'filled b 2 at 90 maker'],
  },
  'a limit is not given a price off the tick': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90', '2 reprice a 90.001 1'],
    says: ['accepted a', 'repriced a to 1 at 90: price 90.001 is off the tick 0.01'],
  },
  'a limit is not given more than the leverage allows': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90', '2 reprice a 90 5000'],
    says: ['accepted a', 'repriced a to 1 at 90'],
  },
  'a post-only is not moved to where it would take': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 post-only 90', '2 reprice a 101 1'],
    says: ['accepted a', 'repriced a to 1 at 90: post-only: it would have taken liquidity'],
  },
  'a limit is not made smaller than what has filled': {
    bars: ['100 101 89 90 2', FLAT],
    sends: ['1 a: buy 3 limit 90', '2 reprice a 80 1'],
    ...by({ volumeShareRatio: 0.5 }),
    says: ['accepted a', 'filled a 1 at 90 maker', 'repriced a to 3 at 90: 1 of it has filled already'],
  },
  'a stop has no limit': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 | s: sell 1 stop 90 reduce', '2 reprice s 91 1'],
    says: ['filled a 1 at 100 taker', 'repriced s to 1 at 91: a stop order has no limit'],
  },
  'what has ended is not amended': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1', '2 reprice a 90 1', '2 move a 90', '2 cancel a'],
    says: [
      'filled a 1 at 100 taker',
      'cancelled a: it had already ended',
      'cancelled a: it had already ended',
      'cancelled a: it had already ended',
    ],
  },
  'a cancelled order never fills': {
    bars: [FLAT, '100 101 80 81'],
    sends: ['1 a: buy 1 limit 90', '2 cancel a'],
    says: ['accepted a', 'cancelled a: asked for'],
  },
  'a fill that was before the cancel arrived counts': {
    bars: [FLAT, '100 101 80 81', FLAT],
    sends: ['1 a: buy 1 limit 90', '2 cancel a'],
    settings: { latencyMs: 60_001 },
    says: ['accepted a', 'filled a 1 at 90 maker', 'cancelled a: it had already ended'],
  },
};

const half = by({ volumeShareRatio: 0.5 });

const partial: Cases = {
  'a limit takes its share of the bar and rests on': {
    bars: ['100 101 89 90 4', '90 91 89 90 100'],
    sends: ['1 a: buy 3 limit 90'],
    ...half,
    says: ['accepted a', 'filled a 2 at 90 maker', 'filled a 1 at 90 maker'],
  },
  'a market order takes its share and the rest the next open': {
    bars: ['100 101 99 100 4', '102 103 101 102 100'],
    sends: ['1 a: buy 3'],
    ...half,
    says: ['filled a 2 at 100 taker', 'filled a 1 at 102 taker'],
  },
  'a stop takes its share, and the rest is at the market in the next bar': {
    bars: ['100 101 99 100 100', '100 101 94 96 4', '97 98 96 97 100'],
    sends: ['1 a: buy 3 | s: sell 3 stop 95 reduce'],
    ...half,
    says: ['filled a 3 at 100 taker', 'filled s 2 at 95 taker', 'filled s 1 at 97 taker'],
  },
  'a stop that finds nothing is at the market in the next bar, wherever that is': {
    bars: ['100 101 99 100 100', '100 101 94 96 0', '99 100 98 99 100'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    ...half,
    says: ['filled a 1 at 100 taker', 'filled s 1 at 99 taker'],
  },
  'what one order took is not there for the next': {
    bars: ['100 101 99 100 4', '103 104 102 103 100'],
    sends: ['1 a: buy 1.5', '1 b: buy 1'],
    ...half,
    says: ['filled a 1.5 at 100 taker', 'filled b 0.5 at 100 taker', 'filled b 0.5 at 103 taker'],
  },
  'own liquidity is consumed once, on both sides together': {
    bars: ['100 101 99 100 4', '103 104 102 103 100'],
    sends: ['1 a: buy 2', '1 b: sell 1'],
    ...half,
    says: ['filled a 2 at 100 taker', 'accepted b', 'filled b 1 at 103 taker'],
  },
  'the share is rounded down to the lot': {
    bars: ['100 101 99 100 0.0031', '100 101 99 100 100'],
    sends: ['1 a: buy 1'],
    ...half,
    says: ['filled a 0.001 at 100 taker', 'filled a 0.999 at 100 taker'],
  },
  'in a bar without volume nothing fills': { bars: ['100 101 80 81 0'], sends: ['1 a: buy 1 limit 90'], ...half, says: ['accepted a'] },
  'partial, then cancel: what has filled stays': {
    bars: ['100 101 89 90 4', FLAT],
    sends: ['1 a: buy 3 limit 90', '2 cancel a', '2 b: sell 2 reduce'],
    ...half,
    says: ['accepted a', 'filled a 2 at 90 maker', 'cancelled a: asked for', 'filled b 2 at 100 taker'],
  },
  'stops come to rest with the first part of their entry': {
    bars: ['100 101 99 100 4', '96 97 94 95 100'],
    sends: ['1 a: buy 3 | s: sell 3 stop 95 reduce'],
    ...half,
    says: ['filled a 2 at 100 taker', 'filled a 1 at 96 taker', 'filled s 3 at 95 taker'],
  },
  'of a pair what the one has filled in part the other does not': {
    bars: ['100 101 99 100 100', '100 106 99 105 4', '100 101 94 95 100'],
    sends: ['1 a: buy 3 | s: sell 3 stop 95 reduce | t: sell 3 take-profit 105 reduce pair s'],
    ...half,
    says: ['filled a 3 at 100 taker', 'filled t 2 at 105 taker', 'filled t 1 at 100 taker', 'cancelled s: its pair has filled'],
  },
  'a whole-position stop in parts closes the whole position': {
    bars: ['100 101 99 100 100', '100 101 89 91 4', '92 93 91 92 100'],
    sends: ['1 a: buy 3 | d: sell 3 stop 90 whole'],
    ...half,
    says: ['filled a 3 at 100 taker', 'filled d 2 at 90 taker', 'filled d 1 at 92 taker'],
  },
  'a liquidation is not bound by volume': {
    bars: ['100 101 99 100 100', '100 101 88 89 0'],
    sends: ['1 a: buy 1'],
    ...by({ volumeShareRatio: 0.5, margin: 'isolated', marginTiers: { 'X/USDT:USDT': [{ upTo: Infinity, maintenanceRate: 0.01 }] } }),
    says: ['filled a 1 at 100 taker', 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0'],
  },
};

const slippage: Cases = {
  'by volume share a tenth of the bar slips a hundredth of the impact': {
    bars: ['100 101 99 100 100'],
    sends: ['1 a: buy 10'],
    ...by({ slippageModel: 'volume-share', impactRatio: 0.1 }),
    says: ['filled a 10 at 100.1 taker'],
  },
  'by the square root a hundredth of the bar slips a tenth of the impact': {
    bars: ['100 101 99 100 100'],
    sends: ['1 a: buy 1'],
    ...by({ slippageModel: 'square-root', impactRatio: 0.1 }),
    says: ['filled a 1 at 101 taker'],
  },
  'impact comes on top of the fixed ratio': {
    bars: ['100 101 99 100 100'],
    sends: ['1 a: sell 1'],
    ...by({ slippageModel: 'square-root', impactRatio: 0.1 }, { slippageRatio: 0.002 }),
    says: ['filled a 1 at 98.8 taker'],
  },
  'a stop slips by the volume of the bar that triggers it': {
    bars: ['100 101 99 100 1000000000', '100 101 95 96 400'],
    sends: ['1 a: buy 4 | s: sell 4 stop 95 reduce'],
    ...by({ slippageModel: 'square-root', impactRatio: 0.1 }),
    says: ['filled a 4 at 100.01 taker', 'filled s 4 at 94.05 taker'],
  },
  'a bar without volume costs the whole impact': {
    bars: ['100 101 99 100 0'],
    sends: ['1 a: buy 1'],
    ...by({ slippageModel: 'volume-share', impactRatio: 0.1 }),
    says: ['filled a 1 at 110 taker'],
  },
  'limits pay no impact': {
    bars: ['100 101 89 90 1'],
    sends: ['1 a: buy 5 limit 90'],
    ...by({ slippageModel: 'square-root', impactRatio: 0.1 }),
    says: ['accepted a', 'filled a 5 at 90 maker'],
  },
};

const selfTrade = (how: MatchingRules['selfTrade']): ReturnType<typeof by> => by({ selfTrade: how });

const preventing: Cases = {
  'allowed, a market sale fills beside a resting buy that it would hit': {
    bars: ['100 101 98 99', FLAT],
    sends: ['1 a: buy 1 limit 98', '2 b: sell 1'],
    ...selfTrade('allow'),
    says: ['accepted a', 'filled b 1 at 100 taker'],
  },
  'a buy limit at the price of a resting sale cancels the sale': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 limit 105', '2 b: buy 1 limit 105'],
    ...selfTrade('cancel-resting'),
    says: ['accepted a', 'accepted b', 'cancelled a: self-trade prevention', 'filled b 1 at 100 taker'],
  },
  'a buy limit at the price of a resting sale ends itself': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 limit 105', '2 b: buy 1 limit 105'],
    ...selfTrade('cancel-incoming'),
    says: ['accepted a', 'cancelled b: self-trade prevention'],
  },
  'a buy limit at the price of a resting sale ends both': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 limit 105', '2 b: buy 1 limit 105'],
    ...selfTrade('cancel-both'),
    says: ['accepted a', 'cancelled b: self-trade prevention', 'cancelled a: self-trade prevention'],
  },
  'a buy limit below a resting sale meets nobody': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 limit 105', '2 b: buy 1 limit 95'],
    ...selfTrade('cancel-both'),
    says: ['accepted a', 'accepted b'],
  },
  'orders of one side never meet': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 90', '2 b: buy 1 limit 95'],
    ...selfTrade('cancel-both'),
    says: ['accepted a', 'accepted b'],
  },
  'a stop that rests is nobody to trade with': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 stop 90', '2 b: buy 1 limit 95'],
    ...selfTrade('cancel-both'),
    says: ['accepted a', 'accepted b'],
  },
  'a sale meets every resting buy at or above it': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 96', '1 b: buy 1 limit 94', '1 c: buy 1 limit 90', '2 d: sell 1 limit 94'],
    ...selfTrade('cancel-resting'),
    says: ['accepted a', 'accepted b', 'accepted c', 'accepted d', 'cancelled a', 'cancelled b', 'filled d 1 at 100 taker'],
  },
  'a market order is held to the last price': {
    bars: ['100 101 99 99.5', FLAT],
    sends: ['1 a: sell 1 limit 102', '2 b: buy 1'],
    ...selfTrade('cancel-both'),
    says: ['accepted a', 'filled b 1 at 100 taker'],
  },
};

const latency: Cases = {
  'an order that arrives inside a bar takes the open of that bar': {
    bars: ['101 102 100 101', '102 103 101 102'],
    sends: ['1 a: buy 1'],
    settings: { latencyMs: 90_000 },
    says: ['filled a 1 at 102 taker'],
  },
  'an order that arrives as a bar ends belongs to the next': {
    bars: ['101 102 100 101', '102 103 101 102'],
    sends: ['1 a: buy 1'],
    settings: { latencyMs: 60_000 },
    says: ['accepted a', 'filled a 1 at 102 taker'],
  },
  'recorded latencies are used one after the other': {
    bars: ['101 102 100 101', '102 103 101 102'],
    sends: ['1 a: buy 1', '1 b: buy 1'],
    ...by({ recordedLatenciesMs: [5, 70_000] }),
    says: ['filled a 1 at 101 taker', 'filled b 1 at 102 taker'],
  },
  'a message that was sent later never arrives earlier': {
    bars: ['101 102 100 101', '102 103 101 102'],
    sends: ['1 a: buy 1', '1 b: buy 1'],
    ...by({ recordedLatenciesMs: [70_000, 5] }),
    says: ['filled a 1 at 102 taker', 'filled b 1 at 102 taker'],
  },
  'a cancel is as slow as an order': {
    bars: ['100 101 89 90', FLAT],
    sends: ['1 a: buy 1 limit 90', '1 cancel a'],
    ...by({ recordedLatenciesMs: [5, 60_000] }),
    says: ['accepted a', 'cancelled a: asked for'],
  },
};

const fees: Cases = {
  'a taker pays its rate of the notional': { bars: [FLAT], sends: ['1 a: buy 2'], says: ['filled a 2 at 100 taker'], cash: '9799.8' },
  'a maker pays its own': {
    bars: ['100 101 89 90'],
    sends: ['1 a: buy 2 limit 90'],
    says: ['accepted a', 'filled a 2 at 90 maker'],
    cash: '9819.91',
  },
  'a rebate is paid to the maker': {
    bars: ['100 101 89 90'],
    sends: ['1 a: buy 2 limit 90'],
    settings: { instruments: [{ ...PERPETUAL, makerFeeRate: -0.0001 }] },
    says: ['accepted a', 'filled a 2 at 90 maker'],
    cash: '9820.018',
  },
  'a tier goes before the rates of the instrument': {
    bars: [FLAT],
    sends: ['1 a: buy 1'],
    ...by({ feeTiers: [{ turnover: 0, takerFeeRate: 0.0004, makerFeeRate: 0 }] }),
    says: ['filled a 1 at 100 taker'],
    cash: '9899.96',
  },
  'a tier that is not reached does not': {
    bars: [FLAT],
    sends: ['1 a: buy 1'],
    ...by({ feeTiers: [{ turnover: 1_000_000, takerFeeRate: 0.0004, makerFeeRate: 0 }] }),
    says: ['filled a 1 at 100 taker'],
    cash: '9899.9',
  },
  'fees are cut off at the twelfth decimal': {
    bars: ['100.01 101 99 100'],
    sends: ['1 a: buy 0.333'],
    settings: { instruments: [{ ...PERPETUAL, takerFeeRate: 0.0000000001 }] },
    says: ['filled a 0.333 at 100.01 taker'],
    cash: '9966.69666999667',
  },
};

const ONE_PERCENT = { marginTiers: { 'X/USDT:USDT': [{ upTo: Infinity, maintenanceRate: 0.01 }] } } as const;
const isolated = (rules: Partial<MatchingRules> = {}, more: Case['settings'] = {}): ReturnType<typeof by> =>
  by({ margin: 'isolated', ...ONE_PERCENT, ...rules }, more);
const cross = (rules: Partial<MatchingRules> = {}, more: Case['settings'] = {}): ReturnType<typeof by> =>
  by({ margin: 'cross', ...ONE_PERCENT, ...rules }, more);
const LONG = 'filled a 1 at 100 taker';

// A long of 1 from 100 posts 10. Its margin is used up where 10 + p - 100 = 0.01 p: at 90.909, on the tick 90.90. A short: at 108.92.
const margin: Cases = {
  'isolated, a long is liquidated at its price': {
    bars: [FLAT, '100 101 90.9 91'],
    sends: ['1 a: buy 1'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0'],
    cash: '9989.9',
  },
  'isolated, a long stays a tick above it': { bars: [FLAT, '100 101 90.91 91'], sends: ['1 a: buy 1'], ...isolated(), says: [LONG] },
  'isolated, a short is liquidated at its price': {
    bars: [FLAT, '100 108.92 99 108'],
    sends: ['1 a: sell 1'],
    ...isolated(),
    says: [LONG, 'liquidated buy 1 at 108.92 fee 1.08 insurance 0 deleveraged 0'],
    cash: '9989.9',
  },
  'isolated, a short stays a tick below it': { bars: [FLAT, '100 108.91 99 108'], sends: ['1 a: sell 1'], ...isolated(), says: [LONG] },
  'a gap is booked at the open, and the insurance fund bears what is beyond the margin': {
    bars: [FLAT, '85 86 84 85'],
    sends: ['1 a: buy 1'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 85 fee -5 insurance 5 deleveraged 0'],
    cash: '9989.9',
  },
  'what the insurance fund cannot bear is deleveraged': {
    bars: [FLAT, '85 86 84 85'],
    sends: ['1 a: buy 1'],
    ...isolated({ insuranceFund: 2 }),
    says: [LONG, 'liquidated sell 1 at 85 fee -5 insurance 2 deleveraged 3'],
    cash: '9989.9',
  },
  'fees of liquidations fill the insurance fund': {
    bars: [FLAT, '100 101 90.9 91', FLAT, '85 86 84 85'],
    sends: ['1 a: buy 1', '3 b: buy 1'],
    ...isolated({ insuranceFund: 0 }),
    says: [
      LONG,
      'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0',
      'filled b 1 at 100 taker',
      'liquidated sell 1 at 85 fee -5 insurance 0.9 deleveraged 4.1',
    ],
  },
  'the fee of a liquidation takes no more than is left': {
    bars: [FLAT, '100 101 90.9 91'],
    sends: ['1 a: buy 1'],
    ...isolated({ liquidationFeeRate: 0.5 }),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0'],
  },
  'a small fee leaves the rest of the margin': {
    bars: [FLAT, '100 101 90.9 91'],
    sends: ['1 a: buy 1'],
    ...isolated({ liquidationFeeRate: 0.001 }),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.0909 insurance 0 deleveraged 0'],
    cash: '9990.7091',
  },
  'a liquidation slips as a stop does': {
    bars: [FLAT, '100 101 90 91'],
    sends: ['1 a: buy 1'],
    ...isolated({ liquidationFeeRate: 0 }, { slippageRatio: 0.0001 }),
    // In at 100.01, so 10.001 are behind it: 90.00901 / 0.99 = 90.918, sold at 90.91 less 0.0091.
    says: ['filled a 1 at 100.01 taker', 'liquidated sell 1 at 90.9 fee 0 insurance 0 deleveraged 0'],
  },
  'a stop nearer to the open comes first': {
    bars: [FLAT, '100 101 80 81'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    ...isolated(),
    says: [LONG, 'filled s 1 at 95 taker'],
  },
  'a stop beyond the liquidation never comes to its turn': {
    bars: [FLAT, '100 101 80 81'],
    sends: ['1 a: buy 1 | s: sell 1 stop 85 reduce'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0', 'cancelled s: its position was liquidated'],
  },
  'of a gap through both the liquidation comes first': {
    bars: [FLAT, '80 81 79 80'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 80 fee -10 insurance 10 deleveraged 0', 'cancelled s: its position was liquidated'],
  },
  'a liquidation comes before a target in the same bar': {
    bars: [FLAT, '100 110 90 100'],
    sends: ['1 a: buy 1 | t: sell 1 take-profit 105 reduce'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0', 'cancelled t: its position was liquidated'],
  },
  'an entry is liquidated in the bar in which it fills': {
    bars: ['100 101 90 95'],
    sends: ['1 a: buy 1'],
    ...isolated(),
    says: [LONG, 'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0'],
  },
  'resting entries in the instrument go with the position': {
    bars: [FLAT, '100 101 90.9 91'],
    sends: ['1 a: buy 1', '1 b: buy 1 limit 80', '1 d: sell 1 stop 70 whole'],
    ...isolated(),
    says: [
      LONG,
      'accepted b',
      'accepted d',
      'liquidated sell 1 at 90.9 fee 0.9 insurance 0 deleveraged 0',
      'cancelled b: its position was liquidated',
      'cancelled d: its position was liquidated',
    ],
  },
  'isolated, adding at another price moves the liquidation to that of the average': {
    // 2 from 97.5, 19.5 posted: (195 - 19.5) / 1.98 = 88.636.
    bars: [FLAT, '95 96 94 95', '95 96 88.64 90', '90 91 88.63 90'],
    sends: ['1 a: buy 1', '2 b: buy 1'],
    ...isolated({ liquidationFeeRate: 0 }),
    says: [LONG, 'filled b 1 at 95 taker', 'liquidated sell 2 at 88.63 fee 0 insurance 0 deleveraged 0'],
  },
  'isolated, closing a half leaves the liquidation where it was': {
    bars: [FLAT, FLAT, '100 101 90.91 95', '95 96 90.9 91'],
    sends: ['1 a: buy 2', '2 b: sell 1'],
    ...isolated({ liquidationFeeRate: 0 }),
    says: ['filled a 2 at 100 taker', 'filled b 1 at 100 taker', 'liquidated sell 1 at 90.9 fee 0 insurance 0 deleveraged 0'],
  },
  'isolated, turning the position posts for the new side': {
    bars: [FLAT, FLAT, '100 108.92 99 100'],
    sends: ['1 a: buy 1', '2 b: sell 2'],
    ...isolated({ liquidationFeeRate: 0 }),
    says: [LONG, 'filled b 2 at 100 taker', 'liquidated buy 1 at 108.92 fee 0 insurance 0 deleveraged 0'],
  },
  'isolated, more than the free balance can post is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 11', '1 b: buy 9'],
    ...isolated({}, { capital: amount('100') }),
    says: ['rejected a: insufficient margin', 'filled b 9 at 100 taker'],
  },
  'isolated, a limit whose margin is gone when it fills ends': {
    bars: [FLAT, '100 101 94 95'],
    sends: ['1 a: buy 9 limit 95', '1 b: buy 9'],
    ...isolated({}, { capital: amount('100') }),
    says: ['accepted a', 'filled b 9 at 100 taker', 'cancelled a: insufficient margin'],
  },
  'isolated, what is lost in one position never touches another': {
    bars: [FLAT, '80 81 79 80'],
    sends: ['1 a: buy 1', '1 b: sell 1 #1'],
    ...isolated(
      { marginTiers: { ...ONE_PERCENT.marginTiers, 'Y/USDT:USDT': [{ upTo: Infinity, maintenanceRate: 0.01 }] } },
      { instruments: [PERPETUAL, { ...PERPETUAL, symbol: 'Y/USDT:USDT', base: 'Y' }] },
    ),
    says: [LONG, 'filled b 1 at 100 taker', 'liquidated sell 1 at 80 fee -10 insurance 10 deleveraged 0'],
  },
  // Cash 100, 5 bought for 500.5: -400.5 + 5 p = 0.05 p at 80.909.
  'cross, the whole account stands behind a position': {
    bars: [FLAT, '100 101 80.91 82', '82 83 80.9 81'],
    sends: ['1 a: buy 5'],
    ...cross({ liquidationFeeRate: 0 }, { capital: amount('100') }),
    says: ['filled a 5 at 100 taker', 'liquidated sell 5 at 80.9 fee 0 insurance 0 deleveraged 0'],
    cash: '4',
  },
  'cross, a gap beyond the whole account is insured': {
    bars: [FLAT, '70 71 69 70'],
    sends: ['1 a: buy 5'],
    ...cross({}, { capital: amount('100') }),
    says: ['filled a 5 at 100 taker', 'liquidated sell 5 at 70 fee -50.5 insurance 50.5 deleveraged 0'],
    cash: '0',
  },
  'cross, the gain of one position keeps another alive': {
    // Both at 85: what 5 long lose the 5 short win.
    bars: [FLAT, '85 86 84 85'],
    sends: ['1 a: buy 5', '1 b: sell 5 #1'],
    ...cross(
      { marginTiers: { ...ONE_PERCENT.marginTiers, 'Y/USDT:USDT': [{ upTo: Infinity, maintenanceRate: 0.01 }] } },
      { capital: amount('110'), instruments: [PERPETUAL, { ...PERPETUAL, symbol: 'Y/USDT:USDT', base: 'Y' }] },
    ),
    says: ['filled a 5 at 100 taker', 'filled b 5 at 100 taker'],
  },
  'cross, a position paid in full is never liquidated': {
    bars: [FLAT, '1 2 0.01 1'],
    sends: ['1 a: buy 1'],
    ...cross(),
    says: [LONG],
  },
  'maintenance on the value at entry: 10 - 1 below 100 is 91': {
    bars: [FLAT, '100 101 91.01 92', '92 93 91 91'],
    sends: ['1 a: buy 1'],
    ...isolated({ maintenanceBasis: 'entry', liquidationFeeRate: 0 }),
    says: [LONG, 'liquidated sell 1 at 91 fee 0 insurance 0 deleveraged 0'],
  },
  'in a higher tier more must stay behind': {
    // 200 from 100, 2,000 posted; 2 % beyond 10,000 with 100 deducted: (18,000 - 100) / (200 x 0.98) = 91.326.
    bars: [FLAT, '100 101 91.33 92', '92 93 91.32 92'],
    sends: ['1 a: buy 200'],
    ...isolated({
      liquidationFeeRate: 0,
      marginTiers: {
        'X/USDT:USDT': [
          { upTo: 10_000, maintenanceRate: 0.01 },
          { upTo: Infinity, maintenanceRate: 0.02 },
        ],
      },
    }),
    says: ['filled a 200 at 100 taker', 'liquidated sell 200 at 91.32 fee 0 insurance 0 deleveraged 0'],
  },
  'with leverage alone nobody is liquidated': {
    bars: [FLAT, '1 2 0.5 1'],
    sends: ['1 a: buy 1000'],
    says: ['filled a 1000 at 100 taker'],
  },
  'for cash more than there is cannot be bought': {
    bars: [FLAT],
    sends: ['1 a: buy 101', '1 b: buy 99'],
    ...by({ margin: 'cash' }),
    says: ['rejected a', 'filled b 99 at 100 taker'],
  },
  'for cash what is not held cannot be sold': { bars: [FLAT], sends: ['1 a: sell 1'], ...by({ margin: 'cash' }), says: ['rejected a'] },
  'for cash the fee must be there too': {
    bars: [FLAT],
    sends: ['1 a: buy 100'],
    ...by({ margin: 'cash' }),
    says: ['cancelled a: insufficient margin'],
  },
};

const funded = { ...PERPETUAL, fundingRate: 0.01, fundingIntervalMs: 180_000 };

const funding: Cases = {
  'a long pays a positive rate on the close at the boundary': {
    bars: [FLAT, '100 111 99 110', FLAT],
    sends: ['1 a: buy 1'],
    settings: { instruments: [funded] },
    says: [LONG, 'funding -1.1'],
    cash: '9898.8',
  },
  'a short receives it': {
    bars: [FLAT, '100 111 99 110', FLAT],
    sends: ['1 a: sell 1'],
    settings: { instruments: [funded] },
    says: [LONG, 'funding 1.1'],
  },
  'a negative rate is paid by shorts': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1'],
    settings: { instruments: [{ ...funded, fundingRate: -0.01 }] },
    says: [LONG, 'funding -1'],
  },
  'who closes before the boundary owes nothing': {
    bars: [FLAT, FLAT, FLAT],
    sends: ['1 a: buy 1', '2 b: sell 1'],
    settings: { instruments: [funded] },
    says: [LONG, 'filled b 1 at 100 taker'],
  },
  'who is stopped in the bar that ends at the boundary owes nothing': {
    bars: [FLAT, '100 101 94 95', FLAT],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    settings: { instruments: [funded] },
    says: [LONG, 'filled s 1 at 95 taker'],
  },
  'a liquidation between two boundaries ends what is owed': {
    bars: [FLAT, FLAT, '100 101 91.9 92', '92 93 92 92', '92 93 92 92', '92 93 92 92'],
    sends: ['1 a: buy 1'],
    // 1 of funding is paid from what is free: the margin stays 10 and the liquidation at 90.90.
    ...isolated({}, { instruments: [funded] }),
    says: [LONG, 'funding -1', 'funding -0.92'],
  },
  'isolated, funding that the free balance cannot pay brings the liquidation nearer': {
    // 10 posted of 10.1, the fee took the rest: 1 of funding leaves 9 behind it, (100 - 9) / 0.99 = 91.919.
    bars: [FLAT, FLAT, '100 101 91.91 92', '92 93 92 92', '92 93 92 92', '92 93 92 92'],
    sends: ['1 a: buy 1'],
    ...isolated({ liquidationFeeRate: 0 }, { instruments: [funded], capital: amount('10.1') }),
    says: [LONG, 'funding -1', 'liquidated sell 1 at 91.91 fee 0 insurance 0 deleveraged 0'],
  },
  'cross, funding is paid by the account and brings the liquidation nearer': {
    // -400.5 - 5 + 5 p = 0.05 p at 81.919.
    bars: [FLAT, FLAT, '100 101 81.91 82'],
    sends: ['1 a: buy 5'],
    ...cross({ liquidationFeeRate: 0 }, { instruments: [funded], capital: amount('100') }),
    says: ['filled a 5 at 100 taker', 'funding -5', 'liquidated sell 5 at 81.91 fee 0 insurance 0 deleveraged 0'],
  },
};

const spot: Cases = {
  'spot is bought with cash': {
    bars: [FLAT],
    sends: ['1 a: buy 101', '1 b: buy 99'],
    settings: { instruments: [SPOT] },
    says: ['rejected a', 'filled b 99 at 100 taker'],
  },
  'spot that is not held is not sold': { bars: [FLAT], sends: ['1 a: sell 1'], settings: { instruments: [SPOT] }, says: ['rejected a'] },
  'a resting sale of spot shrinks to what is still held': {
    bars: [FLAT, FLAT, '100 106 99 105'],
    sends: ['1 a: buy 3', '2 b: sell 3 limit 105', '2 c: sell 1'],
    settings: { instruments: [SPOT] },
    says: [
      'filled a 3 at 100 taker',
      'accepted b',
      'filled c 1 at 100 taker',
      'filled b 2 at 105 maker',
      'cancelled b: insufficient balance',
    ],
  },
  'spot is never liquidated': {
    bars: [FLAT, '1 2 0.5 1'],
    sends: ['1 a: buy 99'],
    ...cross({}, { instruments: [SPOT] }),
    says: ['filled a 99 at 100 taker'],
  },
  'spot pays no funding': {
    bars: [FLAT, FLAT, FLAT, FLAT],
    sends: ['1 a: buy 1'],
    settings: { instruments: [SPOT] },
    says: [LONG],
  },
};

const answering = (rules: Partial<MatchingRules>, more: Case['settings'] = {}): Pick<Case, 'settings' | 'isTimed'> => ({
  ...by(rules, more),
  isTimed: true,
});

const answers: Cases = {
  'an answer is heard so much later than what it tells of': {
    bars: [FLAT],
    sends: ['1 a: buy 1'],
    ...answering({ responseLatencyMs: 500 }),
    says: ['60501 filled a 1 at 100 taker'],
  },
  'at once is at once': { bars: [FLAT], sends: ['1 a: buy 1'], ...answering({}), says: ['60001 filled a 1 at 100 taker'] },
  'the venue does not wait for its answer to be heard': {
    bars: ['100 101 94 95', '90 91 89 90'],
    sends: ['1 a: buy 1 | s: sell 1 stop 95 reduce'],
    ...answering({ responseLatencyMs: 50_000 }),
    says: ['110001 filled a 1 at 100 taker', '170000 filled s 1 at 95 taker'],
  },
  'an answer that takes longer than a bar tells of the bar in which it was': {
    bars: ['101 102 100 101', '120 121 119 120'],
    sends: ['1 a: buy 1'],
    ...answering({ responseLatencyMs: 90_000 }),
    says: ['150001 filled a 1 at 101 taker'],
  },
  'recorded delays of answers are used one after the other': {
    bars: [FLAT],
    sends: ['1 a: buy 1', '1 b: buy 1', '1 c: buy 1'],
    ...answering({ recordedResponsesMs: [10, 1_000] }),
    says: ['60011 filled a 1 at 100 taker', '61001 filled b 1 at 100 taker', '61001 filled c 1 at 100 taker'],
  },
  'an answer never overtakes the one before': {
    bars: [FLAT],
    sends: ['1 a: buy 1', '1 b: buy 1'],
    ...answering({ recordedResponsesMs: [1_000, 10] }),
    says: ['61001 filled a 1 at 100 taker', '61001 filled b 1 at 100 taker'],
  },
  'who has not heard of a fill may still cancel, and hears that it was too late': {
    bars: ['100 101 89 91', FLAT],
    sends: ['1 a: buy 1 limit 90', '2 cancel a'],
    ...answering({ responseLatencyMs: 1_000 }),
    says: ['61001 accepted a', '121000 filled a 1 at 90 maker', '121001 cancelled a: it had already ended'],
  },
  'orders and answers each have their own latency': {
    bars: [FLAT],
    sends: ['1 a: buy 1'],
    ...answering({ responseLatencyMs: 30 }, { latencyMs: 200 }),
    says: ['60230 filled a 1 at 100 taker'],
  },
  'a refusal is heard as late': {
    bars: [FLAT],
    sends: ['1 a: buy 0.0001'],
    ...answering({ responseLatencyMs: 70 }),
    says: ['60071 rejected a'],
  },
};

const bnb = (
  feeCoin: Partial<NonNullable<MatchingRules['feeCoin']>>,
  more: Partial<MatchingRules> = {},
  settings: Case['settings'] = {},
): ReturnType<typeof by> =>
  by({ feeCoin: { currency: 'BNB', discountRatio: 0.25, prices: [{ from: 0, price: 300 }], ...feeCoin }, ...more }, settings);

const feeCoins: Cases = {
  // 0.2 of fee, 0.15 with the discount.
  'a fee in a coin is cheaper, and so much of the coin': {
    bars: [FLAT],
    sends: ['1 a: buy 2'],
    ...bnb({}),
    says: ['filled a 2 at 100 taker fee 0.0005 BNB'],
    cash: '9799.85',
  },
  // 0.15 / 310 = 0.00048387..., eight places up.
  'it is rounded up to eight places of the coin, and costs what that much costs': {
    bars: [FLAT],
    sends: ['1 a: buy 2'],
    ...bnb({ prices: [{ from: 0, price: 310 }] }),
    says: ['filled a 2 at 100 taker fee 0.00048388 BNB'],
    cash: '9799.8499972',
  },
  'the coin has the price of the fill': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 2', '2 b: buy 2'],
    ...bnb({
      prices: [
        { from: 120_000, price: 600 },
        { from: 0, price: 300 },
      ],
    }),
    says: ['filled a 2 at 100 taker fee 0.0005 BNB', 'filled b 2 at 100 taker fee 0.00025 BNB'],
    cash: '9599.7',
  },
  'before it has a price fees are in quote currency, and whole': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 2', '2 b: buy 2'],
    ...bnb({ prices: [{ from: 120_000, price: 300 }] }),
    says: ['filled a 2 at 100 taker', 'filled b 2 at 100 taker fee 0.0005 BNB'],
    cash: '9599.65',
  },
  'a rebate stays in quote currency': {
    bars: ['100 101 89 90'],
    sends: ['1 a: buy 2 limit 90'],
    ...bnb({}, {}, { instruments: [{ ...PERPETUAL, makerFeeRate: -0.0001 }] }),
    says: ['accepted a', 'filled a 2 at 90 maker'],
    cash: '9820.018',
  },
  'a maker pays in it too': {
    bars: ['100 101 89 90'],
    sends: ['1 a: buy 2 limit 90'],
    ...bnb({}),
    says: ['accepted a', 'filled a 2 at 90 maker fee 0.000225 BNB'],
    cash: '9819.9325',
  },
  'without a discount only the coin is another': {
    bars: [FLAT],
    sends: ['1 a: buy 3'],
    ...bnb({ discountRatio: 0 }),
    says: ['filled a 3 at 100 taker fee 0.001 BNB'],
    cash: '9699.7',
  },
  'the discount is of the fee of the tier': {
    bars: [FLAT],
    sends: ['1 a: buy 2'],
    ...bnb({}, { feeTiers: [{ turnover: 0, takerFeeRate: 0.0004, makerFeeRate: 0 }] }),
    says: ['filled a 2 at 100 taker fee 0.0002 BNB'],
    cash: '9799.94',
  },
};

const from = (
  at: number,
  steps: Omit<MatchingRules['filters'][number], 'symbol' | 'from'>,
  more: Case['settings'] = {},
): ReturnType<typeof by> => by({ filters: [{ symbol: 'X/USDT:USDT', from: at, ...steps }] }, more);

const filters: Cases = {
  'a lot holds from its day on': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 0.115', '2 b: buy 0.115', '2 c: buy 0.11'],
    ...from(120_000, { lot: 0.01 }),
    says: ['filled a 0.115 at 100 taker', 'rejected b: quantity 0.115 is off the lot 0.01', 'filled c 0.11 at 100 taker'],
  },
  'so does a tick': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 95.05', '2 b: buy 1 limit 95.05'],
    ...from(120_000, { tick: 0.1 }),
    says: ['accepted a', 'rejected b: price 95.05 is off the tick 0.1'],
  },
  'so does a least notional': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 0.5', '2 b: buy 0.5'],
    ...from(120_000, { minimumNotional: 100 }),
    says: ['filled a 0.5 at 100 taker', 'rejected b: notional 50 is below the minimum 100'],
  },
  'so does a least quantity': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 0.5', '2 b: buy 0.5'],
    ...from(120_000, { minimumQuantity: 0.6 }),
    says: ['filled a 0.5 at 100 taker', 'rejected b: quantity 0.5 is below the minimum 0.6'],
  },
  'an order is held to the filters of its arrival, not to those of its sending': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 0.115'],
    ...from(120_000, { lot: 0.01 }, { latencyMs: 60_000 }),
    says: ['rejected a'],
  },
  'a millisecond before, the old ones hold': {
    bars: [FLAT, FLAT],
    sends: ['2 a: buy 0.115'],
    ...from(120_002, { lot: 0.01 }),
    says: ['filled a 0.115 at 100 taker'],
  },
  'what rests stays as it is': {
    bars: [FLAT, '100 101 94 95'],
    sends: ['1 a: buy 1 limit 95.05'],
    ...from(120_000, { tick: 0.1 }),
    says: ['accepted a', 'filled a 1 at 95.05 maker'],
  },
  'but what is asked of it is held to the new ones': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 limit 95.05', '2 reprice a 95.15 1', '2 reprice a 95.1 1'],
    ...from(120_000, { tick: 0.1 }),
    says: ['accepted a', 'repriced a to 1 at 95.05: price 95.15 is off the tick 0.1', 'repriced a to 1 at 95.1: '],
  },
  'slippage goes onto the tick of its time': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1', '2 b: buy 1'],
    ...from(120_000, { tick: 0.1 }, { slippageRatio: 0.00012 }),
    says: ['filled a 1 at 100.02 taker', 'filled b 1 at 100.1 taker'],
  },
  'a later change follows an earlier one': {
    bars: [FLAT, FLAT, FLAT],
    sends: ['2 a: buy 0.115', '3 b: buy 0.115'],
    ...by({
      filters: [
        { symbol: 'X/USDT:USDT', from: 180_000, lot: 0.001 },
        { symbol: 'X/USDT:USDT', from: 120_000, lot: 0.01 },
      ],
    }),
    says: ['rejected a', 'filled b 0.115 at 100 taker'],
  },
  'those of another symbol are passed over': {
    bars: [FLAT],
    sends: ['1 a: buy 0.115'],
    ...by({ filters: [{ symbol: 'Y/USDT', from: 0, lot: 1 }] }),
    says: ['filled a 0.115 at 100 taker'],
  },
};

const hedged = (rules: Partial<MatchingRules> = {}, more: Case['settings'] = {}): ReturnType<typeof by> =>
  by(rules, { positions: 'hedge', ...more });

const hedge: Cases = {
  'a long and a short are held beside each other': {
    bars: [FLAT, '110 111 109 110'],
    sends: ['1 a: buy 2 long', '1 b: sell 1 short', '2 c: sell 2 long', '2 d: buy 1 short'],
    ...hedged(),
    says: ['filled a 2 at 100 taker', 'filled b 1 at 100 taker', 'filled c 2 at 110 taker', 'filled d 1 at 110 taker'],
    // 20 won, 10 lost, 0.2, 0.1, 0.22 and 0.11 of fees.
    cash: '10009.37',
  },
  'selling the long never opens a short': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 long', '2 b: sell 3 long'],
    ...hedged(),
    says: ['filled a 1 at 100 taker', 'filled b 1 at 100 taker', 'cancelled b: reduce-only: the position is closed'],
  },
  'a long that is not there cannot be sold': {
    bars: [FLAT, FLAT],
    sends: ['1 a: sell 1 short', '2 b: sell 1 long'],
    ...hedged(),
    says: ['filled a 1 at 100 taker', 'rejected b: reduce-only: there is no position to reduce'],
  },
  'an order that names no position is refused': {
    bars: [FLAT],
    sends: ['1 a: buy 1'],
    ...hedged(),
    says: ['rejected a: there is a long and a short position, and it names neither'],
  },
  'where there is one position none is named': {
    bars: [FLAT],
    sends: ['1 a: buy 1 long'],
    says: ['rejected a: there is one position of it, which has no side'],
  },
  'a stop closes its own position and leaves the other': {
    bars: [FLAT, '100 101 94 95', '95 96 94 95'],
    sends: ['1 a: buy 1 long | s: sell 1 stop 95 long', '1 b: sell 2 short', '3 c: buy 2 short'],
    ...hedged(),
    says: ['filled a 1 at 100 taker', 'filled b 2 at 100 taker', 'filled s 1 at 95 taker', 'filled c 2 at 95 taker'],
  },
  'a stop on the whole of one ends with it, that of the other rests on': {
    bars: [FLAT, FLAT, '100 121 99 120'],
    sends: ['1 a: buy 1 long | s: sell 1 stop 90 whole long', '1 b: sell 2 short | t: buy 1 stop 120 whole short', '2 c: sell 1 long'],
    ...hedged(),
    says: [
      'filled a 1 at 100 taker',
      'filled b 2 at 100 taker',
      'filled c 1 at 100 taker',
      'cancelled s: its position is closed',
      'filled t 2 at 120 taker',
    ],
  },
  'each pays its funding': {
    bars: [FLAT, FLAT],
    sends: ['1 a: buy 1 long', '1 b: sell 2 short'],
    ...hedged({}, { instruments: [{ ...PERPETUAL, fundingRate: 0.01, fundingIntervalMs: 180_000 }] }),
    says: ['filled a 1 at 100 taker', 'filled b 2 at 100 taker', 'funding -1', 'funding 2'],
  },
  'exposure is the sum of both': {
    bars: [FLAT],
    sends: ['1 a: buy 600 long', '1 b: sell 600 short', '1 c: sell 390 short'],
    ...hedged(),
    says: ['filled a 600 at 100 taker', 'rejected b', 'filled c 390 at 100 taker'],
  },
  'isolated, the long is liquidated, and what rests for the short stays': {
    bars: [FLAT, FLAT, '100 101 90 91', '91 92 79 80'],
    sends: ['1 a: buy 1 long', '1 b: sell 1 short', '2 c: sell 1 limit 105 long', '2 d: buy 1 limit 80 short'],
    ...hedged({ margin: 'isolated', liquidationFeeRate: 0, ...ONE_PERCENT }),
    says: [
      'filled a 1 at 100 taker',
      'filled b 1 at 100 taker',
      'accepted c',
      'accepted d',
      'liquidated sell 1 at 90.9 fee 0 insurance 0 deleveraged 0',
      'cancelled c: its position was liquidated',
      'filled d 1 at 80 maker',
    ],
  },
  'cross, what the long loses the short wins': {
    bars: [FLAT, '60 61 59 60'],
    sends: ['1 a: buy 5 long', '1 b: sell 5 short'],
    ...hedged({ margin: 'cross', ...ONE_PERCENT }, { capital: amount('110') }),
    says: ['filled a 5 at 100 taker', 'filled b 5 at 100 taker'],
  },
};

const groups: Readonly<Record<string, Cases>> = {
  'market orders': market,
  'limits and post-only': limits,
  'trading through': tradeThrough,
  stops,
  'take-profits and pairs': targets,
  'trailing stops': trailing,
  reducing: reducing,
  'time in force': forces,
  'amending and cancelling': amending,
  'partial fills': partial,
  slippage,
  'self-trade prevention': preventing,
  latency,
  'latency of answers': answers,
  fees,
  'fees in a coin': feeCoins,
  'dated filters': filters,
  'hedged positions': hedge,
  margin,
  funding,
  spot,
};

for (const [group, cases] of Object.entries(groups)) {
  describe(group, () => {
    for (const [name, each] of Object.entries(cases)) {
      test(name, () => holds(each));
    }
  });
}

test('there are at least a hundred and fifty of them', () => {
  const count = Object.values(groups).reduce((sum, cases) => sum + Object.keys(cases).length, 0);
  assert.ok(count >= 150, `${count} cases`);
});
