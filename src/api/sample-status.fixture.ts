// A session's state for tests of what shows it.
import type { RunHandle, RunStatus } from '../app/run-handle.ts';

export const sampleStatus: RunStatus = {
  runId: 'paper-1',
  state: 'running',
  haltCause: '',
  at: '2026-02-01T12:00:00Z',
  atMs: Date.UTC(2026, 1, 1, 12),
  startedAtMs: Date.UTC(2026, 10, 20),
  symbols: ['BTC/USDT:USDT', 'ETH/USDT:USDT'],
  strategies: ['trend'],
  capital: '10000',
  transferred: '0',
  basisEquity: 10_000,
  equity: 10_251,
  cash: '7400.25',
  peakEquity: 10_400,
  drawdownRatio: 0.0144,
  dayLossRatio: 0.002,
  feesPaid: '12.34',
  fundingPaid: '-1.5',
  closedTrades: 7,
  winningTrades: 3,
  stopOuts: 2,
  rulings: { 'position-limit': 4 },
  alerts: [{ at: '2026-02-01T11:00:00Z', rule: 'daily-loss', why: 'lost 4 % today' }],
  positions: [
    {
      sleeve: 'trend BTC/USDT:USDT',
      symbol: 'BTC/USDT:USDT',
      quantity: '0.041',
      entryPrice: 60_525.1,
      mark: 60_682.8,
      unrealisedPnl: 6.47,
      stopPrice: 59_800,
      stopRestsAt: 'venue',
    },
    {
      sleeve: 'pair BTC/USDT:USDT ETH/USDT:USDT',
      symbol: 'ETH/USDT:USDT',
      quantity: '-1.2',
      entryPrice: 3_000,
      mark: NaN,
      unrealisedPnl: NaN,
      stopPrice: null,
      stopRestsAt: 'engine',
    },
  ],
  openOrders: 2,
  events: 134_687,
  eventsPerSecond: 905,
  loopLagMs: 31,
  latency: null,
  staleSymbols: [],
  suspendedMinds: [],
  minutes: [{ at: '2026-02-01T11:45:00Z', words: 'trend BTC/USDT:USDT: from flat to long 1.00.' }],
  equityCurve: [
    [Date.UTC(2026, 1, 1), 10_000],
    [Date.UTC(2026, 1, 1, 6), 10_400],
    [Date.UTC(2026, 1, 1, 12), 10_251],
  ],
  folder: 'runs/paper-1',
  pid: 4_242,
};

export interface FakeHandle extends RunHandle {
  /** `command argument by`, in order. */
  readonly said: readonly string[];
}

/** A session that obeys everything but what `refusal` says of it. */
export function fakeHandle(changes: Partial<RunStatus> = {}, refusal?: Error): FakeHandle {
  const said: string[] = [];
  return {
    said,
    status: () => ({ ...sampleStatus, ...changes }),
    command: async (command, argument, by) => {
      if (refusal !== undefined) throw refusal;
      said.push(`${command} ${argument} ${by}`);
    },
    stop: () => undefined,
  };
}
