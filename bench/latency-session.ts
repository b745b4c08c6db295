// A live session under a venue of books: `ballast live` in this process with its durable journal, measured from outside of it. A frame arrives when
// the socket hands out its text; an order is on the wire when the network has taken the bytes of its body.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLive } from '../src/app/live.ts';
import { overridePhrase } from '../src/app/live-gates.ts';
import type { LatencyStatus, RunHandle } from '../src/app/run-handle.ts';
import { CAPITAL, LEANS, machineNow, SENT, SYMBOLS } from './book-venue.ts';

/** Of the frames of books: how old they were when the socket handed them out, by the monotonic clock of the machine. */
export class Ears {
  received = 0;
  #oldestMs = 0;
  #ages: number[] = [];
  /** Of the last book that leaned; NaN once an order has answered it. */
  #leanAt = NaN;
  /** From the text of a frame to the bytes of the first order that answers it. */
  readonly answers: number[] = [];
  /** CPU time of all threads of this process meanwhile: no wait for the disk, and nothing that others did. */
  readonly cpu: number[] = [];
  #cpuAtLean = process.cpuUsage();

  heard(text: string): void {
    if (!text.startsWith(SENT)) return;
    const now = performance.now();
    this.received++;
    const end = text.indexOf(',', SENT.length);
    const ageMs = machineNow() - Number(text.slice(SENT.length, end));
    this.#oldestMs = Math.max(this.#oldestMs, ageMs);
    this.#ages.push(ageMs);
    if (!text.startsWith(LEANS, end)) return;
    this.#leanAt = now;
    this.#cpuAtLean = process.cpuUsage();
  }

  sent(): void {
    if (Number.isNaN(this.#leanAt)) return;
    this.answers.push(performance.now() - this.#leanAt);
    const { user, system } = process.cpuUsage(this.#cpuAtLean);
    this.cpu.push((user + system) / 1_000);
    this.#leanAt = NaN;
  }

  /** Since it was last asked. */
  ages(): { readonly oldestMs: number; readonly p99Ms: number; readonly lastMs: number } {
    const ages = this.#ages;
    this.#ages = [];
    const found = { oldestMs: this.#oldestMs, p99Ms: quantile(ages, 0.99), lastMs: quantile(ages.slice(-20), 0.5) };
    this.#oldestMs = 0;
    return found;
  }
}

/** By the nearest rank; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

interface StartedRequest {
  readonly request: ClientRequest;
}

const ORDERS = '/v5/order/create';
/** The same over a socket. */
const ORDER_FRAME = '"order.create"';

/** Every socket that is opened while `body` lasts is listened to, and every request. */
async function listening<Result>(ears: Ears, body: () => Promise<Result>): Promise<Result> {
  const { WebSocket: Plain } = globalThis;
  globalThis.WebSocket = class extends Plain {
    constructor(...words: ConstructorParameters<typeof Plain>) {
      super(...words);
      // Before anybody else.
      this.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') ears.heard(data);
      });
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      super.send(data);
      if (typeof data === 'string' && data.includes(ORDER_FRAME)) ears.sent();
    }
  };
  const onStarted = (message: unknown): void => {
    const { request } = message as StartedRequest;
    // The system has taken its last byte.
    if (request.path.startsWith(ORDERS)) request.once('finish', () => ears.sent());
  };
  subscribe('http.client.request.start', onStarted);
  try {
    return await body();
  } finally {
    unsubscribe('http.client.request.start', onStarted);
    globalThis.WebSocket = Plain;
  }
}

export interface LatencySession {
  readonly ears: Ears;
  readonly latency: () => LatencyStatus;
  readonly positions: () => number;
  readonly alerts: () => readonly string[];
}

export interface Venue {
  readonly address: string;
  readonly key: string;
  readonly secret: string;
}

/**
 * `built-in`: `book-imbalance`, whose questions nobody guards. `own`: a strategy of a file, each question of which is given a deadline of its own,
 * for which Node starts a thread.
 */
export type Mind = 'built-in' | 'own';

function strategyOf(mind: Mind): string {
  return mind === 'own'
    ? `{ strategy: ${join(import.meta.dirname, 'strategies/leaning-book.ts')}, parameters: { lean: 0.5 } }`
    : '{ strategy: book-imbalance, parameters: { smoothingMs: 1, horizonMs: 100, memoryMs: 60000, entry: 0.5, exit: -0.4, minimumHoldMs: 0, stopRatio: 0.4, short: false } }';
}

/** The rules are those of every session but for the ones that would keep it from trading back and forth. */
function configOf(home: string, mind: Mind): string {
  return `
risk: { edgeMultiple: 0, stopRatio: 0.4, stopAtr: 50, dailyLossAlertRatio: 0.5, dailyLossPauseRatio: 0.6, drawdownAlertRatio: 0.5, drawdownHalveRatio: 0.6, drawdownHaltRatio: 0.7 }
council: { minimumHoldMs: 0, cooldownMs: 0 }
desk: { disasterRatio: 0.5, pairDisasterRatio: 0.5 }
market: { bookIntervalMs: 0 }
paper:
  timeframeMs: 1m
  warmupMs: 10m
  strategies: [${strategyOf(mind)}]
live: { leaseFolder: ${join(home, 'leases')} }
`;
}

/** Runs a session on `instruments` of the venue while `measure` lasts. */
export async function onLatencySession<Result>(
  venue: Venue,
  instruments: number,
  mind: Mind,
  measure: (session: LatencySession) => Promise<Result>,
): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), 'ballast-latency-'));
  writeFileSync(join(home, 'ballast.yaml'), configOf(home, mind));
  const ears = new Ears();
  const end = new AbortController();
  const notices: string[] = [];
  const started = Promise.withResolvers<RunHandle>();
  try {
    return await listening(ears, async () => {
      const session = runLive({
        home,
        venue: 'bybit',
        site: 'testnet',
        isKeyVouchedFor: false,
        address: venue.address,
        environment: { BYBIT_TESTNET_API_KEY: venue.key, BYBIT_TESTNET_API_SECRET: venue.secret },
        capital: String(CAPITAL),
        override: overridePhrase('bybit testnet', String(CAPITAL), 'USDT'),
        symbols: SYMBOLS.slice(0, instruments),
        fresh: false,
        signal: end.signal,
        onStart: (handle) => started.resolve(handle),
        onNotice: (words) => notices.push(words),
      });
      // One that never starts is not waited for.
      session.catch((cause: unknown) => started.reject(cause));
      const handle = await started.promise;
      const measured: LatencySession = {
        ears,
        latency() {
          const { latency } = handle.status();
          if (latency === null) throw new Error('broken invariant: a live session times its orders');
          return latency;
        },
        positions: () => handle.status().positions.length,
        alerts: () => [...notices, ...handle.status().alerts.map(({ rule, why }) => `${rule}: ${why}`)],
      };
      try {
        return await measure(measured);
      } finally {
        end.abort();
        await session;
      }
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
