// A live session: real orders at a venue of the world outside. It begins only with a fit key, for an account that nobody else trades, with
// gates that are met or overridden, and with a part of the capital. Killed at any moment, it goes on where the venue is.
import { join } from 'node:path';
import { BallastError } from '../domain/errors.ts';
import { MINUTE_MS, NEVER, type TimeMs } from '../domain/time.ts';
import { Inbox } from '../engine/inbox.ts';
import { SystemClock } from '../engine/system-clock.ts';
import type { Journal } from '../journal/journal.ts';
import type { Site } from '../venues/ccxt/credentials.ts';
import { takeLease, type AccountLease } from './account-lease.ts';
import { askedStrategies, type AskedStrategies } from './asked-strategies.ts';
import { warmupBars } from './assemble.ts';
import { instrumentsOnBooks } from './books-demanded.ts';
import { loadConfig, withOverrides, type Config } from './config.ts';
import { keyFindings, mustBeFit } from './key-findings.ts';
import { gateWords, judgePaper, mustMeetGates, overridePhrase, type GateReport } from './live-gates.ts';
import { stageOf } from './live-stages.ts';
import { openLiveVenue, type LiveMarket, type LiveVenue, type TradedVenue } from './live-venue.ts';
import { OrderLatency } from './order-latency.ts';
import { planOf, readInstrument, recipeHash, writeInstrument, type Recipe, type VenueMarket } from './recipe.ts';
import type { LatencyStatus } from './run-handle.ts';
import { rehearse } from './rehearsal.ts';
import { listRuns, writeFileOfRun, type RunFolder } from './runs.ts';
import { mustBePrivate } from './secrets.ts';
import { holdRun, Session, type HeldRun, type SessionRequest, type SessionResult, type World } from './session.ts';
import { openPartsAround, type SessionParts } from './session-parts.ts';
import { StatusNotes } from './status.ts';
import { systemTimers } from './system-timers.ts';
import { venueFeed, type VenueFeed } from './venue-feed.ts';

export interface LiveRequest extends SessionRequest, AskedStrategies {
  readonly configFile?: string | undefined;
  /** `bybit`, or ccxt's id of another. */
  readonly venue: string;
  readonly site: Site;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The operator says that the key may trade and nothing else, where the venue does not say what it may. */
  readonly isKeyVouchedFor: boolean;
  /** In quote currency; a stage has a part of it. */
  readonly capital: string;
  /** The phrase, typed. */
  readonly override?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly timeframeMs?: TimeMs | undefined;
  /** Starts anew although a session of the account is unfinished. */
  readonly fresh: boolean;
  readonly onNotice?: ((words: string) => void) | undefined;
}

/** Between two looks at whether everything that was asked for at the end is done. */
const DRAIN_LOOK_MS = 50;
/** A loop that waits for the venue for longer leaves what it holds itself without anybody: stops, pairs. */
const MOST_RECONCILE_MS = 10_000;
const RECONCILE_LOOK_MS = 10;

/** Trades until it is asked to end. @throws BallastError */
export async function runLive(request: LiveRequest): Promise<SessionResult> {
  const { home, venue: name, site } = request;
  mustBePrivate(home);
  const config = configOf(request);
  const kinds = kindsOf(config.paper.symbols);
  const venue = await openLiveVenue({ ...request, kinds });
  let lease: AccountLease | undefined;
  try {
    venue.mustServe(config, false);
    const facts = await venue.account.facts();
    const findings = keyFindings(facts, kinds, Date.now());
    mustBeFit(findings, `the key of ${name} ${site}`);
    for (const { subject, found, verdict } of findings) if (verdict === 'unwise') request.onNotice?.(`the key: ${subject}: ${found}`);
    lease = takeLease({ folder: config.live.leaseFolder ?? undefined, account: accountName(request, facts.uid), home });
    return await onAccount({ request, config, venue, uid: facts.uid, lease });
  } finally {
    venue.account.close();
    lease?.release();
  }
}

/** One lease for each account, wherever it is served. */
function accountName({ venue, site, address }: LiveRequest, uid: string): string {
  return `${venue}-${address === undefined ? site : new URL(address).host}-${uid}`;
}

export function kindsOf(symbols: readonly string[]): readonly ('spot' | 'linear')[] {
  return symbols.map((symbol) => (symbol.includes(':') ? 'linear' : 'spot'));
}

