import type { Round } from '../../app/download.ts';
import { formatTime, SECOND_MS } from '../../domain/time.ts';
import { defaulted, defineCommand, toggle } from '../definition.ts';
import { listenForEnd } from '../ending.ts';
import { duration } from '../progress.ts';
import { printable } from '../terminal.ts';
import * as values from '../values.ts';

/** A shorter pause would ask for the same open bar again and again. */
const SHORTEST_MS = 10 * SECOND_MS;

export const dataCollect = defineCommand({
  about: 'Keeps everything that data.collect of ballast.yaml lists up to date: round after round in the foreground, or once, for cron.',
  details: [
    'A series that cannot be had is told of, and the others go on; the next round tries it again. One line a round. Ctrl-C ends it cleanly.',
    'With --once it exits 1 when a series could not be had.',
  ],
  flags: {
    every: defaulted('--every <span>', 'from the beginning of a round to that of the next: at least 10s', everySpan, '1h'),
    once: toggle('--once', 'one round, then the end'),
  },
  examples: ['ballast data collect --every 1h', 'ballast data collect --once --json'],
  async run({ flags }, { home, configFile, terminal }) {
    const { loadConfig } = await import('../../app/config.ts');
    const { collect, collectRound } = await import('../../app/download.ts');
    const config = loadConfig({ home, file: configFile });
    const say = (words: string): void => terminal.stderr.write(`${printable(words)}\n`);
    const ending = listenForEnd((by) => say(`${by}: storing what is complete; a second signal does not wait`));
    const surroundings = { home, config, signal: ending.signal, onNotice: say };
    let startedAt = performance.now();
    const sayRound = (round: Round): void => {
      for (const { error } of round.failures) say(`failed: ${error.message}`);
      say(roundLine(round, performance.now() - startedAt));
    };
    try {
      if (flags.once) {
        const round = await collectRound(surroundings);
        sayRound(round);
        const isWhole = round.failures.length === 0 && !ending.signal.aborted;
        return { exitCode: isWhole ? 0 : 1, document: round, text: '' };
      }
      const rounds = await collect({
        ...surroundings,
        everyMs: flags.every,
        onBegin: () => (startedAt = performance.now()),
        onRound: sayRound,
      });
      return { exitCode: 0, document: { rounds }, text: `${rounds} rounds` };
    } finally {
      ending.release();
    }
  },
});

function everySpan(text: string, place: string): number {
  const everyMs = values.span(text, place);
  if (everyMs >= SHORTEST_MS) return everyMs;
  throw values.argumentError(place, JSON.stringify(text), 'at least 10s');
}

/** `2026-11-21T16:00:03Z  6 series: new 360, corrected 1, failed 0, in 4 s`. */
function roundLine({ series, failures }: Round, tookMs: number): string {
  const sum = (count: (each: Round['series'][number]) => number): number => series.reduce((total, each) => total + count(each), 0);
  const counts = [
    `new ${sum((each) => each.added)}`,
    `corrected ${sum((each) => each.corrected)}`,
    `missing ${sum((each) => each.missingBars)}`,
    `failed ${failures.length}`,
  ];
  const at = formatTime(Math.floor(Date.now() / SECOND_MS) * SECOND_MS);
  return `${at}  ${series.length + failures.length} series: ${counts.join(', ')}, in ${duration(tookMs)}`;
}
