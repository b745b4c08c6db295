import { defaultRules } from '../venues/simulated/rules.ts';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { ROOT } from '../../test/support/source-tree.ts';
import { defaultCouncilSettings } from '../council/council.ts';
import { amount } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import type { DeskSettings } from '../execution/desk.ts';
import { defaultRiskPolicy, type RiskPolicy } from '../risk/policy.ts';
import { configFile, configPage } from './config-reference.ts';
import { configHash, defaultConfig, homeFolder, loadConfig, parseConfig, resultSettings, withOverrides } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-config-'));
after(() => rmSync(folder, { recursive: true }));

function refusal(act: () => unknown): BallastError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof BallastError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  return assert.fail('found no refusal');
}

describe('defaults', () => {
  test('are those of the stages, field by field', () => {
    const config = defaultConfig();
    const policy: RiskPolicy = config.risk;
    const desk: DeskSettings = config.desk;
    assert.deepEqual(policy, defaultRiskPolicy);
    assert.deepEqual(config.council, defaultCouncilSettings);
    assert.deepEqual(desk, {
      rebalanceBandRatio: 0.05,
      disasterRatio: 0.1,
      pairDisasterRatio: 0.3,
      disasterGapRatio: 0.05,
      maximumLeggedMs: 10_000,
      maximumLeggedLossRatio: 0.005,
      mostFailedCloses: 5,
    });
    assert.deepEqual(config.decision, { stanceStep: 0.25, graceMs: 2_000, opinionLifeBars: 3 });
    assert.deepEqual(config.minds, { strikes: 3, timeoutMs: 200 });
    const { slippageRatio, feeRate, latencyMs, maximumLeverage, ...rules } = config.venue;
    assert.deepEqual(
      { slippageRatio, feeRate, latencyMs, maximumLeverage },
      { slippageRatio: 0.0005, feeRate: null, latencyMs: 1, maximumLeverage: 10 },
    );
    // What has no bound is null in a file.
    assert.deepEqual({ ...rules, insuranceFund: rules.insuranceFund ?? Infinity, feeCoin: rules.feeCoin ?? undefined }, defaultRules);
  });

  test('are what the committed ballast.yaml says, and it says them all', () => {
    const text = readFileSync(join(ROOT, 'ballast.yaml'), 'utf8');
    assert.deepEqual(parseConfig(text), defaultConfig());
    assert.equal(text, configFile(), 'node scripts/reference.ts writes it anew');
  });

  test('are what the page of reference says', () => {
    assert.equal(readFileSync(join(ROOT, 'docs/reference/config.md'), 'utf8'), configPage(), 'node scripts/reference.ts writes it anew');
  });
});

