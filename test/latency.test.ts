// The path that the latency benchmark measures, on two instruments: a live session under a venue of books, from a leaning book to the order on the
// wire, and a burst that nobody asked for. How long it takes is for the benchmark to say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openBookVenue } from '../bench/book-venue.ts';
import { onLatencySession } from '../bench/latency-session.ts';
import { temporaryHome, until } from './support/run-app.ts';

const INSTRUMENTS = 2;
const BURST = 1_000;

test('a book that leans is answered by an order, and a burst makes no queue longer', { timeout: 60_000 }, async () => {
  const venue = await openBookVenue(temporaryHome('book-venue'), INSTRUMENTS);
  try {
    await onLatencySession(venue, INSTRUMENTS, 'own', async ({ ears, latency, positions }) => {
      venue.setRate(100);
      venue.endMinute();
      await until('an order answers a book that leans', async () => {
        venue.venue.lean();
        await setTimeout(100);
        return ears.answers.length > 0 && positions() > 0;
      });
      const { orders, p50Ms, commitP50Ms, lastMs } = latency();
      assert.ok(orders > 0 && (p50Ms ?? 0) > 0 && (lastMs ?? 0) > 0 && (commitP50Ms ?? 0) > 0);
      venue.setRate(0);
      const before = ears.received;
      // At once: the loop has no turn in between.
      for (let update = 0; update < BURST; update++) venue.venue.update();
      let most = 0;
      await until('the burst was heard', async () => {
        most = Math.max(most, latency().bookEventsWaiting);
        await setTimeout(1);
        return ears.received >= before + BURST;
      });
      assert.ok(most <= 2 * INSTRUMENTS, `${most} events of books waited`);
      await until('nothing waits any more', () => latency().bookEventsWaiting === 0);
    });
  } finally {
    await venue.close();
  }
});
