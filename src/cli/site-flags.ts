// Which venue is meant, and which of its sites: the real one, its testnet, its demo account, or a server on this machine.
import { BallastError } from '../domain/errors.ts';
import { defaulted, optional, toggle } from './definition.ts';
import * as values from './values.ts';

export const siteFlags = {
  venue: defaulted(
    '--venue <name>',
    '`bybit`, or another by ccxt’s id: binanceusdm, binance, coinbase, …, traded at by asking',
    values.venueId,
    'bybit',
  ),
  keyIsTradeOnly: toggle(
    '--key-is-trade-only',
    'you say that the key may trade and neither withdraw nor transfer, for a venue that does not say so itself',
  ),
  testnet: toggle('--testnet', 'the testnet of the venue, with keys of its own (BYBIT_TESTNET_API_KEY, …)'),
  demo: toggle('--demo', 'its demo account beside the real market (BYBIT_DEMO_API_KEY, …)'),
  address: optional(
    '--address <url>',
    'a server that speaks its protocol instead, such as that of ballast simulate-venue',
    values.httpAddress,
  ),
};

/** @throws BallastError ARGUMENT_INVALID */
export function siteOf({ testnet, demo }: { readonly testnet: boolean; readonly demo: boolean }): 'main' | 'testnet' | 'demo' {
  if (testnet && demo) {
    throw new BallastError({
      code: 'ARGUMENT_INVALID',
      place: '--demo',
      found: '--testnet and --demo',
      expected: 'one of them',
      exitCode: 2,
    });
  }
  return testnet ? 'testnet' : demo ? 'demo' : 'main';
}
