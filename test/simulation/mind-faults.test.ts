// A mind that answers by letter sits in the council beside a strategy of our own, and goes wrong in every way: what is traded is what the rules
// allow, and where the mind is not heard, what the strategy alone would have done.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LetterArrived } from '../../src/domain/event.ts';
import { abstain } from '../../src/domain/opinion.ts';
import { toNumber } from '../../src/domain/decimal.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { askWithin } from '../../src/forecasts/letters.ts';
import { bars, closeOf, flat, operator, session, START, type SessionParts, type TestSession } from '../support/session.ts';
import { SteppedTimers } from '../support/stepped-timers.ts';

const BARS = 40;
const DEADLINE_MS = 20_000;
/** Its place among the minds of the session. */
const STUB = 1;
const LETTER_SLEEVE = 0;

/** What the service answers to the question of a bar, and after how long; undefined for no answer ever. */
type Service = (bar: number) => { readonly afterMs: number; readonly answer: unknown } | undefined;

/** The stub mind: it is asked at every close, within its deadline, and its letters arrive when they are written. */
async function lettersOf(service: Service): Promise<LetterArrived[]> {
  const timers = new SteppedTimers();
  const letters: LetterArrived[] = [];
  const questions: Promise<void>[] = [];
  for (let bar = 0; bar < BARS; bar++) {
    const at = closeOf(bar);
    await timers.advance(at - START - timers.now());
    const ask = async (signal: AbortSignal): Promise<unknown> => {
      const said = service(bar);
      if (said === undefined) return new Promise(() => undefined);
      await timers.sleep(said.afterMs, signal);
      if (said.answer instanceof Error) throw said.answer;
      return said.answer;
    };
    questions.push(
      askWithin(ask, DEADLINE_MS, timers).then((opinion) => {
        const arrived = START + timers.now();
        letters.push({ kind: 'opinion.formed', at: arrived, happenedAt: arrived, source: STUB, opinion });
      }),
    );
  }
  await timers.advance(DEADLINE_MS);
  await Promise.all(questions);
  return letters;
}

/** A strategy that is long from bar 3 to 15 and long again from bar 25, beside a mind that is worth three of it. */
function council(letters: readonly LetterArrived[], more: Partial<SessionParts> = {}): SessionParts {
  const own = (bar: number): number => ((bar >= 3 && bar < 15) || bar >= 25 ? 1 : 0);
  return {
    bars: [bars(flat(BARS, 100))],
    sleeves: [
      {
        instruments: [0],
        minds: [
          { says: own, name: 'strategy' },
          { says: () => abstain('its answer comes by letter'), name: 'stub', weight: 3 },
        ],
      },
    ],
    ...more,
    words: [...letters, ...(more.words ?? [])],
  };
}

/** What was ordered to change the position, in a few words each. */
const orders = (run: TestSession): string[] =>
  run
    .of('order.intended')
    .flatMap(({ at, intent }) => (intent.role === 'target' ? [`${run.barAt(at)} ${intent.side} ${toNumber(intent.quantity)}`] : []));

const sound = (stance: number): string => JSON.stringify({ kind: 'forecast', stance, confidence: 0.8 });

