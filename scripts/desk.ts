// `npm run desk`: every built-in strategy over real bars with real costs, and what each is worth, as one table. A few minutes.
//
// The bars are those of the shared data. Costs are 0.06 % fee and 0.05 % slippage a fill, spot may be sold short, parameters are the
// defaults (but for what a timeframe demands), rules and sizing are those of the config. Perpetuals pay the funding that
// was settled. Nothing is chosen by its result. Every run is a
// trial of the same ledger, so the verdicts know how many were tried.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBacktest, type BacktestRequest } from '../src/app/backtest.ts';
import { runPaper } from '../src/app/paper.ts';
import { replayRun } from '../src/app/replay.ts';
import { validateRun } from '../src/app/validation.ts';
import { fakeTerminal } from '../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../src/cli/program.ts';
import { BallastError } from '../src/domain/errors.ts';
import { isOnBooks, isOnFunding } from '../src/domain/feature.ts';
import { forecaster, legRange, type Strategy } from '../src/domain/strategy.ts';
import { DAY_MS, formatSpan, HOUR_MS, parseTime, SECOND_MS, type TimeMs } from '../src/domain/time.ts';
import { fixed, percent } from '../src/domain/words.ts';
import { strategies } from '../src/forecasts/strategies/index.ts';
import type { ValidationVerdict } from '../src/lab/validate/validation-verdict.ts';
import { openStore } from '../src/market/history/store.ts';
import { MINIMUM_EDGE } from '../src/risk/rules/minimum-edge.ts';
import { ExpandingRegression } from '../src/quant/rolling-regression.ts';
import { mean, variance } from '../src/quant/statistics.ts';
import type { ReportDocument } from '../src/views/report.ts';
import { orUnknown, table } from '../src/views/text.ts';
import { absence, sharedPath } from '../test/support/needs.ts';

const COSTS = { feeRate: 0.0006, slippageRatio: 0.0005 } as const;
const DAYS_A_YEAR = 365;
/** What has not begun by then is left out, and said to be. */
const TIME_LIMIT_MS = 20 * 60_000;

const TO = Date.UTC(2025, 0, 1);
const COINS = ['ADA', 'BNB', 'BTC', 'DOGE', 'ETH', 'LINK', 'LTC', 'SOL', 'XRP'] as const;

interface Market {
  readonly timeframeMs: TimeMs;
  readonly fromMs: TimeMs;
}

const HOURLY: Market = { timeframeMs: HOUR_MS, fromMs: Date.UTC(2022, 0, 1) };
const DAILY: Market = { timeframeMs: DAY_MS, fromMs: Date.UTC(2019, 0, 1) };
/** Six minutes of books and trades: all that there is of one perpetual without a gap. */
const CAPTURE: Market = { timeframeMs: SECOND_MS, fromMs: Date.UTC(2024, 7, 8) };

const PERPETUAL = 'BTC/USDT:USDT';
const SPOT = ['BTC/USDT', 'ETH/USDT', 'LTC/USDT', 'XRP/USDT', 'ADA/USDT'] as const;
/** One asset at two markets, for what trades the difference; everything else takes SPOT in its order. */
const TWO_VENUES: readonly (readonly string[])[] = [
  ['BTC/USDT:USDT', 'BTC/USDT'],
  ['ETH/USDT:USDT', 'ETH/USDT'],
];

/** What the length of a bar demands, and no more: windows that are meant in days, a longer timeframe than the bars'. */
function parametersOn(name: string, { timeframeMs }: Market): string | undefined {
  if (name === 'donchian-ensemble' && timeframeMs === HOUR_MS) return 'barsPerDay=24';
  if (name === 'correlation-divergence' && timeframeMs === DAY_MS) return 'longer=7d';
  return undefined;
}

/** What a strategy can be asked about in a market, by what its features live on. */
function subjectsOf(strategy: Strategy<unknown>, market: Market): readonly (readonly string[])[] {
  const features = Object.values(forecaster(strategy, strategy.parameters.parse({})).features);
  if (features.some(isOnBooks) || market === CAPTURE) return features.some(isOnBooks) && market === CAPTURE ? [[PERPETUAL]] : [];
  if (features.some(isOnFunding)) return market === HOURLY ? TWO_VENUES.map((legs) => legs.toReversed()) : [];
  if (strategy.name === 'cross-venue-arbitrage') return market === HOURLY ? TWO_VENUES : [];
  const { least } = legRange(strategy);
  if (least === 1) return [SPOT.slice(0, 1), SPOT.slice(1, 2)];
  return [SPOT.slice(0, least)];
}

