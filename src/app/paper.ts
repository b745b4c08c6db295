// A paper session: a live or synthetic market, the system's clock, the simulated venue. Starting again goes on where it was killed.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Amount } from '../domain/decimal.ts';
import type { RunEnded, RunOutcome } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { OperatorCommand } from '../domain/event.ts';
import type { MarketSource, Source } from '../domain/ports.ts';
import { DAY_MS, formatSpan, formatTime, NEVER, type TimeMs } from '../domain/time.ts';
import { counted } from '../domain/words.ts';
import { Inbox } from '../engine/inbox.ts';
import { run } from '../engine/run.ts';
import { SystemClock } from '../engine/system-clock.ts';
import { Feed } from '../market/feed/feed.ts';
import { connectFeed, type FeedConnection } from '../market/feed/transport.ts';
import { syntheticMarket, type SyntheticMarket } from '../market/synthetic/market.ts';
import { withoutWarmupTrades } from '../market/warmup.ts';
import { sessionSummary } from '../views/report.ts';
import { alertAddress, openAlerts, type Alerts } from './alerts.ts';
import { warmupBars } from './assemble.ts';
import { loadConfig, withOverrides } from './config.ts';
import { openControl } from './control.ts';
import { planOf, recipeHash, unfilteredInstrument, writeInstrument, writeStrategy, type Recipe, type RecipeStrategy } from './recipe.ts';
import type { RunHandle, RunStatus } from './run-handle.ts';
import { lockRun } from './run-lock.ts';
import { createRun, journalPath, letGo, listRuns, newRunId, setRunStatus, type RunFolder } from './runs.ts';
import { mustBeSameRecipe, openParts, recover, reopenJournal, saveSnapshot, type SessionParts } from './session-parts.ts';
import { statusOf, StatusNotes } from './status.ts';
import { systemTimers } from './system-timers.ts';

