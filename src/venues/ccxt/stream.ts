// One stream of a venue, kept alive: dialled, logged in, subscribed, pinged, and dialled again with growing pauses. A phase that is not
// answered, a silence, and a topic that says nothing for longer than it may are each a loss. Every frame is handed on, none is put together.
import type { Timers } from '../../domain/ports.ts';
import { SECOND_MS } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { Alarm } from './alarm.ts';
import { pauseAfter } from './backoff.ts';
import { frameSchema } from './bybit-rows.ts';
import type { z } from 'zod';
import type { Dial, Socket } from './venue-wire.ts';

export type Frame = z.output<typeof frameSchema>;
export type StreamState = 'down' | 'dialling' | 'logging-in' | 'subscribing' | 'active';

/** Texts that come so often that they are not read as frames. */
export interface HotTexts {
  /** The topic of one that is known by its form, and its contents are kept until the next; undefined where it is to be read as a frame. */
  read(text: string): string | undefined;
  /** What was read last happens. */
  take(): void;
}

export interface StreamParts {
  /** For a person. */
  readonly name: string;
  readonly dial: Dial;
  readonly timers: Timers;
  readonly random: Random;
  /** None, where what is said answers what was asked. */
  readonly topics: readonly string[];
  /** The frame that logs in; undefined where nobody has to. */
  readonly login: (() => string) | undefined;
  readonly pingMs: number;
  /** How long a topic may say nothing; Infinity where silence proves nothing. */
  readonly staleMs: (topic: string) => number;
  readonly onFrame: (frame: Frame) => void;
  readonly hot?: HotTexts;
  /** What is of no topic: the answer to something that was sent. */
  readonly onReply?: (frame: Frame) => void;
  readonly onActive: () => void;
  readonly onLost: (why: string) => void;
  /** A text that is no frame, or a login that is refused. */
  readonly onRefused: (words: string) => void;
}

/** For each of: connection, login, subscription. */
const PHASE_MS = 5 * SECOND_MS;
/** Pings that may go unanswered. */
const SILENT_PINGS = 2.5;
/** After so long a life the next loss begins with a short pause again. */
const HEALTHY_MS = 30 * SECOND_MS;

