// An account of Bybit before anything is traded on it: what its key may do, what it holds, and how it is set up. Everything in here may be asked
// twice: questions, and settings that are the same after the second time.
import { z } from 'zod';
import { format, isZero, toNumber } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import { parseSymbol, type Instrument } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { defaultBybitVenueSettings } from './bybit-venue.ts';
import { listedFrom, wireSymbol, type Parameters } from './bybit-orders.ts';
import { instrumentRowSchema, listSchema, positionRowSchema, walletRowSchema, wrongWith } from './bybit-rows.ts';
import { Calls, type Outcome } from './calls.ts';
import { ClockSkew } from './clock-skew.ts';
import { loadBybitTrader } from './client.ts';
import { credentialsFrom, redactor, type Site } from './credentials.ts';
import { openBybitWire } from './transport.ts';
import { PRIORITY } from './turns.ts';
import type { VenueWire } from './venue-wire.ts';

/** What a key is and may do, as the venue says it. */
export interface KeyFacts {
  /** Of the account: the same for all of its keys. */
  readonly uid: string;
  readonly isReadOnly: boolean;
  /** By group, such as `ContractTrade: [Order, Position]`. */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  /** Addresses that may use it; empty where any may. */
  readonly addresses: readonly string[];
  /** Undefined where it does not expire. */
  readonly expiresAt: TimeMs | undefined;
  readonly isUnified: boolean;
  /** `REGULAR_MARGIN` is cross. */
  readonly marginMode: string;
  /** By how much the venue's clock is ahead of this machine's. */
  readonly clockAheadMs: number;
}

/** Of a linear instrument. */
export interface HeldPosition {
  readonly symbol: string;
  readonly isHedge: boolean;
  /** Signed, for words. */
  readonly quantity: string;
}

export interface AccountSetUp {
  /** Undefined leaves it as it is. */
  readonly margin: 'cross' | 'isolated' | undefined;
  readonly leverage: number | undefined;
  /** After how long without this process the venue cancels its orders; undefined asks for nothing. */
  readonly deadManMs: TimeMs | undefined;
}