export interface PaperRequest {
  readonly home: string;
  readonly configFile?: string | undefined;
  readonly seed?: number | undefined;
  /** Market seconds a wall second; Infinity for as fast as it goes; the config's unless said. */
  readonly speed?: number | undefined;
  /** Wall time of this process. */
  readonly forMs?: number | undefined;
  /** Ends at a market position: so many base bars after the warm-up. */
  readonly untilBars?: number | undefined;
  /** Address of a feed instead of the synthetic market. */
  readonly feed?: string | undefined;
  /** Names or paths; the config's unless said. */
  readonly strategies?: readonly string[] | undefined;
  /** Of the one strategy that is named, `k=v,…` or the path of a JSON file. */
  readonly parameters?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly timeframeMs?: TimeMs | undefined;
  readonly capital?: string | undefined;
  /** Starts anew although an unfinished run of the same settings is there. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly onStart?: (handle: RunHandle, info: { readonly runId: string; readonly folder: string; readonly resumed: boolean }) => void;
  readonly onNotice?: (words: string) => void;
}

export interface PaperResult {
  readonly runId: string;
  readonly folder: string;
  readonly outcome: RunOutcome;
  readonly stateHash: string;
  readonly venueHash: string;
  readonly status: RunStatus;
  readonly summary: string;
}

/** Every synthetic market begins here, so that a seed is a market whenever it is run. */
const SYNTHETIC_START: TimeMs = Date.UTC(2026, 0, 1);
const TRADES_A_BAR = 4;
/** How far the clocks of a feed and of this machine may be apart. */
const TOLERATED_MS = 60_000;
/** Events between two snapshots: what a recovery has to follow again at most. */
const EVENTS_A_SNAPSHOT = 20_000;

/** Runs a session until it ends, is stopped, or reaches what it was asked to reach. @throws BallastError */
export async function runPaper(request: PaperRequest): Promise<PaperResult> {
  const { home } = request;
  const notice = request.onNotice ?? ((): void => undefined);
  const recipe = await writeRecipe(request);
  const configHash = recipeHash(recipe);
  const alertsTo = alertAddress(recipe.config, process.env);
  const unfinished = await findUnfinished(request, configHash, notice);
  const runId = unfinished?.runId ?? newRunId(home, 'paper');
  const folder = unfinished?.folder ?? createRun(home, runId, configHash, recipe);
  const lock = lockRun(folder);
  if (lock === undefined) throw runAlive(folder, 'its lock in the hands of another process');
  try {
    return await runIn(folder, { request, recipe, configHash, runId, isResumed: unfinished !== undefined, alertsTo, notice });
  } finally {
    lock.release();
  }
}

interface Start {
  readonly request: PaperRequest;
  readonly recipe: Recipe;
  readonly configHash: string;
  readonly runId: string;
  readonly isResumed: boolean;
  readonly alertsTo: string | undefined;
  readonly notice: (words: string) => void;
}

async function runIn(folder: string, { request, recipe, configHash, runId, isResumed, alertsTo, notice }: Start): Promise<PaperResult> {
  const plan = await planOf(recipe, request.home);
  const alerts = openAlerts({ address: alertsTo, runId, timers: systemTimers, onNotice: notice });
  // Killed before its journal was whole: nothing had happened yet.
  const journal = isResumed && existsSync(journalPath(folder)) ? reopenJournal(folder, notice) : undefined;
  if (journal !== undefined) mustBeSameRecipe(journal, configHash, folder);
  const parts = openParts({
    folder,
    plan,
    recipe,
    configHash,
    durability: 'every-commit',
    askTimeoutMs: recipe.config.minds.timeoutMs,
    ...(journal === undefined ? {} : { journal }),
  });
  setRunStatus(folder, 'running');
  const session = new PaperSession(request, parts, runId, folder, notice, alerts);
  try {
    if (isResumed) {
      const followed = session.recover();
      notice(resumedWords(runId, parts.engine, followed));
    }
    return await session.run(isResumed);
  } catch (cause) {
    alerts.broke(parts.engine.at, cause);
    session.abandon();
    throw cause;
  } finally {
    await alerts.close();
  }
}

/** Where a session goes on, for who sees it started again. `followed` of the engine's events were not in its snapshot. */
export function resumedWords(
  runId: string,
  { at, sequence }: { readonly at: TimeMs; readonly sequence: number },
  followed: number,
): string {
  if (sequence === 0) return `resumed ${runId} from its beginning: it had recorded no event yet`;
  const where = `resumed ${runId} at market time ${formatTime(at)}, where its recording of ${counted(sequence, 'event')} ends`;
  const since =
    followed === sequence ? 'all of them were' : `the last ${followed}, since its latest snapshot, ${followed === 1 ? 'was' : 'were'}`;
  const how = followed === 0 ? 'they are those of its latest snapshot' : `${since} gone through again to get there`;
  return `${where}: positions, orders and money are as they were then (${how})`;
}

/** @throws BallastError ARGUMENT_INVALID */
function checkParameters({ parameters, strategies }: PaperRequest): void {
  if (parameters === undefined || strategies?.length === 1) return;
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: '--params',
    found: strategies === undefined ? 'no --strategy' : `parameters for ${strategies.length} strategies`,
    expected: 'one --strategy whose parameters they are',
    remedy: 'paper.strategies of ballast.yaml has the parameters of several',
    exitCode: 2,
  });
}

/** A feed has its own time and its own end. @throws BallastError ARGUMENT_INVALID */
function checkFeedFlags({ feed, speed, untilBars }: PaperRequest): void {
  const found = speed !== undefined ? '--speed' : untilBars !== undefined ? '--until-bars' : undefined;
  if (feed === undefined || found === undefined) return;
  const expected = '--feed alone, or with --for';
  const remedy = 'the time of a feed passes as its events come, and it ends when it says so';
  throw new BallastError({ code: 'ARGUMENT_INVALID', place: found, found: `${found} with --feed`, expected, remedy, exitCode: 2 });
}

/** A feed does not come again: what the venue had done and not yet said when it was killed could not be done again. */
function checkFeedAnswers({ responseLatencyMs, responseJitterMs, recordedResponsesMs }: Recipe['config']['venue']): void {
  if (responseLatencyMs === 0 && responseJitterMs === 0 && recordedResponsesMs.length === 0) return;
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: '--feed',
    found: 'a latency of answers in the config (venue.responseLatencyMs, responseJitterMs or recordedResponsesMs)',
    expected: 'none with --feed',
    remedy: 'answers may be late in a backtest and on the synthetic market',
    exitCode: 2,
  });
}

