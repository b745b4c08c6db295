// A session's state as text: the frame of the live view, one line of the plain one, and the answer of `ballast status`. Pure.
import type { StatusDocument } from '../api/contract.ts';
import { percent } from '../domain/words.ts';
import { printable, table, type Paint } from './terminal.ts';

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  /** Market seconds per second, as measured; NaN while unknown. */
  readonly speed: number;
  /** Last line: where the page is, how to end. */
  readonly footer: string;
}

const LATEST_MINUTES = 5;
const LATEST_ALERTS = 3;

/** Lines that fit the terminal: nothing wraps, because a wrapped line would break the redrawing in place. */
export function frame(status: StatusDocument, { columns, rows, paint, speed, footer }: FrameOptions): string[] {
  const lines = [
    paint('bold', fit(`${status.runId}  ${status.at}  ${stateWords(status)}`, columns)),
    fit(moneyLine(status), columns),
    fit(countsLine(status, speed), columns),
    '',
  ];
  const positions = positionsTable(status.positions).split('\n');
  lines.push(...positions.map((line, index) => (index === 0 ? paint('dim', fit(line, columns)) : fit(line, columns))));
  const rulings = Object.entries(status.rulings);
  if (rulings.length > 0) lines.push('', fit(`rulings  ${rulings.map(([rule, count]) => `${rule} ${count}`).join('  ')}`, columns));
  if (status.alerts.length > 0) {
    lines.push('', ...status.alerts.slice(-LATEST_ALERTS).map((alert) => paint('yellow', fit(`! ${alertWords(alert)}`, columns))));
  }
  if (status.minutes.length > 0) {
    lines.push('', paint('dim', 'latest decisions'));
    lines.push(...status.minutes.slice(-LATEST_MINUTES).map(({ at, words }) => fit(`${at}  ${printable(words)}`, columns)));
  }
  // The last row stays free for the cursor.
  const kept = lines.slice(0, Math.max(1, rows - 3));
  return [...kept, '', paint('dim', fit(footer, columns))];
}

/** One line for those who are not looking at a terminal. */
export function statusLine(status: StatusDocument): string {
  const words = [status.at, moneyLine(status), `positions ${status.positions.length}`, `orders ${status.openOrders}`, tradesWords(status)];
  if (status.state !== 'running') words.push(stateWords(status));
  return words.join('  ');
}

export function alertWords({ at, rule, why }: StatusDocument['alerts'][number]): string {
  return `${at} ${rule}: ${printable(why)}`;
}

/** All of it, for `ballast status`. */
export function statusText(status: StatusDocument): string {
  const basis = status.basisEquity ?? NaN;
  const equity = status.equity ?? NaN;
  const facts: (readonly [string, string])[] = [
    ['run', `${status.runId} (process ${status.pid})`],
    ['state', stateWords(status)],
    ['market time', status.at],
    ['strategies', status.strategies.join(', ')],
    ['symbols', status.symbols.join(', ')],
    ['equity', `${money(equity)} (${signedPercent(equity / basis - 1)} of ${money(basis)})`],
    ...transferFact(status),
    ['cash', money(Number(status.cash))],
    [
      'drawdown',
      `${percentOrNone(status.drawdownRatio)} from ${money(status.peakEquity)}; today ${percentOrNone(status.dayLossRatio)} lost`,
    ],
    ['trades', `${tradesWords(status)}, ${status.stopOuts} stopped out`],
    ['fees', `${money(Number(status.feesPaid))}, funding ${money(Number(status.fundingPaid))}`],
    ['open orders', String(status.openOrders)],
    ['events', `${status.events} (${Math.round(status.eventsPerSecond ?? 0)} a second)`],
    [
      'rulings',
      Object.entries(status.rulings)
        .map(([rule, count]) => `${rule} ${count}`)
        .join(', ') || 'none',
    ],
    ['folder', status.folder],
  ];
  if (status.staleSymbols.length > 0) facts.push(['stale', status.staleSymbols.join(', ')]);
  if (status.suspendedMinds.length > 0) facts.push(['suspended', status.suspendedMinds.join(', ')]);
  const width = Math.max(...facts.map(([name]) => name.length));
  const paragraphs = [
    facts.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join('\n'),
    positionsTable(status.positions),
  ];
  if (status.alerts.length > 0) paragraphs.push(`alerts\n${status.alerts.map((alert) => `  ${alertWords(alert)}`).join('\n')}`);
  if (status.minutes.length > 0) {
    paragraphs.push(`latest decisions\n${status.minutes.map(({ at, words }) => `  ${at}  ${printable(words)}`).join('\n')}`);
  }
  return paragraphs.join('\n\n');
}

