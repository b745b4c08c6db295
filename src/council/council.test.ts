import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { abstain, type Opinion } from '../domain/opinion.ts';
import { NEVER } from '../domain/time.ts';
import {
  defaultCouncilSettings,
  emptyPooled,
  pool,
  rearms,
  temper,
  type CouncilSettings,
  type Pooled,
  type SleeveTimes,
} from './council.ts';

function says(stance: number, confidence = 1): Opinion {
  return { kind: 'forecast', stance, confidence };
}
const silent = abstain('not warm');

/** Pools at time 0 with equal weights and nothing expired, unless told otherwise. */
function pooled(
  opinions: readonly (Opinion | undefined)[],
  settings: Partial<CouncilSettings> = {},
  weights: readonly number[] = opinions.map(() => 1),
  expiresAt: readonly number[] = opinions.map(() => NEVER),
): Pooled {
  return pool(opinions, weights, expiresAt, 0, { ...defaultCouncilSettings, ...settings }, emptyPooled());
}
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `was ${actual}, expected ${expected}`);
}

test('a single source is followed as it is, whatever its confidence and the consensus asked for', () => {
  const result = pooled([says(-0.7, 0.3)], { minimumConsensus: 3 });
  assert.deepEqual(result, {
    kind: 'stance',
    outcome: 'single',
    stance: -0.7,
    pooledStance: -0.7,
    confidence: 0.3,
    leader: 0,
    voices: 1,
    agreeing: 1,
    agreement: 1,
  });
});

test('a single neutral source makes flat, a single silent one holds', () => {
  assert.deepEqual([pooled([says(0)]).kind, pooled([says(-0)]).stance, pooled([says(0)]).leader], ['stance', 0, -1]);
  for (const nobody of [silent, undefined]) {
    const result = pooled([nobody]);
    assert.deepEqual([result.kind, result.outcome, result.voices], ['hold', 'all-abstained', 0]);
  }
});

test('opinions are averaged by weight x confidence', () => {
  near(pooled([says(1, 0.8), says(0.5, 0.4)], {}, [1, 3]).stance, (0.8 * 1 + 1.2 * 0.5) / (0.8 + 1.2));
});

test('disagreement shrinks the stance by what contradicts it', () => {
  const result = pooled([says(1), says(1), says(-1)]);
  near(result.agreement, 1 / 3);
  near(result.stance, (1 / 3) * (1 / 3));
  assert.deepEqual([result.agreeing, result.voices], [2, 3]);
});

test('a neutral voice dilutes and contradicts nobody', () => {
  const result = pooled([says(1), says(0)]);
  assert.equal(result.agreement, 1);
  assert.equal(result.stance, 0.5);
});

test('an abstention takes no part, which a neutral stance does', () => {
  assert.equal(pooled([says(0.8), silent, undefined]).stance, 0.8);
  assert.equal(pooled([says(0.8), says(0)]).stance, 0.4);
});

test('when all abstain the sleeve holds and adds nothing', () => {
  const result = pooled([silent, undefined, silent]);
  assert.deepEqual([result.kind, result.outcome, result.stance, result.leader], ['hold', 'all-abstained', 0, -1]);
});

test('sides that balance are neutral', () => {
  const result = pooled([says(1, 0.6), says(-1, 0.6)]);
  assert.deepEqual([result.kind, result.outcome, result.stance, result.agreement], ['stance', 'pooled', 0, 0]);
});

test('sources without any confidence are neutral', () => {
  assert.deepEqual([pooled([says(1, 0), says(1, 0)]).kind, pooled([says(1, 0), says(1, 0)]).stance], ['stance', 0]);
});

test('without enough sources on the pooled side the sleeve is neutral', () => {
  const two = { minimumConsensus: 2 };
  const alone = pooled([says(1), silent, silent], two);
  assert.deepEqual(
    [alone.kind, alone.outcome, alone.stance, alone.pooledStance, alone.confidence, alone.leader],
    ['stance', 'no-consensus', 0, 0, 0, -1],
  );
  assert.equal(pooled([says(1), says(-0.1), says(0)], two).outcome, 'no-consensus');
  assert.equal(pooled([says(1), says(0.1), says(-0.2)], two).outcome, 'pooled');
});

