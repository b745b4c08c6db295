// Promise 6: `kill -9` of the engine's own process at random moments; what is resumed ends as what was never killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded, startBallast, tapeBytes, temporaryHome } from '../support/run-app.ts';
import { journalFacts } from './journal-facts.ts';
import { killedSession, moments, resultOf, sessionWords, tapeDigest } from './killed-session.ts';

const KILLS = 20;
/** A failure is repeated with these. */
const SEEDS = [11, 7];
const UNTIL_BARS = 20_000;
/** The simulated venue answers after 1 ms by default. */
const ROUND_TRIP_MS = 1;

for (const seed of SEEDS) {
  test(`a session of seed ${seed} that is killed ${KILLS / SEEDS.length} times ends with the hashes, the rows and the tape of one that never was`, async (t) => {
    const words = sessionWords(seed, UNTIL_BARS);
    const reference = resultOf(await startBallast(temporaryHome('whole'), ...words).ended, words);
    const bytes = tapeBytes(reference.folder);
    const { kills, result } = await killedSession(temporaryHome('killed'), words, moments(KILLS / SEEDS.length, bytes, seeded(seed)));
    t.diagnostic(`${kills} kills, ${result.status.events} events, ${result.status.closedTrades} closed trades`);

    assert.equal(kills, KILLS / SEEDS.length, 'every kill met a living session');
    assert.equal(result.stateHash, reference.stateHash, 'state hash');
    assert.equal(result.venueHash, reference.venueHash, 'hash of the venue');
    assert.equal(result.status.cash, reference.status.cash, 'cash');

    const facts = journalFacts(result.folder, ROUND_TRIP_MS);
    assert.deepEqual(facts.faults, []);
    assert.ok(facts.fills > 20, `a session that trades, found ${facts.fills} fills`);
    assert.ok(facts.longestNakedMs <= ROUND_TRIP_MS, `naked for ${facts.longestNakedMs} ms at most`);
    assert.deepEqual(facts, journalFacts(reference.folder, ROUND_TRIP_MS), 'the journals are the same to the last byte');
    assert.equal(tapeDigest(result.folder), tapeDigest(reference.folder), 'the tapes are the same to the last byte');
  });
}
