// What an account remembers, newest last, each with a rising number by which pages are cut. Bounded: the oldest is forgotten in blocks.

export interface Numbered {
  readonly number: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** '' at the end. */
  readonly nextPageCursor: string;
}

const KEPT = 10_000;
const FORGOTTEN_AT_ONCE = 2_000;

export class Records<Row extends Numbered> {
  readonly #rows: Row[] = [];

  push(row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length > KEPT + FORGOTTEN_AT_ONCE) this.#rows.splice(0, FORGOTTEN_AT_ONCE);
  }

  page(isWanted: (row: Row) => boolean, limit: number, cursor: string): Page<Row> {
    return pageOf(this.#rows, isWanted, limit, cursor);
  }
}

/** Newest first. A cursor is the number of the last row of the page before. */
export function pageOf<Row extends Numbered>(
  rows: readonly Row[],
  isWanted: (row: Row) => boolean,
  limit: number,
  cursor: string,
): Page<Row> {
  const before = cursor === '' ? Infinity : Number(cursor);
  const found: Row[] = [];
  let hasMore = false;
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index];
    if (row === undefined || row.number >= before || !isWanted(row)) continue;
    if (found.length === limit) {
      hasMore = true;
      break;
    }
    found.push(row);
  }
  return { rows: found, nextPageCursor: hasMore ? String(found.at(-1)?.number ?? '') : '' };
}
