// Columns of a capture as the messages that they were, in the order in which they could be known.
import type { BookDeltaColumns, BookMessage, BookSnapshotColumns } from '../../domain/book.ts';
import { emptyBookMessage } from './book-message.ts';

/** A cursor over changes and snapshots of one book. */
export class BookMessages {
  readonly #deltas: BookDeltaColumns;
  readonly #snapshots: BookSnapshotColumns;
  #deltaRow = 0;
  #snapshotRow = 0;
  readonly #message = emptyBookMessage();

  constructor(deltas: BookDeltaColumns, snapshots: BookSnapshotColumns) {
    this.#deltas = deltas;
    this.#snapshots = snapshots;
  }

  /** The next by `at`, and by number where these are equal. Reused; undefined at the end. */
  next(): BookMessage | undefined {
    const deltas = this.#deltas;
    const snapshots = this.#snapshots;
    const deltaRow = this.#deltaRow;
    const snapshotRow = this.#snapshotRow;
    const hasDelta = deltaRow < deltas.at.length;
    const hasSnapshot = snapshotRow < snapshots.at.length;
    if (!hasDelta && !hasSnapshot) return undefined;
    const ahead = hasDelta && hasSnapshot ? (deltas.at[deltaRow] ?? NaN) - (snapshots.at[snapshotRow] ?? NaN) : hasDelta ? -1 : 1;
    const isDelta = ahead < 0 || (ahead === 0 && (deltas.lastUpdate[deltaRow] ?? NaN) < (snapshots.lastUpdate[snapshotRow] ?? NaN));
    const message = this.#message;
    const from = isDelta ? deltaRow : snapshotRow;
    const columns = isDelta ? deltas : snapshots;
    const lastUpdate = columns.lastUpdate[from] ?? NaN;
    let to = from + 1;
    while (to < columns.lastUpdate.length && columns.lastUpdate[to] === lastUpdate) to++;
    message.kind = isDelta ? 'delta' : 'snapshot';
    message.at = columns.at[from] ?? NaN;
    message.happenedAt = columns.happenedAt[from] ?? NaN;
    message.firstUpdate = isDelta ? (deltas.firstUpdate[from] ?? NaN) : lastUpdate;
    message.lastUpdate = lastUpdate;
    message.levels = columns;
    message.from = from;
    message.to = to;
    if (isDelta) this.#deltaRow = to;
    else this.#snapshotRow = to;
    return message;
  }
}
