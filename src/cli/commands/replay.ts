import { defineCommand } from '../definition.ts';
import type { ReplayResult } from '../../app/replay.ts';
import { Progress } from '../progress.ts';

export const replay = defineCommand({
  about: 'Runs the journal and the tape of a run through the same engine again and compares every decision and the state hash.',
  details: ['Exits 1 when something is said differently, and names the first event where.'],
  words: [{ spec: '<run>', about: 'id of the run, path of its folder, or latest' }],
  flags: {},
  examples: ['ballast replay latest', 'ballast replay paper-20261120-181500 --json'],
  async run({ words: [name = ''] }, { home, terminal }) {
    const { replayRun } = await import('../../app/replay.ts');
    const { latestRun } = await import('../../app/runs.ts');
    const runId = name === 'latest' ? (latestRun(home)?.runId ?? name) : name;
    const progress = new Progress(terminal.stderr, 'replay');
    try {
      const result = await replayRun({ home, runId, onProgress: (events) => progress.count(events, 'events') });
      progress.end();
      const lines = [
        `run ${result.runId}: ${result.matches ? `the same${upTo(result)}` : 'NOT the same'}`,
        `events ${result.events}, decisions ${result.decisions}, orders ${result.orders}`,
        `state hash ${result.stateHash}`,
      ];
      if (result.recordedStateHash !== undefined && result.recordedStateHash !== result.stateHash)
        lines.push(`recorded   ${result.recordedStateHash}`);
      if (result.mismatch !== undefined) lines.push(result.mismatch);
      return { exitCode: result.matches ? 0 : 1, document: result, text: lines.join('\n') };
    } finally {
      progress.end();
    }
  },
});

/** Of a run that did not come to its end, how far its recording goes: nothing is proved of what would have come after it. */
function upTo({ status, isAlive, comparedTo, recordedStateHash }: ReplayResult): string {
  if (status === 'finished') return '';
  const why = isAlive ? 'as far as it has come' : ENDINGS[status];
  const state = recordedStateHash === undefined ? '; it left no state hash to compare' : '';
  return comparedTo === undefined ? `: nothing was recorded, ${why}` : ` up to ${comparedTo}, ${why}${state}`;
}

const ENDINGS = {
  running: 'where it was killed',
  interrupted: 'where it was interrupted',
  failed: 'where it failed',
} as const;
