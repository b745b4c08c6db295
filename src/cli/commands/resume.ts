import { defineCommand } from '../definition.ts';
import { runFlag, say } from '../operator.ts';

export const resume = defineCommand({
  about: 'Releases a halt, and trading goes on.',
  flags: { run: runFlag },
  examples: ['ballast resume'],
  run: ({ flags }, context) => say('resume', '', flags.run, context),
});
