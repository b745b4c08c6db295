// Bars a second through the loop of `ballast backtest`, journal and tape included, beside a plain loop over the same arrays.
import type { BarColumns } from '../../src/domain/bars.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { prepareBacktest, removeHome, removeRuns, runBacktest, type BacktestCase, type BacktestOutcome } from '../backtest-session.ts';
import { compare, plainRules } from '../equality.ts';
import type { Figure } from '../figure.ts';
import { medianOf, ownMs, timed, type Timing } from '../measure.ts';
import { plainLoop } from '../plain-loop.ts';
import { measuredElsewhere } from '../programs.ts';
import type { Section } from '../section.ts';
import { Walk } from '../walk.ts';

const BARS = 1_000_000;
const WARMUPS = 2;
const REPEATS = 5;
const SEED = 7;

/** Default config, and the fees of an instrument whose venue was not asked. */
export const LITTLE: BacktestCase = { fast: 2_000, slow: 10_000, instruments: 1 };
/** An order intended every tenth bar: targets, and stops that follow. Default config but for fees and slippage: those of a hundred thousand orders would halt the run. */
export const BUSY: BacktestCase = { fast: 6, slow: 20, instruments: 1, feeRate: 0.0000002, slippageRatio: 0.0000002 };
const HOURLY: BacktestCase = { fast: 24, slow: 168, instruments: 1, timeframeMs: HOUR_MS };
const FOUR: BacktestCase = { ...LITTLE, instruments: 4 };

export const engine: Section = {
  name: 'engine',
  title: `Engine: ${BARS.toLocaleString('en')} one-minute bars, all default rules, journal and tape on; bars of all instruments a second`,
  rows: [
    {
      name: 'little',
      measure: async () => [await rateOf('deciding at every bar, little trades', LITTLE, { floor: 1_500_000, goal: 5_000_000 })],
    },
    {
      name: 'busy',
      measure: async () => [await rateOf('deciding at every bar, an order every 10 bars', BUSY, { floor: 600_000, goal: 1_500_000 })],
    },
    { name: 'hourly', measure: async () => [await rateOf('deciding every hour', HOURLY, { goal: 10_000_000 })] },
    { name: 'four', measure: measureFour },
  ],
};

interface Measured {
  readonly engine: Timing;
  readonly plain: Timing;
  readonly outcome: BacktestOutcome;
}

async function measure(subject: BacktestCase, columns: readonly BarColumns[]): Promise<Measured> {
  const prepared = await prepareBacktest(subject, columns[0]?.openAt.length ?? 0);
  const rules = plainRules(subject);
  const engines: Timing[] = [];
  const plains: Timing[] = [];
  let outcome: BacktestOutcome | undefined;
  try {
    for (let repeat = -WARMUPS; repeat < REPEATS; repeat++) {
      const plain = await timed(() => plainLoop(columns, rules));
      const chunks = columns.map((each) => [each]);
      const ran = await timed(() => runBacktest(prepared, chunks));
      outcome = ran.result;
      // Outside of what is measured: a user keeps them.
      removeRuns(prepared);
      if (repeat < 0) continue;
      plains.push(plain.timing);
      engines.push(ran.timing);
    }
  } finally {
    removeHome(prepared);
  }
  if (outcome === undefined) throw new Error('broken invariant: nothing was measured');
  if (outcome.haltCause !== '') throw new Error(`the run halted (${outcome.haltCause}): what follows a halt is no measure`);
  return { engine: medianOf(engines), plain: medianOf(plains), outcome };
}

function walks(instruments: number): readonly BarColumns[] {
  return Array.from({ length: instruments }, (_, index) => new Walk(SEED + index).next(BARS / instruments));
}

async function rateOf(name: string, subject: BacktestCase, promised: Pick<Figure, 'floor' | 'goal'>): Promise<Figure> {
  const columns = walks(subject.instruments);
  const { engine: ours, plain, outcome } = await measure(subject, columns);
  // Last, so that what is measured has never seen other rules.
  const { isEqual } = await compare(subject, columns);
  return {
    name,
    value: rate(ownMs(ours)),
    unit: 'bars/s',
    better: 'more',
    cpu: rate(ours.cpuMs),
    timesPlain: ownMs(ours) / ownMs(plain),
    ...promised,
    isEqual,
    note: noteOf(outcome),
  };
}

/** The single rate comes from a process of its own, as every rate does: code that was compiled for one source is not that for four. */
async function measureFour(): Promise<readonly Figure[]> {
  const [single] = await measuredElsewhere('engine/little');
  const merged = await rateOf('four instruments merged by time, little trades', FOUR, {});
  const value = merged.value / (single?.value ?? NaN);
  return [merged, { name: 'four instruments over one', value, unit: 'of its rate', better: 'more', floor: 0.7 }];
}

function rate(milliseconds: number): number {
  return (BARS / milliseconds) * 1000;
}

function noteOf({ orders, fills, rows }: BacktestOutcome): string {
  return `${orders.toLocaleString('en')} orders, ${fills.toLocaleString('en')} fills, ${rows.toLocaleString('en')} rows`;
}

/** Bytes of journal and tape for a day of the market. */
export const backtestBytes = async (name: string, subject: BacktestCase): Promise<readonly Figure[]> => {
  const columns = walks(1);
  const prepared = await prepareBacktest(subject, BARS);
  try {
    const { journalBytes, tapeBytes } = await runBacktest(prepared, [columns]);
    const days = (BARS * MINUTE_MS) / DAY_MS;
    return [
      { name: `${name}: journal`, value: journalBytes / days, unit: 'bytes/day', better: 'less' },
      { name: `${name}: tape`, value: tapeBytes / days, unit: 'bytes/day', better: 'less' },
    ];
  } finally {
    removeHome(prepared);
  }
};