function configOf({ home, configFile, timeframeMs, symbols }: LiveRequest): Config {
  return withOverrides(loadConfig({ home, file: configFile }), { paper: { timeframeMs, symbols } });
}

interface Opened {
  readonly request: LiveRequest;
  readonly config: Config;
  readonly venue: LiveVenue;
  /** Of the account. */
  readonly uid: string;
  readonly lease: AccountLease;
}

async function onAccount(opened: Opened): Promise<SessionResult> {
  const { request, venue, uid } = opened;
  const { home } = request;
  const onNotice = request.onNotice ?? ((): void => undefined);
  for (const words of venue.lacks) onNotice(words);
  const unfinished = findUnfinished(request, uid, onNotice);
  const recipe = unfinished === undefined ? await newRecipe(opened, onNotice) : await recipeAgain(opened, unfinished);
  // Positions that are there must be looked after: who goes on is not asked for gates again.
  const gates = unfinished === undefined ? await passGates(opened, recipe, onNotice) : undefined;
  const isGuarded = await setUp(opened, recipe, unfinished !== undefined, onNotice);
  const configHash = recipeHash(recipe);
  return holdRun({ home, recipe, configHash, unfinished, onNotice }, async (run) => {
    if (gates !== undefined) writeFileOfRun(join(run.folder, 'gates.json'), `${JSON.stringify(gates, undefined, 2)}\n`);
    const plan = await planOf(recipe, home);
    venue.mustServe(opened.config, instrumentsOnBooks(plan).size > 0);
    await rehearse({ folder: run.folder, recipe, plan, onNotice });
    const marketNow = await venue.account.marketNow(firstInstrument(recipe));
    return (await openSession({ ...opened, recipe, configHash, run, plan, isGuarded, marketNow, onNotice })).live();
  });
}

function firstInstrument(recipe: Recipe) {
  const [first] = recipe.instruments;
  if (first === undefined) throw new Error('broken invariant: a recipe has an instrument');
  return readInstrument(first);
}

// ---- which run -------------------------------------------------------------------------------------------------------

/** The latest session of this account that holds something or was killed. One that must not be mixed with a new one is never passed over. */
function findUnfinished({ home, venue, site, fresh }: LiveRequest, uid: string, onNotice: (words: string) => void): RunFolder | undefined {
  const isMeant = ({ recipe: { kind, market }, status }: RunFolder): boolean =>
    kind === 'live' &&
    market.source === 'venue' &&
    market.venue === venue &&
    market.site === site &&
    market.account === uid &&
    (status === 'running' || status === 'interrupted');
  const found = listRuns(home, (damage) => onNotice(damage.message)).findLast(isMeant);
  if (found === undefined || !fresh) return found;
  onNotice(`unfinished run ${found.runId} of this account is left as it is: what it holds is not of the new one`);
  return undefined;
}

/** What was asked for, with the stage and the instruments of the run that goes on. @throws BallastError RUN_OTHER_SETTINGS */
async function recipeAgain(opened: Opened, unfinished: RunFolder): Promise<Recipe> {
  const { market, instruments, capital } = unfinished.recipe;
  if (market.source !== 'venue') throw new Error('broken invariant: a live run is of a venue');
  const recipe = await draftOf(opened, { instruments, market: { ...market, wholeCapital: opened.request.capital }, capital });
  if (recipeHash(recipe) === unfinished.configHash) return recipe;
  throw new BallastError({
    code: 'RUN_OTHER_SETTINGS',
    place: `unfinished run ${unfinished.runId} of this account`,
    found: 'other settings than those of then: strategies, symbols, limits or capital',
    expected: 'the same, or an end of it',
    remedy: `repeat it with the config of then, which is in ${unfinished.folder}; close its positions with ballast flatten and end it; or begin anew with --fresh, which makes what it holds foreign`,
    exitCode: 2,
  });
}

async function newRecipe(opened: Opened, onNotice: (words: string) => void): Promise<Recipe> {
  const { request, config, venue, uid: account } = opened;
  const { home, site, capital: wholeCapital } = request;
  const instruments = (await venue.account.instruments(config.paper.symbols)).map(writeInstrument);
  const holdsStops = venue.holdsStops ? ({ holdsStops: true } as const) : {};
  const market: VenueMarket = { source: 'venue', venue: venue.name, site, account, stage: 0, wholeCapital, ...holdsStops };
  const recipe = await draftOf(opened, { instruments, market, capital: wholeCapital });
  const stage = await stageOf({ home, config, recipe, market, wholeCapital });
  onNotice(`stage ${stage.number + 1} of ${stage.of}: ${stage.capital} of ${wholeCapital} are traded with (${stage.because})`);
  return { ...recipe, capital: stage.capital, market: { ...market, stage: stage.number } };
}

