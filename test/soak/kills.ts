// The soak: 500 real kills over many seeds, then random faults on disk and in process. `npm run soak -- --kills 500 --faults 60 --seed 1`
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { journalFacts } from '../e2e/journal-facts.ts';
import { killedSession, moments, resultOf, sessionWords, tapeDigest, type SessionResult } from '../e2e/killed-session.ts';
import { onlyRun, pause, seeded, startBallast, tapeBytes, temporaryHome, until, type Program } from '../support/run-app.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    faults: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    bars: { type: 'string', default: '20000' },
  },
});
const [kills, faults, firstSeed, bars] = [values.kills, values.faults, values.seed, values.bars].map(Number) as [
  number,
  number,
  number,
  number,
];

const KILLS_A_SESSION = 25;
const ROUND_TRIP_MS = 1;

const totals = { sessions: 0, kills: 0, resumes: 0, equal: 0, events: 0, eventMs: 0, rssMiB: 0 };
const wrong: string[] = [];

/** The most memory that a living process has had. */
function watchMemory(program: Program): Program {
  const look = setInterval(() => {
    const file = `/proc/${program.pid}/status`;
    if (!existsSync(file)) return;
    const [, kib = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(file, 'utf8')) ?? [];
    totals.rssMiB = Math.max(totals.rssMiB, Number(kib) / 1_024);
  }, 50);
  void program.ended.finally(() => clearInterval(look));
  return program;
}

async function uninterrupted(seed: number, words: readonly string[]): Promise<SessionResult> {
  const before = performance.now();
  const whole = resultOf(await watchMemory(startBallast(temporaryHome(`whole-${seed}`), ...words)).ended, words);
  totals.events += whole.status.events;
  totals.eventMs += performance.now() - before;
  const { faults: found } = journalFacts(whole.folder, ROUND_TRIP_MS);
  if (found.length > 0) wrong.push(`seed ${seed}, uninterrupted: ${found[0] ?? ''} and ${found.length - 1} more`);
  return whole;
}

/** What of the two differs, in words. */
function differences(result: SessionResult, whole: SessionResult): string[] {
  const found = recordedDifferences(result.folder, whole);
  if (result.stateHash !== whole.stateHash) found.push('another state hash');
  if (result.venueHash !== whole.venueHash) found.push('another hash of the venue');
  return found;
}

/** The same of what a finished run has left, whose last row has its state hash: for one that could not say its result. */
function recordedDifferences(folder: string, whole: SessionResult): string[] {
  const facts = journalFacts(folder, ROUND_TRIP_MS);
  const found = facts.faults.slice(0, 3);
  if (facts.head !== journalFacts(whole.folder, ROUND_TRIP_MS).head) found.push('another journal');
  return found;
}

/** @returns how many kills met a living session: the last ones of a session may come after its end. */
async function killSession(seed: number, count: number): Promise<number> {
  const words = sessionWords(seed, bars);
  const whole = await uninterrupted(seed, words);
  const before = performance.now();
  const killed = await killedSession(temporaryHome(`killed-${seed}`), words, moments(count, tapeBytes(whole.folder), seeded(seed)));
  const found = differences(killed.result, whole);
  if (tapeDigest(killed.result.folder) !== tapeDigest(whole.folder)) found.push('another tape');
  totals.sessions++;
  totals.kills += killed.kills;
  totals.resumes += killed.words.filter((said) => said.includes('resumed')).length;
  if (found.length === 0) totals.equal++;
  else wrong.push(`seed ${seed}, killed: ${found.join('; ')}`);
  const seconds = ((performance.now() - before) / 1_000).toFixed(1);
  console.log(`seed ${seed}: ${killed.kills} kills in ${seconds} s, ${found.length === 0 ? 'equal' : found.join('; ')}`);
  return killed.kills;
}

// ---- random faults -------------------------------------------------------------------------------------------------------

type Fault = (folder: string, random: () => number) => void;

function randomly(path: string, random: () => number, change: (bytes: Buffer, at: number) => void): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  const bytes = readFileSync(path);
  change(bytes, Math.floor(random() * bytes.length));
  writeFileSync(path, bytes);
}

const flipBit = (bytes: Buffer, at: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
};
const newestSegment = (folder: string): string => join(folder, 'tape', readdirSync(join(folder, 'tape')).sort().at(-1) ?? '');

const FAULTS: Readonly<Record<string, Fault>> = {
  'a bit of the journal': (folder, random) => randomly(join(folder, 'journal.sqlite'), random, flipBit),
  "a bit of the journal's log": (folder, random) => randomly(join(folder, 'journal.sqlite-wal'), random, flipBit),
  "the end of the journal's log": (folder, random) => {
    const path = join(folder, 'journal.sqlite-wal');
    if (existsSync(path)) truncateSync(path, Math.floor(random() * statSync(path).size));
  },
  'the shared memory of SQLite': (folder) => rmSync(join(folder, 'journal.sqlite-shm'), { force: true }),
  'a torn record of the tape': (folder, random) => appendFileSync(newestSegment(folder), Buffer.alloc(Math.floor(random() * 64), 1)),
  'zeros behind the tape': (folder, random) => appendFileSync(newestSegment(folder), Buffer.alloc(Math.floor(random() * 10_000))),
  'the end of the tape': (folder, random) => {
    const path = newestSegment(folder);
    truncateSync(path, Math.floor(statSync(path).size * (0.9 + 0.1 * random())));
  },
};

