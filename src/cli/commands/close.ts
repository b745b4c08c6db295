import { defineCommand } from '../definition.ts';
import { runFlag, say } from '../operator.ts';

export const close = defineCommand({
  about: 'Closes the position of one sleeve. The session goes on.',
  words: [{ spec: '<sleeve>', about: 'name of the sleeve; ballast status lists those with a position' }],
  flags: { run: runFlag },
  examples: ['ballast close "trend BTC/USDT:USDT"'],
  run: ({ flags, words: [sleeve = ''] }, context) => say('close', sleeve, flags.run, context),
});
