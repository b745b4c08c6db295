import fc from 'fast-check';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { pairs } from './pairs.ts';
import { anyLevels, anyTests } from './spread.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  pairs,
  fc
    .record({
      formation: fc.integer({ min: 50, max: 58 }),
      formations: fc.integer({ min: 1, max: 20 }),
      hedge: fc.constantFrom('ols', 'kalman'),
      kalmanMemory: fc.integer({ min: 2, max: 1_000 }),
      levels: anyLevels,
      tests: anyTests,
      minimumRSquared: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ levels, tests, ...rest }) => ({ ...rest, ...levels, ...tests })),
  (bars, legs) => boundLegs({ bars, legs }),
);
