// The report of a finished run, read again: what its statistics are made of.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../domain/errors.ts';
import { formatSpan, parseSpan, parseTime } from '../domain/time.ts';
import { reasonOf } from '../domain/words.ts';
import { periodReturns, type PeriodReturns } from '../lab/validate/run-returns.ts';
import { MINIMUM_RETURNS } from '../views/metrics.ts';
import { runNamed, type RunFolder } from './runs.ts';

/** What is read of report.json. */
const reportSchema = z.object({
  capital: z.coerce.number().positive(),
  currency: z.string(),
  timeframe: z.string(),
  from: z.string(),
  to: z.string(),
  metrics: z.object({
    totalReturn: z.number(),
    finalEquity: z.number(),
    maxDrawdown: z.number(),
    trades: z.number(),
    orders: z.number(),
    expectancy: z.number().nullable(),
    bestTrade: z.number().nullable(),
    buyAndHoldReturn: z.number().nullable(),
  }),
  equity: z.array(z.tuple([z.string(), z.number()])),
  trades: z.array(z.object({ sleeve: z.string(), round: z.number(), closedAt: z.string(), pnl: z.coerce.number() })),
});

export interface RunReport extends Omit<z.infer<typeof reportSchema>, 'equity'>, PeriodReturns {
  readonly runId: string;
  readonly run: RunFolder;
  readonly path: string;
}

/** The report and its returns, enough of them. @throws BallastError RUN_UNKNOWN, REPORT_MISSING, REPORT_DAMAGED, REPORT_SHORT */
export function readRunReport(home: string, name: string): RunReport {
  const run = runNamed(home, name);
  const path = join(run.folder, 'report.json');
  const { equity, ...report } = readReport(path);
  const points = equity.map(([at, value]) => ({ at: parseTime(at, path), equity: value }));
  const { periodMs, returns } = periodReturns(report.capital, points, parseSpan(report.timeframe, path));
  if (returns.length < MINIMUM_RETURNS) {
    throw new BallastError({
      code: 'REPORT_SHORT',
      place: path,
      found: `${returns.length} returns of ${formatSpan(periodMs)}`,
      expected: `at least ${MINIMUM_RETURNS}`,
      remedy: 'run it on a longer range: less says nothing',
    });
  }
  return { ...report, periodMs, returns, runId: run.runId, run, path };
}

function readReport(path: string): z.infer<typeof reportSchema> {
  if (!existsSync(path)) {
    throw new BallastError({
      code: 'REPORT_MISSING',
      place: path,
      found: 'no report',
      expected: 'that of a backtest that came to its end',
      remedy: 'run ballast backtest, or name another run',
    });
  }
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw damaged(path, reasonOf(cause), cause);
  }
  const parsed = reportSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  throw damaged(path, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '), parsed.error);
}

function damaged(place: string, found: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'REPORT_DAMAGED',
    place,
    found,
    expected: 'the report of this version',
    remedy: 'run the backtest again',
    cause,
  });
}
