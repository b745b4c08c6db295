// What every venue must keep towards the engine: the simulated one, and a real one through its adapter.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import { price, quantity, toNumber } from '../../src/domain/decimal.ts';
import type { MarketEvent, OrderReport } from '../../src/domain/event.ts';
import type { OrderIntent } from '../../src/domain/order.ts';
import type { EmbeddedVenue, MarketSource, Source, Venue } from '../../src/domain/ports.ts';
import { NEVER } from '../../src/domain/time.ts';

export interface VenueSubject {
  readonly venue: Venue & Source;
  /** Bars of instrument 0 as the engine takes them, a minute each, prices around 100, always moving by less than 1 %. */
  readonly market: MarketSource;
  /** Lets time pass up to this moment, for a venue that is reached by messages. */
  readonly pass?: (to: number) => Promise<void>;
}

export interface EmbeddedVenueSubject extends VenueSubject {
  readonly venue: EmbeddedVenue & Source;
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
async function until(subject: VenueSubject, at: number): Promise<OrderReport[]> {
  const reports: OrderReport[] = [];
  for (let handled = 0; ; handled++) {
    assert.ok(handled < 10_000, `the venue announces events without end at ${subject.venue.peekAt()}`);
    const { venue, market } = subject;
    await subject.pass?.(Math.min(at, market.peekAt()));
    const next = Math.min(venue.peekAt(), market.peekAt());
    if (next > at || next === NEVER) return reports;
    if (venue.peekAt() <= market.peekAt()) reports.push(venue.take() as OrderReport);
    else market.take();
  }
}

/** Takes the first bar. */
async function begin<Subject extends VenueSubject>(make: () => Subject | Promise<Subject>): Promise<{ subject: Subject; at: number }> {
  const subject = await make();
  assert.ok(Number.isFinite(subject.market.peekAt()), 'a source is asked for the time first');
  const first = { ...(subject.market.take() as MarketEvent) };
  await subject.pass?.(first.at);
  return { subject, at: first.at };
}

/** What was said of one order. */
function of(reports: readonly OrderReport[], order: string): readonly string[] {
  return reports.filter((report) => report.order === order).map(({ kind }) => kind);
}

export function holdsVenueContract(name: string, make: () => VenueSubject | Promise<VenueSubject>): void {
  describe(`the contract of a venue: ${name}`, () => {
    it('answers later than it was asked, by reports only, each fill with an id of its own', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at));
      subject.venue.submit(orderOf('1-2', at));
      const reports = (await until(subject, at + 60_000)).filter((report) => report.kind === 'order.filled');
      assert.deepEqual(
        reports.map((report) => report.order),
        ['1-1', '1-2'],
      );
      assert.ok(reports.every((report) => report.at > at));
      assert.equal(new Set(reports.map((report) => report.fill?.id)).size, 2);
    });

    it('refuses with a reason, once', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at, { quantity: quantity('0.0000001') }));
      const reports = await until(subject, at + 60_000);
      assert.deepEqual(
        reports.map((report) => report.kind),
        ['order.rejected'],
      );
      assert.notEqual(reports[0]?.reason, '');
    });

    it('never lets a reduce-only order open or turn a position', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at));
      subject.venue.submit(orderOf('1-2', at, { side: 'sell', quantity: quantity('3'), reduceOnly: true }));
      const filled = (await until(subject, at + 60_000)).filter((report) => report.kind === 'order.filled');
      assert.equal(toNumber(filled.at(-1)?.fill?.quantity ?? quantity('0')), 1);
    });

    it('lets a cancelled order never fill', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50') }));
      await until(subject, at + 10);
      subject.venue.cancel({ at: at + 10, instrument: 0, order: '1-1' });
      const reports = await until(subject, at + 600_000);
      assert.deepEqual(
        reports.map((report) => report.kind),
        ['order.cancelled'],
      );
    });

    it('moves a stop in place, and says so; an order that has ended it names as cancelled', async () => {
      const { subject, at } = await begin(make);
      const stop = orderOf('1-2', at, { type: 'stop', side: 'sell', role: 'stop', stopPrice: price('1'), reduceOnly: true });
      subject.venue.submit(orderOf('1-1', at, { attached: [stop] }));
      await until(subject, at + 60_000);
      subject.venue.amend({ at: at + 60_000, instrument: 0, order: '1-2', stopPrice: price('1000') });
      subject.venue.amend({ at: at + 60_000, instrument: 0, order: '1-1', stopPrice: price('1000') });
      const reports = await until(subject, at + 300_000);
      assert.deepEqual(of(reports, '1-2'), ['order.amended', 'order.filled']);
      assert.deepEqual(of(reports, '1-1'), ['order.cancelled']);
    });

    it('gives a limit that rests another price and quantity, and says so; an order that has ended it names as cancelled', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50') }));
      await until(subject, at + 10);
      const terms = { at: at + 10, instrument: 0, limitPrice: price('1000'), quantity: quantity('2') };
      subject.venue.amend({ ...terms, order: '1-1' });
      subject.venue.amend({ ...terms, order: '1-9' });
      const reports = await until(subject, at + 300_000);
      assert.deepEqual(of(reports, '1-1'), ['order.repriced', 'order.filled']);
      assert.deepEqual(of(reports, '1-9'), ['order.cancelled']);
      assert.equal(toNumber(reports.findLast(({ fill }) => fill !== undefined)?.fill?.quantity ?? quantity('0')), 2);
    });

    it('never rests what may not rest, and never fills beyond a limit', async () => {
      const { subject, at } = await begin(make);
      subject.venue.submit(orderOf('1-1', at, { type: 'limit', limitPrice: price('50'), timeInForce: 'ioc' }));
      subject.venue.submit(orderOf('1-2', at, { type: 'limit', limitPrice: price('1000'), timeInForce: 'fok' }));
      const reports = await until(subject, at + 60_000);
      assert.deepEqual(
        reports.map((report) => [report.kind, report.order]),
        [
          ['order.cancelled', '1-1'],
          ['order.filled', '1-2'],
        ],
      );
      assert.ok(toNumber(reports[1]?.fill?.price ?? price('0')) <= 1_000);
    });
  });
}

export function holdsEmbeddedVenueContract(name: string, make: () => EmbeddedVenueSubject): void {
  holdsVenueContract(name, make);
  describe(`the contract of an embedded venue: ${name}`, () => {
    it('goes on from its saved state with the same reports', async () => {
      const first = await begin(make);
      first.subject.venue.submit(orderOf('1-1', first.at));
      await until(first.subject, first.at + 30_000);
      first.subject.venue.submit(
        orderOf('1-2', first.at + 30_000, { type: 'stop', side: 'sell', stopPrice: price('90'), reduceOnly: true }),
      );
      const bytes = new ByteWriter();
      first.subject.venue.save(bytes);
      const second = await begin(make);
      await until(second.subject, second.at + 30_000);
      second.subject.venue.restore(new ByteReader(bytes.view()));
      assert.deepEqual(await until(second.subject, second.at + 300_000), await until(first.subject, first.at + 300_000));
    });
  });
}
