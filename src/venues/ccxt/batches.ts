// Orders that are handed over in one instant leave in one request: the legs of a pair, a basket, the cancels of a whole account. Whoever asks is
// answered as if he had asked alone. An order that comes by itself leaves by itself, a microtask later.
import { z } from 'zod';
import { judgeCode } from './bybit-codes.ts';
import type { Parameters } from './bybit-orders.ts';
import type { Call, Calls, Outcome } from './calls.ts';

/** A request that has a batch of its kind. */
export interface BatchableCall extends Pick<Call, 'parameters' | 'priority' | 'isWanted' | 'onSent' | 'onGiven'> {
  readonly budget: 'create' | 'cancel';
}

interface Leaving {
  readonly call: BatchableCall;
  readonly settle: (outcome: Outcome) => void;
}

/** Rows of one request, by category. */
const MOST_ROWS: Readonly<Record<string, number>> = { linear: 20, spot: 10 };

const rowsSchema = z.object({ list: z.array(z.unknown()) });
const namesSchema = z.object({ orderLinkId: z.string().default('') });
const codeSchema = z.object({ code: z.int(), msg: z.string() });

export class Batches {
  readonly #calls: Calls;
  readonly #redact: (words: string) => string;
  readonly #leaving: Leaving[] = [];

  constructor(calls: Calls, redact: (words: string) => string) {
    this.#calls = calls;
    this.#redact = redact;
  }

  /** Never rejects for what a venue or a network does. */
  ask(call: BatchableCall): Promise<Outcome> {
    return new Promise((settle) => {
      if (this.#leaving.push({ call, settle }) === 1) queueMicrotask(() => this.#leave());
    });
  }

  #leave(): void {
    const groups = new Map<string, Leaving[]>();
    for (const leaving of this.#leaving.splice(0)) {
      const { parameters, budget, priority } = leaving.call;
      // A batch has one category, one turn, and no conditional orders of spot.
      if ('orderFilter' in parameters) {
        this.#alone(leaving);
        continue;
      }
      const group = `${budget} ${String(parameters['category'])} ${priority}`;
      const members = groups.get(group);
      if (members === undefined) groups.set(group, [leaving]);
      else members.push(leaving);
    }
    for (const members of groups.values()) this.#group(members);
  }

  /** The venue counts batches and single orders apart: what one request cannot take goes both ways by turns. */
  #group(members: readonly Leaving[]): void {
    const [first] = members;
    if (first === undefined) return;
    const { budget, parameters } = first.call;
    const rows = Math.min(this.#calls.turns.atOnce(`${budget}-batch`), MOST_ROWS[String(parameters['category'])] ?? 1);
    for (let from = 0; from < members.length; from += 2 * rows) {
      this.#together(members.slice(from, from + rows));
      for (const leaving of members.slice(from + rows, from + 2 * rows)) this.#alone(leaving);
    }
  }

  #alone({ call, settle }: Leaving): void {
    const { budget } = call;
    void this.#calls.ask({ method: 'POST', path: `/v5/order/${budget}`, isPrivate: true, ...call }).then(settle);
  }

  #together(members: readonly Leaving[]): void {
    const [first] = members;
    if (first === undefined) return;
    if (members.length === 1) this.#alone(first);
    else void this.#batch(members, first.call);
  }

  async #batch(members: readonly Leaving[], { budget, priority, parameters: { category = '' } }: BatchableCall): Promise<void> {
    /** Those that are still wanted when the turn has come. */
    let sent: readonly Leaving[] = [];
    const outcome = await this.#calls.ask({
      method: 'POST',
      path: `/v5/order/${budget}-batch`,
      parameters: { category },
      get rows() {
        return sent.map(({ call }) => rowOf(call.parameters));
      },
      isPrivate: true,
      budget: `${budget}-batch`,
      priority,
      weight: members.length,
      isWanted: () => {
        sent = members.filter(({ call }) => call.isWanted?.() !== false);
        return sent.length > 0;
      },
      onSent: () => {
        for (const { call } of sent) call.onSent?.();
      },
      onGiven: () => {
        for (const { call } of sent) call.onGiven?.();
      },
    });
    if (outcome.kind !== 'answered') {
      for (const { call, settle } of members) settle(sent.some((each) => each.call === call) ? outcome : { kind: 'unsent' });
      return;
    }
    for (const { call, settle } of members) {
      const index = sent.findIndex((each) => each.call === call);
      settle(index < 0 ? { kind: 'unsent' } : this.#rowOf(outcome, index, call));
    }
  }

  /** What became of one row: a refusal is data, and a row that is not answered is in doubt as an order is that is not. */
  #rowOf({ result, more, venueAt }: Extract<Outcome, { kind: 'answered' }>, index: number, { parameters, budget }: BatchableCall): Outcome {
    const named = rowsSchema.safeParse(result).data?.list[index];
    const code = codeSchema.safeParse(rowsSchema.safeParse(more).data?.list[index]).data;
    const name = namesSchema.safeParse(named).data?.orderLinkId;
    const asked = parameters['orderLinkId'];
    if (code === undefined || name === undefined) return { kind: 'unknown', words: 'a batch whose answer has no row for it' };
    if (asked !== undefined && name !== '' && name !== asked)
      return { kind: 'unknown', words: 'a batch whose answer has another row in its place' };
    const judged = judgeCode(code.code, this.#redact(code.msg), named);
    this.#calls.heard(judged, `${budget}-batch`, false);
    return judged.kind === 'answered' ? { ...judged, venueAt } : judged;
  }
}

function rowOf({ category: _category, ...row }: Parameters): Parameters {
  return row;
}
