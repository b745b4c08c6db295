// A paper session: a live or synthetic market, the system's clock, the simulated venue. Starting again goes on where it was killed.
import { resolve } from 'node:path';
import { BallastError } from '../domain/errors.ts';
import type { MarketSource } from '../domain/ports.ts';
import { DAY_MS, formatSpan, NEVER, type TimeMs } from '../domain/time.ts';
import { Inbox } from '../engine/inbox.ts';
import { SystemClock } from '../engine/system-clock.ts';
import { Feed } from '../market/feed/feed.ts';
import { connectFeed, type FeedConnection } from '../market/feed/transport.ts';
import { syntheticMarket } from '../market/synthetic/market.ts';
import { withoutWarmupTrades } from '../market/warmup.ts';
import { alertAddress } from './alerts.ts';
import { askedStrategies, type AskedStrategies } from './asked-strategies.ts';
import { warmupBars } from './assemble.ts';
import { instrumentsOnBooks, mustNeedNoBooks } from './books-demanded.ts';
import { loadConfig, withOverrides } from './config.ts';
import { planOf, recipeHash, unfilteredInstrument, writeInstrument, type Recipe, type SyntheticRecipe } from './recipe.ts';
import { listRuns, type RunFolder } from './runs.ts';
import { holdRun, runAlive, Session, type HeldRun, type SessionRequest, type SessionResult, type World } from './session.ts';
import { openParts, type SessionParts } from './session-parts.ts';
import { StatusNotes } from './status.ts';
import { MarketWithBooks, syntheticBookSources, syntheticBookTapes } from './synthetic-books.ts';

export interface PaperRequest extends SessionRequest, AskedStrategies {
  readonly configFile?: string | undefined;
  readonly seed?: number | undefined;
  /** Market seconds a wall second; Infinity for as fast as it goes; the config's unless said. */
  readonly speed?: number | undefined;
  /** Ends at a market position: so many base bars after the warm-up. */
  readonly untilBars?: number | undefined;
  /** Address of a feed instead of the synthetic market. */
  readonly feed?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly timeframeMs?: TimeMs | undefined;
  readonly capital?: string | undefined;
  /** Starts anew although an unfinished run of the same settings is there. */
  readonly fresh: boolean;
  readonly onNotice?: (words: string) => void;
}

/** Every synthetic market begins here, so that a seed is a market whenever it is run. */
const SYNTHETIC_START: TimeMs = Date.UTC(2026, 0, 1);
const TRADES_A_BAR = 4;
/** How far the clocks of a feed and of this machine may be apart. */
const TOLERATED_MS = 60_000;

