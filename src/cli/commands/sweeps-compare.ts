import { BallastError } from '../../domain/errors.ts';
import { defaulted, defineCommand, done, optional } from '../definition.ts';
import * as values from '../values.ts';

const MOST_SHOWN = 1_000_000;

export const sweepsCompare = defineCommand({
  about: 'Sweeps side by side: what the parameters that all of them tried were worth in each, and whether the ranks of the first one hold.',
  details: [
    'Sweeps of two halves of the data, or of two symbols, say whether the best was more than luck: a rank correlation near 1 says that what was good in the first is good in the other, one near 0 that its best was luck.',
  ],
  words: [{ spec: '<sweeps...>', about: 'two or more: ids or beginnings of them, or paths of their folders' }],
  flags: {
    objective: optional('--objective <metric>', 'as of sweep (default: that of the first)', values.word),
    top: defaulted('--top <number>', 'rows', values.wholeNumber({ least: 1, most: MOST_SHOWN }), '20'),
  },
  examples: [
    'ballast sweeps compare sweep-trend-3f sweep-trend-a1',
    'ballast sweeps compare sma-cross-5 sma-cross-9 --objective calmar --json',
  ],
  async run({ flags, words }, { home }) {
    const { sweepNamed, yearsOf } = await import('../../app/sweep/stored-sweeps.ts');
    const { objectiveFrom } = await import('../../app/sweep/load-objective.ts');
    const { compareSweeps } = await import('../../lab/sweep/compare.ts');
    const { pointText } = await import('../../lab/sweep/strategy.ts');
    const { subjectText } = await import('../../lab/sweep/sweep-text.ts');
    const { fixed } = await import('../../domain/words.ts');
    const { plain, section, table } = await import('../../views/text.ts');
    const sweeps = words.map((name) => sweepNamed(home, name));
    const [first] = sweeps;
    if (first === undefined || sweeps.length < 2)
      throw values.argumentError('ballast sweeps compare', `${sweeps.length} sweep`, 'two or more');
    const name = flags.objective ?? first.objective;
    const objectives = await Promise.all(sweeps.map((sweep) => objectiveFrom(name, yearsOf(sweep))));
    const { rows, rankCorrelations } = compareSweeps(sweeps, objectives);
    if (rows.length === 0) {
      throw new BallastError({
        code: 'SWEEPS_APART',
        place: 'ballast sweeps compare',
        found: 'no parameters that all of them tried',
        expected: 'one at least',
      });
    }
    const title = `${rows.length} common combinations by ${objectives[0]?.name ?? name}, those with the best mean rank first`;
    const header = ['parameters', ...sweeps.flatMap((_, index) => [`${index + 1}`, 'rank'])];
    const cells = rows
      .slice(0, flags.top)
      .map(({ params, values: worth, ranks }) => [
        pointText(params),
        ...worth.flatMap((value, index) => [plain(value), String(ranks[index] ?? '')]),
      ]);
    const legend = sweeps.map(
      (sweep, index) => `  ${index + 1}  ${subjectText(sweep)}, ${sweep.from.slice(0, 10)} to ${sweep.to.slice(0, 10)}  ${sweep.runId}`,
    );
    const correlations = rankCorrelations.map((value, index) => `  1 and ${index + 2}: ${value === null ? 'N/A' : fixed(value, 2)}`);
    const text = [
      section('sweeps', legend.join('\n')),
      section(title, table(header, cells)),
      section('rank correlation', correlations.join('\n')),
    ].join('\n\n');
    return done(
      {
        sweeps: sweeps.map(({ runId }) => runId),
        objective: objectives[0]?.name ?? name,
        common: rows.length,
        rankCorrelations,
        rows: rows.slice(0, flags.top),
      },
      text,
    );
  },
});
