// Promise 6 where a session lives on books: what the venue took of a book, where limits stand in their queues and what strategies have seen of
// it survive `kill -9`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replayRun } from '../../src/app/replay.ts';
import { seeded, startBallast, tapeBytes, temporaryHome } from '../support/run-app.ts';
import { journalFacts } from './journal-facts.ts';
import { killedSession, moments, resultOf, sessionWords, tapeDigest } from './killed-session.ts';

const KILLS = 4;
const SEED = 5;
const ROUND_TRIP_MS = 1;
/** Nothing is refused for its costs, and orders rest. */
const CONFIG = 'risk: { edgeMultiple: 0 }\nexecution: { algorithm: limit-first }\npaper: { warmupMs: 2d }\n';

test(`a session on books that is killed ${KILLS} times ends with the hashes, the rows and the tape of one that never was`, async (t) => {
  const words = sessionWords(SEED, 240, ['--strategy', 'book-imbalance,mean-reversion', '--symbols', 'BTC/USDT:USDT']);
  const home = temporaryHome('whole-books', CONFIG);
  const reference = resultOf(await startBallast(home, ...words).ended, words);
  const bytes = tapeBytes(reference.folder);
  const { kills, result } = await killedSession(temporaryHome('killed-books', CONFIG), words, moments(KILLS, bytes, seeded(SEED)));
  t.diagnostic(`${kills} kills, ${result.status.events} events, ${result.status.closedTrades} closed trades`);

  assert.equal(kills, KILLS, 'every kill met a living session');
  assert.equal(result.stateHash, reference.stateHash, 'state hash');
  assert.equal(result.venueHash, reference.venueHash, 'hash of the venue');
  const facts = journalFacts(result.folder, ROUND_TRIP_MS);
  assert.deepEqual(facts.faults, []);
  assert.ok(facts.fills > 50, `a session that trades, found ${facts.fills} fills`);
  assert.deepEqual(facts, journalFacts(reference.folder, ROUND_TRIP_MS), 'the journals are the same to the last byte');
  assert.equal(tapeDigest(result.folder), tapeDigest(reference.folder), 'the tapes are the same to the last byte');

  const replayed = await replayRun({ home, runId: reference.runId });
  assert.deepEqual([replayed.matches, replayed.stateHash], [true, reference.stateHash]);
});
