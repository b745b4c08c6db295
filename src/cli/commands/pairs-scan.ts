import type { CopulaScanDocument, PairScanDocument } from '../../app/pairs.ts';
import { fixed, percent } from '../../domain/words.ts';
import { orUnknown, plain, table } from '../../views/text.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import { Progress } from '../progress.ts';
import * as values from '../values.ts';

export const pairsScan = defineCommand({
  about: 'Which pairs of stored prices are cointegrated, ranked, with the share of luck among those that look so.',
  details: [
    'Logarithms of the closes, joined on the time of the bar. Every pair is tested both ways; its p-value is twice the smaller of the two, and 1 at most. The q-value is the share of false pairs to expect when all down to it are believed (Benjamini and Hochberg, 1995). Marked are pairs up to 0.05 that hold in both directions at 1 % and in two of the seven windows of the stability. The table shows the direction with the smaller p-value: half-life in bars, the hedge ratio, and what a round trip of both legs costs in log price of the spread, beside the standard deviation of the spread. Stability is the share of seven overlapping windows, each a quarter of the bars, in which the pair holds by itself.',
    'Engle and Granger (1987) with lags by AIC and the critical values of residuals; Johansen (1988) with a constant and one earlier change; Kapetanios, Shin and Snell (2003), which sees spreads that come back from far out only. Without --method all of them are computed, and Engle and Granger rank.',
    'With --method copula a pair is two coins that each keep to a reference coin (Tadi and Witzany, 2025): log of the reference on log of the coin gives a spread for each. Pairs of which both spreads come back (the larger of the two p-values, up to a q-value of 0.05) are ranked by the Kendall tau of the two spreads, the others follow by p-value; the copula with the lowest AIC of their ranks is shown, its tails, and how likely so low a spread is at the last bar, given the other. What is traded is log a less the hedge ratio times log b: the reference cancels.',
    'Without --symbols the pairs are those of `pairs.universe` in the config, and what is not stored is listed as missing.',
  ],
  flags: {
    symbols: optional('--symbols <list>', 'every pair of these, such as BTC/USDT,ETH/USDT,LTC/USDT', values.symbols),
    timeframe: required('--timeframe <span>', 'length of the bars: 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbols', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    method: optional(
      '--method <name>',
      'only this test, which then ranks; copula ranks by the dependence of two spreads to a reference',
      values.oneOf('engle-granger', 'johansen', 'kss', 'copula'),
    ),
    reference: optional('--reference <symbol>', 'of --method copula; without it the first symbol whose base is BTC', values.symbol),
  },
  examples: [
    'ballast pairs scan --timeframe 1h --from 2022-01-01 --to 2022-07-01',
    'ballast pairs scan --symbols BTC/USDT,ETH/USDT,LTC/USDT --timeframe 1h --method johansen --json',
    'ballast pairs scan --symbols ETH/USDT,LTC/USDT,BCH/USDT --timeframe 1h --method copula --reference BTC/USDT',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const range = values.rangeOf(flags);
    if (flags.symbols?.length === 1) throw values.argumentError('--symbols', 'one symbol', 'at least two');
    if (flags.reference !== undefined && flags.method !== 'copula') {
      throw values.argumentError('--reference', flags.method ?? 'no method', '--method copula');
    }
    const { loadConfig } = await import('../../app/config.ts');
    const { scanStoredCopulas, scanStoredPairs } = await import('../../app/pairs.ts');
    const progress = new Progress(terminal.stderr, 'pairs');
    const request = {
      home,
      config: loadConfig({ home, file: configFile }),
      symbols: flags.symbols,
      venue: flags.venue,
      timeframeMs: flags.timeframe,
      ...range,
      onProgress: (each: number, total: number): void => progress.update(each, total),
    };
    try {
      if (flags.method === 'copula') {
        const document = await scanStoredCopulas({ ...request, reference: flags.reference });
        progress.end();
        return done(document, copulaTextOf(document));
      }
      const document = await scanStoredPairs({ ...request, method: flags.method });
      progress.end();
      return done(document, textOf(document));
    } finally {
      progress.end();
    }
  },
});

function textOf(scan: PairScanDocument): string {
  const head = ['', 'a', 'b', 'bars', 'explained', 'statistic', 'p', 'q', 'half-life', 'hedge', 'R2', 'stability', 'cost', 'deviation'];
  const rows = scan.pairs.map((row) => [
    row.isCointegrated ? '*' : '',
    row.a,
    row.b,
    String(row.bars),
    row.explained,
    plain(row.statistic),
    fixed(row.pValue, 4),
    fixed(row.qValue, 4),
    orUnknown(row.halfLifeBars, (bars) => fixed(bars, 1)),
    fixed(row.hedgeRatio, 4),
    fixed(row.rSquared, 3),
    orUnknown(row.stability, percent),
    fixed(row.spreadCost, 5),
    fixed(row.spreadDeviation, 5),
  ]);
  return pageOf(scan, `ranked by ${scan.rankedBy}`, head, rows);
}

function copulaTextOf(scan: CopulaScanDocument): string {
  const head = [
    '',
    'a',
    'b',
    'bars',
    'tau',
    'p',
    'q',
    'copula',
    'lower',
    'upper',
    'a | b',
    'b | a',
    'half-life',
    'hedge',
    'stability',
    'cost',
    'deviation',
  ];
  const rows = scan.pairs.map((row) => [
    row.isCointegrated ? '*' : '',
    row.a,
    row.b,
    String(row.bars),
    fixed(row.tau, 3),
    fixed(row.pValue, 4),
    fixed(row.qValue, 4),
    'rotation' in row.copula && row.copula.rotation !== 0 ? `${row.copula.family} ${row.copula.rotation}` : row.copula.family,
    fixed(row.tail.lower, 2),
    fixed(row.tail.upper, 2),
    fixed(row.last.first, 3),
    fixed(row.last.second, 3),
    orUnknown(row.halfLifeBars, (bars) => fixed(bars, 1)),
    fixed(row.hedgeRatio, 4),
    orUnknown(row.stability, percent),
    fixed(row.spreadCost, 5),
    fixed(row.spreadDeviation, 5),
  ]);
  return pageOf(scan, `ranked by the tau of both spreads to ${scan.reference}`, head, rows);
}

function pageOf(
  { timeframe, from, to, falseDiscoveryRate, pairs, missing }: PairScanDocument | CopulaScanDocument,
  ranked: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const found = pairs.filter(({ isCointegrated }) => isCointegrated).length;
  return [
    ...(from === null || to === null ? [] : [`${timeframe} bars from ${from} to ${to}, ${ranked}`, '']),
    ...(rows.length === 0 ? ['no pair has bars: ballast data ls says what is stored'] : [table(head, rows), '']),
    ...(rows.length === 0
      ? []
      : [
          `${found} of ${pairs.length} pairs at a false discovery rate of ${percent(falseDiscoveryRate)}, marked with *; half-lives in bars`,
        ]),
    ...missing.map(({ a, b, because }) => `missing: ${a} and ${b}: ${because}`),
  ].join('\n');
}
