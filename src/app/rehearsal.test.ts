// A rehearsal walks the way of an order to its end, asks no mind of the session, and leaves nothing behind.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { syntheticMarket } from '../market/synthetic/market.ts';
import { temporaryHome } from '../../test/support/run-app.ts';
import { loadConfig } from './config.ts';
import { planOf, writeInstrument, type Recipe } from './recipe.ts';
import { rehearse } from './rehearsal.ts';

const SYMBOLS = ['BTC/USDT:USDT', 'DOGE/USDT:USDT'];

async function sessionOf(home: string) {
  const config = loadConfig({ home });
  const { instruments } = syntheticMarket({ seed: 1, startAt: 0, assets: SYMBOLS });
  const recipe: Recipe = {
    kind: 'live',
    config,
    instruments: instruments.map(writeInstrument),
    baseTimeframeMs: config.paper.baseTimeframeMs,
    timeframeMs: config.paper.timeframeMs,
    strategies: config.paper.strategies.map((entry) => ({ ...entry, symbols: SYMBOLS })),
    capital: '1000',
    noRisk: false,
    allowSpotShort: false,
    seed: 0,
    market: { source: 'venue', venue: 'bybit', site: 'testnet', account: '1', stage: 0, wholeCapital: '1000' },
    mindFailure: 'suspend',
  };
  const plan = await planOf(recipe, home);
  const minds = plan.minds.map((mind) => ({
    ...mind,
    forecaster: { ...mind.forecaster, opine: () => assert.fail('no mind of the session is asked') },
  }));
  return { recipe, plan: { ...plan, minds } };
}

test('orders are given that go nowhere, and the folder of the run is as it was', { timeout: 30_000 }, async () => {
  const home = temporaryHome('rehearsal');
  const session = await sessionOf(home);
  const folder = join(home, 'run');
  // A rehearsal that was killed has left something.
  mkdirSync(join(folder, 'rehearsal', 'tape'), { recursive: true });
  writeFileSync(join(folder, 'journal.sqlite'), 'of the run');
  const told: string[] = [];
  const orders = await rehearse({ folder, ...session, onNotice: (words) => told.push(words) });
  assert.ok(orders > 0, `${orders} orders`);
  assert.deepEqual([told, readdirSync(folder)], [[], ['journal.sqlite']]);
});

test('one that cannot be done is told, and keeps no session from beginning', async () => {
  const home = temporaryHome('rehearsal-fails');
  const session = await sessionOf(home);
  const told: string[] = [];
  assert.equal(await rehearse({ folder: join(home, 'nowhere'), ...session, onNotice: (words) => told.push(words) }), 0);
  assert.match(told.join(), /rehearsal of the first orders has failed.*no such file/);
  assert.equal(existsSync(join(home, 'nowhere')), false);
});
