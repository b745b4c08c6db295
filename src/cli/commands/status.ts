import { defineCommand, done } from '../definition.ts';
import { askStatus, runFlag } from '../operator.ts';
import { statusText } from '../session-frame.ts';

export const status = defineCommand({
  about: 'What a running session holds and does. Exits 1 when none is running.',
  flags: { run: runFlag },
  examples: ['ballast status', 'ballast status --json'],
  async run({ flags }, { home }) {
    const answer = await askStatus(home, flags.run);
    return done(answer, statusText(answer));
  },
});