async function writeRecipe(request: PaperRequest): Promise<Recipe> {
  const { home } = request;
  checkFeedFlags(request);
  checkParameters(request);
  const config = withOverrides(loadConfig({ home, file: request.configFile }), {
    paper: {
      seed: request.seed,
      timeframeMs: request.timeframeMs,
      symbols: request.symbols,
      speed: request.speed === Infinity ? 'max' : request.speed,
    },
  });
  const { seed, baseTimeframeMs, timeframeMs, warmupMs } = config.paper;
  const uses: readonly Omit<RecipeStrategy, 'digest'>[] =
    request.strategies?.map((strategy) => ({ strategy, parameters: request.parameters ?? {} })) ??
    config.paper.strategies.map((entry) => ({ ...entry }) as RecipeStrategy);
  const strategies: RecipeStrategy[] = [];
  for (const use of uses) strategies.push(await writeStrategy(use, home));
  const isFeed = request.feed !== undefined;
  if (isFeed) checkFeedAnswers(config.venue);
  const symbols = [...config.paper.symbols];
  const instruments = isFeed
    ? symbols.map((symbol) => unfilteredInstrument('feed', symbol, '--symbols'))
    : syntheticMarket({ seed, startAt: SYNTHETIC_START, timeframeMs: baseTimeframeMs, assets: symbols }).instruments;
  const draft: Recipe = {
    kind: 'paper',
    config,
    instruments: instruments.map(writeInstrument),
    baseTimeframeMs,
    timeframeMs,
    strategies,
    capital: request.capital ?? String(config.paper.capital),
    noRisk: false,
    allowSpotShort: false,
    seed,
    market: isFeed
      ? { source: 'feed' }
      : { source: 'synthetic', seed, startAt: SYNTHETIC_START, from: SYNTHETIC_START + warmupMs, tradesPerBar: TRADES_A_BAR },
    mindFailure: 'suspend',
  };
  if (isFeed) return draft;
  // Whole days, and at least what the declared features need.
  const neededMs = Math.max(warmupMs, warmupBars(await planOf(draft, home)) * baseTimeframeMs);
  const from = SYNTHETIC_START + Math.ceil(neededMs / DAY_MS) * DAY_MS;
  return { ...draft, market: { source: 'synthetic', seed, startAt: SYNTHETIC_START, from, tradesPerBar: TRADES_A_BAR } };
}

/** A run of the same settings that was killed or interrupted; one that lives is not to be touched. @throws BallastError RUN_ALIVE */
async function findUnfinished(request: PaperRequest, configHash: string, notice: (words: string) => void): Promise<RunFolder | undefined> {
  const unfinished = listRuns(request.home, (damage) => notice(damage.message)).filter(
    (run) => run.recipe.kind === 'paper' && (run.status === 'running' || run.status === 'interrupted'),
  );
  const alive = unfinished.find((run) => run.isAlive && run.configHash === configHash);
  if (alive !== undefined) throw runAlive(alive.folder, `the same session running in process ${alive.pid}`);
  if (request.fresh) return undefined;
  const same = unfinished.findLast((run) => run.configHash === configHash);
  const other = unfinished.findLast((run) => run.configHash !== configHash && !run.isAlive);
  if (same === undefined && other !== undefined) {
    const command = await commandOf(other, request);
    const how = command ?? `repeat its command with the config of then, which is in ${other.folder}`;
    notice(`unfinished run ${other.runId} has other settings and is left as it is, a new one begins; to go on with it: ${how}`);
  }
  return same;
}

/**
 * The command that goes on with an unfinished run: its flags are what its recipe has otherwise than a session without flags, and only a
 * command that is proved to mean the same run is given. Undefined where the config has changed since, which no flag brings back.
 */
