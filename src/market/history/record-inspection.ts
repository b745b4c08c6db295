// What is wrong with stored rows of everything besides bars: what is missing from a series that has a rhythm or a numbering, rows that were
// known before they happened, books that do not follow on, crossed prices. It changes nothing.
import type { BookDeltaColumns } from '../../domain/book.ts';
import type { OptionChainColumns, OptionTradeColumns, TickerColumns } from '../../domain/records.ts';
import { formatSpan } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { KINDS } from './kinds.ts';
import type { RecordKind, RecordSeries } from './kinds.ts';
import type { RecordStore } from './record-store.ts';

export type RecordFindingKind =
  /** Something is missing between two rows that are there: settlements, days, numbers of trades. */
  | 'hole'
  /** A metric has no value where others of its source have one. */
  | 'blank'
  /** Known before it happened: look-ahead. */
  | 'early'
  /** Not in the order in which it was known. */
  | 'disorder'
  /** The changes of a book do not follow on: what was between them is lost. */
  | 'chain-break'
  /** A bid at or above its ask. */
  | 'crossed'
  /** An option after its expiry. */
  | 'expired'
  /** Rows with the key of another row. */
  | 'duplicate';

export interface RecordFinding {
  readonly kind: RecordFindingKind;
  readonly fromMs: TimeMs;
  /** Rows concerned; of a hole, what is missing. */
  readonly count: number;
  readonly words: string;
}

export interface RecordInspection {
  readonly rows: number;
  readonly holes: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly earlyRows: number;
  readonly disorderedRows: number;
  readonly chainBreaks: number;
  readonly crossedRows: number;
  readonly expiredRows: number;
  /** Versions of metrics after the first: values that their source has restated. */
  readonly restatedRows: number;
  /** The usual step of a series that has one, otherwise undefined. */
  readonly intervalMs: TimeMs | undefined;
  /**
   * (expected - missing - unsound) / expected, in 0..1, where what is expected is what is there and what is missing: times of a series
   * with a rhythm, numbers of trades, messages of a book, rows of all else. Unsound are rows that are early, out of order, crossed,
   * expired or there twice, and messages that break the chain.
   */
  readonly qualityRatio: number;
  /** In order of time. */
  readonly findings: readonly RecordFinding[];
}

const CHUNK_ROWS = 65_536;
/** What is written down after a millisecond may round to before it. */
const CLOCK_GRAIN_MS = 1;

/** Reads the series once, in the order in which it was known. @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT */
export async function inspectRecords(
  store: RecordStore,
  series: RecordSeries,
  onProgress: (rows: number) => void = () => undefined,
): Promise<RecordInspection> {
  const inspector = new RecordInspector(series.kind);
  for await (const chunk of store.stream(series, CHUNK_ROWS)) {
    inspector.add(chunk);
    onProgress(chunk.at.length);
  }
  return inspector.result(await store.duplicates(series));
}

/** What every kind has. */
interface Timed {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
}

class RecordInspector {
  readonly #kind: RecordKind;
  readonly #findings: RecordFinding[] = [];
  #rows = 0;
  #early = 0;
  #disordered = 0;
  #crossed = 0;
  #expired = 0;
  #lastAt = -Infinity;
  /** Times of each name; of kinds without names, of the one name ''. */
  readonly #times = new Map<string, Set<TimeMs>>();
  readonly #book = new BookChain();
  readonly #numbers = new TradeNumbers();

  constructor(kind: RecordKind) {
    this.#kind = kind;
  }