const keySchema = z.object({
  userID: z.union([z.string(), z.int()]).transform(String),
  readOnly: z.union([z.int(), z.boolean()]).transform((value) => value === 1 || value === true),
  permissions: z.record(
    z.string(),
    z
      .array(z.string())
      .nullable()
      .transform((list) => list ?? []),
  ),
  ips: z
    .array(z.string())
    .default([])
    .transform((list) => list.filter((address) => address !== '*' && address !== '')),
  expiredAt: z
    .string()
    .default('')
    .transform((text) => (Number.isNaN(Date.parse(text)) ? undefined : Date.parse(text))),
  uta: z.int().default(0),
});
const rate = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .transform(Number);
const feeSchema = z.object({ takerFeeRate: rate, makerFeeRate: rate });
const fundingSchema = z.object({ fundingInterval: z.number().optional() });
/** What longs pay to shorts where nobody knows better: Bybit's usual rate. It is for estimates; what is paid is reported. */
export const USUAL_FUNDING_RATE = 0.0001;
const newestBarSchema = z
  .tuple([
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .rest(z.unknown());
const accountSchema = z.object({ marginMode: z.string(), unifiedMarginStatus: z.int() });

/** The venue may be slow, or have a bad moment. */
const MOST_ATTEMPTS = 6;
/** From here on an account is unified. */
const UNIFIED = 3;

export interface OpenAccountOptions {
  readonly site: Site;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  readonly timers: Timers;
  readonly random: Random;
}

/** Nothing is asked yet. @throws BallastError CREDENTIALS_MISSING */
export async function openBybitAccount({ site, environment, address, timers, random }: OpenAccountOptions): Promise<BybitAccount> {
  const credentials = credentialsFrom(environment, site);
  const { recvWindowMs, deadlineMs } = defaultBybitVenueSettings;
  const nobodyAsks = (): Promise<never> => Promise.reject(new Error('broken invariant: ccxt asks for nothing by itself'));
  const { client, addresses } = await loadBybitTrader({ credentials, site, address, recvWindowMs, marketTypes: [], fetch: nobodyAsks });
  const wire = openBybitWire({ client, credentials, addresses });
  return new BybitAccount({ wire, timers, random, deadlineMs, redact: redactor(credentials) });
}

export interface BybitAccountParts {
  readonly wire: VenueWire;
  readonly timers: Timers;
  readonly random: Random;
  readonly deadlineMs: number;
  readonly redact: (words: string) => string;
}

export class BybitAccount {
  readonly #parts: BybitAccountParts;
  readonly #calls: Calls;
  readonly #skew = new ClockSkew();

  constructor(parts: BybitAccountParts) {
    const { wire, timers, deadlineMs, redact } = parts;
    this.#parts = parts;
    this.#calls = new Calls({
      wire,
      timers,
      deadlineMs,
      redact,
      onTime: (venueAt, wallAt, roundTripMs) => {
        this.#skew.measured(timers.now(), venueAt - wallAt, roundTripMs);
        wire.setClock(Math.round(this.#skew.aheadMs));
      },
      onJudged: () => undefined,
    });
  }

  close(): void {
    this.#calls.close();
  }

  /** @throws BallastError KEY_REFUSED, VENUE_UNREACHABLE, VENUE_REFUSED, VENUE_ANSWER_MALFORMED */
  async facts(): Promise<KeyFacts> {
    // First, so that what is signed carries the venue's time.
    await this.#ask('GET', '/v5/market/time', {}, false);
    const key = this.#read(keySchema, await this.#ask('GET', '/v5/user/query-api', {}), 'a key');
    const account = this.#read(accountSchema, await this.#ask('GET', '/v5/account/info', {}), 'an account');
    return {
      uid: key.userID,
      isReadOnly: key.readOnly,
      permissions: key.permissions,
      addresses: key.ips,
      // A key that is bound to addresses has no end.
      expiresAt: key.ips.length > 0 ? undefined : key.expiredAt,
      isUnified: key.uta === 1 || account.unifiedMarginStatus >= UNIFIED,
      marginMode: account.marginMode,
      clockAheadMs: this.#skew.aheadMs,
    };
  }

  /** With the venue's filters and this account's fees. @throws BallastError SYMBOL_UNLISTED and those of `facts` */
  async instruments(symbols: readonly string[]): Promise<readonly Instrument[]> {
    const made: Instrument[] = [];
    for (const symbol of symbols) made.push(await this.#instrument(symbol));
    return made;
  }

  async #instrument(symbol: string): Promise<Instrument> {
    const parts = parseSymbol(symbol, '--symbols');
    const asked = { category: parts.kind, symbol: wireSymbol(parts) };
    const [listed] = this.#read(listSchema, await this.#ask('GET', '/v5/market/instruments-info', asked, false), 'instruments').list;
    if (listed === undefined) {
      throw new BallastError({
        code: 'SYMBOL_UNLISTED',
        place: `bybit ${symbol}`,
        found: 'no such market',
        expected: 'a market of bybit',
        exitCode: 2,
      });
    }
    const { tick, lot, minimumQuantity, minimumNotional } = listedFrom(this.#read(instrumentRowSchema, listed, symbol), 0, parts.kind);
    const { fundingInterval = 480 } = this.#read(fundingSchema, listed, symbol);
    const [fee] = this.#read(listSchema, await this.#ask('GET', '/v5/account/fee-rate', asked), 'fees').list;
    const { takerFeeRate, makerFeeRate } = this.#read(feeSchema, fee, `the fees of ${symbol}`);
    const isLinear = parts.kind === 'linear';
    return {
      venue: 'bybit',
      symbol,
      ...parts,
      tick,
      lot,
      minimumQuantity,
      minimumNotional,
      takerFeeRate,
      makerFeeRate,
      fundingRate: isLinear ? USUAL_FUNDING_RATE : 0,
      fundingIntervalMs: isLinear ? fundingInterval * MINUTE_MS : 0,
    };
  }

  /** What time it is in the market: of a venue that plays another time than this machine's, when its newest bar opened. */
  async marketNow(instrument: Instrument): Promise<TimeMs> {
    const parameters = { category: instrument.kind, symbol: wireSymbol(instrument), interval: '1', limit: 1 };
    const { list } = this.#read(listSchema, await this.#ask('GET', '/v5/market/kline', parameters, false), 'bars');
    const newest = this.#read(newestBarSchema, list[0] ?? ['0'], 'a bar');
    return Math.max(newest[0], Math.floor(this.#parts.wire.venueNow()));
  }

  /** Balances by coin, for words. */
  async wallet(): Promise<ReadonlyMap<string, number>> {
    const { list } = this.#read(listSchema, await this.#ask('GET', '/v5/account/wallet-balance', { accountType: 'UNIFIED' }), 'a wallet');
    const coins = list.flatMap((row) => this.#read(walletRowSchema, row, 'a row of the wallet').coin);
    return new Map(coins.map(({ coin, walletBalance }) => [coin, toNumber(walletBalance)]));
  }

  /** Linear instruments, the flat ones too. */
  async positions(instruments: readonly Instrument[]): Promise<readonly HeldPosition[]> {
    const held: HeldPosition[] = [];
    for (const instrument of instruments) {
      if (instrument.kind !== 'linear') continue;
      const parameters = { category: 'linear', symbol: wireSymbol(instrument) };
      const { list } = this.#read(listSchema, await this.#ask('GET', '/v5/position/list', parameters), 'positions');
      for (const raw of list) {
        const { side, size, positionIdx } = this.#read(positionRowSchema, raw, 'a row of positions');
        const quantity = isZero(size) ? '0' : `${side === 'Sell' ? '-' : ''}${format(size)}`;
        held.push({ symbol: instrument.symbol, isHedge: positionIdx !== 0, quantity });
      }
    }
    return held;
  }

  /**
   * Asks for what the session wants of the account. @returns whether the venue guards the session, and what it did not do, in words
   * @throws BallastError KEY_REFUSED, VENUE_UNREACHABLE
   */
  async setUp(instruments: readonly Instrument[], { margin, leverage, deadManMs }: AccountSetUp) {
    const refusals: string[] = [];
    const set = async (what: string, path: string, parameters: Parameters): Promise<boolean> => {
      const outcome = await this.#asked('POST', path, parameters);
      if (outcome.kind === 'answered' || outcome.kind === 'unchanged') return true;
      refusals.push(`${what}: ${'words' in outcome ? outcome.words : outcome.kind}`);
      return false;
    };
    if (margin !== undefined) {
      await set(`${margin} margin`, '/v5/account/set-margin-mode', {
        setMarginMode: `${margin === 'cross' ? 'REGULAR' : 'ISOLATED'}_MARGIN`,
      });
    }
    for (const instrument of instruments) {
      if (leverage === undefined || instrument.kind !== 'linear') continue;
      const text = String(leverage);
      const parameters = { category: 'linear', symbol: wireSymbol(instrument), buyLeverage: text, sellLeverage: text };
      await set(`leverage ${text} of ${instrument.symbol}`, '/v5/position/set-leverage', parameters);
    }
    let isGuarded = false;
    if (deadManMs !== undefined) {
      const timeWindow = Math.round(deadManMs / SECOND_MS);
      isGuarded = await set('the dead man’s switch', '/v5/order/disconnected-cancel-all', { timeWindow, product: 'DERIVATIVES' });
    }
    return { isGuarded, refusals };
  }

  #read<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    throw new BallastError({
      code: 'VENUE_ANSWER_MALFORMED',
      place: 'bybit',
      found: `${what} with ${this.#parts.redact(wrongWith(read.error))}`,
      expected: 'an answer of Bybit V5',
    });
  }

  async #ask(method: 'GET' | 'POST', path: string, parameters: Parameters, isPrivate = true): Promise<unknown> {
    const outcome = await this.#asked(method, path, parameters, isPrivate);
    if (outcome.kind === 'answered') return outcome.result;
    throw new BallastError({
      code: 'VENUE_REFUSED',
      place: `bybit ${path}`,
      found: 'words' in outcome ? outcome.words : outcome.kind,
      expected: 'an answer',
    });
  }

  /** Again where nobody knows. @throws BallastError KEY_REFUSED, VENUE_UNREACHABLE */
  async #asked(method: 'GET' | 'POST', path: string, parameters: Parameters, isPrivate = true): Promise<Outcome> {
    const { timers, random } = this.#parts;
    let words = '';
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      // What is set and what is asked are counted apart, here as at the venue.
      const budget = method === 'POST' ? 'stops' : isPrivate ? 'query' : 'market';
      const outcome = await this.#calls.ask({ method, path, parameters, isPrivate, budget, priority: PRIORITY.look });
      if (outcome.kind === 'unauthorised') {
        throw new BallastError({
          code: 'KEY_REFUSED',
          place: `bybit ${path}`,
          found: outcome.words,
          expected: 'a key that the venue knows',
          remedy: 'the key, its secret, its addresses or the site (main, testnet, demo) are wrong; each site has keys of its own',
        });
      }
      if (outcome.kind !== 'unknown') return outcome;
      words = outcome.words;
      await timers.sleep(pauseAfter(attempt, random));
    }
    throw new BallastError({
      code: 'VENUE_UNREACHABLE',
      place: `bybit ${path}`,
      found: words,
      expected: `an answer within ${MOST_ATTEMPTS} attempts`,
    });
  }
}
