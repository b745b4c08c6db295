// A session with somebody to tell: what is told, and that trading is the same whether anybody listens.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import { temporaryHome } from '../../test/support/run-app.ts';
import { alertAddress, WEBHOOK_VARIABLE } from './alerts.ts';
import { defaultConfig, parseConfig } from './config.ts';
import { runPaper } from './paper.ts';
import type { SessionResult } from './session.ts';

const CONFIG = 'paper:\n  timeframeMs: 5m\n  warmupMs: 1d\n  symbols: [BTC/USDT:USDT]\nrisk:\n  drawdownAlertRatio: 0.0005\n';
const SECRET = 'the-secret-path';

const session = (home: string, onNotice: (words: string) => void): Promise<SessionResult> =>
  runPaper({ home, seed: 5, speed: Infinity, untilBars: 3_000, fresh: true, signal: new AbortController().signal, onNotice });

after(() => {
  delete process.env[WEBHOOK_VARIABLE];
});

describe('F49: alerts of a session', () => {
  for (const [mood, status] of [
    ['takes them', 200],
    ['answers HTTP 500', 500],
    ['never answers', undefined],
  ] as const) {
    test(`F49: a session whose webhook ${mood} trades as one without, to the same hash`, async (t) => {
      const bodies: string[] = [];
      const server = createServer((request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (text: string) => (body += text));
        request.on('end', () => {
          bodies.push(body);
          if (status !== undefined) response.writeHead(status).end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => {
        server.closeAllConnections();
        server.close();
      });
      process.env[WEBHOOK_VARIABLE] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${SECRET}`;
      const words: string[] = [];
      const told = await session(temporaryHome('told', `${CONFIG}alerts:\n  webhook: true\n`), (notice) => words.push(notice));
      const untold = await session(temporaryHome('untold', CONFIG), (notice) => words.push(notice));
      assert.equal(told.stateHash, untold.stateHash);
      assert.equal(told.venueHash, untold.venueHash);
      assert.ok(bodies.length > 0, 'there was something to tell');
      assert.match(bodies[0] ?? '', /"rule":"drawdown","why":"drawdown \d/);
      if (status === 200) {
        const alerts = told.status.alerts.filter(({ rule }) => rule === 'drawdown').map(({ why }) => why);
        assert.deepEqual(
          bodies.slice(-alerts.length).map((body) => (JSON.parse(body) as { why: string }).why),
          alerts,
        );
      } else assert.match(words.join('\n'), /alerts cannot be sent: (HTTP 500|no answer in time)|\d+ alerts? could not be sent/);
      for (const text of [words.join('\n'), readFileSync(join(told.folder, 'run.json'), 'utf8')])
        assert.doesNotMatch(text, new RegExp(SECRET));
    });
  }

  test('an address that is asked for and not there is told before anything begins, without what was found', () => {
    assert.equal(alertAddress(defaultConfig(), {}), undefined);
    const config = parseConfig('alerts:\n  webhook: true\n');
    for (const address of [undefined, '', '  ', 'token-without-address', 'ftp://host/token-without-address']) {
      assert.throws(
        () => alertAddress(config, { [WEBHOOK_VARIABLE]: address }),
        (error) => error instanceof BallastError && error.code === 'ALERTS_UNADDRESSED' && !error.message.includes('token-without'),
      );
    }
    assert.equal(alertAddress(config, { [WEBHOOK_VARIABLE]: ' https://hooks.example.org/x ' }), 'https://hooks.example.org/x');
  });
});