  add(chunk: Timed): void {
    this.#rows += chunk.at.length;
    for (let row = 0; row < chunk.at.length; row += 1) {
      const at = chunk.at[row] ?? NaN;
      const happenedAt = chunk.happenedAt[row] ?? NaN;
      if (at < this.#lastAt) {
        this.#disordered += 1;
        this.#find('disorder', happenedAt, 'known before the row before it');
      }
      if (at < happenedAt - CLOCK_GRAIN_MS) {
        this.#early += 1;
        this.#find('early', happenedAt, `known ${formatSpan(Math.ceil(happenedAt - at))} before it happened`);
      }
      this.#lastAt = Math.max(this.#lastAt, at);
    }
    if ('name' in chunk) this.#takeTimes(chunk, chunk.name as readonly string[]);
    else if (RHYTHMIC.includes(this.#kind)) this.#takeTimes(chunk);
    else if (this.#kind === 'book-delta') this.#book.add(chunk as BookDeltaColumns);
    else if (this.#kind === 'trades' && 'id' in chunk) this.#numbers.add(chunk.id as Float64Array, chunk.happenedAt);
    else if (this.#kind === 'ticker') this.#takeQuotes(chunk as TickerColumns);
    else if (this.#kind === 'option-chain') {
      this.#takeQuotes(chunk as OptionChainColumns);
      this.#takeOptions(chunk as OptionChainColumns);
    } else if (this.#kind === 'option-trades') this.#takeOptions(chunk as OptionTradeColumns);
  }

  #takeTimes({ happenedAt }: Timed, names?: readonly string[]): void {
    for (const [row, time] of happenedAt.entries()) {
      const name = names?.[row] ?? '';
      const times = this.#times.get(name);
      if (times === undefined) this.#times.set(name, new Set([time]));
      else times.add(time);
    }
  }

  #takeQuotes({ happenedAt, bid, ask }: Pick<TickerColumns, 'happenedAt' | 'bid' | 'ask'>): void {
    for (let row = 0; row < happenedAt.length; row += 1) {
      const [low = NaN, high = NaN] = [bid[row], ask[row]];
      // No quote on one side is NaN, or 0 on some venues, and crosses nothing.
      if (!(low >= high) || high === 0) continue;
      this.#crossed += 1;
      this.#find('crossed', happenedAt[row] ?? NaN, `bid ${low} and ask ${high}`);
    }
  }

  #takeOptions(chunk: OptionChainColumns | OptionTradeColumns): void {
    for (const [row, expiry] of chunk.expiry.entries()) {
      const happenedAt = chunk.happenedAt[row] ?? NaN;
      if (expiry > happenedAt) continue;
      this.#expired += 1;
      this.#find('expired', happenedAt, `${chunk.instrument[row] ?? ''} after its expiry`);
    }
  }

  /** Neighbours of a kind are one finding. */
  #find(kind: RecordFindingKind, fromMs: TimeMs, words: string): void {
    const last = this.#findings.at(-1);
    if (last?.kind === kind) this.#findings[this.#findings.length - 1] = { ...last, count: last.count + 1 };
    else this.#findings.push({ kind, fromMs, count: 1, words });
  }

  /** Call once, after the last chunk. */
  result(duplicates: number): RecordInspection {
    const findings = [...this.#findings];
    const all = new Set<TimeMs>();
    for (const times of this.#times.values()) for (const time of times) all.add(time);
    const { intervalMs, gaps } = gapsIn(all);
    for (const { fromMs, missing } of gaps) findings.push({ kind: 'hole', fromMs, count: missing, words: `${missing} missing` });
    for (const [name, times] of this.#times) if (this.#times.size > 1) findings.push(...blanksIn(name, times, all));
    const numbered = this.#kind === 'trades' ? this.#numbers.holes() : [];
    findings.push(...numbered);
    const breaks = this.#book.breaks();
    findings.push(...breaks);
    if (duplicates > 0) findings.push({ kind: 'duplicate', fromMs: NaN, count: duplicates, words: 'rows with the key of another row' });
    const holes = findings.filter((finding) => finding.kind === 'hole');
    const missing = holes.reduce((sum, hole) => sum + hole.count, 0);
    const unsound = this.#early + this.#disordered + this.#crossed + this.#expired + duplicates + breaks.length;
    let present = this.#rows;
    if (this.#times.size > 0) present = all.size;
    else if (this.#kind === 'book-delta') present = this.#book.messages;
    const versions = KINDS[this.#kind].hasVersions ? [...this.#times.values()].reduce((sum, times) => sum + times.size, 0) : this.#rows;
    return {
      rows: this.#rows,
      holes: holes.length,
      missing,
      duplicates,
      earlyRows: this.#early,
      disorderedRows: this.#disordered,
      chainBreaks: breaks.length,
      crossedRows: this.#crossed,
      expiredRows: this.#expired,
      restatedRows: this.#rows - versions,
      intervalMs,
      qualityRatio: present === 0 ? 0 : Math.max(0, present - unsound) / (present + missing),
      findings: findings.toSorted((one, other) => one.fromMs - other.fromMs || one.count - other.count),
    };
  }
}

const RHYTHMIC: readonly RecordKind[] = ['funding', 'open-interest', 'mark', 'index'];

interface Gap {
  readonly fromMs: TimeMs;
  readonly missing: number;
}

/** The step that most neighbours have, and where it was longer. Shorter ones are a change of the rhythm and miss nothing. */
function gapsIn(times: ReadonlySet<TimeMs>): { readonly intervalMs: TimeMs | undefined; readonly gaps: readonly Gap[] } {
  const sorted = Float64Array.from(times).toSorted();
  const counts = new Map<TimeMs, number>();
  // Settlements are recorded milliseconds late at times: the rhythm is one of seconds.
  const steps = sorted.subarray(1).map((time, index) => Math.round((time - (sorted[index] ?? NaN)) / 1000) * 1000);
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  const [intervalMs, most = 0] = [...counts].toSorted(([, one], [, other]) => other - one)[0] ?? [];
  // Without a step that most have there is no rhythm that could miss a beat.
  if (intervalMs === undefined || most * 2 < steps.length) return { intervalMs: undefined, gaps: [] };
  const gaps: Gap[] = [];
  for (const [index, step] of steps.entries()) {
    const missing = Math.round(step / intervalMs) - 1;
    if (missing > 0) gaps.push({ fromMs: (sorted[index] ?? NaN) + intervalMs, missing });
  }
  return { intervalMs, gaps };
}

/** Times between the first and the last of a name at which others have a value and it has none; neighbours are one finding. */
function blanksIn(name: string, times: ReadonlySet<TimeMs>, all: ReadonlySet<TimeMs>): RecordFinding[] {
  const own = Float64Array.from(times).toSorted();
  const [first = NaN, last = NaN] = [own[0], own.at(-1)];
  const between = Float64Array.from(all)
    .filter((time) => time > first && time < last)
    .toSorted();
  const findings: RecordFinding[] = [];
  let isOpen = false;
  for (const time of between) {
    const before = findings.at(-1);
    if (times.has(time)) isOpen = false;
    else if (isOpen && before !== undefined) findings[findings.length - 1] = { ...before, count: before.count + 1 };
    else {
      findings.push({ kind: 'blank', fromMs: time, count: 1, words: `no ${name}` });
      isOpen = true;
    }
  }
  return findings;
}

/**
 * Follows the numbers of a book's messages. Where every number is the book's own (spot, Bybit), a message begins right after the one before
 * it, and a gap is a loss; futures of Binance share their numbers among symbols, and only going back is certain to be wrong.
 */
class BookChain {
  readonly #overlaps: RecordFinding[] = [];
  readonly #gaps: RecordFinding[] = [];
  messages = 0;
  #first = NaN;
  #last = NaN;

  add({ firstUpdate, lastUpdate, happenedAt }: BookDeltaColumns): void {
    for (let row = 0; row < lastUpdate.length; row += 1) {
      const first = firstUpdate[row] ?? NaN;
      const last = lastUpdate[row] ?? NaN;
      if (first === this.#first && last === this.#last) continue;
      this.messages += 1;
      const finding = (): RecordFinding => {
        const words = `updates ${first} to ${last} after ${this.#last}`;
        return { kind: 'chain-break', fromMs: happenedAt[row] ?? NaN, count: 1, words };
      };
      if (first <= this.#last) this.#overlaps.push(finding());
      else if (first > this.#last + 1) this.#gaps.push(finding());
      this.#first = first;
      this.#last = last;
    }
  }

  breaks(): readonly RecordFinding[] {
    const mostGapsOfOwnNumbers = this.messages / 10;
    return this.#gaps.length < mostGapsOfOwnNumbers ? [...this.#overlaps, ...this.#gaps] : this.#overlaps;
  }
}

/** Trades are numbered one by one, unless their ids are no numbers but names. */
class TradeNumbers {
  readonly #holes: RecordFinding[] = [];
  #last = NaN;
  #isOrdered = true;

  add(ids: Float64Array, happenedAt: Float64Array): void {
    for (const [row, id] of ids.entries()) {
      if (id <= this.#last) this.#isOrdered = false;
      const missing = id - this.#last - 1;
      if (missing > 0 && this.#isOrdered) {
        this.#holes.push({
          kind: 'hole',
          fromMs: happenedAt[row] ?? NaN,
          count: missing,
          words: `trades ${this.#last + 1} to ${id - 1} missing`,
        });
      }
      this.#last = id;
    }
  }

  holes(): readonly RecordFinding[] {
    return this.#isOrdered ? this.#holes : [];
  }
}
