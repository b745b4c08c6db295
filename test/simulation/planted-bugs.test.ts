// A simulation that finds nothing proves nothing unless it can find something: each of these bugs is found by its seeds, and for what it is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulate, simulationFolder } from '../../src/app/simulation/simulate.ts';
import { plantedBugs } from './planted-bugs.ts';

/** All of them have to be found within so many. */
const MOST_SEEDS = 2_000;

describe('a planted bug is found', { timeout: 600_000 }, () => {
  for (const { name, plugs, breaks, firstSeed = 1 } of plantedBugs) {
    test(name, async (context) => {
      for (let seed = firstSeed; seed < firstSeed + MOST_SEEDS; seed++) {
        const outcome = await simulate(seed, { folder: simulationFolder(), plugs: plugs() });
        const found = outcome.breaks.find(({ invariant }) => breaks.includes(invariant));
        if (found === undefined) continue;
        context.diagnostic(`by seed ${seed}: ${found.invariant}, ${found.words}`);
        return;
      }
      assert.fail(`expected one of ${breaks.join(', ')} to break within ${MOST_SEEDS} seeds`);
    });
  }
});
