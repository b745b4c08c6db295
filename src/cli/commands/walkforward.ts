import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { WalkForwardDocument } from '../../app/walk-forward.ts';
import { pointText } from '../../lab/sweep/strategy.ts';
import { METRIC_OBJECTIVES } from '../../lab/sweep/objective.ts';
import { percent, reasonOf } from '../../domain/words.ts';
import { orUnknown, plain, section, table } from '../../views/text.ts';
import { defaulted, defineCommand, done, optional, required, toggle } from '../definition.ts';
import { longWork } from '../long-work.ts';
import * as values from '../values.ts';

const MOST_FOLDS = 1_000;
const MOST_WORKERS = 64;

export const walkforward = defineCommand({
  about:
    'Chooses parameters on one window of stored bars, trades them on the next, and goes on: what is left of the best once it has to be chosen beforehand.',
  details: [
    'sma-cross and rsi-stop are tried by the kernels of ballast sweep (long or flat, all in, fills at the next open, without the rules of a session); every other strategy, yours too, by the engine with its rules, one run for each combination and window. A grid is written as for ballast sweep; --params sets what the grid leaves alone.',
    'Windows move forward by one test; with --anchored every one begins with the first bar. Nothing of a test reaches its window: the window sees its own bars (and, in the engine, those before it, to warm up), its last bar is purged because its decision fills in the test, and --embargo leaves out more. A test begins flat, with indicators that are warm, and enters on its first own decision; what it holds at its end is marked there.',
    'Then all combinations over all bars: probability of overfitting (CSCV), SPA and reality check, deflated Sharpe ratio of the best, combinatorial purged cross-validation, and the surface of the objective. Every combination counts as a trial for ballast validate. walkforward.json in the folder is the document of --json.',
  ],
  flags: {
    strategy: required('--strategy <name>', 'sma-cross, rsi-stop, or any of ballast strategies, or the path of a file', values.word),
    grid: optional('--grid <grid>', 'such as fast=5..50:5,slow=20..200:10', values.word),
    points: optional('--points <file>', 'a JSON array of parameter objects', values.word),
    params: optional('--params <parameters>', 'what the grid does not set, for strategies that the engine runs', values.word),
    symbols: required('--symbols <symbol>', 'one symbol, such as BTC/USDT', values.symbol),
    timeframe: required('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has the symbol', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    folds: defaulted('--folds <number>', 'how many tests', values.wholeNumber({ least: 1, most: MOST_FOLDS }), '10'),
    train: defaulted('--train <tests>', 'length of the first window, in tests', values.number({ least: 0.1, most: MOST_FOLDS }), '4'),
    anchored: toggle('--anchored', 'every window begins with the first bar'),
    embargo: defaulted('--embargo <bars>', 'between a window and its test', values.wholeNumber({ least: 0, most: 1_000_000 }), '24'),
    objective: defaulted(
      '--objective <metric>',
      `what is best: ${METRIC_OBJECTIVES.join(', ')}`,
      values.oneOf(...METRIC_OBJECTIVES),
      'sharpe',
    ),
    capital: optional('--capital <amount>', 'cash at the start (default: that of the config)', values.money),
    fee: optional('--fee <ratio>', 'of notional, for every fill', values.number({ least: -0.01, most: 0.5 })),
    slippage: optional('--slippage <ratio>', 'of price, for market orders and stops', values.number({ least: 0, most: 0.5 })),
    sizing: optional(
      '--sizing <rule>',
      'in the engine, as of backtest: risk, fixed, volatility, kelly or all-in',
      values.oneOf('risk', 'fixed', 'volatility', 'kelly', 'all-in'),
    ),
    noRisk: toggle('--no-risk', 'in the engine, as of backtest: without the rules that clamp and halt'),
    workers: optional(
      '--workers <number>',
      'threads of the kernels (default: one for each processor); the rows are the same for any number',
      values.wholeNumber({ least: 1, most: MOST_WORKERS }),
    ),
  },
  examples: [
    'ballast walkforward --strategy sma-cross --grid fast=5..50:5,slow=20..200:20 --symbols BTC/USDT --timeframe 1h',
    'ballast walkforward --strategy trend --grid fast=8|12|16,slow=36|48|72 --symbols BTC/USDT --timeframe 1h --folds 5 --anchored --json',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const { fromMs, toMs } = values.rangeOf(flags);
    const { runWalkForward } = await import('../../app/walk-forward.ts');
    return longWork(terminal.stderr, 'walkforward', async (onProgress, signal) => {
      const document = await runWalkForward({
        home,
        configFile,
        strategy: flags.strategy,
        grid: flags.grid,
        points: flags.points === undefined ? undefined : { text: textOfFile(flags.points), place: `--points ${flags.points}` },
        parameters: flags.params,
        symbol: flags.symbols,
        timeframeMs: flags.timeframe,
        venue: flags.venue,
        fromMs,
        toMs,
        capital: flags.capital,
        feeRate: flags.fee,
        slippageRatio: flags.slippage,
        sizing: flags.sizing,
        noRisk: flags.noRisk,
        warmup: 'auto',
        seed: 1,
        allowSpotShort: false,
        folds: flags.folds,
        trainTests: flags.train,
        isAnchored: flags.anchored,
        embargoBars: flags.embargo,
        objective: flags.objective,
        workers: flags.workers ?? availableParallelism(),
        onProgress,
        signal,
      });
      return done(document, textOf(document));
    });
  },
});

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw values.argumentError('--points', reasonOf(cause), 'a file that can be read');
  }
}

