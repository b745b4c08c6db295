// Goes with a leaning order book while it leans, for as long as what such leans were followed by is worth it.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { bookPressure } from '../../features/subject-catalog.ts';
import { sideOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_MS = 86_400_000;

const parameters = z
  .strictObject({
    smoothingMs: z.number().min(1).max(LONGEST_MS).default(1_000).describe('half-life of the smoothing of the imbalance, in milliseconds'),
    horizonMs: z.number().min(100).max(LONGEST_MS).default(10_000).describe('within which a leaning book is held to have moved the price'),
    memoryMs: z
      .number()
      .min(1_000)
      .max(30 * LONGEST_MS)
      .default(1_800_000)
      .describe('half-life of the memory of what leans were followed by'),
    entry: z.number().min(0.01).max(1).default(0.4).describe('smoothed imbalance from which its side is taken, 0..1'),
    exit: z.number().min(-1).max(1).default(0).describe('smoothed imbalance, on the held side, at which it is left'),
    minimumHoldMs: z
      .number()
      .min(0)
      .max(LONGEST_MS)
      .default(10_000)
      .describe('a side is not left before it was held this long, but by its stop'),
    stopRatio: z.number().min(0.0001).max(0.5).default(0.003).describe('distance of the stop from entry, as a ratio of price'),
    short: z.boolean().default(true).describe('whether a book that leans to the asks is sold; on spot that means flat either way'),
  })
  .refine(({ entry, exit }) => exit < entry, { path: ['exit'], error: 'expected less than entry' });

export type BookImbalanceParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('there is no book, or too little was seen of what follows when it leans');

/**
 * Long while the smoothed, depth-weighted imbalance of ten levels leans to the bids, short while it leans to the asks. The expected return is
 * what a regression of past returns of the mid on past imbalances says of this one; where leans have been wrong, none is gone with. The rule of risk that demands an edge of several times
 * the cost then refuses most of what a taker would pay for. After Cont, Kukanov and Stoikov, "The price impact of order book events" (2014).
 */
export const bookImbalance = defineStrategy({
  name: 'book-imbalance',
  about: 'goes with a leaning order book, with what such leans were followed by as its expected return',
  legs: 1,
  cadence: 'books',
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    const {
      features: { pressure },
    } = evidence;
    const { value, imbalance, slope, spreadRatio } = pressure;
    // More than the price itself within seconds is no forecast.
    if (!(Math.abs(value) < 1) || !Number.isFinite(imbalance + slope + spreadRatio) || !((evidence.bars[0]?.close ?? NaN) > 0))
      return UNKNOWN;
    const stance = stanceOf(evidence, chosen);
    return {
      kind: 'forecast',
      stance,
      confidence: UNCALIBRATED,
      expectedReturn: stance === 0 ? 0 : value,
      horizonMs: chosen.horizonMs,
      protection: { stopRatio: chosen.stopRatio },
    };
  },
  explain,
});

function features({ smoothingMs, horizonMs, memoryMs }: BookImbalanceParameters) {
  return { pressure: bookPressure({ smoothingMs, horizonMs, memoryMs }) };
}

type Seen = Evidence<ReturnType<typeof features>>;

function stanceOf({ at, features: { pressure }, sleeve }: Seen, { entry, exit, minimumHoldMs, short }: BookImbalanceParameters): Side {
  if (sleeve.side !== 0 && at - sleeve.heldSince < minimumHoldMs) return sleeve.side;
  const side = sideOf(pressure.imbalance, entry, exit, sleeve.side);
  if (side !== sleeve.side && side * pressure.value < 0) return 0;
  return side < 0 && !short ? 0 : side;
}

function explain(evidence: Seen, chosen: BookImbalanceParameters): Reasons {
  const opinion = bookImbalance.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { imbalance, value, spreadRatio, slope } = evidence.features.pressure;
  const lean = `the book leans ${Math.abs(imbalance).toFixed(2)} to the ${imbalance < 0 ? 'asks' : 'bids'}`;
  const followed = `which has been followed by ${(1e4 * value).toFixed(2)} basis points in ${chosen.horizonMs / 1000} s`;
  return {
    because: `${lean}, ${followed}: ${verdict(evidence, opinion.stance, chosen)}`,
    numbers: { imbalance, expectedReturn: value, slope, spreadRatio, stance: opinion.stance },
  };
}

function verdict({ at, sleeve, features: { pressure } }: Seen, stance: number, { entry, minimumHoldMs }: BookImbalanceParameters): string {
  const side = stance > 0 ? 'long' : 'short';
  if (stance === 0 && Math.abs(pressure.imbalance) >= entry && pressure.slope < 0) return 'no side, because such leans have been wrong';
  if (stance === 0) return `no side, which takes ${entry}`;
  if (stance !== sleeve.side) return side;
  return at - sleeve.heldSince < minimumHoldMs ? `${side}, held for its least time` : `${side} as it is`;
}
