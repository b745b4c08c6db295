// `npm run calibrate:pairs`: the rates of the tests of pairs at the size that is promised, half a minute. Exits 1 when a promise is broken.
import { powerOf, scanRates, sizeOf } from '../test/simulation/pair-rates.ts';

const SIZE_SEEDS = 10_000;
const POWER_SEEDS = 10_000;
const SCANS = 1_000;

const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;

const size = sizeOf(SIZE_SEEDS);
console.log(
  `Engle-Granger at 5 %, 500 bars, lags by AIC: rejects ${percent(size)} of ${SIZE_SEEDS} pairs of independent walks (promised 4 to 6 %)`,
);
const powers = [10, 15, 20].map((halfLife) => ({ halfLife, power: powerOf(halfLife, POWER_SEEDS) }));
for (const { halfLife, power } of powers) {
  console.log(`half-life ${halfLife}: finds ${percent(power)} of ${POWER_SEEDS}${halfLife === 10 ? ' (promised 95 %)' : ''}`);
}
const { alarmed, reported, naive } = scanRates(SCANS);
console.log(`scans of 20 independent walks, 190 pairs: any pair reported in ${percent(alarmed)} of ${SCANS} (promised at most 10 %)`);
console.log(`pairs reported in a scan: ${reported}; by plain Dickey-Fuller p-values at 5 %: ${naive}`);
const [ten] = powers;
process.exitCode = size >= 0.04 && size <= 0.06 && (ten?.power ?? 0) >= 0.95 && alarmed <= 0.1 ? 0 : 1;
