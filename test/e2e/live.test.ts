// `ballast live` end to end on the simulated Bybit venue in a process of its own: who may begin, what other hands do, how it ends.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { administer, witness, type Witnessed } from '../support/bybit-witness.ts';
import { ballast, onlyRun, pause, startBallast, temporaryHome, until, type Program } from '../support/run-app.ts';
import {
  CAPITAL,
  STAGE_CAPITAL,
  WORDS,
  agreement,
  exportKeys,
  liveWords,
  pace,
  RESTING_SPEED,
  serveVenue,
  startLive,
  statusOf,
  type LiveStatus,
  type ServedVenue,
} from './killed-live.ts';
import { readRows } from './journal-facts.ts';

/** A bar a second. */
const SPEED = 60;
/** As the venue's hand calls it. */
const QUANTITY = 'qty';
/** By another hand. */
const TAKEN = 93_300;
/**
 * In the market with a stop far away: what moves the position is somebody else. `long` wants more and less of it by turns, so that what was
 * refused is asked for again; `silent` wants nothing of its own.
 */
const STEADY = `
import { defineStrategy, z } from 'ballast';
export default defineStrategy({
  name: 'steady',
  about: 'is long, whatever happens, or says nothing',
  legs: 1,
  parameters: z.strictObject({ mood: z.enum(['long', 'silent']) }),
  features: () => ({}),
  opine: ({ at }, { mood }) =>
    mood === 'silent'
      ? { kind: 'abstention', because: 'it is silent' }
      : { kind: 'forecast', stance: Math.floor(at / 600_000) % 2 === 0 ? 1 : 0.6, confidence: 0.5, protection: { stopRatio: 0.5 } },
  explain: () => ({ because: 'steady', numbers: {} }),
});
`;

function homeOf(name: string, live = '', mood: 'long' | 'silent' = 'long'): string {
  const home = temporaryHome(name);
  writeFileSync(join(home, 'steady.ts'), STEADY);
  const config = `
risk: { stopRatio: 0.5, stopAtr: 50 }
desk: { disasterRatio: 0.6, pairDisasterRatio: 0.6 }
paper:
  symbols: [BTC/USDT:USDT]
  timeframeMs: 1m
  warmupMs: 1h
  strategies: [{ strategy: ${join(home, 'steady.ts')}, parameters: { mood: ${mood} } }]
live:
  leaseFolder: ${join(home, 'leases')}
${live}`;
  writeFileSync(join(home, 'ballast.yaml'), config);
  return home;
}

let venue: ServedVenue;
const programs: Program[] = [];
before(async () => {
  venue = await serveVenue(3, SPEED);
  exportKeys(venue);
});
beforeEach(() => pace(venue, SPEED));
after(() => {
  for (const program of [...programs, venue.program]) program.kill();
});

function live(home: string, ...more: readonly string[]): Program {
  const program = startLive(home, venue, more);
  programs.push(program);
  return program;
}

async function statusWhere(home: string, what: string, holds: (status: LiveStatus) => boolean): Promise<LiveStatus> {
  let found: LiveStatus | undefined;
  await until(
    what,
    async () => {
      const folder = onlyRun(home);
      found = folder === undefined ? undefined : await statusOf(folder);
      return found !== undefined && holds(found);
    },
    PATIENCE_MS,
  );
  return found ?? assert.fail();
}

async function seenWhere(what: string, holds: (seen: Witnessed) => boolean): Promise<Witnessed> {
  let found: Witnessed | undefined;
  await until(
    what,
    async () => {
      found = await witness(venue);
      if (holds(found)) return true;
      await pause(LOOK_MS);
      return false;
    },
    PATIENCE_MS,
  );
  return found ?? assert.fail();
}

/** The venue counts the requests of an account, and the session's are among them: who looks all the time leaves it none. */
const LOOK_MS = 250;
/** Of who waits for what a venue with faults and a loaded machine may put off. */
const PATIENCE_MS = 90_000;

const isLongUnderStop = ({ positions, naked }: Witnessed): boolean => (positions['BTCUSDT'] ?? 0) > 0 && naked.length === 0;
const isFlat = ({ positions, open }: Witnessed): boolean => Object.keys(positions).length === 0 && open.length === 0;