describe('a config file', () => {
  test('overlays the defaults; what is left out, or a section without a line, keeps them', () => {
    const config = parseConfig('risk:\n  positionRatio: 0.2\ndesk:\n# nothing\nsizing: kelly\n');
    assert.deepEqual(config, { ...defaultConfig(), risk: { ...defaultRiskPolicy, positionRatio: 0.2 }, sizing: 'kelly' });
    assert.deepEqual(parseConfig(''), defaultConfig());
    assert.deepEqual(parseConfig('# nothing\n'), defaultConfig());
  });

  test('takes spans as texts and as milliseconds', () => {
    assert.equal(parseConfig('council: { cooldownMs: 4h }').council.cooldownMs, 14_400_000);
    assert.equal(parseConfig('council: { cooldownMs: 1500 }').council.cooldownMs, 1_500);
  });

  test('of the home folder need not be there; one that was named must be', () => {
    assert.deepEqual(loadConfig({ home: folder }), defaultConfig());
    const missing = refusal(() => loadConfig({ home: folder, file: join(folder, 'other.yaml') }));
    assert.equal(missing.code, 'CONFIG_UNREADABLE');
    assert.match(missing.message, /--config .*other\.yaml: found no such file, expected a config file in YAML/);
    mkdirSync(join(folder, 'a-folder'));
    assert.match(refusal(() => loadConfig({ home: folder, file: join(folder, 'a-folder') })).found, /^a folder and no file$/);
  });

  test('is read from the home folder, and errors name its path', () => {
    const home = mkdtempSync(join(folder, 'home-'));
    writeFileSync(join(home, 'ballast.yaml'), 'api:\n  port: 8000\n');
    assert.equal(loadConfig({ home }).api.port, 8_000);
    writeFileSync(join(home, 'ballast.yaml'), 'api:\n  port: 80000\n');
    assert.equal(refusal(() => loadConfig({ home })).place, `${join(home, 'ballast.yaml')}:2:9, api.port`);
  });

  for (const [what, text, place, found, expected] of [
    ['a number beyond its limit', 'risk:\n  stopRatio: 3\n', '2:14, risk.stopRatio', '3', 'at most 1'],
    ['a number that is none', 'venue:\n  feeRate: low\n', '2:12, venue.feeRate', '"low"', 'a number'],
    ['a broken whole number', 'risk:\n  orderBurst: 1.5\n', '2:15, risk.orderBurst', '1.5', 'a whole number'],
    ['an empty value', 'risk:\n  heatRatio:\n', '2:13, risk.heatRatio', 'null', 'a number'],
    ['a section that is no section', 'risk: 5\n', '1:7, risk', '5', 'names with values'],
    ['a list for a config', '- risk\n', '1:1', '["risk"]', 'names with values'],
    ['an unknown sizing', 'sizing: large\n', '1:9, sizing', '"large"', 'one of risk, fixed, volatility, kelly, all-in'],
    ['a span without a unit', 'desk:\n  maximumLeggedMs: 10 s\n', '2:20, desk.maximumLeggedMs', '"10 s"', 'a span such as 10s, 4h or 30d'],
    ['a span beyond its limit', 'venue:\n  latencyMs: 2h\n', '2:14, venue.latencyMs', '"2h"', 'from 1ms to 1m'],
    ['a span of another type', 'venue:\n  latencyMs: [1]\n', '2:14, venue.latencyMs', '[1]', 'a span such as 10s'],
    ['an unknown section', 'rsk: {}\n', '1:1, rsk', 'an unknown name "rsk"', 'risk, or another one of risk, sizing'],
    [
      'an unknown field',
      'risk:\n  positonRatio: 1\n',
      '2:3, risk.positonRatio',
      'an unknown name "positonRatio"',
      'positionRatio, or another',
    ],
    [
      'an unknown field deep inside',
      'paper:\n  strategies:\n    - strategy: trend\n      symbol: X\n',
      '4:7, paper.strategies[0].symbol',
      'an unknown name "symbol"',
      'symbols, or another one of strategy',
    ],
    [
      'a symbol that is none',
      'paper:\n  symbols:\n    - BTC/USDT\n    - btcusdt\n',
      '4:7, paper.symbols[1]',
      '"btcusdt"',
      'BASE/QUOTE for spot or BASE/QUOTE:QUOTE',
    ],
    [
      'symbols and pairs at once',
      'paper:\n  strategies:\n    - { strategy: x, symbols: [A/B], pairs: [[A/B, C/D]] }\n',
      '3:45, paper.strategies[0].pairs',
      '[["A/B","C/D"]]',
      'symbols or pairs, not both',
    ],
    [
      'a fill at the close with what its bar does not know yet',
      'venue:\n  fill: close\n  volumeShareRatio: 0.1\n',
      '2:9, venue.fill',
      '"close"',
      'next-open where volumeShareRatio or slippageModel look at a bar',
    ],
    [
      'a disaster stop of pairs nearer than that of one symbol',
      'desk:\n  disasterRatio: 0.2\n  pairDisasterRatio: 0.1\n',
      '3:22, desk.pairDisasterRatio',
      '0.1',
      'at least disasterRatio, which is 0.2',
    ],
    ['a speed that is none', 'paper:\n  speed: fast\n', '2:10, paper.speed', '"fast"', 'a number above 0, at most 1e9, or max'],
    ['a timeframe that its base does not fill', 'paper:\n  timeframeMs: 90s\n', '2:16, paper.timeframeMs', '"90s"', 'a multiple of'],
  ] as const) {
    test(`${what} is refused with line, column, field and what is expected`, () => {
      const error = refusal(() => parseConfig(text));
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.equal(error.place, `ballast.yaml:${place}`);
      assert.equal(error.found, found);
      assert.ok(error.expected.includes(expected), error.expected);
    });
  }

  test('tells of the first fault in its text, and of the others after it', () => {
    const error = refusal(() => parseConfig('minds:\n  strikes: 0\nrisk:\n  trailR: -1\n  stopAtr: 0\n'));
    assert.equal(error.place, 'ballast.yaml:2:12, minds.strikes');
    assert.equal(error.remedy, 'and also: risk.trailR found -1, expected at least 0; risk.stopAtr found 0, expected above 0');
  });

  for (const [what, text, place, found] of [
    ['a colon too many', 'risk:\n  stopRatio: 0.1: 2\n', '2:14', /Nested mappings/],
    ['the same name twice', 'risk:\n  trailR: 1\n  trailR: 2\n', '3:3', /unique/],
    ['a quote that does not end', 'paper:\n  speed: "x\n', '3:1', /quote/],
    ['a tag that means nothing here', 'paper:\n  speed: !secret x\n', '2:10', /tag/],
    ['two documents', 'risk: {}\n---\nrisk: {}\n', '2:1', /multiple documents/i],
  ] as const) {
    test(`${what} is a syntax error with its line`, () => {
      const error = refusal(() => parseConfig(text));
      assert.equal(error.code, 'CONFIG_SYNTAX');
      assert.equal(error.place, `ballast.yaml:${place}`);
      assert.match(error.found, found);
    });
  }

  test('an alias that names nothing is a syntax error', () => {
    assert.equal(refusal(() => parseConfig('risk: *limits\n')).code, 'CONFIG_SYNTAX');
  });
});