function stateWords({ state, haltCause }: StatusDocument): string {
  return haltCause === '' ? state : `${state}: ${printable(haltCause)}`;
}

/** Where another hand has moved money of the run. */
function transferFact({ capital, transferred }: StatusDocument): readonly (readonly [string, string])[] {
  const sum = Number(transferred);
  return sum === 0 ? [] : [['transfers', `${signedMoney(sum)} of ${money(Number(capital))}, neither won nor lost`]];
}

function moneyLine({ equity: known, capital, transferred, basisEquity, drawdownRatio }: StatusDocument): string {
  const equity = known ?? NaN;
  const won = equity - Number(capital) - Number(transferred);
  return `equity ${money(equity)} (${signedPercent(equity / (basisEquity ?? NaN) - 1)})  P&L ${signedMoney(won)}  drawdown ${percentOrNone(drawdownRatio)}`;
}

function countsLine(status: StatusDocument, speed: number): string {
  const pace = Number.isFinite(speed) ? `  ${speed < 10 ? speed.toFixed(1) : Math.round(speed)} market seconds a second` : '';
  return `${tradesWords(status)}  stopped out ${status.stopOuts}  orders ${status.openOrders}  fees ${money(Number(status.feesPaid))}${pace}`;
}

function tradesWords({ closedTrades, winningTrades }: StatusDocument): string {
  return `trades ${closedTrades} (${winningTrades} won)`;
}

/** The widest column last: a narrow terminal cuts it first. */
function positionsTable(positions: StatusDocument['positions']): string {
  if (positions.length === 0) return 'no positions';
  return table(
    ['position', 'quantity', 'entry', 'mark', 'P&L', 'stop', 'at', 'sleeve'],
    positions.map((position) => [
      position.symbol,
      position.quantity,
      price(position.entryPrice),
      price(position.mark),
      signedMoney(position.unrealisedPnl),
      position.stopPrice === null ? 'on the spread' : price(position.stopPrice),
      position.stopRestsAt,
      position.sleeve,
    ]),
    [1, 2, 3, 4, 5],
  );
}

function fit(line: string, columns: number): string {
  const flat = printable(line);
  return flat.length < columns ? flat : `${flat.slice(0, Math.max(1, columns - 2))}…`;
}

export function money(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'n/a';
  const text = Math.abs(value).toFixed(2);
  const [whole = '', fraction = ''] = text.split('.');
  return `${value < 0 && Number(text) !== 0 ? '-' : ''}${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
}

function signedMoney(value: number | null): string {
  return value !== null && value > 0 ? `+${money(value)}` : money(value);
}

/** Before the first price there is none. */
function percentOrNone(ratio: number | null): string {
  return ratio !== null && Number.isFinite(ratio) ? percent(ratio) : 'n/a';
}

function signedPercent(ratio: number): string {
  return ratio > 0 ? `+${percent(ratio)}` : percentOrNone(ratio);
}

/** Six significant digits, without an exponent: a coin may cost 60,000 or 0.00001234. */
function price(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'n/a';
  const size = Math.abs(value);
  const decimals = size === 0 ? 2 : Math.min(10, Math.max(2, 5 - Math.floor(Math.log10(size))));
  return value.toFixed(decimals);
}
