// `npm run bench [-- SECTION…] [--json] [--strict]`: how fast, against what is promised. docs/guides/benchmarks.md says what is measured.
import { cpus } from 'node:os';
import { tableOf, verdictOf, type Figure } from './figure.ts';
import { measuredElsewhere, ROW_FLAG } from './programs.ts';
import type { Section } from './section.ts';
import { book } from './sections/book.ts';
import { bytes } from './sections/bytes.ts';
import { command } from './sections/command.ts';
import { engine } from './sections/engine.ts';
import { history } from './sections/history.ts';
import { latency } from './sections/latency.ts';
import { memory } from './sections/memory.ts';
import { pairs } from './sections/pairs.ts';
import { parts } from './sections/parts.ts';
import { statistics } from './sections/statistics.ts';
import { sweep } from './sections/sweep.ts';

const SECTIONS: readonly Section[] = [engine, command, memory, bytes, parts, history, book, statistics, pairs, sweep, latency];
const FLAGS = ['--json', '--strict'];

const words = process.argv.slice(2);
const row = words.find((word) => word.startsWith(ROW_FLAG));
process.exitCode = row === undefined ? await measureAll(words) : await measureRow(row.slice(ROW_FLAG.length));

async function measureAll(given: readonly string[]): Promise<number> {
  const named = given.filter((word) => !word.startsWith('--'));
  const unknown = [
    ...named.filter((name) => !SECTIONS.some((section) => section.name === name.split('/')[0])),
    ...given.filter((word) => word.startsWith('--') && !FLAGS.includes(word)),
  ];
  if (unknown.length > 0) {
    const names = SECTIONS.map((section) => section.name).join(', ');
    console.error(`found ${unknown.join(' ')}, expected sections (${names}), rows such as engine/busy, ${FLAGS.join(' or ')}`);
    return 2;
  }
  const isJson = given.includes('--json');
  const all: { readonly section: string; readonly figures: readonly Figure[] }[] = [];
  const failed: string[] = [];
  if (!isJson) console.log(`${machine()}\n`);
  for (const section of SECTIONS) {
    const rows = section.rows.filter(
      (each) => named.length === 0 || named.includes(section.name) || named.includes(`${section.name}/${each.name}`),
    );
    if (rows.length === 0) continue;
    const figures: Figure[] = [];
    for (const each of rows) {
      try {
        figures.push(...(await measuredElsewhere(`${section.name}/${each.name}`)));
      } catch (failure) {
        failed.push(`${section.name}/${each.name}`);
        console.error(`${section.name}/${each.name}: ${failure instanceof Error ? failure.message : String(failure)}`);
      }
    }
    all.push({ section: section.name, figures });
    if (!isJson) console.log(`${tableOf(section.title, figures)}\n`);
  }
  const figures = all.flatMap((section) => section.figures);
  const unequal = figures.filter((figure) => verdictOf(figure) === 'UNEQUAL');
  const missed = figures.filter((figure) => isBelowFloor(figure));
  if (isJson) console.log(JSON.stringify({ machine: machine(), sections: all }));
  else if (missed.length > 0) console.log(`below the floor: ${missed.map((figure) => figure.name).join('; ')}`);
  if (unequal.length > 0) console.error(`engine and plain loop differ: ${unequal.map((figure) => figure.name).join('; ')}`);
  return failed.length > 0 || unequal.length > 0 || (given.includes('--strict') && missed.length > 0) ? 1 : 0;
}

function isBelowFloor(figure: Figure): boolean {
  return figure.floor !== undefined && verdictOf({ ...figure, goal: undefined }) === 'SHORT';
}

async function measureRow(path: string): Promise<number> {
  if (path === '') return 0;
  const found = SECTIONS.flatMap((section) => section.rows.filter((each) => `${section.name}/${each.name}` === path))[0];
  if (found === undefined) throw new Error(`there is no row ${path}`);
  console.log(JSON.stringify(await found.measure()));
  return 0;
}

function machine(): string {
  const processors = cpus();
  return `Node ${process.versions.node}, ${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}`;
}
