// Bybit's archive of order books (`…_ob500.data.zip`): a JSON message a line, whole books and changes of them.
// https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
import { z } from 'zod';
import type { TimeMs } from '../../domain/time.ts';
import { rowFault } from './csv.ts';
import type { Parser } from './files.ts';

const level = z.tuple([z.string(), z.string()]);
const message = z.object({
  type: z.enum(['snapshot', 'delta']),
  /** When the gateway sent it. */
  ts: z.int().positive(),
  data: z.object({ s: z.string(), b: z.array(level), a: z.array(level), u: z.int().nonnegative() }),
  /** When the matching engine made it. */
  cts: z.int().positive().optional(),
});

const NEWLINE = 10;

export interface BybitLevel {
  readonly kind: 'book-snapshot' | 'book-delta';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly update: number;
  /** 1 bid, -1 ask. */
  readonly side: 1 | -1;
  readonly price: number;
  readonly quantity: number;
}

/** @param take is given each level of each message */
export function bybitBookParser(path: string, take: (level: BybitLevel, line: number) => void): Parser {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 0;
  const read = (text: string): void => {
    line += 1;
    if (text.trim() === '') return;
    const { type, ts, cts, data } = parse(text, `${path}:${line}`);
    const kind = type === 'snapshot' ? 'book-snapshot' : 'book-delta';
    for (const side of [1, -1] as const) {
      for (const [price, quantity] of side === 1 ? data.b : data.a) {
        const values = { price: Number(price), quantity: Number(quantity) };
        if (!(values.price > 0) || !(values.quantity >= 0)) {
          throw rowFault(`${path}:${line}`, {
            found: `the level ${price}, ${quantity}`,
            expected: 'a price above 0 and a quantity of 0 or more',
          });
        }
        take({ kind, at: ts, happenedAt: cts ?? ts, update: data.u, side, ...values }, line);
      }
    }
  };
  return {
    push(piece) {
      // A book of 500 levels is one line: looked for in bytes, decoded once.
      let start = 0;
      for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
        read(rest + decoder.decode(piece.subarray(start, end), { stream: false }));
        rest = '';
        start = end + 1;
      }
      rest += decoder.decode(piece.subarray(start));
    },
    end() {
      if (rest !== '') read(rest);
    },
  };
}

function parse(text: string, place: string): z.infer<typeof message> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw rowFault(place, { found: JSON.stringify(text.slice(0, 40)), expected: 'a message in JSON' });
  }
  const { data, error } = message.safeParse(value);
  if (data !== undefined) return data;
  const issue = error?.issues[0];
  throw rowFault(place, {
    found: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another shape'}`,
    expected: 'a message of orderbook.500',
  });
}
