import { defineCommand } from '../definition.ts';
import { haltSessions, runOrAllFlag } from '../operator.ts';

export const halt = defineCommand({
  about: 'Stops all trading and closes everything, at once. Latched: nothing opens until resume, also over a restart.',
  details: [
    'With several sessions running under this home, all of them are halted unless --run names one; status, resume, flatten and close refuse until --run names one.',
    'With --json: a list, one element a session. Exits 1 when a session did not hear it; the others have.',
  ],
  flags: { run: runOrAllFlag },
  examples: ['ballast halt', 'ballast halt --run paper-20260101-120000'],
  run: ({ flags }, context) => haltSessions(flags.run, context),
});
