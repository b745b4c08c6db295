// `npm run desk:pairs`: what the strategies on several legs made of four years of real hours, as the table of the guide to pairs. A few
// minutes.
//
// Costs are 0.06 % fee and 0.05 % slippage a fill, spot may be sold short and what is borrowed bears no interest; parameters, rules and sizing
// are the defaults but for what a row names. The last rows pay neither fee nor slippage: what there is before costs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBacktest } from '../src/app/backtest.ts';
import { fakeTerminal } from '../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../src/cli/program.ts';
import { HOUR_MS } from '../src/domain/time.ts';
import { fixed, percent } from '../src/domain/words.ts';
import type { ReportDocument } from '../src/views/report.ts';
import { orUnknown, table } from '../src/views/text.ts';
import { absence, sharedPath } from '../test/support/needs.ts';

const CAPITAL = 10_000;
const COSTS = { feeRate: 0.0006, slippageRatio: 0.0005 } as const;
const COINS = ['BTC', 'ETH', 'LTC', 'XRP', 'ADA', 'LINK', 'DOGE', 'SOL'].map((coin) => `${coin}/USDT`);
/** The earlier in the list first. */
const ALL_PAIRS = COINS.flatMap((one, place) => COINS.slice(place + 1).map((other) => [one, other]));

const YEARS = [
  // The weeks of Tadi and Witzany (2025).
  { name: '2021-22', fromMs: Date.UTC(2021, 0, 22), toMs: Date.UTC(2023, 0, 20) },
  { name: '2023-24', fromMs: Date.UTC(2023, 0, 1), toMs: Date.UTC(2025, 0, 1) },
] as const;

interface Subject {
  readonly name: string;
  readonly symbols: readonly string[];
  /** Absent where all symbols are one subject. */
  readonly pairs?: readonly (readonly string[])[];
}

interface Row {
  readonly strategy: string;
  readonly subject: Subject;
  readonly parameters?: string;
  readonly isFree?: boolean;
}

const TWO: Subject = { name: 'LTC, ETH', symbols: ['LTC/USDT', 'ETH/USDT'] };
const PAIRS: Subject = { name: '28 pairs', symbols: COINS, pairs: ALL_PAIRS };
const EIGHT: Subject = { name: 'eight coins', symbols: COINS };

const ROWS: readonly Row[] = [
  { strategy: 'pairs', subject: TWO },
  { strategy: 'pairs', subject: PAIRS },
  { strategy: 'pairs', subject: PAIRS, parameters: 'hedge=kalman' },
  { strategy: 'dynamic-pairs', subject: PAIRS },
  { strategy: 'basket', subject: { name: 'BTC, ETH, LTC', symbols: COINS.slice(0, 3) } },
  { strategy: 'basket', subject: { name: 'six coins, BTC to LINK', symbols: COINS.slice(0, 6) } },
  { strategy: 'distance-pairs', subject: EIGHT },
  { strategy: 'copula-pairs', subject: EIGHT },
  { strategy: 'copula-pairs', subject: EIGHT, parameters: 'test=kss' },
  { strategy: 'copula-pairs', subject: EIGHT, parameters: 'pValue=1' },
  { strategy: 'dynamic-pairs', subject: PAIRS, isFree: true },
  { strategy: 'pairs', subject: PAIRS, isFree: true },
];

const missing = absence('shared data', process.env);
if (missing !== false) {
  console.error(missing);
  process.exit(1);
}
const startedAt = performance.now();
const home = mkdtempSync(join(tmpdir(), 'ballast-desk-pairs-'));
try {
  for (const symbol of COINS) await importHours(symbol);
  const rows: string[][] = [];
  let stopped = 0;
  for (const row of ROWS) {
    for (const years of YEARS) {
      const document = await runOf(row, years);
      rows.push(rowOf(row, years.name, document));
      const ofLegs = document.pairs.flatMap(({ trades }) => trades).filter(({ exit }) => exit === 'disaster stop');
      if (row.isFree !== true) stopped += ofLegs.length;
      process.stderr.write(`${row.strategy} ${row.subject.name} ${years.name}\n`);
    }
  }
  console.log(
    table(['strategy', 'parameters', 'subjects', 'years', 'rounds', 'won', 'return', 'Sharpe', 'deepest fall', 'fees and slippage'], rows),
  );
  console.log(`\nrounds that the disaster stop of a leg ended: ${stopped}`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);

/** By the command line, as anybody would. */
async function importHours(symbol: string): Promise<void> {
  const terminal = fakeTerminal({ BALLAST_HOME: home });
  const file = sharedPath(`data/2_intraday/1h_spot/${symbol.replace('/', '')}_1h.csv.gz`);
  const words = ['data', 'import', file, '--venue', 'binance', '--symbol', symbol, '--timeframe', '1h'];
  if ((await runCommandLine(words, terminal)) !== 0) throw new Error(`ballast ${words.join(' ')}: ${terminal.stderr.text()}`);
}

function runOf({ strategy, subject, parameters, isFree }: Row, { fromMs, toMs }: (typeof YEARS)[number]): Promise<ReportDocument> {
  const { symbols, pairs } = subject;
  const costs = isFree === true ? { feeRate: 0, slippageRatio: 0 } : COSTS;
  const range = { timeframeMs: HOUR_MS, fromMs, toMs, warmup: 'auto', seed: 1 } as const;
  const account = { capital: String(CAPITAL), noRisk: false, allowSpotShort: true, ...costs };
  return runBacktest({ home, strategy, parameters, symbols, ...(pairs !== undefined && { pairs }), ...range, ...account });
}

function rowOf({ strategy, subject, parameters, isFree }: Row, years: string, { metrics, attribution }: ReportDocument): string[] {
  let [fees, won] = [0, 0];
  for (const sleeve of attribution.sleeves) {
    fees += Number(sleeve.fees);
    won += sleeve.wins;
  }
  // Slippage as it was charged, in its ratio to the fee; what a fill missed of the price that was decided on is the market's.
  const costs = fees * (1 + COSTS.slippageRatio / COSTS.feeRate);
  return [
    strategy,
    [parameters ?? '', isFree === true ? 'no costs' : ''].filter((each) => each !== '').join(', '),
    subject.name,
    years,
    String(metrics.trades),
    metrics.trades === 0 ? 'N/A' : `${fixed((100 * won) / metrics.trades, 0)} %`,
    percent(metrics.totalReturn),
    orUnknown(metrics.sharpe, (value) => fixed(value, 2)),
    percent(metrics.maxDrawdown),
    percent(costs / CAPITAL),
  ];
}
