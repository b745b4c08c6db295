import fc from 'fast-check';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { copulaPairs } from './copula-pairs.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  copulaPairs,
  fc.record({
    formation: fc.integer({ min: 50, max: 58 }),
    // Fits are the cost of it: few of them in a history of a hundred bars.
    trading: fc.integer({ min: 40, max: 80 }),
    test: fc.constantFrom('engle-granger', 'kss'),
    pValue: fc.double({ min: 0, max: 1, noNaN: true }),
    opening: fc.double({ min: 0.001, max: 0.3, noNaN: true }),
    closing: fc.double({ min: 0.001, max: 0.15, noNaN: true }),
    stopDeviations: fc.double({ min: 0.1, max: 10, noNaN: true }),
  }),
  (bars, legs) => boundLegs({ bars, legs }),
);
