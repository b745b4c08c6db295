// Kills of live sessions: `npm run soak -- --live --kills 500 --seed 1`.
import { parseArgs } from 'node:util';
import { soakLive } from './live.ts';

const { values } = parseArgs({
  options: { live: { type: 'boolean' }, kills: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
});
const found = await soakLive(Number(values.kills), Number(values.seed));
for (const each of found) console.log(`WRONG ${each}`);
process.exitCode = found.length === 0 ? 0 : 1;
