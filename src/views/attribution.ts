// Who made the money: the whole of a run's P&L, and the parts of sleeves and of instruments that sum to it to the last digit.
import {
  add,
  negate,
  notional,
  priceFrom,
  signOf,
  subtract,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import { roundTrips, type Marks } from './metrics.ts';
import type { ClosedTrade, OpenTrade, TradeLedger } from './trades.ts';

/** Exact but for the slippage. */
export interface Part {
  readonly name: string;
  /** What it trades: of a pair both. */
  readonly symbols: readonly string[];
  /** Closed: round trips of a sleeve, in which the legs of a pair are one; legs of an instrument. */
  readonly trades: number;
  readonly wins: number;
  /** Net, of what was closed; of an instrument, with the money of no trade. */
  readonly realised: Amount;
  /** Net so far, of what is open, at the last price. */
  readonly unrealised: Amount;
  /** The two together. */
  readonly pnl: Amount;
  /** Of all its fills, those of open trades included. */
  readonly fees: Amount;
  /** Received less paid. */
  readonly funding: Amount;
  /** Within the P&L; NaN where the ledger was not told prices. */
  readonly slippage: number;
}

/** `sleeves` and `unallocated` sum to `pnl`; `instruments` sum to it by themselves. */
export interface Attribution {
  /** What all fills and payments came to, with what is held at the last price: capital and this are the final equity. */
  readonly pnl: Amount;
  readonly sleeves: readonly Part[];
  readonly instruments: readonly Part[];
  /** Money of no sleeve: funding that came when nothing was held any more. */
  readonly unallocated: Amount;
}

/** `marks` by instrument. What is held of an instrument that has no price is worth what it was entered at. */
export function attribution(ledger: TradeLedger, marks: readonly Marks[]): Attribution {
  const sleeves = new Map(ledger.sleeves.map((sleeve) => [sleeve.name, new Gathering()]));
  const instruments = ledger.instruments.map(() => new Gathering());
  const prices = lastPrices(ledger, marks);
  for (const trade of ledger.trades()) {
    sleeves.get(trade.sleeve)?.close(trade);
    instruments[trade.instrument]?.close(trade);
    instruments[trade.instrument]?.count(signOf(trade.pnl) > 0);
  }
  for (const trip of roundTrips(ledger)) sleeves.get(trip.sleeve)?.count(trip.pnl > 0);
  for (const [trade, value] of valued(ledger.openTrades(), prices)) {
    sleeves.get(trade.sleeve)?.hold(trade, value);
    instruments[trade.instrument]?.hold(trade, value);
  }
  const symbolOf = (instrument: number): string => ledger.instruments[instrument]?.symbol ?? '';
  return {
    pnl: wholePnl(ledger, prices),
    sleeves: ledger.sleeves.map(({ name, instruments: traded }) =>
      (sleeves.get(name) ?? new Gathering()).part(name, traded.map(symbolOf), ZERO_AMOUNT),
    ),
    instruments: instruments.map((gathered, instrument) =>
      gathered.part(symbolOf(instrument), [symbolOf(instrument)], ledger.unallocatedOf(instrument)),
    ),
    unallocated: ledger.unallocated,
  };
}

/** What a sleeve or an instrument comes to, trade by trade. */
class Gathering {
  #trades = 0;
  #wins = 0;
  #realised = ZERO_AMOUNT;
  #unrealised = ZERO_AMOUNT;
  #fees = ZERO_AMOUNT;
  #funding = ZERO_AMOUNT;
  #slippage = 0;

  close(trade: ClosedTrade): void {
    this.#realised = add(this.#realised, trade.pnl);
    this.#spend(trade);
  }

  hold(trade: OpenTrade, value: Amount): void {
    this.#unrealised = add(this.#unrealised, add(trade.cash, value));
    this.#spend(trade);
  }

  count(isWin: boolean): void {
    this.#trades++;
    if (isWin) this.#wins++;
  }

  #spend({ fees, funding, slippage }: ClosedTrade | OpenTrade): void {
    this.#fees = add(this.#fees, fees);
    this.#funding = add(this.#funding, funding);
    this.#slippage += slippage;
  }

  part(name: string, symbols: readonly string[], unallocated: Amount): Part {
    const realised = add(this.#realised, unallocated);
    return {
      name,
      symbols,
      trades: this.#trades,
      wins: this.#wins,
      realised,
      unrealised: this.#unrealised,
      pnl: add(realised, this.#unrealised),
      fees: this.#fees,
      funding: this.#funding,
      slippage: this.#slippage,
    };
  }
}

/** By instrument. */
function lastPrices(ledger: TradeLedger, marks: readonly Marks[]): Price[] {
  const open = ledger.openTrades();
  return ledger.instruments.map((_, instrument) => {
    const last = marks[instrument]?.last ?? NaN;
    if (Number.isFinite(last)) return priceFrom(last, ZERO_PRICE, 'nearest');
    return open.find((trade) => trade.instrument === instrument)?.entryPrice ?? ZERO_PRICE;
  });
}

/** What each open trade holds is worth. Of an instrument the net is valued, and the last trade gets what the others leave. */
function valued(open: readonly OpenTrade[], prices: readonly Price[]): [OpenTrade, Amount][] {
  return open.map((trade) => {
    const own = prices[trade.instrument] ?? ZERO_PRICE;
    const owners = open.filter((other) => other.instrument === trade.instrument);
    if (trade !== owners.at(-1)) return [trade, notional(own, trade.held)];
    let net = ZERO_QUANTITY;
    let others = ZERO_AMOUNT;
    for (const other of owners) {
      net = add(net, other.held);
      if (other !== trade) others = add(others, notional(own, other.held));
    }
    return [trade, subtract(notional(own, net), others)];
  });
}

/** From the account's own fills and payments, which know nothing of sleeves and trades. */
function wholePnl(ledger: TradeLedger, prices: readonly Price[]): Amount {
  const net: Quantity[] = prices.map(() => ZERO_QUANTITY);
  let pnl = subtract(ledger.funding, ledger.fees);
  for (const { instrument, side, price: paid, quantity } of ledger.fills()) {
    const change = side === 'sell' ? negate(quantity) : quantity;
    net[instrument] = add(net[instrument] ?? ZERO_QUANTITY, change);
    pnl = subtract(pnl, notional(paid, change));
  }
  prices.forEach((last, instrument) => {
    pnl = add(pnl, notional(last, net[instrument] ?? ZERO_QUANTITY));
  });
  return pnl;
}