/** Kills a session, breaks something, and starts it again: it comes to the same end, or it says which file is broken and stops. */
async function faultSession(number: number, whole: SessionResult, words: readonly string[], random: () => number): Promise<string> {
  const home = temporaryHome(`fault-${number}`);
  const killed = startBallast(home, ...words);
  const goal = (0.1 + 0.8 * random()) * tapeBytes(whole.folder);
  await until('the tape grows', () => tapeBytes(onlyRun(home) ?? '') > goal, 120_000);
  killed.kill();
  await killed.ended;
  const folder = onlyRun(home) ?? '';
  const spare = temporaryHome(`spare-${number}`);
  cpSync(folder, join(spare, 'runs', basename(folder)), { recursive: true });
  const [name = '', fault] = Object.entries(FAULTS)[number % Object.keys(FAULTS).length] ?? [];
  fault?.(folder, random);
  const resumed = await watchMemory(startBallast(home, ...words)).ended;
  const isRefusal = resumed.code === 1 && /^error: .*(journal|tape).*: found .+, expected .+/m.test(resumed.stderr);
  if (isRefusal && !/this is a bug/.test(resumed.stderr)) {
    // The undamaged copy goes on as if nothing had been.
    const found = differences(resultOf(await startBallast(spare, ...words).ended, words), whole);
    if (found.length > 0) wrong.push(`fault ${number}, ${name}, copy: ${found.join('; ')}`);
    return `${name}: named and refused`;
  }
  if (resumed.code !== 0) {
    wrong.push(`fault ${number}, ${name}: ended with ${resumed.code ?? resumed.signal}: ${resumed.stderr.slice(-300)}`);
    return `${name}: WRONG`;
  }
  const found = differences(resultOf(resumed, words), whole);
  if (found.length === 0) return `${name}: went on to the same end`;
  wrong.push(`fault ${number}, ${name}: ${found.join('; ')}`);
  return `${name}: WRONG`;
}

/** Each is a start further on its way: a session that goes nowhere is one that does not resume. */
const MOST_INTERRUPTIONS = 40;

/** A session that is stopped and continued like a laptop, and asked to end again and again, comes to the same end. */
async function interruptedSession(seed: number, random: () => number): Promise<string> {
  const words = sessionWords(seed, bars);
  const whole = await uninterrupted(seed, words);
  const home = temporaryHome(`interrupted-${seed}`);
  let interruptions = 0;
  let folder: string | undefined;
  while (!isFinished(folder)) {
    const program = watchMemory(startBallast(home, ...words));
    await Promise.race([program.ended, pause(random() * 1_500)]);
    program.kill('SIGSTOP');
    await pause(random() * 300);
    program.kill('SIGCONT');
    program.kill('SIGINT');
    const ended = await program.ended;
    // A signal before its listener is there ends a process as signals do; the run is then taken up or begun.
    if (ended.code !== 0 && ended.signal !== 'SIGINT') wrong.push(`seed ${seed}, interrupted: ${ended.stderr.slice(-300)}`);
    // What run.json says decides: it may have come to its end and been interrupted before it had said so.
    folder = onlyRun(home);
    if (!isFinished(folder)) interruptions++;
    if (interruptions > MOST_INTERRUPTIONS) break;
  }
  const found = isFinished(folder) ? recordedDifferences(folder, whole) : [`no end within ${MOST_INTERRUPTIONS} interruptions`];
  if (found.length > 0) wrong.push(`seed ${seed}, interrupted: ${found.join('; ')}`);
  console.log(`seed ${seed}: interrupted ${interruptions} times, ${found.length === 0 ? 'equal' : found.join('; ')}`);
  return `an interrupted session: ${found.length === 0 ? 'the same end' : 'WRONG'}`;
}

function isFinished(folder: string | undefined): folder is string {
  return folder !== undefined && readFileSync(join(folder, 'run.json'), 'utf8').includes('"finished"');
}

let left = kills;
for (let seed = firstSeed; left > 0; seed++) {
  left -= await killSession(seed, Math.min(left, KILLS_A_SESSION));
}
const outcomes = new Map<string, number>();
const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
if (faults > 0) {
  const random = seeded(firstSeed);
  const words = sessionWords(firstSeed, bars);
  const whole = await uninterrupted(firstSeed, words);
  for (let number = 0; number < faults; number++) count(await faultSession(number, whole, words, random));
  for (let seed = firstSeed; seed < firstSeed + 4; seed++) count(await interruptedSession(seed, random));
  for (const [outcome, times] of outcomes) console.log(`${outcome}: ${times}`);
}
for (const each of wrong) console.log(`WRONG ${each}`);
const speed = Math.round(totals.events / (totals.eventMs / 1_000));
console.log(
  `soak: ${totals.kills} kills, ${totals.resumes} resumes, hashes, journals and tapes equal in ${totals.equal} of ${totals.sessions} sessions, ` +
    `${faults} faults, ${speed} events/s, ${totals.rssMiB.toFixed(0)} MiB at most, ${wrong.length} wrong`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
