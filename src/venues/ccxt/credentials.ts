// Keys of a venue. They come from the environment and go into headers, and nowhere else: no message, no file, no log holds them.
import { BallastError } from '../../domain/errors.ts';

/** Bybit itself, its testnet, or its demo account beside the real market. Each has keys of its own, so that one is never used for another. */
export type Site = 'main' | 'testnet' | 'demo';

export interface Credentials {
  readonly key: string;
  readonly secret: string;
}

/** After the venue's name in the names of the variables. */
const INFIX: Readonly<Record<Site, string>> = { main: '', testnet: 'TESTNET_', demo: 'DEMO_' };

/** @throws BallastError CREDENTIALS_MISSING */
export function credentialsFrom(environment: Readonly<Record<string, string | undefined>>, site: Site): Credentials {
  return credentialsNamed(environment, [`BYBIT_${INFIX[site]}API_KEY`, `BYBIT_${INFIX[site]}API_SECRET`], `bybit (${site})`);
}

/**
 * Of any venue that ccxt knows: `BINANCE_API_KEY`, `BINANCE_TESTNET_API_SECRET`. A key in PEM, as Coinbase gives it out, may stand on one line with
 * `\\n` between its own.
 * @throws BallastError CREDENTIALS_MISSING
 */
export function anyCredentialsFrom(
  environment: Readonly<Record<string, string | undefined>>,
  exchange: string,
  site: Site = 'main',
): Credentials {
  const prefix = `${exchange.toUpperCase()}_${INFIX[site]}`;
  const place = site === 'main' ? exchange : `${exchange} (${site})`;
  const { key, secret } = credentialsNamed(environment, [`${prefix}API_KEY`, `${prefix}API_SECRET`], place);
  return { key, secret: secret.startsWith('-----BEGIN') ? secret.replaceAll('\\n', '\n') : secret };
}

function credentialsNamed(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly [key: string, secret: string],
  place: string,
): Credentials {
  const [key, secret] = names.map((name) => environment[name]?.trim() ?? '');
  const missing = names.filter((name) => (environment[name]?.trim() ?? '') === '');
  if (key === undefined || secret === undefined || missing.length > 0) {
    throw new BallastError({
      code: 'CREDENTIALS_MISSING',
      place,
      found: `no ${missing.join(' and no ')} in the environment`,
      expected: 'the key and the secret of an account that may trade and may not withdraw',
      remedy: 'write them into .env, never into ballast.yaml',
      exitCode: 2,
    });
  }
  return { key, secret };
}

/** What is signed with a secret, as Bybit and Binance have it: in hex. And the parameter of an address, however it is written. */
const SIGNATURES = /\b[0-9a-f]{64}\b|(?<=[?&]signature=)[^&\s"']+/gi;
/** What Coinbase is shown instead of a signature: good for two minutes. */
const TOKENS = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g;
/** A line of a key in PEM that is shorter than this is none of its own. */
const LEAST_PEM_LINE = 16;

/**
 * Takes keys and signatures out of words: a venue repeats what it was sent, and ccxt the address of what has failed. Words are cut after that
 * and never before: half of a key would not be known as one.
 */
export function redactor({ key, secret }: Credentials): (words: string) => string {
  const forms = (what: string, name: string) =>
    [...new Set([what, encodeURIComponent(what), JSON.stringify(what).slice(1, -1)])].map((form) => [form, name] as const);
  // Of a key in PEM each line is a part of it; the first and the last say only what it is.
  const lines = secret.split('\n').filter((line) => line.length >= LEAST_PEM_LINE && !line.startsWith('-----'));
  const known = [...forms(secret, '[secret]'), ...lines.flatMap((line) => forms(line, '[secret]')), ...forms(key, '[key]')];
  return (words) =>
    known
      .reduce((safe, [form, name]) => safe.replaceAll(form, name), words)
      .replaceAll(SIGNATURES, '[signature]')
      .replaceAll(TOKENS, '[token]');
}