test('a sleeve with fewer sources than the consensus needs all of them', () => {
  assert.equal(pooled([says(1), says(0.5)], { minimumConsensus: 5 }).stance, 0.75);
  assert.equal(pooled([says(1), says(-0.5)], { minimumConsensus: 5 }).stance, 0);
});

test('what is no stance, no confidence or no weight takes no part', () => {
  for (const [opinion, weight] of [
    [says(NaN), 1],
    [says(2), 1],
    [says(-1, NaN), 1],
    [says(-1, 1.2), 1],
    [says(-1, -0.1), 1],
    [says(-1), 0],
    [says(-1), -1],
    [says(-1), NaN],
  ] as const) {
    assert.equal(pooled([says(0.8), opinion], {}, [1, weight]).stance, 0.8);
    assert.equal(pooled([opinion], {}, [weight]).kind, 'hold');
  }
});

test('an expired forecast is a voice for flat', () => {
  const single = pooled([says(1)], {}, [1], [0]);
  assert.deepEqual([single.kind, single.outcome, single.stance], ['stance', 'expired', 0]);
  assert.equal(pooled([says(1), says(1)], {}, [1, 1], [NEVER, 0]).stance, 0.5);
  assert.equal(pooled([says(1), says(1)], { minimumConsensus: 2 }, [1, 1], [NEVER, 0]).outcome, 'no-consensus');
  const all = pooled([says(1), silent, says(1)], {}, [1, 1, 1], [-1, NEVER, 0]);
  assert.deepEqual([all.kind, all.outcome, all.stance], ['stance', 'expired', 0]);
});

test('the heaviest opinion on the pooled side leads, the first when two are equal', () => {
  assert.equal(pooled([says(-1, 0.9), says(0.9, 0.5), says(0.6, 0.9), says(1, 0.3)]).leader, 2);
  assert.equal(pooled([says(0), says(0.5), says(0.5)]).leader, 1);
});

test('confidences are pooled by their log-odds: agreement keeps them, contradiction and neutrality draw to even odds', () => {
  near(pooled([says(1, 0.7), says(0.2, 0.7)]).confidence, 0.7);
  // logit(0.8) = ln 4 and logit(0.6) = ln 1.5, halved: odds of sqrt(6).
  near(pooled([says(1, 0.8), says(1, 0.6)]).confidence, Math.sqrt(6) / (1 + Math.sqrt(6)));
  near(pooled([says(1, 0.8), says(1, 0.5)], {}, [3, 1]).confidence, 4 ** 0.75 / (1 + 4 ** 0.75));
  const contradicted = pooled([says(1, 0.8), says(-1, 0.6)]).confidence;
  near(contradicted, Math.sqrt(4 / 1.5) / (1 + Math.sqrt(4 / 1.5)));
  near(pooled([says(1, 0.8), says(0, 0.8)]).confidence, 2 / 3);
  assert.ok(pooled([says(1, 1), says(1, 0.5)]).confidence < 0.92);
});

