import { availableParallelism } from 'node:os';
import { OBJECTIVES } from '../../lab/sweep/objective.ts';
import { SEARCHES } from '../../lab/sweep/search.ts';
import { defaulted, defineCommand, optional, required, toggle } from '../definition.ts';
import { longWork } from '../long-work.ts';
import * as values from '../values.ts';

const MOST_WORKERS = 64;
const MOST_TRIALS = 1_000_000;

export const sweep = defineCommand({
  about: 'Tries many parameters of a strategy over the same stored bars, and counts every trial.',
  details: [
    'Any strategy of ballast backtest is swept by the engine, one a thread, with the same rules, sizes and fills: a column is that backtest. sma-cross (fast < slow) and rsi-stop (window, entryBelow < exitAbove, stop, trailing) have kernels, thousands of columns a second: long or flat, one position, cold, without the rules of a session; a stop fills at its price, or at the open beyond it, with the fee.',
    'A grid is name=from..to:step or name=value|value, with commas between parameters; what breaks a rule between parameters is left out and counted. With --search the grid has the ranges, and a range without a step is searched whole; without a grid all parameters are searched that the schema of the strategy bounds (ballast strategies lists them). random and latin-hypercube are draws; tpe learns from what it has found, for parameters of all kinds; cma-es is for numbers. The columns and their order are the same for any number of threads.',
    `An objective is ${OBJECTIVES.join(', ')} (maxDrawdown: the least; penalisedReturn: annual growth less the deepest drawdown), or the path of a file with \`export default (metrics, params) => number\`, the more the better.`,
    'The folder under runs/ is named after all that determines the rows: sweep.json is the document of --json, best.json the best with its fills, which backtest and paper take with --params best.json. The same command goes on where a killed one stopped; ballast sweeps lists, filters and compares. Every column is in data/trials.jsonl, which ballast validate counts. From is inclusive, to exclusive, on the open time of bars, UTC.',
  ],
  flags: {
    strategy: required('--strategy <name>', 'sma-cross, rsi-stop, or any strategy of backtest: a name, or path of a file', values.word),
    grid: optional('--grid <grid>', 'such as fast=5..50:5,slow=20..200:10', values.word),
    points: optional('--points <file>', 'a JSON array of parameter objects', values.word),
    search: optional('--search <search>', `instead of all of a grid: ${SEARCHES.join(', ')}`, values.oneOf(...SEARCHES)),
    trials: defaulted('--trials <number>', 'columns of a search', values.wholeNumber({ least: 1, most: MOST_TRIALS }), '100'),
    symbols: required(
      '--symbols <symbols>',
      'one symbol, such as BTC/USDT; a portfolio of several where the engine sweeps',
      values.symbols,
    ),
    timeframe: required('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbol', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    capital: optional('--capital <amount>', 'cash at the start (default: that of the config)', values.money),
    fee: optional('--fee <ratio>', 'of notional, for every fill', values.number({ least: -0.01, most: 0.5 })),
    slippage: optional(
      '--slippage <ratio>',
      'of price; in kernels for entries and exits that are not stops',
      values.number({ least: 0, most: 0.5 }),
    ),
    stopSlippage: optional(
      '--stop-slippage <ratio>',
      'of price, for stops (default: that of the config; else --slippage, but 0 in kernels)',
      values.number({ least: 0, most: 0.5 }),
    ),
    fill: optional(
      '--fill <rule>',
      'next-open or close (default: close for rsi-stop, next-open for all others)',
      values.oneOf('next-open', 'close'),
    ),
    sizing: optional(
      '--sizing <rule>',
      'as of backtest; with a kernel all-in (its default), fraction=0.5, risk=0.01, fixed-fraction=0.5, fixed-risk=0.01, money=1000 or quantity=0.1',
      values.word,
    ),
    objective: defaulted(
      '--objective <metric>',
      'what is best: a name (profit-factor is profitFactor), or path of a file',
      values.word,
      'sharpe',
    ),
    maxDrawdown: optional(
      '--max-drawdown <ratio>',
      'part of its peak that a column may lose: one that loses more is stopped there, counted, and never the best',
      values.number({ least: 0, most: 1 }),
    ),
    workers: optional(
      '--workers <number>',
      'threads (default: one for each processor); the rows are the same for any number',
      values.wholeNumber({ least: 1, most: MOST_WORKERS }),
    ),
    noRisk: toggle('--no-risk', 'as of backtest; a kernel has no rules to leave out'),
    warmup: optional('--warmup <kind>', 'as of backtest: auto or none (default: auto; a kernel starts cold)', values.oneOf('auto', 'none')),
    seed: defaulted('--seed <number>', 'of everything random, the search too', values.seed, '1'),
    allowSpotShort: toggle('--allow-spot-short', 'as of backtest; a kernel is long or flat'),
  },
  examples: [
    'ballast sweep --strategy sma-cross --grid fast=5..50:5,slow=20..200:10 --symbols BTC/USDT --timeframe 1h --from 2021-07-01 --to 2023-07-01',
    'ballast sweep --strategy rsi-stop --points points.json --symbols BTC/USDT --timeframe 1h --fee 0.001 --slippage 0.0005 --objective calmar --json',
    'ballast sweep --strategy trend --search tpe --trials 200 --grid fast=4..48,slow=20..400,stopAtr=1..6 --symbols BTC/USDT --timeframe 1h --max-drawdown 0.4',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const { fromMs, toMs } = values.rangeOf(flags);
    const { sweep: runSweep } = await import('../../app/sweep/run-sweep.ts');
    const { sweepText } = await import('../../lab/sweep/sweep-text.ts');
    return longWork(terminal.stderr, 'sweep', async (onProgress, signal) => {
      const { document, objective, folder } = await runSweep({
        home,
        configFile,
        strategy: flags.strategy,
        grid: flags.grid,
        points: flags.points,
        search: flags.search,
        trials: flags.trials,
        symbols: flags.symbols,
        timeframeMs: flags.timeframe,
        venue: flags.venue,
        fromMs,
        toMs,
        capital: flags.capital,
        feeRate: flags.fee,
        slippageRatio: flags.slippage,
        stopSlippageRatio: flags.stopSlippage,
        fill: flags.fill,
        sizing: flags.sizing,
        objective: flags.objective,
        drawdownLimit: flags.maxDrawdown,
        workers: flags.workers ?? availableParallelism(),
        noRisk: flags.noRisk,
        warmup: flags.warmup,
        seed: flags.seed,
        allowSpotShort: flags.allowSpotShort,
        onProgress,
        signal,
      });
      return { exitCode: document.trials.failed > 0 ? 1 : 0, document, text: `${sweepText(document, objective)}\n\n${folder}` };
    });
  },
});
