// What can be swept: parameters become indicator columns, and these become flags. A strategy whose rules are simple enough may also bring a
// kernel that does it all in one pass; a test holds the two equal.
import type { z } from 'zod';
import { BallastError } from '../../domain/errors.ts';
import type { FillRule } from '../../venues/simulated/rules.ts';
import type { SweepAccount, ColumnProtection, SweepBars } from './account.ts';
import type { ColumnSums } from './column-metrics.ts';
import type { IndicatorColumn } from './indicator-columns.ts';

/** A combination of parameters, as a grid or a file has it. */
export type SweepPoint = Readonly<Record<string, number | boolean | string>>;

/** One column of a sweep: a strategy with its parameters. */
export interface ColumnRules {
  readonly indicators: readonly IndicatorColumn[];
  readonly protection: ColumnProtection;
  /** Writes every row of `flags` (of ENTER_LONG and its like). `columns` are the indicators, in their order. */
  mark(bars: SweepBars, columns: readonly Float64Array[], flags: Uint8Array): void;
  /** The same in one pass, for the accounts that it can follow. */
  readonly fused?: FusedKernel;
}

export interface FusedKernel {
  readonly indicators: readonly IndicatorColumn[];
  follows(account: SweepAccount): boolean;
  /** Sets every sum. */
  run(bars: SweepBars, columns: readonly Float64Array[], account: SweepAccount, sums: ColumnSums): void;
}

export interface SweepStrategy {
  readonly name: string;
  readonly about: string;
  readonly parameters: z.ZodObject;
  /** Where its orders fill unless the account says otherwise. */
  readonly fill: FillRule;
  /** A rule between parameters in words, such as `fast < slow`. A grid leaves out what breaks it. */
  readonly constraint: string;
  meets(point: SweepPoint): boolean;
  /** @throws BallastError POINT_INVALID */
  column(point: SweepPoint): ColumnRules;
}

export interface SweepStrategyDefinition<Schema extends z.ZodObject> {
  readonly name: string;
  readonly about: string;
  readonly parameters: Schema;
  readonly fill: FillRule;
  readonly constraint: string;
  meets(parameters: z.infer<Schema>): boolean;
  column(parameters: z.infer<Schema>): ColumnRules;
}

export function defineSweepStrategy<const Schema extends z.ZodObject>(definition: SweepStrategyDefinition<Schema>): SweepStrategy {
  const parse = (point: SweepPoint): z.infer<Schema> => {
    const parsed = definition.parameters.safeParse(point);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') ?? '';
    throw new BallastError({
      code: 'POINT_INVALID',
      place: `${definition.name} ${pointText(point)}`,
      found: field === '' ? 'other parameters' : `${field} ${JSON.stringify(point[field]) ?? 'missing'}`,
      expected: `parameters ${Object.keys(definition.parameters.shape).join(', ')}`,
      remedy: issue?.message ?? 'see ballast sweep --help',
      exitCode: 2,
    });
  };
  return {
    ...definition,
    meets: (point) => definition.meets(parse(point)),
    column: (point) => definition.column(parse(point)),
  };
}

/** `fast=5 slow=20`. */
export function pointText(point: SweepPoint): string {
  return Object.entries(point)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
