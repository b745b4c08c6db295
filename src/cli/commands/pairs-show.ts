import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import { fixed } from '../../domain/words.ts';
import type { PairStudy } from '../../lab/pairs/study.ts';
import { orUnknown, plain } from '../../views/text.ts';
import { defaulted, defineCommand, done, optional, required } from '../definition.ts';
import * as values from '../values.ts';

const CHART_COLUMNS = 96;
const CHART_ROWS = 14;
/** Of the z-score: where many enter, on either side, and the middle. */
const Z_LEVELS = [2, 0, -2];
const LONGEST_WINDOW = 1_000_000;

export const pairsShow = defineCommand({
  about: 'Draws the spread of two stored prices and its z-score, in the terminal and in a file.',
  details: [
    'The spread is what is left of the log of one close after a line through the log of the other, in the direction that Engle and Granger’s test likes better, over the whole range: nobody in the middle of it could have known the line. The z-score is of the last --window bars only. Dashed levels of the spread are the entry and exit of Bertram (2010): the highest expected return net of fees and slippage, if the estimated process were the true one.',
    'The file is HTML, or SVG alone where --out ends in .svg.',
  ],
  words: [
    { spec: '<a>', about: 'such as BTC/USDT' },
    { spec: '<b>', about: 'such as ETH/USDT' },
  ],
  flags: {
    timeframe: required('--timeframe <span>', 'length of the bars: 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbols', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    window: defaulted('--window <bars>', 'of the z-score', values.wholeNumber({ least: 2, most: LONGEST_WINDOW }), '100'),
    out: optional('--out <file>', 'where the picture goes; left out, pairs/ of the home folder', values.word),
  },
  examples: ['ballast pairs show BTC/USDT ETH/USDT --timeframe 1h --from 2022-01-01 --to 2022-07-01'],
  async run({ flags, words: [a = '', b = ''] }, { home, configFile }) {
    const range = values.rangeOf(flags);
    for (const [place, symbol] of [
      ['<a>', a],
      ['<b>', b],
    ] as const) {
      values.symbol(symbol, place);
    }
    if (a === b) throw values.argumentError('<b>', `${b} again`, 'another symbol');
    const { loadConfig } = await import('../../app/config.ts');
    const { studyStoredPair } = await import('../../app/pairs.ts');
    const { textChart } = await import('../../lab/pairs/spread-drawing.ts');
    const { timeframe: timeframeMs, window, venue } = flags;
    const config = loadConfig({ home, file: configFile });
    const study = await studyStoredPair({ home, config, a, b, venue, timeframeMs, window, ...range });
    const name = `${a}-${b}-${formatSpan(timeframeMs)}`.replaceAll(/[/:]/g, '_');
    const file = resolve(flags.out ?? join(home, 'pairs', `${name}.html`));
    const words = wordsOf(study, a, b);
    await writePicture(file, `${a} and ${b}, ${formatSpan(timeframeMs)}`, words, study);
    const chart = { columns: CHART_COLUMNS, rows: CHART_ROWS };
    const text = [
      ...words,
      '',
      'spread',
      textChart(study.spread, { ...chart, decimals: 4, levels: levelsOf(study) }),
      '',
      `z-score over ${window} bars`,
      textChart(study.zScore, { ...chart, decimals: 1, levels: Z_LEVELS }),
      '',
      file,
    ].join('\n');
    return done(documentOf(study, a, b, file), text);
  },
});

function levelsOf({ thresholds }: PairStudy): number[] {
  return thresholds === null ? [0] : [thresholds.exit, (thresholds.exit + thresholds.entry) / 2, thresholds.entry];
}

function wordsOf(study: PairStudy, a: string, b: string): string[] {
  const [own, other] = study.explained === 'a' ? [a, b] : [b, a];
  const { alpha, beta, rSquared, statistic, pValue, halfLifeBars, deviation, spreadCost, thresholds, warning, openAt } = study;
  return [
    `${formatTime(openAt[0] ?? NaN)} to ${formatTime(openAt.at(-1) ?? NaN)}, ${openAt.length} bars`,
    `log ${own} = ${fixed(alpha, 4)} + ${fixed(beta, 4)} x log ${other} + spread, R2 ${fixed(rSquared, 3)}`,
    `Engle-Granger ${plain(statistic)}, p ${fixed(pValue, 4)} of the pair; half-life ${orUnknown(halfLifeBars, (bars) => fixed(bars, 1))} bars`,
    `deviation ${fixed(deviation, 5)}, a round trip of both legs costs ${fixed(spreadCost, 5)}`,
    thresholds === null
      ? 'no thresholds: the spread does not come back, or costs more than it moves'
      : `buy the spread at ${fixed(thresholds.entry, 5)}, sell it at ${fixed(thresholds.exit, 5)}: ${fixed(thresholds.expectedReturn * 1e4, 4)} bp of log price a bar expected, a round in ${fixed(thresholds.expectedSteps, 0)} bars`,
    ...(warning === null ? [] : [`! ${thresholds === null ? '' : 'do not trade these thresholds: '}${warning}`]),
  ];
}

/** Columns are in the order of `openAtMs`. */
function documentOf({ openAt, spread, zScore, ...figures }: PairStudy, a: string, b: string, file: string): unknown {
  const known = (values: Float64Array): (number | null)[] => Array.from(values, (value) => (Number.isFinite(value) ? value : null));
  return { a, b, ...figures, file, openAtMs: Array.from(openAt), spread: known(spread), zScore: known(zScore) };
}

async function writePicture(file: string, title: string, words: readonly string[], study: PairStudy): Promise<void> {
  const { pageOf, svgChart } = await import('../../lab/pairs/spread-drawing.ts');
  const svg = svgChart(study.openAt, [
    { title: 'spread', values: study.spread, decimals: 4, levels: levelsOf(study) },
    { title: `z-score over ${study.window} bars`, values: study.zScore, decimals: 1, levels: Z_LEVELS },
  ]);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, file.endsWith('.svg') ? `${svg}\n` : pageOf(title, words, svg));
  } catch (cause) {
    throw new BallastError({
      code: 'PICTURE_UNWRITABLE',
      place: file,
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a file that can be written',
      remedy: 'name another one with --out',
      cause,
    });
  }
}