async function commandOf({ recipe, configHash }: RunFolder, request: PaperRequest): Promise<string | undefined> {
  const { home, configFile, feed, fresh, signal } = request;
  const isFeed = recipe.market.source === 'feed';
  // Where a feed is makes no difference to the recipe.
  const bare: PaperRequest = { home, configFile, fresh, signal, ...(isFeed && { feed: feed ?? 'ws://HOST:PORT' }) };
  const plain = await recipeOf(bare);
  if (plain === undefined) return undefined;
  const symbols = recipe.instruments.map(({ symbol }) => symbol);
  const strategies = recipe.strategies.map(({ strategy }) => strategy);
  const isUnlike = (one: unknown, other: unknown): boolean => JSON.stringify(one) !== JSON.stringify(other);
  const meant: PaperRequest = {
    ...bare,
    ...(recipe.seed !== plain.seed && { seed: recipe.seed }),
    ...(recipe.timeframeMs !== plain.timeframeMs && { timeframeMs: recipe.timeframeMs }),
    ...(isUnlike(
      symbols,
      plain.instruments.map(({ symbol }) => symbol),
    ) && { symbols }),
    ...(isUnlike(recipe.strategies, plain.strategies) && { strategies }),
    ...(recipe.capital !== plain.capital && { capital: recipe.capital }),
  };
  const found = await recipeOf(meant);
  if (found === undefined || recipeHash(found) !== configHash) return undefined;
  const flags: readonly (readonly [string, string | undefined])[] = [
    ['--home', resolve(home) === process.cwd() ? undefined : home],
    ['--config', configFile],
    ['--feed', meant.feed],
    ['--seed', meant.seed?.toString()],
    ['--strategy', meant.strategies?.join(',')],
    ['--symbols', meant.symbols?.join(',')],
    ['--timeframe', meant.timeframeMs === undefined ? undefined : formatSpan(meant.timeframeMs)],
    ['--capital', meant.capital],
  ];
  const words = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quotedForShell(value)]));
  return ['ballast paper', ...words].join(' ');
}

/** Undefined where such a session cannot be: a strategy that is gone, flags that do not go together. */
async function recipeOf(request: PaperRequest): Promise<Recipe | undefined> {
  try {
    return await writeRecipe(request);
  } catch (error) {
    if (error instanceof BallastError) return undefined;
    throw error;
  }
}

function quotedForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function runAlive(folder: string, found: string): BallastError {
  return new BallastError({
    code: 'RUN_ALIVE',
    place: folder,
    found,
    expected: 'one process for a run',
    remedy: 'look at it with `ballast status`, or end it first',
  });
}

class PaperSession {
  readonly #request: PaperRequest;
  readonly #parts: SessionParts;
  readonly #runId: string;
  readonly #folder: string;
  readonly #notice: (words: string) => void;
  readonly #clock: SystemClock;
  readonly #inbox: Inbox;
  readonly #market: SyntheticMarket | undefined;
  readonly #feed: Feed | undefined;
  /** By instrument: as the engine sees them. */
  readonly #watched: readonly MarketSource[];
  readonly #sources: readonly Source[];
  readonly #from: TimeMs;
  readonly #notes = new StatusNotes();
  readonly #startedAt = Date.now();
  #snapshotAt = 0;
  #isStopping = false;
  #isOver = false;
  /** It had said its last word, and was killed before run.json said so too. */
  #ended: RunEnded | undefined;
  readonly #answers: { readonly sequence: number; readonly resolve: () => void }[] = [];

