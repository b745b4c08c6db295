import assert from 'node:assert/strict';
import test from 'node:test';
import type { OpinionNote, PoolNote, RulingNote, SleeveChange } from '../domain/entry.ts';
import { defaultCouncilSettings } from './council.ts';
import { minutes } from './minutes.ts';

const settings = { ...defaultCouncilSettings, minimumConsensus: 2, minimumHoldMs: 60_000, cooldownMs: 30_000 };

function note(source: number, stance: number, because: string, abstained = false): OpinionNote {
  return { source, stance, confidence: 0.55, abstained, zScore: NaN, because };
}
function words(pool: Partial<PoolNote>, change: Partial<SleeveChange> = {}, rulings: readonly RulingNote[] = []): string {
  const note: PoolNote = { outcome: 'all-abstained', voices: 0, agreeing: 0, agreement: 1, ...pool };
  const whole: SleeveChange = { sleeve: 0, stanceBefore: 0, stance: 0, quantities: [], opinions: [], ...change, pool: note };
  return minutes({ changes: [whole], rulings }, { sleeveNames: ['trend-BTC', 'pair'], sourceNames: ['ema-cross', 'news'], settings });
}

test('one source, one clamp', () => {
  const clamp: RulingNote = { rule: 'position-limit', kind: 'clamp', why: 'too large', scales: [0.375, 1] };
  assert.equal(
    words({ outcome: 'single' }, { stance: 1, opinions: [note(0, 1, 'fast is above slow.')] }, [clamp]),
    'trend-BTC: from flat to long 1.00. ema-cross said long 1.00 with confidence 0.55: fast is above slow. Its one source decides. ' +
      'Rule position-limit scaled trend-BTC to 37.5 %: too large.',
  );
});

test('two sources that disagree, and one that abstained', () => {
  const opinions = [note(0, 1, 'up'), note(1, -0.5, ''), note(2, 0, 'no answer in time', true)];
  assert.equal(
    words({ outcome: 'pooled', voices: 2, agreeing: 1, agreement: 0.333 }, { stanceBefore: 0.5, stance: -0.2, opinions }),
    'trend-BTC: from long 0.50 to short 0.20. ema-cross said long 1.00 with confidence 0.55: up. news said short 0.50 with confidence 0.55. ' +
      'source 2 abstained: no answer in time. 1 of 2 who spoke agree; disagreement leaves 33 % of the stance.',
  );
});

test('every outcome has its words', () => {
  assert.equal(
    words({ outcome: 'pooled', voices: 2, agreeing: 2 }, { stance: 1 }),
    'trend-BTC: from flat to long 1.00. 2 of 2 who spoke agree.',
  );
  assert.equal(words({ outcome: 'pooled', voices: 2 }), 'trend-BTC: stays flat. No side prevails among 2 who spoke, so it is neutral.');
  assert.equal(
    words({}, { stanceBefore: -1 }),
    'trend-BTC: holds short 1.00 and adds nothing. Nobody spoke, so what is held stays and nothing is added.',
  );
  assert.equal(
    words({ outcome: 'no-consensus', voices: 3, agreeing: 1 }, { stanceBefore: 1 }),
    'trend-BTC: from long 1.00 to flat. Only 1 of 3 who spoke agree and 2 are needed, so it is neutral.',
  );
  assert.match(words({ outcome: 'expired' }), /Nobody stands by a forecast any longer, so it is flat\.$/);
  assert.match(words({ outcome: 'held' }, { stanceBefore: 1 }), /younger than its minimum holding time of 60000 ms, so it stays\.$/);
  assert.match(words({ outcome: 'cooldown' }), /The cooldown of 30000 ms after closing is not over, so it is flat\.$/);
});

test('rules that allow nothing, that touch several sleeves, and that halt', () => {
  const rulings: RulingNote[] = [
    { rule: 'stale-data', kind: 'clamp', why: 'old', scales: [0, 0.5, 0.25] },
    { rule: 'drawdown-halt', kind: 'halt', why: 'equity fell', scales: [] },
  ];
  assert.equal(
    minutes({ changes: [], rulings }, { sleeveNames: ['a', 'b'], sourceNames: [], settings }),
    'Rule stale-data allowed nothing to a and scaled b to 50 % and scaled sleeve 2 to 25 %: old. Rule drawdown-halt halted everything: equity fell.',
  );
});
