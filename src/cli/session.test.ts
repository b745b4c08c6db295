// What a long command shows, and how it is asked to end.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { runStatusSchema } from '../api/contract.ts';
import { fakeHandle, sampleStatus } from '../api/sample-status.fixture.ts';
import { listenForEnd } from './ending.ts';
import { fakeOutput, fakeTerminal } from './fake-terminal.fixture.ts';
import { duration, Progress } from './progress.ts';
import { displayFor } from './session-display.ts';
import { frame, statusLine, statusText } from './session-frame.ts';
import { ansi, paintFor, printable, table } from './terminal.ts';

const ESCAPE = '\u001b';
const plain = (_: string, text: string): string => text;

class FakeSignals extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

describe('being asked to end', () => {
  function listening() {
    const signals = new FakeSignals();
    const asked: string[] = [];
    let restored = 0;
    const ending = listenForEnd(
      (by) => asked.push(by),
      () => restored++,
      signals,
    );
    return { signals, asked, ending, restored: () => restored };
  }

  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    test(`${name} drains, and a second one forces exit 130 with the terminal in order`, () => {
      const { signals, asked, ending, restored } = listening();
      signals.emit(name);
      assert.ok(ending.signal.aborted);
      assert.deepEqual(asked, [name]);
      assert.deepEqual(signals.exits, []);
      signals.emit('SIGINT');
      assert.deepEqual(signals.exits, [130]);
      assert.equal(restored(), 1);
    });
  }

  test('the end of the launcher drains, and forces nothing after a signal', () => {
    const alone = listening();
    alone.signals.emit('disconnect');
    assert.ok(alone.ending.signal.aborted);
    const after = listening();
    after.signals.emit('SIGINT');
    after.signals.emit('disconnect');
    assert.deepEqual(after.signals.exits, []);
  });

  test('what was listened to is given back', () => {
    const { signals, ending } = listening();
    ending.release();
    assert.deepEqual(signals.eventNames(), []);
  });
});

describe('progress', () => {
  test('is silent for the first second', () => {
    let now = 0;
    for (const isTerminal of [true, false]) {
      const output = fakeOutput({ isTerminal });
      const progress = new Progress(output, 'reading', () => now);
      for (now = 0; now < 1_000; now += 10) progress.update(now, 1_000);
      progress.end();
      assert.equal(output.text(), '');
      now = 0;
    }
  });

  test('says every tenth on a line where nobody looks', () => {
    let now = 0;
    const output = fakeOutput();
    const progress = new Progress(output, 'reading', () => now);
    for (now = 0; now <= 10_000; now += 10) progress.update(now, 10_000);
    assert.deepEqual(
      output.text().trimEnd().split('\n'),
      Array.from({ length: 10 }, (_, index) => `reading ${(index + 1) * 10} %`),
    );
  });

  test('is a bar that fits and is taken away on a terminal', () => {
    let now = 0;
    const output = fakeOutput({ isTerminal: true, columns: 40 });
    const progress = new Progress(output, 'backtest', () => now);
    for (now = 0; now <= 4_000; now += 50) progress.update(now, 8_000);
    progress.end();
    const frames = output.text().split(`\r${ansi.clearLine}`);
    assert.ok(frames.length > 20 && frames.length <= 33, `drawn ${frames.length} times, expected at most 10 a second`);
    assert.ok(
      frames.every((each) => each.length < 40),
      'no line is as wide as the terminal',
    );
    assert.match(frames.at(-2) ?? '', /^backtest █+░+/);
    assert.equal(frames.at(-1), '', 'the line is clean at the end');
  });

  test('counts what has no known end', () => {
    let now = 0;
    const output = fakeOutput();
    const progress = new Progress(output, 'replay', () => now);
    for (now = 0; now <= 25_000; now += 500) progress.count(now, 'events');
    assert.deepEqual(output.text().trimEnd().split('\n'), ['replay 1,000 events', 'replay 11,000 events', 'replay 21,000 events']);
  });

  test('a duration has its two largest units', () => {
    assert.deepEqual([900, 65_000, 120_000, 3_700_000, 200_000_000].map(duration), ['1 s', '1 min 5 s', '2 min', '1 h 1 min', '2 d 7 h']);
  });
});

