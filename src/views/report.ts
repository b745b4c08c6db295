// A run as a document, and the document as text for a terminal. The text is made from the document alone, so that a stored one reads the same.
import { fixed, percent } from '../domain/words.ts';
import { add, format, toNumber, ZERO_AMOUNT, type Amount } from '../domain/decimal.ts';
import { formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { attribution, type Part } from './attribution.ts';
import { known, monthlyReturns, type MonthReturn } from './daily.ts';
import type { EquityRecorder } from './equity.ts';
import { metrics, roundTrips, type Marks, type Metrics } from './metrics.ts';
import { pairHistories, type PairHistory, type PairTrip } from './pair-trips.ts';
import { duration, money, orUnknown, plain, section, table } from './text.ts';
import { returnRatio, type StopsPlace, type TradeLedger } from './trades.ts';
import type { ExecutionRow } from './transaction-costs.ts';
import { verdict, warnings } from './verdict.ts';

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
  /** Of a run whose orders were matched against books, by symbol; undefined where they were matched against bars. */
  readonly books?: readonly BookRow[];
  /** What is wrong with the bars it was run on, a sentence for each series; among the warnings too. */
  readonly dataFlaws: readonly string[];
  readonly monthlyReturns: readonly MonthReturn[];
  /** By algorithm: what orders cost against the prices at which they were decided, and what was expected. */
  readonly execution: readonly ExecutionRow[];
  readonly attribution: AttributionDocument;
  readonly trades: readonly TradeRow[];
  /** Sleeves with several legs, whose trades are one. */
  readonly pairs: readonly PairRow[];
  readonly openPositions: readonly OpenRow[];
  readonly fills: readonly FillRow[];
  readonly funding: readonly FundingRow[];
  /** Money of the run that left the account, or came back: in the equity, and in no profit. None but where another hand moves money. */
  readonly transfers: readonly TransferRow[];
  readonly equity: readonly (readonly [string, number])[];
  readonly rulings: Readonly<Record<string, number>>;
  readonly alerts: Readonly<Record<string, number>>;
  readonly halts: readonly string[];
  /** When each of `halts` was latched, in the same order. */
  readonly haltedAt: readonly string[];
  /** By kind of journal entry. */
  readonly entries: Readonly<Record<string, number>>;
}

/** Whose P&L it was. The sleeves with `unallocated`, and the instruments by themselves, sum to `pnl` to the last digit. */
export interface AttributionDocument {
  readonly pnl: string;
  readonly unallocated: string;
  readonly sleeves: readonly PartRow[];
  readonly instruments: readonly PartRow[];
}

export interface BookRow {
  readonly symbol: string;
  /** How much of the range had no book: what was at the market waited. */
  readonly withoutBookMs: number;
  readonly withoutBookRatio: number;
}

export interface PartRow {
  readonly name: string;
  readonly symbols: readonly string[];
  readonly trades: number;
  readonly wins: number;
  readonly realised: string;
  readonly unrealised: string;
  readonly pnl: string;
  readonly fees: string;
  readonly funding: string;
  readonly slippage: number | null;
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
  readonly slippage: number | null;
  readonly returnRatio: number;
  readonly maxAdverseRatio: number | null;
  readonly maxFavourableRatio: number | null;
  readonly exit: string;
}

/** A sleeve with several legs. Its closed trades, and what they came to together. */
export interface PairRow {
  readonly sleeve: string;
  readonly symbols: readonly string[];
  readonly wins: number;
  readonly pnl: string;
  readonly fees: string;
  readonly funding: string;
  readonly averageHeldMs: number | null;
  readonly trades: readonly PairTradeRow[];
}

export interface PairTradeRow {
  readonly round: number;
  readonly side: 'long' | 'short';
  readonly openedAt: string;
  readonly closedAt: string;
  readonly heldMs: number;
  readonly pnl: string;
  readonly fees: string;
  readonly funding: string;
  readonly slippage: number | null;
  readonly entryZScore: number | null;
  readonly exitZScore: number | null;
  readonly exit: string;
  readonly legs: readonly PairLegRow[];
}

