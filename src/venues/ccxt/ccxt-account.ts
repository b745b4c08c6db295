// An account of any venue that ccxt knows, before anything is traded on it: what its key may do, where the venue says so, what it holds, and how
// it is set up. Everything in here may be asked twice: questions, and settings that are the same after the second time.
import { createHash } from 'node:crypto';
import type { Exchange } from 'ccxt';
import { z } from 'zod';
import { format, isZero, toNumber } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import { parseSymbol, type Instrument, type InstrumentKind } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { HOUR_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { USUAL_FUNDING_RATE, type AccountSetUp, type HeldPosition } from './bybit-account.ts';
import { wrongWith } from './bybit-rows.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { readBalances, readPosition } from './ccxt-rows.ts';
import { defaultCcxtVenueSettings } from './ccxt-venue.ts';
import { loadAnyTrader } from './client.ts';
import { anyCredentialsFrom, redactor, type Credentials, type Site } from './credentials.ts';
import { listedOf } from './open-ccxt-venue.ts';
import { fetchWhole } from './transport.ts';

/** What a key may do, as the venue says it. */
export interface KeyRights {
  /** Kinds of markets in which it may trade. */
  readonly trades: readonly InstrumentKind[];
  /** Rights to move money away, by the venue's names: none of them is needed. */
  readonly moves: readonly string[];
  /** Whether only some addresses may use it; undefined where the venue does not say. */
  readonly isBound: boolean | undefined;
}

export interface CcxtKeyFacts {
  /** ccxt's id of the venue. */
  readonly exchange: string;
  /** Of the account; where the venue does not say it, one that is made of the key. */
  readonly uid: string;
  readonly isUidOfKey: boolean;
  /** Undefined where the venue does not say them, or ccxt does not ask. */
  readonly rights: KeyRights | undefined;
  /** Rights that nobody can read are vouched for by the operator. */
  readonly isVouchedFor: boolean;
  /** By how much the venue's clock is ahead of this machine's. */
  readonly clockAheadMs: number;
}

export interface OpenCcxtAccountOptions {
  /** ccxt's id: `binance`, `binanceusdm`, `coinbase`, … */
  readonly exchange: string;
  readonly site: Site;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  /** The operator says that the key may trade and nothing else. */
  readonly isVouchedFor: boolean;
  readonly kinds: readonly InstrumentKind[];
  readonly timers: Timers;
  /** Wall time, UTC. */
  readonly now: () => TimeMs;
  readonly random: Random;
}

/** The venue may be slow, or have a bad moment. */
const MOST_ATTEMPTS = 6;

/** Nothing is asked yet. @throws BallastError VENUE_UNKNOWN, SITE_UNKNOWN, CREDENTIALS_MISSING */
export async function openCcxtAccount(options: OpenCcxtAccountOptions): Promise<CcxtAccount> {
  const { exchange, site, environment, address, kinds } = options;
  const end = new AbortController();
  const { recvWindowMs, deadlineMs } = defaultCcxtVenueSettings;
  const settings = { address, recvWindowMs, marketTypes: [...new Set(kinds)], site };
  const fetch: Parameters<typeof loadAnyTrader>[1]['fetch'] = async (url, { headers, method = 'GET', body }) => {
    const answer = await fetchWhole(new URL(url), headers, deadlineMs, end.signal, { method, body });
    return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: answer.headers });
  };
  // A venue that nobody knows is said before keys of it are asked for.
  await loadAnyTrader(exchange, { ...settings, fetch, credentials: undefined });
  const credentials = anyCredentialsFrom(environment, exchange, site);
  const client = await loadAnyTrader(exchange, { ...settings, fetch, credentials });
  return new CcxtAccount(client, credentials, options, end);
}

const id = z.union([z.string().min(1), z.int()]).transform(String);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const binanceKeySchema = z.object({
  ipRestrict: flag,
  enableWithdrawals: flag,
  enableInternalTransfer: flag.default(false),
  permitsUniversalTransfer: flag.default(false),
  enableSpotAndMarginTrading: flag.default(false),
  enableFutures: flag.default(false),
});
const binanceAccountSchema = z.object({ uid: id });
const coinbaseKeySchema = z.object({ can_trade: flag, can_transfer: flag, portfolio_uuid: z.string().min(1) });
const feeSchema = z.object({ taker: z.coerce.number(), maker: z.coerce.number() });
const positionModeSchema = z.object({ hedged: z.boolean() });
const newestBarSchema = z.tuple([z.int()]).rest(z.unknown());

export class CcxtAccount {
  readonly #client: Exchange;
  readonly #options: OpenCcxtAccountOptions;
  readonly #credentials: Credentials;
  readonly #redact: (words: string) => string;
  readonly #end: AbortController;
  #aheadMs = 0;

  constructor(client: Exchange, credentials: Credentials, options: OpenCcxtAccountOptions, end: AbortController) {
    this.#client = client;
    this.#credentials = credentials;
    this.#options = options;
    this.#redact = redactor(credentials);
    this.#end = end;
  }

  close(): void {
    this.#end.abort();
  }

