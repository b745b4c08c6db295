// Stored funding rates: written into a recipe, so that whoever runs it again pays the same, and read out of it by venue and strategies.
import { isOnFunding } from '../domain/feature.ts';
import type { FundingRates } from '../domain/funding.ts';
import { DAY_MS, MINUTE_MS, type TimeMs } from '../domain/time.ts';
import type { RunPlan } from '../engine/plan.ts';
import { FundingSource } from '../market/funding-source.ts';
import { openRecords } from '../market/history/record-store.ts';
import type { Recipe } from './recipe.ts';

/** Rates of so long before a run are known to its strategies when it begins. */
const LOOKBACK_MS = 90 * DAY_MS;

type WrittenFunding = NonNullable<Extract<Recipe['market'], { source: 'history' }>['funding']>[number];

/** By instrument, from well before a range to its end: null for what pays none, and for what nothing is stored of. */
export async function storedFunding(
  home: string,
  instruments: Recipe['instruments'],
  from: TimeMs,
  to: TimeMs,
): Promise<readonly WrittenFunding[]> {
  if (!instruments.some(({ kind }) => kind === 'linear')) return instruments.map(() => null);
  const records = await openRecords(home);
  try {
    const stored = (await records.list()).filter(({ kind }) => kind === 'funding');
    const written: WrittenFunding[] = [];
    for (const { kind, venue, symbol } of instruments) {
      const isStored = kind === 'linear' && stored.some((series) => series.venue === venue && series.symbol === symbol);
      if (!isStored) {
        written.push(null);
        continue;
      }
      // Known some hours late where a file says no better: by when it was so, they are in order all the same.
      const range = { kind: 'funding', venue, symbol, fromMs: from - LOOKBACK_MS, toMs: to + DAY_MS } as const;
      written.push(write(await records.load(range), from - LOOKBACK_MS, to));
    }
    return written;
  } finally {
    await records.close();
  }
}

/** Times on the grid of their shortest distance: venues stamp settlements some milliseconds late. */
function write(
  { happenedAt, rate }: { readonly happenedAt: Float64Array; readonly rate: Float64Array },
  from: TimeMs,
  to: TimeMs,
): WrittenFunding {
  const rates = new Map<TimeMs, number>();
  happenedAt.forEach((at, row) => {
    if (at >= from && at <= to) rates.set(Math.round(at / MINUTE_MS) * MINUTE_MS, rate[row] ?? NaN);
  });
  const times = [...rates.keys()].toSorted((left, right) => left - right);
  const [first, second] = times;
  if (first === undefined || second === undefined) return null;
  let stepMs = second - first;
  for (let index = 1; index < times.length; index++) stepMs = greatestCommon(stepMs, (times[index] ?? NaN) - (times[index - 1] ?? NaN));
  const count = ((times.at(-1) ?? first) - first) / stepMs + 1;
  return { first, stepMs, rates: Array.from({ length: count }, (_, index) => rates.get(first + index * stepMs) ?? null) };
}

function greatestCommon(left: number, right: number): number {
  return right === 0 ? left : greatestCommon(right, left % right);
}

/** By instrument, as venue and sources take them. */
export function fundingOf({ market, instruments }: Pick<Recipe, 'market' | 'instruments'>): readonly (FundingRates | undefined)[] {
  const funding = market.source === 'history' ? market.funding : undefined;
  return instruments.map((_, index) => {
    const written = funding?.[index];
    if (written === null || written === undefined) return undefined;
    const known = written.rates.flatMap((rate, step) => (rate === null ? [] : [[written.first + step * written.stepMs, rate] as const]));
    return { at: Float64Array.from(known, ([at]) => at), rate: Float64Array.from(known, ([, rate]) => rate) };
  });
}

/** What strategies hear of them: those of instruments on which one of them lives. */
export function fundingSeen(recipe: Recipe, plan: RunPlan, until: TimeMs): readonly FundingSource[] {
  if (recipe.market.source !== 'history') return [];
  const { from } = recipe.market;
  const seen = new Set(
    plan.minds.flatMap(({ sleeve, forecaster: { features } }) =>
      Object.values(features).flatMap((spec) => (isOnFunding(spec) ? [plan.sleeves[sleeve]?.instruments[spec.leg ?? 0]] : [])),
    ),
  );
  return fundingOf(recipe).flatMap((rates, instrument) =>
    rates === undefined || !seen.has(instrument) ? [] : [new FundingSource({ instrument, rates, from, until })],
  );
}
