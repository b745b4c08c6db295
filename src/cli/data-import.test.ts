// An import that is ended by Ctrl-C says so, and the store is as it was.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { temporaryHome } from '../../test/support/run-app.ts';
import { fakeTerminal } from './fake-terminal.fixture.ts';
import { runCommandLine } from './program.ts';

for (const [kind, text, words] of [
  ['bars', 'time,open,high,low,close,volume\n2022-01-01T00:00:00Z,100,101,99,100,1\n', ['--timeframe', '1m']],
  ['funding', 'time,rate\n2022-01-01T00:00:00Z,0.0001\n', ['--kind', 'funding']],
] as const) {
  test(`an import of ${kind} that is ended before its end imports nothing, says so once, and fails`, async () => {
    const home = temporaryHome('import-stopped');
    const file = join(home, 'rows.csv');
    writeFileSync(file, text);
    const command = ['data', 'import', file, '--symbol', 'BTC/USDT:USDT', '--venue', 'mine', ...words, '--home', home, '--json'];
    const terminal = fakeTerminal();
    const others = process.listenerCount('SIGINT');
    const ended = runCommandLine(command, terminal);
    while (process.listenerCount('SIGINT') === others) await setImmediate();
    process.emit('SIGINT');
    assert.equal(await ended, 1);
    assert.match(
      terminal.stderr.text(),
      /^SIGINT: ending; a second signal does not wait\nerror: data import: found a stop while \w+, .*\(nothing was imported; [^)]*\)\n$/,
    );
    const { error } = JSON.parse(terminal.stdout.text()) as { readonly error: { readonly code: string } };
    assert.equal(error.code, 'IMPORT_STOPPED');
    assert.equal(process.listenerCount('SIGINT'), others, 'the signals are given back');

    // Nothing of it is stored: the same command has all to add.
    const again = fakeTerminal();
    assert.equal(await runCommandLine(command, again), 0, again.stderr.text());
    assert.match(again.stdout.text(), /"added":1,/);
  });
}
