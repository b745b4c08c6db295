import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryHome } from '../../test/support/run-app.ts';
import { fakeTerminal } from './fake-terminal.fixture.ts';
import { runCommandLine } from './program.ts';

/** An address where nobody listens: whoever asks there would wait for half a minute. */
const NOBODY = "data: { addresses: { bybit: 'http://127.0.0.1:1' } }";

async function fails(config: string, ...words: readonly string[]): Promise<string> {
  const terminal = fakeTerminal();
  const exitCode = await runCommandLine([...words, '--home', temporaryHome('download', `${config}\n`)], terminal);
  assert.equal(exitCode, 2, terminal.stderr.text());
  return `${terminal.stdout.text()}${terminal.stderr.text()}`;
}

const SOME = ['data', 'download', '--venue', 'bybit', '--symbols', 'BTC/USDT:USDT'];

for (const [words, message] of [
  [['data', 'download', '--symbols', 'BTC/USDT'], /--venue: found nothing/],
  [['data', 'download', '--venue', 'nyse', '--symbols', 'BTC/USDT'], /--venue: found "nyse", expected one of bybit, binance/],
  [['data', 'download', '--venue', 'bybit', '--symbols', 'BTCUSDT'], /--symbols: found "BTCUSDT", expected BASE\/QUOTE/],
  [[...SOME, '--days', '0'], /--days: found "0"/],
  [[...SOME, '--days', '3', '--from', '2026-01-01'], /--days: found a beginning as well, expected either --days or --from/],
  [[...SOME, '--timeframe', '7m'], /bybit BTC\/USDT:USDT: found 7m, expected one of 1m, .*1h/],
  [[...SOME, '--from', '2026-01-02', '--to', '2026-01-01'], /a reversed range/],
  [['data', 'collect', '--every', '1s'], /--every: found "1s", expected at least 10s/],
  [['data', 'collect', '--once'], /data\.collect of the config: found an empty list, expected at least one venue/],
] as const) {
  test(`ballast ${words.join(' ')} says what is wrong, and asks nobody`, async () => {
    assert.match(await fails(NOBODY, ...words), message);
  });
}

test('the password of an address is refused, and not shown', async () => {
  const said = await fails("data: { addresses: { bybit: 'http://me:hunter2@127.0.0.1:1' } }", ...SOME, '--json');
  assert.match(said, /ballast\.yaml:1:\d+, data\.addresses\.bybit: found .*without user or password/);
  assert.ok(!said.includes('hunter2'), said);
});
