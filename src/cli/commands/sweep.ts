import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime, type TimeMs } from '../../domain/time.ts';
import type { SweepBars } from '../../lab/sweep/account.ts';
import type { Selection } from '../../lab/sweep/grid.ts';
import type { SweepStrategy } from '../../lab/sweep/strategy.ts';
import type { Objective, SweepPlanOfRun } from '../../lab/sweep/sweep-run.ts';
import type { BarRange, SeriesQuery } from '../../market/history/store.ts';
import { defaulted, defineCommand, optional, required, toggle, type Outcome } from '../definition.ts';
import { listenForEnd } from '../ending.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import * as values from '../values.ts';

const MOST_WORKERS = 64;

export const sweep = defineCommand({
  about: 'Tries many parameters of a strategy over the same stored bars, and counts every trial.',
  details: [
    'Long or flat, one position, without the rules of a session: research. sma-cross has the parameters fast and slow (fast < slow); rsi-stop has window, entryBelow, exitAbove (entryBelow < exitAbove), stop and trailing. A stop fills at its price, or at the open beyond it, with the fee.',
    'A grid is name=from..to:step or name=value|value, with commas between parameters; what breaks the constraint is left out and counted. From is inclusive, to exclusive, on the open time of bars, UTC; nothing is read before it.',
    'The folder under runs/ is named after all that determines the rows: sweep.json is the document of --json, best.json the best with its fills. The same command goes on where a killed one stopped.',
  ],
  flags: {
    strategy: required('--strategy <name>', 'sma-cross or rsi-stop', values.word),
    grid: optional('--grid <grid>', 'such as fast=5..50:5,slow=20..200:10', values.word),
    points: optional('--points <file>', 'a JSON array of parameter objects', values.word),
    symbols: required('--symbols <symbol>', 'one symbol, such as BTC/USDT', values.symbol),
    timeframe: required('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbol', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    capital: optional('--capital <amount>', 'cash at the start (default: that of the config)', values.money),
    fee: optional('--fee <ratio>', 'of notional, for every fill', values.number({ least: -0.01, most: 0.5 })),
    slippage: optional('--slippage <ratio>', 'of price, for entries and exits that are not stops', values.number({ least: 0, most: 0.5 })),
    stopSlippage: optional(
      '--stop-slippage <ratio>',
      'of price, for stops (default: that of the config, else 0)',
      values.number({ least: 0, most: 0.5 }),
    ),
    fill: optional(
      '--fill <rule>',
      'next-open or close (default: next-open for sma-cross, close for rsi-stop)',
      values.oneOf('next-open', 'close'),
    ),
    sizing: defaulted('--sizing <rule>', 'all of the cash for each position', values.oneOf('all-in'), 'all-in'),
    objective: defaulted(
      '--objective <metric>',
      'what is best: sharpe, sortino, calmar, totalReturn, profitFactor, expectancy, winRate or (least) maxDrawdown',
      values.oneOf('sharpe', 'sortino', 'calmar', 'totalReturn', 'profitFactor', 'expectancy', 'winRate', 'maxDrawdown'),
      'sharpe',
    ),
    workers: optional(
      '--workers <number>',
      'threads (default: one for each processor); the rows are the same for any number',
      values.wholeNumber({ least: 1, most: MOST_WORKERS }),
    ),
    noRisk: toggle('--no-risk', 'as of backtest: a sweep has no rules to leave out'),
    warmup: defaulted('--warmup <kind>', 'as of backtest: a sweep starts cold', values.oneOf('none'), 'none'),
  },
  examples: [
    'ballast sweep --strategy sma-cross --grid fast=5..50:5,slow=20..200:10 --symbols BTC/USDT --timeframe 1h --from 2021-07-01 --to 2023-07-01',
    'ballast sweep --strategy rsi-stop --points points.json --symbols BTC/USDT --timeframe 1h --fee 0.001 --slippage 0.0005 --objective calmar --json',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const { fromMs, toMs } = values.rangeOf(flags);
    const { symbols: symbol, timeframe: timeframeMs } = flags;
    const { sweepStrategyNamed } = await import('../../lab/sweep/strategies.ts');
    const strategy = sweepStrategyNamed(flags.strategy);
    const selection = await selectionOf(strategy, flags);
    const { loadConfig, withOverrides } = await import('../../app/config.ts');
    const { unfilteredInstrument } = await import('../../app/recipe.ts');
    const overrides = { venue: { feeRate: flags.fee, slippageRatio: flags.slippage, stopSlippageRatio: flags.stopSlippage } };
    const config = withOverrides(loadConfig({ home, file: configFile }), overrides);
    const { venue, bars } = await barsOf(home, { symbol, venue: flags.venue, timeframeMs, fromMs, toMs });
    const { ALL_IN } = await import('../../lab/sweep/account.ts');
    const plan: SweepPlanOfRun = {
      strategy,
      selection,
      venue,
      symbol,
      timeframeMs,
      bars,
      account: {
        capital: flags.capital === undefined ? config.paper.capital : Number(flags.capital),
        feeRate: config.venue.feeRate ?? unfilteredInstrument(venue, symbol, '--symbols').takerFeeRate,
        slippageRatio: config.venue.slippageRatio,
        stopSlippageRatio: config.venue.stopSlippageRatio ?? 0,
        fill: flags.fill ?? strategy.fill,
        sizing: ALL_IN,
      },
    };
    return sweepOutcome(plan, flags.objective, flags.workers ?? availableParallelism(), home, terminal);
  },
});

async function selectionOf(
  strategy: SweepStrategy,
  { grid, points }: { readonly grid: string | undefined; readonly points: string | undefined },
): Promise<Selection> {
  const { demandSensible, parseGrid, parsePoints, sensible } = await import('../../lab/sweep/grid.ts');
  if (grid !== undefined && points === undefined) return sensible(parseGrid(grid, '--grid'), strategy, '--grid');
  if (points === undefined || grid !== undefined) {
    throw values.argumentError('--grid, --points', grid === undefined ? 'neither' : 'both', 'one of them');
  }
  let text: string;
  try {
    text = readFileSync(points, 'utf8');
  } catch (cause) {
    throw values.argumentError('--points', cause instanceof Error ? cause.message : String(cause), 'a file that can be read');
  }
  return demandSensible(parsePoints(text, `--points ${points}`), strategy, `--points ${points}`);
}

async function barsOf(
  home: string,
  query: SeriesQuery & Pick<BarRange, 'fromMs' | 'toMs'>,
): Promise<{ readonly venue: string; readonly bars: SweepBars }> {
  const { openStore } = await import('../../market/history/store.ts');
  const store = await openStore(home);
  try {
    const venue = store.resolve(query);
    const bars = await store.load({ ...query, venue });
    if (bars.close.length > 0) return { venue, bars };
    const bound = (at: TimeMs | undefined, end: string): string => (at === undefined ? end : formatTime(at));
    throw new BallastError({
      code: 'RANGE_EMPTY',
      place: '--from and --to',
      found: `no ${formatSpan(query.timeframeMs)} bars of ${query.symbol} from ${bound(query.fromMs, 'the first')} to ${bound(query.toMs, 'the last')}`,
      expected: 'a range within the stored one',
      remedy: 'ballast data ls tells it',
      exitCode: 2,
    });
  } finally {
    await store.close();
  }
}

async function sweepOutcome(
  plan: SweepPlanOfRun,
  objective: Objective,
  workers: number,
  home: string,
  terminal: Terminal,
): Promise<Outcome> {
  const { makeRunFolder, runsFolder } = await import('../../app/runs.ts');
  const { lockRun } = await import('../../app/run-lock.ts');
  const { runSweep, sweepRunId } = await import('../../lab/sweep/sweep-run.ts');
  const { sweepText } = await import('../../lab/sweep/sweep-text.ts');
  const folder = join(runsFolder(home), sweepRunId(plan));
  makeRunFolder(folder);
  const lock = lockRun(folder);
  if (lock === undefined) {
    throw new BallastError({ code: 'RUN_ALIVE', place: folder, found: 'another process with the same sweep', expected: 'one at a time' });
  }
  const progress = new Progress(terminal.stderr, 'sweep');
  const ending = listenForEnd(
    (by) => {
      progress.end();
      terminal.stderr.write(`${by}: ending; a second signal does not wait\n`);
    },
    () => progress.end(),
  );
  try {
    const document = await runSweep(plan, {
      folder,
      objective,
      workers,
      onProgress: (done, total) => progress.update(done, total),
      signal: ending.signal,
    });
    progress.end();
    return { exitCode: document.trials.failed > 0 ? 1 : 0, document, text: `${sweepText(document)}\n\n${folder}` };
  } finally {
    progress.end();
    ending.release();
    lock.release();
  }
}
