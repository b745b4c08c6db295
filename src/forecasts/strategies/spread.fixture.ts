// Parameters that strategies on a spread accept, for their contract tests.
import fc from 'fast-check';

const part = fc.double({ min: 0, max: 1, noNaN: true });

export const anyLevels = fc
  .record({
    entryZ: fc.double({ min: 0.5, max: 4, noNaN: true }),
    below: part,
    above: part,
    maximumHolding: fc.integer({ min: 1, max: 50 }),
  })
  .map(({ entryZ, below, above, maximumHolding }) => ({
    entryZ,
    exitZ: entryZ - 0.1 - 3 * below,
    stopZ: entryZ + 0.1 + 3 * above,
    maximumHolding,
  }));

export const anyTests = fc
  .record({ entryPValue: part, more: part, minimumHalfLife: fc.double({ min: 0, max: 5, noNaN: true }) })
  .map(({ entryPValue, more, minimumHalfLife }) => ({
    entryPValue,
    exitPValue: entryPValue + (1 - entryPValue) * more,
    minimumHalfLife,
    maximumHalfLife: 1_000,
  }));
