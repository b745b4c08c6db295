import type { StressDocument, StressRow } from '../../app/stress.ts';
import { percent } from '../../domain/words.ts';
import { orUnknown, section, table } from '../../views/text.ts';
import { defineCommand, done } from '../definition.ts';
import { longWork } from '../long-work.ts';

export const stress = defineCommand({
  about:
    "A finished backtest's strategy in crises that were and in shocks made out of its own bars, against buying and holding. Also written as stress.json in the folder of the run.",
  details: [
    'Crises are March 2020, May 2021, Luna and Three Arrows Capital in 2022 and FTX in 2022, whole months, wherever their bars are stored, inside the range of the run or not: it begins each flat, warmed up before it. Shocks run its whole range again: prices 30 % lower from one open on while it is long, at eight moments; fills that slip ten times as far and take a tenth of a hundredth of the volume; fees doubled; no exchange for an hour in the ten worst moments that it held through.',
    'A shock is deterministic: the same run, the same page. The stop of a gap fills at the open beyond it. docs/guides/validate.md says how each is made.',
  ],
  words: [{ spec: '<run>', about: 'id of the run, path of its folder, or latest' }],
  flags: {},
  examples: ['ballast stress latest', 'ballast stress latest --json'],
  async run({ words: [name = ''] }, { home, terminal }) {
    const { latestRun } = await import('../../app/runs.ts');
    const { stressRun } = await import('../../app/stress.ts');
    return longWork(terminal.stderr, 'stress', async (onProgress, signal) => {
      const document = await stressRun({
        home,
        runId: name === 'latest' ? (latestRun(home)?.runId ?? name) : name,
        onProgress,
        signal,
      });
      return done(document, textOf(document));
    });
  },
});

function textOf(document: StressDocument): string {
  const { base, rows, leftOut, verdict, strategy, symbols, timeframe } = document;
  const header = ['', 'return', 'held', 'drawdown', 'held', 'days ahead', 'trades', 'in the market'];
  return [
    `run ${document.runId}: ${strategy}  ${symbols.join(', ')}  ${timeframe}   ${base.from} to ${base.to}`,
    verdict.map((words) => `  ${words}`).join('\n'),
    table(header, [base, ...rows].map(cellsOf)),
    section('WHAT WAS DONE', rows.map(({ name, about }) => `  ${name}: ${about}`).join('\n')),
    section('LEFT OUT', leftOut.map(({ name, why }) => `  ${name}: ${why}`).join('\n')),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function cellsOf(row: StressRow): string[] {
  return [
    row.name,
    percent(row.totalReturn),
    percent(row.holdReturn),
    percent(row.maxDrawdown),
    percent(row.holdDrawdown),
    orUnknown(row.daysAhead, percent),
    String(row.trades),
    orUnknown(row.exposureRatio, percent),
  ];
}
