// A strategy of somebody's own, in a module of its own, which throws for some parameters.
import { z } from 'zod';
import { UNPROTECTED } from './account.ts';
import { smaColumn } from './indicator-columns.ts';
import { ENTER_LONG, EXIT_LONG } from './simulator.ts';
import { defineSweepStrategy } from './strategy.ts';

const touchy = defineSweepStrategy({
  name: 'touchy',
  about: 'long above the mean, and superstitious',
  parameters: z.strictObject({ window: z.int().min(1) }),
  fill: 'close',
  constraint: 'none',
  meets: () => true,
  column({ window }) {
    const mean = smaColumn(window);
    return {
      indicators: [
        {
          key: mean.key,
          compute(bars, into) {
            if (window === 17) throw new Error('seventeen has no mean');
            mean.compute(bars, into);
          },
        },
      ],
      protection: UNPROTECTED,
      mark({ close }, [column], flags) {
        if (window === 13) throw new Error('thirteen is unlucky');
        for (let bar = 0; bar < flags.length; bar++) flags[bar] = (close[bar] ?? NaN) > (column?.[bar] ?? NaN) ? ENTER_LONG : EXIT_LONG;
      },
    };
  },
});

// oxlint-disable-next-line import/no-default-export -- a strategy's module is known by it
export default touchy;
