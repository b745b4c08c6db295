// Promise 4, end to end: an operator's word, over the control socket and over HTTP, acts within the event that brings it.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { JournalRow } from '../../src/domain/entry.ts';
import { ballast, document, onlyRun, startBallast, temporaryHome, until, type Program } from '../support/run-app.ts';
import { journalFacts, readRows, units } from './journal-facts.ts';

const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT', 'SOL/USDT:USDT'];
/** Decisions every five minutes, and four hours of the market a wall second: there is always something held. */
const CONFIG = `
paper:
  timeframeMs: 5m
  warmupMs: 2d
  symbols: [${SYMBOLS.join(', ')}]
  strategies:
    - { strategy: trend, parameters: { fast: 5, slow: 15 } }
`;
const SPEED = '15000';

const RESUMED =
  /resumed (\S+) at market time (\S+), where its recording of ([\d,]+) events ends: positions, orders and money are as they were then/;

interface Status {
  readonly at: string;
  readonly state: string;
  readonly positions: readonly { readonly sleeve: string; readonly symbol: string }[];
}

type Say = (command: string, argument?: string) => Promise<void>;

/** What each way to speak is, once the session runs. */
const WAYS: Readonly<Record<string, (home: string, session: Program) => Say>> = {
  'the control socket': (home) => async (command, argument) => {
    const { code, stderr } = await ballast(home, command, ...(argument === undefined ? [] : [argument]));
    assert.equal(code, 0, stderr);
  },
  HTTP: (_, session) => async (command, argument) => {
    const address = /page (http:\/\/[\d.:]+)/.exec(session.said())?.[1] ?? '';
    const response = await fetch(`${address}/commands/${command}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(argument === undefined ? {} : { argument }),
    });
    assert.equal(response.status, 200, await response.text());
  },
};

for (const [way, speaker] of Object.entries(WAYS)) {
  test(`F50: close, flatten and halt over ${way} order what they say within one event, and a halt outlives a kill`, async (t) => {
    const home = temporaryHome('operator', CONFIG);
    const words = ['paper', '--seed', '5', '--speed', SPEED, '--port', '0', '--json'];
    let session = startBallast(home, ...words);
    t.after(() => session.kill());
    await until('the session speaks', () => /page http/.test(session.said()), 60_000);
    const say = speaker(home, session);
    const status = (): Promise<Status> => document<Status>(home, 'status');
    const held = async (): Promise<Status> => {
      let found = await status();
      await until('something is held', async () => (found = await status()).positions.length > 0, 60_000);
      return found;
    };

    await say('close', (await held()).positions[0]?.sleeve ?? '');
    await held();
    await say('flatten');
    await held();
    await say('halt');
    assert.equal((await status()).state, 'halted');
    await until('everything is closed', async () => (await status()).positions.length === 0);

    session.kill();
    await session.ended;
    session = startBallast(home, ...words);
    await until('the session goes on', () => /resumed/.test(session.said()), 60_000);
    const [, runId, at = '', events] = RESUMED.exec(session.said()) ?? [];
    assert.equal(runId, basename(onlyRun(home) ?? ''), session.said());
    assert.ok(Number(events?.replaceAll(',', '')) > 0);
    // Nothing that reached the disk is before the place it goes on from, and market time goes on from it.
    const recorded = readRows(onlyRun(home) ?? '').rows.findLast(({ entry }) => entry.kind === 'halt.latched')?.entry;
    assert.ok(recorded?.kind === 'halt.latched' && recorded.at <= Date.parse(at), `halted at ${recorded?.kind}, resumed at ${at}`);
    assert.ok(Date.parse((await status()).at) >= Date.parse(at));
    await until('it is halted still', async () => (await status()).state === 'halted');
    const { code, stderr } = await ballast(home, 'resume');
    assert.equal(code, 0, stderr);
    await held();
    session.kill('SIGINT');
    assert.equal((await session.ended).code, 0, session.said());

    const folder = onlyRun(home) ?? '';
    const { rows } = readRows(folder);
    const spoken = rows.filter(({ entry }) => entry.kind === 'operator.spoke');
    assert.deepEqual(
      spoken.map(({ entry }) => (entry.kind === 'operator.spoke' ? entry.command : '')),
      ['close', 'flatten', 'halt', 'resume'],
    );
    for (const word of spoken) mustActAtOnce(rows, word);
    assert.deepEqual(journalFacts(folder, 1).faults, []);
    const replay = await document<{ matches: boolean }>(home, 'replay', 'latest');
    assert.equal(replay.matches, true);
  });
}

test('with several sessions, halt halts all of them and every other word asks which is meant', async (t) => {
  const home = temporaryHome('operators', CONFIG);
  const sessions = ['5', '6'].map((seed) => startBallast(home, 'paper', '--seed', seed, '--speed', '60', '--port', '0', '--json'));
  t.after(() => sessions.forEach((session) => session.kill()));
  await until('both sessions speak', () => sessions.every((session) => /page http/.test(session.said())), 60_000);
  const names = sessions.map((session) => /run (paper-\S+) in/.exec(session.said())?.[1] ?? '').toSorted();
  const [first = '', second = ''] = names;
  assert.notEqual(first, second);
  const states = async (): Promise<string[]> =>
    Promise.all(names.map(async (name) => (await document<Status>(home, 'status', '--run', name)).state));

  for (const words of [['status'], ['resume'], ['flatten'], ['close', 'trend BTC/USDT:USDT']]) {
    const { code, stderr } = await ballast(home, ...words);
    assert.equal(code, 2, stderr);
    for (const named of [...names, '--run']) assert.ok(stderr.includes(named), `${words[0] ?? ''} names ${named}: ${stderr}`);
  }
  assert.deepEqual(await states(), ['running', 'running']);
  await document(home, 'halt', '--run', second);
  assert.deepEqual(await states(), ['running', 'halted']);
  const halted = await document<readonly { readonly status: Status & { readonly runId: string } }[]>(home, 'halt');
  assert.deepEqual(new Map(halted.map(({ status }) => [status.runId, status.state])), new Map(names.map((name) => [name, 'halted'])));
  const { code, stdout } = await ballast(home, 'halt');
  assert.equal(code, 0);
  for (const name of names) assert.match(stdout, new RegExp(`^${name}: halt was heard$`, 'm'));
  await document(home, 'resume', '--run', first);
  assert.deepEqual(await states(), ['running', 'halted']);
  assert.equal((await ballast(home, 'flatten', '--run', first)).code, 0);

  // One whose process is gone is not asked, and the other is the only one again.
  sessions[0]?.kill();
  await sessions[0]?.ended;
  assert.equal((await ballast(home, 'flatten')).code, 0);
});

test('a session that does not answer keeps a halt from none of the others, and is named', async (t) => {
  const home = temporaryHome('silent', CONFIG);
  const sessions = ['5', '6'].map((seed) => startBallast(home, 'paper', '--seed', seed, '--speed', '60', '--port', '0', '--json'));
  t.after(() => sessions.forEach((session) => session.kill()));
  await until('both sessions speak', () => sessions.every((session) => /page http/.test(session.said())), 60_000);
  const [silent = '', hearing = ''] = sessions.map((session) => /run (paper-\S+) in/.exec(session.said())?.[1] ?? '');
  rmSync(join(home, 'runs', silent, 'control.path'));
  const { code, stdout, stderr } = await ballast(home, 'halt');
  assert.equal(code, 1, stdout);
  assert.match(stderr, new RegExp(`^error: run ${silent}: found no control socket`));
  assert.match(stdout, new RegExp(`^${hearing}: halt was heard`));
});

/** Everything that a word asks for stands in the rows of its own event. */
function mustActAtOnce(rows: readonly JournalRow[], word: JournalRow): void {
  const { entry } = word;
  assert.ok(entry.kind === 'operator.spoke');
  const at = rows.indexOf(word);
  const same = rows.slice(at + 1).filter((row) => row.sequence === word.sequence);
  const place = `${entry.command} at sequence ${word.sequence}`;
  const [first] = same;
  switch (entry.command) {
    case 'halt':
      assert.equal(first?.entry.kind, 'halt.latched', place);
      break;
    case 'resume':
      assert.equal(first?.entry.kind, 'halt.released', place);
      return;
    default:
      assert.equal(first?.entry.kind, 'sleeve.closed', place);
  }
  for (const [instrument, net] of netBefore(rows.slice(0, at))) {
    // At this speed a position may be gone before the word about it arrives.
    if (net === 0n || (entry.command === 'close' && SYMBOLS[instrument] !== entry.argument.replace('trend ', ''))) continue;
    const closing = same.some(
      ({ entry: said }) =>
        said.kind === 'order.intended' &&
        said.intent.instrument === instrument &&
        said.intent.reduceOnly &&
        said.intent.side === (net > 0n ? 'sell' : 'buy') &&
        units(said.intent.quantity) === (net > 0n ? net : -net),
    );
    assert.ok(closing, `${place} closes instrument ${instrument} at once: ${same.map((row) => row.entry.kind).join(', ')}`);
  }
}

/** By instrument: what the fills before come to. */
function netBefore(rows: readonly JournalRow[]): Map<number, bigint> {
  const net = new Map<number, bigint>();
  const signs = new Map<string, bigint>();
  for (const { entry } of rows) {
    if (entry.kind === 'order.intended') {
      for (const intent of [entry.intent, ...entry.intent.attached]) signs.set(intent.id, intent.side === 'buy' ? 1n : -1n);
    } else if (entry.kind === 'order.filled' && entry.fill !== undefined) {
      net.set(entry.instrument, (net.get(entry.instrument) ?? 0n) + (signs.get(entry.order) ?? 0n) * units(entry.fill.quantity));
    }
  }
  return net;
}
