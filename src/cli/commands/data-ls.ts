import { formatSpan, formatTime } from '../../domain/time.ts';
import { defineCommand, done } from '../definition.ts';
import { table } from '../terminal.ts';

export const dataLs = defineCommand({
  about: 'Lists the stored bars: whose, which, from when to when, how many, and how many are missing between the first and the last.',
  flags: {},
  examples: ['ballast data ls', 'ballast data ls --json'],
  async run(_, { home }) {
    const { openStore } = await import('../../market/history/store.ts');
    const store = await openStore(home);
    try {
      const document = (await store.list()).map(({ venue, symbol, timeframeMs, fromMs, toMs, rows }) => ({
        venue,
        symbol,
        timeframe: formatSpan(timeframeMs),
        from: formatTime(fromMs),
        to: formatTime(toMs),
        rows,
        missingBars: Math.round((toMs - fromMs) / timeframeMs) - rows,
      }));
      if (document.length === 0) return done(document, `no bars under ${store.root}; import some: ballast data import FILE …`);
      const rows = document.map((each) => [
        each.venue,
        each.symbol,
        each.timeframe,
        each.from,
        each.to,
        String(each.rows),
        String(each.missingBars),
      ]);
      return done(document, table(['venue', 'symbol', 'bars', 'from', 'to', 'rows', 'missing'], rows, [5, 6]));
    } finally {
      await store.close();
    }
  },
});
