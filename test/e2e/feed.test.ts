// Promise 5: a session on a feed of another process, as unruly as real ones, replays to the same decisions and the same state.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MINUTE_MS, START, startFeedServer, type FeedPlan } from '../support/feed-server.ts';
import { ballast, document, onlyRun, pause, startBallast, tapeBytes, temporaryHome, until } from '../support/run-app.ts';
import { journalFacts, readRows } from './journal-facts.ts';
import { resultOf, type SessionResult } from './killed-session.ts';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT:USDT'];
const CONFIG = `
paper:
  symbols: [${SYMBOLS.join(', ')}]
  timeframeMs: 5m
  strategies:
    - { strategy: trend, parameters: { fast: 5, slow: 15 } }
    - { strategy: mean-reversion, parameters: { window: 20, shortWindow: 5, longWindow: 20, trendWindow: 40, entryZ: 1.5 } }
`;
const PLAN: FeedPlan = { seed: 3, symbols: SYMBOLS, historyBars: 600, bars: 900, paceMs: 12, isUnruly: true };
const RECORD_BYTES = 64;

interface Replay {
  readonly events: number;
  readonly decisions: number;
  readonly orders: number;
  readonly matches: boolean;
  readonly stateHash: string;
  readonly recordedStateHash: string;
}

test('a session on an unruly feed trades, ends with it, and replays twice in other processes to its decisions and its state', async (t) => {
  const { url, program } = await startFeedServer(PLAN);
  t.after(() => program.kill());
  const home = temporaryHome('feed', CONFIG);
  const words = ['paper', '--feed', url, '--port', '0', '--json'];
  const ended = await startBallast(home, ...words).ended;
  const session = resultOf(ended, words);
  assert.equal(session.outcome, 'ended', ended.stderr);
  await mustReplayTwice(home, session);

  const facts = journalFacts(session.folder, 1);
  t.diagnostic(`${facts.decisions} decisions, ${facts.fills} fills, ${session.status.events} events`);
  assert.deepEqual(facts.faults, []);
  assert.ok(facts.fills >= 10, `a session that trades, found ${facts.fills} fills`);
  const kinds = new Set(readRows(session.folder).rows.map((row) => row.entry.kind));
  for (const kind of ['feed.lost', 'feed.restored'] as const) assert.ok(kinds.has(kind), `${kind} is in the journal`);
  // Every message that was not to be believed is named, with its reason.
  for (const reason of [
    /no JSON/,
    /symbol "NO\/SUCH" is not one of/,
    /spike/,
    /expected one that is not after/,
    /binary message/,
    /a bar that closed at/,
  ]) {
    assert.ok(reason.test(ended.stderr), `${reason} is said`);
  }
  assert.deepEqual(barFaults(session.folder), []);
});

test('a session that is killed in the middle of a feed goes on with the same server, counts nothing twice, and replays', async (t) => {
  const { url, program } = await startFeedServer({ ...PLAN, seed: 4 });
  t.after(() => program.kill());
  const home = temporaryHome('feed-killed', CONFIG);
  const words = ['paper', '--feed', url, '--port', '0', '--json'];
  const killsAt = [100, 700, 1_400, 2_200];
  for (const records of killsAt) {
    const killed = startBallast(home, ...words);
    await until('the tape grows', () => tapeBytes(onlyRun(home) ?? '') > records * RECORD_BYTES);
    killed.kill();
    assert.equal((await killed.ended).signal, 'SIGKILL', killed.said());
    // What was killed replays as far as it came.
    const replayed = await ballast(home, 'replay', 'latest');
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    await pause(100);
  }
  const ended = await startBallast(home, ...words).ended;
  const session = resultOf(ended, words);
  assert.equal(session.outcome, 'ended');
  assert.match(ended.stderr, /resumed/);
  await mustReplayTwice(home, session);
  const facts = journalFacts(session.folder, 1);
  t.diagnostic(`${killsAt.length} kills, ${facts.decisions} decisions, ${facts.fills} fills, ${session.status.events} events`);
  assert.deepEqual(facts.faults, []);
  assert.ok(facts.fills >= 5, `a session that trades, found ${facts.fills} fills`);
  assert.deepEqual(barFaults(session.folder), []);
});

/** The tape read as bytes (docs/reference of journal and tape): every minute of each symbol is on it, and once. */
function barFaults(folder: string): readonly string[] {
  const seen = new Map<string, number>();
  for (const name of readdirSync(join(folder, 'tape')).sort()) {
    const bytes = readFileSync(join(folder, 'tape', name));
    for (let at = RECORD_BYTES; at < bytes.length; at += RECORD_BYTES) {
      const packed = bytes.readDoubleLE(at);
      // The lowest three bits are the kind, 1 for a bar; from the fifth on it is the instrument.
      if ((packed & 7) !== 1) continue;
      const key = `instrument ${packed >> 4}, minute ${(bytes.readDoubleLE(at + 16) - START) / MINUTE_MS}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  const faults: string[] = [];
  for (const [key, times] of seen) if (times > 1) faults.push(`${key}: ${times} times`);
  for (let minute = 1; minute <= PLAN.historyBars + PLAN.bars; minute++) {
    for (const instrument of SYMBOLS.keys()) {
      const key = `instrument ${instrument}, minute ${minute}`;
      if (!seen.has(key)) faults.push(`${key}: never`);
    }
  }
  return faults;
}

async function mustReplayTwice(home: string, session: SessionResult): Promise<void> {
  assert.ok(existsSync(session.folder));
  for (let time = 0; time < 2; time++) {
    const replay = await document<Replay>(home, 'replay', session.runId);
    assert.equal(replay.matches, true);
    assert.equal(replay.stateHash, session.stateHash);
    assert.equal(replay.recordedStateHash, session.stateHash);
    assert.equal(replay.events, session.status.events);
  }
}
