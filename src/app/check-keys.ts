// `ballast keys check`: the key and the account of a venue, looked at and not touched.
import type { Site } from '../venues/ccxt/credentials.ts';
import { loadConfig } from './config.ts';
import { keyFindings, type KeyFinding } from './key-findings.ts';
import { kindsOf } from './live.ts';
import { openLiveVenue } from './live-venue.ts';
import { unfilteredInstrument } from './recipe.ts';
import { mustBePrivate } from './secrets.ts';

export interface CheckKeysRequest {
  readonly home: string;
  readonly configFile?: string | undefined;
  /** `bybit`, or ccxt's id of another. */
  readonly venue: string;
  readonly site: Site;
  readonly isKeyVouchedFor: boolean;
  readonly address?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly symbols?: readonly string[] | undefined;
}

export interface KeyReport {
  readonly venue: string;
  readonly site: Site;
  /** The venue's own number of it. */
  readonly account: string;
  readonly mayTrade: boolean;
  readonly findings: readonly KeyFinding[];
  /** By coin; only what there is of it. */
  readonly balances: Readonly<Record<string, number>>;
  /** Held in the symbols that were asked about. */
  readonly positions: readonly { readonly symbol: string; readonly quantity: string }[];
}

/** @throws BallastError SECRETS_EXPOSED, CREDENTIALS_MISSING, KEY_REFUSED, VENUE_UNREACHABLE */
export async function checkKeys({ home, configFile, symbols, address, ...where }: CheckKeysRequest): Promise<KeyReport> {
  mustBePrivate(home);
  const asked = symbols ?? loadConfig({ home, file: configFile }).paper.symbols;
  const { venue, site } = where;
  const kinds = kindsOf(asked);
  const { account } = await openLiveVenue({ ...where, address, kinds });
  try {
    const facts = await account.facts();
    const findings = keyFindings(facts, kinds, Date.now());
    const held = await account.positions(asked.map((symbol) => unfilteredInstrument(venue, symbol, '--symbols')));
    const balances = [...(await account.wallet())].filter(([, balance]) => balance !== 0);
    return {
      venue,
      site,
      account: facts.uid,
      mayTrade: findings.every(({ verdict }) => verdict !== 'wrong'),
      findings,
      balances: Object.fromEntries(balances),
      positions: held.flatMap(({ symbol, quantity }) => (quantity === '0' ? [] : [{ symbol, quantity }])),
    };
  } finally {
    account.close();
  }
}
