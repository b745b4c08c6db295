// From a frame of a book to the bytes of the order that answers it, how many updates a second are kept up with, and what waits meanwhile. The venue
// is another process of this machine, and both share its processors: what others do there is in the figures.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Asked, Said } from '../book-venue-process.ts';
import { SYMBOLS } from '../book-venue.ts';
import { shown, type Figure } from '../figure.ts';
import { onLatencySession, quantile, type LatencySession, type Mind, type Venue } from '../latency-session.ts';
import type { Section } from '../section.ts';
import { ORDER_STAGES, type OrderStage } from '../../src/app/run-handle.ts';

/** Updates a second that are promised, of all instruments together. */
const RATE = 1_000;
const BURST = 10 * RATE;
const BURST_MS = 2_000;
/** Each is an order, and one that opens a stop beside it: fewer than the venue takes, so that none waits for its turn. */
const LEANS: Readonly<Record<Mind, number>> = { 'built-in': 300, own: 200 };
const LEAN_MS = 450;
const RAMP = [1_000, 2_000, 4_000, 6_000, 8_000, 12_000, 16_000];
const STEP_MS = 1_500;
/** Whoever hears frames that are older than this, and ever older, has fallen behind. */
const BEHIND_MS = 100;
const LOOK_MS = 50;
const REST_MS = 2_000;
const PATIENCE_MS = 15_000;

export const latency: Section = {
  name: 'latency',
  title: 'From a frame of a book to the order on the wire; ten instruments, a live session with its durable journal, loopback',
  rows: [
    { name: 'live', measure: () => measure('built-in') },
    { name: 'own', measure: () => measure('own') },
  ],
};

interface VenueProcess extends Venue {
  ask(asked: Asked): void;
  /** Frames that have left so far. */
  sent(): Promise<number>;
  close(): void;
}

async function startVenue(home: string): Promise<VenueProcess> {
  const child = fork(join(import.meta.dirname, '../book-venue-process.ts'), [home, String(SYMBOLS.length)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const next = <Kind extends Said['kind']>(kind: Kind): Promise<Extract<Said, { kind: Kind }>> =>
    new Promise((resolve, reject) => {
      const hear = (said: Said): void => {
        if (said.kind !== kind) return;
        child.off('message', hear);
        resolve(said as Extract<Said, { kind: Kind }>);
      };
      child.on('message', hear);
      child.once('exit', (code) => reject(new Error(`the venue has ended with ${code}`)));
    });
  const { address, key, secret } = await next('open');
  const ask = (asked: Asked): void => void child.send(asked);
  return {
    address,
    key,
    secret,
    ask,
    async sent() {
      const count = next('count');
      ask({ kind: 'count' });
      return (await count).sent;
    },
    close: () => void child.kill(),
  };
}

/** A wait for the disk, as a commit has one, and nothing else: what no program can be faster than while others use the disk as they do. */
async function waitForDisk(file: FileHandle): Promise<number> {
  const began = performance.now();
  await file.write(new Uint8Array(64));
  await file.datasync();
  return performance.now() - began;
}

async function measure(mind: Mind): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'ballast-book-venue-'));
  let venue: VenueProcess | undefined;
  try {
    const opened = await startVenue(home);
    venue = opened;
    const disk = await open(join(home, 'disk'), 'w');
    try {
      return await onLatencySession(opened, SYMBOLS.length, mind, (session) => measureSession(session, opened, mind, disk));
    } finally {
      await disk.close();
    }
  } finally {
    venue?.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function measureSession(session: LatencySession, venue: VenueProcess, mind: Mind, disk: FileHandle): Promise<readonly Figure[]> {
  venue.ask({ kind: 'rate', aSecond: RATE });
  await setTimeout(500);
  venue.ask({ kind: 'end-minute' });
  await untilItTrades(session, venue);
  const steady = await measureSteady(session, venue, LEANS[mind], disk);
  if (mind === 'own') return steady.map((figure) => ({ ...figure, name: `${figure.name}, a strategy of one's own` }));
  const burst = await measureBurst(session, venue);
  return [...steady, ...burst, await measureRamp(session, venue)];
}

/** Nothing is decided before the first bar has closed, and the first order dials. */
async function untilItTrades({ latency, alerts, ears }: LatencySession, venue: VenueProcess): Promise<void> {
  for (let waitedMs = 0; latency().orders < 4; waitedMs += LEAN_MS) {
    if (waitedMs > PATIENCE_MS) throw new Error(`no order came; said was: ${alerts().join('; ')}`);
    venue.ask({ kind: 'lean' });
    await setTimeout(LEAN_MS);
  }
  // What was sent meanwhile has used up the turns that the venue grants.
  await setTimeout(REST_MS);
  ears.answers.length = 0;
  ears.cpu.length = 0;
}

const STAGES: Readonly<Record<OrderStage, string>> = {
  wait: 'waits for the loop',
  decide: 'decision',
  commit: 'durable commit of the intent',
  turn: "waits for the venue's turn",
  write: 'signature and bytes',
};

function spreadOf(times: readonly number[]): string {
  return `p50 ${shown(quantile(times, 0.5))}, longest ${shown(Math.max(...times))}`;
}

async function measureSteady(
  { ears, latency }: LatencySession,
  venue: VenueProcess,
  leans: number,
  disk: FileHandle,
): Promise<readonly Figure[]> {
  ears.ages();
  const before = { cpu: process.cpuUsage(), at: performance.now() };
  const pauses: number[] = [];
  const collector = new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration)));
  collector.observe({ entryTypes: ['gc'] });
  const stages: Readonly<Record<OrderStage, number[]>> = { wait: [], decide: [], commit: [], turn: [], write: [] };
  const rest: number[] = [];
  const diskWaits: number[] = [];
  for (let lean = 0; lean < leans; lean++) {
    const answered = ears.answers.length;
    venue.ask({ kind: 'lean' });
    await setTimeout(LEAN_MS / 2);
    diskWaits.push(await waitForDisk(disk));
    // Not in step with anything.
    await setTimeout(LEAN_MS / 2 + ((lean * 7) % 13));
    const answer = ears.answers[answered];
    if (answer === undefined) continue;
    const { stages: said } = latency();
    for (const stage of ORDER_STAGES) stages[stage].push(said[stage].lastMs ?? NaN);
    rest.push(answer - (said.commit.lastMs ?? NaN));
  }
  const { answers, cpu } = ears;
  const { user, system } = process.cpuUsage(before.cpu);
  const share = (user + system) / 1_000 / (performance.now() - before.at);
  collector.disconnect();
  const { firstMs, p50Ms, p99Ms, orders } = latency();
  const { p99Ms: ageMs } = ears.ages();
  const note = `${answers.length} orders that answer ${leans} frames; load ${loadavg()[0]?.toFixed(1)}`;
  const inside = (name: string, value: number | null, note: string): Figure => ({
    name,
    value: value ?? NaN,
    unit: 'ms',
    better: 'less',
    note,
  });
  return [
    { name: 'frame to bytes, p50', value: quantile(answers, 0.5), cpu: quantile(cpu, 0.5), unit: 'ms', better: 'less', note },
    { name: 'frame to bytes, p99', value: quantile(answers, 0.99), cpu: quantile(cpu, 0.99), unit: 'ms', better: 'less', floor: 5, note },
    { name: 'frame to bytes, longest', value: Math.max(...answers), cpu: Math.max(...cpu), unit: 'ms', better: 'less', note },
    inside('first order of the session', firstMs, 'not among the others'),
    inside('without the durable commit, p99', quantile(rest, 0.99), spreadOf(rest)),
    ...ORDER_STAGES.map((stage) => inside(`of it ${STAGES[stage]}, p99`, quantile(stages[stage], 0.99), spreadOf(stages[stage]))),
    inside('a wait for this disk alone, p99', quantile(diskWaits, 0.99), `${spreadOf(diskWaits)}; between the orders`),
    inside('as the session says it, p50', p50Ms, `p99 ${shown(p99Ms ?? NaN)}; ${orders} orders, those included that answer no book`),
    inside(
      'longest pause of the collector',
      Math.max(0, ...pauses),
      `${pauses.length} pauses, ${shown(pauses.reduce((sum, ms) => sum + ms, 0))} ms`,
    ),
    { name: 'of a processor, by this process', value: share, unit: '', better: 'less', note: `at ${RATE} updates a second` },
    inside('frame from venue to session, p99', ageMs, 'two processes, one machine'),
  ];
}

