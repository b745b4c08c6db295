// Before a session gives its first real order it gives some hundred that go nowhere: what has never run is slow the first times, and the first
// order is as real as any. The same engine, rules, journal and tape, in a folder that is thrown away, with a made-up market and a simulated venue.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { toNumber } from '../domain/decimal.ts';
import type { Forecaster } from '../domain/strategy.ts';
import type { TimeMs } from '../domain/time.ts';
import { reasonOf } from '../domain/words.ts';
import type { RunPlan } from '../engine/plan.ts';
import { run } from '../engine/run.ts';
import { SimulatedClock } from '../engine/simulated-clock.ts';
import { BarSource } from '../market/bar-source.ts';
import { Random } from '../quant/random.ts';
import type { Recipe } from './recipe.ts';
import { letGo } from './runs.ts';
import { openParts } from './session-parts.ts';

/** A Monday of a week that is over. */
const STARTS_AT: TimeMs = Date.UTC(2026, 0, 5);
/** What the rules of risk look at is known by then. */
const WARMUP_BARS = 120;
const BARS = 400;
/** Whatever is held already is not looked after meanwhile. */
const MOST_MS = 1_000;
/** Of a bar, as a ratio. */
const MOVE = 0.0005;
const PRICE_TICKS = 10_000;

export interface RehearsalRequest {
  /** Of the run: its disk is the one that will be waited for. */
  readonly folder: string;
  readonly recipe: Recipe;
  readonly plan: RunPlan;
  readonly onNotice: (words: string) => void;
}

/**
 * No mind of the plan is asked: others speak in their place, one of whom changes sides with every bar. Where it cannot be done, that is told, and
 * the session is none the worse but for its first orders. @returns how many orders were given
 */
export async function rehearse(request: RehearsalRequest): Promise<number> {
  try {
    return await rehearseIn(join(request.folder, 'rehearsal'), request);
  } catch (cause) {
    request.onNotice(`the rehearsal of the first orders has failed, which makes them slower and nothing else: ${reasonOf(cause)}`);
    return 0;
  }
}

async function rehearseIn(folder: string, { recipe, plan: given, onNotice }: RehearsalRequest): Promise<number> {
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  // One that was killed in its rehearsal has left it.
  clear();
  mkdirSync(folder);
  const plan = planOfRehearsal(given);
  const { instruments, baseTimeframeMs } = plan;
  const parts = openParts({
    folder,
    plan,
    recipe,
    configHash: '',
    durability: 'every-commit',
    askTimeoutMs: recipe.config.minds.timeoutMs,
  });
  const { engine, venue, tape, journal } = parts;
  let orders = 0;
  journal.onEntry((entry) => {
    if (entry.kind === 'order.intended') orders++;
  });
  const endsAt = performance.now() + MOST_MS;
  const from = STARTS_AT + WARMUP_BARS * baseTimeframeMs;
  try {
    await run({
      engine,
      clock: new SimulatedClock(),
      sources: [
        venue,
        ...instruments.map(({ tick }, instrument) => {
          const chunks = [walk(instrument, PRICE_TICKS * toNumber(tick), baseTimeframeMs)];
          return venue.watching(new BarSource({ instrument, timeframeMs: baseTimeframeMs, from, chunks }));
        }),
      ],
      isStopping: () => performance.now() > endsAt,
    });
  } finally {
    letGo([() => tape.close(), () => journal.close(), clear], onNotice);
  }
  return orders;
}

/** The same sleeves, rules and sizes, decided in with every bar. */
function planOfRehearsal(plan: RunPlan): RunPlan {
  const timeframeMs = plan.baseTimeframeMs;
  const count = plan.minds.length;
  return {
    ...plan,
    council: { ...plan.council, minimumHoldMs: 0, cooldownMs: 0 },
    minds: plan.minds.map((mind, index) => ({
      ...mind,
      timeframeMs,
      forecaster: turncoat(mind.name, mind.forecaster.legs, (at) => Math.floor((at / timeframeMs + index) / count) % 2),
    })),
  };
}

function turncoat(name: string, legs: number, stanceAt: (at: TimeMs) => number): Forecaster {
  return {
    name,
    legs,
    features: {},
    opine: ({ at }) => ({ kind: 'forecast', stance: stanceAt(at), confidence: 1, expectedReturn: 1, protection: { stopRatio: 0.2 } }),
    explain: ({ at }) => ({ because: 'a rehearsal', numbers: { stance: stanceAt(at) } }),
  };
}

function walk(seed: number, from: number, timeframeMs: TimeMs): BarColumns {
  const random = new Random(seed);
  const rows = WARMUP_BARS + BARS;
  const column = (): Float64Array<ArrayBuffer> => new Float64Array(rows);
  const bars = { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
  let last = from;
  for (let row = 0; row < rows; row++) {
    const next = last * (1 + MOVE * (2 * random.uniform() - 1));
    bars.openAt[row] = STARTS_AT + row * timeframeMs;
    bars.open[row] = last;
    bars.high[row] = Math.max(last, next);
    bars.low[row] = Math.min(last, next);
    bars.close[row] = next;
    bars.volume[row] = 1e9;
    last = next;
  }
  return bars;
}
