// `ballast keys check`: the key and the account of a venue, looked at and not touched.
import { openBybitAccount } from '../venues/ccxt/bybit-account.ts';
import type { Site } from '../venues/ccxt/credentials.ts';
import { Random } from '../quant/random.ts';
import { loadConfig } from './config.ts';
import { keyFindings, type KeyFinding } from './key-findings.ts';
import { kindsOf } from './live.ts';
import { unfilteredInstrument } from './recipe.ts';
import { mustBePrivate } from './secrets.ts';
import { systemTimers } from './system-timers.ts';

export interface CheckKeysRequest {
  readonly home: string;
  readonly configFile?: string | undefined;
  readonly site: Site;
  readonly address?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly symbols?: readonly string[] | undefined;
}

export interface KeyReport {
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
export async function checkKeys({ home, configFile, site, address, environment, symbols }: CheckKeysRequest): Promise<KeyReport> {
  mustBePrivate(home);
  const asked = symbols ?? loadConfig({ home, file: configFile }).paper.symbols;
  const random = new Random(Math.floor(Math.random() * 2 ** 32));
  const account = await openBybitAccount({ site, environment, address, timers: systemTimers, random });
  try {
    const facts = await account.facts();
    const findings = keyFindings(facts, kindsOf(asked), Date.now());
    const held = await account.positions(asked.map((symbol) => unfilteredInstrument('bybit', symbol, '--symbols')));
    const balances = [...(await account.wallet())].filter(([, balance]) => balance !== 0);
    return {
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