async function measureBurst({ ears, latency }: LatencySession, venue: VenueProcess): Promise<readonly Figure[]> {
  const before = process.memoryUsage().rss;
  ears.ages();
  venue.ask({ kind: 'rate', aSecond: BURST });
  let waiting = 0;
  for (let lookedMs = 0; lookedMs < BURST_MS; lookedMs += LOOK_MS) {
    await setTimeout(LOOK_MS);
    waiting = Math.max(waiting, latency().bookEventsWaiting);
  }
  venue.ask({ kind: 'rate', aSecond: RATE });
  const ended = performance.now();
  const { oldestMs } = ears.ages();
  let after = Infinity;
  let behindMs = NaN;
  while (performance.now() - ended < PATIENCE_MS) {
    await setTimeout(LOOK_MS);
    after = latency().bookEventsWaiting;
    behindMs = performance.now() - ended;
    if (ears.ages().lastMs < BEHIND_MS / 10) break;
  }
  const grown = (process.memoryUsage().rss - before) / 1e6;
  return [
    { name: 'book events waiting in a burst of 10x', value: waiting, unit: '', better: 'less', floor: 2 * SYMBOLS.length, note: 'at most' },
    { name: 'and after it', value: after, unit: '', better: 'less', floor: 2 * SYMBOLS.length, note: `memory ${grown.toFixed(0)} MB more` },
    {
      name: 'oldest frame in the burst',
      value: oldestMs,
      unit: 'ms',
      better: 'less',
      note: `frames fresh again within ${behindMs.toFixed(0)} ms`,
    },
  ];
}

async function measureRamp({ ears }: LatencySession, venue: VenueProcess): Promise<Figure> {
  let sustained = NaN;
  const steps: string[] = [];
  for (const aSecond of RAMP) {
    venue.ask({ kind: 'rate', aSecond });
    await setTimeout(STEP_MS / 5);
    const [sentBefore, heardBefore, began] = [await venue.sent(), ears.received, performance.now()];
    ears.ages();
    await setTimeout(STEP_MS);
    const [sent, heard] = [(await venue.sent()) - sentBefore, ears.received - heardBefore];
    const seconds = (performance.now() - began) / 1_000;
    const { lastMs } = ears.ages();
    steps.push(`${Math.round(heard / seconds)}/s ${lastMs.toFixed(1)} ms`);
    if (lastMs > BEHIND_MS || heard < 0.95 * sent) break;
    sustained = heard / seconds;
    // The venue itself cannot say more.
    if (sent < 0.8 * aSecond * seconds) break;
  }
  venue.ask({ kind: 'rate', aSecond: RATE });
  const note = `heard a second and the age of the last frames: ${steps.join(', ')}`;
  return { name: 'updates a second, sustained', value: sustained, unit: '1/s', better: 'more', floor: RATE, note };
}
