// Promise 3: `kill -9` of a live session against a venue with faults. After the restart positions, orders and money are the venue's, nothing is
// doubled, and every position is protected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { witness, witnessHistory } from '../support/bybit-witness.ts';
import { document, onlyRun, seeded } from '../support/run-app.ts';
import { journalFacts } from './journal-facts.ts';
import { endLive, exportKeys, killLive, restlessHome, serveVenue, SPEED } from './killed-live.ts';

const KILLS = 20;
/** A failure is repeated with these, as far as the moments of a machine repeat. */
const SEED = 7;

test(`a live session that is killed ${KILLS} times at a venue with faults has what the venue has, once, under a stop`, async (t) => {
  const venue = await serveVenue(SEED, SPEED);
  t.after(() => venue.program.kill());
  exportKeys(venue);
  const home = restlessHome('live');
  const { program, faults, ...counts } = await killLive({ home, venue, kills: KILLS, random: seeded(SEED), compareEvery: 10 });
  t.after(() => program.kill());
  assert.deepEqual(faults, []);
  assert.equal(counts.kills, KILLS, 'every kill met a living session');
  assert.deepEqual(await endLive(venue, program), []);

  const { executed, orders } = await witnessHistory(venue);
  const { positions } = await witness(venue);
  for (const [symbol, sum] of Object.entries(executed)) assert.ok(Math.abs(sum - (positions[symbol] ?? 0)) < 1e-9, `${symbol}: ${sum}`);
  const folder = onlyRun(home) ?? assert.fail('one run');
  const facts = journalFacts(folder, Infinity);
  t.diagnostic(
    `${counts.kills} kills, ${counts.held} positions were held at them, ${counts.naked} of them naked; ${facts.fills} fills, ${orders} orders`,
  );
  assert.deepEqual(facts.faults, []);
  assert.ok(facts.fills >= 4 && counts.held >= 3, `a session that trades, found ${facts.fills} fills and ${counts.held} positions`);
  const { matches } = await document<{ readonly matches: boolean }>(home, 'replay', folder);
  assert.ok(matches, 'what was recorded over all kills replays');
});
