// One life of the trading process, put together as a live session is: journal and tape, recovery, engine, desk and gates, the adapter above its
// wire, the public streams as a feed, and the loop. It is killed by being forgotten: nobody who waits in it is woken again.
import { Random } from '../../quant/random.ts';
import { toNumber } from '../../domain/decimal.ts';
import type { Entry, JournalRow } from '../../domain/entry.ts';
import type { VenueReport } from '../../domain/event.ts';
import type { AmendIntent, CancelIntent, LimitAmendIntent, OrderIntent } from '../../domain/order.ts';
import { MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import { Engine } from '../../engine/engine.ts';
import { Inbox } from '../../engine/inbox.ts';
import type { RunPlan } from '../../engine/plan.ts';
import type { Recorder } from '../../engine/recorder.ts';
import { run } from '../../engine/run.ts';
import { Journal } from '../../journal/journal.ts';
import { TapeWriter } from '../../journal/tape.ts';
import { Feed } from '../../market/feed/feed.ts';
import { BybitMarket } from '../../venues/ccxt/bybit-market.ts';
import type { Listed } from '../../venues/ccxt/bybit-orders.ts';
import { BybitVenue, type BybitVenueSettings } from '../../venues/ccxt/bybit-venue.ts';
import type { VenueRequest, VenueWire } from '../../venues/ccxt/venue-wire.ts';
import { EquityRecorder } from '../../views/equity.ts';
import { TradeLedger } from '../../views/trades.ts';
import { recover, saveSnapshot, type RecoverableParts } from '../session-parts.ts';
import { ComparingRecorder, SessionRecorder } from '../session-recorder.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Caller, SimulatedNetwork, Tell } from './network.ts';
import { ProcessClock, ProcessTimers, type Scheduler } from './scheduler.ts';
import { WORLD_STARTS, type Word, type World } from './world.ts';

/** Of every run here. */
export const RUN_ID = 'run';

/** What the engine sees of an adapter. */
export type Adapter = Pick<
  BybitVenue,
  'submit' | 'amend' | 'cancel' | 'peekAt' | 'take' | 'ended' | 'onArrival' | 'recall' | 'save' | 'restore'
>;

/** Where something else can be put into its place: what a test plants is put in here. Each is asked once in a life. */
export interface Plugs {
  /** @param notBefore the earliest time that the loop can still take */
  readonly adapter?: (adapter: Adapter, notBefore: () => TimeMs) => Adapter;
  readonly wire?: (wire: VenueWire) => VenueWire;
  readonly recorder?: (recorder: Recorder) => Recorder;
  readonly settings?: (settings: BybitVenueSettings) => BybitVenueSettings;
}

/** Who looks on. */
export interface Onlooker {
  /** Kept by the process, and not on the disk yet. */
  entry(entry: Entry): void;
  /** Everything kept is on the disk. */
  committed(): void;
  /** A life has recovered what the disk had. */
  recovered(rows: Iterable<JournalRow>): void;
  request(request: VenueRequest): void;
  /** The loop has an event in hand. */
  looked(): void;
  /** A command leaves because of it. */
  sent(): void;
}

export interface ProcessParts {
  readonly world: World;
  readonly plan: RunPlan;
  readonly listed: readonly Listed[];
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly plugs: Plugs;
  readonly onlooker: Onlooker;
  readonly tell: Tell;
  /** Which life it is: generators of pauses differ from life to life. */
  readonly life: number;
  /** The loop has failed by itself: what it died of. */
  readonly onFailure: (cause: unknown) => void;
}

export const CONFIG_HASH = 'simulation';
/** A message of a feed from further ahead is not believed. */
const TOLERATED_MS = MINUTE_MS;

export class SimulatedProcess implements Caller {
  readonly #parts: ProcessParts;
  readonly #timers: ProcessTimers;
  readonly #clock: ProcessClock;
  readonly #feed: Feed;
  readonly #inbox: Inbox;
  readonly #market: BybitMarket;
  readonly #recoverable: RecoverableParts;
  readonly engine: Engine;
  readonly venue: BybitVenue;
  readonly #sources;
  isDead = false;
  /** What the engine says from now on leaves; what it says while it recovers has left before. */
  #isSpeaking = false;
  #isStopping = false;
  #snapshotAt = 0;
  #running: Promise<unknown> = Promise.resolve();

  /** Everything up to where it may speak: what the disk holds has been gone through. @throws whatever the disk has to say */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
    const { world, plan, listed, scheduler, network, disk, plugs, onlooker, tell, life } = parts;
    this.#timers = new ProcessTimers(scheduler);
    const random = new Random(world.seed).fork(`life ${life}`);
    const plain = network.wireOf(this);
    const wire = plugs.wire?.(plain) ?? plain;
    this.#clock = new ProcessClock(this.#timers, wire.wallNow());
    const journal = disk.hasJournal
      ? Journal.open(disk.journalPath, { connect: disk.connect })
      : Journal.create(disk.journalPath, { durability: 'every-commit', meta: { configHash: CONFIG_HASH }, connect: disk.connect });
    const notice = (words: string): void => {
      if (!this.isDead) tell('notice', () => words);
    };
    if (journal.damage.length > 0) {
      notice(journal.damage.map(({ message }) => message).join('; '));
      journal.quarantine();
    }
    const tape = TapeWriter.open(disk.tapePath, journal, { writeAt: disk.writeAt });
    const own = watched(new SessionRecorder(journal, tape, true), onlooker);
    const recorder = plugs.recorder?.(own) ?? own;
    const comparing = new ComparingRecorder();
    const isNew = journal.rowCount === 0 && tape.offset === 0;
    const place = {
      notBefore: (): TimeMs => 0,
      last: (_instrument: number): number => NaN,
      disaster: (_instrument: number, _side: -1 | 1): number => NaN,
    };
    this.venue = new BybitVenue({
      instruments: plan.instruments,
      listed,
      wire,
      timers: this.#timers,
      random: random.fork('venue'),
      settings: plugs.settings?.(world.settings) ?? world.settings,
      runId: RUN_ID,
      since: WORLD_STARTS,
      capital: plan.capital,
      now: () => this.#clock.now(),
      notBefore: () => place.notBefore(),
      lastPrice: (instrument) => place.last(instrument),
      disasterPrice: (instrument, side) => place.disaster(instrument, side),
      // Adopting would explain away what a fault has lost.
      foreign: 'flag',
      isGuarded: false,
      mayOpen: () => undefined,
      redact: (words) => words,
      onNotice: notice,
    });
    const adapter = plugs.adapter?.(this.venue, () => place.notBefore()) ?? this.venue;
    const knownFailures = new Map<number, ReadonlyMap<number, string>>();
    const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
    const equity = new EquityRecorder({ capital: toNumber(plan.capital), intervalMs: MINUTE_MS });
    journal.onEntry((entry, sequence) => ledger.entry(entry, sequence));
    this.engine = new Engine({
      plan,
      recorder: isNew ? recorder : comparing,
      venue: this.#commanded(adapter),
      onBar: (at, value) => equity.record(at, value),
      onTransfer: (before, after) => equity.transfer(before, after),
      onPrice: (event) => ledger.price(event),
      knownFailures,
    });
    const { engine } = this;
    place.notBefore = () => engine.earliestNext;
    place.last = (instrument) => engine.portfolio.mark[instrument] ?? NaN;
    place.disaster = (instrument, side) => engine.desk.disasterPrice(instrument, side);
    // A market that comes from outside is not made again, so the venue does not have to be shown it.
    const recalled = {
      recall: (report: VenueReport) => adapter.recall(report),
      see: () => undefined,
      hasUnheard: () => this.venue.hasUnheard(),
      save: adapter.save.bind(adapter),
      restore: adapter.restore.bind(adapter),
    };
    this.#recoverable = {
      journal,
      tape,
      engine,
      venue: recalled,
      ledger,
      equity,
      comparing,
      knownFailures,
      recorder,
    };
    this.#feed = new Feed({
      symbols: plan.instruments.map(({ symbol }) => symbol),
      baseTimeframeMs: MINUTE_MS,
      now: () => this.#clock.now(),
      notBefore: () => engine.earliestNext,
      latest: () => wire.venueNow() + TOLERATED_MS,
      onTime: () => undefined,
      onRefused: (why) => tell('notice', () => `the feed refuses ${why}`),
    });
    if (!isNew) {
      recover(this.#recoverable, undefined, [], notice);
      tell('life', () => `has recovered ${engine.sequence} events`);
      this.#snapshotAt = engine.sequence;
      this.#clock.goOnFrom(Math.max(engine.at, this.#clock.now()));
      this.#feed.goOn(engine.at, engine.market.barAt, engine.market.mark);
    }
    onlooker.recovered(journal.rows());
    const barAt = plan.instruments.map((_, instrument) => engine.market.barAt[instrument] ?? NaN);
    this.#market = new BybitMarket({
      instruments: plan.instruments,
      wire,
      timers: this.#timers,
      random: random.fork('market'),
      timeframeMs: MINUTE_MS,
      also: world.tradesPerBar > 0 ? ['trades'] : [],
      deadlineMs: world.settings.deadlineMs,
      pingMs: world.settings.pingMs,
      since: barAt.map((at) => (Number.isNaN(at) ? WORLD_STARTS : at)),
      warmsUp: false,
      onMessage: (message) => this.#feed.receive(JSON.stringify(message)),
      onBook: () => false,
      onBookLost: () => undefined,
      onLost: (why) => this.#feed.report('feed.lost', why),
      onRestored: () => this.#feed.report('feed.restored', 'dialled again'),
      onNotice: notice,
    });
    this.#inbox = new Inbox(
      () => this.#clock.now(),
      () => engine.earliestNext,
    );
    this.#sources = [adapter, this.#inbox, this.#feed.control, ...this.#feed.sources];
  }

  /** Commands pass on their way from the engine to the adapter. */
  #commanded(adapter: Adapter): Pick<Adapter, 'submit' | 'amend' | 'cancel'> {
    const { disk, onlooker, tell } = this.#parts;
    const leaving = (words: () => string): void => {
      if (!this.#isSpeaking) return;
      onlooker.sent();
      disk.beforeSend();
      tell('order', words);
    };
    return {
      submit: (intent: OrderIntent) => {
        leaving(() => `${intent.id}: ${describe(intent)}`);
        adapter.submit(intent);
      },
      amend: (intent: AmendIntent | LimitAmendIntent) => {
        leaving(() => `amends ${intent.order}`);
        adapter.amend(intent);
      },
      cancel: (intent: CancelIntent) => {
        leaving(() => `cancels ${intent.order}`);
        adapter.cancel(intent);
      },
    };
  }

  start(): void {
    this.#isSpeaking = true;
    this.#clock.onLook = () => this.#parts.onlooker.looked();
    this.venue.start();
    this.#market.start();
    this.#running = run({
      engine: this.engine,
      clock: this.#clock,
      sources: this.#sources,
      sendsLater: true,
      isStopping: () => this.#isStopping,
      onSlice: () => this.#afterSlice(),
    }).catch((cause: unknown) => {
      // A process that was killed has no last words.
      if (!this.isDead) this.#parts.onFailure(cause);
    });
  }

  /** The operator speaks. */
  hear(command: Word['command']): void {
    this.#inbox.post({ kind: 'operator.spoke', command, argument: '', by: 'the simulation' });
  }

  #afterSlice(): void {
    if (this.engine.sequence - this.#snapshotAt < this.#parts.world.snapshotEvents || this.engine.isOpen) return;
    if (saveSnapshot(this.#recoverable, undefined)) this.#snapshotAt = this.engine.sequence;
  }

  onRequest(request: VenueRequest): void {
    this.#parts.onlooker.request(request);
  }

  /** From here on nothing of it happens any more; its files are let go of as they are. */
  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#timers.isDead = true;
    this.#parts.network.died(this);
    const { tape, journal } = this.#recoverable;
    for (const close of [() => tape.close(), () => journal.close()]) {
      try {
        close();
      } catch {
        // Its disk is not there for it any more: what it still had in memory is lost with it.
      }
    }
    // Nobody hears of it. But a signal that waits for an answer is kept by the runtime, and with it all that it holds on to.
    this.venue.stop();
    this.#market.stop();
  }

  /** Ends by itself, its last words on the disk. @returns the hash of its state */
  async stop(): Promise<string> {
    this.#isStopping = true;
    this.#clock.wake();
    await this.#running;
    this.venue.stop();
    this.#market.stop();
    const { recorder, tape, journal } = this.#recoverable;
    recorder.commit();
    tape.close();
    journal.close();
    return this.engine.stateHash(CONFIG_HASH);
  }
}

function watched(recorder: Recorder, onlooker: Onlooker): Recorder {
  return {
    market: (event) => recorder.market(event),
    entry: (entry, sequence) => {
      recorder.entry(entry, sequence);
      onlooker.entry(entry);
    },
    commit: () => {
      recorder.commit();
      onlooker.committed();
    },
  };
}

function describe({ side, type, role, quantity, instrument, attached, reduceOnly }: OrderIntent): string {
  const more = attached.length === 0 ? '' : `, with ${attached.map(({ id }) => id).join(' and ')}`;
  return `${side} ${String(Number(quantity) / 1e12)} of ${instrument}, ${type} ${role}${reduceOnly ? ' reduce-only' : ''}${more}`;
}
