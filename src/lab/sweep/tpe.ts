// The tree-structured Parzen estimator: draws where the best columns so far are dense and the others are not. Bergstra, Bardenet, Bengio and
// Kégl (2011), Algorithms for hyper-parameter optimization; a parameter at a time, with the bandwidths of its authors' program.
import { normalDistribution } from '../../quant/normal-distribution.ts';
import { normalQuantile, portableExp, portableLog, Random } from '../../quant/random.ts';
import { Proposals, spreadProposals, type Proposal, type Search, type SearchSettings } from './search.ts';
import type { Dimension } from './space.ts';

/** Spread evenly before anything is learnt, a quarter of all at most. */
const STARTUP = 20;
/** Asked for at once: a model is made anew after so many. */
const BATCH = 8;
/** Drawn for each parameter, of which the most promising is taken. */
const CANDIDATES = 24;
/** How many of the columns so far are "the best": a tenth, and not more than this. */
const MOST_BEST = 25;
const BEST_RATIO = 0.1;
/** Redrawn so often before a plain draw is taken instead of one that is known or forbidden. */
const TRIES = 50;

interface Tried extends Proposal {
  readonly value: number;
}

export function tpe(settings: SearchSettings): Search {
  const { space, trials, seed } = settings;
  const proposals = new Proposals(settings);
  const random = new Random(seed).fork('tpe');
  const tried: Tried[] = [];
  let asked: readonly Proposal[] = [];
  const learned = (count: number): Proposal[] => {
    const ordered = tried.toSorted((one, other) => other.value - one.value);
    const best = Math.min(MOST_BEST, Math.ceil(BEST_RATIO * tried.length));
    const good = ordered.slice(0, best).map(({ places }) => places);
    const others = ordered.slice(best).map(({ places }) => places);
    const found: Proposal[] = [];
    while (found.length < count) {
      const densities = space.dimensions.map(
        (dimension, axis) => [densityOf(dimension, axis, good), densityOf(dimension, axis, others)] as const,
      );
      const draw = (): Float64Array => Float64Array.from(densities, ([ofGood, ofOthers]) => mostPromising(ofGood, ofOthers, random));
      const proposal = proposals.firstOf(draw, TRIES) ?? proposals.firstOf(() => proposals.uniform(random));
      if (proposal === undefined) break;
      found.push(proposal);
      // What is under way counts as no good until it is known, so that a batch does not ask for one place eight times.
      others.push(proposal.places);
    }
    return found;
  };
  return {
    total: trials,
    leftOut: 0,
    ask() {
      const startup = Math.min(STARTUP, Math.ceil(trials / 4));
      const left = trials - tried.length;
      asked = tried.length === 0 ? spreadProposals(proposals, Math.min(startup, left), random) : learned(Math.min(BATCH, left));
      return asked.map(({ point }) => point);
    },
    tell(values) {
      for (const [index, proposal] of asked.entries()) tried.push({ ...proposal, value: values[index] ?? -Infinity });
      asked = [];
    },
  };
}

/** Of one parameter over [0, 1). */
interface Density {
  draw(random: Random): number;
  logAt(place: number): number;
}

function mostPromising(good: Density, others: Density, random: Random): number {
  let best = NaN;
  let most = -Infinity;
  for (let candidate = 0; candidate < CANDIDATES; candidate++) {
    const place = good.draw(random);
    const promise = good.logAt(place) - others.logAt(place);
    if (promise <= most) continue;
    most = promise;
    best = place;
  }
  return best;
}

function densityOf({ size, isOrdered }: Dimension, axis: number, observed: readonly Float64Array[]): Density {
  const places = observed.map((each) => each[axis] ?? NaN);
  return isOrdered ? parzen(places, size) : frequencies(places, size);
}

/** How often each was seen, and each once more in all: nothing is impossible. */
function frequencies(places: readonly number[], size: number): Density {
  const cellOf = (place: number): number => Math.min(size - 1, Math.floor(place * size));
  const weights = new Float64Array(size).fill(1 / size);
  for (const place of places) weights[cellOf(place)] = (weights[cellOf(place)] ?? NaN) + 1;
  const total = places.length + 1;
  return {
    draw(random) {
      let left = random.uniform() * total;
      for (let cell = 0; cell < size; cell++) {
        left -= weights[cell] ?? NaN;
        if (left < 0) return (cell + 0.5) / size;
      }
      return (size - 0.5) / size;
    },
    logAt: (place) => portableLog((weights[cellOf(place)] ?? NaN) / total),
  };
}

interface Kernel {
  readonly centre: number;
  readonly deviation: number;
  /** What of the normal distribution is below 0, and what is between 0 and 1. */
  readonly below: number;
  readonly within: number;
}

function kernel(centre: number, deviation: number): Kernel {
  const below = normalDistribution(-centre / deviation);
  return { centre, deviation, below, within: normalDistribution((1 - centre) / deviation) - below };
}

/** A normal kernel at each place and a wide one in the middle, cut off at the ends; as wide as the further of its neighbours is away. */
function parzen(places: readonly number[], size: number): Density {
  const centres = [...places, 0.5].toSorted((one, other) => one - other);
  const narrowest = 1 / Math.min(100, 1 + centres.length);
  let hasPrior = false;
  const kernels = centres.map((centre, index) => {
    if (centre === 0.5 && !hasPrior) {
      hasPrior = true;
      return kernel(0.5, 1);
    }
    const gap = Math.max(centre - (centres[index - 1] ?? 0), (centres[index + 1] ?? 1) - centre);
    return kernel(centre, Math.min(1, Math.max(narrowest, gap)));
  });
  const between = (low: number, high: number): number =>
    kernels.reduce(
      (sum, { centre, deviation, within }) =>
        sum + (normalDistribution((high - centre) / deviation) - normalDistribution((low - centre) / deviation)) / within,
      0,
    ) / kernels.length;
  const at = (place: number): number =>
    kernels.reduce((sum, { centre, deviation, within }) => {
      const z = (place - centre) / deviation;
      return sum + portableExp(-0.5 * z * z) / (deviation * within);
    }, 0) /
    (Math.sqrt(2 * Math.PI) * kernels.length);
  return {
    draw(random) {
      const { centre, deviation, below, within } = kernels[random.integer(kernels.length)] ?? kernel(0.5, 1);
      const probability = below + random.openUniform() * within;
      const place = centre + deviation * normalQuantile(Math.min(1 - Number.EPSILON, Math.max(Number.MIN_VALUE, probability)));
      return Math.min(1 - Number.EPSILON, Math.max(0, place));
    },
    logAt(place) {
      // Of few values it is the whole cell of one that is as dense or not.
      const cell = Math.min(size - 1, Math.floor(place * size));
      const density = Number.isFinite(size) ? size * between(cell / size, (cell + 1) / size) : at(place);
      return portableLog(Math.max(density, Number.MIN_VALUE));
    },
  };
}