/** Runs a session until it ends, is stopped, or reaches what it was asked to reach. @throws BallastError */
export async function runPaper(request: PaperRequest): Promise<SessionResult> {
  const { home } = request;
  const onNotice = request.onNotice ?? ((): void => undefined);
  const recipe = await writeRecipe(request);
  const configHash = recipeHash(recipe);
  // What the environment lacks is said before anything is begun.
  alertAddress(recipe.config, process.env);
  const unfinished = await findUnfinished(request, configHash, onNotice);
  const plan = await planOf(recipe, home);
  if (recipe.market.source === 'feed') {
    const remedy = 'the synthetic market has books (leave --feed out), ballast backtest --books and ballast live have them too';
    mustNeedNoBooks(plan, 'a paper session on a feed, which has no books', remedy);
  }
  return holdRun({ home, recipe, configHash, unfinished, onNotice }, (run) => {
    const { market } = recipe;
    const parts = openParts({
      folder: run.folder,
      plan,
      recipe,
      configHash,
      durability: 'every-commit',
      askTimeoutMs: recipe.config.minds.timeoutMs,
      ...(run.journal === undefined ? {} : { journal: run.journal }),
      ...(market.source === 'synthetic' && market.books === true ? { books: syntheticBookTapes(recipe, market) } : {}),
    });
    return market.source === 'synthetic'
      ? onSyntheticMarket({ request, run, parts, onNotice }, market).live()
      : onFeed({ request, run, parts, onNotice }).live();
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
  const config = withOverrides(loadConfig({ home, file: request.configFile }), {
    paper: {
      seed: request.seed,
      timeframeMs: request.timeframeMs,
      symbols: request.symbols,
      speed: request.speed === Infinity ? 'max' : request.speed,
    },
  });
  const { seed, baseTimeframeMs, timeframeMs, warmupMs } = config.paper;
  const strategies = [...(await askedStrategies(request, config))];
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
  const plan = await planOf(draft, home);
  const hasBooks = instrumentsOnBooks(plan).size > 0;
  if (hasBooks) checkBookRules(config);
  // Whole days, and at least what the declared features need.
  const neededMs = Math.max(warmupMs, warmupBars(plan) * baseTimeframeMs);
  const from = SYNTHETIC_START + Math.ceil(neededMs / DAY_MS) * DAY_MS;
  const market = { source: 'synthetic', seed, startAt: SYNTHETIC_START, from, tradesPerBar: TRADES_A_BAR } as const;
  return { ...draft, market: hasBooks ? { ...market, books: true } : market };
}

/** @throws BallastError ARGUMENT_INVALID */
function checkBookRules({ venue: { fill } }: Recipe['config']): void {
  if (fill !== 'close') return;
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: 'venue.fill, where a strategy lives on books',
    found: 'close',
    expected: 'next-open: a book fills an order when it arrives',
    exitCode: 2,
  });
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

interface PaperParts {
  readonly request: PaperRequest;
  readonly run: HeldRun;
  readonly parts: SessionParts;
  readonly onNotice: (words: string) => void;
}

function onSyntheticMarket({ request, run, parts, onNotice }: PaperParts, synthetic: SyntheticRecipe): Session<SessionParts['venue']> {
  const { from, seed, startAt, tradesPerBar } = synthetic;
  const { engine, venue, recipe, plan } = parts;
  const { speed } = recipe.config.paper;
  const clock = new SystemClock(from, speed === 'max' ? Infinity : speed);
  const market = syntheticMarket({
    seed,
    startAt,
    timeframeMs: recipe.baseTimeframeMs,
    tradesPerBar,
    from,
    assets: recipe.instruments.map((instrument) => instrument.symbol),
  });
  const watched = market.sources.map((source) => venue.watching(withoutWarmupTrades(source)));
  const books = synthetic.books === true ? syntheticBookSources(recipe, synthetic, instrumentsOnBooks(plan)) : [];
  const inbox = new Inbox(
    () => clock.now(),
    () => engine.earliestNext,
  );
  const world: World = {
    again: { market: new MarketWithBooks(market, books), sources: watched, books },
    sources: [...watched, ...books.filter((book) => book !== undefined)],
    from,
    until: request.untilBars === undefined ? undefined : from + request.untilBars * plan.baseTimeframeMs,
    goOn: () => clock.anchor(Math.max(engine.at, from)),
    open: () => undefined,
    close: () => undefined,
  };
  return new Session({ request, run, parts, clock, notes: new StatusNotes(), inbox, world, onNotice });
}

function onFeed({ request, run, parts, onNotice }: PaperParts): Session<SessionParts['venue']> {
  const { engine, venue, recipe } = parts;
  const clock = SystemClock.live();
  const notes = new StatusNotes();
  const notBefore = (): TimeMs => engine.earliestNext;
  const feed = new Feed({
    symbols: recipe.instruments.map((instrument) => instrument.symbol),
    baseTimeframeMs: recipe.baseTimeframeMs,
    now: () => clock.now(),
    notBefore,
    latest: () => Date.now() + TOLERATED_MS,
    onTime: (happenedAt) => learnTime(clock, happenedAt, engine.at),
    onRefused: (why) => {
      notes.refuse(why);
      onNotice(`feed: refused ${why}`);
    },
  });
  const watched: readonly MarketSource[] = feed.sources.map((source) => venue.watching(source));
  const inbox = new Inbox(() => clock.now(), notBefore);
  let wire: FeedConnection | undefined;
  const world: World = {
    again: undefined,
    sources: [feed.control, ...watched],
    from: NEVER,
    goOn: () => {
      clock.anchor(engine.at);
      feed.goOn(engine.at, engine.market.barAt, engine.market.mark);
    },
    open: () => {
      if (request.feed !== undefined) wire = connectFeed(request.feed, feed, onNotice);
    },
    close: () => wire?.close(),
  };
  return new Session({ request, run, parts, clock, notes, inbox, world, onNotice });
}

/** A feed of the past or of another clock: market time is what its events say, and between them passes as the wall does. */
function learnTime(clock: SystemClock, happenedAt: TimeMs, engineAt: TimeMs): void {
  const now = clock.now();
  if (happenedAt > now || now - happenedAt > TOLERATED_MS) clock.anchor(Math.max(happenedAt, engineAt));
}