function textOf(document: WalkForwardDocument): string {
  const { folds, outOfSample, whole, objective, combinations, windows, verdict } = document;
  const title = `${document.strategy} on ${document.symbol} ${document.timeframe}, ${document.from} to ${document.to}: ${folds.length} ${windows.isAnchored ? 'anchored' : 'rolling'} windows, ${combinations.tried} combinations each, by the ${document.triedBy}, fee ${percent(document.feeRate)}, slippage ${percent(document.slippageRatio)}`;
  const rows = folds.map(({ train, test, chosen, inSample, outOfSample: tested, holdReturn }) => [
    train.from.slice(0, 10),
    test.from.slice(0, 10),
    test.to.slice(0, 10),
    chosen === null ? 'nothing' : pointText(chosen),
    orUnknown(inSample?.[objective] ?? null, plain),
    orUnknown(tested?.[objective] ?? null, plain),
    percent(tested?.totalReturn ?? 0),
    percent(holdReturn),
    percent(tested?.maxDrawdown ?? 0),
    String(tested?.trades ?? 0),
  ]);
  const header = ['window from', 'test from', 'to', 'chosen', `${objective} in`, 'out', 'return', 'held', 'drawdown', 'trades'];
  return [
    title,
    verdict.map((words, index) => (index === 0 ? words : `  ${words}`)).join('\n'),
    table(header, rows),
    table(
      [],
      [
        [
          'out of sample',
          `${percent(outOfSample.totalReturn)}, Sharpe ${orUnknown(outOfSample.sharpe, plain)}, drawdown ${percent(outOfSample.maxDrawdown)} between closes of days, ${outOfSample.trades} trades`,
        ],
        [
          'best with hindsight',
          whole.best === null
            ? 'none'
            : `${pointText(whole.best.params)}: ${percent(whole.best.metrics.totalReturn)}, ${objective} ${orUnknown(whole.best.metrics[objective], plain)}`,
        ],
        [
          'all combinations',
          `${objective} above 0 in ${percent(whole.surface.positiveShare)}, in the middle ${orUnknown(whole.surface.median, plain)}`,
        ],
        ['left out', `${combinations.leftOut} combinations that the strategy rules out`],
      ],
    ),
    section('SURFACE', surfaceOf(document)),
    document.runId,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Of two parameters, where there are two and no more than a screen of them. */
function surfaceOf({ whole: { surface } }: WalkForwardDocument): string {
  const [down, across, more] = surface.axes;
  if (down === undefined || across === undefined || more !== undefined || across.values.length > MOST_COLUMNS) return '';
  return table(
    [`${down.name} \\ ${across.name}`, ...across.values.map(String)],
    down.values.map((one) => [
      String(one),
      ...across.values.map((other) => {
        const cell = surface.cells.find(({ params }) => params[down.name] === one && params[across.name] === other);
        return cell === undefined ? '' : orUnknown(cell.value, plain);
      }),
    ]),
  );
}

const MOST_COLUMNS = 14;
