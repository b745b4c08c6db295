import fc from 'fast-check';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { dynamicPairs } from './dynamic-pairs.ts';
import { anyLevels, anyTests } from './spread.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  dynamicPairs,
  fc
    .record({
      formation: fc.integer({ min: 50, max: 58 }),
      formations: fc.integer({ min: 1, max: 20 }),
      lookBackHalfLives: fc.double({ min: 0.5, max: 20, noNaN: true }),
      levels: anyLevels,
      tests: anyTests,
    })
    .map(({ levels, tests, ...rest }) => ({ ...rest, ...levels, ...tests })),
  (bars, legs) => boundLegs({ bars, legs }),
);
