// What a sweep has finished, one line a column, so that a killed one goes on. A line that was cut is a column that is run again.
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { BallastError } from '../../domain/errors.ts';
import type { MetricName } from './column-metrics.ts';
import type { ColumnOutcome } from './column-pool.ts';

const metric = z.number().nullable();
const money = z.number();
export const metricsSchema = z.strictObject({
  totalReturn: money,
  finalEquity: money,
  sharpe: metric,
  sortino: metric,
  maxDrawdown: money,
  calmar: metric,
  orders: money,
  trades: money,
  winRate: metric,
  profitFactor: metric,
  expectancy: metric,
  feesPaid: money,
} satisfies Record<MetricName, z.ZodType>);
const lineSchema = z.union([
  z.strictObject({ column: z.int(), metrics: metricsSchema }),
  z.strictObject({ column: z.int(), stopped: z.string() }),
]);

/** Open for writing until `close`. Failures are not kept: a column that threw is tried again. */
export class FinishedColumns {
  readonly known: ReadonlyMap<number, ColumnOutcome>;
  readonly #path: string;
  #file: number;

  /** Reads what is there, cuts off what is torn, and goes on behind it. @throws BallastError RUN_UNWRITABLE */
  constructor(path: string) {
    this.#path = path;
    const { known, wholeBytes, bytes } = read(path);
    this.known = known;
    this.#file = this.#guarded(() => {
      if (wholeBytes < bytes) truncateSync(path, wholeBytes);
      return openSync(path, 'a');
    });
  }

  add(column: number, outcome: ColumnOutcome): void {
    if (outcome.failure !== undefined) return;
    const line = `${JSON.stringify({ column, ...outcome })}\n`;
    this.#guarded(() => writeSync(this.#file, line));
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }

  /** The sweep is done, and its document holds all of it. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #guarded<T>(write: () => T): T {
    try {
      return write();
    } catch (cause) {
      throw new BallastError({
        code: 'RUN_UNWRITABLE',
        place: this.#path,
        found: cause instanceof Error ? cause.message : String(cause),
        expected: 'a file that can be written',
        remedy: 'free space or choose another --home',
        cause,
      });
    }
  }
}

function read(path: string): { known: Map<number, ColumnOutcome>; wholeBytes: number; bytes: number } {
  const known = new Map<number, ColumnOutcome>();
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { known, wholeBytes: 0, bytes: 0 };
    throw error;
  }
  let start = 0;
  for (;;) {
    const end = content.indexOf('\n', start);
    if (end < 0) break;
    const line = parsed(content.toString('utf8', start, end));
    // From the first line that is none on, nothing is believed.
    if (line === undefined) break;
    known.set(line.column, 'metrics' in line ? { metrics: line.metrics } : { stopped: line.stopped });
    start = end + 1;
  }
  return { known, wholeBytes: start, bytes: content.length };
}

function parsed(text: string): z.infer<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
