// Where real orders go, as a live session needs it: Bybit by its own adapter, every other venue by what ccxt has of it.
import { BallastError } from '../domain/errors.ts';
import type { Instrument, InstrumentKind } from '../domain/instrument.ts';
import type { Source } from '../domain/ports.ts';
import { SECOND_MS, type TimeMs } from '../domain/time.ts';
import { Random } from '../quant/random.ts';
import { openBybitAccount, type AccountSetUp, type BybitAccount, type HeldPosition, type KeyFacts } from '../venues/ccxt/bybit-account.ts';
import type { BybitMarketParts } from '../venues/ccxt/bybit-market.ts';
import { openCcxtAccount, type CcxtAccount, type CcxtKeyFacts } from '../venues/ccxt/ccxt-account.ts';
import { defaultCcxtVenueSettings } from '../venues/ccxt/ccxt-venue.ts';
import type { BybitVenueSettings } from '../venues/ccxt/bybit-venue.ts';
import type { Site } from '../venues/ccxt/credentials.ts';
import { openCcxtMarket, openCcxtVenue } from '../venues/ccxt/open-ccxt-venue.ts';
import { openBybitMarket, openBybitVenue, type OpenVenueOptions } from '../venues/ccxt/open-venue.ts';
import type { Config } from './config-schema.ts';
import type { SessionVenue } from './session-parts.ts';
import { systemTimers } from './system-timers.ts';

/** The account before anything is traded on it. */
export interface LiveAccount {
  facts(): Promise<KeyFacts | CcxtKeyFacts>;
  instruments(symbols: readonly string[]): Promise<readonly Instrument[]>;
  marketNow(instrument: Instrument): Promise<TimeMs>;
  wallet(): Promise<ReadonlyMap<string, number>>;
  positions(instruments: readonly Instrument[]): Promise<readonly HeldPosition[]>;
  setUp(
    instruments: readonly Instrument[],
    wanted: AccountSetUp,
  ): Promise<{ readonly isGuarded: boolean; readonly refusals: readonly string[] }>;
  close(): void;
}

/** The venue while it is traded at. */
export interface TradedVenue extends SessionVenue, Source {
  readonly isReconciled: boolean;
  start(): void;
  stop(): void;
}

/** Its public prices. */
export interface LiveMarket {
  /** Everything of before was said. */
  readonly joined: Promise<void>;
  stop(): void;
}

export type LiveMarketParts = Omit<BybitMarketParts, 'wire' | 'deadlineMs' | 'pingMs' | 'timers' | 'random'>;
export type LiveVenueParts = Omit<OpenVenueOptions, 'site' | 'environment' | 'address' | 'timers' | 'random' | 'settings'> &
  Pick<BybitVenueSettings, 'orderEntry'>;

export interface LiveVenue {
  /** `bybit`, or ccxt's id. */
  readonly name: string;
  readonly site: Site;
  readonly account: LiveAccount;
  /** No stop can rest there: the session holds each one itself. */
  readonly holdsStops: boolean;
  /** What it has not that Bybit's adapter has, for a person. */
  readonly lacks: readonly string[];
  /** @throws BallastError VENUE_LACKS: of what is asked for it can do something not at all */
  mustServe(config: Config, hasBooks: boolean): void;
  openVenue(parts: LiveVenueParts): Promise<TradedVenue>;
  openMarket(parts: LiveMarketParts): Promise<LiveMarket>;
}

export interface LiveVenueRequest {
  /** `bybit`, or ccxt's id. */
  readonly venue: string;
  readonly site: Site;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The operator says that the key may trade and nothing else: for venues that do not say what a key may do. */
  readonly isKeyVouchedFor: boolean;
  /** Of what is to be traded. */
  readonly kinds: readonly InstrumentKind[];
}

/** Between two looks at the bars of a venue that is asked. */
const MARKET_POLL_MS = 2 * SECOND_MS;

export function wallRandom(): Random {
  return new Random(Math.floor(Math.random() * 2 ** 32));
}

/** Nothing is asked yet. @throws BallastError VENUE_UNKNOWN, SITE_UNKNOWN, CREDENTIALS_MISSING, VENUE_LACKS */
export async function openLiveVenue(request: LiveVenueRequest): Promise<LiveVenue> {
  return request.venue === 'bybit' ? openBybit(request) : openAny(request);
}

async function openBybit({ venue: name, site, environment, address, kinds }: LiveVenueRequest): Promise<LiveVenue> {
  const common = { site, address, timers: systemTimers };
  const account: BybitAccount = await openBybitAccount({ ...common, environment, random: wallRandom() });
  return {
    name,
    site,
    account,
    holdsStops: false,
    lacks: [],
    mustServe: () => mustHaveFeesInMoney(name, kinds),
    openVenue: ({ orderEntry, ...parts }) =>
      openBybitVenue({ ...common, environment, random: wallRandom(), settings: { orderEntry }, ...parts }),
    async openMarket(parts) {
      const market = await openBybitMarket({ ...common, random: wallRandom(), ...parts });
      market.start();
      return market;
    },
  };
}

