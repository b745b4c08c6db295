// The books of a session on the embedded market: made beside its prices out of the same seed, once for the venue that matches against them and
// once for the strategies that look at them, each as far as it has come.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { HOUR_MS, SECOND_MS } from '../domain/time.ts';
import { BookSource } from '../market/book/book-source.ts';
import { syntheticBook, type SyntheticBook } from '../market/synthetic/book.ts';
import { SYNTHETIC_BOOK_RULES, SyntheticBookMessages, syntheticBookTape } from '../market/synthetic/book-tape.ts';
import type { BookTape } from '../venues/simulated/book-records.ts';
import type { Recipe, SyntheticRecipe } from './recipe.ts';

/** Between two updates, beside those that trades make: what lives on books looks seconds ahead. On shorter bars there is one a bar. */
const UPDATE_MS = 2 * SECOND_MS;
/** Updates of a bar, at most, however long it is. */
const MOST_UPDATES = 10_000;
/** So long before the first decision there are books: features of them are warm by then, and the book's own depth has settled. */
const BOOKS_BEFORE_MS = 4 * HOUR_MS;

/** By instrument: what the venue matches against, from its beginning, as often as it is asked for. */
export function syntheticBookTapes(recipe: Recipe, market: SyntheticRecipe): readonly BookTape[] {
  return recipe.instruments.map(({ symbol }) => ({
    ...syntheticBookTape(bookOf(recipe, market, symbol)),
    rules: SYNTHETIC_BOOK_RULES,
    // What rests follows the trades, never goes ahead of them: a stop that a trade triggers must not fill at what was there before it.
    isGathered: true,
  }));
}

/** What strategies see: by instrument, undefined where nobody looks. */
export function syntheticBookSources(
  recipe: Recipe,
  market: SyntheticRecipe,
  seen: ReadonlySet<number>,
): readonly (BookSource | undefined)[] {
  return recipe.instruments.map(({ symbol }, instrument) =>
    seen.has(instrument)
      ? new BookSource({
          instrument,
          messages: new SyntheticBookMessages(bookOf(recipe, market, symbol)),
          rules: SYNTHETIC_BOOK_RULES,
          silentAfterMs: Infinity,
          intervalMs: recipe.config.market.bookIntervalMs,
          from: market.from,
          until: Infinity,
        })
      : undefined,
  );
}

function bookOf({ baseTimeframeMs }: Recipe, { seed, startAt, from, tradesPerBar }: SyntheticRecipe, symbol: string): SyntheticBook {
  const updateMs = Math.max(Math.min(UPDATE_MS, baseTimeframeMs), Math.ceil(baseTimeframeMs / MOST_UPDATES));
  const book = syntheticBook({ seed, startAt, timeframeMs: baseTimeframeMs, tradesPerBar, book: { updateMs } }, symbol);
  book.beginAt(Math.max(0, Math.floor((from - BOOKS_BEFORE_MS - startAt) / baseTimeframeMs)));
  return book;
}

/** A market and the looks at its books as one state. */
export class MarketWithBooks implements Stateful {
  readonly #market: Stateful;
  readonly #books: readonly (BookSource | undefined)[];

  constructor(market: Stateful, books: readonly (BookSource | undefined)[]) {
    this.#market = market;
    this.#books = books;
  }

  save(out: ByteWriter): void {
    this.#market.save(out);
    for (const book of this.#books) book?.save(out);
  }

  restore(from: ByteReader): void {
    this.#market.restore(from);
    for (const book of this.#books) book?.restore(from);
  }
}