async function draftOf(
  { request, config }: Opened,
  { instruments, market, capital }: Pick<Recipe, 'instruments' | 'capital'> & { readonly market: VenueMarket },
): Promise<Recipe> {
  const { baseTimeframeMs, timeframeMs } = config.paper;
  return {
    kind: 'live',
    config,
    instruments,
    baseTimeframeMs,
    timeframeMs,
    strategies: [...(await askedStrategies(request, config))],
    capital,
    noRisk: false,
    allowSpotShort: false,
    seed: 0,
    market,
    mindFailure: 'suspend',
  };
}

// ---- before anything is traded -----------------------------------------------------------------------------------------

/** What was found, and whether somebody went on without it: kept beside the run. */
interface PassedGates extends GateReport {
  readonly overridden: string | null;
}

/** @throws BallastError GATES_NOT_MET */
async function passGates({ request }: Opened, recipe: Recipe, onNotice: (words: string) => void): Promise<PassedGates> {
  const { home, venue, site, address, capital, override } = request;
  const report = await judgePaper({ home, recipe, site, isLocal: address !== undefined });
  const phrase = overridePhrase(`${venue} ${site}`, capital, firstInstrument(recipe).quote);
  for (const line of gateWords(report)) onNotice(line);
  mustMeetGates(report, phrase, override);
  if (!report.isMet) onNotice(`overridden by the phrase ${JSON.stringify(phrase)}`);
  return { ...report, overridden: report.isMet ? null : phrase };
}

/** Margin, leverage, and the venue's guard. @returns whether it guards us. @throws BallastError ACCOUNT_UNFIT */
async function setUp(
  { config, venue: { account } }: Opened,
  recipe: Recipe,
  isResumed: boolean,
  onNotice: (words: string) => void,
): Promise<boolean> {
  const instruments = recipe.instruments.map(readInstrument);
  const hedged = (await account.positions(instruments)).find(({ isHedge }) => isHedge);
  if (hedged !== undefined) {
    throw new BallastError({
      code: 'ACCOUNT_UNFIT',
      place: `position mode of ${hedged.symbol}`,
      found: 'hedge mode: a long and a short position beside each other',
      expected: 'one-way mode',
      remedy: 'switch it in the settings of the venue, while nothing is held',
    });
  }
  const { marginMode, leverage, deadManMs } = config.live;
  const { isGuarded, refusals } = await account.setUp(instruments, {
    margin: marginMode === 'keep' ? undefined : marginMode,
    leverage: leverage ?? undefined,
    deadManMs: deadManMs ?? undefined,
  });
  const [first] = refusals.filter((words) => !words.startsWith('the dead man'));
  for (const words of refusals) onNotice(`the venue did not set ${words}`);
  // While something is held, margin cannot be changed: what stands goes on as it was.
  if (first === undefined || isResumed) return isGuarded;
  throw new BallastError({
    code: 'ACCOUNT_UNFIT',
    place: 'the account',
    found: first,
    expected: 'what live.marginMode and live.leverage say',
    remedy: 'set it by hand while nothing is held, or set live.marginMode: keep and live.leverage: null',
  });
}

// ---- the session -------------------------------------------------------------------------------------------------------

interface Setting extends Opened {
  readonly recipe: Recipe;
  readonly configHash: string;
  readonly run: HeldRun;
  readonly plan: SessionParts['plan'];
  readonly isGuarded: boolean;
  readonly marketNow: TimeMs;
  readonly onNotice: (words: string) => void;
}

