import type { ValidationDocument } from '../../app/validation.ts';
import { summaryOf } from '../../lab/validate/validation-verdict.ts';
import { defaulted, defineCommand, done } from '../definition.ts';
import { longWork } from '../long-work.ts';
import * as values from '../values.ts';

export const validate = defineCommand({
  about:
    'Whether the result of a finished backtest is worth believing: every test there is, and one verdict in plain words. Also written as validation.json in the folder of the run.',
  details: [
    'From its report: probabilistic and deflated Sharpe ratio, the track record and the years of data that it would take, and the Monte Carlo gate. The deflated Sharpe ratio (Bailey and López de Prado 2014) compares with the best of as many worthless trials as were ever run on one of its symbols at its venue: backtests, and every combination of sweeps and walk-forwards, as data/trials.jsonl has them; run again, a trial counts once. Returns are daily, or of a bar where that is longer.',
    'By running it again on its stored bars: at what fee the edge dies, what is left when every bar is known one, two and three bars late, neighbouring parameters, the same trades entered at random, and the kinds of market in which it gained. These reruns are read as one picture and are no trials; they take some seconds for years of hourly bars. docs/guides/validate.md says what each test asks.',
    'Several runs, or all, are one table with a sentence on how many of them have an edge; each has its own page in its folder. Findings are no failure: it exits 0.',
  ],
  words: [
    {
      spec: '<run...>',
      about: 'id of the run, path of its folder, or latest; several, or all that finished: a table and what it comes to',
    },
  ],
  flags: {
    seed: defaulted('--seed <number>', 'of everything that is drawn', values.seed, '1'),
    maxDrawdown: defaulted('--max-drawdown <ratio>', 'limit of the Monte Carlo gate', values.number({ least: 0, most: 1 }), '0.3'),
  },
  examples: ['ballast validate latest', 'ballast validate latest --max-drawdown 0.2 --json', 'ballast validate all'],
  async run({ flags, words: names }, { home, terminal }) {
    const { latestRun, runNamed } = await import('../../app/runs.ts');
    const { BallastError } = await import('../../domain/errors.ts');
    const { finishedBacktests, validateRun } = await import('../../app/validation.ts');
    const { validationText, validationsText } = await import('../validation-text.ts');
    const runIds = names.includes('all')
      ? finishedBacktests(home)
      : names.map((name) => (name === 'latest' ? (latestRun(home)?.runId ?? name) : name));
    if (runIds.length === 0) throw values.argumentError('<run...>', 'no backtest that finished under this home', 'one at least');
    // Before minutes of work: a name that is none is a mistake in the command.
    for (const runId of runIds) runNamed(home, runId);
    return longWork(terminal.stderr, 'validate', async (onProgress, signal) => {
      const documents: ValidationDocument[] = [];
      const leftOut: { readonly runId: string; readonly why: string }[] = [];
      for (const [index, runId] of runIds.entries()) {
        try {
          documents.push(
            await validateRun({
              home,
              runId,
              seed: flags.seed,
              drawdownLimit: flags.maxDrawdown,
              onProgress: (finished, total) => onProgress(index + finished / total, runIds.length),
              signal,
            }),
          );
        } catch (refusal) {
          // Of many, one that is too short or damaged says so and takes none of the others with it.
          if (runIds.length === 1 || !(refusal instanceof BallastError) || !refusal.code.startsWith('REPORT_')) throw refusal;
          leftOut.push({ runId, why: refusal.message });
        }
      }
      const [only] = documents;
      if (only !== undefined && runIds.length === 1) return done(only, validationText(only));
      const summary = summaryOf(documents.map(({ verdict }) => verdict));
      const left = leftOut.map(({ why }) => `left out: ${why}`);
      return done({ summary, runs: documents, leftOut }, [validationsText(documents), [...summary, ...left].join('\n')].join('\n\n'));
    });
  },
});
