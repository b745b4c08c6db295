// Trades of sleeves with several legs, as one: what all legs made together, from the first fill to the last, and how stretched the spread was.
import { add, ZERO_AMOUNT, type Amount } from '../domain/decimal.ts';
import type { TimeMs } from '../domain/time.ts';
import type { ClosedTrade, ExitKind, TradeLedger } from './trades.ts';

/** A round trip: every leg from flat to flat. */
export interface PairTrip {
  readonly round: number;
  /** Of the pair: of its first leg, in the order of the subject. */
  readonly side: 'long' | 'short';
  readonly openedAt: TimeMs;
  readonly closedAt: TimeMs;
  /** Of all legs, net of fees and funding. */
  readonly pnl: Amount;
  readonly fees: Amount;
  /** Received less paid. */
  readonly funding: Amount;
  /** NaN where prices were not told. */
  readonly slippage: number;
  /** What ended the leg that closed last. */
  readonly exit: ExitKind;
  /** Of the decision that opened it, and of the one that ended it; NaN where none did, or no reason named it. */
  readonly entryZScore: number;
  readonly exitZScore: number;
  /** In the order of the subject. */
  readonly legs: readonly ClosedTrade[];
}

export interface PairHistory {
  readonly sleeve: string;
  readonly symbols: readonly string[];
  /** In the order in which they closed; a round with a leg still open is none. */
  readonly trips: readonly PairTrip[];
}

/** By sleeve with several legs. */
export function pairHistories(ledger: TradeLedger): readonly PairHistory[] {
  const pairs = ledger.sleeves.flatMap((sleeve, index) => (sleeve.instruments.length > 1 ? [{ sleeve, index }] : []));
  if (pairs.length === 0) return [];
  const open = new Set(ledger.openTrades().map(({ sleeve, round }) => `${sleeve}\n${round}`));
  const closed = new Map<string, ClosedTrade[]>(pairs.map(({ sleeve }) => [sleeve.name, []]));
  for (const trade of ledger.trades()) closed.get(trade.sleeve)?.push(trade);
  return pairs.map(({ sleeve: { name, instruments }, index }) => {
    const rounds = new Map<number, ClosedTrade[]>();
    for (const trade of closed.get(name) ?? []) {
      if (open.has(`${name}\n${trade.round}`)) continue;
      const legs = rounds.get(trade.round) ?? [];
      // Deleted first, so that it stands where its last leg closed.
      rounds.delete(trade.round);
      rounds.set(trade.round, [...legs, trade]);
    }
    return {
      sleeve: name,
      symbols: instruments.map((instrument) => ledger.instruments[instrument]?.symbol ?? ''),
      trips: Array.from(rounds, ([round, legs]) => tripOf(ledger, index, instruments, round, legs)),
    };
  });
}

function tripOf(
  ledger: TradeLedger,
  sleeve: number,
  instruments: readonly number[],
  round: number,
  closed: readonly ClosedTrade[],
): PairTrip {
  const legs = closed.toSorted((left, right) => instruments.indexOf(left.instrument) - instruments.indexOf(right.instrument));
  const sumOf = (of: (trade: ClosedTrade) => Amount): Amount => legs.reduce((sum, trade) => add(sum, of(trade)), ZERO_AMOUNT);
  return {
    round,
    side: legs[0]?.side ?? 'long',
    openedAt: Math.min(...legs.map(({ openedAt }) => openedAt)),
    closedAt: Math.max(...legs.map(({ closedAt }) => closedAt)),
    pnl: sumOf(({ pnl }) => pnl),
    fees: sumOf(({ fees }) => fees),
    funding: sumOf(({ funding }) => funding),
    slippage: legs.reduce((sum, { slippage }) => sum + slippage, 0),
    exit: closed.at(-1)?.exit ?? 'opinion',
    ...ledger.zScoresOf(sleeve, round),
    legs,
  };
}