export interface PairLegRow {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly entryPrice: string;
  readonly exitPrice: string;
  readonly quantity: string;
  readonly pnl: string;
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

export interface TransferRow {
  readonly at: string;
  readonly amount: string;
  /** Before it. */
  readonly equity: number;
}

export interface ReportParts {
  readonly runId: string;
  readonly stateHash: string;
  /** What was run, as it was asked for; its `strategy`, where it has one, is the name that is printed. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly symbols: readonly string[];
  /** Of the bars that were marked. */
  readonly timeframeMs: TimeMs;
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly capital: Amount;
  readonly currency: string;
  readonly allowSpotShort: boolean;
  /** Run without the rules that clamp and halt. */
  readonly noRisk: boolean;
  readonly equity: EquityRecorder;
  readonly ledger: TradeLedger;
  /** By instrument: how much of the range had no book, where orders were matched against books. */
  readonly withoutBookMs?: readonly TimeMs[];
  /** By instrument: open of the first bar of the range, close of the last. */
  readonly marks: readonly Marks[];
  /** What is wrong with the bars, a sentence for each series. */
  /** Beside those that the figures themselves give rise to. */
  readonly warnings?: readonly string[];
  readonly dataFlaws?: readonly string[];
}

export function report(parts: ReportParts): ReportDocument {
  const { ledger, from, to, timeframeMs, marks, allowSpotShort, noRisk, dataFlaws = [] } = parts;
  const equity = parts.equity.summary();
  const books = parts.withoutBookMs?.map((withoutBookMs, index) => {
    return { symbol: parts.symbols[index] ?? '', withoutBookMs, withoutBookRatio: withoutBookMs / (to - from) };
  });
  const figures = metrics({ equity, ledger, timeframeMs, from, to, marks });
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
    allowSpotShort,
    stops: ledger.stopPlaces(),
    metrics: figures,
    verdict: verdict(figures),
    warnings: [
      ...warnings({ equity, ledger, from, to, allowSpotShort, noRisk }, figures),
      ...(parts.warnings ?? []),
      ...bookWarnings(books ?? []),
      ...dataFlaws,
    ],
    ...(books !== undefined && { books }),
    dataFlaws,
    execution: ledger.executionCosts(),
    monthlyReturns: monthlyReturns(equity.basis, equity.daily),
    attribution: attributionDocument(ledger, marks),
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
      slippage: known(trade.slippage),
      returnRatio: returnRatio(trade),
      maxAdverseRatio: known(trade.maxAdverseRatio),
      maxFavourableRatio: known(trade.maxFavourableRatio),
      exit: trade.exit,
    })),
    pairs: pairHistories(ledger).map(pairRow),
    openPositions: openRows(ledger, marks),
    fills: fillRows(ledger),
    funding: Array.from(ledger.fundingPayments(), ({ at, symbol, amount }) => ({ at: formatTime(at), symbol, amount: format(amount) })),
    transfers: ledger.transfers.map(({ at, amount, equity: before }) => ({ at: formatTime(at), amount: format(amount), equity: before })),
    equity: parts.equity.curve().map((point): [string, number] => [formatTime(point.at), point.equity]),
    rulings: ledger.rulings(),
    alerts: ledger.alerts(),
    halts: ledger.haltCauses,
    haltedAt: ledger.haltTimes.map(formatTime),
    entries: ledger.counts(),
  };
}

function bookWarnings(books: readonly BookRow[]): string[] {
  return books
    .filter(({ withoutBookMs }) => withoutBookMs > 0)
    .map(({ symbol, withoutBookMs, withoutBookRatio }) => {
      return `no book of ${symbol} for ${percent(withoutBookRatio)} of the range (${duration(withoutBookMs)}): what was at the market waited`;
    });
}

/** Every fill, in order. */
export function fillRows(ledger: TradeLedger): FillRow[] {
  return Array.from(ledger.fills(), (fill) => ({
    at: formatTime(fill.at),
    symbol: fill.symbol,
    side: fill.side,
    price: format(fill.price),
    quantity: format(fill.quantity),
    fee: format(fill.fee),
    feeCurrency: fill.feeCurrency,
  }));
}

function attributionDocument(ledger: TradeLedger, marks: readonly Marks[]): AttributionDocument {
  const { pnl, unallocated, sleeves, instruments } = attribution(ledger, marks);
  return { pnl: format(pnl), unallocated: format(unallocated), sleeves: sleeves.map(partRow), instruments: instruments.map(partRow) };
}

function partRow(part: Part): PartRow {
  return {
    name: part.name,
    symbols: part.symbols,
    trades: part.trades,
    wins: part.wins,
    realised: format(part.realised),
    unrealised: format(part.unrealised),
    pnl: format(part.pnl),
    fees: format(part.fees),
    funding: format(part.funding),
    slippage: known(part.slippage),
  };
}

