// A live session on the simulated Bybit venue in a process of its own, killed at random moments and started again: what live-kill.test.ts and
// the soak share. What is compared is asked of the venue by the witness, not by the adapter.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { administer, newestTrade, witness, witnessHistory, type VenueProcess, type Witnessed } from '../support/bybit-witness.ts';
import { onlyRun, pause, startBallast, tapeBytes, temporaryHome, until, type Program } from '../support/run-app.ts';

export const CAPITAL = 100_000;
/** The first stage of the default ones. */
export const STAGE_CAPITAL = CAPITAL / 10;
/** Of the tape. */
const RECORD_BYTES = 64;
export const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT'];
export const PHRASE = `trade ${CAPITAL} USDT on bybit testnet without evidence`;

/** Wants something else all the time, and never the same as another of its kind: there is always something under way. */
const RESTLESS = `
import { defineStrategy, z } from 'ballast';
const STANCES = [1, 0.5, -0.5, 0, -1, 0.5, 0, 1, -0.5];
export default defineStrategy({
  name: 'restless',
  about: 'wants something else every so many minutes, whatever happens',
  legs: 1,
  parameters: z.strictObject({ minutes: z.number() }),
  features: () => ({}),
  opine: ({ at }, { minutes }) => {
    const stance = STANCES[Math.floor(at / 60_000 / minutes) % STANCES.length] ?? 0;
    return { kind: 'forecast', stance, confidence: 0.5, protection: { stopRatio: 0.004 } };
  },
  explain: () => ({ because: 'restless', numbers: {} }),
});
`;

/** Market seconds a second while sessions are killed: four bars. */
export const SPEED = 240;
/** While a session is compared with the venue: what is under way comes to its end before the next bar closes. */
export const RESTING_SPEED = 1;

/** A home whose sessions change their minds every few minutes of the market, of which several pass a second. */
export function restlessHome(name: string): string {
  const home = temporaryHome(name);
  const restless = join(home, 'restless.ts');
  writeFileSync(restless, RESTLESS);
  const config = `
paper:
  symbols: [${SYMBOLS.join(', ')}]
  timeframeMs: 1m
  warmupMs: 1h
  strategies:
    - { strategy: ${restless}, parameters: { minutes: 2 } }
    - { strategy: ${restless}, parameters: { minutes: 3 } }
desk:
  # It counts by the bar: at this pace an order is in doubt for many of them.
  mostFailedCloses: 1000
live:
  leaseFolder: ${join(home, 'leases')}
`;
  writeFileSync(join(home, 'ballast.yaml'), config);
  return home;
}

export interface ServedVenue extends VenueProcess {
  readonly program: Program;
}

export async function serveVenue(seed: number, speed: number, more: readonly string[] = []): Promise<ServedVenue> {
  const home = temporaryHome('venue');
  const words = [
    '--port',
    '0',
    '--speed',
    String(speed),
    '--seed',
    String(seed),
    '--symbols',
    SYMBOLS.join(','),
    '--capital',
    String(CAPITAL),
  ];
  const program = startBallast(home, 'simulate-venue', ...words, '--json', ...more);
  await until('the venue listens', () => program.said().includes('"address"'), 60_000);
  const { address, accounts } = JSON.parse(program.said().split('\n')[0] ?? '') as {
    readonly address: string;
    readonly accounts: readonly { readonly key: string; readonly secret: string }[];
  };
  return { address, key: accounts[0]?.key ?? '', secret: accounts[0]?.secret ?? '', program };
}

export function liveWords({ address }: VenueProcess): string[] {
  return ['live', '--testnet', '--address', address, '--capital', String(CAPITAL), '--override', PHRASE, '--port', '0', '--json'];
}

export function startLive(home: string, venue: VenueProcess, more: readonly string[] = []): Program {
  return startBallast(home, ...liveWords(venue), ...more);
}

/** Keys for every process that this one starts. */
export function exportKeys({ key, secret }: VenueProcess): void {
  process.env['BYBIT_TESTNET_API_KEY'] = key;
  process.env['BYBIT_TESTNET_API_SECRET'] = secret;
}

