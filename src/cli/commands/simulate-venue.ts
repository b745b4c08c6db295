import type { SimulatedBybit } from '../../app/simulate-venue.ts';
import { BallastError } from '../../domain/errors.ts';
import { formatTime } from '../../domain/time.ts';
import { defaulted, defineCommand, done, optional, toggle } from '../definition.ts';
import { listenForEnd } from '../ending.ts';
import { printable } from '../terminal.ts';
import * as values from '../values.ts';

export const simulateVenue = defineCommand({
  about: 'Serves the simulated venue over Bybit’s V5 protocol on this machine, for any client: REST, streams and orders over a socket.',
  details: [
    'Prints the keys of its accounts, and the options with which ccxt and bybit-api speak to it. Ctrl-C ends it. What it serves, what it does not, and the faults it can be told to have: docs/guides/simulate-venue.md.',
    'The matching is that of `venue.` in ballast.yaml; margin is cross until a client asks for isolated.',
  ],
  flags: {
    port: defaulted('--port <number>', 'on 127.0.0.1; 0 takes a free one', values.port, '8099'),
    source: defaulted('--source <name>', '`synthetic`, or a run by its id or folder, whose tape is served', values.word, 'synthetic'),
    speed: defaulted('--speed <number>', 'market seconds per second', finiteSpeed, '1'),
    seed: defaulted('--seed <number>', 'of the synthetic market, of keys and of faults', values.seed, '1'),
    symbols: optional(
      '--symbols <symbols>',
      'of the synthetic market: BTC/USDT:USDT, or BTC/USDT for spot; those of paper.symbols unless said',
      values.symbols,
    ),
    accounts: defaulted('--accounts <number>', 'how many there are, each with a key', values.wholeNumber({ least: 1, most: 100 }), '2'),
    capital: defaulted('--capital <amount>', 'of each account at the start', values.money, '100000'),
    faults: toggle('--faults', 'has faults from the start, by the seed: lost requests, doubled events, gaps and the like'),
    for: optional('--for <span>', 'ends after this much time, such as 10m', values.span),
  },
  examples: [
    'ballast simulate-venue',
    'ballast simulate-venue --port 0 --speed 60 --symbols BTC/USDT:USDT --json',
    'ballast simulate-venue --source paper-20260101-000000 --speed 10 --faults --seed 7',
  ],
  async run({ flags }, { home, configFile, isJson, terminal }) {
    const { simulateVenue: serve } = await import('../../app/simulate-venue.ts');
    const say = (words: string): void => terminal.stderr.write(`${printable(words)}\n`);
    const ending = listenForEnd((by) => say(`${by}: ending`));
    const venue = await serve({
      home,
      configFile,
      source: flags.source,
      port: flags.port,
      speed: flags.speed,
      seed: flags.seed,
      symbols: flags.symbols,
      accounts: flags.accounts,
      capital: flags.capital,
      hasFaults: flags.faults,
    });
    try {
      const document = { address: venue.address, from: formatTime(venue.from), symbols: venue.symbols, accounts: venue.accounts };
      // Whoever waits for it needs the address now, not when it has ended.
      if (isJson) say(JSON.stringify(document));
      else terminal.stdout.write(`${welcome(venue)}\n`);
      await endOf(ending.signal, flags.for);
      return done(document, '');
    } finally {
      ending.release();
      await venue.close();
    }
  },
});

/** A server waits for the wall clock: as fast as it goes is no speed of it. */
function finiteSpeed(text: string, place: string): number {
  const speed = values.speed(text, place);
  if (speed <= FASTEST) return speed;
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place,
    found: text,
    expected: `market seconds per second: a number above 0, at most ${FASTEST}`,
    exitCode: 2,
  });
}

const FASTEST = 3_600;

async function endOf(signal: AbortSignal, forMs: number | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function welcome({ address, accounts, symbols, from }: SimulatedBybit): string {
  const socket = address.replace('http', 'ws');
  const [first] = accounts;
  const keys = accounts.map(({ name, key, secret }) => `  ${name}  key ${key}  secret ${secret}`);
  return `Bybit V5 at ${address}: ${symbols.join(', ')}; market time begins at ${formatTime(from)}. Ctrl-C ends it.

${keys.join('\n')}

ccxt (loadHttpProxyAgent is what lets it dial ws://):
  const exchange = new ccxt.pro.bybit({
    apiKey: '${first?.key ?? ''}', secret: '${first?.secret ?? ''}',
    urls: { api: { public: '${address}', private: '${address}', ws: {
      public: { linear: '${socket}/v5/public/linear', spot: '${socket}/v5/public/spot', inverse: '${socket}/v5/public/inverse', option: '${socket}/v5/public/option' },
      private: { spot: { unified: '${socket}/v5/private', nonUnified: '${socket}/v5/private' }, contract: '${socket}/v5/private', usdc: '${socket}/v5/private', trade: '${socket}/v5/trade' } } } },
    has: { fetchCurrencies: false }, enableRateLimit: false,
    options: { fetchMarkets: { types: ['linear'] }, defaultType: 'swap', enableUnifiedMargin: false, enableUnifiedAccount: true,
      unifiedMarginStatus: 6, adjustForTimeDifference: true, recvWindow: 5000 } });
  await exchange.loadHttpProxyAgent();

bybit-api (a socket client for each path):
  new RestClientV5({ key: '${first?.key ?? ''}', secret: '${first?.secret ?? ''}', baseUrl: '${address}' });
  new WebsocketClient({ wsUrl: '${socket}/v5/public/linear' });
  new WebsocketClient({ key, secret, wsUrl: '${socket}/v5/private' });
  new WebsocketAPIClient({ key, secret, wsUrl: '${socket}/v5/trade' });

faults: POST ${address}/admin/faults {"kind": "accept-silently", "where": "/v5/order/create", "times": 1}`;
}