async function openSession(setting: Setting): Promise<Session<TradedVenue>> {
  const { request, recipe, configHash, run, plan, lease, config, isGuarded, marketNow, onNotice } = setting;
  const { address, signal } = request;
  const clock = new SystemClock(marketNow, 1);
  const notes = new StatusNotes();
  const place = {
    notBefore: (): TimeMs => 0,
    lastPrice: (_instrument: number): number => NaN,
    disasterPrice: (_instrument: number, _side: -1 | 1): number => NaN,
    at: (): TimeMs => NaN,
    alert: (_words: string): void => undefined,
    lastCommit: { beganAt: NaN, endedAt: NaN },
  };
  const latency = new OrderLatency({
    ...config.live.latency,
    now: () => clock.now(),
    at: () => place.at(),
    clock: () => systemTimers.now(),
    lastCommit: () => place.lastCommit,
    tell: (words) => place.alert(words),
  });
  const tell = (words: string): void => {
    notes.tell('venue', words);
    onNotice(words);
  };
  const venue = await setting.venue.openVenue({
    instruments: plan.instruments,
    runId: run.runId,
    since: sinceOf(run.journal, marketNow),
    capital: plan.capital,
    now: () => clock.now(),
    notBefore: () => place.notBefore(),
    lastPrice: (instrument) => place.lastPrice(instrument),
    disasterPrice: (instrument, side) => place.disasterPrice(instrument, side),
    foreign: config.live.foreign,
    isGuarded,
    mayOpen: () => lease.lost() ?? latency.block(),
    orderEntry: config.live.orderEntry,
    onOrder: () => latency.begun(),
    onNotice: tell,
    signal,
  });
  const parts = openPartsAround(
    {
      folder: run.folder,
      plan,
      recipe,
      configHash,
      durability: 'every-commit',
      askTimeoutMs: config.minds.timeoutMs,
      ...(run.journal === undefined ? {} : { journal: run.journal }),
    },
    () => venue,
  );
  const { engine, journal } = parts;
  if (journal.getMeta(SINCE) === undefined) journal.setMeta(SINCE, String(marketNow));
  place.notBefore = () => engine.earliestNext;
  place.at = () => engine.at;
  place.lastCommit = parts.recorder.lastCommit;
  place.lastPrice = (instrument) => engine.portfolio.mark[instrument] ?? NaN;
  place.disasterPrice = (instrument, side) => engine.desk.disasterPrice(instrument, side);
  // Never back: what is old is told late.
  const onTime = (happenedAt: TimeMs): void => {
    if (happenedAt > clock.now()) clock.anchor(happenedAt);
  };
  const bars = venueFeed({
    openMarket: (parts) => setting.venue.openMarket(parts),
    isElsewhere: address !== undefined,
    instruments: plan.instruments,
    baseTimeframeMs: plan.baseTimeframeMs,
    staleMs: plan.policy.staleIntervals * plan.baseTimeframeMs,
    clock,
    engine,
    notes,
    onTime,
    onNotice,
    onBooks: instrumentsOnBooks(plan),
    bookIntervalMs: config.market.bookIntervalMs,
    onBookTaken: (at, heardAt, lateMs) => latency.took(at, heardAt, lateMs),
  });
  const inbox = new Inbox(
    () => clock.now(),
    () => engine.earliestNext,
  );
  const world = new LiveWorld({ setting, parts, clock, inbox, bars, latency, tell });
  const session = new Session({ request, run, parts, clock, notes, inbox, world, onNotice });
  world.keepReconciled = () => session.saveSnapshot();
  place.alert = (words) => session.alert('latency', words);
  return session;
}

/** From when on executions are this run's, in the journal's own words. */
const SINCE = 'since';

function sinceOf(journal: Journal | undefined, marketNow: TimeMs): TimeMs {
  // Killed before it was written: nothing had left.
  return Number(journal?.getMeta(SINCE) ?? marketNow);
}

interface LiveParts {
  readonly setting: Setting;
  readonly parts: SessionParts<TradedVenue>;
  readonly clock: SystemClock;
  readonly inbox: Inbox;
  readonly bars: VenueFeed;
  readonly latency: OrderLatency;
  readonly tell: (words: string) => void;
}

