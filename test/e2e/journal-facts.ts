// What must be true of any journal, found by folding its rows: no order and no fill twice, no position without its disaster stop.
import { join } from 'node:path';
import { format } from '../../src/domain/decimal.ts';
import type { JournalRow } from '../../src/domain/entry.ts';
import { Journal } from '../../src/journal/journal.ts';

export interface JournalFacts {
  readonly rows: number;
  /** Over the bytes of all rows: two runs of one seed have the same. */
  readonly head: string;
  readonly orders: number;
  readonly fills: number;
  readonly decisions: number;
  /** Everything that must not be, in words. */
  readonly faults: readonly string[];
  /** The longest time for which a net position had no disaster stop, in market milliseconds. */
  readonly longestNakedMs: number;
}

/** Only this much is asked of src/: to read the file. */
export function readRows(folder: string): { readonly rows: JournalRow[]; readonly head: string; readonly damage: readonly string[] } {
  const journal = Journal.open(join(folder, 'journal.sqlite'), { readOnly: true });
  try {
    return { rows: [...journal.rows()], head: journal.head(), damage: journal.damage.map((each) => each.message) };
  } finally {
    journal.close();
  }
}

/** `roundTripMs`: from a word to the venue to its answer. */
export function journalFacts(folder: string, roundTripMs: number): JournalFacts {
  const { rows, head, damage } = readRows(folder);
  const faults: string[] = [...damage];
  const orders = new Map<
    string,
    { readonly instrument: number; readonly sign: bigint; readonly quantity: bigint; readonly role: string; filled: bigint }
  >();
  /** By order with stops attached: their ids. */
  const attached = new Map<string, string[]>();
  const fills = new Set<string>();
  const inputs = new Set<number>();
  /** By instrument: signed net quantity, resting disaster stops, and since when there is a position without one. */
  const net = new Map<number, bigint>();
  const resting = new Map<number, Set<string>>();
  const nakedSince = new Map<number, number>();
  let longestNakedMs = 0;
  let decisions = 0;
  let last = { sequence: 0, tapeOffset: 0, at: 0 };

  const register = (intent: IntentOf<'order.intended'>): void => {
    if (orders.has(intent.id)) faults.push(`order ${intent.id} twice`);
    const sign = intent.side === 'buy' ? 1n : -1n;
    orders.set(intent.id, { instrument: intent.instrument, sign, quantity: units(intent.quantity), role: intent.role, filled: 0n });
    if (intent.role === 'disaster' && (!intent.reduceOnly || intent.stopPrice === undefined))
      faults.push(`disaster stop ${intent.id} may increase`);
    for (const stop of intent.attached) register(stop);
    if (intent.attached.length > 0)
      attached.set(
        intent.id,
        intent.attached.map((stop) => stop.id),
      );
  };
  const begin = (id: string): void => {
    const order = orders.get(id);
    if (order?.role === 'disaster') setOf(resting, order.instrument).add(id);
  };
  const end = (id: string): void => {
    const order = orders.get(id);
    if (order !== undefined) setOf(resting, order.instrument).delete(id);
  };
  const look = (instrument: number, at: number): void => {
    const side = net.get(instrument) ?? 0n;
    const isProtected = [...setOf(resting, instrument)].some((id) => orders.get(id)?.sign === (side > 0n ? -1n : 1n));
    const since = nakedSince.get(instrument);
    if (side === 0n || isProtected) {
      if (since !== undefined) longestNakedMs = Math.max(longestNakedMs, at - since);
      nakedSince.delete(instrument);
    } else if (since === undefined) nakedSince.set(instrument, at);
  };

  for (const { sequence, tapeOffset, entry } of rows) {
    if (sequence < last.sequence || tapeOffset < last.tapeOffset || entry.at < last.at)
      faults.push(`${entry.kind} at sequence ${sequence} goes back`);
    last = { sequence, tapeOffset, at: entry.at };
    switch (entry.kind) {
      case 'decision.taken':
        decisions++;
        break;
      case 'order.intended':
        register(entry.intent);
        break;
      case 'order.accepted':
      case 'order.rejected':
      case 'order.cancelled':
      case 'order.expired':
      case 'order.filled': {
        if (inputs.has(sequence)) faults.push(`two events at sequence ${sequence}`);
        inputs.add(sequence);
        const order = orders.get(entry.order);
        if (order === undefined) {
          faults.push(`${entry.kind} for ${entry.order}, which was never sent`);
          break;
        }
        if (entry.kind === 'order.accepted') begin(entry.order);
        if (entry.kind === 'order.rejected' || entry.kind === 'order.cancelled' || entry.kind === 'order.expired') end(entry.order);
        if (entry.fill !== undefined) {
          const { id, quantity } = entry.fill;
          if (fills.has(id)) faults.push(`fill ${id} twice`);
          fills.add(id);
          order.filled += units(quantity);
          // A whole-position stop closes what there is by then.
          if (order.role !== 'disaster' && order.filled > order.quantity) faults.push(`order ${entry.order} filled beyond its quantity`);
          net.set(entry.instrument, (net.get(entry.instrument) ?? 0n) + order.sign * units(quantity));
          for (const stop of attached.get(entry.order) ?? []) begin(stop);
          attached.delete(entry.order);
          if (order.role === 'disaster') end(entry.order);
        }
        look(entry.instrument, entry.at);
        break;
      }
      default:
        break;
    }
    for (const [instrument, since] of nakedSince) {
      // Somebody else's row says what time it is by now.
      if (entry.at - since > roundTripMs) {
        faults.push(
          `instrument ${instrument} is held without a disaster stop from ${since} to ${entry.at} (${entry.kind} at sequence ${sequence})`,
        );
        nakedSince.set(instrument, Infinity);
      }
    }
  }
  return { rows: rows.length, head, orders: orders.size, fills: fills.size, decisions, faults, longestNakedMs };
}

type IntentOf<Kind extends 'order.intended'> = Extract<JournalRow['entry'], { readonly kind: Kind }>['intent'];

/** In units of 1e-12, from the decimal text. */
export function units(decimal: Parameters<typeof format>[0]): bigint {
  const text = format(decimal);
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
  return text.startsWith('-') ? -value : value;
}

function setOf(map: Map<number, Set<string>>, key: number): Set<string> {
  const known = map.get(key) ?? new Set();
  map.set(key, known);
  return known;
}