describe('ballast live', { timeout: 900_000 }, () => {
  test('refuses without a paper period, says how to trade all the same, and keys check says what the key may do', async () => {
    const home = homeOf('refused');
    const words = liveWords(venue).filter((word, index, all) => word !== '--override' && all[index - 1] !== '--override');
    const refused = await ballast(home, ...words);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /GATES_NOT_MET/);
    assert.match(refused.stderr, /--override "trade 100000 USDT on bybit testnet without evidence"/);
    assert.equal(onlyRun(home), undefined, 'nothing was begun');
    const checked = await ballast(home, 'keys', 'check', '--testnet', '--address', venue.address, '--json');
    assert.equal(checked.code, 0, checked.stderr);
    const { mayTrade, findings } = JSON.parse(checked.stdout) as {
      mayTrade: boolean;
      findings: readonly { subject: string; found: string }[];
    };
    assert.equal(mayTrade, true);
    assert.ok(findings.some(({ subject, found }) => subject === 'withdrawal and transfer' && found === 'not permitted'));
  });

  test('F51, F50: one session an account; what another hand closes is adopted, and is known after a kill', async () => {
    const home = homeOf('life', '  foreign: adopt\n');
    let session = live(home);
    const opened = await seenWhere('a position under a stop', isLongUnderStop);
    await pace(venue, RESTING_SPEED);
    assert.deepEqual(await agreement(home, venue, session), []);

    // Another home, the same account: the lease is of the account, not of the home.
    const other = homeOf('other');
    writeFileSync(
      join(other, 'ballast.yaml'),
      readFileSync(join(other, 'ballast.yaml'), 'utf8').replace(join(other, 'leases'), join(home, 'leases')),
    );
    const second = await ballast(other, ...liveWords(venue));
    assert.equal(second.code, 1);
    assert.match(second.stdout, /ACCOUNT_TAKEN/);
    assert.equal(onlyRun(other), undefined);

    // A hand takes some of it away.
    const taken = Math.floor(((opened.positions['BTCUSDT'] ?? 0) / 2) * 1_000) / 1_000;
    await administer(venue, 'POST', 'acts', { act: 'change-position', symbol: 'BTCUSDT', [QUANTITY]: String(-taken) });
    const isAdopted = ({ alerts }: LiveStatus): boolean => alerts.some(({ rule, why }) => rule === 'account' && /it is adopted/.test(why));
    await statusWhere(home, 'the session knows of it', isAdopted);
    // The rest is closed by the sleeve that was shrunk and stopped.
    await seenWhere('flat', isFlat);

    session.kill('SIGKILL');
    await session.ended;
    session = live(home);
    // Its cash is not the venue's: the hand paid a fee, and a price that the adopted trade does not have.
    await statusWhere(
      home,
      'it goes on, knows of it, and has nothing either',
      (status) => status.events > 0 && isAdopted(status) && status.positions.length === 0 && status.openOrders === 0,
    );
    assert.ok(isFlat(await witness(venue)));
    session.kill('SIGTERM');
    const ended = await session.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(kindsIn(home).has('account.reported'));
  });

  test('F36: a halt closes all, and outlives a kill; a resume opens again, and an end closes where it is told to', async () => {
    const home = homeOf('halted', '  onStop: close\n');
    let session = live(home);
    await seenWhere('a position under a stop', isLongUnderStop);
    const halted = await ballast(home, 'halt');
    assert.equal(halted.code, 0, halted.stderr);
    session.kill('SIGKILL');
    await session.ended;
    // Somebody takes what is beside the run's capital, and a part of that, while nobody is there.
    await administer(venue, 'POST', 'acts', { act: 'transfer', amount: String(-TAKEN) });
    session = live(home);
    const poorer = await statusWhere(
      home,
      'halted over the kill',
      ({ state, transferred }) => state === 'halted' && Number(transferred) < 0,
    );
    // Nearly all of the account was given to this stage and the ones beside it; what earlier sessions have paid is gone too.
    const lost = TAKEN - (CAPITAL - STAGE_CAPITAL);
    assert.ok(Math.abs(Number(poorer.transferred) + lost) < 1_000, poorer.transferred);
    assert.ok(poorer.drawdownRatio < 0.1, `no loss: ${poorer.drawdownRatio}`);
    session.kill('SIGKILL');
    await session.ended;
    session = live(home);
    await statusWhere(home, 'it is known over another kill', ({ events, transferred }) => events > 0 && transferred === poorer.transferred);
    await seenWhere('flat', isFlat);
    assert.equal((await ballast(home, 'resume')).code, 0);
    await seenWhere('a position again', isLongUnderStop);
    session.kill('SIGTERM');
    const ended = await session.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /"transferred":"-3\d{3}[".]/);
    await administer(venue, 'POST', 'acts', { act: 'transfer', amount: String(TAKEN) });
    assert.ok(isFlat(await witness(venue)), 'live.onStop: close');
    const kinds = kindsIn(home);
    for (const kind of ['halt.latched', 'halt.released', 'operator.spoke', 'feed.lost']) assert.ok(kinds.has(kind), kind);
  });

  test('F35: without its run folder it adopts what it left, and an end that keeps leaves it under its stop', async () => {
    const home = homeOf('lost', '  foreign: adopt\n', 'silent');
    await administer(venue, 'POST', 'acts', { act: 'change-position', symbol: 'BTCUSDT', [QUANTITY]: '0.02' });
    const session = live(home);
    // It was bought before by somebody; now it is the session's, and the venue has a stop for it.
    await statusWhere(home, 'it is adopted', ({ alerts }) =>
      alerts.some(({ rule, why }) => rule === 'account' && /holds 0.02, this run 0; it is adopted/.test(why)),
    );
    const { positions } = await seenWhere('a stop', ({ naked }) => naked.length === 0);
    assert.equal(positions['BTCUSDT'], 0.02);
    session.kill('SIGTERM');
    const ended = await session.ended;
    assert.equal(ended.code, 0, ended.stderr);
    const left = await witness(venue);
    assert.deepEqual([left.positions, left.naked], [{ BTCUSDT: 0.02 }, []]);
    assert.ok(readFileSync(join(onlyRun(home) ?? '', 'run.json'), 'utf8').includes('"interrupted"'), 'it holds something: it is not over');
    // Nobody stops this one.
    const inWords = startBallast(home, ...liveWords(venue).filter((word) => word !== '--json'), '--for', '3s');
    programs.push(inWords);
    const timed = await inWords.ended;
    assert.equal(timed.code, 0, timed.stderr);
    assert.match(timed.stdout, /its time was up, and something is still held or stands at the venue; the same command goes on with it/);
    assert.equal((await witness(venue)).positions['BTCUSDT'], 0.02);
    await administer(venue, 'POST', 'acts', { act: 'change-position', symbol: 'BTCUSDT', [QUANTITY]: '-0.02' });
  });

  test('a key and a secret are in nothing that a session leaves behind, however it fails', async () => {
    const home = homeOf('leak');
    const wrong = { BYBIT_TESTNET_API_KEY: venue.key, BYBIT_TESTNET_API_SECRET: 'wrong-secret-of-this-test-0123456789' };
    const seen: string[] = [];
    Object.assign(process.env, wrong);
    for (const words of [liveWords(venue), ['keys', 'check', '--testnet', '--address', venue.address]]) {
      for (const more of [[], ['--debug']]) {
        const ended = await ballast(home, ...words, ...more);
        assert.equal(ended.code, 1);
        assert.match(ended.stdout + ended.stderr, /KEY_REFUSED|expected a key that the venue knows/);
        seen.push(ended.stdout, ended.stderr);
      }
    }
    exportKeys(venue);
    // One that runs, at a venue at which everything goes wrong now and then, whose key is then taken away from it.
    const session = startBallast(home, ...liveWords(venue), '--debug');
    programs.push(session);
    await seenWhere('a position', isLongUnderStop);
    // Each of them in its turn for sure, whatever chance and pace have it.
    for (const kind of ['html', 'empty', 'accept-reset', 'http-status', 'refuse-sockets', 'ret-code'])
      await administer(venue, 'POST', 'faults', { kind, times: 2 });
    await administer(venue, 'POST', 'faults', {
      kind: 'ret-code',
      retCode: 10004,
      [WORDS]: `error sign! origin_string[1${venue.key}5000] ${venue.secret}`,
    });
    await administer(venue, 'POST', 'acts', { act: 'drop-sockets' });
    await statusWhere(home, 'a refusal of the key', ({ alerts }) => alerts.some(({ why }) => /refused the key/.test(why)));
    const address = /page (http:\/\/[\d.:]+)/.exec(session.said())?.[1] ?? '';
    for (const path of ['/', '/status', '/health']) seen.push(await (await fetch(`${address}${path}`)).text());
    seen.push(JSON.stringify(await statusOf(onlyRun(home) ?? '')));
    session.kill('SIGTERM');
    const ended = await session.ended;
    seen.push(ended.stdout, ended.stderr);
    await administer(venue, 'DELETE', 'faults');
    const files = filesBelow(home);
    assert.ok(files.some((path) => path.endsWith('journal.sqlite')) && files.some((path) => path.endsWith('.tape')));
    seen.push(...files.map((path) => readFileSync(path, 'latin1')));
    for (const secret of [venue.key, venue.secret, wrong.BYBIT_TESTNET_API_SECRET]) {
      for (const text of seen)
        assert.ok(!text.includes(secret), `a secret in ${text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret))}`);
    }
  });
});

function kindsIn(home: string): ReadonlySet<string> {
  return new Set(readRows(onlyRun(home) ?? '').rows.map(({ entry }) => entry.kind));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
