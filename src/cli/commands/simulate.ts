import type { SimulationResult } from '../../app/simulation/run-simulations.ts';
import type { CaseOutcome, Step } from '../../app/simulation/simulate.ts';
import { defaulted, defineCommand, optional, toggle } from '../definition.ts';
import { longWork } from '../long-work.ts';
import { printable } from '../terminal.ts';
import * as values from '../values.ts';

export const simulate = defineCommand({
  about:
    'Trades a session on the simulated Bybit venue while network, venue, clocks, disk and process go wrong by a seed, and checks what must hold.',
  details: [
    'One process, no socket, no wall clock: the same seed is the same case, step for step. With one seed it prints what happened: the weather, the lives of the process, its orders, the rows of its journal. Exits 1 when something that must hold does not, and names it.',
    'What is simulated, what goes wrong and what must hold: docs/guides/simulate.md.',
  ],
  flags: {
    seed: defaulted('--seed <number>', 'the case', values.seed, '1'),
    seeds: optional('--seeds <first..last>', 'all of these instead, without their steps', seedRange),
    verbose: toggle('--verbose', 'prints requests, answers and frames among the steps'),
  },
  examples: ['ballast simulate --seed 7', 'ballast simulate --seed 7 --verbose', 'ballast simulate --seeds 1..2000 --json'],
  async run({ flags: { seed, seeds, verbose } }, { terminal, isJson }) {
    const { runSimulations } = await import('../../app/simulation/run-simulations.ts');
    if (seeds !== undefined) {
      const result = await longWork(terminal.stderr, 'simulate', (onProgress, signal) =>
        runSimulations({
          ...seeds,
          signal,
          onCase: (outcome, done) => {
            if (outcome.breaks.length > 0) terminal.stderr.write(`${printable(brokenWords(outcome))}\n`);
            onProgress(done, seeds.lastSeed - seeds.firstSeed + 1);
          },
        }),
      );
      return { exitCode: result.broken.length > 0 ? 1 : 0, document: documentOf(result), text: summary(result) };
    }
    const kept: Step[] = [];
    const result = await runSimulations({
      firstSeed: seed,
      lastSeed: seed,
      steps: verbose ? [...STEPS, 'wire'] : STEPS,
      onStep: (step) => {
        if (isJson) kept.push(step);
        else terminal.stdout.write(`${printable(lineOf(step))}\n`);
      },
    });
    const document = { ...documentOf(result), steps: kept.map(({ at, kind, words }) => ({ atMs: at, kind, words })) };
    return { exitCode: result.broken.length > 0 ? 1 : 0, document, text: summary(result) };
  },
});

function seedRange(text: string, place: string): { firstSeed: number; lastSeed: number } {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (first !== undefined && last !== undefined) {
    const range = { firstSeed: values.seed(first, place), lastSeed: values.seed(last, place) };
    if (range.firstSeed <= range.lastSeed) return range;
  }
  throw values.argumentError(place, JSON.stringify(text), 'two seeds, the lower first, such as 1..2000');
}

const STEPS = ['weather', 'life', 'order', 'journal', 'notice'] as const;

function documentOf({ cases, broken, counts, wallMs }: SimulationResult): object {
  return {
    cases,
    broken: broken.map(({ seed, breaks }) => ({
      seed,
      breaks: breaks.map(({ invariant, at, words }) => ({ invariant, atMs: at, words })),
    })),
    counts,
    wallMs: Math.round(wallMs),
  };
}

/** `00:04:12.058  weather  link-cut begins` */
function lineOf({ at, kind, words }: Step): string {
  return `${new Date(Math.floor(at)).toISOString().slice(11, 23)}  ${kind.padEnd(7)}  ${words}`;
}

function brokenWords({ seed, breaks }: CaseOutcome): string {
  const lines = breaks.map(({ invariant, at, words }) => `  ${invariant}, ${Math.round(at)} ms in: ${words}`);
  return [`seed ${seed} breaks`, ...lines].join('\n');
}

function summary({ cases, broken, counts, wallMs }: SimulationResult): string {
  const { events, requests, frames, faults, deaths, orders, fills } = counts;
  const perSecond = Math.round((1_000 * events) / wallMs);
  return [
    ...broken.map(brokenWords),
    `${cases} ${cases === 1 ? 'case' : 'cases'}, ${broken.length} with something that does not hold`,
    `${faults} faults, ${deaths} deaths of the process, ${orders} orders, ${fills} fills, ${requests} requests, ${frames} frames`,
    `${events} events in ${(wallMs / 1_000).toFixed(1)} s, ${perSecond} a second`,
  ].join('\n');
}
