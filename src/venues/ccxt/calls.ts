// Requests to a venue, each in its turn, within a deadline that holds for the body too, and judged. Nothing is asked again in here: whether a
// command may be repeated is known by whoever gave it.
import type { Timers } from '../../domain/ports.ts';
import { judge, type Judged, type Reply } from './bybit-codes.ts';
import { failureWords } from './requests.ts';
import { Turns, type Budget, type Priority } from './turns.ts';
import type { OrderSocket } from './order-socket.ts';
import type { PublicWire, VenueRequest } from './venue-wire.ts';

export interface Call extends VenueRequest {
  readonly budget: Budget;
  readonly priority: Priority;
  /** As many as the venue counts it for; one unless said. */
  readonly weight?: number;
  /** Asked once its turn has come. */
  readonly isWanted?: () => boolean;
  /** It leaves now. */
  readonly onSent?: () => void;
}

export type Outcome =
  | Exclude<Judged, { kind: 'answered' }>
  /** `venueAt`: the venue's clock when it answered; undefined where it did not say. */
  | (Extract<Judged, { kind: 'answered' }> & { readonly venueAt: number | undefined })
  | { readonly kind: 'unsent' };

export interface CallsParts {
  readonly wire: PublicWire;
  /** The way for orders while it is open; absent where all of them take the other. */
  readonly socket?: OrderSocket | undefined;
  readonly timers: Timers;
  readonly deadlineMs: number;
  readonly redact: (words: string) => string;
  /** The venue's time of an answer, this machine's for the middle of its way, and how long that was. */
  readonly onTime: (venueAt: number, wallAt: number, roundTripMs: number) => void;
  readonly onJudged: (outcome: Judged) => void;
}

/** Made once: an abort without a reason makes one each time, with a stack that nobody reads. */
const SETTLED = new Error('answered, or too late');

export class Calls {
  readonly turns: Turns;
  readonly #parts: CallsParts;
  readonly #end = new AbortController();

  constructor(parts: CallsParts) {
    this.#parts = parts;
    this.turns = new Turns(parts.timers);
  }

  /** Whatever is on its way is given up; nothing leaves any more. */
  close(): void {
    this.#end.abort();
    this.turns.close();
  }

  /** Never rejects for what a venue or a network does. */
  async ask(call: Call): Promise<Outcome> {
    const { timers, wire, redact, onTime } = this.#parts;
    await this.turns.take(call.budget, call.priority, call.weight);
    if (this.#end.signal.aborted || call.isWanted?.() === false) return { kind: 'unsent' };
    call.onSent?.();
    const sentAt = timers.now();
    const sentWall = wire.wallNow();
    let reply: Reply;
    try {
      reply = await this.#withinDeadline(call);
    } catch (error) {
      if (this.#end.signal.aborted) return { kind: 'unknown', words: 'given up: the session is over' };
      return { kind: 'unknown', words: redact(failureWords(error, 'the venue', this.#parts.deadlineMs)) };
    }
    const roundTripMs = timers.now() - sentAt;
    const { judged, venueAt, headers, isOfAddress } = reply;
    if (venueAt !== undefined) onTime(venueAt, sentWall + roundTripMs / 2, roundTripMs);
    this.#count(call, headers, venueAt);
    this.heard(judged, call.budget, isOfAddress);
    return judged.kind === 'answered' ? { ...judged, venueAt } : judged;
  }

  /** What the venue has said of a request, or of a row in one. @param isOfAddress it wants to hear nothing from here at all, where it wants that */
  heard(judged: Judged, budget: Budget, isOfAddress: boolean): void {
    if (judged.kind === 'unknown' && judged.pauseMs !== undefined) this.turns.freeze(judged.pauseMs, isOfAddress ? undefined : budget);
    this.#parts.onJudged(judged);
  }

  async #withinDeadline(call: Call): Promise<Reply> {
    const { timers, socket, deadlineMs } = this.#parts;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#end.signal]);
    const late = timers.sleep(deadlineMs, signal).then(() => {
      throw new DOMException('late', 'TimeoutError');
    });
    const answer = socket?.carries(call.path) === true ? socket.ask(call, signal) : this.#overRest(call, signal);
    try {
      return await Promise.race([answer, late]);
    } finally {
      // The one that lost is ended, and nobody needs to hear of it.
      over.abort(SETTLED);
      void Promise.allSettled([answer, late]);
    }
  }

  async #overRest(call: Call, signal: AbortSignal): Promise<Reply> {
    const { wire, redact } = this.#parts;
    const answer = await wire.ask(call, signal);
    const { judged, venueAt } = judge(answer, redact);
    const isOfAddress = answer.status === 429 || (judged.kind === 'unknown' && judged.isBan === true);
    return { judged, venueAt, headers: answer.headers, isOfAddress };
  }

  #count(call: Call, headers: Headers, venueAt: number | undefined): void {
    const [limit, left, resetAt] = ['x-bapi-limit', 'x-bapi-limit-status', 'x-bapi-limit-reset-timestamp'].map((name) =>
      Number(headers.get(name) ?? NaN),
    );
    if (limit === undefined || left === undefined || resetAt === undefined || !(limit > 0) || !(left >= 0)) return;
    this.turns.counted(call.budget, { limit, left, resetMs: venueAt === undefined || !(resetAt > venueAt) ? 0 : resetAt - venueAt });
  }
}
