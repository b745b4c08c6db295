// Which columns to try next: a list, draws from a space, or points that are chosen by what the ones before them were worth.
//
// A search asks for whole batches, whose size is its own: what it asks for next depends on what it was told and on its seed, never on how
// many threads there are or which of them was faster.
import { latinHypercube } from '../../quant/latin-hypercube.ts';
import { Random } from '../../quant/random.ts';
import type { Constraint, Selection } from './grid.ts';
import { pointAt, type SweepSpace } from './space.ts';
import type { SweepPoint } from './strategy.ts';

export const SEARCHES = ['random', 'latin-hypercube', 'tpe', 'cma-es'] as const;
export type SearchName = (typeof SEARCHES)[number];

export interface Search {
  /** Columns that it will ask for, at most. */
  readonly total: number;
  /** Combinations of a grid that break the constraint. */
  readonly leftOut: number;
  /** The next ones, none of them asked for before; none at the end. */
  ask(): readonly SweepPoint[];
  /** What those were worth, in their order: the more the better, null is worst. */
  tell(values: readonly (number | null)[]): void;
}

export interface SearchSettings {
  readonly space: SweepSpace;
  readonly constraint: Constraint;
  readonly trials: number;
  readonly seed: number;
}

/** What is wrong with a range is told before anything is run. @throws whatever the constraint has to say of the ends of a dimension */
export function demandLawfulEnds({ space, constraint }: Pick<SearchSettings, 'space' | 'constraint'>): void {
  for (const [axis] of space.dimensions.entries()) {
    for (const end of [0, 1 - Number.EPSILON]) {
      const places = new Float64Array(space.dimensions.length).fill(0.5);
      places[axis] = end;
      // Whether it meets the rules between parameters is another question: others may.
      constraint.meets(pointAt(space, places));
    }
  }
}

/** All of a list at once. */
export function listed({ points, leftOut }: Selection): Search {
  let isAsked = false;
  return {
    total: points.length,
    leftOut,
    ask() {
      if (isAsked) return [];
      isAsked = true;
      return points;
    },
    tell() {
      // A list does not depend on what it found.
    },
  };
}

/** As many draws, each new and lawful; fewer where the space has no more. */
export function drawn(settings: SearchSettings): Search {
  const { trials, seed } = settings;
  const proposals = new Proposals(settings);
  const random = new Random(seed).fork('draws');
  return listed({ points: proposals.drawnUpTo(trials, random).map(({ point }) => point), leftOut: 0 });
}

/** The points of a Latin hypercube; what the constraint forbids of it, or what is there twice, is made up for by draws. */
export function spread(settings: SearchSettings): Search {
  const points = spreadProposals(new Proposals(settings), settings.trials, new Random(settings.seed).fork('hypercube'));
  return listed({ points: points.map(({ point }) => point), leftOut: 0 });
}

/** A point, and where in the space it is. */
export interface Proposal {
  readonly places: Float64Array;
  readonly point: SweepPoint;
}

export function spreadProposals(proposals: Proposals, count: number, random: Random): Proposal[] {
  const found = latinHypercube(count, proposals.space.dimensions.length, random).flatMap((places) => proposals.taken(places) ?? []);
  return [...found, ...proposals.drawnUpTo(count - found.length, random)];
}

/** Draws in a row that were all known or forbidden, from which on nothing new is expected. */
const MOST_TRIES = 2_000;

/** What was asked for so far, so that nothing is asked for twice. */
export class Proposals {
  readonly space: SweepSpace;
  readonly #constraint: Constraint;
  readonly #known = new Set<string>();

  constructor({ space, constraint }: Pick<SearchSettings, 'space' | 'constraint'>) {
    this.space = space;
    this.#constraint = constraint;
  }

  /** Undefined where the constraint forbids it, or it was taken before. */
  taken(places: Float64Array): Proposal | undefined {
    const point = pointAt(this.space, places);
    const key = JSON.stringify(point);
    if (this.#known.has(key) || !this.#constraint.meets(point)) return undefined;
    this.#known.add(key);
    return { places, point };
  }

  meets(places: Float64Array): boolean {
    return this.#constraint.meets(pointAt(this.space, places));
  }

  /** The first new and lawful one of a stream of draws; undefined when none came for long. */
  firstOf(draw: () => Float64Array, tries = MOST_TRIES): Proposal | undefined {
    for (let attempt = 0; attempt < tries; attempt++) {
      const proposal = this.taken(draw());
      if (proposal !== undefined) return proposal;
    }
    return undefined;
  }

  drawnUpTo(count: number, random: Random): Proposal[] {
    const found: Proposal[] = [];
    while (found.length < count) {
      const proposal = this.firstOf(() => this.uniform(random));
      if (proposal === undefined) break;
      found.push(proposal);
    }
    return found;
  }

  uniform(random: Random): Float64Array {
    return Float64Array.from(this.space.dimensions, () => random.uniform());
  }
}
