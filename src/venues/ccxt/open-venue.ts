// A venue of the world outside, ready to be started: ccxt is loaded, keys are read, and the instruments are as the venue lists them now.
import { BallastError } from '../../domain/errors.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { BybitVenue, defaultBybitVenueSettings, type BybitVenueParts, type BybitVenueSettings } from './bybit-venue.ts';
import { listedFrom, wireSymbol, type Listed } from './bybit-orders.ts';
import { instrumentRowSchema, listSchema, wrongWith } from './bybit-rows.ts';
import { loadBybitTrader } from './client.ts';
import { credentialsFrom, redactor, type Site } from './credentials.ts';
import { Requests } from './requests.ts';
import { BybitMarket, type BybitMarketParts } from './bybit-market.ts';
import { openBybitWire, openPublicWire } from './transport.ts';
import { bybit } from './wire.ts';

export interface OpenVenueOptions extends Omit<BybitVenueParts, 'listed' | 'wire' | 'settings' | 'redact'> {
  readonly site: Site;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  readonly settings?: Partial<BybitVenueSettings>;
  readonly signal: AbortSignal;
}

/** @throws BallastError CREDENTIALS_MISSING, SYMBOL_UNLISTED, VENUE_UNREACHABLE, VENUE_BUSY, VENUE_REFUSED, VENUE_ANSWER_MALFORMED */
export async function openBybitVenue({
  site,
  environment,
  address,
  settings: asked,
  signal,
  ...parts
}: OpenVenueOptions): Promise<BybitVenue> {
  const settings = { ...defaultBybitVenueSettings, ...asked };
  const credentials = credentialsFrom(environment, site);
  const { instruments, timers, onNotice } = parts;
  const requests = new Requests({ wire: bybit, timers, signal, onNotice });
  const kinds = new Set(instruments.map(({ kind }) => kind));
  const { client, addresses } = await loadBybitTrader({
    credentials,
    site,
    address,
    recvWindowMs: settings.recvWindowMs,
    marketTypes: [...kinds],
    fetch: (url, { headers }) => requests.get(url, headers),
  });
  const wire = openBybitWire({ client, credentials, addresses });
  const listed: Listed[] = [];
  for (const [index, instrument] of instruments.entries()) {
    const { url } = client.sign('v5/market/instruments-info', 'public', 'GET', {
      category: instrument.kind,
      symbol: wireSymbol(instrument),
    }) as {
      readonly url: string;
    };
    listed.push(await listing(instrument, index, await requests.get(url, {})));
  }
  return new BybitVenue({ ...parts, listed, wire, settings, redact: redactor(credentials) });
}

export interface OpenMarketOptions extends Omit<BybitMarketParts, 'wire' | 'deadlineMs' | 'pingMs'> {
  readonly site: Site;
  readonly address: string | undefined;
}

/** The public streams: no key is needed, and none is read. Nothing is asked before it is started. */
export async function openBybitMarket({ site, address, ...parts }: OpenMarketOptions): Promise<BybitMarket> {
  const { recvWindowMs, deadlineMs, pingMs } = defaultBybitVenueSettings;
  const nobodyAsks = (): Promise<never> => Promise.reject(new Error('broken invariant: ccxt asks for nothing by itself'));
  const { client, addresses } = await loadBybitTrader({
    credentials: undefined,
    site,
    address,
    recvWindowMs,
    marketTypes: [],
    fetch: nobodyAsks,
  });
  return new BybitMarket({ ...parts, wire: openPublicWire({ client, addresses }), deadlineMs, pingMs });
}

async function listing(instrument: Instrument, index: number, response: Response): Promise<Listed> {
  const place = `bybit ${instrument.symbol}`;
  const { result } = (await response.json()) as { readonly result: unknown };
  const row = listSchema.parse(result).list[0];
  if (row === undefined) {
    throw new BallastError({ code: 'SYMBOL_UNLISTED', place, found: 'no such market', expected: 'a market of bybit', exitCode: 2 });
  }
  const read = instrumentRowSchema.safeParse(row);
  if (read.success) return listedFrom(read.data, index, instrument.kind);
  throw new BallastError({ code: 'VENUE_ANSWER_MALFORMED', place, found: wrongWith(read.error), expected: 'tick, lot and least quantity' });
}
