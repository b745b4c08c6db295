import { defaulted, defineCommand, done, optional } from '../definition.ts';
import * as values from '../values.ts';

const MOST_SHOWN = 1_000_000;

export const sweepsShow = defineCommand({
  about: 'The best rows of a finished sweep, by its own objective or another, of those that conditions leave.',
  details: [
    'A condition is a figure or a parameter with >, >=, <, <=, = or !=, and commas between conditions: trades>=30,maxDrawdown<0.3,slow=50. Looking is free: nothing is run, and no trial is added.',
  ],
  words: [{ spec: '<sweep>', about: 'id of the sweep or a beginning of it, or path of its folder' }],
  flags: {
    where: optional('--where <conditions>', 'such as trades>=30,maxDrawdown<0.3', values.word),
    objective: optional('--objective <metric>', 'as of sweep (default: that of the sweep)', values.word),
    top: defaulted('--top <number>', 'rows', values.wholeNumber({ least: 1, most: MOST_SHOWN }), '20'),
  },
  examples: [
    'ballast sweeps show sweep-trend-3f --where trades>=30,maxDrawdown<0.2',
    'ballast sweeps show sma-cross --objective calmar --top 5 --json',
  ],
  async run({ flags, words: [name = ''] }, { home }) {
    const { sweepNamed, yearsOf } = await import('../../app/sweep/stored-sweeps.ts');
    const { objectiveFrom } = await import('../../app/sweep/load-objective.ts');
    const { rowFilter } = await import('../../lab/sweep/filter.ts');
    const { ranked } = await import('../../lab/sweep/objective.ts');
    const { rowsTable, subjectText } = await import('../../lab/sweep/sweep-text.ts');
    const { section } = await import('../../views/text.ts');
    const sweep = sweepNamed(home, name);
    const objective = await objectiveFrom(flags.objective ?? sweep.objective, yearsOf(sweep));
    const left = flags.where === undefined ? sweep.rows : sweep.rows.filter(rowFilter(flags.where, '--where'));
    const found = ranked(left, objective);
    const rows = found.slice(0, flags.top);
    const title = `${subjectText(sweep)}: the best ${rows.length} of ${found.length} by ${objective.name}${flags.where === undefined ? '' : ` where ${flags.where}`}, ${sweep.rows.length} were tried`;
    const text = rows.length === 0 ? title : section(title, rowsTable(rows, objective));
    return done({ runId: sweep.runId, objective: objective.name, tried: sweep.rows.length, found: found.length, rows }, text);
  },
});