  /** @throws BallastError KEY_REFUSED, VENUE_UNREACHABLE, VENUE_REFUSED, VENUE_ANSWER_MALFORMED */
  async facts(): Promise<CcxtKeyFacts> {
    const client = this.#client;
    await this.#ask('its markets', () => client.loadMarkets(true));
    // Before what is signed, so that that carries the venue's time.
    if (client.has['fetchTime'] === true) {
      const { now } = this.#options;
      const askedAt = now();
      const at = await this.#ask('its time', () => client.fetchTime());
      this.#aheadMs = at === undefined ? 0 : at - (askedAt + now()) / 2;
      await this.#ask('its time', () => client.loadTimeDifference());
    }
    // Whatever the venue says of a key, one that it does not know ends here.
    await this.#ask('the balances', () => client.fetchBalance());
    const { uid, rights } = await this.#key();
    const { key } = this.#credentials;
    return {
      exchange: client.id,
      uid: uid ?? `key-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`,
      isUidOfKey: uid === undefined,
      rights,
      isVouchedFor: this.#options.isVouchedFor,
      clockAheadMs: this.#aheadMs,
    };
  }

  async #key(): Promise<{ readonly uid: string | undefined; readonly rights: KeyRights | undefined }> {
    const { exchange, site } = this.#options;
    if (exchange === 'coinbase') {
      const { can_trade, can_transfer, portfolio_uuid } = await this.#raw('v3PrivateGetBrokerageKeyPermissions', coinbaseKeySchema);
      const rights: KeyRights = {
        trades: can_trade ? ['spot', 'linear'] : [],
        moves: can_transfer ? ['can_transfer'] : [],
        isBound: undefined,
      };
      return { uid: portfolio_uuid, rights };
    }
    // The sites for trying things out do not have these questions.
    if ((exchange !== 'binance' && exchange !== 'binanceusdm') || site !== 'main') return { uid: undefined, rights: undefined };
    const key = await this.#raw('sapiGetAccountApiRestrictions', binanceKeySchema);
    const { uid } = await this.#raw('privateGetAccount', binanceAccountSchema);
    const moves = (['enableWithdrawals', 'enableInternalTransfer', 'permitsUniversalTransfer'] as const).filter((right) => key[right]);
    const trades: InstrumentKind[] = [
      ...(key.enableSpotAndMarginTrading ? (['spot'] as const) : []),
      ...(key.enableFutures ? (['linear'] as const) : []),
    ];
    return { uid, rights: { trades, moves, isBound: key.ipRestrict } };
  }

  /** With the venue's filters and this account's fees. @throws BallastError SYMBOL_UNLISTED, VENUE_LACKS and those of `facts` */
  async instruments(symbols: readonly string[]): Promise<readonly Instrument[]> {
    const parsed = symbols.map((symbol) => ({ symbol, ...parseSymbol(symbol, '--symbols') }));
    const listed = await listedOf(this.#client, parsed, { ...this.#options, redact: this.#redact });
    const made: Instrument[] = [];
    for (const [index, { symbol, ...parts }] of parsed.entries()) {
      const { tick, lot, minimumQuantity, minimumNotional, hasStops } = listed[index] ?? this.#unlisted(symbol);
      const market = this.#client.market(symbol);
      const isLinear = parts.kind === 'linear';
      if (isLinear && (market.linear !== true || market.swap !== true)) this.#unlisted(symbol);
      if (isLinear && !hasStops) {
        throw new BallastError({
          code: 'VENUE_LACKS',
          place: `${this.#client.id} ${symbol}`,
          found: 'no stop orders, as far as ccxt knows',
          expected: 'stops that can rest at the venue',
          remedy: 'trade a perpetual at another venue: one that is held with leverage is not left without a stop',
          exitCode: 2,
        });
      }
      const fees =
        this.#client.has['fetchTradingFee'] === true
          ? await this.#ask(`the fees of ${symbol}`, () => this.#client.fetchTradingFee(symbol))
          : market;
      const { taker: takerFeeRate, maker: makerFeeRate } = this.#read(feeSchema, fees, `the fees of ${symbol}`);
      made.push({
        venue: this.#client.id,
        symbol,
        ...parts,
        tick,
        lot,
        minimumQuantity,
        minimumNotional,
        takerFeeRate,
        makerFeeRate,
        // For estimates: what is paid is in the balance.
        fundingRate: isLinear ? USUAL_FUNDING_RATE : 0,
        fundingIntervalMs: isLinear ? 8 * HOUR_MS : 0,
      });
    }
    return made;
  }

  #unlisted(symbol: string): never {
    const place = `${this.#client.id} ${symbol}`;
    throw new BallastError({
      code: 'SYMBOL_UNLISTED',
      place,
      found: 'no such market',
      expected: 'a spot market, or a linear perpetual',
      exitCode: 2,
    });
  }

  /** What time it is in the market: of a venue that plays another time than this machine's, when its newest bar opened. */
  async marketNow({ symbol }: Instrument): Promise<TimeMs> {
    const rows = await this.#ask('bars', () => this.#client.fetchOHLCV(symbol, '1m', undefined, 1));
    const newest = rows.map((row) => this.#read(newestBarSchema, row, 'a bar')[0]);
    return Math.max(...newest, Math.floor(this.#options.now() + this.#aheadMs));
  }

  /** Balances by coin, for words. */
  async wallet(): Promise<ReadonlyMap<string, number>> {
    const balances = await this.#ask('the balances', () => this.#client.fetchBalance());
    return new Map([...this.#judged('the balances', () => readBalances(balances))].map(([coin, held]) => [coin, toNumber(held)]));
  }

  /** Linear instruments; those that are flat may be missing. */
  async positions(instruments: readonly Instrument[]): Promise<readonly HeldPosition[]> {
    const client = this.#client;
    const linear = instruments.filter(({ kind }) => kind === 'linear');
    if (linear.length === 0) return [];
    const listed = await listedOf(client, linear, { ...this.#options, redact: this.#redact });
    const held: HeldPosition[] = [];
    const rows = await this.#ask('the positions', () => client.fetchPositions(linear.map(({ symbol }) => symbol)));
    for (const { symbol } of linear) {
      const mode =
        client.has['fetchPositionMode'] === true
          ? await this.#ask(`the position mode of ${symbol}`, () => client.fetchPositionMode(symbol))
          : { hedged: false };
      const isHedge = this.#read(positionModeSchema, mode, `the position mode of ${symbol}`).hedged;
      const size = listed.find(({ unified }) => unified === symbol)?.contractSize;
      const row = rows.find((each) => each.symbol === symbol);
      const quantity =
        row === undefined || size === undefined ? undefined : this.#judged('a row of positions', () => readPosition(row, size)).held;
      held.push({ symbol, isHedge, quantity: quantity === undefined || isZero(quantity) ? '0' : format(quantity) });
    }
    return held;
  }

  /** Asks for what the session wants of the account. @returns that nobody guards it, and what was not done, in words */
  async setUp(instruments: readonly Instrument[], { margin, leverage, deadManMs }: AccountSetUp) {
    const client = this.#client;
    const refusals: string[] = [];
    const set = async (what: string, method: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        if (client.has[method] === true) await work();
        else refusals.push(`${what}: ${client.id} has no such setting`);
      } catch (error) {
        const judged = judgeFailure(error, this.#redact);
        refusals.push(`${what}: ${'words' in judged ? judged.words : judged.kind}`);
      }
    };
    for (const { symbol, kind } of instruments) {
      if (kind !== 'linear') continue;
      if (margin !== undefined) await set(`${margin} margin of ${symbol}`, 'setMarginMode', () => client.setMarginMode(margin, symbol));
      if (leverage !== undefined) await set(`leverage ${leverage} of ${symbol}`, 'setLeverage', () => client.setLeverage(leverage, symbol));
    }
    if (deadManMs !== undefined)
      refusals.push('the dead man’s switch: none is asked for here, and orders that rest stay when this process is not heard any more');
    return { isGuarded: false, refusals };
  }

  /** An endpoint that ccxt knows and has no word of its own for. */
  async #raw<Schema extends z.ZodType>(method: string, schema: Schema): Promise<z.output<Schema>> {
    const call: unknown = Reflect.get(this.#client, method);
    if (typeof call !== 'function') throw new Error(`broken invariant: ccxt has ${method}`);
    const answer: unknown = await this.#ask(method, async () => (await Reflect.apply(call, this.#client, [{}])) as unknown);
    return this.#read(schema, answer, method);
  }

  #read<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
    return this.#judged(what, () => schema.parse(value));
  }

  #judged<Value>(what: string, reader: () => Value): Value {
    try {
      return reader();
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      throw new BallastError({
        code: 'VENUE_ANSWER_MALFORMED',
        place: this.#client.id,
        found: `${what} with ${this.#redact(wrongWith(error))}`,
        expected: 'what ccxt makes of an answer of this venue',
      });
    }
  }

  /** Again where nobody knows. @throws BallastError KEY_REFUSED, VENUE_UNREACHABLE, VENUE_REFUSED */
  async #ask<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    const { timers, random } = this.#options;
    const place = `${this.#client.id}, ${what}`;
    let words = '';
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      try {
        return await work();
      } catch (error) {
        const judged = judgeFailure(error, this.#redact);
        words = 'words' in judged ? judged.words : judged.kind;
        if (judged.kind === 'unauthorised') {
          throw new BallastError({
            code: 'KEY_REFUSED',
            place,
            found: words,
            expected: 'a key that the venue knows',
            remedy: 'the key, its secret, its addresses or the site are wrong; each site has keys of its own',
          });
        }
        if (judged.kind !== 'unknown') throw new BallastError({ code: 'VENUE_REFUSED', place, found: words, expected: 'an answer' });
      }
      await timers.sleep(pauseAfter(attempt, random));
    }
    throw new BallastError({
      code: 'VENUE_UNREACHABLE',
      place,
      found: words,
      expected: `an answer within ${MOST_ATTEMPTS} attempts`,
    });
  }
}
