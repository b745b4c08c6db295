// `ballast live --venue binanceusdm` and `coinbase`: real processes at servers that speak their protocols, through ccxt. What every live session
// has holds at a venue that is only asked: who may begin, an entry with its stop, an end that keeps, going on, and a halt that closes all.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BinanceServer } from '../conformance/binance-server.ts';
import { coinbaseKeys, CoinbaseServer } from '../conformance/coinbase-server.ts';
import { ballast, onlyRun, startBallast, temporaryHome, until, type Program } from '../support/run-app.ts';
import { statusOf } from './killed-live.ts';

const KEYS = { key: 'key-of-the-session', secret: 'secret-of-the-session' };
const CAPITAL = '100000';
/** A bar a second. */
const PACE = 60;
const PATIENCE_MS = 60_000;

/** Always in the market, with a stop far away. */
const ALWAYS = `
import { defineStrategy, z } from 'ballast';
export default defineStrategy({
  name: 'always',
  about: 'is long, whatever happens',
  legs: 1,
  parameters: z.strictObject({}),
  features: () => ({}),
  opine: () => ({ kind: 'forecast', stance: 1, confidence: 0.5, protection: { stopRatio: 0.5 } }),
  explain: () => ({ because: 'always', numbers: {} }),
});
`;

function homeOf(name: string, symbol = 'BTC/USDT:USDT'): string {
  const home = temporaryHome(name);
  writeFileSync(join(home, 'always.ts'), ALWAYS);
  const config = `
risk: { stopRatio: 0.5, stopAtr: 50 }
desk: { disasterRatio: 0.6, pairDisasterRatio: 0.6 }
paper:
  symbols: [${symbol}]
  timeframeMs: 1m
  warmupMs: 10m
  strategies: [{ strategy: ${join(home, 'always.ts')} }]
live:
  leaseFolder: ${join(home, 'leases')}
`;
  writeFileSync(join(home, 'ballast.yaml'), config);
  return home;
}

let server: BinanceServer;
const programs: Program[] = [];
before(async () => {
  server = new BinanceServer('usdm', KEYS);
  server.pace = PACE;
  await server.listen();
  process.env['BINANCEUSDM_API_KEY'] = KEYS.key;
  process.env['BINANCEUSDM_API_SECRET'] = KEYS.secret;
});
after(async () => {
  for (const program of programs) program.kill();
  await server.close();
});

function words(venue = 'binanceusdm', address = server.address, currency = 'USDT'): string[] {
  const phrase = `trade ${CAPITAL} ${currency} on ${venue} main without evidence`;
  return ['live', '--venue', venue, '--address', address, '--capital', CAPITAL, '--override', phrase, '--port', '0'];
}

function start(home: string, asked = words()): Program {
  const program = startBallast(home, ...asked, '--json');
  programs.push(program);
  return program;
}

/** Until it is so at the venue; a session that has ended meanwhile says why. */
async function seen(program: Program, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  let over = '';
  void program.ended.then(
    ({ code, signal, stderr, stdout }) => (over = `${code ?? signal}: ${stderr.slice(-1_500)}${stdout.slice(0, 800)}`),
  );
  await until(
    what,
    () => {
      if (over !== '') throw new Error(`${what}: the session ended with ${over}`);
      return isSo();
    },
    PATIENCE_MS,
  ).catch((cause: unknown) => assert.fail(`${String(cause)}; it said ${program.said().slice(-3_000)}`));
}

