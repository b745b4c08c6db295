// A live session on the simulated Bybit venue in a process of its own, killed at random moments and started again: what test/live/kills.live.ts and
// the soak share. What is compared is asked of the venue by the witness, not by the adapter.
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { administer, witness, witnessHistory, type VenueProcess, type Witnessed } from '../support/bybit-witness.ts';
import { onlyRun, pause, startBallast, tapeBytes, temporaryHome, until, type Program } from '../support/run-app.ts';

export const CAPITAL = 100_000;
/** The first stage of the default ones. */
export const STAGE_CAPITAL = CAPITAL / 10;
/** Of the tape. */
const RECORD_BYTES = 64;
export const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT'];
export const PHRASE = `trade ${CAPITAL} USDT on bybit testnet without evidence`;

/** Decisions every five minutes of the market, of which several pass a second: there is always something under way. */
export function liveConfig(home: string): string {
  return `
paper:
  symbols: [${SYMBOLS.join(', ')}]
  timeframeMs: 5m
  warmupMs: 4h
  strategies:
    - { strategy: trend, parameters: { fast: 1, slow: 3, entrySeparation: 0.2, stopAtr: 1, trailR: 1 } }
    - { strategy: trend, parameters: { fast: 2, slow: 6, entrySeparation: 0.3, stopAtr: 2, trailR: 2 } }
live:
  leaseFolder: ${join(home, 'leases')}
`;
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
    socket.on('end', () => resolve(text === '' ? undefined : (JSON.parse(text) as { readonly answer?: LiveStatus }).answer));
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
      // What is compared must come to rest, and a venue that misbehaves never does.
      await administer(venue, 'DELETE', 'faults');
      for (const words of await agreement(home, venue, program)) faults.push(`after kill ${number}: ${words}`);
      if (number < kills) await misbehave(venue);
    }
    if (number === kills) return { ...counts, faults, program };
    await momentOf(home, program, number, random);
    program.kill('SIGKILL');
    const ended = await program.ended;
    if (ended.signal === 'SIGKILL') counts.kills++;
    else faults.push(`session ${number} ended by itself with ${ended.code}: ${ended.stderr.slice(-600)}`);
    const seen = await witness(venue);
    counts.held += Object.keys(seen.positions).length;
    counts.naked += seen.naked.length;
  }
}

/** A venue that misbehaves may keep a session from coming on. */
const MOST_WAIT_MS = 6_000;

/** While it starts, or while it trades: some events after its tape was seen to go on. */
async function momentOf(home: string, program: Program, number: number, random: () => number): Promise<void> {
  const over = new AbortController();
  void program.ended.then(() => over.abort());
  if (number % 4 !== 0) {
    const folder = (): string => onlyRun(home) ?? '';
    const before = tapeBytes(folder());
    const grown = RECORD_BYTES * (1 + Math.floor(random() * 12));
    const until = performance.now() + MOST_WAIT_MS;
    while (!over.signal.aborted && performance.now() < until && tapeBytes(folder()) < before + grown) await pause(5);
  }
  await Promise.race([program.ended, pause(random() * (number % 4 === 0 ? 1_500 : 250))]);
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
