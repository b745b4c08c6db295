import { defineCommand } from '../definition.ts';
import { runFlag, say } from '../operator.ts';

export const halt = defineCommand({
  about: 'Stops all trading and closes everything, at once. Latched: nothing opens until resume, also over a restart.',
  flags: { run: runFlag },
  examples: ['ballast halt'],
  run: ({ flags }, context) => say('halt', '', flags.run, context),
});
