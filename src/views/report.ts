// A run as a document, and the document as text for a terminal. The text is made from the document alone, so that a stored one reads the same.
import { format, toNumber, type Amount } from '../domain/decimal.ts';
import { formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import type { EquityRecorder } from './equity.ts';
import { metrics, roundTrips, type Marks, type Metrics } from './metrics.ts';
import { returnRatio, type StopsPlace, type TradeLedger } from './trades.ts';

/** Times are ISO-8601 UTC, or integer milliseconds in names that end in `Ms`. Exact numbers are strings, estimates are numbers. */
export interface ReportDocument {
  readonly runId: string;
  readonly stateHash: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly capital: string;
  readonly currency: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly allowSpotShort: boolean;
  /** By sleeve: where its protective stops were. */
  readonly stops: Readonly<Record<string, StopsPlace>>;
  readonly metrics: Metrics;
  /** What the figures say, in words. */
  readonly verdict: readonly string[];
  readonly warnings: readonly string[];
  readonly trades: readonly TradeRow[];
  readonly openPositions: readonly OpenRow[];
  readonly fills: readonly FillRow[];
  readonly funding: readonly FundingRow[];
  readonly equity: readonly (readonly [string, number])[];
  readonly rulings: Readonly<Record<string, number>>;
  readonly alerts: Readonly<Record<string, number>>;
  readonly halts: readonly string[];
  /** By kind of journal entry. */
  readonly entries: Readonly<Record<string, number>>;
}

export interface TradeRow {
  readonly sleeve: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly round: number;
  readonly openedAt: string;
  readonly closedAt: string;
  readonly heldMs: number;
  readonly entryPrice: string;
  readonly exitPrice: string;
  readonly quantity: string;
  readonly pnl: string;
  readonly fees: string;
  readonly funding: string;
  readonly returnRatio: number;
  readonly exit: string;
}

export interface OpenRow {
  readonly sleeve: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly openedAt: string;
  readonly entryPrice: string;
  /** Signed. */
  readonly quantity: string;
  readonly fees: string;
  readonly funding: string;
  readonly lastPrice: number | null;
  /** At the last price, net of fees and funding so far. */
  readonly pnl: number | null;
}

export interface FillRow {
  readonly at: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly feeCurrency: string;
}

export interface FundingRow {
  readonly at: string;
  readonly symbol: string;
  readonly amount: string;
}

export interface ReportParts {
  readonly runId: string;
  readonly stateHash: string;
  /** What was run, as it was asked for; printed by `strategy` where it has one. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly symbols: readonly string[];
  /** Of the bars that were marked. */
  readonly timeframeMs: TimeMs;
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly capital: Amount;
  readonly currency: string;
  readonly allowSpotShort: boolean;
  readonly equity: EquityRecorder;
  readonly ledger: TradeLedger;
  /** By instrument: open of the first bar of the range, close of the last. */
  readonly marks: readonly Marks[];
  /** What the run itself has to say: gaps in the data, a card that was ignored. */
  readonly warnings?: readonly string[];
}

/** Fewer closed trades than this say nothing about the next one. */
const FEW_TRADES = 30;

export function report(parts: ReportParts): ReportDocument {
  const { ledger, equity, from, to, timeframeMs, marks } = parts;
  const figures = metrics({ equity: equity.summary(), ledger, timeframeMs, from, to, marks });
  return {
    runId: parts.runId,
    stateHash: parts.stateHash,
    symbols: parts.symbols,
    timeframe: formatSpan(timeframeMs),
    from: formatTime(from),
    to: formatTime(to),
    capital: format(parts.capital),
    currency: parts.currency,
    config: parts.config,
    allowSpotShort: parts.allowSpotShort,
    stops: ledger.stopPlaces(),
    metrics: figures,
    verdict: verdict(figures),
    warnings: [...warnings(parts, figures), ...(parts.warnings ?? [])],
    trades: Array.from(ledger.trades(), (trade) => ({
      sleeve: trade.sleeve,
      symbol: trade.symbol,
      side: trade.side,
      round: trade.round,
      openedAt: formatTime(trade.openedAt),
      closedAt: formatTime(trade.closedAt),
      heldMs: trade.closedAt - trade.openedAt,
      entryPrice: format(trade.entryPrice),
      exitPrice: format(trade.exitPrice),
      quantity: format(trade.quantity),
      pnl: format(trade.pnl),
      fees: format(trade.fees),
      funding: format(trade.funding),
      returnRatio: returnRatio(trade),
      exit: trade.exit,
    })),
    openPositions: openRows(ledger, marks),
    fills: Array.from(ledger.fills(), (fill) => ({
      at: formatTime(fill.at),
      symbol: fill.symbol,
      side: fill.side,
      price: format(fill.price),
      quantity: format(fill.quantity),
      fee: format(fill.fee),
      feeCurrency: fill.feeCurrency,
    })),
    funding: Array.from(ledger.fundingPayments(), ({ at, symbol, amount }) => ({ at: formatTime(at), symbol, amount: format(amount) })),
    equity: equity.curve().map((point): [string, number] => [formatTime(point.at), point.equity]),
    rulings: ledger.rulings(),
    alerts: ledger.alerts(),
    halts: ledger.haltCauses,
    entries: ledger.counts(),
  };
}

function openRows(ledger: TradeLedger, marks: readonly Marks[]): OpenRow[] {
  return ledger.openTrades().map((trade) => {
    const last = marks[trade.instrument]?.last ?? NaN;
    const isMarked = Number.isFinite(last);
    return {
      sleeve: trade.sleeve,
      symbol: trade.symbol,
      side: trade.side,
      openedAt: formatTime(trade.openedAt),
      entryPrice: format(trade.entryPrice),
      quantity: format(trade.held),
      fees: format(trade.fees),
      funding: format(trade.funding),
      lastPrice: isMarked ? last : null,
      pnl: isMarked ? toNumber(trade.cash) + toNumber(trade.held) * last : null,
    };
  });
}

/** What the figures say, and no more. */
function verdict(figures: Metrics): string[] {
  const { trades, totalReturn, grossPnl, returnTStatistic, buyAndHoldReturn } = figures;
  if (trades === 0 && figures.orders === 0) return ['it never traded: there is nothing to judge'];
  const words: string[] = [];
  const net = (figures.expectancy ?? 0) * trades;
  if (trades > 0 && net <= 0) {
    words.push(
      grossPnl > 0
        ? `no edge after costs: the closed trades made ${money(grossPnl)} before fees and funding, and ${money(net)} after them`
        : `no edge: the closed trades lost ${money(-grossPnl)} before any cost`,
    );
  } else if (totalReturn <= 0) words.push('no edge after costs: the account did not grow');
  else if (returnTStatistic === null) words.push('it made money, in too few returns to say more');
  else if (returnTStatistic < 2) {
    words.push(`it made money, but its mean return is ${returnTStatistic.toFixed(1)} standard errors from zero: below 2 that may be luck`);
  } else
    words.push(
      `it made money, with a mean return ${returnTStatistic.toFixed(1)} standard errors from zero: in this sample, on these parameters`,
    );
  if (buyAndHoldReturn !== null) {
    const ahead = totalReturn - buyAndHoldReturn;
    words.push(
      `buying and holding returned ${percent(buyAndHoldReturn)}: this run is ${percent(Math.abs(ahead))} ${ahead >= 0 ? 'ahead' : 'behind'}`,
    );
  }
  return words;
}

function warnings(parts: ReportParts, figures: Metrics): string[] {
  const { ledger, equity } = parts;
  const { trades, grossPnl, bestTrade } = figures;
  const costs = figures.feesPaid;
  const net = (figures.expectancy ?? 0) * trades;
  const words: string[] = [];
  const { variance, instants, lowestEquity } = equity.summary();
  if (instants === 0) words.push('no bar was marked: the range holds no data');
  else if (instants > 1 && variance === 0) words.push('equity is flat: it never moved');
  if (trades === 0) words.push('no trade was closed');
  else if (trades < FEW_TRADES) words.push(`too few trades: ${trades} closed, and fewer than ${FEW_TRADES} say little about the next one`);
  if (trades > 1 && net > 0 && bestTrade !== null && bestTrade >= net) {
    words.push(`one trade makes the profit: without the best (${money(bestTrade)}) the closed trades come to ${money(net - bestTrade)}`);
  }
  if (trades > 0 && grossPnl > 0 && costs > grossPnl) words.push(`fees of ${money(costs)} exceed the gross profit of ${money(grossPnl)}`);
  if (lowestEquity <= 0) words.push('equity fell to zero or below: a real account would have been liquidated');
  const open = ledger.openTrades().length;
  if (open > 0)
    words.push(`${open} ${open === 1 ? 'position is' : 'positions are'} still open and marked at the last price: no exit was paid for`);
  if (ledger.isHalted) words.push(`the run ended halted: ${ledger.haltCauses.at(-1) ?? ''}`);
  if (parts.allowSpotShort) words.push('spot was allowed to be sold short: research only, no venue does this');
  return words;
}

// ---- text --------------------------------------------------------------------------------------------------------------

/** For a terminal: the summary first, then the tables that people know, each left out when it has nothing to say. */
export function reportText(document: ReportDocument): string {
  const strategy = document.config['strategy'];
  const title = [typeof strategy === 'string' ? strategy : undefined, document.symbols.join(', '), document.timeframe].filter(
    (word) => word !== undefined,
  );
  return [
    `${title.join('  ')}   ${document.from} to ${document.to}`,
    table([], summaryRows(document)),
    document.verdict.map((sentence) => `  ${sentence}`).join('\n'),
    section('BY SYMBOL', symbolTable(document)),
    section('LEFT OPEN', openTable(document)),
    section('EXITS', exitTable(document)),
    section(
      'RULINGS',
      table(
        ['rule', 'count'],
        Object.entries(document.rulings).map(([rule, count]) => [rule, String(count)]),
      ),
    ),
    section(
      'ALERTS',
      table(
        ['rule', 'count'],
        Object.entries(document.alerts).map(([rule, count]) => [rule, String(count)]),
      ),
    ),
    section('STOPS', table(['sleeve', 'rest at'], Object.entries(document.stops))),
    section('WARNINGS', document.warnings.map((warning) => `  ! ${warning}`).join('\n')),
    `run ${document.runId}   state ${document.stateHash.slice(0, 16)}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function summaryRows({ metrics: figures, capital, currency }: ReportDocument): string[][] {
  const start = Number(capital);
  const rows: [string, string][] = [
    ['start', `${money(start)} ${currency}`],
    ['end', `${money(figures.finalEquity)} ${currency}`],
    ['total return', percent(figures.totalReturn)],
    ['annual return', orUnknown(figures.annualReturn, percent)],
    ['buy and hold', orUnknown(figures.buyAndHoldReturn, percent)],
    ['max drawdown', `${percent(figures.maxDrawdown)} over ${duration(figures.maxDrawdownMs)}`],
    ['longest under water', duration(figures.longestUnderwaterMs)],
    ['sharpe', orUnknown(figures.sharpe, plain)],
    ['sortino', orUnknown(figures.sortino, plain)],
    ['calmar', orUnknown(figures.calmar, plain)],
    ['annual volatility', orUnknown(figures.annualVolatility, percent)],
    ['time in the market', orUnknown(figures.exposureRatio, percent)],
    ['trades', `${figures.trades} (${figures.longTrades} long, ${figures.shortTrades} short)`],
    ['won', orUnknown(figures.winRate, percent)],
    ['profit factor', orUnknown(figures.profitFactor, plain)],
    ['expectancy', orUnknown(figures.expectancy, (value) => `${money(value)} a trade`)],
    ['best, worst trade', `${orUnknown(figures.bestTrade, money)}, ${orUnknown(figures.worstTrade, money)}`],
    ['average held', orUnknown(figures.averageHeldMs, duration)],
    ['losses in a row', String(figures.longestLosingStreak)],
    ['stop-outs', String(figures.stopOuts)],
    ['fills', `${figures.orders}, ${money(figures.turnover)} turned over`],
    ['gross profit', money(figures.grossPnl)],
    ['fees', `${money(figures.feesPaid)}${figures.grossPnl > 0 ? ` (${percent(figures.feesPaid / figures.grossPnl)} of gross)` : ''}`],
  ];
  if (figures.fundingPaid !== 0) rows.push(['funding paid', money(figures.fundingPaid)]);
  // Two columns of pairs: half as tall, and still within 100 characters.
  const half = Math.ceil(rows.length / 2);
  return rows.slice(0, half).map((left, index) => [...left, ...(rows[half + index] ?? [])]);
}

function symbolTable({ trades }: ReportDocument): string {
  if (trades.length === 0) return '';
  const header = ['symbol', 'legs', 'won', 'lost', 'won %', 'average', 'profit', 'fees', 'average held'];
  const symbols = [...new Set(trades.map((trade) => trade.symbol))];
  const rows = symbols.map((symbol) =>
    symbolRow(
      symbol,
      trades.filter((trade) => trade.symbol === symbol),
    ),
  );
  if (symbols.length > 1) rows.push(symbolRow('TOTAL', trades));
  return table(header, rows);
}

function symbolRow(name: string, trades: readonly TradeRow[]): string[] {
  const count = trades.length;
  const won = trades.filter((trade) => Number(trade.pnl) > 0).length;
  return [
    name,
    String(count),
    String(won),
    String(count - won),
    percent(won / count),
    percent(total(trades, (trade) => trade.returnRatio) / count),
    money(total(trades, (trade) => Number(trade.pnl))),
    money(total(trades, (trade) => Number(trade.fees))),
    duration(total(trades, (trade) => trade.heldMs) / count),
  ];
}

function openTable({ openPositions }: ReportDocument): string {
  const header = ['sleeve', 'symbol', 'side', 'since', 'quantity', 'entry', 'last', 'profit'];
  return table(
    header,
    openPositions.map((row) => [
      row.sleeve,
      row.symbol,
      row.side,
      row.openedAt,
      row.quantity,
      row.entryPrice,
      orUnknown(row.lastPrice, String),
      orUnknown(row.pnl, money),
    ]),
  );
}

function exitTable({ trades }: ReportDocument): string {
  const exits = [...new Set(trades.map((trade) => trade.exit))].toSorted();
  return table(
    ['exit', 'legs', 'won', 'profit', 'average held'],
    exits.map((exit) => {
      const ended = trades.filter((trade) => trade.exit === exit);
      const won = ended.filter((trade) => Number(trade.pnl) > 0).length;
      const profit = total(ended, (trade) => Number(trade.pnl));
      return [exit, String(ended.length), String(won), money(profit), duration(total(ended, (trade) => trade.heldMs) / ended.length)];
    }),
  );
}

export interface SessionParts {
  /** Why it ended, in words. */
  readonly ended: string;
  readonly capital: Amount;
  readonly currency: string;
  readonly equity: number;
  readonly ledger: TradeLedger;
  /** Path of the run's folder. */
  readonly folder: string;
}

/** The last lines of a session: what it came to, and where to look further. */
export function sessionSummary(parts: SessionParts): string {
  const { ledger, currency, equity } = parts;
  const start = toNumber(parts.capital);
  const trips = roundTrips(ledger);
  const won = trips.filter((trip) => trip.pnl > 0).length;
  const realised = trips.reduce((sum, trip) => sum + trip.pnl, 0);
  const open = ledger.openTrades();
  const funding = toNumber(ledger.funding);
  const rows: [string, string][] = [
    ['equity', `${money(equity)} ${currency} (${percent(equity / start - 1)} of ${money(start)})`],
    ['closed trades', trips.length === 0 ? '0' : `${trips.length} (${won} won), ${money(realised)} ${currency} net`],
    ['stop-outs', String(ledger.stopOuts)],
    ['open positions', open.length === 0 ? '0' : `${open.length}: ${open.map((trade) => `${trade.side} ${trade.symbol}`).join(', ')}`],
    ['vetoes and clamps', rulingWords(ledger)],
    ['fills', String(ledger.fillCount)],
    ['fees', `${money(toNumber(ledger.fees))} ${currency}`],
    ['funding', `${money(Math.abs(funding))} ${currency}${funding === 0 ? '' : funding > 0 ? ' received' : ' paid'}`],
  ];
  const alerts = Object.entries(ledger.alerts());
  if (alerts.length > 0) rows.push(['alerts', alerts.map(([rule, count]) => `${rule} ${count}`).join(', ')]);
  if (ledger.isHalted) rows.push(['halted', ledger.haltCauses.at(-1) ?? '']);
  rows.push(['run folder', parts.folder]);
  return [`Session ended: ${parts.ended}`, table([], rows)].join('\n');
}

function rulingWords(ledger: TradeLedger): string {
  const words: string[] = [];
  for (const [rule, { clamps, halts, refusals }] of ledger.rulingCounts()) {
    if (clamps > 0) words.push(`${rule} clamped ${clamps}`);
    if (refusals > 0) words.push(`${rule} refused ${refusals}`);
    if (halts > 0) words.push(`${rule} halted ${halts}`);
  }
  return words.length === 0 ? 'none' : words.join(', ');
}

function section(name: string, body: string): string {
  return body === '' ? '' : `${name}\n${body}`;
}

const IS_NUMBER = /^[-+]?[\d,.]+( %)?$|^N\/A$/;

/** Columns aligned, those of numbers to the right. Empty without rows. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const all = header.length === 0 ? rows : [header, ...rows];
  const columns = Math.max(...all.map((row) => row.length));
  const widths: number[] = [];
  const isRight: boolean[] = [];
  for (let column = 0; column < columns; column++) {
    widths.push(Math.max(...all.map((row) => row[column]?.length ?? 0)));
    isRight.push(header.length > 0 && rows.every((row) => IS_NUMBER.test(row[column] ?? '')));
  }
  return all
    .map((row) =>
      `  ${row.map((cell, column) => (isRight[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('   ')}`.trimEnd(),
    )
    .join('\n');
}

function total<T>(items: readonly T[], of: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
}

function orUnknown(value: number | null, words: (value: number) => string): string {
  return value === null ? 'N/A' : words(value);
}

function plain(value: number): string {
  return value.toFixed(2);
}

/** Two decimals, or as many as leave something of a small amount. */
function money(value: number): string {
  const size = Math.abs(value);
  const decimals = size === 0 || size >= 0.01 ? 2 : 8;
  const [whole = '', fraction = ''] = size.toFixed(decimals).split('.');
  const text = `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
  return value < 0 && Number(size.toFixed(decimals)) !== 0 ? `-${text}` : text;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

/** The two largest units: `3d 4h`. */
function duration(spanMs: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ];
  const first = units.findIndex(([, unitMs]) => spanMs >= unitMs);
  if (first < 0) return `${Math.round(spanMs)}ms`;
  let rest = spanMs;
  const words: string[] = [];
  for (const [unit, unitMs] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) words.push(`${count}${unit}`);
  }
  return words.join(' ');
}
