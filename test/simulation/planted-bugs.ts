// Bugs that adapters, engines and journals really have had, each put into the place of something that works. None of them is in the product:
// a simulation that does not find them could not fail.
import type { AmendIntent, CancelIntent, LimitAmendIntent, OrderIntent } from '../../src/domain/order.ts';
import type { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import { smaller, ZERO_AMOUNT, type Amount } from '../../src/domain/decimal.ts';
import type { AdapterReport } from '../../src/venues/ccxt/report-queue.ts';
import { NEVER, type TimeMs } from '../../src/domain/time.ts';
import type { Recorder } from '../../src/engine/recorder.ts';
import type { Adapter, Plugs } from '../../src/app/simulation/process.ts';
import type { Invariant } from '../../src/app/simulation/witness.ts';
import type { Dial, VenueRequest, VenueWire, WholeAnswer } from '../../src/venues/ccxt/venue-wire.ts';

export interface PlantedBug {
  readonly name: string;
  /** Anew for each case: bugs count. */
  readonly plugs: () => Plugs;
  /** What it must break, among whatever else. */
  readonly breaks: readonly Invariant[];
  /** It takes much to come out: the search begins shortly before the first seed that is known to bring it. */
  readonly firstSeed?: number;
}

// ---- where they go in ----------------------------------------------------------------------------------------------------

/** An adapter whose reports are rewritten; undefined is one that nobody hears of. */
class Rewritten implements Adapter {
  readonly inner: Adapter;
  readonly #notBefore: () => TimeMs;
  readonly #rewrite: (report: AdapterReport) => AdapterReport | undefined;
  readonly said: AdapterReport[] = [];
  #wake: (() => void) | undefined;

  constructor(inner: Adapter, notBefore: () => TimeMs, rewrite: (report: AdapterReport) => AdapterReport | undefined) {
    this.inner = inner;
    this.#notBefore = notBefore;
    this.#rewrite = rewrite;
  }

  say(report: AdapterReport): void {
    this.said.push(report);
    this.#wake?.();
  }

  #pull(): void {
    while (this.inner.peekAt() !== NEVER) {
      const report = this.#rewrite(this.inner.take());
      if (report !== undefined) this.said.push(report);
    }
  }

  peekAt(): TimeMs {
    this.#pull();
    const [first] = this.said;
    return first === undefined ? NEVER : Math.max(first.at, this.#notBefore());
  }

  take(): AdapterReport {
    const at = this.peekAt();
    return { ...(this.said.shift() as AdapterReport), at };
  }

  get ended(): boolean {
    return this.said.length === 0 && this.inner.ended;
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
    this.inner.onArrival(wake);
  }

  submit(intent: OrderIntent): void {
    this.inner.submit(intent);
  }

  amend(intent: AmendIntent | LimitAmendIntent): void {
    this.inner.amend(intent);
  }

  cancel(intent: CancelIntent): void {
    this.inner.cancel(intent);
  }

  recall(report: AdapterReport): void {
    this.inner.recall(report);
  }

  save(out: ByteWriter): void {
    this.inner.save(out);
  }

  restore(from: ByteReader): void {
    this.inner.restore(from);
  }
}

function reports(rewrite: (report: AdapterReport) => AdapterReport | undefined): Plugs {
  return { adapter: (adapter, notBefore) => new Rewritten(adapter, notBefore, rewrite) };
}

type Ask = (request: VenueRequest, signal: AbortSignal) => Promise<WholeAnswer>;

/** A wire that asks otherwise; everything else of it stays. */
function asking(otherwise: (ask: Ask, request: VenueRequest, signal: AbortSignal) => Promise<WholeAnswer>): Plugs {
  return {
    wire: (wire): VenueWire => ({ ...wire, ask: (request, signal) => otherwise((...given) => wire.ask(...given), request, signal) }),
  };
}

/** As the venue spells them. */
const WORDS = 'retMsg';
const QUANTITY = 'qty';

const answerOf = (result: object, retCode = 0, words = 'OK'): WholeAnswer => ({
  status: 200,
  headers: new Headers(),
  body: JSON.stringify({ retCode, [WORDS]: words, result, retExtInfo: {} }),
});

function isWhole({ status, body }: WholeAnswer): boolean {
  return status === 200 && body.startsWith('{') && body.endsWith('}');
}

// ---- the bugs ------------------------------------------------------------------------------------------------------------

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'a lost fill: one of seven is not reported',
    breaks: ['fills-are-position'],
    plugs: () => {
      let fills = 0;
      return reports((report) => (report.kind === 'order.filled' && ++fills % 7 === 0 ? undefined : report));
    },
  },
  {
    name: 'an order is sent again under a new id when its answer fails',
    breaks: ['one-intent-per-id'],
    plugs: () =>
      asking(async (ask, request, signal) => {
        if (request.path !== '/v5/order/create') return ask(request, signal);
        try {
          return await ask(request, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          const again = { ...request.parameters, orderLinkId: `${String(request.parameters['orderLinkId'])}-again` };
          return ask({ ...request, parameters: again }, signal);
        }
      }),
  },
  {
    name: 'a cancel is taken for proof: what it cancels has ended once it is asked for',
    breaks: ['one-state', 'fills-are-position'],
    plugs: () => ({
      adapter: (adapter, notBefore) => {
        const gone = new Set<string>();
        const rewritten = new Rewritten(adapter, notBefore, (report) => ('order' in report && gone.has(report.order) ? undefined : report));
        rewritten.cancel = (intent) => {
          gone.add(intent.order);
          const { at, instrument, order } = intent;
          rewritten.say({ kind: 'order.cancelled', at, happenedAt: at, instrument, order, reason: 'cancelled', fill: undefined });
          adapter.cancel(intent);
        };
        return rewritten;
      },
    }),
  },
  {
    name: 'a gap in a sequence is swallowed: bars that were missed are not asked for',
    breaks: ['bars-without-a-hole'],
    plugs: () =>
      asking(async (ask, request, signal) => {
        const answer = await ask(request, signal);
        return request.path === '/v5/market/kline' ? answerOf({ category: 'linear', list: [] }) : answer;
      }),
  },
  {
    name: 'executions are told apart by their arrival instead of by their id',
    breaks: ['fills-are-position'],
    plugs: () => {
      let arrivals = 0;
      return {
        wire: (wire): VenueWire => {
          const dialPrivate: Dial = (ears) =>
            wire.dialPrivate({
              ...ears,
              said: (text) => ears.said(text.replaceAll(/"execId":"[^"]*"/g, () => `"execId":"arrival-${++arrivals}"`)),
            });
          return { ...wire, dialPrivate };
        },
      };
    },
  },
  {
    name: 'an order leaves before it is on the disk',
    breaks: ['one-intent-per-id'],
    plugs: () => ({
      recorder: (recorder: Recorder): Recorder => ({
        market: (event) => {
          recorder.commit();
          recorder.market(event);
        },
        entry: (entry, sequence) => recorder.entry(entry, sequence),
        commit: () => undefined,
      }),
    }),
  },
  {
    name: 'an answer that does not come is taken for a refusal',
    breaks: ['one-state', 'fills-are-position'],
    plugs: () =>
      asking(async (ask, request, signal) => {
        if (request.path !== '/v5/order/create') return ask(request, signal);
        try {
          return await ask(request, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          return answerOf({}, 110007, 'ab not enough for new order');
        }
      }),
  },
  {
    name: 'stops are set for the least quantity instead of the position',
    breaks: ['never-naked'],
    plugs: () =>
      asking(async (ask, request, signal) => {
        const { path, parameters } = request;
        if (path === '/v5/position/trading-stop') return answerOf({});
        if (path !== '/v5/order/create') return ask(request, signal);
        const sent = 'triggerPrice' in parameters ? { ...parameters, [QUANTITY]: '0.001' } : parameters;
        const answer = await ask({ ...request, parameters: sent }, signal);
        // What the entry has brought is taken away from its position.
        const { category = 'linear', symbol = '' } = parameters;
        const none = { category, symbol, positionIdx: 0, tpslMode: 'Full', stopLoss: '0' };
        if ('stopLoss' in parameters) await ask({ ...request, path: '/v5/position/trading-stop', parameters: none }, signal);
        return answer;
      }),
  },
  {
    name: 'every other entry leaves without the stop of its position',
    breaks: ['opens-under-a-stop'],
    plugs: () => {
      let entries = 0;
      return asking((ask, request, signal) => {
        const { stopLoss, ...parameters } = request.parameters;
        const isBare = request.path === '/v5/order/create' && stopLoss !== undefined && ++entries % 2 === 0;
        return ask(isBare ? { ...request, parameters } : request, signal);
      });
    },
  },
  {
    name: 'what a maker is charged is forgotten, and one fee of five',
    breaks: ['cash-identity'],
    plugs: () => {
      let fills = 0;
      return reports((report) =>
        report.kind === 'order.filled' && report.fill !== undefined && (report.fill.liquidity === 'maker' || ++fills % 5 === 0)
          ? { ...report, fill: { ...report.fill, fee: ZERO_AMOUNT } }
          : report,
      );
    },
  },
  {
    name: 'funding is not booked',
    breaks: ['cash-identity'],
    plugs: () => reports((report) => (report.kind === 'funding.paid' ? undefined : report)),
  },
  {
    name: 'money that went is told and not booked',
    breaks: ['money-is-there'],
    plugs: () =>
      reports((report) => {
        if (report.kind !== 'account.reported') return report;
        const { money: _money, ...words } = report;
        return words;
      }),
  },
  {
    name: 'money that comes back is not believed',
    breaks: ['money-is-there'],
    plugs: () => {
      let least: Amount | undefined;
      return reports((report) => {
        if (report.kind !== 'account.reported' || report.money === undefined) return report;
        least = least === undefined ? report.money : smaller(least, report.money);
        return { ...report, money: least };
      });
    },
  },
  {
    name: 'after a restart the adapter does not know what it had booked',
    breaks: ['fills-are-position'],
    plugs: () => ({
      adapter: (adapter, notBefore) => {
        const forgetful = new Rewritten(adapter, notBefore, (report) => report);
        forgetful.recall = () => undefined;
        return forgetful;
      },
    }),
  },
  {
    name: 'an answer that is cut is read as an empty one',
    breaks: ['one-state', 'fills-are-position', 'comes-to-rest', 'bars-without-a-hole'],
    plugs: () =>
      asking(async (ask, request, signal) => {
        const answer = await ask(request, signal);
        if (isWhole(answer)) return answer;
        return answerOf({ list: [], nextPageCursor: '' });
      }),
  },
  {
    name: '"no such order" is believed although the order can still be on its way',
    firstSeed: 840,
    breaks: ['one-state'],
    plugs: () => ({ settings: (settings) => ({ ...settings, recvWindowMs: 0, propagationMs: 0 }) }),
  },
  {
    name: 'a key of the journal is written behind a disk that does not keep what it said it had',
    breaks: ['one-intent-per-id', 'fills-are-position', 'one-state'],
    plugs: () => {
      let commits = 0;
      return {
        recorder: (recorder: Recorder): Recorder => ({
          market: (event) => recorder.market(event),
          entry: (entry, sequence) => recorder.entry(entry, sequence),
          commit: () => {
            if (++commits % 4 !== 0) recorder.commit();
          },
        }),
      };
    },
  },
];
