import { defineCommand } from '../definition.ts';
import { runFlag, say } from '../operator.ts';

export const flatten = defineCommand({
  about: 'Closes every position. The session goes on, and what was closed is not opened again before its opinion has changed.',
  flags: { run: runFlag },
  examples: ['ballast flatten'],
  run: ({ flags }, context) => say('flatten', '', flags.run, context),
});
