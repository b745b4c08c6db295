import { percent } from '../../domain/words.ts';
import type { ValidationDocument } from '../../app/trials.ts';
import { orUnknown, plain } from '../../views/text.ts';
import { defineCommand, done } from '../definition.ts';

export const validate = defineCommand({
  about:
    'Whether the result of a finished backtest is more than luck: probabilistic and deflated Sharpe ratio, and how much data it would take.',
  details: [
    'Every backtest that finishes and every combination that ballast sweep tries is kept in data/trials.jsonl, once each. The deflated Sharpe ratio (Bailey and López de Prado 2014) compares with the best of as many worthless trials as were ever run on one of its symbols at its venue; run again, a trial counts once. Returns are daily, or of a bar where that is longer.',
    'Findings are no failure: it exits 0.',
  ],
  words: [{ spec: '<run>', about: 'id of the run, path of its folder, or latest' }],
  flags: {},
  examples: ['ballast validate latest', 'ballast validate latest --json'],
  async run({ words: [name = ''] }, { home }) {
    const { validateRun } = await import('../../app/trials.ts');
    const { latestRun } = await import('../../app/runs.ts');
    const document = validateRun(home, name === 'latest' ? (latestRun(home)?.runId ?? name) : name);
    return done(document, textOf(document));
  },
});

function textOf(document: ValidationDocument): string {
  const { deflatedSharpe, trials, findings } = document;
  const deflated = deflatedSharpe === null ? 'N/A' : percent(deflatedSharpe.probability);
  return [
    `run ${document.runId}: ${document.returns} returns of ${document.period}, ${document.years.toFixed(1)} years`,
    `  Sharpe of a year        ${orUnknown(document.annualSharpe, plain)}, skewness ${orUnknown(document.skewness, plain)}, kurtosis ${orUnknown(document.kurtosis, plain)}`,
    `  probabilistic Sharpe    ${orUnknown(document.probabilisticSharpe, percent)} that it is above 0`,
    `  deflated Sharpe         ${deflated} that it is above the best of ${Math.max(1, trials.count)} worthless trials, those of sweeps included`,
    `  track record needed     ${orUnknown(document.minimumTrackRecord, (value) => String(Math.ceil(value)))} returns`,
    `  data needed             ${plain(document.minimumBacktestYears)} years for so many trials`,
    ...(findings.length === 0 ? ['nothing found against it'] : findings.map((finding) => `- ${finding}`)),
  ].join('\n');
}
