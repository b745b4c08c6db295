import type { ComparedDifference, ComparedOrder, RunComparison } from '../../app/compare-runs.ts';
import { counted, percent } from '../../domain/words.ts';
import { againstThreshold, money, section, table } from '../../views/text.ts';
import { defineCommand, done } from '../definition.ts';

export const diff = defineCommand({
  about: 'Two runs of one period, order by order: what differs, why, and a score of parity.',
  details: [
    'A paper session against the backtest of its bars, a live run against paper, or any two runs that have a symbol and a time in common. Orders are aligned by symbol, side and time; the cause of each difference is read off both recordings: rejected order, missed bar, market data, halt, partial fill, latency, price, fee, rounding, carried over from an earlier difference, or another opinion.',
    'Parity is 1 when both did the same to the last digit and 0 when they have nothing in common; docs/guides/compare-runs.md defines it.',
    'Differences are findings, no failure: it exits 0, and 1 when a run cannot be read or the two have nothing in common.',
  ],
  words: [
    { spec: '<first>', about: 'id of a run, path of its folder, or latest' },
    { spec: '<second>', about: 'the run that is compared with it' },
  ],
  flags: {},
  examples: ['ballast diff paper-20261120-181500 backtest-20261121-090000', 'ballast diff paper-20261120-181500 latest --json'],
  async run({ words: [first = '', second = ''] }, { home }) {
    const { compareTwoRuns } = await import('../../app/compare-runs.ts');
    const { latestRun } = await import('../../app/runs.ts');
    const named = (name: string): string => (name === 'latest' ? (latestRun(home)?.runId ?? name) : name);
    const document = compareTwoRuns(home, named(first), named(second));
    return done(document, textOf(document));
  },
});

/** More rows than this are for --json. */
const MOST_ROWS = 40;

function textOf({ a, b, from, to, parity, same, onlyA, onlyB, outside, causes, settings, differences }: RunComparison): string {
  const both = differences.length - onlyA - onlyB;
  const crossings = a.crossings + b.crossings;
  const more = differences.length - MOST_ROWS;
  return [
    `${a.kind} ${a.runId} (A) and ${b.kind} ${b.runId} (B), from ${from} to ${to}`,
    parity === null ? 'parity N/A: neither sent an order' : `parity ${againstThreshold(parity, 1, 4)}`,
    `orders: ${same} the same, ${both} different, ${onlyA} only in A, ${onlyB} only in B${outside === 0 ? '' : `; ${outside} of another time`}`,
    ...(crossings === 0 ? [] : [`${counted(crossings, 'crossing')} between sleeves, which no venue saw, are not compared`]),
    section(
      'causes',
      table(
        ['', 'orders', 'money of B less A'],
        Object.entries(causes).map(([cause, { count, money: sum }]) => [cause, String(count), money(sum)]),
      ),
    ),
    section(
      'settings that differ',
      table(
        ['', 'A', 'B'],
        settings.map(({ field, a: one, b: other }) => [field, JSON.stringify(one), JSON.stringify(other)]),
      ),
    ),
    section('differences', table(['time', 'symbol', 'order', 'A', 'B', 'agree', 'cause'], differences.slice(0, MOST_ROWS).map(row))),
    more > 0 ? `  and ${counted(more, 'difference')} more: --json has them all` : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function row({ at, symbol, side, role, agreement, a, b, findings }: ComparedDifference): string[] {
  const [first] = findings;
  const order = role === 'target' ? side : `${side} ${role}`;
  return [at, symbol, order, short(a), short(b), percent(agreement), first === undefined ? '' : `${first.cause}: ${first.words}`];
}

function short(order: ComparedOrder | null): string {
  if (order === null) return '-';
  const { filled, price, refusal } = order;
  if (refusal !== '') return 'refused';
  return price === null ? 'no fill' : `${Number(filled.toPrecision(6))} at ${Number(price.toPrecision(8))}`;
}
