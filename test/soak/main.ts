// The soak: `npm run soak -- --kills 500` kills real processes, `npm run soak -- --seeds 100000` goes through simulated cases.
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seeds: { type: 'string' } }, strict: false });
if (values.seeds === undefined) await import('./kills.ts');
else await import('./seeds.ts');
