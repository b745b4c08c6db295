// What goes wrong on purpose: at the wire, by rule and by seed. Each fault is looked for where it would act, and acts by chance or by count.
import { z } from 'zod';
import { Random } from '../../quant/random.ts';

const KINDS = [
  // Of requests, over HTTP and over the socket for orders.
  'lose',
  'accept-silently',
  'accept-reset',
  'stall',
  'html',
  'empty',
  'ret-code',
  // Of HTTP.
  'http-status',
  'empty-positions',
  'delay',
  'truncate',
  'other-execution-ids',
  // Of sockets.
  'refuse-sockets',
  'no-pong',
  'no-data',
  'silent-subscribe',
  'silent-orders',
  'drop-deltas',
  'duplicate-private',
  'reorder-private',
  'delay-private',
  'corrupt-frames',
] as const;
export type FaultKind = (typeof KINDS)[number];

export const faultSchema = z.strictObject({
  kind: z.enum(KINDS),
  /** Beginning of a path (`/v5/order/create`, also of what has another name on a socket) or of a topic (`orderbook`); everywhere unless said. */
  where: z.string().default(''),
  /** Of acting when it could; 1 unless said. */
  chance: z.number().min(0).max(1).default(1),
  /** How often it acts before it is over; for ever unless said. */
  times: z.number().int().min(1).optional(),
  /** Of `http-status`. */
  status: z.number().int().min(400).max(599).default(503),
  retryAfterSeconds: z.number().int().min(0).optional(),
  /** Of `ret-code`. */
  retCode: z.number().int().default(10016),
  retMsg: z.string().default('Server error'),
  /** Of `delay` and `delay-private`. */
  delayMs: z.number().int().min(1).max(60_000).default(1_000),
});
export type Fault = z.infer<typeof faultSchema>;

/** Of what a seed chooses: what a client should live through, at chances that leave it most of its requests. */
const SEEDED: readonly Omit<z.input<typeof faultSchema>, 'chance'>[] = [
  { kind: 'lose', where: '/v5/order/' },
  { kind: 'accept-silently', where: '/v5/order/create' },
  { kind: 'accept-reset', where: '/v5/order/create' },
  { kind: 'html' },
  { kind: 'empty' },
  { kind: 'http-status', status: 503 },
  { kind: 'http-status', status: 429, retryAfterSeconds: 1 },
  { kind: 'ret-code', retCode: 10016, retMsg: 'Server error' },
  { kind: 'ret-code', retCode: 10006, retMsg: 'Too many visits!' },
  { kind: 'empty-positions' },
  { kind: 'refuse-sockets' },
  { kind: 'silent-subscribe' },
  { kind: 'silent-orders' },
  { kind: 'drop-deltas' },
  { kind: 'duplicate-private' },
  { kind: 'reorder-private' },
  { kind: 'stall' },
  { kind: 'truncate' },
  { kind: 'delay', delayMs: 300 },
  { kind: 'delay-private', delayMs: 300 },
  { kind: 'corrupt-frames' },
  { kind: 'no-pong' },
  { kind: 'no-data' },
];
/** No seeded fault acts more often than this. */
const MOST_CHANCE = 0.02;

export class Faults {
  readonly #random: Random;
  #standing: (Fault & { left: number })[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed).fork('faults');
  }

  get standing(): readonly Fault[] {
    return this.#standing.map(({ left: _left, ...fault }) => fault);
  }

  add(fault: Fault): void {
    this.#standing.push({ ...fault, left: fault.times ?? Infinity });
  }

  clear(): void {
    this.#standing = [];
  }

  /** Every kind that a seed knows, each with a chance of its own. */
  sow(): void {
    for (const fault of SEEDED) this.add(faultSchema.parse({ ...fault, chance: MOST_CHANCE * this.#random.uniform() }));
  }

  /** The first fault of these kinds that acts here and now. @param also another name of the same place */
  strikes(kinds: readonly FaultKind[], where: string, also = where): Fault | undefined {
    if (this.#standing.length === 0) return undefined;
    for (const fault of this.#standing) {
      if (!kinds.includes(fault.kind) || !(where.startsWith(fault.where) || also.startsWith(fault.where))) continue;
      if (fault.chance < 1 && this.#random.uniform() >= fault.chance) continue;
      fault.left--;
      if (fault.left <= 0) this.#standing = this.#standing.filter((each) => each !== fault);
      return fault;
    }
    return undefined;
  }
}
