// The parts that every session has: engine, venue, journal, tape, and the views that are folded while it runs.
import { ByteReader, ByteWriter, type Stateful } from '../domain/bytes.ts';
import { assert, BallastError } from '../domain/errors.ts';
import type { EmbeddedVenue, MarketSource, Source } from '../domain/ports.ts';
import { toNumber } from '../domain/decimal.ts';
import { isTapeEvent } from '../domain/event.ts';
import { Engine, type EngineParts } from '../engine/engine.ts';
import type { RunPlan } from '../engine/plan.ts';
import type { Recorder } from '../engine/recorder.ts';
import { Journal, type Durability } from '../journal/journal.ts';
import { readRecording, type RecordedPlace, type RecordedStep } from '../journal/recording.ts';
import { TapeReader, TapeWriter } from '../journal/tape.ts';
import type { MatchingRules } from '../venues/simulated/rules.ts';
import type { BookTape } from '../venues/simulated/book-records.ts';
import { SimulatedVenue } from '../venues/simulated/venue.ts';
import { EquityRecorder } from '../views/equity.ts';
import { TradeLedger } from '../views/trades.ts';
import { believedEnd, follow, type FollowedVenue } from './recovery.ts';
import { questionGuard } from './question-guard.ts';
import type { Recipe } from './recipe.ts';
import { journalPath, tapePath } from './runs.ts';
import { fundingOf } from './stored-funding.ts';
import { ComparingRecorder, SessionRecorder } from './session-recorder.ts';

/** A venue whose state survives with the session's, and that a recovery brings along. */
export type SessionVenue = EmbeddedVenue & FollowedVenue;

export interface SessionParts<V extends SessionVenue = SimulatedVenue> {
  readonly plan: RunPlan;
  readonly recipe: Recipe;
  readonly configHash: string;
  readonly engine: Engine;
  readonly venue: V;
  readonly journal: Journal;
  readonly tape: TapeWriter;
  readonly recorder: SessionRecorder;
  readonly ledger: TradeLedger;
  readonly equity: EquityRecorder;
  readonly knownFailures: Map<number, ReadonlyMap<number, string>>;
  readonly comparing: ComparingRecorder;
}

/** Of a session, what a recovery restores and brings along. */
export interface RecoverableParts extends Pick<
  SessionParts,
  'engine' | 'journal' | 'tape' | 'ledger' | 'equity' | 'knownFailures' | 'comparing'
> {
  readonly venue: FollowedVenue & Stateful;
  readonly recorder: Recorder;
}

export interface OpenParts {
  readonly folder: string;
  readonly plan: RunPlan;
  readonly recipe: Recipe;
  readonly configHash: string;
  readonly durability: Durability;
  /** A question to a mind that is not trusted ends after this; 0 for no guard of its own. */
  readonly askTimeoutMs: number;
  /** A journal that is already open, or none yet. */
  readonly journal?: Journal;
  /** By instrument, where the recipe matches on books. */
  readonly books?: readonly BookTape[] | undefined;
}

/** The venue of a recipe, fresh. A recipe that matches on books needs a tape for each instrument. */
export function venueOf(recipe: Recipe, plan: RunPlan, notBefore: () => number, books?: readonly BookTape[]): SimulatedVenue {
  const isOnBooks = 'books' in recipe.market && recipe.market.books === true;
  assert(isOnBooks === (books !== undefined), 'a recipe that matches on books is given them, and no other is');
  const { slippageRatio, latencyMs, maximumLeverage } = recipe.config.venue;
  return new SimulatedVenue({
    instruments: plan.instruments,
    baseTimeframeMs: plan.baseTimeframeMs,
    capital: plan.capital,
    slippageRatio,
    latencyMs,
    maximumLeverage,
    allowSpotShort: plan.allowSpotShort,
    ...(books === undefined ? {} : { books }),
    fundingRates: fundingOf(recipe),
    rules: rulesFrom(recipe.config.venue),
    notBefore,
  });
}

