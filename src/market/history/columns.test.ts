import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BAR_LAYOUT, parseColumnNames } from './columns.ts';
import { ballastError } from './test-bars.ts';

test('a list of columns is read by role', () => {
  assert.deepEqual(parseColumnNames('time=open_time,volume=Volume BTC', BAR_LAYOUT), { time: 'open_time', volume: 'Volume BTC' });
  assert.deepEqual(parseColumnNames(' close = a=b ', BAR_LAYOUT), { close: 'a=b' });
});

test('a column of no role, or of no name, is named with what was expected', async () => {
  for (const text of ['price=close', 'close', 'close=', '']) {
    const error = await ballastError(() => parseColumnNames(text, BAR_LAYOUT));
    assert.equal(error.code, 'COLUMNS_MALFORMED');
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /^--columns: found ".*", expected ROLE=NAME with a role of time, open, high, low, close, volume/);
  }
});
