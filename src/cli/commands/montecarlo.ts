import { percent } from '../../domain/words.ts';
import type { MonteCarloDocument } from '../../app/monte-carlo.ts';
import type { Percentiles } from '../../lab/validate/monte-carlo.ts';
import { money, plain, table } from '../../views/text.ts';
import { defaulted, defineCommand, done } from '../definition.ts';
import * as values from '../values.ts';

export const montecarlo = defineCommand({
  about: 'Other histories that the returns of a finished backtest could have made: percentiles of final equity, drawdown and Sharpe ratio.',
  details: [
    'Daily returns of its report are drawn in blocks (stationary bootstrap: of random length; circular: of one length), so that what hangs together stays together; the length is chosen by Politis and White (2004). Beside it the round trips in another order, which understates drawdowns wherever losses cluster. Curves of more than 8,192 bars are thinned in the report, so that its days may end a few bars early.',
    'The gate is the 95th percentile of the drawdown under the stationary bootstrap. Not to pass it is a finding, no failure: it exits 0.',
  ],
  words: [{ spec: '<run>', about: 'id of the run, path of its folder, or latest' }],
  flags: {
    paths: defaulted('--paths <number>', 'how many histories', values.wholeNumber({ least: 100, most: 1_000_000 }), '1000'),
    seed: defaulted('--seed <number>', 'of the draws', values.seed, '1'),
    maxDrawdown: defaulted('--max-drawdown <ratio>', 'limit of the gate', values.number({ least: 0, most: 1 }), '0.3'),
  },
  examples: ['ballast montecarlo latest', 'ballast montecarlo latest --paths 10000 --max-drawdown 0.2 --json'],
  async run({ flags, words: [name = ''] }, { home }) {
    const { monteCarloOfRun } = await import('../../app/monte-carlo.ts');
    const { latestRun } = await import('../../app/runs.ts');
    const runId = name === 'latest' ? (latestRun(home)?.runId ?? name) : name;
    const document = monteCarloOfRun({ home, runId, paths: flags.paths, seed: flags.seed, drawdownLimit: flags.maxDrawdown });
    return done(document, textOf(document));
  },
});

function textOf(document: MonteCarloDocument): string {
  const { observed, stationaryBootstrap, circularBlockBootstrap, tradeShuffle, blockLengths, gate } = document;
  const row = (
    of: string,
    { p5, p25, p50, p75, p95 }: Percentiles,
    words: (value: number) => string,
    seen: number | undefined,
  ): string[] => [of, ...[p5, p25, p50, p75, p95].map(words), seen === undefined ? '' : words(seen)];
  const rows = [
    row('final equity, stationary', stationaryBootstrap.finalEquity, money, observed.finalEquity),
    row('final equity, circular', circularBlockBootstrap.finalEquity, money, observed.finalEquity),
    row('drawdown, stationary', stationaryBootstrap.maxDrawdown, percent, observed.maxDrawdown),
    row('drawdown, circular', circularBlockBootstrap.maxDrawdown, percent, observed.maxDrawdown),
    ...(tradeShuffle === null ? [] : [row('drawdown, trips shuffled', tradeShuffle.maxDrawdown, percent, undefined)]),
    row('Sharpe, stationary', stationaryBootstrap.sharpe, plain, observed.sharpe),
    row('Sharpe, circular', circularBlockBootstrap.sharpe, plain, observed.sharpe),
  ];
  return [
    `run ${document.runId}: ${document.paths} paths of ${document.returns} returns of ${document.period}, seed ${document.seed}`,
    `blocks of ${plain(blockLengths.stationary)} on average (stationary), of ${Math.ceil(blockLengths.circular)} (circular)`,
    '',
    table(['percentile', '5', '25', '50', '75', '95', 'the run'], rows),
    '',
    `${percent(stationaryBootstrap.lossProbability)} of the paths lose (stationary)`,
    `gate ${gate.passes ? 'passed' : 'NOT passed'}: 95th-percentile drawdown ${percent(gate.drawdown95)}, limit ${percent(gate.limit)}`,
    ...(tradeShuffle === null ? ['too few round trips to shuffle: at least 30'] : []),
  ].join('\n');
}