describe('ballast live at a venue of ccxt', { timeout: 240_000 }, () => {
  test('a key that may withdraw is refused, and keys check says so', async () => {
    const home = homeOf('refused');
    server.rights.enableWithdrawals = true;
    const [moves, checked] = await Promise.all([
      ballast(home, ...words()),
      ballast(home, 'keys', 'check', '--venue', 'binanceusdm', '--address', server.address, '--json'),
    ]);
    server.rights.enableWithdrawals = false;
    assert.deepEqual([moves.code, checked.code], [1, 1], checked.stderr);
    assert.match(moves.stderr, /withdrawal and transfer: enableWithdrawals/);
    const report = JSON.parse(checked.stdout) as { readonly account: string; readonly mayTrade: boolean };
    assert.deepEqual([report.account, report.mayTrade], ['354937868', false]);
    assert.equal(onlyRun(home), undefined, 'nothing was begun');
    assert.equal(server.requests.filter(({ route }) => /^POST .*rder/.test(route)).length, 0);
  });

  test('an entry with its stop; an end that keeps both; going on; a halt that closes all', async () => {
    const home = homeOf('life');
    let session = start(home);
    const isHeld = (): boolean =>
      server.position > 0 && server.open.some(({ isAlgo, side, reduceOnly }) => isAlgo && side === 'SELL' && reduceOnly);
    await seen(session, 'a position under a stop at the venue', isHeld);
    assert.match(session.said(), /stops at binanceusdm do not come with the entry/);
    assert.match(session.said(), /no dead man’s switch/);
    const held = server.position;
    // Another home, the same account.
    const other = homeOf('other');
    const config = readFileSync(join(other, 'ballast.yaml'), 'utf8').replace(join(other, 'leases'), join(home, 'leases'));
    writeFileSync(join(other, 'ballast.yaml'), config);
    const second = await ballast(other, ...words());
    assert.match(second.stderr, /one session for an account/);

    session.kill('SIGTERM');
    const ended = await session.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(server.position, held, 'live.onStop: keep');
    assert.ok(isHeld(), 'it stands under its stop');
    assert.ok(
      server.open.every(({ reduceOnly }) => reduceOnly),
      'no entry is left',
    );

    session = start(home);
    await seen(session, 'it goes on', () => session.said().includes('going on with run'));
    const folder = onlyRun(home) ?? assert.fail('one run');
    // An opinion that has lapsed meanwhile is closed, and formed again with the next bar.
    await seen(session, 'the position of the venue', async () => {
      const positions = (await statusOf(folder))?.positions ?? [];
      return server.position > 0 && positions.some(({ quantity }) => Number(quantity) === server.position);
    });

    const halted = await ballast(home, 'halt');
    assert.equal(halted.code, 0, halted.stderr);
    await seen(session, 'flat', () => server.position === 0 && server.open.length === 0);
    session.kill('SIGTERM');
    const last = await session.ended;
    assert.equal(last.code, 0, last.stderr);
    const ids = server.requests.flatMap(({ parameters }) => parameters.get('newClientOrderId') ?? parameters.get('clientAlgoId') ?? []);
    assert.equal(new Set(ids).size, ids.length, 'nothing was sent twice');
    const status = await ballast(home, 'replay', folder);
    assert.equal(status.code, 0, status.stderr);
    for (const text of [session.said(), ended.stderr, last.stdout, moved(folder)])
      assert.ok(!text.includes(KEYS.secret) && !text.includes(KEYS.key));
  });

  test('Coinbase: the session holds the stop itself, over an end and a new beginning, and says so; its key is nowhere', async (context) => {
    const keys = coinbaseKeys();
    const coinbase = new CoinbaseServer(keys);
    coinbase.pace = PACE;
    const address = await coinbase.listen();
    context.after(() => coinbase.close());
    process.env['COINBASE_API_KEY'] = keys.key;
    process.env['COINBASE_API_SECRET'] = keys.secret.replaceAll('\n', '\\n');
    const home = homeOf('coinbase', 'BTC/USD');
    const asked = words('coinbase', address, 'USD');
    const coins = (): number => coinbase.balances.get('BTC') ?? 0;
    coinbase.rights.can_transfer = true;
    const moves = await ballast(home, ...asked);
    coinbase.rights.can_transfer = false;
    assert.match(moves.stderr, /withdrawal and transfer: can_transfer/);

    let session = start(home, asked);
    await seen(session, 'coins', () => coins() > 0);
    assert.match(session.said(), /NOTHING protects what is held/);
    // A venue that plays another time says what is to come: with no more bars to follow it, the session would wait for that.
    const folder = onlyRun(home) ?? assert.fail('one run');
    const isKnown = async (): Promise<boolean> => {
      const status = await statusOf(folder);
      const held = (status?.positions ?? []).reduce((sum, { quantity }) => sum + Number(quantity), 0);
      return status !== undefined && status.openOrders === 0 && Math.abs(held - coins()) < 1e-9;
    };
    await seen(session, 'the session knows of them', async () => coins() > 0 && (await isKnown()));
    session.kill('SIGTERM');
    const ended = await session.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(coins() > 0, 'live.onStop: keep');

    session = start(home, asked);
    await seen(session, 'it goes on', () => session.said().includes('going on with run'));
    await seen(session, 'the coins of the venue', async () => coins() > 0 && (await isKnown()));
    coinbase.move(25_000);
    await seen(session, 'its stop has sold them', async () => coins() === 0 && (await isKnown()));
    session.kill('SIGTERM');
    const last = await session.ended;
    assert.equal(last.code, 0, last.stderr);
    const [, line = ''] = keys.secret.split('\n');
    for (const text of [moves.stderr, ended.stderr, last.stdout, last.stderr, moved(folder)])
      for (const secret of [keys.key, line]) assert.ok(!text.includes(secret));
  });
});

function moved(folder: string): string {
  return readFileSync(join(folder, 'run.json'), 'utf8');
}
