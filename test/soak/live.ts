// The soak of live sessions: real kills against a venue with faults, many a session, every seed with a venue of its own.
import { endLive, exportKeys, killLive, restlessHome, serveVenue, SPEED } from '../e2e/killed-live.ts';
import { journalFacts } from '../e2e/journal-facts.ts';
import { onlyRun, seeded } from '../support/run-app.ts';

const KILLS_A_SESSION = 25;
const COMPARE_EVERY = 5;

/** @returns what was wrong, in words */
export async function soakLive(kills: number, firstSeed: number): Promise<readonly string[]> {
  const wrong: string[] = [];
  const totals = { kills: 0, held: 0, naked: 0, fills: 0 };
  for (let seed = firstSeed; totals.kills < kills; seed++) {
    const count = Math.min(KILLS_A_SESSION, kills - totals.kills);
    const before = performance.now();
    const found = await killSession(seed, count, totals);
    for (const each of found) wrong.push(`seed ${seed}: ${each}`);
    const seconds = ((performance.now() - before) / 1_000).toFixed(0);
    console.log(`live, seed ${seed}: ${count} kills in ${seconds} s, ${found.length === 0 ? 'as the venue says' : found.join('; ')}`);
  }
  console.log(
    `soak of live sessions: ${totals.kills} kills, ${totals.held} positions held at them, ${totals.naked} without a stop while nobody was there, ` +
      `${totals.fills} fills, ${wrong.length} wrong`,
  );
  return wrong;
}

async function killSession(
  seed: number,
  kills: number,
  totals: { kills: number; held: number; naked: number; fills: number },
): Promise<readonly string[]> {
  const venue = await serveVenue(seed, SPEED);
  try {
    exportKeys(venue);
    const home = restlessHome(`live-${seed}`);
    const killed = await killLive({ home, venue, kills, random: seeded(seed), compareEvery: COMPARE_EVERY });
    totals.kills += killed.kills;
    totals.held += killed.held;
    totals.naked += killed.naked;
    const ended = await endLive(venue, killed.program);
    const facts = journalFacts(onlyRun(home) ?? '', Infinity);
    totals.fills += facts.fills;
    return [...killed.faults, ...ended, ...facts.faults];
  } finally {
    venue.program.kill();
  }
}