const opinions = fc.array(
  fc.oneof(
    fc.constant(undefined),
    fc.constant(silent),
    fc.record({
      kind: fc.constant('forecast' as const),
      stance: fc.double({ min: -1, max: 1, noNaN: true }),
      // Products that underflow prove nothing.
      confidence: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 1, noNaN: true })),
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

test('a pooled stance is within [-1, 1], no bolder than its boldest source, and mirrors when all stances do', () => {
  fc.assert(
    fc.property(opinions, fc.nat(4), (drawn, minimumConsensus) => {
      const result = pooled(drawn, { minimumConsensus });
      const boldest = Math.max(0, ...drawn.map((opinion) => (opinion?.kind === 'forecast' ? Math.abs(opinion.stance) : 0)));
      assert.ok(Math.abs(result.stance) <= boldest);
      assert.ok(result.confidence >= 0 && result.confidence <= 1);
      assert.ok(result.agreement >= 0 && result.agreement <= 1);
      const mirrored = pooled(
        drawn.map((opinion) => (opinion?.kind === 'forecast' ? { ...opinion, stance: -opinion.stance } : opinion)),
        { minimumConsensus },
      );
      near(mirrored.stance, -result.stance);
      near(mirrored.confidence, result.confidence);
      assert.deepEqual([mirrored.kind, mirrored.outcome, mirrored.leader], [result.kind, result.outcome, result.leader]);
    }),
  );
});

test('a result that is reused keeps nothing of the one before', () => {
  fc.assert(
    fc.property(opinions, opinions, (before, after) => {
      const reused = emptyPooled();
      const pooling = (drawn: readonly (Opinion | undefined)[], into: Pooled): Pooled =>
        pool(
          drawn,
          drawn.map(() => 1),
          drawn.map(() => NEVER),
          0,
          defaultCouncilSettings,
          into,
        );
      pooling(before, reused);
      assert.deepEqual(pooling(after, reused), pooling(after, emptyPooled()));
    }),
  );
});

const discipline: CouncilSettings = { ...defaultCouncilSettings, minimumHoldMs: 100, cooldownMs: 50 };
const flat: SleeveTimes = { side: 0, heldSince: NaN, closedAt: NaN, stopped: false };
const long: SleeveTimes = { side: 1, heldSince: 1000, closedAt: NaN, stopped: false };

function tempered(opinion: Opinion, sleeve: SleeveTimes, at: number, settings: CouncilSettings = discipline): Pooled {
  return temper(pooled([opinion]), sleeve, at, settings);
}

test('a young position is not closed or turned by opinion, an old one is', () => {
  for (const stance of [0, -1]) {
    const young = tempered(says(stance), long, 1099);
    assert.deepEqual([young.kind, young.outcome, young.stance, young.pooledStance], ['hold', 'held', 0, stance]);
    assert.equal(tempered(says(stance), long, 1100).kind, 'stance');
  }
});

test('a young position may be reduced or added to on its side', () => {
  assert.equal(tempered(says(0.1), long, 1001).stance, 0.1);
  assert.equal(tempered(says(1), long, 1001).stance, 1);
});

test('a stop and an expired forecast override the holding time', () => {
  assert.deepEqual([tempered(says(0), { ...long, stopped: true }, 1001).kind], ['stance']);
  const expired = temper(pooled([says(1)], {}, [1], [0]), long, 1001, discipline);
  assert.deepEqual([expired.kind, expired.outcome, expired.stance], ['stance', 'expired', 0]);
});

test('after closing, nothing is opened on either side until the cooldown is over', () => {
  const closed: SleeveTimes = { ...flat, closedAt: 1000 };
  for (const stance of [1, -1]) {
    const early = tempered(says(stance), closed, 1049);
    assert.deepEqual([early.kind, early.outcome, early.stance, early.pooledStance], ['stance', 'cooldown', 0, stance]);
    assert.equal(tempered(says(stance), closed, 1050).stance, stance);
    assert.equal(tempered(says(stance), flat, 0).stance, stance);
  }
});

test('with a cooldown a turn closes first, without one it turns at once', () => {
  assert.deepEqual([tempered(says(-1), long, 2000).outcome, tempered(says(-1), long, 2000).stance], ['cooldown', 0]);
  assert.equal(tempered(says(-1), long, 2000, { ...discipline, cooldownMs: 0 }).stance, -1);
});

test('a hold stays a hold', () => assert.equal(tempered(silent, long, 5000).outcome, 'all-abstained'));

test('a stopped sleeve re-arms on a neutral or an opposite stance only', () => {
  assert.equal(rearms(pooled([says(0)]), 1), true);
  assert.equal(rearms(pooled([says(-0.5)]), 1), true);
  assert.equal(rearms(pooled([says(0.5)]), 1), false);
  assert.equal(rearms(pooled([says(-0.5)]), -1), false);
});

test('neither an abstention nor the flat of a cooldown re-arms a stopped sleeve', () => {
  assert.equal(rearms(pooled([silent]), 1), false);
  assert.equal(rearms(tempered(says(1), { ...flat, closedAt: 1000 }, 1010), 1), false);
});