describe('a session as text', () => {
  const options = { columns: 100, rows: 30, paint: plain, speed: 3_600, footer: 'Ctrl-C ends it' };

  test('no line of a frame is as wide as the terminal, and there are fewer than its rows', () => {
    for (const [columns, rows] of [
      [100, 30],
      [40, 12],
      [10, 6],
    ] as const) {
      const lines = frame(sampleStatus, { ...options, columns, rows });
      assert.ok(
        lines.every((line) => line.length < columns),
        `${columns} columns: ${lines.find((line) => line.length >= columns)}`,
      );
      assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
      assert.ok('Ctrl-C ends it'.startsWith((lines.at(-1) ?? '').replace('…', '')), 'the last line says how to end');
    }
  });

  test('the frame has time, equity, P&L, drawdown, positions with stops, orders, words, alerts and speed', () => {
    const text = frame(sampleStatus, options).join('\n');
    for (const part of [
      '2026-02-01T12:00:00Z',
      'equity 10,251.00 (+2.51 %)',
      'P&L +251.00',
      'drawdown 1.44 %',
      '59800.00',
      'on the spread',
      'orders 2',
      'from flat to long',
      'daily-loss: lost 4 % today',
      '3600 market seconds a second',
    ]) {
      assert.ok(text.includes(part), `${part} is in\n${text}`);
    }
  });

  test('a halt says why', () => {
    assert.match(statusLine({ ...sampleStatus, state: 'halted', haltCause: 'drawdown of 25 %' }), /halted: drawdown of 25 %/);
  });

  test('words from elsewhere cannot move the cursor or end a line', () => {
    const words = `buy${ESCAPE}[2J${ESCAPE}]0;owned\u0007\nnow\u202e\u009b31m`;
    const status = { ...sampleStatus, minutes: [{ at: '', words }], alerts: [{ at: '', rule: 'x', why: words }], haltCause: words };
    for (const text of [frame(status, options).join('\n'), statusText(status), statusLine(status)]) {
      // oxlint-disable-next-line no-control-regex -- they are what must not be there
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
    assert.equal(printable('a\r\nb'), 'a b');
  });

  test('the text of status stands with a state that has been JSON, where NaN is null', () => {
    const answer = runStatusSchema.parse(JSON.parse(JSON.stringify(sampleStatus)));
    assert.equal(answer.positions[1]?.mark, null);
    assert.match(statusText(answer), /ETH\/USDT:USDT +-1\.2 +3000\.00 +n\/a +n\/a +on the spread +engine +pair BTC/);
  });

  test('the columns of a table stand under their heads', () => {
    assert.equal(
      table(
        ['name', 'count'],
        [
          ['a', '1'],
          ['longer', '100'],
        ],
        [1],
      ),
      'name    count\na           1\nlonger    100',
    );
  });
});

describe('the display of a session', () => {
  test('on a terminal it is redrawn in place and gives the cursor back', () => {
    const terminal = fakeTerminal({ NO_COLOR: '1' }, { isTerminal: true, columns: 100, rows: 30 });
    const display = displayFor(terminal, false);
    display.start(fakeHandle(), 'footer');
    display.say('a line for the record');
    display.stop();
    display.stop();
    const text = terminal.stdout.text();
    assert.ok(text.startsWith(ansi.hideCursor));
    assert.equal(text.split(ansi.showCursor).length, 2, 'the cursor comes back once');
    assert.ok(text.indexOf(ansi.showCursor) > text.lastIndexOf('footer'), 'after the last frame');
    const drawn = frame(sampleStatus, { columns: 100, rows: 30, paint: plain, speed: NaN, footer: 'footer' }).length;
    assert.ok(text.includes(`${ansi.up(drawn)}\r${ansi.clearBelow}a line for the record\n`), 'the line replaces the frame');
    assert.equal(terminal.stderr.text(), '');
  });

  test('anywhere else it is lines, with --json on stderr', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const terminal = fakeTerminal();
    const display = displayFor(terminal, true);
    display.start(fakeHandle(), 'page http://127.0.0.1:3000');
    t.mock.timers.tick(3_000);
    display.stop();
    assert.equal(terminal.stdout.text(), '');
    const lines = terminal.stderr.text().trimEnd().split('\n');
    assert.deepEqual(
      lines,
      ['page http://127.0.0.1:3000', 'alert 2026-02-01T11:00:00Z daily-loss: lost 4 % today'],
      'an alert is said once',
    );
  });

  test('NO_COLOR and a pipe have no colours', () => {
    const coloured = `${ESCAPE}[31mx${ESCAPE}[0m`;
    assert.equal(paintFor(fakeOutput({ isTerminal: true }), {})('red', 'x'), coloured);
    assert.equal(paintFor(fakeOutput({ isTerminal: true }), { NO_COLOR: '1' })('red', 'x'), 'x');
    assert.equal(paintFor(fakeOutput(), {})('red', 'x'), 'x');
  });
});