export interface LiveStatus {
  readonly state: string;
  readonly cash: string;
  readonly transferred: string;
  readonly drawdownRatio: number;
  readonly openOrders: number;
  readonly events: number;
  readonly positions: readonly { readonly symbol: string; readonly quantity: string }[];
  readonly alerts: readonly { readonly rule: string; readonly why: string }[];
}

/** Over the control socket, without a process for it. Undefined while the session starts. */
export function statusOf(folder: string): Promise<LiveStatus | undefined> {
  const note = join(folder, 'control.path');
  const path = existsSync(note) ? readFileSync(note, 'utf8') : '';
  // It is being written.
  if (path === '') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write('{"command":"status"}\n'));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => resolve(undefined));
    // Killed while it answered, it has said nothing, or not all of it.
    socket.on('end', () => resolve(text.endsWith('\n') ? (JSON.parse(text) as { readonly answer?: LiveStatus }).answer : undefined));
  });
}

/** What the session and the venue say differently, in words; empty where they agree. */
export function differences(status: LiveStatus, seen: Witnessed): string[] {
  const found: string[] = [];
  const held = new Map<string, number>();
  for (const { symbol, quantity } of status.positions) {
    const wire = symbol.replace(/\/|:.*/g, '');
    held.set(wire, (held.get(wire) ?? 0) + Number(quantity));
  }
  for (const symbol of new Set([...held.keys(), ...Object.keys(seen.positions)])) {
    const [ours, theirs] = [held.get(symbol) ?? 0, seen.positions[symbol] ?? 0];
    if (Math.abs(ours - theirs) > 1e-9) found.push(`${symbol}: the session holds ${ours}, the venue ${theirs}`);
  }
  if (status.openOrders !== seen.open.length) found.push(`the session has ${status.openOrders} open orders, the venue ${seen.open.length}`);
  const cash = seen.cash - (CAPITAL - STAGE_CAPITAL);
  // Average prices are told with so many digits.
  if (Math.abs(Number(status.cash) - cash) > 0.01) found.push(`the session has ${status.cash} in cash, the venue's is ${cash}`);
  for (const symbol of seen.naked) found.push(`${symbol} is held without a stop`);
  return found;
}

/** The market of the venue goes on so fast from now on. */
export function pace(venue: VenueProcess, speed: number): Promise<void> {
  return administer(venue, 'POST', 'clock', { speed });
}

/** Looks until session and venue agree while nothing happens. @returns what they still say differently */
export async function agreement(home: string, venue: VenueProcess, program: Program, withinMs = 90_000): Promise<readonly string[]> {
  const end = performance.now() + withinMs;
  let over = false;
  void program.ended.then(() => (over = true));
  let found: readonly string[] = ['nothing was compared'];
  while (performance.now() < end) {
    if (over) throw new Error(`the session ended: ${(await program.ended).stderr.slice(-600)}`);
    const folder = onlyRun(home);
    const before = await witness(venue);
    const status = folder === undefined ? undefined : await statusOf(folder);
    const after = await witness(venue);
    // Something happened in between: what was compared is not of one moment.
    if (status !== undefined && JSON.stringify(before) === JSON.stringify(after)) {
      found = differences(status, after);
      if (found.length === 0) return [];
    }
    // The venue counts the requests of an account, and the session's are among them.
    await pause(400);
  }
  return found;
}

export interface KilledLive {
  readonly kills: number;
  /** Found at the venue right after a kill: positions without a stop. */
  readonly naked: number;
  /** Positions that were there when a process was killed. */
  readonly held: number;
  readonly faults: readonly string[];
}

/** From now on it loses, doubles, delays and garbles, each now and then. */
export async function misbehave(venue: VenueProcess): Promise<void> {
  for (const fault of FAULTS) await administer(venue, 'POST', 'faults', { chance: 0.01, ...fault });
}

