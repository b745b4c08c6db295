import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { FindingKind, Inspection } from '../../market/history/inspection.ts';
import { defineCommand, done, optional } from '../definition.ts';
import { Progress } from '../progress.ts';
import { table } from '../terminal.ts';
import * as values from '../values.ts';

/** Rows of a chunk: a few megabytes, whatever the length of the history. */
const CHUNK_ROWS = 65_536;
/** Findings shown of each series; `--json` has all of them. */
const SHOWN = 5;

export const dataCheck = defineCommand({
  about: 'Looks through stored bars for what a backtest would stumble over, and gives each series a quality from 0 to 1.',
  details: [
    'Holes, bars without trade, malformed bars, spikes, breaks between neighbours, and another coin under the same symbol. Quality is the share of sound bars among all that should be there; two coins under one symbol have none.',
    'Findings are no failure: it exits 0. Nothing is changed.',
  ],
  flags: {
    symbol: optional('--symbol <symbol>', 'only this one, such as BTC/USDT', values.symbol),
    timeframe: optional('--timeframe <span>', 'only bars of this length: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'only those of this venue', values.word),
  },
  examples: ['ballast data check', 'ballast data check --symbol LUNA/USDT --json'],
  async run({ flags }, { home, terminal }) {
    const { openStore } = await import('../../market/history/store.ts');
    const { Inspector } = await import('../../market/history/inspection.ts');
    const store = await openStore(home);
    const progress = new Progress(terminal.stderr, 'checking');
    try {
      const all = await store.list();
      const chosen = all.filter(
        ({ venue, symbol, timeframeMs }) =>
          (flags.symbol ?? symbol) === symbol && (flags.timeframe ?? timeframeMs) === timeframeMs && (flags.venue ?? venue) === venue,
      );
      if (chosen.length === 0) {
        throw new BallastError({
          code: 'SERIES_UNKNOWN',
          place: 'data check',
          found: all.length === 0 ? `no bars at all under ${store.root}` : 'no such bars',
          expected: all.length === 0 ? 'an imported history' : 'stored ones: ballast data ls lists them',
          remedy: all.length === 0 ? 'import some: ballast data import FILE …' : 'name one of them, or none for all',
          exitCode: 2,
        });
      }
      const total = chosen.reduce((rows, series) => rows + series.rows, 0);
      let done = 0;
      const document: Checked[] = [];
      for (const { venue, symbol, timeframeMs, fromMs, toMs } of chosen) {
        const inspector = new Inspector(timeframeMs);
        for await (const chunk of store.stream({ venue, symbol, timeframeMs }, CHUNK_ROWS)) {
          inspector.add(chunk);
          done += chunk.openAt.length;
          progress.update(done, total);
        }
        const { findings, ...counts } = inspector.result();
        document.push({
          venue,
          symbol,
          timeframe: formatSpan(timeframeMs),
          from: formatTime(fromMs),
          to: formatTime(toMs),
          ...counts,
          findings: findings.map(({ kind, fromMs: from, bars, words }) => ({ kind, from: formatTime(from), bars, words })),
        });
      }
      progress.end();
      return outcome(document);
    } finally {
      progress.end();
      await store.close();
    }
  },
});

interface Checked extends Omit<Inspection, 'findings'> {
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly findings: readonly { readonly kind: FindingKind; readonly from: string; readonly bars: number; readonly words: string }[];
}

function outcome(document: readonly Checked[]): ReturnType<typeof done> {
  const head = ['venue', 'symbol', 'bars', 'rows', 'holes', 'missing', 'no volume', 'flat', 'wrong', 'coins', 'quality'];
  const rows = document.map((each) => [
    each.venue,
    each.symbol,
    each.timeframe,
    ...[each.rows, each.holes, each.missingBars, each.zeroVolumeBars, each.flatBars].map(String),
    String(each.malformedBars + each.spikes + each.breaks + each.disorderedBars),
    String(each.coins),
    // Down, so that only a series without a finding is whole.
    (Math.floor(each.qualityRatio * 10_000) / 10_000).toFixed(4),
  ]);
  const details = document.flatMap(({ venue, symbol, timeframe, findings }) => {
    if (findings.length === 0) return [];
    // What is wrong before what is missing, the largest first.
    const worst = findings.toSorted((one, other) => rank(one.kind) - rank(other.kind) || other.bars - one.bars).slice(0, SHOWN);
    const rest = findings.length - worst.length;
    return [
      `\n${venue} ${symbol} ${timeframe}`,
      ...worst.map(({ kind, from, bars, words }) => `  ${from}  ${kind}${bars > 1 && kind !== 'hole' ? `, ${bars} bars` : ''}: ${words}`),
      ...(rest > 0 ? [`  and ${rest} more: --json has all of them`] : []),
    ];
  });
  return done(document, [table(head, rows, [3, 4, 5, 6, 7, 8, 9, 10]), ...details].join('\n'));
}

const ORDER: readonly FindingKind[] = ['another-coin', 'disorder', 'malformed', 'spike', 'break', 'hole', 'flat'];

function rank(kind: FindingKind): number {
  return ORDER.indexOf(kind);
}
