// A process for a test to look at after it has killed itself: it trades with a journal on disk, writes down every order that leaves it, and ends
// by SIGKILL a moment before or after a block of rows is stored. Words: the folder, before or after, and which block.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SessionRecorder } from '../../src/app/session-recorder.ts';
import { connectSqlite, type Connect } from '../../src/journal/database.ts';
import { Journal } from '../../src/journal/journal.ts';
import { TapeWriter } from '../../src/journal/tape.ts';
import { bars, flat, single, TestSession } from '../support/session.ts';

const [folder = '', when = '', block = ''] = process.argv.slice(2);

let stored = 0;
let hasBlock = false;
const killing: Connect = (path, readOnly) => {
  const database = connectSqlite(path, readOnly);
  return {
    ...database,
    execute(sql) {
      // A block is stored with what ends the transaction that it is in.
      const storesBlock = sql === 'COMMIT' && hasBlock;
      hasBlock = false;
      if (storesBlock && ++stored === Number(block) && when === 'before') process.kill(process.pid, 'SIGKILL');
      database.execute(sql);
      if (storesBlock && stored === Number(block) && when === 'after') process.kill(process.pid, 'SIGKILL');
    },
    run(sql, ...values) {
      database.run(sql, ...values);
      hasBlock ||= /INSERT INTO block/i.test(sql);
    },
  };
};

const journal = Journal.create(join(folder, 'journal.sqlite'), { durability: 'every-commit', connect: killing });
const recorder = new SessionRecorder(journal, TapeWriter.open(join(folder, 'tape'), journal), true);
const run = new TestSession({
  bars: [bars(flat(40, 100))],
  sleeves: [single(0, (bar) => (bar % 4 < 2 ? 0 : 1))],
  recorder,
});
const sent = openSync(join(folder, 'sent.txt'), 'a');
const submit = run.venue.submit.bind(run.venue);
run.venue.submit = (intent) => {
  writeSync(sent, `${intent.id}\n`);
  submit(intent);
};
await run.run();
