// The soak: `npm run soak -- --kills 500` kills real processes, `npm run soak -- --live --kills 500` live sessions at a venue with faults, and
// `npm run soak -- --seeds 100000` goes through simulated cases.
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seeds: { type: 'string' }, live: { type: 'boolean' } }, strict: false });
if (values.seeds !== undefined) await import('./seeds.ts');
else if (values.live === true) await import('./live-kills.ts');
else await import('./kills.ts');
