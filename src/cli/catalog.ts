// Every command by name, each in a file of its own that is read when it is asked for: `ballast --help` needs no more than this page.
import type { AnyCommand } from './definition.ts';

export interface CatalogEntry {
  /** `data import` is two words. */
  readonly name: string;
  /** One line for `ballast --help`. */
  readonly summary: string;
  readonly load: () => Promise<AnyCommand>;
}

/** A first word that is no command by itself. */
export const groups: Readonly<Record<string, string>> = {
  data: 'history: download, collect, import, build, export, ls, check, prune',
  keys: 'the keys of a venue: check',
  pairs: 'prices that move together: scan, show',
  sweeps: 'results of sweeps: ls, show, compare',
};

export const catalog: readonly CatalogEntry[] = [
  {
    name: 'paper',
    summary: 'the main job (npm start): a session on the synthetic market or a feed, with simulated fills',
    load: async () => (await import('./commands/paper.ts')).paper,
  },
  {
    name: 'live',
    summary: 'real orders on Bybit: with a fit key, gates that are met, and a part of the capital',
    load: async () => (await import('./commands/live.ts')).live,
  },
  {
    name: 'keys check',
    summary: 'what the key of an account may do, and whether a live session would trade with it',
    load: async () => (await import('./commands/keys-check.ts')).keysCheck,
  },
  {
    name: 'backtest',
    summary: 'the same engine on stored bars, with a report under runs/',
    load: async () => (await import('./commands/backtest.ts')).backtest,
  },
  {
    name: 'data download',
    summary: 'bars from a real venue into the store: only what is missing',
    load: async () => (await import('./commands/data-download.ts')).dataDownload,
  },
  {
    name: 'data collect',
    summary: 'the same for everything that ballast.yaml lists, round after round',
    load: async () => (await import('./commands/data-collect.ts')).dataCollect,
  },
  {
    name: 'sweep',
    summary: 'many parameters of any strategy over the same stored bars, every trial counted',
    load: async () => (await import('./commands/sweep.ts')).sweep,
  },
  {
    name: 'sweeps ls',
    summary: 'the sweeps there are, with the best of each',
    load: async () => (await import('./commands/sweeps-ls.ts')).sweepsLs,
  },
  {
    name: 'sweeps show',
    summary: 'the best rows of a finished sweep, filtered',
    load: async () => (await import('./commands/sweeps-show.ts')).sweepsShow,
  },
  {
    name: 'sweeps compare',
    summary: 'sweeps side by side, and whether the ranks of the first hold in the others',
    load: async () => (await import('./commands/sweeps-compare.ts')).sweepsCompare,
  },
  {
    name: 'data import',
    summary: 'bars, trades, books, funding, metrics and more from files into the store',
    load: async () => (await import('./commands/data-import.ts')).dataImport,
  },
  {
    name: 'data build',
    summary: 'bars of any length out of stored trades',
    load: async () => (await import('./commands/data-build.ts')).dataBuild,
  },
  {
    name: 'data export',
    summary: 'any of it from the store as CSV',
    load: async () => (await import('./commands/data-export.ts')).dataExport,
  },
  {
    name: 'data ls',
    summary: 'what is stored, from when to when',
    load: async () => (await import('./commands/data-ls.ts')).dataLs,
  },
  {
    name: 'data check',
    summary: 'holes, spikes, broken books and other flaws of what is stored, with a quality for each series',
    load: async () => (await import('./commands/data-check.ts')).dataCheck,
  },
  {
    name: 'data prune',
    summary: 'removes what is older than you keep',
    load: async () => (await import('./commands/data-prune.ts')).dataPrune,
  },
  {
    name: 'replay',
    summary: 'runs a journal again and proves the same decisions and the same state hash',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  {
    name: 'validate',
    summary: 'every test of whether a backtest is worth believing, and a verdict in plain words',
    load: async () => (await import('./commands/validate.ts')).validate,
  },
  {
    name: 'walkforward',
    summary: 'parameters chosen on one window and traded on the next, over and over',
    load: async () => (await import('./commands/walkforward.ts')).walkforward,
  },
  {
    name: 'stress',
    summary: 'a backtest in crises that were and shocks that may come, against holding',
    load: async () => (await import('./commands/stress.ts')).stress,
  },
  {
    name: 'montecarlo',
    summary: 'other histories of a backtest: percentiles of final equity, drawdown and Sharpe ratio',
    load: async () => (await import('./commands/montecarlo.ts')).montecarlo,
  },
  {
    name: 'pairs scan',
    summary: 'which pairs of stored prices are cointegrated, with the share of luck among them',
    load: async () => (await import('./commands/pairs-scan.ts')).pairsScan,
  },
  {
    name: 'pairs show',
    summary: 'the spread of a pair and its z-score, drawn',
    load: async () => (await import('./commands/pairs-show.ts')).pairsShow,
  },
  {
    name: 'diff',
    summary: 'two runs order by order: what differs, why, and a score of parity',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'lookahead',
    summary: 'whether a strategy, features or columns know what they cannot know yet',
    load: async () => (await import('./commands/lookahead.ts')).lookahead,
  },
  {
    name: 'simulate',
    summary: 'a session of live trading in which everything goes wrong by a seed, and whether what must hold does',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  {
    name: 'simulate-venue',
    summary: 'the simulated venue over Bybit’s protocol, for ccxt, bybit-api and any other client',
    load: async () => (await import('./commands/simulate-venue.ts')).simulateVenue,
  },
  {
    name: 'status',
    summary: 'what a running session holds and does',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'halt',
    summary: 'stops all trading and closes everything; latched until resume, also over a restart',
    load: async () => (await import('./commands/halt.ts')).halt,
  },
  {
    name: 'resume',
    summary: 'releases a halt',
    load: async () => (await import('./commands/resume.ts')).resume,
  },
  {
    name: 'flatten',
    summary: 'closes every position; the session goes on',
    load: async () => (await import('./commands/flatten.ts')).flatten,
  },
  {
    name: 'close',
    summary: 'closes the position of one sleeve; the session goes on',
    load: async () => (await import('./commands/close.ts')).close,
  },
  {
    name: 'strategies',
    summary: 'the strategies there are, with their parameters',
    load: async () => (await import('./commands/strategies.ts')).strategies,
  },
  {
    name: 'doctor',
    summary: 'whether this machine has what Ballast needs',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
];