/** Until it is so, or nobody wants it any more. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const ended = Promise.withResolvers<void>();
  const end = (): void => ended.resolve();
  signal.addEventListener('abort', end, { once: true });
  await Promise.race([promise, ended.promise]);
  signal.removeEventListener('abort', end);
}

class LiveWorld implements World {
  readonly #parts: LiveParts;
  readonly again = undefined;
  readonly sendsLater = true;
  readonly sources: World['sources'];
  readonly from = NEVER;
  #market: LiveMarket | undefined;
  #isOpen = false;
  #hasReconciled = false;
  /** By the monotonic clock: when an end that was asked for does not wait any longer. */
  #drainUntil = NaN;
  #wake: NodeJS.Timeout | undefined;
  /** @returns whether it is kept */
  keepReconciled: () => boolean = () => false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.sources = [parts.bars.feed.control, ...parts.bars.feed.sources, ...parts.bars.books];
  }

  goOn(): void {
    const { parts, clock, bars } = this.#parts;
    const { engine } = parts;
    clock.anchor(Math.max(engine.at, clock.now()));
    bars.feed.goOn(engine.at, engine.market.barAt, engine.market.mark);
    for (const book of bars.books) book.goOn(systemTimers.now());
  }

  async open(): Promise<void> {
    const { parts, setting, bars } = this.#parts;
    const { engine, venue, plan } = parts;
    const { signal } = setting.request;
    const isNew = !engine.hasBegun;
    const historyMs = Math.max(setting.config.paper.warmupMs, warmupBars(plan) * plan.baseTimeframeMs);
    // Whole minutes, of which the oldest may be cut.
    const historyFrom = setting.marketNow - historyMs - MINUTE_MS;
    const from = plan.instruments.map((_, instrument) => {
      const known = engine.market.barAt[instrument] ?? NaN;
      return Number.isNaN(known) ? historyFrom : known;
    });
    // What was there before must be looked after at once; what is new begins with its history.
    if (!isNew) venue.start();
    this.#market = await bars.start(from, isNew);
    this.#isOpen = true;
    if (isNew) {
      await untilAborted(this.#market.joined, signal);
      if (signal.aborted) return;
      venue.start();
    }
    // What is decided before the account is known would be refused, and not asked for again.
    for (let waitedMs = 0; !venue.isReconciled && waitedMs < MOST_RECONCILE_MS && !signal.aborted; waitedMs += RECONCILE_LOOK_MS) {
      await systemTimers.sleep(RECONCILE_LOOK_MS);
    }
  }

  close(): void {
    clearTimeout(this.#wake);
    this.#market?.stop();
    this.#parts.parts.venue.stop();
  }

  onSlice(): void {
    if (this.#hasReconciled || !this.#parts.parts.venue.isReconciled) return;
    // The money that was there is known from here on, whatever ends this process.
    this.#hasReconciled = this.keepReconciled();
  }

  passing(): number {
    const { books, feed } = this.#parts.bars;
    return books.reduce((sum, { taken }) => sum + taken, 0) + feed.sources.reduce((sum, { marksTaken }) => sum + marksTaken, 0);
  }

  latency(): LatencyStatus {
    const { parts, bars, latency } = this.#parts;
    const waiting = bars.books.reduce((sum, book) => sum + book.waiting, 0);
    return latency.status(parts.recorder.commits, waiting);
  }

  /** Entries are called back; positions are kept under their stops, or closed, as the config says. Then nothing is waited for but the venue. */
  mayStop(): boolean {
    const { inbox, bars, setting, tell } = this.#parts;
    const { onStop, drainMs } = setting.config.live;
    if (!this.#isOpen) return true;
    const now = performance.now();
    if (Number.isNaN(this.#drainUntil)) {
      this.#drainUntil = now + drainMs;
      this.#market?.stop();
      bars.feed.report('feed.lost', 'the session is asked to end');
      if (onStop === 'close') inbox.post({ kind: 'operator.spoke', command: 'flatten', argument: '', by: 'the end of the session' });
      this.#lookAgain();
      return false;
    }
    const left = this.#left(onStop === 'close');
    if (left === undefined) return true;
    if (now < this.#drainUntil) {
      this.#lookAgain();
      return false;
    }
    tell(`ended without waiting any longer: ${left}`);
    return true;
  }

  #lookAgain(): void {
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => this.#parts.inbox.wake(), DRAIN_LOOK_MS);
  }

  /** What an end still waits for, in words. */
  #left(mustBeFlat: boolean): string | undefined {
    const { engine } = this.#parts.parts;
    const { inbox } = this.#parts;
    if (inbox.hasWords || this.sources.some((source) => source.peekAt() !== NEVER)) return 'words that were not heard';
    for (const { intent } of engine.desk.tracker.open) {
      if (intent.role === 'target') return `order ${intent.id} is not known to have ended`;
      if (mustBeFlat) return `stop ${intent.id} still stands`;
    }
    if (mustBeFlat && engine.portfolio.netHeld.some((held) => held !== 0)) return 'a position is still held';
    return undefined;
  }

  hasBusiness(): boolean {
    const { engine } = this.#parts.parts;
    return engine.portfolio.netHeld.some((held) => held !== 0) || engine.desk.tracker.open.length > 0;
  }
}