describe('F48: a mind that answers by letter', () => {
  test('F48: is heard when it answers in time: it outweighs the strategy', async () => {
    const run = await session(council(await lettersOf(() => ({ afterMs: 1_000, answer: sound(-1) }))));
    assert.ok(run.of('decision.taken').some(({ changes }) => (changes[0]?.stance ?? 0) < 0));
  });

  const alone = (): Promise<TestSession> => session(council([]));
  const broken: Readonly<Record<string, Service>> = {
    'is down': () => ({ afterMs: 5, answer: new Error('HTTP 503') }),
    'never answers': () => undefined,
    'answers after its deadline': () => ({ afterMs: DEADLINE_MS + 1, answer: sound(-1) }),
    'answers in prose': () => ({ afterMs: 5, answer: 'SELL EVERYTHING NOW' }),
    'answers nonsense': (bar) => ({
      afterMs: 5,
      answer: [null, 7, '{}', { kind: 'forecast', stance: 99, confidence: 1 }, '{"kind":'][bar % 5],
    }),
    'was told to send orders': () => ({
      afterMs: 5,
      answer: '{"kind":"forecast","stance":-1,"confidence":1,"orders":[{"side":"sell","quantity":"1000000"}]}',
    }),
  };
  for (const [words, service] of Object.entries(broken)) {
    test(`F48: that ${words} is an abstention by its deadline, and what is traded is what the strategy alone would have traded`, async () => {
      const letters = await lettersOf(service);
      assert.equal(letters.length, BARS);
      for (const [bar, { opinion, at }] of letters.entries()) {
        assert.equal(opinion.kind, 'abstention');
        assert.ok(at <= closeOf(bar) + DEADLINE_MS);
      }
      const [run, reference] = [await session(council(letters)), await alone()];
      assert.deepEqual(orders(run), orders(reference));
      assert.ok(orders(run).length >= 3);
      assert.equal(run.held(LETTER_SLEEVE), reference.held(LETTER_SLEEVE));
      assert.deepEqual(run.of('mind.suspended'), []);
      const again = await session(council(letters));
      assert.equal(again.stateHash, run.stateHash, 'and the same each time');
    });
  }

  test('F48: that falls silent does not hold a position for ever: its last word expires', async () => {
    const letters = await lettersOf((bar) => (bar < 20 ? { afterMs: 5, answer: sound(1) } : undefined));
    const run = await session({
      bars: [bars(flat(BARS, 100))],
      sleeves: [{ instruments: [0], minds: [{ says: () => abstain('its answer comes by letter'), name: 'stub' }] }],
      // It is alone in this council.
      words: letters.map((letter) => ({ ...letter, source: 0 })),
    });
    const [entry, exit] = orders(run);
    assert.match(entry ?? '', /^0 buy/);
    // Three bars after its last letter, which came five milliseconds into bar 20.
    assert.match(exit ?? '', /^22 sell/);
    assert.equal(run.held(LETTER_SLEEVE), '0');
  });

  test('F48: that is certain of everything gets no more than the rules allow, and its stop not further than they do', async () => {
    const greedy = JSON.stringify({ kind: 'forecast', stance: 1, confidence: 1, expectedReturn: 1e9, protection: { stopRatio: 0.99 } });
    const letters = await lettersOf(() => ({ afterMs: 5, answer: greedy }));
    const run = await session(council(letters, { policy: { fixedRatio: 1, positionRatio: 0.25 } }));
    const { equity, mark, held } = run.engine.portfolio;
    const weight = ((held[0] ?? NaN) * (mark[0] ?? NaN)) / equity;
    // Of an equity that has paid the fee since.
    assert.ok(weight > 0.2 && weight < 0.2501, `a weight of ${weight}`);
    assert.ok(
      run.of('decision.taken').some(({ rulings }) => rulings.length > 0),
      'a rule has spoken',
    );
  });

  test('F48: cannot trade while the run is halted, and cannot release the halt', async () => {
    const letters = await lettersOf(() => ({ afterMs: 5, answer: sound(1) }));
    const run = await session(council(letters, { words: [operator(closeOf(5) + MINUTE_MS / 2, 'halt')] }));
    const [halt] = run.of('halt.latched');
    assert.ok(halt !== undefined && run.engine.account.halted);
    const later = run.of('order.intended').filter(({ at, intent }) => at > halt.at && !intent.reduceOnly);
    assert.deepEqual(later, []);
    assert.equal(run.held(LETTER_SLEEVE), '0');
  });

  test('F48: whose letter cannot be kept by its sleeve fails as any mind does, and is suspended in the end', async () => {
    // Lawful by itself, and of two legs where there is one.
    const letters = await lettersOf(() => ({ afterMs: 5, answer: '{"kind":"forecast","stance":1,"confidence":1,"legs":[1,-1]}' }));
    const run = await session(council(letters, { plan: { mindFailure: { action: 'suspend', strikes: 3 } } }));
    assert.equal(run.of('mind.failed').length, 3);
    assert.deepEqual(
      run.of('mind.suspended').map(({ source }) => source),
      [STUB],
    );
    assert.deepEqual(orders(run), orders(await alone()));
  });
});
