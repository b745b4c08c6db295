// `ballast simulate-venue`: the simulated venue spoken over Bybit's protocol, alone, for any client.
import { createHash } from 'node:crypto';
import { amount } from '../domain/decimal.ts';
import type { TimeMs } from '../domain/time.ts';
import type { AccountSettings } from '../venues/bybit-server/account-surroundings.ts';
import { Exchange } from '../venues/bybit-server/exchange.ts';
import { BybitServer } from '../venues/bybit-server/server.ts';
import { holdPort } from '../venues/bybit-server/transport.ts';
import { loadConfig, type Config } from './config.ts';
import { HISTORY_MS, syntheticToServe, tapeToServe, type MarketToServe } from './served-market.ts';
import { rulesFrom } from './session-parts.ts';

export interface SimulateVenueRequest {
  readonly home: string;
  readonly configFile?: string | undefined;
  /** `synthetic`, or a run by id or path, whose tape is served. */
  readonly source: string;
  readonly port: number;
  readonly speed: number;
  readonly seed: number;
  /** Of the synthetic market; the config's `paper.symbols` unless said. */
  readonly symbols?: readonly string[] | undefined;
  /** How many accounts there are. */
  readonly accounts: number;
  /** Of each, in quote currency. */
  readonly capital: string;
  /** Faults from the start, by the seed. */
  readonly hasFaults: boolean;
  /** What a session looks back on; some hours unless said. */
  readonly historyMs?: TimeMs | undefined;
}

export interface VenueAccess {
  readonly name: string;
  readonly key: string;
  readonly secret: string;
}

export interface SimulatedBybit {
  /** `http://127.0.0.1:8099` */
  readonly address: string;
  readonly accounts: readonly VenueAccess[];
  /** Bybit's spelling. */
  readonly symbols: readonly string[];
  /** Market time at which it began. */
  readonly from: TimeMs;
  readonly server: BybitServer;
  close(): Promise<void>;
}

const FIRST_UID = 100_000_001;

/** Listens on loopback. @throws BallastError */
export async function simulateVenue(request: SimulateVenueRequest): Promise<SimulatedBybit> {
  const config = loadConfig({ home: request.home, file: request.configFile });
  const door = await holdPort(request.port);
  try {
    const accounts = Array.from({ length: request.accounts }, (_, index) => accountOf(request.seed, index, request.capital));
    const { server, from } = serverOf(request, config, accounts);
    door.open(server, request.speed);
    return {
      address: door.address,
      accounts: accounts.map(({ name, key, secret }) => ({ name, key, secret })),
      symbols: server.exchange.listings.map(({ symbol }) => symbol),
      from,
      server,
      close: () => door.close(),
    };
  } catch (error) {
    await door.close();
    throw error;
  }
}

function serverOf(
  request: SimulateVenueRequest,
  config: Config,
  accounts: readonly AccountSettings[],
): { server: BybitServer; from: TimeMs } {
  const { seed, hasFaults, source } = request;
  const { market, from } = marketOf(request, config.paper.symbols);
  const { margin: _margin, ...rules } = rulesFrom(config.venue);
  const exchange = new Exchange({ market, accounts, from, seed, slippageRatio: config.venue.slippageRatio, rules });
  // The history took its time to make; the clients' clocks went on.
  if (source === 'synthetic') exchange.advance(Date.now());
  return { server: new BybitServer({ exchange, seed, hasFaults }), from };
}

/** The synthetic market begins now, so that its time is the clients'. */
function marketOf(
  { home, source, seed, symbols, historyMs = HISTORY_MS }: SimulateVenueRequest,
  defaults: readonly string[],
): MarketToServe {
  if (source !== 'synthetic') return tapeToServe(home, source);
  return syntheticToServe({ seed, symbols: symbols ?? defaults, from: Date.now(), historyMs });
}

/** Keys of a seed are always the same, so that a client's settings outlive a restart. */
function accountOf(seed: number, index: number, capital: string): AccountSettings {
  const secretly = (what: string): string => createHash('sha256').update(`ballast ${seed} ${index} ${what}`).digest('hex');
  return {
    name: `account-${index + 1}`,
    uid: FIRST_UID + index,
    key: secretly('key').slice(0, 18),
    secret: secretly('secret').slice(0, 36),
    capital: amount(capital),
  };
}