/** When the equity is recorded: with every bar, and with every fill where orders fill at the close, so that it is in the equity of that close. */
export function equityTold(recipe: Recipe, equity: EquityRecorder): Pick<EngineParts, 'onBar' | 'onFill' | 'onTransfer'> {
  const record = (at: number, value: number): void => equity.record(at, value);
  const onTransfer = (before: number, after: number): void => equity.transfer(before, after);
  return { onBar: record, onTransfer, ...(recipe.config.venue.fill === 'close' ? { onFill: record } : {}) };
}

/** As the venue takes them: JSON and YAML files write null for what has no bound. */
export function rulesFrom(venue: Recipe['config']['venue']): MatchingRules {
  const { slippageRatio: _slippage, feeRate: _fee, latencyMs: _latency, maximumLeverage: _leverage, ...rules } = venue;
  const marginTiers = Object.fromEntries(
    Object.entries(venue.marginTiers).map(([symbol, tiers]) => [
      symbol,
      tiers.map(([upTo, maintenanceRate]) => ({ upTo: upTo ?? Infinity, maintenanceRate })),
    ]),
  );
  return { ...rules, marginTiers, insuranceFund: rules.insuranceFund ?? Infinity, feeCoin: rules.feeCoin ?? undefined };
}

/** Builds the parts over a new or an existing journal. What the journal holds already is for `recover` to tell the views of. */
export function openParts({ books, ...open }: OpenParts): SessionParts {
  return openPartsAround(open, (notBefore) => venueOf(open.recipe, open.plan, notBefore, books));
}

/** The same around another venue. @param makeVenue is given the earliest time that the loop can still take */
export function openPartsAround<V extends SessionVenue>(
  { folder, plan, recipe, configHash, durability, askTimeoutMs, journal: opened }: Omit<OpenParts, 'books'>,
  makeVenue: (notBefore: () => number) => V,
): SessionParts<V> {
  const journal = opened ?? Journal.create(journalPath(folder), { durability, meta: { configHash, recipe: JSON.stringify(recipe) } });
  const tape = TapeWriter.open(tapePath(folder), journal, { durability });
  const recorder = new SessionRecorder(journal, tape, durability === 'every-commit');
  const comparing = new ComparingRecorder();
  const knownFailures = new Map<number, ReadonlyMap<number, string>>();
  const equity = new EquityRecorder({ capital: toNumber(plan.capital), intervalMs: plan.baseTimeframeMs });
  const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
  journal.onEntry((entry, sequence) => ledger.entry(entry, sequence));
  const isNew = journal.rowCount === 0 && tape.offset === 0;
  const engineRecorder: Recorder = isNew ? recorder : comparing;
  const place = { notBefore: (): number => 0 };
  const venue = makeVenue(() => place.notBefore());
  const engine = new Engine({
    plan,
    recorder: engineRecorder,
    venue,
    ...equityTold(recipe, equity),
    onPrice: (event) => ledger.price(event),
    knownFailures,
    ...(askTimeoutMs > 0 ? { guard: questionGuard(askTimeoutMs) } : {}),
  });
  place.notBefore = () => engine.earliestNext;
  return { plan, recipe, configHash, engine, venue, journal, tape, recorder, ledger, equity, knownFailures, comparing };
}

/**
 * The day on which the layout of a snapshot last changed, or one later for each change on one day: a number that no other state has there by
 * chance. To be raised with every change of what a part saves.
 */
export const STATE_VERSION = 20_261_123;

/**
 * A snapshot is all state in one order, with its place in the recording. Not while the venue knows more than the loop: what it had said would be
 * heard by nobody after a restart. @returns whether it is kept
 */
export function saveSnapshot(parts: RecoverableParts, market: Stateful | undefined): boolean {
  if (parts.venue.hasUnheard?.() === true) return false;
  const out = new ByteWriter(1 << 18);
  out.count(parts.tape.offset);
  out.count(STATE_VERSION);
  parts.engine.save(out);
  parts.venue.save(out);
  parts.equity.save(out);
  parts.ledger.save(out);
  market?.save(out);
  parts.recorder.commit();
  parts.journal.saveSnapshot(parts.engine.sequence, out.view());
  return true;
}