  constructor(request: PaperRequest, parts: SessionParts, runId: string, folder: string, notice: (words: string) => void, alerts: Alerts) {
    this.#request = request;
    this.#parts = parts;
    this.#runId = runId;
    this.#folder = folder;
    this.#notice = notice;
    const { engine, venue, recipe } = parts;
    const { market, config } = recipe;
    const speed = config.paper.speed === 'max' ? Infinity : config.paper.speed;
    const notBefore = (): TimeMs => engine.earliestNext;
    if (market.source === 'synthetic') {
      this.#from = market.from;
      this.#clock = new SystemClock(market.from, speed);
      this.#market = syntheticMarket({
        seed: market.seed,
        startAt: market.startAt,
        timeframeMs: recipe.baseTimeframeMs,
        tradesPerBar: market.tradesPerBar,
        from: market.from,
        assets: recipe.instruments.map((instrument) => instrument.symbol),
      });
      this.#watched = this.#market.sources.map((source) => venue.watching(withoutWarmupTrades(source)));
      this.#sources = [];
    } else {
      this.#from = NEVER;
      this.#clock = SystemClock.live();
      this.#feed = new Feed({
        symbols: recipe.instruments.map((instrument) => instrument.symbol),
        baseTimeframeMs: recipe.baseTimeframeMs,
        now: () => this.#clock.now(),
        notBefore,
        latest: () => Date.now() + TOLERATED_MS,
        onTime: (happenedAt) => this.#learnTime(happenedAt),
        onRefused: (why) => this.#refused(why),
      });
      this.#watched = this.#feed.sources.map((source) => venue.watching(source));
      this.#sources = [this.#feed.control];
    }
    this.#inbox = new Inbox(() => this.#clock.now(), notBefore);
    this.#sources = [venue, this.#inbox, ...this.#sources, ...this.#watched];
    parts.journal.onRow((row) => {
      this.#notes.fold(row);
      alerts.fold(row);
    });
  }

  /** A feed of the past or of another clock: market time is what its events say, and between them passes as the wall does. */
  #learnTime(happenedAt: TimeMs): void {
    const now = this.#clock.now();
    if (happenedAt > now || now - happenedAt > TOLERATED_MS) this.#clock.anchor(Math.max(happenedAt, this.#parts.engine.at));
  }

  #refused(why: string): void {
    this.#notes.refuse(why);
    this.#notice(`feed: refused ${why}`);
  }

  recover(): number {
    const { engine } = this.#parts;
    for (const row of this.#parts.journal.rows()) {
      this.#notes.fold(row);
      if (row.entry.kind === 'run.ended') this.#ended = row.entry;
    }
    const followed = recover(this.#parts, this.#market, this.#market === undefined ? [] : this.#watched, this.#notice);
    this.#snapshotAt = engine.sequence;
    // An interrupted run has said what its state was; from here on it is another.
    this.#parts.journal.setMeta('stateHash', '');
    this.#clock.anchor(Math.max(engine.at, this.#market === undefined ? 0 : this.#from));
    this.#feed?.goOn(engine.at, engine.market.barAt, engine.market.mark);
    return followed;
  }

  async run(resumed: boolean): Promise<PaperResult> {
    if (this.#ended !== undefined) return this.#finish(this.#ended.cause, 'finished');
    const { request, handle } = { request: this.#request, handle: this.#handle() };
    const { engine, plan } = this.#parts;
    const control = await openControl(this.#folder, handle);
    const stop = (): void => {
      this.#isStopping = true;
      this.#wake();
    };
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted) stop();
    let timer: NodeJS.Timeout | undefined;
    let isTimeUp = false;
    if (request.forMs !== undefined) {
      timer = setTimeout(() => {
        isTimeUp = true;
        stop();
      }, request.forMs);
    }
    let wire: FeedConnection | undefined;
    if (this.#feed !== undefined && request.feed !== undefined) wire = connectFeed(request.feed, this.#feed, this.#notice);
    request.onStart?.(handle, { runId: this.#runId, folder: this.#folder, resumed });
    const until =
      request.untilBars === undefined || this.#market === undefined ? NEVER : this.#from + request.untilBars * plan.baseTimeframeMs;
    try {
      const outcome = await run({
        engine,
        clock: this.#clock,
        sources: this.#sources,
        until,
        isStopping: () => this.#isStopping,
        onSlice: () => this.#afterSlice(),
      });
      return this.#finish(outcome, outcome === 'stopped' && !isTimeUp ? 'interrupted' : 'finished');
    } finally {
      this.#isOver = true;
      this.#notes.end();
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
      wire?.close();
      this.#answer();
      await control.close();
    }
  }

  /** Whoever waits for the clock hears that there is something to look at. */
  #wake(): void {
    this.#inbox.wake();
  }

  #afterSlice(): void {
    const { engine, recorder, journal, tape } = this.#parts;
    this.#notes.tick(engine.sequence);
    this.#answer();
    if (engine.sequence - this.#snapshotAt >= EVENTS_A_SNAPSHOT) {
      this.#snapshotAt = engine.sequence;
      saveSnapshot(this.#parts, this.#market);
    } else if (this.#feed !== undefined && journal.getMeta('tapeOffset') !== String(tape.offset)) {
      // A feed does not come again: everything up to here is to be believed, the journal's rows included.
      recorder.commit();
      journal.setMeta('tapeOffset', String(tape.offset));
    }
  }

  #answer(): void {
    const { sequence } = this.#parts.engine;
    for (let index = this.#answers.length - 1; index >= 0; index--) {
      const waiting = this.#answers[index];
      if (waiting === undefined || (!this.#isOver && (this.#inbox.hasWords || sequence < waiting.sequence))) continue;
      this.#answers.splice(index, 1);
      waiting.resolve();
    }
  }

  #handle(): RunHandle {
    return {
      status: () => this.#status(),
      command: (command: OperatorCommand, argument: string, by: string) =>
        new Promise<void>((resolve, reject) => {
          if (this.#isOver) {
            reject(new Error('the session has ended'));
            return;
          }
          if (command === 'close' && !this.#parts.plan.sleeves.some((sleeve) => sleeve.name === argument)) {
            const names = this.#parts.plan.sleeves.map((sleeve) => sleeve.name).join(', ');
            reject(new Error(`no sleeve is named ${JSON.stringify(argument)}; there are ${names}`));
            return;
          }
          this.#inbox.post({ kind: 'operator.spoke', command, argument, by });
          this.#answers.push({ sequence: this.#parts.engine.sequence + 1, resolve });
        }),
      stop: () => {
        this.#isStopping = true;
        this.#wake();
      },
    };
  }

  #status(): RunStatus {
    return statusOf(this.#parts, this.#notes, {
      runId: this.#runId,
      folder: this.#folder,
      startedAtMs: this.#startedAt,
      isStopping: this.#isStopping,
      isOver: this.#isOver,
      isWarm: this.#from === NEVER ? this.#parts.engine.sequence > 0 : this.#parts.engine.at > this.#from,
    });
  }

  #finish(outcome: RunOutcome, status: 'interrupted' | 'finished'): PaperResult {
    const { engine, venue, journal, tape, recorder, configHash, plan, ledger } = this.#parts;
    const stateHash = engine.stateHash(configHash);
    const { equity } = engine.portfolio;
    if (this.#ended === undefined) saveSnapshot(this.#parts, this.#market);
    if (this.#ended !== undefined) mustBeStateAtEnd(this.#ended, stateHash, this.#folder);
    else if (status === 'finished') {
      const cash: Amount = engine.portfolio.totalCash();
      recorder.entry({ kind: 'run.ended', at: engine.at, cause: outcome, stateHash, equity, cash }, engine.sequence);
      recorder.commit();
    }
    journal.setMeta('stateHash', stateHash);
    this.#isOver = true;
    const result: PaperResult = {
      runId: this.#runId,
      folder: this.#folder,
      outcome,
      stateHash,
      venueHash: venue.stateHash(),
      status: this.#status(),
      summary: sessionSummary({
        ended: wordsFor(outcome, status),
        capital: plan.capital,
        currency: plan.instruments[0]?.quote ?? '',
        equity,
        ledger,
        folder: this.#folder,
      }),
    };
    tape.close();
    journal.close();
    setRunStatus(this.#folder, status);
    return result;
  }

  /** Something broke: what is recorded stays, the run stays unfinished. */
  abandon(): void {
    this.#isOver = true;
    const { tape, journal } = this.#parts;
    letGo([() => tape.close(), () => journal.close(), () => setRunStatus(this.#folder, 'interrupted')], this.#notice);
  }
}

/** @throws BallastError REPLAY_MISMATCH */
function mustBeStateAtEnd({ at, stateHash: expected }: RunEnded, found: string, folder: string): void {
  if (found === expected) return;
  const remedy = 'the code, the strategy file or the recording has changed since; what was recorded stays as it is';
  throw new BallastError({ code: 'REPLAY_MISMATCH', place: `${folder}, state at its end, ${formatTime(at)}`, found, expected, remedy });
}

function wordsFor(outcome: RunOutcome, status: 'interrupted' | 'finished'): string {
  if (status === 'interrupted') return 'stopped by the operator; the same command goes on with it';
  if (outcome === 'until') return 'reached its bar';
  return outcome === 'stopped' ? 'its time was up' : 'the market ended';
}
