import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import { openLiveVenue, type LiveVenue, type LiveVenueRequest } from './live-venue.ts';
import { defaultConfig } from './config-schema.ts';

const KEYS = { BINANCEUSDM_API_KEY: 'a', BINANCEUSDM_API_SECRET: 'b', BINANCE_API_KEY: 'a', BINANCE_API_SECRET: 'b' };
const REQUEST: LiveVenueRequest = {
  venue: 'binanceusdm',
  site: 'main',
  // Nothing is asked of it.
  address: 'http://127.0.0.1:1',
  environment: { ...KEYS, COINBASE_API_KEY: 'a', COINBASE_API_SECRET: 'b', BYBIT_API_KEY: 'a', BYBIT_API_SECRET: 'b' },
  isKeyVouchedFor: false,
  kinds: ['linear'],
};

async function open(context: TestContext, asked: Partial<LiveVenueRequest> = {}): Promise<LiveVenue> {
  const venue = await openLiveVenue({ ...REQUEST, ...asked });
  context.after(() => venue.account.close());
  return venue;
}

const coded = (code: string) => (error: unknown) => error instanceof BallastError && error.code === code && error.exitCode === 2;

test('what a venue cannot do is refused in words before anything is begun', async (context) => {
  const venue = await open(context);
  const config = defaultConfig();
  venue.mustServe(config, false);
  assert.throws(() => venue.mustServe(config, true), coded('VENUE_LACKS'));
  assert.throws(() => venue.mustServe({ ...config, live: { ...config.live, foreign: 'adopt' } }, false), coded('VENUE_LACKS'));
});

test('on spot the session holds every stop, and says that nothing protects while it is away', async (context) => {
  const [spot, linear] = [await open(context, { venue: 'coinbase', kinds: ['spot'] }), await open(context)];
  assert.deepEqual([spot.holdsStops, linear.holdsStops], [true, false]);
  assert.match(spot.lacks.join('\n'), /NOTHING protects/);
  assert.doesNotMatch(linear.lacks.join('\n'), /NOTHING/);
  for (const { lacks } of [spot, linear]) assert.match(lacks.join('\n'), /no dead man’s switch/);
});

test('a venue that ccxt does not know, one without the site, and one without keys are wrong arguments', async () => {
  await assert.rejects(openLiveVenue({ ...REQUEST, venue: 'nobody' }), coded('VENUE_UNKNOWN'));
  await assert.rejects(openLiveVenue({ ...REQUEST, venue: 'coinbase', site: 'testnet' }), coded('SITE_UNKNOWN'));
  await assert.rejects(openLiveVenue({ ...REQUEST, venue: 'kraken' }), coded('CREDENTIALS_MISSING'));
});

test('spot is refused where fees are taken in coins, and served where they are in money', async (context) => {
  for (const venue of ['bybit', 'binance']) {
    const spot = await open(context, { venue, kinds: ['spot'] });
    assert.throws(
      () => spot.mustServe(defaultConfig(), false),
      (error) => coded('VENUE_LACKS')(error) && /in the coin that was bought/.test(String(error)),
    );
  }
  (await open(context, { venue: 'coinbase', kinds: ['spot'] })).mustServe(defaultConfig(), false);
  (await open(context, { venue: 'bybit' })).mustServe(defaultConfig(), true);
});
