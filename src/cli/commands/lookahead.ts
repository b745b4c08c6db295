import type { LookaheadDocument, SubjectFindings } from '../../app/lookahead.ts';
import { counted } from '../../domain/words.ts';
import { section, table } from '../../views/text.ts';
import { defaulted, defineCommand, optional } from '../definition.ts';
import { Progress } from '../progress.ts';
import * as values from '../values.ts';

export const lookahead = defineCommand({
  about: 'Whether a strategy, features or columns know what they cannot know yet: the first bar and the column that leak, and how.',
  details: [
    'The same code is run on bars that agree up to a bar and then are cut off, rise or fall: whatever it says up to that bar must be the same. What it reads from files, and the series that it declares, are changed in the same way by the time at which each row was known. It is loaded again under another clock, asked twice, used one bar later, and begun later.',
    'On the synthetic market, or with --symbols on stored bars. docs/guides/lookahead.md says what a file may export and what each leak means.',
    'Exits 1 when something leaks, or comes by a way that cannot be watched.',
  ],
  words: [{ spec: '<file>', about: 'a strategy by name or path, or a file that exports features or columns' }],
  flags: {
    params: optional('--params <parameters>', 'of a strategy: name=value,… or a JSON file', values.word),
    symbols: optional(
      '--symbols <symbols>',
      'stored bars of one symbol, or of two for a pair, instead of the synthetic market',
      values.symbols,
    ),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbol', values.word),
    timeframe: defaulted('--timeframe <span>', 'length of the bars', values.timeframe, '1h'),
    from: optional('--from <time>', 'first stored bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end of the stored bars, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    bars: defaulted(
      '--bars <number>',
      'of the synthetic market, beyond the warm-up',
      values.wholeNumber({ least: 100, most: 1_000_000 }),
      '1000',
    ),
    seed: defaulted('--seed <number>', 'of the synthetic market', values.seed, '1'),
    cuts: optional(
      '--cuts <number>',
      'at how many bars the future is changed (default: 1000 for columns, 100 for strategies and features)',
      values.wholeNumber({ least: 1, most: 1_000_000 }),
    ),
  },
  examples: [
    'ballast lookahead ./my-strategy.ts',
    'ballast lookahead trend --symbols BTC/USDT --timeframe 1h --from 2021-01-01 --to 2021-07-01',
    'ballast lookahead ./my-features.ts --json',
  ],
  async run({ flags, words: [file = ''] }, { home, terminal }) {
    const { fromMs, toMs } = values.rangeOf(flags);
    const isRange = fromMs !== undefined || toMs !== undefined || flags.venue !== undefined;
    if (isRange && flags.symbols === undefined) {
      throw values.argumentError('--from, --to, --venue', 'no symbols', '--symbols with them: the synthetic market has its own bars');
    }
    const { lookForLookahead } = await import('../../app/lookahead.ts');
    const progress = new Progress(terminal.stderr, 'lookahead');
    try {
      const document = await lookForLookahead({
        home,
        file,
        parameters: flags.params,
        symbols: flags.symbols,
        venue: flags.venue,
        timeframeMs: flags.timeframe,
        fromMs,
        toMs,
        bars: flags.bars,
        seed: flags.seed,
        cuts: flags.cuts,
        onProgress: (finished, total) => progress.update(finished, total),
      });
      progress.end();
      return { exitCode: document.isClean ? 0 : 1, document, text: textOf(document) };
    } finally {
      progress.end();
    }
  },
});

function textOf({ subjects, market, timeframe, isClean }: LookaheadDocument): string {
  return [
    ...subjects.map((subject) => subjectText(subject, `${market}, ${timeframe}`)),
    isClean ? 'clean: nothing that was said depends on what came later' : 'NOT clean',
  ].join('\n\n');
}

function short(value: number | null): string {
  return value === null ? 'no number' : String(Number(value.toPrecision(8)));
}

function subjectText(
  { kind, name, symbols, from, to, bars, cuts, outsideCuts, leaks, unwatched, notes, lag, warmup }: SubjectFindings,
  where: string,
): string {
  const outside = outsideCuts === 0 ? '' : `, outside data at ${outsideCuts}`;
  const found = leaks.map(({ kind: leak, column, at, bar, words, barsAhead, reads, value, otherwise }) =>
    [
      `- ${leak}: ${column} at ${at} (bar ${bar}) ${words}`,
      `  ${barsAhead === undefined ? '' : `${counted(barsAhead, 'bar')} ahead, `}${reads.length === 0 ? '' : `reads ${reads.join(', ')}; `}it was ${short(value)}${leak === 'in-sample' ? '' : `, with another future ${short(otherwise)}`}`,
    ].join('\n'),
  );
  const scores = lag.map(({ column, scores: all }) => [column, ...all.map(({ score }) => score.toFixed(2))]);
  const differences = (warmup?.rows ?? []).map(({ column, differences: all, settledAfterBars }) => [
    column,
    ...all.map((difference) => (difference === null ? '' : difference === 0 ? '0' : difference.toExponential(1))),
    settledAfterBars === null ? 'never' : String(settledAfterBars),
  ]);
  return [
    `${kind} ${name} on ${symbols.join(' and ')}, ${where}: ${counted(bars, 'bar')} from ${from} to ${to}, the future changed at ${cuts} of them${outside}`,
    section('leaks', found.join('\n')),
    section('cannot be watched', unwatched.map((way) => `- ${way}: what comes by it may be of any time`).join('\n')),
    section('notes', notes.map((note) => `- ${note}`).join('\n')),
    section(
      'used later by so many bars (t statistic)',
      table(['', ...(lag[0]?.scores ?? []).map(({ lagBars }) => String(lagBars))], scores),
    ),
    section(
      'begun so many bars before (largest relative difference of the last 20)',
      table(['', ...(warmup?.bars ?? []).map(String), 'settled'], differences),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}
