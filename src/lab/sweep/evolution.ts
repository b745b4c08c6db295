// A search by CMA-ES: for parameters that are numbers with a smooth landscape between them. With more points after each restart (Auger and
// Hansen 2005, A restart CMA evolution strategy with increasing population size).
import { CmaEs } from '../../quant/cma-es.ts';
import { Random } from '../../quant/random.ts';
import { Proposals, type Search, type SearchSettings } from './search.ts';
import { pointAt } from './space.ts';

/** Of the unit interval: about a third of the way from its middle to its ends, and back. */
const FIRST_DEVIATION = 0.25;
/** The ellipsoid is this small, or so many generations have asked for nothing new: it has arrived, and begins elsewhere. */
const SMALLEST_SPREAD = 1e-3;
const MOST_STALE_GENERATIONS = 5;
/** Restarts in a row that find nothing new: there is nothing. */
const MOST_STALE_RESTARTS = 5;
/** Draws for one point until it is within the space and its constraint. */
const TRIES = 100;

/** Points that were tried before are not asked for again: their worth is known. */
export function evolution(settings: SearchSettings): Search {
  const { space, trials, seed } = settings;
  const random = new Random(seed).fork('cma-es');
  const proposals = new Proposals(settings);
  const worth = new Map<string, number>();
  const start = (mean: Float64Array, population?: number): CmaEs =>
    new CmaEs({ mean, deviation: FIRST_DEVIATION, random, ...(population === undefined ? {} : { population }) });
  let search = start(new Float64Array(space.dimensions.length).fill(0.5));
  let generation: Float64Array[] = [];
  let asked: string[] = [];
  let staleGenerations = 0;
  let staleRestarts = 0;

  const keyOf = (places: Float64Array): string => JSON.stringify(pointAt(space, places));
  const endGeneration = (): void => {
    search.tell(
      generation,
      // What could not be asked for any more, or is forbidden, is worst.
      generation.map((places) => -(worth.get(keyOf(places)) ?? -Infinity)),
    );
    generation = [];
    staleGenerations = asked.length === 0 ? staleGenerations + 1 : 0;
    if (asked.length > 0) staleRestarts = 0;
    if (search.spread >= SMALLEST_SPREAD && staleGenerations < MOST_STALE_GENERATIONS) return;
    search = start(proposals.uniform(random), 2 * search.population);
    staleGenerations = 0;
    staleRestarts++;
  };

  return {
    total: trials,
    leftOut: 0,
    ask() {
      while (worth.size < trials && staleRestarts <= MOST_STALE_RESTARTS) {
        generation = Array.from({ length: search.population }, () => within(search, proposals));
        const found = generation.flatMap((places) => proposals.taken(places) ?? []).slice(0, trials - worth.size);
        asked = found.map(({ point }) => JSON.stringify(point));
        if (found.length > 0) return found.map(({ point }) => point);
        endGeneration();
      }
      return [];
    },
    tell(values) {
      for (const [index, key] of asked.entries()) worth.set(key, values[index] ?? -Infinity);
      endGeneration();
    },
  };
}

/** A draw that is lawful: another is taken where it is not, and in the end one that is cut off at the edges of the space. */
function within(search: CmaEs, proposals: Proposals): Float64Array {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const places = search.sample();
    if (places.every((place) => place >= 0 && place < 1) && proposals.meets(places)) return places;
  }
  return search.sample().map((place) => Math.min(1 - Number.EPSILON, Math.max(0, place)));
}
