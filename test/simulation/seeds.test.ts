// The whole live path under one seed after the other: whatever goes wrong, what must hold holds. A failure is a seed, for `ballast simulate`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runSimulations } from '../../src/app/simulation/run-simulations.ts';
import { simulate, simulationFolder, type Step } from '../../src/app/simulation/simulate.ts';
import { FAULTS, worldOf } from '../../src/app/simulation/world.ts';

const FIRST = Number(process.env['BALLAST_SIMULATION_FROM'] ?? 1);
const SEEDS = Number(process.env['BALLAST_SIMULATION_SEEDS'] ?? 2_000);

describe('simulated sessions', { timeout: 900_000 }, () => {
  test(`${SEEDS} seeds from ${FIRST} on break nothing`, async (context) => {
    const { broken, counts, cases } = await runSimulations({ firstSeed: FIRST, lastSeed: FIRST + SEEDS - 1 });
    context.diagnostic(`${cases} cases: ${JSON.stringify(counts)}`);
    const words = broken.map(({ seed, breaks }) => `seed ${seed}: ${breaks.map((each) => `${each.invariant}, ${each.words}`).join('; ')}`);
    assert.deepEqual(words, []);
    for (const [what, count] of Object.entries(counts)) assert.ok(count > cases / 2, `there is some ${what} in the cases: ${count}`);
  });

  test('seeds that broke in a long soak break nothing', async () => {
    // A message held for ever; state that was saved with reports which the loop had not heard; a request that was refused, came again, and filled.
    for (const seed of [50_322, 4_497, 22_725, 59_752, 84_275, 74_154]) {
      const { breaks } = await simulate(seed, { folder: simulationFolder() });
      assert.deepEqual(breaks, [], `seed ${seed}`);
    }
  });

  test('a seed is the same case again, step for step', async () => {
    for (const seed of [7, 15, 38]) {
      const [one, other] = await Promise.all([stepsOf(seed), stepsOf(seed)]);
      assert.deepEqual(one, other);
      assert.ok(one.steps.length > 100 && one.stateHash !== '');
    }
  });

  test('the seeds bring every fault, and every death', () => {
    const faults = new Set<string>();
    const deaths = new Set<string>();
    for (let seed = 1; seed <= 500; seed++) {
      const world = worldOf(seed);
      for (const { name } of world.faults) faults.add(name);
      for (const death of world.deaths) deaths.add(death.kind === 'in-commit' ? death.phase : death.kind);
    }
    assert.deepEqual([...faults].toSorted(), [...FAULTS].toSorted());
    const every = ['after', 'at-time', 'before', 'before-send', 'disk-error', 'journal-torn', 'recovered', 'tape-only', 'tape-torn'];
    assert.deepEqual([...deaths].toSorted(), every);
  });
});

async function stepsOf(seed: number): Promise<{ steps: readonly Step[]; stateHash: string }> {
  const steps: Step[] = [];
  const { stateHash } = await simulate(seed, { folder: simulationFolder(), onStep: (step) => steps.push(step) });
  return { steps, stateHash };
}