async function openAny({ venue: name, site, environment, address, isKeyVouchedFor, kinds }: LiveVenueRequest): Promise<LiveVenue> {
  const common = { exchange: name, site, address, timers: systemTimers };
  const account: CcxtAccount = await openCcxtAccount({
    ...common,
    environment,
    isVouchedFor: isKeyVouchedFor,
    kinds,
    now: () => Date.now(),
    random: wallRandom(),
  });
  // On spot a stop that rests puts its coins aside, and what closes beside it would be refused for want of them.
  const holdsStops = kinds.includes('spot');
  return {
    name,
    site,
    account,
    holdsStops,
    lacks: lacksOf(name, holdsStops),
    mustServe(config, hasBooks) {
      mustHaveFeesInMoney(name, kinds);
      if (config.live.foreign === 'adopt')
        throw lacking(name, 'live.foreign: adopt', 'live.foreign: flag', 'what another hand trades is told here, and not taken over');
      if (config.live.orderEntry === 'socket')
        throw lacking(name, 'live.orderEntry: socket', 'live.orderEntry: rest', 'it is asked over REST alone');
      if (hasBooks)
        throw lacking(
          name,
          'a strategy that lives on books',
          'strategies on bars',
          'books are polled here, and one of two seconds ago is none',
        );
    },
    openVenue({
      orderEntry: _byAsking,
      foreign: _flagged,
      isGuarded: _never,
      disasterPrice: _attached,
      onOrder: _timed,
      capital,
      ...parts
    }) {
      const counted = FEES_IN_MONEY.has(name) && parts.instruments.every(({ kind }) => kind === 'spot');
      return openCcxtVenue({ ...common, environment, random: wallRandom(), ...parts, capital: counted ? capital : undefined });
    },
    async openMarket({ onMessage, onLost, onRestored, onNotice, since, warmsUp, timeframeMs, instruments }) {
      const end = new AbortController();
      const market = await openCcxtMarket({
        ...common,
        instruments,
        random: wallRandom(),
        now: () => Date.now(),
        deadlineMs: defaultCcxtVenueSettings.deadlineMs,
        signal: end.signal,
        timeframeMs,
        also: [],
        pollMs: MARKET_POLL_MS,
        since,
        warmsUp,
        onMessage,
        onBook: () => undefined,
        onQuote: () => undefined,
        onLost,
        onRestored,
        onNotice,
      });
      void market.run();
      return {
        joined: market.joined,
        stop() {
          market.stop();
          end.abort();
        },
      };
    },
  };
}

function lacksOf(name: string, holdsStops: boolean): readonly string[] {
  const pollMs = defaultCcxtVenueSettings.pollMs;
  return [
    `${name} is traded at by asking, without streams: a fill of an order that rests is heard up to ${pollMs / SECOND_MS} s late, a bar up to ${MARKET_POLL_MS / SECOND_MS} s after it has settled, and the price between bars is the last close`,
    holdsStops
      ? `no stop rests at ${name} on spot: this session holds every stop itself, and while its process is away NOTHING protects what is held`
      : `stops at ${name} do not come with the entry: each is sent once its first fill was heard, and does not move in place; a tighter one is held by this session`,
    `there is no dead man’s switch at ${name}: orders that rest stay when this process is not heard any more`,
    ...(holdsStops
      ? []
      : [
          `funding at ${name} is in its balance, and not in this run’s profit and loss; money that is paid in or taken out is not found there, and the run goes on with what it was given`,
        ]),
    `how late an order leaves is not measured at ${name}: live.latency is not looked at`,
  ];
}

/** Of spot, where what a purchase costs is taken in money and not in what was bought. */
const FEES_IN_MONEY: ReadonlySet<string> = new Set(['coinbase']);

/**
 * Elsewhere the account has less than what the run has booked, by the fee: what is left over after a close is too little to sell, is asked for
 * again with every bar, and halts the run.
 */
function mustHaveFeesInMoney(name: string, kinds: readonly InstrumentKind[]): void {
  if (!kinds.includes('spot') || FEES_IN_MONEY.has(name)) return;
  throw lacking(
    name,
    'a spot symbol',
    'linear perpetuals, such as BTC/USDT:USDT',
    `${name} takes the fee of a purchase on spot in the coin that was bought, and a run books it in money: it would hold more than the account, and what is left over could not be sold; on spot trade at coinbase`,
  );
}

function lacking(name: string, found: string, expected: string, why: string): BallastError {
  return new BallastError({
    code: 'VENUE_LACKS',
    place: `ballast live --venue ${name}`,
    found,
    expected,
    remedy: why,
    exitCode: 2,
  });
}
