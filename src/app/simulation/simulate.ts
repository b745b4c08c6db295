// One case: a world from a seed, from its first bar until the weather has cleared and everything has come to rest, and what the witness says of it.
// The same seed is the same case, event for event, in every process.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND_MS, type TimeMs } from '../../domain/time.ts';
import { format, type Decimal } from '../../domain/decimal.ts';
import type { Entry } from '../../domain/entry.ts';
import { BallastError } from '../../domain/errors.ts';
import { isMarketEvent } from '../../domain/event.ts';
import { Engine } from '../../engine/engine.ts';
import { Journal } from '../../journal/journal.ts';
import { readRecording } from '../../journal/recording.ts';
import { TapeReader } from '../../journal/tape.ts';
import { Random } from '../../quant/random.ts';
import { Exchange } from '../../venues/bybit-server/exchange.ts';
import { BybitServer } from '../../venues/bybit-server/server.ts';
import { listedFrom } from '../../venues/ccxt/bybit-orders.ts';
import { instrumentRowSchema } from '../../venues/ccxt/bybit-rows.ts';
import { follow } from '../recovery.ts';
import { ComparingRecorder } from '../session-recorder.ts';
import { SimulatedDisk } from './disk.ts';
import { walkedMarket } from './market.ts';
import { SimulatedNetwork, type StepKind } from './network.ts';
import { CONFIG_HASH, RUN_ID, SimulatedProcess, type Plugs } from './process.ts';
import { Scheduler } from './scheduler.ts';
import { Witness, type Break } from './witness.ts';
import { CAPITAL, planOf, QUIET_BARS, WORLD_STARTS, worldOf, type World } from './world.ts';

export interface CaseOptions {
  /** An empty folder for the files of its disk, which is left empty. */
  readonly folder: string;
  /** What is put in the place of parts of it. */
  readonly plugs?: Plugs;
  /** Told every step of these kinds. */
  readonly onStep?: (step: Step) => void;
  readonly steps?: readonly StepKind[];
  /** Told of every command how long after its event it left, in milliseconds of the wall. */
  readonly onLatency?: (ms: number) => void;
}

export interface Step {
  /** Milliseconds of the world. */
  readonly at: number;
  readonly kind: StepKind;
  readonly words: string;
}

export interface CaseOutcome {
  readonly seed: number;
  /** The first of each invariant. */
  readonly breaks: readonly Break[];
  /** Of the engine's state at the end; empty where it did not come to one. */
  readonly stateHash: string;
  readonly counts: CaseCounts;
}

export interface CaseCounts {
  /** Handled by the engine. */
  readonly events: number;
  readonly requests: number;
  readonly frames: number;
  readonly faults: number;
  readonly deaths: number;
  readonly orders: number;
  readonly fills: number;
}

const CREDENTIALS = { key: 'key-of-the-simulation', secret: 'secret-of-the-simulation' };
/** A process that could not start, or that its disk has failed, is started again after this. */
const RESTART_MS = 3 * SECOND_MS;
/** More lives than that have no end. */
const MOST_LIVES = 200;

/** A folder in memory where the system has one: nothing here has to outlive the process that makes it. */
export function simulationFolder(): string {
  const inMemory = '/dev/shm';
  return mkdtempSync(join(existsSync(inMemory) ? inMemory : tmpdir(), 'ballast-simulation-'));
}

export function simulate(seed: number, options: CaseOptions): Promise<CaseOutcome> {
  return new Case(worldOf(seed), options).run();
}

class Case {
  readonly #world: World;
  readonly #options: CaseOptions;
  readonly #scheduler = new Scheduler();
  readonly #plan;
  readonly #market;
  readonly #listed;
  readonly #network: SimulatedNetwork;
  readonly #disk: SimulatedDisk;
  readonly #witness: Witness;
  #process: SimulatedProcess | undefined;
  #lives = 0;
  #deaths = 0;
  #isFull = false;
  #lookedAt = 0;
  /** A bug, not a fault: the case is over. */
  #failure: unknown;

