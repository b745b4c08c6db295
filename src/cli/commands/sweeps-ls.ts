import type { StoredSweep } from '../../app/sweep/stored-sweeps.ts';
import { pointText } from '../../lab/sweep/strategy.ts';
import { plain, table } from '../../views/text.ts';
import { defineCommand, done, optional } from '../definition.ts';
import * as values from '../values.ts';

export const sweepsLs = defineCommand({
  about:
    'Lists the sweeps under runs/: finished ones with their best, and those that were interrupted, which the same command goes on with.',
  flags: {
    strategy: optional('--strategy <name>', 'only of this strategy', values.word),
    symbols: optional('--symbols <symbols>', 'only those on one of these', values.symbols),
  },
  examples: ['ballast sweeps ls', 'ballast sweeps ls --strategy trend --json'],
  async run({ flags }, { home }) {
    const { listSweeps } = await import('../../app/sweep/stored-sweeps.ts');
    const all = listSweeps(home);
    const isMeant = (sweep: StoredSweep): boolean => {
      if (sweep.state !== 'finished') return flags.strategy === undefined && flags.symbols === undefined;
      const { strategy, symbols } = sweep.document;
      return (flags.strategy ?? strategy) === strategy && (flags.symbols?.some((symbol) => symbols.includes(symbol)) ?? true);
    };
    const meant = all.filter(isMeant);
    const document = meant.map(listed);
    if (document.length === 0) return done(document, all.length === 0 ? 'no sweeps yet: ballast sweep runs one' : 'no sweep of these');
    const cells = meant.map((sweep) => {
      if (sweep.state !== 'finished') return [sweep.runId, sweep.state];
      const { runId, symbols, timeframe, from, to, search, trials, objective, best } = sweep.document;
      const range = `${from.slice(0, 10)} ${to.slice(0, 10)}`;
      const worth = best === null ? ['N/A', ''] : [plain(best.value), pointText(best.params)];
      return [runId, symbols.join(' '), timeframe, range, search.name, String(trials.tried), objective, ...worth];
    });
    return done(document, table(['sweep', 'symbols', 'bars', 'from, to', 'search', 'tried', 'objective', 'value', 'best'], cells));
  },
});

function listed(sweep: StoredSweep): unknown {
  if (sweep.state === 'damaged') return { runId: sweep.runId, state: sweep.state, failure: sweep.failure.message };
  if (sweep.state !== 'finished') return { runId: sweep.runId, state: sweep.state };
  const { rows: _, ...rest } = sweep.document;
  return { state: sweep.state, ...rest };
}
