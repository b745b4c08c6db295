// A backtest through the public API: a strategy of your own beside a built-in one, on 60 days of the synthetic market, in memory.
import {
  amount,
  assemblePlan,
  DAY_MS,
  defaultConfig,
  Engine,
  formatTime,
  MINUTE_MS,
  parseParameters,
  run,
  SimulatedClock,
  SimulatedVenue,
  syntheticMarket,
  trend,
  warmupBars,
  type Recorder,
  type Strategy,
} from 'ballast';
import dipBuyer from './own-strategy.ts';

const config = defaultConfig();
const barMs = 15 * MINUTE_MS;
const from = Date.UTC(2026, 0, 1);
const until = from + 60 * DAY_MS;
const symbols = ['BTC/USDT:USDT', 'ETH/USDT:USDT', 'SOL/USDT:USDT'];
const chosen: readonly Strategy<unknown>[] = [dipBuyer, trend];

// Who trades what: by default every strategy has a sleeve of its own on every instrument, all with the same share of equity.
const plan = assemblePlan({
  config,
  instruments: syntheticMarket({ seed: 7, startAt: from, timeframeMs: barMs, assets: symbols }).instruments,
  baseTimeframeMs: barMs,
  strategies: chosen.map((strategy) => ({ strategy, parameters: parseParameters(strategy) })),
  capital: amount('10000'),
});

// The market begins as long before as every feature needs to be warm.
const market = syntheticMarket({
  seed: 7,
  startAt: from - warmupBars(plan) * barMs,
  from,
  timeframeMs: barMs,
  tradesPerBar: 0,
  assets: symbols,
});

const counts = new Map<string, number>();
const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
// Keeps nothing but counts. A journal would keep it all: `ballast backtest` does.
const recorder: Recorder = {
  market: () => count('market events'),
  entry: (entry) => count(entry.kind),
  commit: () => undefined,
};

const venue = new SimulatedVenue({
  instruments: plan.instruments,
  baseTimeframeMs: barMs,
  capital: plan.capital,
  slippageRatio: config.venue.slippageRatio,
  latencyMs: config.venue.latencyMs,
  maximumLeverage: config.venue.maximumLeverage,
  allowSpotShort: false,
  notBefore: () => engine.closedInstant + 1,
});

let nextDay = from;
const engine = new Engine({
  plan,
  recorder,
  venue,
  onBar: (at, equity) => {
    if (at < nextDay) return;
    nextDay += 10 * DAY_MS;
    console.log(`${formatTime(at).slice(0, 10)}  equity ${equity.toFixed(2)}`);
  },
});

const outcome = await run({
  engine,
  clock: new SimulatedClock(),
  sources: [venue, ...market.sources.map((source) => venue.watching(source))],
  until,
});

console.log(`\n${outcome}: equity ${engine.portfolio.equity.toFixed(2)} of 10000, halted: ${engine.account.halted}`);
for (const [what, times] of counts) console.log(`${String(times).padStart(8)}  ${what}`);