export class Stream {
  readonly #parts: StreamParts;
  readonly #alarm: Alarm;
  #state: StreamState = 'down';
  #socket: Socket | undefined;
  /** Times of the timers. */
  #phaseEnds = Infinity;
  #dialAt = Infinity;
  #pingAt = Infinity;
  #heardAt = 0;
  #activeSince = NaN;
  #failures = 0;
  #isStopped = true;
  /** By topic: when it has last said something. */
  readonly #saidAt = new Map<string, number>();
  /** Connections that were dialled. */
  dials = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.timers, () => this.#ring());
  }

  get state(): StreamState {
    return this.#state;
  }

  /** By the timers: when the last text came, before it was read. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** By the timers; NaN while it is not. */
  get activeSince(): number {
    return this.#activeSince;
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#dial();
  }

  stop(): void {
    this.#isStopped = true;
    this.#hangUp();
    this.#alarm.set(Infinity);
  }

  /** What it says is not to be believed any more. */
  redial(why: string): void {
    if (this.#state !== 'down' && !this.#isStopped) this.#lost(why);
  }

  /** Only while it is active. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** The topic is asked for anew, which begins it with a snapshot. */
  renew(topic: string): void {
    if (this.#state !== 'active') return;
    for (const op of ['unsubscribe', 'subscribe']) this.#send({ op, args: [topic] });
    this.#saidAt.set(topic, this.#parts.timers.now());
    this.#arm();
  }

  #dial(): void {
    const { timers, dial } = this.#parts;
    this.#state = 'dialling';
    this.#dialAt = Infinity;
    this.#phaseEnds = timers.now() + PHASE_MS;
    this.#heardAt = timers.now();
    this.dials++;
    // What a socket says that was given up is not ours any more.
    const current: { socket?: Socket } = {};
    const isCurrent = (): boolean => this.#socket === current.socket && this.#socket !== undefined;
    current.socket = dial({
      opened: () => {
        if (isCurrent()) this.#opened();
      },
      said: (text) => {
        if (isCurrent()) this.#heard(text);
      },
      closed: (why) => {
        if (isCurrent()) this.#lost(`closed, ${why}`);
      },
    });
    this.#socket = current.socket;
    this.#arm();
  }

  #opened(): void {
    const { login, timers } = this.#parts;
    this.#phaseEnds = timers.now() + PHASE_MS;
    if (login === undefined) this.#loggedIn();
    else {
      this.#state = 'logging-in';
      this.#socket?.send(login());
    }
    this.#arm();
  }

  #loggedIn(): void {
    if (this.#parts.topics.length === 0) {
      this.#activate();
      return;
    }
    this.#state = 'subscribing';
    this.#phaseEnds = this.#parts.timers.now() + PHASE_MS;
    this.#send({ req_id: 'topics', op: 'subscribe', args: this.#parts.topics });
    this.#arm();
  }

  #activate(): void {
    const { timers, topics, pingMs, onActive } = this.#parts;
    const now = timers.now();
    this.#state = 'active';
    this.#phaseEnds = Infinity;
    this.#activeSince = now;
    this.#pingAt = now + pingMs;
    for (const topic of topics) this.#saidAt.set(topic, now);
    this.#arm();
    onActive();
  }

  #heard(text: string): void {
    this.#heardAt = this.#parts.timers.now();
    const { hot } = this.#parts;
    const topic = hot?.read(text);
    if (hot !== undefined && topic !== undefined) {
      this.#saidAt.set(topic, this.#heardAt);
      hot.take();
      return;
    }
    const frame = frameOf(text);
    if (frame === undefined) {
      this.#parts.onRefused(`${this.#parts.name} said what is no frame: ${JSON.stringify(text.slice(0, 80))}`);
      return;
    }
    if (this.#state === 'logging-in' && frame.op === 'auth') {
      if (frame.success === true || frame.retCode === 0) this.#loggedIn();
      else {
        this.#parts.onRefused(`${this.#parts.name} refused the login: ${frame.ret_msg ?? frame.retMsg ?? ''}`);
        this.#lost('the login was refused');
      }
      return;
    }
    if (this.#state === 'subscribing' && frame.op === 'subscribe' && frame.req_id === 'topics') {
      if (frame.success === true) this.#activate();
      else this.#lost(`the subscription was refused: ${frame.ret_msg ?? ''}`);
      return;
    }
    if (frame.topic === undefined) {
      if (this.#state === 'active') this.#parts.onReply?.(frame);
      return;
    }
    this.#saidAt.set(frame.topic, this.#heardAt);
    this.#parts.onFrame(frame);
  }

  #lost(why: string): void {
    const { timers, random, onLost } = this.#parts;
    const now = timers.now();
    const wasActive = this.#state === 'active';
    if (wasActive && now - this.#activeSince > HEALTHY_MS) this.#failures = 0;
    this.#hangUp();
    if (this.#isStopped) return;
    this.#dialAt = now + pauseAfter(this.#failures++, random);
    this.#arm();
    onLost(why);
  }

  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#state = 'down';
    this.#activeSince = NaN;
    this.#phaseEnds = Infinity;
    this.#pingAt = Infinity;
    this.#saidAt.clear();
    socket?.close();
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #ring(): void {
    const { timers, pingMs, staleMs } = this.#parts;
    const now = timers.now();
    if (now >= this.#phaseEnds) this.#lost(`no answer while ${this.#state} within ${PHASE_MS} ms`);
    else if (this.#state === 'down' && now >= this.#dialAt) this.#dial();
    else if (this.#state === 'active') {
      const stale = [...this.#saidAt].find(([topic, at]) => now - at >= staleMs(topic));
      if (now - this.#heardAt >= pingMs * SILENT_PINGS) this.#lost(`nothing heard for ${Math.round(now - this.#heardAt)} ms`);
      else if (stale !== undefined) this.#lost(`${stale[0]} has said nothing for ${Math.round(now - stale[1])} ms`);
      else if (now >= this.#pingAt) {
        this.#pingAt = now + pingMs;
        this.#send({ op: 'ping' });
      }
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#isStopped) return;
    const { pingMs, staleMs } = this.#parts;
    let at = Math.min(this.#phaseEnds, this.#dialAt, this.#pingAt);
    if (this.#state === 'active') {
      at = Math.min(at, this.#heardAt + pingMs * SILENT_PINGS);
      for (const [topic, saidAt] of this.#saidAt) at = Math.min(at, saidAt + staleMs(topic));
    }
    this.#alarm.set(at);
  }
}

/** Undefined for what is none. */
function frameOf(text: string): Frame | undefined {
  try {
    return frameSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