/**
 * Recovery: the last snapshot, then what was recorded after it, through the same engine. Leaves the parts where the killed process was.
 * @param sources by instrument: prices that are made again
 * @param books by instrument: looks at its book that are made again; none unless said
 * @returns how many recorded events were followed
 * @throws BallastError REPLAY_MISMATCH, SOURCE_DIVERGED and whatever journal and tape have to say of themselves
 */
export function recover(
  parts: RecoverableParts,
  market: Stateful | undefined,
  sources: readonly (MarketSource | undefined)[],
  onNotice: (words: string) => void,
  books: readonly (Source | undefined)[] = [],
): number {
  const { journal, tape, engine, venue, ledger, comparing, recorder, folderOfTape } = { ...parts, folderOfTape: parts.tape.directory };
  const snapshot = journal.lastSnapshot((damage) => onNotice(damage.message));
  const state = new ByteReader(snapshot?.bytes ?? new Uint8Array());
  const snapshotOffset = snapshot === undefined ? 0 : state.count();
  const isReadable = snapshot !== undefined && state.count() === STATE_VERSION;
  let from: RecordedPlace = { sequence: 0, tapeOffset: 0 };
  if (isReadable) {
    from = { sequence: snapshot.sequence, tapeOffset: snapshotOffset };
    restoreAll(parts, market, snapshot.rows, state);
  } else if (snapshot !== undefined) {
    onNotice('the state of the run was saved by another version of Ballast: it is put together again from the whole recording');
  }
  // A market that can be made again is cut there; of one that does not come again everything is believed but its last moment.
  const believed = believedEnd(journal, snapshotOffset);
  if (tape.offset > believed) tape.truncateTo(believed);
  const reader = TapeReader.open(folderOfTape, journal);
  const handled = follow(telling(readRecording(journal.rowsFrom(isReadable ? snapshot.rows : 0), reader, from), ledger), {
    engine,
    recorder: comparing,
    knownFailures: parts.knownFailures,
    venue,
    sources,
    books,
  });
  comparing.goOn(recorder);
  // The recording has words of an instant that is open here: it was closed there.
  if (comparing.outstanding > 0) engine.closeInstant();
  comparing.settle();
  parts.knownFailures.clear();
  return handled;
}

function restoreAll(parts: RecoverableParts, market: Stateful | undefined, rowsBefore: number, state: ByteReader): void {
  const { engine, venue, equity, journal, ledger } = parts;
  engine.restore(state);
  venue.restore(state);
  equity.restore(state);
  let rows = 0;
  for (const row of journal.rows()) {
    if (rows++ === rowsBefore) break;
    ledger.entry(row.entry, row.sequence);
  }
  ledger.restore(state);
  market?.restore(state);
  assert(state.ended, 'a snapshot is read to its end');
}

/** The trades hear of the rows as they heard of them first, between the prices that the engine hears of. */
export function* telling(steps: Iterable<RecordedStep>, ledger: TradeLedger): Generator<RecordedStep> {
  for (const step of steps) {
    const { event, sequence } = step;
    if (event !== undefined && !isTapeEvent(event)) ledger.entry(event, sequence);
    yield step;
    for (const entry of [...step.failures, ...step.outputs]) ledger.entry(entry, sequence);
    if (step.end !== undefined) ledger.entry(step.end, sequence);
  }
}

/** Opens the journal of an unfinished run; a damaged one is put aside and its clean prefix goes on. */
export function reopenJournal(folder: string, onNotice: (words: string) => void): Journal {
  const journal = Journal.open(journalPath(folder));
  if (journal.damage.length > 0) {
    for (const damage of journal.damage) onNotice(damage.message);
    onNotice(`the damaged journal is kept as ${journal.quarantine()}; the run goes on from its clean part`);
  }
  return journal;
}

/** @throws BallastError RUN_OTHER_RECIPE */
export function mustBeSameRecipe(journal: Journal, configHash: string, folder: string): void {
  const recorded = journal.getMeta('configHash');
  if (recorded === configHash) return;
  throw new BallastError({
    code: 'RUN_OTHER_RECIPE',
    place: folder,
    found: `a journal of configuration ${recorded ?? 'unknown'}`,
    expected: configHash,
    remedy: 'run.json and journal are not of one run',
  });
}
