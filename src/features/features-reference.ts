// Every feature of the catalog with what it says, its parameters and where it comes from: the source of docs/reference/features.md.
import { HOUR_MS } from '../domain/time.ts';
import * as catalog from './catalog.ts';
import { PATTERN_NAMES } from './indicators/bar-pattern.ts';

/** One feature as the page shows it. */
export interface FeatureForm {
  readonly about: string;
  /** By the function's own names, in its order. */
  readonly parameters: Readonly<Record<string, string>>;
  /** With the parameters that are usual in the field: key, outputs and warm-up are read of it. */
  readonly usual: { readonly key: string; readonly warmup: number; readonly outputs: readonly string[] };
  /** The function of TA-Lib that it agrees with, the paper that it follows, or whose word it is. */
  readonly source: string;
}

type FeatureName = Exclude<keyof typeof catalog, 'columns' | 'on'>;

const WINDOW = 'bars';
const MULTIPLE = 'how many of them on each side';
const BAR_MS = 'length of a bar in milliseconds; has to divide a day';
const YEAR = 'length of a bar in milliseconds, for a volatility by the year; without it by the bar';
const SIDE = 'bars on each side of a turning point';

/** In the order of the page. */
export const FEATURE_FORMS: Readonly<Record<string, Partial<Record<FeatureName, FeatureForm>>>> = {
  Averages: {
    sma: form('mean of closes', { window: WINDOW }, catalog.sma(20), 'TA-Lib SMA'),
    ema: form('exponential mean', { window: WINDOW }, catalog.ema(20), 'TA-Lib EMA'),
    wma: form('mean with weights 1 to n, the newest weighing most', { window: WINDOW }, catalog.wma(20), 'TA-Lib WMA'),
    dema: form('double exponential mean', { window: WINDOW }, catalog.dema(20), 'Mulloy 1994; TA-Lib DEMA'),
    tema: form('triple exponential mean', { window: WINDOW }, catalog.tema(20), 'Mulloy 1994; TA-Lib TEMA'),
    kama: form('adaptive mean: quick in a trend, slow in a range', { window: WINDOW }, catalog.kama(10), 'Kaufman 1995; TA-Lib KAMA'),
    hma: form('weighted mean without most of its lag', { window: WINDOW }, catalog.hma(20), 'Hull 2005; TA-Lib HMA'),
    sessionVwap: form('volume-weighted typical price of the UTC day so far', { barMs: BAR_MS }, catalog.sessionVwap(HOUR_MS), 'definition'),
    rollingVwap: form('the same of the last bars', { window: WINDOW }, catalog.rollingVwap(24), 'TA-Lib VWMA of typical prices'),
    vwapDeviation: form(
      'the close against that price: as a ratio less 1 (`ratio`), in deviations of it (`value`), and what the next bar usually keeps',
      { window: 'bars of the price', history: 'bars of the deviations' },
      catalog.vwapDeviation(24, 168),
      'our word',
    ),
    anchoredVwap: form(
      'the same of all bars that closed after a time; not known before',
      { anchorAt: 'UTC milliseconds' },
      catalog.anchoredVwap(Date.UTC(2021, 0, 1)),
      'TA-Lib VWAP from a bar on',
    ),
  },
  Momentum: {
    rsi: form('relative strength, 0..100; 50 where nothing moved', { window: WINDOW }, catalog.rsi(14), 'Wilder 1978; TA-Lib RSI'),
    macd: form(
      'fast less slow exponential mean, its mean (the signal line) and the difference',
      { fast: WINDOW, slow: WINDOW, triggerWindow: 'bars of the mean of the difference' },
      catalog.macd(12, 26, 9),
      'Appel 1979; TA-Lib MACD',
    ),
    adx: form(
      'average directional index, +DI, -DI and DX, 0..100',
      { window: WINDOW },
      catalog.adx(14),
      'Wilder 1978; TA-Lib ADX, PLUS_DI, MINUS_DI, DX',
    ),
    adxr: form('mean of that index now and window - 1 bars ago', { window: WINDOW }, catalog.adxr(14), 'Wilder 1978; TA-Lib ADXR'),
    stochastic: form(
      'slow stochastic: %K and %D, 0..100',
      { window: WINDOW, smoothing: 'bars of the mean that makes %K slow', averaging: 'bars of %D' },
      catalog.stochastic(14, 3, 3),
      'Lane; TA-Lib STOCH',
    ),
    stochasticFast: form(
      'fast stochastic: raw %K and %D, 0..100',
      { window: WINDOW, averaging: 'bars of %D' },
      catalog.stochasticFast(14, 3),
      'Lane; TA-Lib STOCHF',
    ),
    stochasticRsi: form(
      'where the relative strength lies in its own range, 0..100, and the mean of that',
      { rsiWindow: 'bars of the relative strength', window: 'bars of its range', averaging: 'bars of the mean' },
      catalog.stochasticRsi(14, 14, 3),
      'Chande and Kroll 1994; TA-Lib STOCHRSI',
    ),
    williamsR: form('how far below the highest high, -100..0', { window: WINDOW }, catalog.williamsR(14), 'Williams; TA-Lib WILLR'),
    cci: form(
      'typical price less its mean, in 0.015 mean absolute deviations',
      { window: WINDOW },
      catalog.cci(20),
      'Lambert 1980; TA-Lib CCI',
    ),
    rateOfChange: form('the close as a ratio of the one n bars ago, less 1', { window: WINDOW }, catalog.rateOfChange(10), 'TA-Lib ROCP'),
    momentum: form('the close less the one n bars ago', { window: WINDOW }, catalog.momentum(10), 'TA-Lib MOM'),
    trix: form('change of a triple exponential mean, in percent', { window: WINDOW }, catalog.trix(15), 'Hutson 1983; TA-Lib TRIX'),
    ultimateOscillator: form(
      'buying pressure over three windows, 0..100',
      { short: WINDOW, middle: WINDOW, long: WINDOW },
      catalog.ultimateOscillator(7, 14, 28),
      'Williams 1985; TA-Lib ULTOSC',
    ),
    aroon: form(
      'how new the highest high and the lowest low are, 0..100, and the difference',
      { window: WINDOW },
      catalog.aroon(14),
      'Chande 1995; TA-Lib AROON, AROONOSC',
    ),
    ichimoku: form(
      'conversion and base line; the cloud over this bar (spans) and the one drawn now (leading). No lagging line: it is not known yet',
      { conversion: WINDOW, base: WINDOW, span: WINDOW, displacement: 'bars by which the cloud is drawn ahead' },
      catalog.ichimoku(9, 26, 52, 26),
      'Hosoda 1969; pandas-ta-classic',
    ),
    superTrend: form(
      'the trailing line in force and its trend, 1 or -1',
      { window: 'bars of the true range', multiple: MULTIPLE },
      catalog.superTrend(10, 3),
      'Seban; TA-Lib SUPERTREND',
    ),
    parabolicSar: form(
      'stop and reverse, and the trend after the bar',
      { step: 'acceleration for each new extreme', most: 'largest acceleration' },
      catalog.parabolicSar(0.02, 0.2),
      'Wilder 1978; TA-Lib SAR',
    ),
  },
  'Volatility and channels': {
    atr: form('average true range, in units of price', { window: WINDOW }, catalog.atr(14), 'Wilder 1978; TA-Lib ATR'),
    bollinger: form(
      'bands of standard deviations around the mean; %B and width',
      { window: WINDOW, multiple: MULTIPLE },
      catalog.bollinger(20, 2),
      'Bollinger; TA-Lib BBANDS',
    ),
    keltner: form(
      'bands of average true ranges around the exponential mean of the typical price',
      { window: WINDOW, rangeWindow: 'bars of the true range', multiple: MULTIPLE },
      catalog.keltner(20, 10, 2),
      'Raschke’s form; TA-Lib KC',
    ),
    donchian: form('highest high, lowest low and the middle', { window: WINDOW }, catalog.donchian(20), 'TA-Lib DONCHIAN'),
    donchianEnsemble: form(
      'part of many channels of closes that is joined, 0..1: from a new highest close until one at the rising middle',
      { windows: 'bars of each channel' },
      catalog.donchianEnsemble([5, 10, 20, 30, 60, 90, 150, 250, 360]),
      'Zarattini, Pagani and Barbon 2025',
    ),
    standardDeviation: form('of the population of closes', { window: WINDOW }, catalog.standardDeviation(20), 'TA-Lib STDDEV'),
    zScore: form('the close less its mean, in those deviations', { window: WINDOW }, catalog.zScore(20), 'definition'),
    realisedVolatility: form(
      'sample deviation of logarithmic returns',
      { window: WINDOW, barMs: YEAR },
      catalog.realisedVolatility(24),
      'definition',
    ),
    volatilityRatio: form(
      'that of a short window over that of a long one',
      { short: WINDOW, long: WINDOW },
      catalog.volatilityRatio(10, 60),
      'definition',
    ),
    parkinson: form('from highs and lows', { window: WINDOW, barMs: YEAR }, catalog.parkinson(20), 'Parkinson 1980'),
    garmanKlass: form('from all four prices', { window: WINDOW, barMs: YEAR }, catalog.garmanKlass(20), 'Garman and Klass 1980'),
    rogersSatchell: form(
      'from all four prices, whatever the drift',
      { window: WINDOW, barMs: YEAR },
      catalog.rogersSatchell(20),
      'Rogers and Satchell 1991',
    ),
    yangZhang: form(
      'the same, and whatever the gaps between bars',
      { window: WINDOW, barMs: YEAR },
      catalog.yangZhang(20),
      'Yang and Zhang 2000',
    ),
  },
  Volume: {
    mfi: form('turnover of rising bars among all that moved, 0..100', { window: WINDOW }, catalog.mfi(14), 'TA-Lib MFI'),
    obv: form('volume of rising less that of falling closes since the first bar', {}, catalog.obv(), 'Granville 1963; TA-Lib OBV'),
    accumulationDistribution: form(
      'volume by where the close lies in its bar, since the first bar',
      {},
      catalog.accumulationDistribution(),
      'Chaikin; TA-Lib AD',
    ),
    chaikinOscillator: form(
      'fast less slow exponential mean of that line',
      { fast: WINDOW, slow: WINDOW },
      catalog.chaikinOscillator(3, 10),
      'Chaikin; TA-Lib ADOSC',
    ),
    chaikinMoneyFlow: form(
      'the same of the last bars among their volume, -1..1',
      { window: WINDOW },
      catalog.chaikinMoneyFlow(20),
      'Chaikin; TA-Lib CMF',
    ),
    volumeProfile: form(
      'volume by price: the point of control and the edges of the area that holds 0.7 of the volume around it',
      { window: WINDOW, rowRatio: 'height of a row as a ratio of price' },
      catalog.volumeProfile(168, 0.0025),
      'Steidlmayer’s market profile, on bars: our word',
    ),
  },
  'Levels and bars': {
    pivotPoints: form(
      'pivot, resistances and supports from the last completed UTC day',
      { method: '`classic`, `fibonacci` or `camarilla`', barMs: BAR_MS },
      catalog.pivotPoints('classic', HOUR_MS),
      'the floor’s formulas',
    ),
    swings: form(
      'confirmed turning points: structure (1 for higher highs and higher lows, -1 for lower of both), the last levels, whether one is new, and how they turned',
      { side: SIDE },
      catalog.swings(3),
      'Williams’s fractals; TA-Lib FRACTAL',
    ),
    liquiditySweep: form(
      'a wick beyond the last confirmed level and a close back inside: 1 below a low, -1 above a high; how deep as a ratio of the level',
      { side: SIDE },
      catalog.liquiditySweep(3),
      'our word',
    ),
    barPattern: form(
      `TA-Lib’s integer, 100, 80, 0, -80 or -100, for ${PATTERN_NAMES.map((name) => `\`${name}\``).join(', ')}`,
      { name: 'which' },
      catalog.barPattern('hammer'),
      'Nison’s patterns; TA-Lib CDL*',
    ),
    pinBar: form(
      '1 for a bar that is mostly lower shadow, -1 for one that is mostly upper shadow',
      { shadowRatio: 'least part of the bar that the shadow takes' },
      catalog.pinBar(2 / 3),
      'our word',
    ),
  },
  'Of time and of other features': {
    barSpan: form('shortest time between two closes so far: how long a bar is, in milliseconds', {}, catalog.barSpan(), 'our word'),
    previous: form(
      'what it was one bar ago: a crossing compares two bars',
      { feature: 'which' },
      catalog.previous(catalog.sma(20)),
      'definition',
    ),
  },
};

/** The page of features. */
export function featuresPage(): string {
  return `${[
    '# Features',
    '',
    'Written from `src/features/features-reference.ts` by `node scripts/reference.ts`; a test holds this page to the code.',
    '',
    'A strategy declares features by these functions, which are exported by `ballast` as well as by `src/features/catalog.ts`. Each is one',
    'class that takes one bar at a time, in a live session as in a column over history (`src/features/catalog.ts#columns`), in a time that does',
    'not grow with its window (with the logarithm for `cci`), and whose state is saved and restored with the run. Windows count bars of the',
    'series that the feature is on; `on({ timeframeMs }, feature)` puts it on a higher timeframe, `on({ leg: 1 }, feature)` on the other leg of',
    'a pair.',
    '',
    'The warm-up is that of the parameters shown: `value` is NaN for one bar less, and never after. Other outputs may be known earlier; swing',
    'levels and an anchored price only once there is a level or a bar after the anchor. Where the source names a function of TA-Lib, it is',
    'seeded the same way and tested to agree to 1e-9 (where an oscillator crosses zero, to 1e-12 of its largest value), patterns exactly; what',
    'TA-Lib lacks is tested against other people’s code or a computation of its own from the paper (`test/golden/talib-golden.py`). One',
    'convention is ours: where nothing has moved yet, relative strength is 50 and not 0.',
    '',
    ...Object.entries(FEATURE_FORMS).flatMap(([group, forms]) => [
      `## ${group}`,
      '',
      '| feature | says | parameters | outputs | warm-up | source |',
      '|---|---|---|---|---|---|',
      ...Object.entries(forms).map(([name, feature]) => row(name, feature)),
      '',
    ]),
    '## All legs together',
    '',
    'Declared like the features above, and fed once a close that every leg has. `returnCorrelation(window)` is the correlation of the logarithmic',
    'returns of two legs (`value`) and the slope of the first on the second (`beta`). `catchUp(moveBars, aheadBars, window)` is the lead of the',
    'first leg over the second (`value`), what of a lead the second used to make up (`slope`), and how surely (`tStatistic`, corrected for',
    'overlap). `premium(window)` is how much dearer the first leg is (`value`) and its mean (`usual`).',
    '',
    '## Order flow',
    '',
    '`bookPressure({ smoothingMs, horizonMs, memoryMs })` is declared like the features above, on the book of a leg: the smoothed imbalance of ten',
    'levels (`imbalance`), what such a lean was followed by (`value`, the forecast log return of the mid over the horizon, by a regression that',
    'forgets; after Cont, Kukanov and Stoikov 2014), `slope`, `spreadRatio` and `mid`. It is fed by `book.changed`: in `ballast backtest --books`.',
    '',
    '`fundingPace(settlements)` lives on the settled funding rates of a leg (`fundingPaceOf(leg, settlements)` on another): their mean as a ratio a',
    'day, by the time that they took.',
    '',
    'The others are classes over plain numbers, for books and trades: they are fed directly and are not declared as features.',
    '',
    '| class | says | source |',
    '|---|---|---|',
    ...ORDER_FLOW.map(([place, says, source]) => `| \`${place}\` | ${says} | ${source} |`),
  ].join('\n')}\n`;
}

const ORDER_FLOW: readonly (readonly [place: string, says: string, source: string])[] = [
  ['src/features/order-flow/book.ts#bookImbalance', 'quantity bid less asked among both, down to a level, -1..1', 'definition'],
  ['src/features/order-flow/book.ts#microprice', 'the touch weighted by the other side’s quantity', 'Gatheral and Oomen 2010'],
  ['src/features/order-flow/trade-imbalance.ts#TradeImbalance', 'bought less sold among the last trades, -1..1', 'definition'],
  ['src/features/order-flow/kyle-lambda.ts#KyleLambda', 'price impact of a unit of signed flow, by regression', 'Kyle 1985'],
  ['src/features/order-flow/vpin.ts#Vpin', 'imbalance of volume buckets, 0..1', 'Easley, López de Prado and O’Hara 2012'],
];

function row(name: string, { about, parameters, usual, source }: FeatureForm): string {
  const names = Object.entries(parameters).map(([parameter, meaning]) => `\`${parameter}\`: ${meaning}`);
  const outputs = usual.outputs.map((output) => `\`${output}\``).join(', ');
  return `| \`${name}\` | ${about} | ${names.join('; ')} | ${outputs} | ${usual.warmup} for \`${usual.key}\` | ${source} |`;
}

function form(about: string, parameters: FeatureForm['parameters'], usual: FeatureForm['usual'], source: string): FeatureForm {
  return { about, parameters, usual, source };
}