  constructor(world: World, options: CaseOptions) {
    this.#world = world;
    this.#options = options;
    const { seed, instruments, bars, tradesPerBar, volatility, jumpChance, firstPrices } = world;
    const random = new Random(seed);
    this.#plan = planOf(world);
    const shape = { instruments, startAt: WORLD_STARTS, bars, quietBars: QUIET_BARS, tradesPerBar, volatility, jumpChance, firstPrices };
    this.#market = walkedMarket(shape, random);
    const account = { name: 'account', uid: 1, ...CREDENTIALS, capital: CAPITAL };
    const exchange = new Exchange({
      market: this.#market,
      accounts: [account],
      from: WORLD_STARTS,
      seed,
      slippageRatio: 0.0001,
      rules: {},
    });
    this.#listed = exchange.listings.map((listing, index) => listedFrom(instrumentRowSchema.parse(listing.info()), index, 'linear'));
    const [holder] = exchange.accounts;
    if (holder === undefined) throw new Error('broken invariant: the exchange has the account that it was given');
    const symbols = exchange.listings.map(({ symbol }) => symbol);
    this.#witness = new Witness(holder, symbols, `${RUN_ID}-`, () => this.#scheduler.now);
    this.#network = new SimulatedNetwork({
      server: new BybitServer({ exchange, seed, hasFaults: false }),
      scheduler: this.#scheduler,
      random: random.fork('network'),
      latencyMs: world.latencyMs,
      recvWindowMs: world.settings.recvWindowMs,
      credentials: CREDENTIALS,
      tell: (kind, words) => this.#tell(kind, words),
      nextVenueAt: () => Math.min(...this.#market.sources.map((source) => source.peekAt()), holder.peekAt()),
      onVenue: () => this.#witness.look(),
      onAgain: (request) => this.#witness.comesAgain(request),
    });
    this.#disk = new SimulatedDisk({
      folder: options.folder,
      isFull: () => this.#isFull,
      isSafe: () => this.#scheduler.now >= world.clearFrom,
      onDeath: (why) => this.#died(why),
    });
  }

  #tell(kind: StepKind, words: () => string): void {
    const { onStep, steps } = this.#options;
    if (onStep === undefined || steps?.includes(kind) === false) return;
    onStep({ at: this.#scheduler.now, kind, words: this.#placeless(words()) });
  }

  /** Where the disk happens to be is no part of the case. */
  #placeless(words: string): string {
    return words.replaceAll(this.#options.folder, 'disk');
  }

  #wordsOf(error: unknown): string {
    return this.#placeless(error instanceof Error ? error.message : String(error));
  }

  async run(): Promise<CaseOutcome> {
    const { seed, faults, words, moneyMoves, endsAt } = this.#world;
    try {
      for (const fault of faults) {
        this.#scheduler.at(fault.at, () => this.#begin(fault));
        this.#scheduler.at(fault.at + fault.forMs, () => this.#end(fault));
      }
      for (const { at, command } of words) {
        this.#scheduler.at(at, () => {
          if (this.#process?.isDead === false) this.#process.hear(command);
        });
      }
      for (const { at, amount: moved } of moneyMoves) {
        this.#scheduler.at(at, () => {
          this.#network.moveMoney(moved);
          this.#witness.moved(moved);
        });
      }
      this.#scheduler.at(0, () => this.#live());
      await this.#scheduler.runUntil(endsAt, () => this.#failure !== undefined || this.#witness.breaks.length > 0);
      const stateHash = this.#failure === undefined ? await this.#conclude() : '';
      return { seed, breaks: this.#witness.breaks, stateHash, counts: this.#counts() };
    } catch (error) {
      this.#witness.break('comes-to-rest', `the case ended with ${this.#wordsOf(error)}`);
      return { seed, breaks: this.#witness.breaks, stateHash: '', counts: this.#counts() };
    } finally {
      this.#process?.die();
      rmSync(this.#options.folder, { recursive: true, force: true });
    }
  }

  // ---- weather -------------------------------------------------------------------------------------------------------

  #begin(fault: World['faults'][number]): void {
    if (fault.name === 'disk-full') this.#isFull = true;
    this.#network.begin(fault);
    this.#setFair();
  }

  #end(fault: World['faults'][number]): void {
    this.#network.end(fault);
    if (fault.name === 'disk-full') this.#isFull = this.#network.isActive('disk-full');
    this.#setFair();
  }

  #setFair(): void {
    this.#witness.isFair = this.#network.isClear && this.#process?.isDead === false;
    this.#witness.look();
  }

  // ---- lives ---------------------------------------------------------------------------------------------------------

  #live(): void {
    const { plugs = {}, onLatency } = this.#options;
    const death = this.#world.deaths[this.#lives];
    const life = ++this.#lives;
    if (life > MOST_LIVES) throw new Error(`a process that has died ${life} times`);
    this.#disk.begin(death);
    this.#tell('life', () => `life ${life} begins${death === undefined ? '' : `; it is to end: ${JSON.stringify(death)}`}`);
    const witness = this.#witness;
    let started: SimulatedProcess;
    try {
      started = new SimulatedProcess({
        world: this.#world,
        plan: this.#plan,
        listed: this.#listed,
        scheduler: this.#scheduler,
        network: this.#network,
        disk: this.#disk,
        plugs,
        life,
        tell: (kind, words) => this.#tell(kind, words),
        onFailure: (cause) => this.#failed(cause),
        onlooker: {
          entry: (entry) => {
            witness.kept(entry);
            this.#tell('journal', () => describe(entry));
          },
          committed: () => witness.committed(),
          recovered: (rows) => witness.recovered(rows),
          request: (request) => witness.requested(request),
          looked: () => {
            if (onLatency !== undefined) this.#lookedAt = performance.now();
          },
          sent: () => onLatency?.(performance.now() - this.#lookedAt),
        },
      });
    } catch (error) {
      // Killed while it began, which has been seen to.
      if (this.#disk.isDead) return;
      // Or its disk would not have it.
      if (!this.#isOfTheDisk(error)) {
        this.#witness.break('comes-to-rest', `life ${life} does not begin: ${this.#wordsOf(error)}`);
        this.#failure = error;
        return;
      }
      this.#tell('life', () => `life ${life} does not begin: ${this.#wordsOf(error)}`);
      this.#deaths++;
      this.#disk.leave();
      this.#liveAfter(RESTART_MS);
      return;
    }
    this.#process = started;
    if (death?.kind === 'recovered') {
      this.#kill('right after its recovery', death.downMs);
      return;
    }
    if (death?.kind === 'at-time') {
      this.#scheduler.at(death.at, () => {
        if (this.#process === started && !started.isDead) this.#kill('at its time', death.downMs);
      });
    }
    started.start();
    this.#setFair();
  }

  #kill(why: string, downMs: number): void {
    this.#disk.leave();
    this.#lose(why, downMs);
  }

  /** The disk says so: what it leaves has been put aside already. */
  #died(why: string): void {
    this.#lose(why, this.#world.deaths[this.#lives - 1]?.downMs ?? RESTART_MS);
  }

  #lose(why: string, downMs: number): void {
    this.#deaths++;
    this.#tell('life', () => `life ${this.#lives} ends: ${why}`);
    this.#process?.die();
    this.#liveAfter(downMs);
    this.#setFair();
  }

  #liveAfter(ms: number): void {
    this.#scheduler.after(ms, () => this.#live());
  }

  /** The loop has thrown: a disk that fails ends a session in order, everything else is a bug. */
  #failed(cause: unknown): void {
    if (this.#isOfTheDisk(cause)) {
      this.#kill(this.#wordsOf(cause), this.#world.deaths[this.#lives - 1]?.downMs ?? RESTART_MS);
      return;
    }
    this.#witness.break('comes-to-rest', `the loop has failed: ${this.#wordsOf(cause)}`);
    this.#failure = cause;
  }

  #isOfTheDisk(cause: unknown): boolean {
    return cause instanceof BallastError && (cause.code === 'JOURNAL_WRITE_FAILED' || cause.code === 'TAPE_WRITE_FAILED');
  }

  // ---- the end -------------------------------------------------------------------------------------------------------

  async #conclude(): Promise<string> {
    const { venue, engine } = this.#process ?? {};
    if (this.#process === undefined || venue === undefined || engine === undefined || this.#process.isDead) {
      this.#witness.break('comes-to-rest', 'no process lives at the end');
      return '';
    }
    this.#witness.mustRest(engine, venue);
    const stateHash = await this.#process.stop();
    const journal = Journal.open(this.#disk.journalPath, { readOnly: true });
    try {
      for (const { message } of journal.damage) this.#witness.break('journal-verifies', this.#placeless(message));
      const rows = [...journal.rows()];
      this.#witness.conclude(engine, venue, rows);
      this.#mustReplay(journal, stateHash);
    } finally {
      journal.close();
    }
    return stateHash;
  }

  /** The same words, and the same state, by an engine without a venue; and what was on the tape on its way. */
  #mustReplay(journal: Journal, stateHash: string): void {
    const recorder = new ComparingRecorder();
    const knownFailures = new Map<number, ReadonlyMap<number, string>>();
    const nobody = { submit: () => undefined, amend: () => undefined, cancel: () => undefined };
    const engine = new Engine({ plan: this.#plan, recorder, venue: nobody, knownFailures });
    const closes: { at: TimeMs; close: number }[][] = this.#plan.instruments.map(() => []);
    try {
      const tape = TapeReader.open(this.#disk.tapePath, journal);
      follow(
        readRecording(journal.rows(), tape).map((step) => {
          const { event } = step;
          if (event !== undefined && isMarketEvent(event) && event.kind === 'bar.closed')
            closes[event.instrument]?.push({ at: event.happenedAt, close: event.close });
          return step;
        }),
        { engine, recorder, knownFailures, venue: undefined, sources: [] },
      );
      // Nothing says whether the last instant was closed but what was said then, or the state that it left.
      if (engine.isOpen && (recorder.outstanding > 0 || engine.stateHash(CONFIG_HASH) !== stateHash)) engine.closeInstant();
      recorder.settle();
    } catch (error) {
      if (!(error instanceof BallastError)) throw error;
      this.#witness.break('replay-agrees', this.#wordsOf(error));
      return;
    }
    const replayed = engine.stateHash(CONFIG_HASH);
    if (replayed !== stateHash) this.#witness.break('replay-agrees', `found state ${replayed}, expected ${stateHash}`);
    this.#mustHaveAllBars(closes);
  }

  #mustHaveAllBars(closes: readonly (readonly { at: TimeMs; close: number }[])[]): void {
    for (const [instrument, seen] of closes.entries()) {
      const made =
        this.#market.sources[instrument]?.events.filter(({ kind, at }) => kind === 'bar.closed' && at <= this.#network.venueNow) ?? [];
      for (const [index, { at, close }] of made.entries()) {
        const found = seen[index];
        if (found?.at === at && found.close === close) continue;
        const what = found === undefined ? 'nothing' : `a bar that closed at ${found.at} at ${found.close}`;
        this.#witness.break(
          'bars-without-a-hole',
          `bar ${index + 1} of instrument ${instrument}: found ${what}, expected ${at} at ${close}`,
        );
        return;
      }
      if (seen.length > made.length)
        this.#witness.break('bars-without-a-hole', `instrument ${instrument} has ${seen.length} bars of ${made.length}`);
    }
  }

  #counts(): CaseCounts {
    const { requests, frames } = this.#network;
    return {
      events: this.#process?.engine.sequence ?? 0,
      requests,
      frames,
      faults: this.#world.faults.length,
      deaths: this.#deaths,
      orders: this.#witness.orders,
      fills: this.#witness.fills,
    };
  }
}

/** A row of the journal in a line. */
function describe(entry: Entry): string {
  const { kind, at: _at, ...rest } = entry;
  const words = Object.entries('intent' in rest ? { order: 'id' in rest.intent ? rest.intent.id : rest.intent.order } : rest)
    .filter(([name, value]) => name !== 'happenedAt' && value !== '' && value !== undefined)
    .map(([name, value]) => `${name} ${typeof value === 'string' || typeof value === 'number' ? value : jsonOf(value)}`);
  return `${kind}: ${words.join(', ')}`;
}

/** Exact numbers as they are written. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? format(part as unknown as Decimal) : part));
}
