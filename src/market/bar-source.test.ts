// History as a source: the same events from one array, from many, and from pieces that are still on their way.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../domain/bars.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import type { MarketEvent } from '../domain/event.ts';
import { MINUTE_MS, NEVER } from '../domain/time.ts';
import { BarSource } from './bar-source.ts';

const START = Date.UTC(2026, 0, 5);

function history(rows: number): BarColumns {
  const column = (from: number): Float64Array => Float64Array.from({ length: rows }, (_, row) => from + row);
  return {
    openAt: Float64Array.from({ length: rows }, (_, row) => START + row * MINUTE_MS),
    open: column(100),
    high: column(103),
    low: column(98),
    close: column(101),
    volume: column(1),
  };
}

function cut(columns: BarColumns, lengths: readonly number[]): BarColumns[] {
  const pieces: BarColumns[] = [];
  let start = 0;
  for (const length of [...lengths, columns.openAt.length]) {
    const part = (column: Float64Array): Float64Array => column.slice(start, start + length);
    const { openAt, open, high, low, close, volume } = columns;
    pieces.push({ openAt: part(openAt), open: part(open), high: part(high), low: part(low), close: part(close), volume: part(volume) });
    start += length;
  }
  return pieces;
}

async function* later(pieces: readonly BarColumns[]): AsyncGenerator<BarColumns> {
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve));
    yield piece;
  }
}

function sourceOf(chunks: Iterable<BarColumns> | AsyncIterable<BarColumns>, from = 0): BarSource {
  return new BarSource({ instrument: 2, timeframeMs: MINUTE_MS, chunks, from });
}

/** Everything the source has, waiting where it must; what it looked ahead to is compared with what then came. */
async function drained(source: BarSource): Promise<MarketEvent[]> {
  const events: MarketEvent[] = [];
  while (!source.ended) {
    const at = source.peekAt();
    if (at === NEVER) {
      if (source.ended) break;
      assert.equal(source.isLoading, true, 'what has not ended and is not there is on its way');
      assert.equal(source.nextBar(), undefined);
      await new Promise<void>((resolve) => source.onArrival(resolve));
      continue;
    }
    // Every other bar is taken unseen.
    const ahead = events.length % 2 === 0 ? { ...source.nextBar() } : undefined;
    const event = source.take();
    const taken = { ...event };
    if (ahead !== undefined) assert.deepEqual(ahead, taken, 'the bar ahead is the bar that comes');
    assert.equal(taken.at, at);
    source.nextBar();
    assert.deepEqual(event, taken, 'a look ahead leaves alone what was taken');
    events.push(taken);
  }
  return events;
}

const anyLengths = fc.array(fc.nat({ max: 6 }), { maxLength: 12 });

describe('a source of bars', () => {
  test('tells of a bar at its close and not before', async () => {
    const [first, second] = await drained(sourceOf([history(2)], START + MINUTE_MS));
    assert.deepEqual(first, {
      kind: 'bar.closed',
      at: START + MINUTE_MS,
      happenedAt: START + MINUTE_MS,
      instrument: 2,
      open: 100,
      high: 103,
      low: 98,
      close: 101,
      volume: 1,
      warmup: true,
    });
    assert.equal(second?.warmup, false, 'a bar that opens at `from` is of the run');
  });

  test('is the same in whatever pieces, at once or later, empty ones among them', async () => {
    const whole = await drained(sourceOf([history(25)]));
    assert.equal(whole.length, 25);
    await fc.assert(
      fc.asyncProperty(anyLengths, async (lengths) => {
        const pieces = cut(history(25), lengths);
        assert.deepEqual(await drained(sourceOf(pieces)), whole);
        assert.deepEqual(await drained(sourceOf(later(pieces))), whole);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('without bars has ended', async () => {
    assert.equal(sourceOf([]).ended, true);
    assert.deepEqual(await drained(sourceOf([history(0), history(0)])), []);
    assert.deepEqual(await drained(sourceOf(later([]))), []);
  });

  test('saved anywhere and restored over the same history goes on where it was', async () => {
    await fc.assert(
      fc.asyncProperty(anyLengths, fc.nat({ max: 25 }), async (lengths, taken) => {
        const pieces = cut(history(25), lengths);
        const first = sourceOf(pieces);
        const before: number[] = [];
        for (let count = 0; count < taken && first.peekAt() !== NEVER; count++) before.push(first.take().at);
        const bytes = savedOf(first);
        for (const chunks of [pieces, later(pieces), [history(25)]]) {
          const restored = sourceOf(chunks);
          restored.restore(new ByteReader(bytes));
          assert.deepEqual(savedOf(restored), bytes, 'restored and saved again, before anybody looked');
          const events = await drained(restored);
          assert.deepEqual(
            [...before, ...events.map(({ at }) => at)],
            Array.from({ length: 25 }, (_, row) => START + (row + 1) * MINUTE_MS),
          );
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test('gives the bars it has before it says what went wrong, and then says it by name', async () => {
    const broken = new BallastError({
      code: 'HISTORY_DAMAGED',
      place: 'BTC_2026-02.parquet',
      found: 'no footer',
      expected: 'a parquet file',
    });
    async function* failing(): AsyncGenerator<BarColumns> {
      yield history(3);
      await Promise.resolve();
      throw broken;
    }
    const source = sourceOf(failing());
    const taken: number[] = [];
    const drain = async (): Promise<void> => {
      for (;;) {
        if (source.peekAt() === NEVER) await new Promise<void>((resolve) => source.onArrival(resolve));
        else taken.push(source.take().at);
      }
    };
    await assert.rejects(drain(), (error) => error === broken);
    assert.equal(taken.length, 3);
    assert.equal(source.ended, false, 'what broke has not ended');
  });

  test('whose first look fails says so as it is made', () => {
    const chunks: Iterable<BarColumns> = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new BallastError({ code: 'HISTORY_MISSING', place: 'BTC', found: 'nothing', expected: 'bars' });
        },
      }),
    };
    assert.throws(() => sourceOf(chunks), /BTC: found nothing, expected bars/);
  });
});

function savedOf(source: BarSource): Uint8Array {
  const out = new ByteWriter();
  source.save(out);
  return out.view().slice();
}
