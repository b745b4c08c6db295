import type { PairScanDocument } from '../../app/pairs.ts';
import { fixed, percent } from '../../domain/words.ts';
import { orUnknown, plain, table } from '../../views/text.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import { Progress } from '../progress.ts';
import * as values from '../values.ts';

export const pairsScan = defineCommand({
  about: 'Which pairs of stored prices are cointegrated, ranked, with the share of luck among those that look so.',
  details: [
    'Logarithms of the closes, joined on the time of the bar. Every pair is tested both ways; its p-value is twice the smaller of the two, and 1 at most. The q-value is the share of false pairs to expect when all down to it are believed (Benjamini and Hochberg, 1995): pairs up to 0.05 are marked. The table shows the direction with the smaller p-value: half-life in bars, the hedge ratio, and what a round trip of both legs costs in log price of the spread, beside the standard deviation of the spread. Stability is the share of seven overlapping windows, each a quarter of the bars, in which the pair holds by itself.',
    'Engle and Granger (1987) with lags by AIC and the critical values of residuals; Johansen (1988) with a constant and one earlier change; Kapetanios, Shin and Snell (2003), which sees spreads that come back from far out only. Without --method all of them are computed, and Engle and Granger rank.',
    'Without --symbols the pairs are those of `pairs.universe` in the config, and what is not stored is listed as missing.',
  ],
  flags: {
    symbols: optional('--symbols <list>', 'every pair of these, such as BTC/USDT,ETH/USDT,LTC/USDT', values.symbols),
    timeframe: required('--timeframe <span>', 'length of the bars: 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbols', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    method: optional('--method <name>', 'only this test, which then ranks', values.oneOf('engle-granger', 'johansen', 'kss')),
  },
  examples: [
    'ballast pairs scan --timeframe 1h --from 2022-01-01 --to 2022-07-01',
    'ballast pairs scan --symbols BTC/USDT,ETH/USDT,LTC/USDT --timeframe 1h --method johansen --json',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const range = values.rangeOf(flags);
    if (flags.symbols?.length === 1) throw values.argumentError('--symbols', 'one symbol', 'at least two');
    const { loadConfig } = await import('../../app/config.ts');
    const { scanStoredPairs } = await import('../../app/pairs.ts');
    const progress = new Progress(terminal.stderr, 'pairs');
    try {
      const document = await scanStoredPairs({
        home,
        config: loadConfig({ home, file: configFile }),
        symbols: flags.symbols,
        venue: flags.venue,
        timeframeMs: flags.timeframe,
        method: flags.method,
        ...range,
        onProgress: (each, total) => progress.update(each, total),
      });
      progress.end();
      return done(document, textOf(document));
    } finally {
      progress.end();
    }
  },
});

function textOf({ timeframe, from, to, rankedBy, falseDiscoveryRate, pairs, missing }: PairScanDocument): string {
  const found = pairs.filter(({ isCointegrated }) => isCointegrated).length;
  const head = ['', 'a', 'b', 'bars', 'explained', 'statistic', 'p', 'q', 'half-life', 'hedge', 'R2', 'stability', 'cost', 'deviation'];
  const rows = pairs.map((row) => [
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
  return [
    ...(from === null || to === null ? [] : [`${timeframe} bars from ${from} to ${to}, ranked by ${rankedBy}`, '']),
    ...(rows.length === 0 ? ['no pair has bars: ballast data ls says what is stored'] : [table(head, rows), '']),
    ...(rows.length === 0
      ? []
      : [
          `${found} of ${pairs.length} pairs at a false discovery rate of ${percent(falseDiscoveryRate)}, marked with *; half-lives in bars`,
        ]),
    ...missing.map(({ a, b, because }) => `missing: ${a} and ${b}: ${because}`),
  ].join('\n');
}