function pairRow({ sleeve, symbols, trips }: PairHistory): PairRow {
  const sumOf = (of: (trip: PairTrip) => Amount): string => format(trips.reduce((sum, trip) => add(sum, of(trip)), ZERO_AMOUNT));
  return {
    sleeve,
    symbols,
    wins: trips.filter(({ pnl }) => toNumber(pnl) > 0).length,
    pnl: sumOf(({ pnl }) => pnl),
    fees: sumOf(({ fees }) => fees),
    funding: sumOf(({ funding }) => funding),
    averageHeldMs: trips.length === 0 ? null : total(trips, ({ openedAt, closedAt }) => closedAt - openedAt) / trips.length,
    trades: trips.map((trip) => ({
      round: trip.round,
      side: trip.side,
      openedAt: formatTime(trip.openedAt),
      closedAt: formatTime(trip.closedAt),
      heldMs: trip.closedAt - trip.openedAt,
      pnl: format(trip.pnl),
      fees: format(trip.fees),
      funding: format(trip.funding),
      slippage: known(trip.slippage),
      entryZScore: known(trip.entryZScore),
      exitZScore: known(trip.exitZScore),
      exit: trip.exit,
      legs: trip.legs.map((leg) => ({
        symbol: leg.symbol,
        side: leg.side,
        entryPrice: format(leg.entryPrice),
        exitPrice: format(leg.exitPrice),
        quantity: format(leg.quantity),
        pnl: format(leg.pnl),
      })),
    })),
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
    document.books === undefined
      ? ''
      : `  orders were matched against books and trades, queue model ${String(document.config['queueModel'])}`,
    section('DAILY RETURNS', dailyTable(document)),
    section('MONTHLY RETURNS', monthTable(document)),
    section('COSTS', costTable(document)),
    section('EXECUTION', executionTable(document)),
    section('BY SLEEVE', partTable(document.attribution.sleeves, document)),
    section('BY INSTRUMENT', document.symbols.length < 2 ? '' : partTable(document.attribution.instruments, document)),
    section('BY SYMBOL', symbolTable(document)),
    ...document.pairs.map((pair) => section(`PAIR ${pair.sleeve}`, pairTable(pair))),
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

function summaryRows({ metrics: figures, capital, currency, transfers }: ReportDocument): string[][] {
  const start = Number(capital);
  const rows: [string, string][] = [
    ['start', `${money(start)} ${currency}`],
    ...(transfers.length === 0
      ? []
      : [
          ['transfers', `${money(total(transfers, ({ amount }) => Number(amount)))} ${currency} in ${transfers.length}`] as [
            string,
            string,
          ],
        ]),
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
    ['payoff', orUnknown(figures.payoffRatio, plain)],
    ['expectancy', orUnknown(figures.expectancy, (value) => `${money(value)} a trade`)],
    ['best, worst trade', `${orUnknown(figures.bestTrade, money)}, ${orUnknown(figures.worstTrade, money)}`],
    ['average held', orUnknown(figures.averageHeldMs, duration)],
    ['losses in a row', String(figures.longestLosingStreak)],
    ['stop-outs', String(figures.stopOuts)],
    [
      'against, in favour',
      `${orUnknown(figures.averageMaxAdverseRatio, percent)}, ${orUnknown(figures.averageMaxFavourableRatio, percent)}`,
    ],
    ['quality (SQN)', orUnknown(figures.systemQualityNumber, plain)],
    ['kelly', orUnknown(figures.kellyFraction, percent)],
    ['fills', `${figures.orders}, ${money(figures.turnover)} turned over`],
    ['turnover', orUnknown(figures.annualTurnover, (value) => `${plain(value)} times equity a year`)],
  ];
  // Two columns of pairs: half as tall, and still within 100 characters.
  const half = Math.ceil(rows.length / 2);
  return rows.slice(0, half).map((left, index) => [...left, ...(rows[half + index] ?? [])]);
}

/** How bad a day gets, one in 20 and one in 100, as it was and as the moments of the returns have it. */
function dailyTable({ metrics: figures }: ReportDocument): string {
  if (figures.skewness === null) return '';
  const shape = [
    ['days', String(figures.dailyReturns), 'skewness', orUnknown(figures.skewness, plain), 'omega', orUnknown(figures.omega, plain)],
    ['', '', 'kurtosis', orUnknown(figures.kurtosis, plain), 'tail ratio', orUnknown(figures.tailRatio, plain)],
  ];
  const rows: readonly (readonly [string, number | null, number | null, number | null, number | null])[] = [
    ['historical', figures.valueAtRisk95, figures.expectedShortfall95, figures.valueAtRisk99, figures.expectedShortfall99],
    [
      'Cornish-Fisher',
      figures.cornishFisherValueAtRisk95,
      figures.cornishFisherExpectedShortfall95,
      figures.cornishFisherValueAtRisk99,
      figures.cornishFisherExpectedShortfall99,
    ],
  ];
  const header = ['loss of a day', 'VaR 95 %', 'shortfall 95 %', 'VaR 99 %', 'shortfall 99 %'];
  const losses = rows.map(([name, ...values]) => [name, ...values.map((value) => orUnknown(value, percent))]);
  return `${table([], shape)}\n${table(header, losses)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A row a year, in percent. */
function monthTable({ monthlyReturns: months }: ReportDocument): string {
  if (months.length < 2) return '';
  const years = [...new Set(months.map(({ month }) => month.slice(0, 4)))];
  const rows = years.map((year) => {
    const ofYear = months.filter(({ month }) => month.startsWith(year));
    const cells = MONTHS.map((_, index) => ofYear.find(({ month }) => Number(month.slice(5)) === index + 1));
    const whole = ofYear.reduce((product, { returnRatio: ratio }) => product * (1 + ratio), 1) - 1;
    return [year, ...cells.map((cell) => (cell === undefined ? '' : inPercent(cell.returnRatio))), inPercent(whole)];
  });
  return table(['%', ...MONTHS, 'year'], rows);
}

function inPercent(ratio: number): string {
  return fixed(ratio * 100, 1);
}

/** From what the closed trades made to what they left; what is open has paid too, and is in the totals. */
function costTable({ metrics: figures }: ReportDocument): string {
  const { trades, expectancy, pnlBeforeCosts, feeShare, slippageShare, fundingShare } = figures;
  if (figures.orders === 0) return '';
  const rows = [
    ['fees', money(figures.feesPaid), orUnknown(feeShare, percent)],
    ['slippage', orUnknown(figures.slippagePaid, money), orUnknown(slippageShare, percent)],
    ['funding', money(figures.fundingPaid), orUnknown(fundingShare, percent)],
  ];
  const closed = `closed trades: ${orUnknown(pnlBeforeCosts, money)} before costs, ${money((expectancy ?? 0) * trades)} net`;
  return `${table(['paid', 'all fills', 'of profit before costs'], rows)}\n  ${closed}`;
}

/** In basis points of notional at the prices at which it was decided. */
function executionTable({ execution }: ReportDocument): string {
  const header = ['algorithm', 'decided', 'orders', 'filled', 'maker', 'slippage', 'fee', 'missed', 'total bp', 'expected'];
  const rows = execution.map((row) => [
    row.algorithm,
    String(row.decided),
    String(row.orders),
    ...[row.filledRatio, row.makerRatio].map((value) => orUnknown(value, percent)),
    ...[row.slippageBps, row.feeBps, row.opportunityBps, row.totalBps, row.expectedBps].map((value) => orUnknown(value, plain)),
  ]);
  return table(header, rows);
}

function partTable(
  parts: readonly PartRow[],
  { capital, attribution: { pnl, unallocated } }: Pick<ReportDocument, 'capital' | 'attribution'>,
): string {
  const start = Number(capital);
  const header = ['name', 'trades', 'won', 'realised', 'open', 'profit', 'of capital', 'fees', 'slippage', 'funding'];
  const moved = parts.filter((part) => part.trades > 0 || Number(part.pnl) !== 0 || Number(part.fees) !== 0);
  const rows = moved.map((part) => [
    part.name,
    String(part.trades),
    String(part.wins),
    money(Number(part.realised)),
    money(Number(part.unrealised)),
    money(Number(part.pnl)),
    percent(Number(part.pnl) / start),
    money(Number(part.fees)),
    orUnknown(part.slippage, money),
    money(Number(part.funding)),
  ]);
  if (moved.length > 1) rows.push(['TOTAL', '', '', '', '', money(Number(pnl)), percent(Number(pnl) / start), '', '', '']);
  const rest = Number(unallocated);
  return rest === 0 || moved.length === 0
    ? table(header, rows)
    : `${table(header, rows)}\n  ${money(rest)} of funding came when nothing was held`;
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

/** Longer tables say less; the document has all. */
const MOST_PAIR_ROWS = 20;

/** The trades of a pair, the last ones where there are many, and what all came to. */
function pairTable({ trades, wins, pnl, fees, funding, averageHeldMs }: PairRow): string {
  if (trades.length === 0) return '';
  const header = ['opened', 'side', 'held', 'entry z', 'exit z', 'profit', 'fees', 'funding', 'exit'];
  const shown = trades.slice(-MOST_PAIR_ROWS);
  const rows = shown.map((trade) => [
    trade.openedAt,
    trade.side,
    duration(trade.heldMs),
    orUnknown(trade.entryZScore, plain),
    orUnknown(trade.exitZScore, plain),
    money(Number(trade.pnl)),
    money(Number(trade.fees)),
    money(Number(trade.funding)),
    trade.exit,
  ]);
  const won = `${wins} of ${trades.length} won`;
  const held = orUnknown(averageHeldMs, duration);
  rows.push(['TOTAL', won, held, '', '', money(Number(pnl)), money(Number(fees)), money(Number(funding)), '']);
  const more = trades.length - shown.length;
  return more === 0
    ? table(header, rows)
    : `${table(header, rows)}\n  the last ${shown.length} of ${trades.length}; all are in the document`;
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
  /** What the equity is measured against: the capital, on the footing of after the last transfer. */
  readonly basis: number;
  readonly ledger: TradeLedger;
  /** By instrument. */
  readonly marks: readonly Marks[];
  /** Path of the run's folder. */
  readonly folder: string;
}

/** The last lines of a session: what it came to, whose that was where there are several sleeves, and where to look further. */
export function sessionSummary(parts: SessionParts): string {
  const { ledger, currency, equity, basis, marks } = parts;
  const { transfers } = ledger;
  const trips = roundTrips(ledger);
  const won = trips.filter((trip) => trip.pnl > 0).length;
  const realised = trips.reduce((sum, trip) => sum + trip.pnl, 0);
  const open = ledger.openTrades();
  const funding = toNumber(ledger.funding);
  const rows: [string, string][] = [
    ['equity', `${money(equity)} ${currency} (${percent(equity / basis - 1)} of ${money(basis)})`],
    ...(transfers.length === 0
      ? []
      : [
          [
            'transfers',
            `${money(toNumber(ledger.transferred))} ${currency} in ${transfers.length}, from ${money(toNumber(parts.capital))} given`,
          ] as [string, string],
        ]),
    ['closed trades', trips.length === 0 ? '0' : `${trips.length} (${won} won), ${money(realised)} ${currency} net`],
    ['stop-outs', String(ledger.stopOuts)],
    ['open positions', open.length === 0 ? '0' : `${open.length}: ${open.map((trade) => `${trade.side} ${trade.symbol}`).join(', ')}`],
    ['vetoes and clamps', rulingWords(ledger)],
    ['fills', String(ledger.fillCount)],
    ...(ledger.crossings === 0 ? [] : [['crossings', `${ledger.crossings} between sleeves, without a fee`] as [string, string]]),
    ['fees', `${money(toNumber(ledger.fees))} ${currency}`],
    ['funding', `${money(Math.abs(funding))} ${currency}${funding === 0 ? '' : funding > 0 ? ' received' : ' paid'}`],
  ];
  for (const { algorithm, decided, totalBps, expectedBps } of ledger.executionCosts()) {
    if (totalBps === null) continue;
    const expected = expectedBps === null ? '' : `, ${plain(expectedBps)} expected of what was filled`;
    rows.push([`cost by ${algorithm}`, `${plain(totalBps)} bp of ${decided} decided${expected}`]);
  }
  const alerts = Object.entries(ledger.alerts());
  if (alerts.length > 0) rows.push(['alerts', alerts.map(([rule, count]) => `${rule} ${count}`).join(', ')]);
  if (ledger.isHalted) rows.push(['halted', ledger.haltCauses.at(-1) ?? '']);
  rows.push(['run folder', parts.folder]);
  const parted = { capital: format(parts.capital), attribution: attributionDocument(ledger, marks) };
  const bySleeve = ledger.sleeves.length < 2 ? '' : partTable(parted.attribution.sleeves, parted);
  const words = [`Session ended: ${parts.ended}`, table([], rows)].join('\n');
  return bySleeve === '' ? words : `${words}\n\n${section('BY SLEEVE', bySleeve)}`;
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

function total<T>(items: readonly T[], of: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
}
