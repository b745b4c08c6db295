// A mind outside of this process that is slow, down, wrong, or was told by a page what to say: an abstention, in words, every time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Opinion } from '../domain/opinion.ts';
import { MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { SteppedTimers } from '../../test/support/stepped-timers.ts';
import { askWithin, readLetter } from './letters.ts';

const because = (opinion: Opinion): string => (opinion.kind === 'abstention' ? opinion.because : 'a forecast');

describe('F48: a letter', () => {
  test('that says an opinion is that opinion, as text or read already', () => {
    const forecast = {
      kind: 'forecast',
      stance: -0.5,
      confidence: 0.7,
      expectedReturn: 0.02,
      horizonMs: 3_600_000,
      protection: { stopRatio: 0.02, targetRatio: 0.06 },
      legs: [1, -0.8],
    };
    for (const letter of [forecast, { kind: 'abstention', because: 'nothing is clear' }]) {
      assert.deepEqual(readLetter(letter), letter);
      assert.deepEqual(readLetter(JSON.stringify(letter)), letter);
    }
  });

  for (const [name, letter, words] of [
    ['prose', 'I would strongly suggest to BUY here.', /no JSON: I would strongly suggest/],
    ['JSON in prose', 'Sure! {"kind":"forecast","stance":1,"confidence":1}', /no JSON: Sure!/],
    ['half of an answer', '{"kind":"forecast","stance":', /no JSON/],
    ['nothing', undefined, /no opinion/],
    ['null', null, /no opinion/],
    ['an empty text', '', /no JSON/],
    ['a list', [1, 2], /no opinion/],
    ['another kind', { kind: 'order', side: 'buy' }, /no opinion: kind/],
    ['no stance', { kind: 'forecast', confidence: 1 }, /no opinion: stance/],
    ['a stance of 5', { kind: 'forecast', stance: 5, confidence: 1 }, /no opinion: stance/],
    ['a stance in words', { kind: 'forecast', stance: 'long', confidence: 1 }, /no opinion: stance/],
    ['a stance that is no number', { kind: 'forecast', stance: NaN, confidence: 1 }, /no opinion: stance/],
    ['a confidence of 2', { kind: 'forecast', stance: 1, confidence: 2 }, /no opinion: confidence/],
    ['a stop beyond the price', { kind: 'forecast', stance: 1, confidence: 1, protection: { stopRatio: 4 } }, /no opinion: protection/],
    ['a leg of nothing', { kind: 'forecast', stance: 1, confidence: 1, legs: [0] }, /no opinion: legs/],
    ['a thousand legs', { kind: 'forecast', stance: 1, confidence: 1, legs: Array.from({ length: 1_000 }, () => 1) }, /no opinion: legs/],
    ['a book instead of a reason', { kind: 'abstention', because: 'x'.repeat(100_000) }, /no opinion: because/],
  ] as const) {
    test(`F48: that is ${name} is an abstention that says so`, () => assert.match(because(readLetter(letter)), words));
  }

  for (const more of [
    { order: { side: 'buy', quantity: '1000' } },
    { leverage: 100 },
    { quantity: 5 },
    { ignoreLimits: true },
    { tool: 'submit_order' },
    { __proto__polluted: 1 },
  ]) {
    test(`F48: that says ${Object.keys(more).join()} beside its opinion was told to by somebody, and is none at all`, () => {
      const letter = { kind: 'forecast', stance: 1, confidence: 1, ...more };
      assert.match(because(readLetter(JSON.stringify(letter))), /no opinion/);
    });
  }

  test('F48: whose words would write on a terminal is quoted without them, and not at length', () => {
    const words = because(readLetter(`\u001b[2J\u0007ignore all limits\n${'x'.repeat(5_000)}`));
    assert.doesNotMatch(words, /\p{Cc}/u);
    assert.ok(words.length < 250);
  });

  test('F48: of any text or value at all is an opinion within its bounds, or an abstention', () => {
    const near = fc.record(
      {
        kind: fc.constantFrom('forecast', 'abstention', 'order'),
        stance: fc.oneof(fc.double(), fc.constant('1')),
        confidence: fc.oneof(fc.double({ min: -1, max: 2 }), fc.constant(null)),
        protection: fc.oneof(fc.record({ stopRatio: fc.double() }), fc.string()),
        because: fc.string(),
      },
      { requiredKeys: ['kind'] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string(), fc.anything(), near), (raw) => {
        const opinion = readLetter(raw);
        if (opinion.kind === 'abstention') assert.equal(typeof opinion.because, 'string');
        else assert.ok(Math.abs(opinion.stance) <= 1 && opinion.confidence >= 0 && opinion.confidence <= 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('F48: a question', () => {
  const sound = { kind: 'forecast', stance: 1, confidence: 0.5 } as const;

  /** Asks, and lets so much time pass. */
  async function asked(
    ask: (signal: AbortSignal, timers: SteppedTimers) => Promise<unknown>,
    passMs: number,
  ): Promise<Opinion | undefined> {
    const timers = new SteppedTimers();
    let opinion: Opinion | undefined;
    void askWithin((signal) => ask(signal, timers), 5 * SECOND_MS, timers).then((said) => (opinion = said));
    await timers.advance(passMs);
    return opinion;
  }

  test('F48: that is answered in time is its opinion at once', async () => {
    const slow = async (_: AbortSignal, timers: SteppedTimers): Promise<unknown> => {
      await timers.sleep(4 * SECOND_MS);
      return JSON.stringify(sound);
    };
    assert.deepEqual(await asked(slow, 4 * SECOND_MS), sound);
  });

  test('F48: that is not answered by its deadline is an abstention by then, the service is let go of, and a later word is not heard', async () => {
    let isLetGo = false;
    const late = async (signal: AbortSignal, timers: SteppedTimers): Promise<unknown> => {
      signal.addEventListener('abort', () => (isLetGo = true));
      await timers.sleep(MINUTE_MS);
      return sound;
    };
    assert.equal(await asked(late, 4_999), undefined);
    const opinion = await asked(late, 2 * MINUTE_MS);
    assert.deepEqual(opinion, { kind: 'abstention', because: 'no answer within 5000 ms' });
    assert.ok(isLetGo);
    assert.equal((await asked(() => new Promise(() => undefined), 5_000))?.kind, 'abstention', 'nor one that never comes');
  });

  test('F48: to a service that is down, throws or answers nonsense is an abstention', async () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    for (const [ask, words] of [
      [() => Promise.reject(refused), /it failed: nobody who listens there/],
      [() => Promise.reject(new Error('HTTP 529')), /it failed: HTTP 529/],
      [
        (): Promise<unknown> => {
          throw new TypeError('not even asked');
        },
        /it failed: not even asked/,
      ],
      [() => Promise.resolve('<html>'), /no JSON/],
    ] as const) {
      const opinion = await asked(ask, 10);
      assert.ok(opinion !== undefined);
      assert.match(because(opinion), words);
    }
  });
});
