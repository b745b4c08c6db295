// The page of a validation: the verdict first, then what each test said, then the tables behind it.
import type { RerunFindings, ValidationDocument } from '../app/validation.ts';
import type { ParameterSurface } from '../lab/validate/parameter-surface.ts';
import type { TestOutcome } from '../lab/validate/validation-verdict.ts';
import { percent } from '../domain/words.ts';
import { orUnknown, plain, section, table } from '../views/text.ts';

export function validationText(document: ValidationDocument): string {
  const { verdict, rerun, notRerun, findings, strategy, symbols, timeframe, from, to } = document;
  return [
    `run ${document.runId}: ${strategy}  ${symbols.join(', ')}  ${timeframe}   ${from} to ${to}`,
    [verdict.headline, ...verdict.because.map((words) => `  ${words}`)].join('\n'),
    section('TESTS', table(['', 'test', 'what it says'], verdict.tests.map(testRow))),
    section('SHARPE RATIO', luckTable(document)),
    ...(rerun === null
      ? [`tests that run it again were left out: ${notRerun ?? ''}`]
      : [
          section('FEES', costTable(rerun)),
          section('BARS LATE', lagTable(rerun)),
          section('PARAMETERS', surfaceText(rerun)),
          section('KINDS OF MARKET (200-day mean, 30-day volatility, known the day before)', regimeTable(rerun)),
        ]),
    section('MONTE CARLO', drawdownTable(document)),
    section('WARNINGS', [...findings, ...(rerun?.warnings ?? [])].map((words) => `  ! ${words}`).join('\n')),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** A line a run. */
export function validationsText(documents: readonly ValidationDocument[]): string {
  const rows = documents.map(({ runId, strategy, symbols, timeframe, verdict, rerun, annualSharpe, deflatedSharpe }) => [
    strategy.replace(/^.*[\\/]/, ''),
    symbols.join(' '),
    timeframe,
    rerun === null ? '' : percent(rerun.metrics.totalReturn),
    orUnknown(rerun?.metrics.buyAndHoldReturn ?? null, percent),
    orUnknown(annualSharpe, plain),
    orUnknown(deflatedSharpe?.probability ?? null, percent),
    rerun === null ? '' : orUnknown(rerun.randomEntry?.pValue ?? null, percent),
    rerun === null || rerun.costs.breakEvenFeeRate === null ? '' : percent(rerun.costs.breakEvenFeeRate),
    verdict.headline,
    runId,
  ]);
  const header = ['strategy', 'symbols', 'bars', 'return', 'held', 'Sharpe', 'deflated', 'random', 'dies at', 'verdict', 'run'];
  return table(header, rows);
}

function testRow({ name, passes, words }: TestOutcome): string[] {
  return [passes === null ? '?' : passes ? 'ok' : 'NO', name, words];
}

function luckTable(document: ValidationDocument): string {
  const { deflatedSharpe, trials } = document;
  return table(
    [],
    [
      ['sample', `${document.returns} returns of ${document.period}, ${document.years.toFixed(1)} years`],
      [
        'Sharpe of a year',
        `${orUnknown(document.annualSharpe, plain)}, skewness ${orUnknown(document.skewness, plain)}, kurtosis ${orUnknown(document.kurtosis, plain)}`,
      ],
      ['probabilistic Sharpe', `${orUnknown(document.probabilisticSharpe, percent)} that it is above 0`],
      [
        'deflated Sharpe',
        `${deflatedSharpe === null ? 'N/A' : percent(deflatedSharpe.probability)} that it is above the best of ${Math.max(1, trials.count)} worthless trials`,
      ],
      ['track record needed', `${orUnknown(document.minimumTrackRecord, (value) => String(Math.ceil(value)))} returns`],
      ['data needed', `${plain(document.minimumBacktestYears)} years for so many trials`],
    ],
  );
}

function costTable({ costs }: RerunFindings): string {
  const rows = costs.points.map(({ feeRate, totalReturn, sharpe, trades }) => [
    `${percent(feeRate)}${feeRate === costs.feeRate ? ' (its own)' : ''}`,
    percent(totalReturn),
    orUnknown(sharpe, plain),
    String(trades),
  ]);
  const death =
    costs.breakEvenFeeRate === null
      ? 'the account grows at all of them'
      : costs.breakEvenFeeRate === 0
        ? 'the account grows at none of them'
        : `the edge dies at ${percent(costs.breakEvenFeeRate)}`;
  return `${table(['fee of a fill', 'return', 'Sharpe', 'trades'], rows)}\n  ${death}; without fees and slippage ${percent(costs.freeReturn)}`;
}

function lagTable({ lag }: RerunFindings): string {
  return table(
    ['late', 'return', 'Sharpe', 'trades'],
    lag.map(({ lagBars, totalReturn, sharpe, trades }) => [
      String(lagBars),
      percent(totalReturn),
      orUnknown(sharpe, plain),
      String(trades),
    ]),
  );
}

function surfaceText({ parameters }: RerunFindings): string {
  if (parameters === null) return '';
  const { surface, surfaceOf, overfitting, superiorAbility, realityCheck, runs } = parameters;
  return [
    surfaceTable(surface, surfaceOf),
    `  ${runs} runs of neighbouring parameters: Sharpe above 0 in ${percent(surface.positiveShare)}, in the middle ${orUnknown(surface.median, plain)}`,
    `  chance of overfitting when choosing among them (PBO) ${orUnknown(overfitting?.probability ?? null, percent)}; that their best is luck: SPA ${orUnknown(superiorAbility, percent)}, reality check ${orUnknown(realityCheck, percent)}`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Sharpe ratios over the two parameters of most influence, the others as in the run. */
export function surfaceTable({ axes, cells }: ParameterSurface, [down, across]: readonly string[]): string {
  const own = cells[0];
  const rows = axes.find(({ name }) => name === down)?.values ?? [];
  const columns = axes.find(({ name }) => name === across)?.values ?? [];
  if (own === undefined || down === undefined || across === undefined || rows.length * columns.length < 4) return '';
  const at = (one: number | boolean | string, other: number | boolean | string): string => {
    const wanted = { ...own.params, [down]: one, [across]: other };
    const cell = cells.find(({ params }) => Object.entries(wanted).every(([name, value]) => params[name] === value));
    return cell === undefined ? '' : orUnknown(cell.value, plain);
  };
  return table(
    [`${down} \\ ${across}`, ...columns.map(String)],
    rows.map((one) => [String(one), ...columns.map((other) => at(one, other))]),
  );
}

function regimeTable({ regimes }: RerunFindings): string {
  return table(
    ['market', 'days', 'return', 'held', 'Sharpe', 'drawdown'],
    regimes.map(({ name, days, returnRatio, holdReturn, sharpe, maxDrawdown }) => [
      name,
      String(days),
      percent(returnRatio),
      percent(holdReturn),
      orUnknown(sharpe, plain),
      percent(maxDrawdown),
    ]),
  );
}

function drawdownTable({ monteCarlo }: ValidationDocument): string {
  const { stationaryBootstrap, tradeShuffle, observed, gate, paths } = monteCarlo;
  const row = (
    of: string,
    { p5, p50, p95 }: { readonly p5: number; readonly p50: number; readonly p95: number },
    seen: string,
  ): string[] => [of, percent(p5), percent(p50), percent(p95), seen];
  const rows = [
    row('drawdown, blocks of days', stationaryBootstrap.maxDrawdown, percent(observed.maxDrawdown)),
    ...(tradeShuffle === null ? [] : [row('drawdown, trips shuffled', tradeShuffle.maxDrawdown, '')]),
  ];
  return [
    table([`${paths} paths`, '5 %', '50 %', '95 %', 'the run'], rows),
    `  ${percent(stationaryBootstrap.lossProbability)} of the paths lose; gate ${gate.passes ? 'passed' : 'NOT passed'}: ${percent(gate.drawdown95)}, limit ${percent(gate.limit)}`,
  ].join('\n');
}
