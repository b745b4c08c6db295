import { defaulted, defineCommand, done, optional, required, toggle } from '../definition.ts';
import { longWork } from '../long-work.ts';
import * as values from '../values.ts';

export const backtest = defineCommand({
  about: 'Runs a strategy on stored bars with the engine, the rules and the fills of every other session, and writes a report.',
  details: [
    'One strategy, symbols and one timeframe are one run with its report. Several strategies, all symbols or several timeframes are a run of each, one after the other, and a table of them; each has its own folder.',
    'With --books orders take the stored book level by level, and resting ones stand in its queue by venue.queueModel of the config (docs/reference/simulated-venue.md). The report says how much of the range had no book. What would run such a run again on bars refuses it.',
    'From is inclusive, to exclusive, on the open time of bars, UTC; left out, the stored bars have their own ends. The document of --json is also report.json in the folder of the run.',
  ],
  flags: {
    strategy: required(
      '--strategy <names>',
      'name of a strategy, or path of a file with one of your own; several: a run of each',
      values.list,
    ),
    symbols: required(
      '--symbols <symbols>',
      'one portfolio of them, such as BTC/USDT,ETH/USDT; all: a run of each stored series',
      values.orAll(values.symbols),
    ),
    pairs: optional(
      '--pairs <pairs>',
      'for a strategy with several legs, subjects among the symbols: BTC/USDT+ETH/USDT,LTC/USDT+DOGE/USDT (default: all of them in one)',
      values.pairs,
    ),
    timeframe: required(
      '--timeframe <spans>',
      'length of the bars: 1m, 15m, 1h, 1d; several or all: a run of each',
      values.orAll(values.timeframes),
    ),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbol', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    params: optional(
      '--params <parameters>',
      'name=value,… or a JSON file, best.json of a sweep too; ballast strategies lists them',
      values.word,
    ),
    capital: optional('--capital <amount>', 'cash at the start (default: that of the config)', values.money),
    fee: optional('--fee <ratio>', 'of notional, for every fill', values.number({ least: -0.01, most: 0.5 })),
    slippage: optional('--slippage <ratio>', 'of price, for market orders and stops', values.number({ least: 0, most: 0.5 })),
    stopSlippage: optional('--stop-slippage <ratio>', 'the same for stops alone', values.number({ least: 0, most: 0.5 })),
    fill: optional(
      '--fill <rule>',
      'where a market order fills: next-open, or close for the one it was decided on (default: that of the config)',
      values.oneOf('next-open', 'close'),
    ),
    sizing: optional(
      '--sizing <rule>',
      'how much a fresh opinion asks for: risk, fixed, volatility, kelly, or all-in: the cash there is where it fills, on one spot symbol',
      values.oneOf('risk', 'fixed', 'volatility', 'kelly', 'all-in'),
    ),
    noRisk: toggle(
      '--no-risk',
      'without rules that clamp and halt, disaster stop, or an end to what is silent: research only, printed in the report',
    ),
    warmup: defaulted(
      '--warmup <kind>',
      'auto forms features from bars before --from; none starts cold',
      values.oneOf('auto', 'none'),
      'auto',
    ),
    seed: defaulted('--seed <number>', 'of everything random', values.seed, '1'),
    allowSpotShort: toggle('--allow-spot-short', 'short positions on spot: research only, printed in the report'),
    books: toggle('--books', 'orders match against the stored books and trades of the symbols, and not against their bars'),
  },
  examples: [
    'ballast backtest --strategy trend --symbols BTC/USDT --timeframe 1h --from 2021-01-01 --to 2023-01-01',
    'ballast backtest --strategy mean-reversion --symbols BTC/USDT --timeframe 1s --books',
    'ballast backtest --strategy trend,mean-reversion --symbols all --timeframe all',
    'ballast backtest --strategy sma-cross --params fast=10,slow=50 --symbols BTC/USDT --timeframe 1h --sizing all-in --no-risk --warmup none',
    'ballast backtest --strategy ./my-strategy.ts --params fast=10,slow=40 --symbols BTC/USDT,ETH/USDT --timeframe 1h --timerange 20210101-20230101 --json',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const { fromMs, toMs } = values.rangeOf(flags);
    return longWork(terminal.stderr, 'backtest', async (onProgress, signal) => {
      const common = {
        home,
        configFile,
        parameters: flags.params,
        venue: flags.venue,
        pairs: flags.pairs,
        fromMs,
        toMs,
        capital: flags.capital,
        feeRate: flags.fee,
        slippageRatio: flags.slippage,
        stopSlippageRatio: flags.stopSlippage,
        fill: flags.fill,
        sizing: flags.sizing,
        noRisk: flags.noRisk,
        warmup: flags.warmup,
        seed: flags.seed,
        allowSpotShort: flags.allowSpotShort,
        books: flags.books,
        onBooks: (finished: number, total: number) => onProgress(finished, total, 'books'),
        onProgress,
        signal,
      };
      const { strategy: strategies, symbols, timeframe: timeframesMs } = flags;
      const [strategy, ...otherStrategies] = strategies;
      const [timeframeMs, ...otherTimeframes] = timeframesMs ?? [];
      const isOne = otherStrategies.length === 0 && otherTimeframes.length === 0 && symbols !== undefined;
      if (isOne && strategy !== undefined && timeframeMs !== undefined) {
        const { runBacktest } = await import('../../app/backtest.ts');
        const { reportText } = await import('../../views/report.ts');
        const document = await runBacktest({ ...common, strategy, symbols, timeframeMs });
        return done(document, reportText(document));
      }
      if (otherStrategies.length > 0 && flags.params !== undefined) {
        throw values.argumentError('--params', `parameters for ${strategies.length} strategies`, 'one strategy, or the defaults of each');
      }
      const { runBacktests } = await import('../../app/backtests.ts');
      const { trialsText } = await import('../../views/trials.ts');
      const { rows: runs, total, isStopped } = await runBacktests({ ...common, strategies, symbols, timeframesMs });
      const failed = runs.filter((run) => run.failure !== undefined).length;
      const table = runs.length > 0 ? [trialsText(runs)] : [];
      return {
        exitCode: isStopped || failed > 0 ? 1 : 0,
        document: { runs, finished: runs.length - failed, failed, total, stopped: isStopped },
        text: [...table, ...(isStopped ? [`stopped: ${runs.length} of ${total} done`] : [])].join('\n\n'),
      };
    });
  },
});
