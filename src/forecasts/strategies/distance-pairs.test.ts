import fc from 'fast-check';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { distancePairs } from './distance-pairs.ts';
import { anyLevels } from './spread.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  distancePairs,
  fc
    .record({ formation: fc.integer({ min: 20, max: 50 }), trading: fc.integer({ min: 1, max: 50 }), levels: anyLevels })
    .map(({ levels, ...rest }) => ({ ...rest, ...levels })),
  (bars, legs) => boundLegs({ bars, legs }),
);
