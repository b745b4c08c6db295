// What every embedded venue must keep towards the engine. A real one is held to the same through its adapter.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import { price, quantity, toNumber } from '../../src/domain/decimal.ts';
import type { MarketEvent, OrderReport } from '../../src/domain/event.ts';
import type { OrderIntent } from '../../src/domain/order.ts';
import type { EmbeddedVenue, MarketSource, Source } from '../../src/domain/ports.ts';
import { NEVER } from '../../src/domain/time.ts';

export interface VenueSubject {
  readonly venue: EmbeddedVenue & Source;
  /** Bars of instrument 0 as the engine takes them, a minute each, prices around 100, always moving by less than 1 %. */
  readonly market: MarketSource;
}

export function orderOf(id: string, at: number, parts: Partial<OrderIntent> = {}): OrderIntent {
  return {
    id,
    at,
    instrument: 0,
    side: 'buy',
    type: 'market',
    role: 'target',
    quantity: quantity('1'),
    limitPrice: undefined,
    stopPrice: undefined,
    reduceOnly: false,
    wholePosition: false,
    shares: [],
    attached: [],
    ...parts,
  };
}

/** Handles everything up to `at`, and gives the reports. */
function until(subject: VenueSubject, at: number): OrderReport[] {
  const reports: OrderReport[] = [];
  for (let handled = 0; ; handled++) {
    assert.ok(handled < 10_000, `the venue announces events without end at ${subject.venue.peekAt()}`);
    const { venue, market } = subject;
    const next = Math.min(venue.peekAt(), market.peekAt());
    if (next > at || next === NEVER) return reports;
    if (venue.peekAt() <= market.peekAt()) reports.push(venue.take() as OrderReport);
    else market.take();
  }
}

export function holdsVenueContract(name: string, make: () => VenueSubject): void {
  describe(`the contract of a venue: ${name}`, () => {
    const begin = (): { subject: VenueSubject; at: number } => {
      const subject = make();
      assert.ok(Number.isFinite(subject.market.peekAt()), 'a source is asked for the time first');
      const first = { ...(subject.market.take() as MarketEvent) };
      return { subject, at: first.at };
    };

    it('answers later than it was asked, by reports only, each fill with an id of its own', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at));
      subject.venue.submit(orderOf('1-2', at));
      const reports = until(subject, at + 60_000).filter((report) => report.kind === 'order.filled');
      assert.deepEqual(
        reports.map((report) => report.order),
        ['1-1', '1-2'],
      );
      assert.ok(reports.every((report) => report.at > at));
      assert.equal(new Set(reports.map((report) => report.fill?.id)).size, 2);
    });

    it('refuses with a reason, once', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at, { quantity: quantity('0.0000001') }));
      const reports = until(subject, at + 60_000);
      assert.deepEqual(
        reports.map((report) => report.kind),
        ['order.rejected'],
      );
      assert.notEqual(reports[0]?.reason, '');
    });

    it('never lets a reduce-only order open or turn a position', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at));
      subject.venue.submit(orderOf('1-2', at, { side: 'sell', quantity: quantity('3'), reduceOnly: true }));
      const filled = until(subject, at + 60_000).filter((report) => report.kind === 'order.filled');
      assert.equal(toNumber(filled.at(-1)?.fill?.quantity ?? quantity('0')), 1);
    });

    it('lets a cancelled order never fill', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50') }));
      until(subject, at + 10);
      subject.venue.cancel({ at: at + 10, instrument: 0, order: '1-1' });
      const reports = until(subject, at + 600_000);
      assert.deepEqual(
        reports.map((report) => report.kind),
        ['order.cancelled'],
      );
    });

    it('moves a stop in place, and says so; an order that has ended it names as cancelled', () => {
      const { subject, at } = begin();
      const stop = orderOf('1-2', at, { type: 'stop', side: 'sell', role: 'stop', stopPrice: price('1'), reduceOnly: true });
      subject.venue.submit(orderOf('1-1', at, { attached: [stop] }));
      until(subject, at + 60_000);
      subject.venue.amend({ at: at + 60_000, instrument: 0, order: '1-2', stopPrice: price('1000') });
      subject.venue.amend({ at: at + 60_000, instrument: 0, order: '1-1', stopPrice: price('1000') });
      const reports = until(subject, at + 300_000);
      assert.deepEqual(
        reports.map((report) => [report.kind, report.order]),
        [
          ['order.amended', '1-2'],
          ['order.cancelled', '1-1'],
          ['order.filled', '1-2'],
        ],
      );
    });

    it('gives a limit that rests another price and quantity, and says so; an order that has ended it names as cancelled', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50') }));
      until(subject, at + 10);
      const terms = { at: at + 10, instrument: 0, limitPrice: price('1000'), quantity: quantity('2') };
      subject.venue.amend({ ...terms, order: '1-1' });
      subject.venue.amend({ ...terms, order: '1-9' });
      const reports = until(subject, at + 300_000);
      assert.deepEqual(
        reports.map((report) => [report.kind, report.order, toNumber(report.fill?.quantity ?? quantity('0'))]),
        [
          ['order.repriced', '1-1', 0],
          ['order.cancelled', '1-9', 0],
          ['order.filled', '1-1', 2],
        ],
      );
    });

    it('never rests what may not rest, and never fills beyond a limit', () => {
      const { subject, at } = begin();
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50'), timeInForce: 'ioc' }));
      subject.venue.submit(orderOf('1-2', at, { type: 'limit', limitPrice: price('1000'), timeInForce: 'fok' }));
      const reports = until(subject, at + 60_000);
      assert.deepEqual(
        reports.map((report) => [report.kind, report.order]),
        [
          ['order.cancelled', '1-1'],
          ['order.filled', '1-2'],
        ],
      );
      assert.ok(toNumber(reports[1]?.fill?.price ?? price('0')) <= 1_000);
    });

    it('keeps nothing of the intent that it was given', () => {
      const { subject, at } = begin();
      const intent = { ...orderOf('1-1', at) };
      subject.venue.submit(intent);
      Object.assign(intent, { quantity: quantity('7') });
      const filled = until(subject, at + 60_000).find((report) => report.kind === 'order.filled');
      assert.equal(toNumber(filled?.fill?.quantity ?? quantity('0')), 1);
    });

    it('goes on from its saved state with the same reports', () => {
      const first = begin();
      first.subject.venue.submit(orderOf('1-1', first.at));
      until(first.subject, first.at + 30_000);
      first.subject.venue.submit(
        orderOf('1-2', first.at + 30_000, { type: 'stop', side: 'sell', stopPrice: price('90'), reduceOnly: true }),
      );
      const bytes = new ByteWriter();
      first.subject.venue.save(bytes);
      const second = begin();
      until(second.subject, second.at + 30_000);
      second.subject.venue.restore(new ByteReader(bytes.view()));
      assert.deepEqual(until(second.subject, second.at + 300_000), until(first.subject, first.at + 300_000));
    });
  });
}
