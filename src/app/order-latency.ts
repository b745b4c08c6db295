// From what a session has heard to the order that answers it: measured for every order, told when it is too long, and where a decision on a book
// has become too old before it left, it does not leave.
import type { TimeMs } from '../domain/time.ts';
import type { OrderWatch } from '../venues/ccxt/bybit-venue.ts';
import { ORDER_STAGES, type LatencyStatus, type OrderStage, type StageTimes } from './run-handle.ts';
import { SpreadOfTimes } from './spread-of-times.ts';

export interface OrderLatencyParts {
  /** Wall time; over the first somebody is told, over the second an entry because of a book is refused. */
  readonly alertMs: number;
  readonly haltMs: number;
  /** Market time now, and that of the event which the loop has in hand. */
  readonly now: () => TimeMs;
  readonly at: () => TimeMs;
  /** Milliseconds since some instant; never goes back. */
  readonly clock: () => number;
  /** By the clock: the last durable commit. */
  readonly lastCommit: () => { readonly beganAt: number; readonly endedAt: number };
  /** A person is told: once when a bound is passed, and once when it is kept again. */
  readonly tell: (words: string) => void;
}

type Level = LatencyStatus['level'];

export class OrderLatency {
  readonly #parts: OrderLatencyParts;
  readonly #times = new SpreadOfTimes();
  readonly #stages: Readonly<Record<OrderStage, SpreadOfTimes>> = {
    wait: new SpreadOfTimes(),
    decide: new SpreadOfTimes(),
    commit: new SpreadOfTimes(),
    turn: new SpreadOfTimes(),
    write: new SpreadOfTimes(),
  };
  #firstMs = NaN;
  #level: Level = 'kept';
  #refused = 0;
  /** The book that was taken last, or the first of its instant: the market time of its event, when its frame came, and when it was taken. */
  #bookAt: TimeMs = NaN;
  #bookHeardAt = NaN;
  #bookTakenAt = NaN;
  #bookLateMs = 0;

  constructor(parts: OrderLatencyParts) {
    this.#parts = parts;
  }

  /** The loop takes a look at a book that was heard at `heardAt`, by the clock, and so much later than the quickest before. */
  took(at: TimeMs, heardAt: number, lateMs: number): void {
    // What is decided at the end of an instant may be because of any of its books.
    if (at === this.#bookAt) {
      this.#bookLateMs = Math.max(this.#bookLateMs, lateMs);
      this.#bookHeardAt = Math.min(this.#bookHeardAt, heardAt);
      return;
    }
    this.#bookAt = at;
    this.#bookLateMs = lateMs;
    this.#bookHeardAt = heardAt;
    this.#bookTakenAt = this.#parts.clock();
  }

  /**
   * The loop gives an order, whose intent was committed just before. Of an order because of a book the time begins with the frame; of any other
   * with the arrival of the event that the loop has in hand, in whole milliseconds of market time.
   */
  begun(): OrderWatch {
    const { clock, lastCommit } = this.#parts;
    const heardAt = this.#heardAt();
    const takenAt = this.#bookTakenAt;
    const { beganAt, endedAt } = lastCommit();
    // One that the venue's side sends by itself, such as a stop that follows its entry, was committed long before.
    const isStaged = this.#isOnBook && beganAt >= takenAt;
    let turnAt = NaN;
    return {
      onTurn: () => {
        turnAt = clock();
      },
      onGiven: () => {
        const givenAt = clock();
        const ms = givenAt - heardAt;
        if (this.#times.count === 0) this.#firstMs = ms;
        this.#times.add(ms);
        this.#judge(ms);
        if (!isStaged) return;
        const { wait, decide, commit, turn, write } = this.#stages;
        wait.add(takenAt - heardAt);
        decide.add(beganAt - takenAt);
        commit.add(endedAt - beganAt);
        turn.add(turnAt - endedAt);
        write.add(givenAt - turnAt);
      },
    };
  }

  /** Why nothing may open now; undefined where it may. Bars and reports are decided on however late: their price is not that of an instant. */
  block(): string | undefined {
    const { clock, haltMs } = this.#parts;
    if (!this.#isOnBook) return undefined;
    const ms = clock() - this.#bookHeardAt + this.#bookLateMs;
    if (ms <= haltMs) return undefined;
    this.#refused++;
    this.#judge(ms);
    return `the book that was decided on is ${Math.round(ms)} ms old, more than live.latency.haltMs allows`;
  }

  /** @param commits what the durable commits of intents took */
  status(commits: SpreadOfTimes, bookEventsWaiting: number): LatencyStatus {
    const [p50Ms = NaN, p99Ms = NaN] = this.#times.quantiles([0.5, 0.99]);
    const [commitP50Ms = NaN, commitP99Ms = NaN] = commits.quantiles([0.5, 0.99]);
    const { count, lastMs } = this.#times;
    return {
      level: this.#level,
      orders: count,
      refused: this.#refused,
      lastMs: said(lastMs),
      firstMs: said(this.#firstMs),
      p50Ms: said(p50Ms),
      p99Ms: said(p99Ms),
      commitP50Ms: said(commitP50Ms),
      commitP99Ms: said(commitP99Ms),
      stages: this.#stageTimes(),
      bookEventsWaiting,
    };
  }

  #stageTimes(): LatencyStatus['stages'] {
    const times = ORDER_STAGES.map((stage): readonly [OrderStage, StageTimes] => {
      const [p50Ms = NaN, p99Ms = NaN, maxMs = NaN] = this.#stages[stage].quantiles([0.5, 0.99, 1]);
      return [stage, { lastMs: said(this.#stages[stage].lastMs), p50Ms: said(p50Ms), p99Ms: said(p99Ms), maxMs: said(maxMs) }];
    });
    return Object.fromEntries(times) as LatencyStatus['stages'];
  }

  get #isOnBook(): boolean {
    return this.#parts.at() === this.#bookAt;
  }

  #heardAt(): number {
    const { clock, now, at } = this.#parts;
    return this.#isOnBook ? this.#bookHeardAt : clock() - Math.max(0, now() - at());
  }

  #judge(ms: number): void {
    const { alertMs, haltMs, tell } = this.#parts;
    const level: Level = ms > haltMs ? 'halted' : ms > alertMs ? 'slow' : 'kept';
    if (level === this.#level) return;
    this.#level = level;
    const took = `an order took ${Math.round(ms)} ms from what it answers to the wire`;
    if (level === 'halted') tell(`TOO LATE: ${took}, over live.latency.haltMs (${haltMs}): nothing opens because of a book that is as old`);
    else if (level === 'slow') tell(`${took}, over live.latency.alertMs (${alertMs})`);
    else tell(`${took}: in time again`);
  }
}

/** JSON has no NaN. */
function said(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}