describe('limits that interlock', () => {
  for (const [field, value, place, reason] of [
    ['riskPerTradeRatio', 0.07, 'risk.riskPerTradeRatio', /at most heatRatio, which is 0\.06/],
    ['heatRatio', 0.01, 'risk.riskPerTradeRatio', /at most heatRatio, which is 0\.01/],
    ['leverageRatio', 0.2, 'risk.positionRatio', /at most leverageRatio, which is 0\.2/],
    ['dailyLossAlertRatio', 0.06, 'risk.dailyLossAlertRatio', /at most dailyLossPauseRatio/],
    ['drawdownAlertRatio', 0.16, 'risk.drawdownAlertRatio', /at most drawdownHalveRatio/],
    ['drawdownHaltRatio', 0.14, 'risk.drawdownHalveRatio', /at most drawdownHaltRatio, which is 0\.14/],
    ['fatFingerRatio', 0.54, 'risk.fatFingerRatio', /at least 0\.55, 2 x positionRatio x standingToleranceRatio/],
  ] as const) {
    test(`${field} at ${value} contradicts another, and says which`, () => {
      const error = refusal(() => parseConfig(`risk:\n  ${field}: ${value}\n`));
      assert.ok(error.place.endsWith(`, ${place}`), error.place);
      assert.match(error.expected, reason);
      if (place !== `risk.${field}`) assert.match(error.found, /, its default$/);
    });
  }

  test('the venue must allow the leverage that the rules do', () => {
    assert.match(refusal(() => parseConfig('venue: { maximumLeverage: 1 }')).expected, /at least risk\.leverageRatio, which is 2/);
  });

  test('a turn of the largest position that has drifted is not a fat finger by default', () => {
    const { positionRatio, standingToleranceRatio, fatFingerRatio } = defaultRiskPolicy;
    assert.ok(2 * positionRatio * standingToleranceRatio <= fatFingerRatio);
  });
});

describe('overrides', () => {
  test('replace fields by section, and names without sections; undefined replaces nothing', () => {
    const config = withOverrides(defaultConfig(), {
      venue: { feeRate: 0.001, slippageRatio: undefined },
      sizing: 'fixed',
      risk: undefined,
    });
    assert.deepEqual(config, { ...defaultConfig(), sizing: 'fixed', venue: { ...defaultConfig().venue, feeRate: 0.001 } });
  });

  test('are checked as the file is', () => {
    const error = refusal(() => withOverrides(defaultConfig(), { venue: { slippageRatio: 5 } }));
    assert.equal(error.message, 'the argument for venue.slippageRatio: found 5, expected at most 0.5');
  });
});

describe('the config hash', () => {
  const parts = resultSettings(defaultConfig());

  test('knows what determines results and nothing else', () => {
    const hash = configHash(parts);
    assert.match(hash, /^[0-9a-f]{64}$/);
    for (const text of ['api: { port: 1 }', 'paper: { speed: max }', 'minds: { timeoutMs: 1s }', 'execution: { horizonMs: 1m }']) {
      assert.equal(configHash(resultSettings(parseConfig(text))), hash, text);
    }
    for (const text of [
      'risk: { trailR: 2 }',
      'sizing: fixed',
      'venue: { feeRate: 0 }',
      'minds: { strikes: 1 }',
      'desk: { disasterRatio: 0.2 }',
      'execution: { algorithm: twap }',
    ]) {
      assert.notEqual(configHash(resultSettings(parseConfig(text))), hash, text);
    }
    assert.notEqual(configHash({ ...parts, seed: 2 }), configHash({ ...parts, seed: 1 }));
  });

  test('does not depend on the order of names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        assert.equal(configHash(Object.fromEntries(Object.entries(object).toReversed())), configHash(object));
      }),
    );
  });

  test('keeps apart what JSON would not', () => {
    const hashes = [NaN, Infinity, -Infinity, null, 0, '0', amount('0.000000000001'), [], {}, [0], { 0: 0 }].map((value) =>
      configHash({ value }),
    );
    assert.equal(new Set(hashes).size, hashes.length);
    assert.equal(configHash({ value: -0 }), configHash({ value: 0 }));
    assert.equal(configHash({ value: undefined }), configHash({}));
    assert.throws(() => configHash({ value: () => 0 }), /broken invariant: function is hashed/);
  });
});

test('the home folder is the one that was named, else BALLAST_HOME, else the current one', () => {
  assert.equal(homeFolder('here', { BALLAST_HOME: 'there' }), join(process.cwd(), 'here'));
  assert.equal(homeFolder(undefined, { BALLAST_HOME: 'there' }), join(process.cwd(), 'there'));
  assert.equal(homeFolder(undefined, { BALLAST_HOME: '' }), process.cwd());
  assert.equal(homeFolder(undefined, {}), process.cwd());
});
