import fc from 'fast-check';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { basket } from './basket.ts';
import { anyLevels, anyTests } from './spread.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  basket,
  fc
    .record({
      formation: fc.integer({ min: 100, max: 110 }),
      formations: fc.integer({ min: 1, max: 20 }),
      maximumGross: fc.double({ min: 1, max: 100, noNaN: true }),
      levels: anyLevels,
      tests: anyTests,
    })
    .map(({ levels, tests, ...rest }) => ({ ...rest, ...levels, ...tests })),
  (bars, legs) => boundLegs({ bars, legs }),
);
