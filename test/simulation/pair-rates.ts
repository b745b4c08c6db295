// How often the tests of pairs are wrong, and how often they see: rates over seeds, for the suite and for scripts/calibrate-pairs.ts.
import { engleGranger } from '../../src/quant/cointegration.ts';
import { eitherWay, FALSE_DISCOVERY_RATE } from '../../src/lab/pairs/scan.ts';
import { falseDiscoveryRates } from '../../src/quant/false-discovery.ts';
import { Random } from '../../src/quant/random.ts';
import { augmentedDickeyFuller } from '../../src/quant/unit-root.ts';

const LENGTH = 500;
const LEVEL = 0.05;
const ASSETS = 20;

function walk(random: Random): Float64Array {
  let level = 0;
  return Float64Array.from({ length: LENGTH }, () => (level += random.normal()));
}

/** Share of pairs of independent walks that Engle and Granger's test calls cointegrated at 5 %. */
export function sizeOf(seeds: number): number {
  let rejected = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const random = new Random(seed).fork('size');
    if (engleGranger(walk(random), walk(random)).pValue < LEVEL) rejected++;
  }
  return rejected / seeds;
}

/** Share of cointegrated pairs that it finds: 1.2 times a walk, and a spread of this half-life with innovations of the same size. */
export function powerOf(halfLife: number, seeds: number): number {
  const memory = 0.5 ** (1 / halfLife);
  let rejected = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const random = new Random(seed).fork('power');
    const leader = walk(random);
    let rest = 0;
    const follower = leader.map((level) => 1.2 * level + (rest = memory * rest + random.normal()));
    if (engleGranger(follower, leader).pValue < LEVEL) rejected++;
  }
  return rejected / seeds;
}

export interface ScanRates {
  /** Share of scans of independent walks that report any pair. */
  readonly alarmed: number;
  /** Pairs that a scan reports, on average. */
  readonly reported: number;
  /** The same of a plain Dickey-Fuller test of the residuals of one direction at 5 %, without a thought of how many pairs there are. */
  readonly naive: number;
}

/** Scans of twenty independent walks: 190 pairs, none of which is one. */
export function scanRates(scans: number): ScanRates {
  let [alarmed, reported, naive] = [0, 0, 0];
  for (let seed = 0; seed < scans; seed++) {
    const random = new Random(seed).fork('scan');
    const walks = Array.from({ length: ASSETS }, () => walk(random));
    const pValues: number[] = [];
    walks.forEach((one, index) => {
      for (const other of walks.slice(index + 1)) {
        const test = engleGranger(one, other);
        pValues.push(eitherWay(test.pValue, engleGranger(other, one).pValue));
        if (augmentedDickeyFuller(test.residuals, { by: 'aic' }).pValue < LEVEL) naive++;
      }
    });
    const found = falseDiscoveryRates(pValues).filter((rate) => rate <= FALSE_DISCOVERY_RATE).length;
    reported += found;
    if (found > 0) alarmed++;
  }
  return { alarmed: alarmed / scans, reported: reported / scans, naive: naive / scans };
}