/** Sessions on the synthetic market for what lives on books: a day each, by seed and symbol. */
const MADE: readonly (readonly [seed: number, symbol: string])[] = [
  [1, 'BTC/USDT:USDT'],
  [1, 'ETH/USDT:USDT'],
  [2, 'BTC/USDT:USDT'],
  [2, 'ETH/USDT:USDT'],
];
const MADE_BARS = 1_440;

const WORDS: Readonly<Record<ValidationVerdict['kind'], string>> = {
  nothing: 'never traded',
  'no-edge': 'no edge after costs',
  luck: 'no more than luck',
  fragile: 'fragile',
  stands: 'nothing speaks against it',
};

const missing = absence('shared data', process.env);
if (missing !== false) {
  console.error(missing);
  process.exit(1);
}
const startedAt = performance.now();
const home = mkdtempSync(join(tmpdir(), 'ballast-desk-'));
try {
  await importAll();
  await printTable();
  await printOnBooks();
  await printPublished();
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`\n${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);

/** By the command line, as anybody would. */
async function command(...words: readonly string[]): Promise<void> {
  const terminal = fakeTerminal({ BALLAST_HOME: home });
  const exitCode = await runCommandLine(words, terminal);
  if (exitCode !== 0) throw new Error(`ballast ${words.join(' ')}: ${terminal.stderr.text()}`);
}

async function importAll(): Promise<void> {
  const bring = (file: string, symbol: string, ...more: readonly string[]): Promise<void> =>
    command('data', 'import', sharedPath(file), '--venue', 'binance', '--symbol', symbol, ...more);
  const plain = (symbol: string): string => symbol.replace(/[/]|:.*/g, '');
  for (const symbol of SPOT) await bring(`data/2_intraday/1h_spot/${plain(symbol)}_1h.csv.gz`, symbol, '--timeframe', '1h');
  for (const coin of COINS) await bring(`data/1_daily/ohlcv/${coin}USDT_1d.csv.gz`, `${coin}/USDT`, '--timeframe', '1d');
  for (const [symbol = ''] of TWO_VENUES) {
    await bring(`data/2_intraday/1h_perp/${plain(symbol)}_perp_1h.csv.gz`, symbol, '--timeframe', '1h');
    await bring(`data/4_funding_oi_fng/${plain(symbol)}_funding_8h.csv.gz`, symbol, '--kind', 'funding');
  }
  const capture = ['book_snapshot', 'book_deltas', 'book_ticker', 'trades'].map((kind) =>
    sharedPath(`data/3_tick/binance_usdm_BTCUSDT_2024-08-08_${kind}.csv.gz`),
  );
  await command('data', 'import', ...capture, '--format', 'capture', '--venue', 'binance', '--symbol', PERPETUAL);
  await command('data', 'build', '--symbols', PERPETUAL, '--timeframe', '1s');
}

function request(strategy: string, symbols: readonly string[], { timeframeMs, fromMs }: Market): BacktestRequest {
  const common = { home, strategy, symbols, timeframeMs, fromMs, toMs: TO, capital: '10000', ...COSTS };
  return { ...common, noRisk: false, warmup: 'auto', seed: 1, allowSpotShort: true };
}

async function printTable(): Promise<void> {
  const rows: string[][] = [];
  const late: string[] = [];
  for (const strategy of strategies) {
    for (const market of [HOURLY, DAILY, CAPTURE]) {
      for (const symbols of subjectsOf(strategy, market)) {
        if (performance.now() - startedAt > TIME_LIMIT_MS) {
          late.push(`${strategy.name} ${symbols.join(' ')} ${formatSpan(market.timeframeMs)}`);
          continue;
        }
        const parameters = parametersOn(strategy.name, market);
        const document = await runBacktest({ ...request(strategy.name, symbols, market), parameters, books: market === CAPTURE });
        rows.push(rowOf(strategy.name, symbols, market, document, await verdictOn(document.runId)));
        process.stderr.write(`${strategy.name} ${symbols.join(' ')} ${formatSpan(market.timeframeMs)}\n`);
      }
    }
  }
  console.log(table(['strategy', 'symbols', 'bars', 'from', 'trades', 'return', 'Sharpe', 'drawdown', 't', 'held', 'verdict'], rows));
  if (late.length > 0) {
    console.log(`\nout of time, and so not here: ${late.join(', ')}`);
    process.exitCode = 1;
  }
}

async function verdictOn(runId: string): Promise<string> {
  try {
    return WORDS[(await validateRun({ home, runId, seed: 1, drawdownLimit: 0.3 })).verdict.kind];
  } catch (refusal) {
    if (refusal instanceof BallastError && refusal.code === 'REPORT_SHORT') return 'too short for a verdict';
    throw refusal;
  }
}

function rowOf(name: string, symbols: readonly string[], market: Market, { metrics, haltedAt }: ReportDocument, verdict: string): string[] {
  const halted = haltedAt[0] === undefined ? '' : `; halted ${String(haltedAt[0]).slice(0, 10)}`;
  return [
    name,
    symbols.join(' '),
    formatSpan(market.timeframeMs),
    new Date(market.fromMs).toISOString().slice(0, 10),
    String(metrics.trades),
    percent(metrics.totalReturn),
    // A year's figure of a few minutes has no meaning.
    market === CAPTURE ? 'N/A' : orUnknown(metrics.sharpe, (value) => fixed(value, 2)),
    percent(metrics.maxDrawdown),
    orUnknown(metrics.returnTStatistic, (value) => fixed(value, 2)),
    orUnknown(metrics.buyAndHoldReturn, percent),
    `${verdict}${halted}`,
  ];
}

/** With the rule of edge and without it: what it refuses, and what that would have cost. */
async function printOnBooks(): Promise<void> {
  const rows: string[][] = [];
  for (const strategy of strategies) {
    const isLivingOnBooks = Object.values(forecaster(strategy, strategy.parameters.parse({})).features).some(isOnBooks);
    if (!isLivingOnBooks) continue;
    for (const edgeMultiple of [undefined, 0]) {
      const configFile = join(home, 'edge.yaml');
      writeFileSync(configFile, edgeMultiple === undefined ? '{}\n' : `risk: { edgeMultiple: ${edgeMultiple} }\n`);
      const rule = edgeMultiple === undefined ? 'yes' : 'no';
      rows.push(await capturedRow(strategy.name, configFile, rule));
      for (const [seed, symbol] of MADE) rows.push(await madeRow(strategy.name, seed, symbol, configFile, rule));
    }
  }
  const header = ['strategy', 'market', 'symbol', 'rule of edge', 'refused by it', 'orders', 'trades', 'net', 'fees'];
  console.log(`\nOn books: six minutes of a capture, and days of the synthetic market\n`);
  console.log(table(header, rows));
}

async function capturedRow(strategy: string, configFile: string, rule: string): Promise<string[]> {
  const document = await runBacktest({ ...request(strategy, [PERPETUAL], CAPTURE), configFile, books: true });
  const { metrics, rulings, entries, fills } = document;
  const fees = fills.reduce((sum, { fee }) => sum + Number(fee), 0);
  const counts = [rulings[MINIMUM_EDGE] ?? 0, entries['order.intended'] ?? 0, metrics.trades].map(String);
  return [strategy, 'capture', PERPETUAL, rule, ...counts, percent(metrics.totalReturn), fixed(fees, 2)];
}

async function madeRow(strategy: string, seed: number, symbol: string, configFile: string, rule: string): Promise<string[]> {
  const session = await runPaper({
    home,
    configFile,
    strategies: [strategy],
    symbols: [symbol],
    seed,
    speed: Infinity,
    untilBars: MADE_BARS,
    capital: '10000',
    fresh: true,
    signal: new AbortController().signal,
  });
  const { rulings, closedTrades, equity, capital, feesPaid } = session.status;
  const { orders } = await replayRun({ home, runId: session.runId });
  const counts = [rulings[MINIMUM_EDGE] ?? 0, orders, closedTrades].map(String);
  process.stderr.write(`${strategy} ${symbol} synthetic, seed ${seed}\n`);
  return [strategy, `synthetic, seed ${seed}`, symbol, rule, ...counts, percent(equity / Number(capital) - 1), fixed(Number(feesPaid), 2)];
}

/** The figures that Zarattini, Pagani and Barbon (2025) give for their portfolio, beside what the same rule makes of the coins at hand. */
async function printPublished(): Promise<void> {
  const held = await dailyCloses('BTC/USDT');
  const btc = await donchian(['BTC/USDT']);
  const nine = await donchian(COINS.map((coin) => `${coin}/USDT`));
  const [from, to] = [DAILY.fromMs, TO].map((at) => new Date(at).toISOString().slice(0, 10));
  console.log(`\nThe Donchian ensemble against its paper, ${from} to ${to}: equity is what the stance says, no rules of risk, long only\n`);
  const header = ['', 'Sharpe', 'Sortino', 'drawdown', 'return a year', 'alpha a year', 't of alpha', 'beta'];
  const paper = ['the paper: top 20, 2015 to 2025, delisted coins too', 'above 1.5', '2.03', '19 %', '', '10.8 %', '', ''];
  console.log(
    table(header, [
      paper,
      publishedRow('here: BTC alone', btc, held),
      publishedRow('here: nine coins that are still known, a ninth each', nine, held),
      heldRow('BTC bought and held', held),
    ]),
  );
}

/** Whole days, by when they closed. */
type Closes = ReadonlyMap<TimeMs, number>;

async function dailyCloses(symbol: string): Promise<Closes> {
  const store = await openStore(home);
  try {
    const bars = await store.load({ venue: 'binance', symbol, timeframeMs: DAY_MS, fromMs: DAILY.fromMs - DAY_MS, toMs: TO });
    return new Map(Array.from(bars.openAt, (openAt, row) => [openAt + DAY_MS, bars.close[row] ?? NaN]));
  } finally {
    await store.close();
  }
}

async function donchian(symbols: readonly string[]): Promise<ReportDocument> {
  const configFile = join(home, 'whole.yaml');
  // The stance is the weight; what moves by less than a fiftieth of equity is not traded.
  writeFileSync(configFile, 'sizing: fixed\nrisk: { fixedRatio: 1 }\ndecision: { stanceStep: 0.02 }\n');
  return runBacktest({ ...request('donchian-ensemble', symbols, DAILY), configFile, allowSpotShort: false, noRisk: true });
}

function publishedRow(name: string, { metrics, equity, capital }: ReportDocument, held: Closes): string[] {
  const line = new ExpandingRegression();
  let before = Number(capital);
  for (const [at, value] of equity) {
    // A bar is known a millisecond after its close at most.
    const day = Math.round(parseTime(at, 'report') / DAY_MS) * DAY_MS;
    line.push(returnOf(held.get(day - DAY_MS), held.get(day)), value / before - 1);
    before = value;
  }
  const { slope, intercept, interceptError } = line.line;
  return [
    name,
    orUnknown(metrics.sharpe, (value) => fixed(value, 2)),
    orUnknown(metrics.sortino, (value) => fixed(value, 2)),
    percent(metrics.maxDrawdown),
    orUnknown(metrics.annualReturn, percent),
    percent(intercept * DAYS_A_YEAR),
    fixed(intercept / interceptError, 2),
    fixed(slope, 2),
  ];
}

function heldRow(name: string, held: Closes): string[] {
  const closes = [...held.values()];
  const returns = closes.slice(1).map((close, index) => returnOf(closes[index], close));
  const average = mean(returns);
  const downside = Math.sqrt(mean(returns.map((each) => Math.min(each, 0) ** 2)));
  let [peak, drawdown] = [0, 0];
  for (const close of closes) {
    peak = Math.max(peak, close);
    drawdown = Math.max(drawdown, 1 - close / peak);
  }
  const root = Math.sqrt(DAYS_A_YEAR);
  const yearly = ((closes.at(-1) ?? NaN) / (closes[0] ?? NaN)) ** (DAYS_A_YEAR / returns.length) - 1;
  const figures = [(average / Math.sqrt(variance(returns))) * root, (average / downside) * root];
  return [name, ...figures.map((value) => fixed(value, 2)), percent(drawdown), percent(yearly), '', '', '1.00'];
}

function returnOf(before: number | undefined, after: number | undefined): number {
  return (after ?? NaN) / (before ?? NaN) - 1;
}