/** Where the venue puts its words. */
export const WORDS = 'retMsg';
const FAULTS = [
  { kind: 'lose', where: '/v5/order/' },
  { kind: 'accept-silently', where: '/v5/order/create' },
  { kind: 'accept-reset', where: '/v5/order/create' },
  { kind: 'html' },
  { kind: 'empty' },
  { kind: 'http-status', status: 503 },
  { kind: 'ret-code', retCode: 10016, [WORDS]: 'Server error' },
  { kind: 'empty-positions' },
  { kind: 'refuse-sockets' },
  { kind: 'duplicate-private', chance: 0.05 },
  { kind: 'reorder-private', chance: 0.05 },
];

/** Starts, kills and starts again; compares with the venue after every `compareEvery` kills and at the end. The last session still runs. */
export async function killLive({
  home,
  venue,
  kills,
  random,
  compareEvery,
}: {
  readonly home: string;
  readonly venue: VenueProcess;
  readonly kills: number;
  readonly random: () => number;
  readonly compareEvery: number;
}): Promise<KilledLive & { readonly program: Program }> {
  const faults: string[] = [];
  const counts = { kills: 0, naked: 0, held: 0 };
  await misbehave(venue);
  for (let number = 0; ; number++) {
    const program = startLive(home, venue);
    if (number > 0 && (number % compareEvery === 0 || number === kills)) {
      // What is compared must come to rest, and at a venue that misbehaves, or whose bars follow each other at once, it never does.
      await administer(venue, 'DELETE', 'faults');
      await pace(venue, RESTING_SPEED);
      for (const words of await agreement(home, venue, program)) faults.push(`after kill ${number}: ${words}`);
      if (number < kills) {
        await pace(venue, SPEED);
        await misbehave(venue);
      }
    }
    if (number === kills) return { ...counts, faults, program };
    await momentOf(home, venue, program, number, random);
    program.kill('SIGKILL');
    const ended = await program.ended;
    if (ended.signal === 'SIGKILL') counts.kills++;
    else faults.push(`session ${number} ended by itself with ${ended.code}: ${ended.stderr.slice(-600)}`);
    const seen = await witness(venue);
    counts.held += Object.keys(seen.positions).length;
    counts.naked += seen.naked.length;
    for (const symbol of seen.naked) faults.push(`at kill ${counts.kills}: ${symbol} is held without a stop`);
  }
}

/** A venue that misbehaves may keep a session from coming on. */
const MOST_WAIT_MS = 6_000;
/** Until it is proven that what a killed session sent has not arrived, nothing opens: then it trades again. */
const MOST_WAIT_FOR_TRADES_MS = 30_000;

/** While it starts, some events after its tape was seen to go on, or when the venue has traded with it. */
async function momentOf(home: string, venue: VenueProcess, program: Program, number: number, random: () => number): Promise<void> {
  const over = new AbortController();
  void program.ended.then(() => over.abort());
  const wait = async (mostMs: number, stepMs: number, holds: () => boolean | Promise<boolean>): Promise<void> => {
    const until = performance.now() + mostMs;
    while (!over.signal.aborted && performance.now() < until && !(await holds())) await pause(stepMs);
  };
  const after = (ms: number): Promise<unknown> => Promise.race([program.ended, pause(random() * ms)]);
  if (number % 5 === 0) await after(1_500);
  else if (number % 5 === 3) {
    const before = await newestTrade(venue);
    await wait(MOST_WAIT_FOR_TRADES_MS, 100, async () => (await newestTrade(venue)) !== before);
    await after(60);
  } else {
    const folder = (): string => onlyRun(home) ?? '';
    const goal = tapeBytes(folder()) + RECORD_BYTES * (1 + Math.floor(random() * 12));
    await wait(MOST_WAIT_MS, 5, () => tapeBytes(folder()) >= goal);
    await after(250);
  }
}

/** Ends the last session as a person would, and says what must not be of the whole. */
export async function endLive(venue: VenueProcess, program: Program): Promise<string[]> {
  program.kill('SIGTERM');
  const ended = await program.ended;
  const found = ended.code === 0 ? [] : [`it ended with ${ended.code ?? ended.signal}: ${ended.stderr.slice(-600)}`];
  const { doubled } = await witnessHistory(venue);
  for (const id of doubled) found.push(`order ${id} twice at the venue`);
  return found;
}

export { administer };
