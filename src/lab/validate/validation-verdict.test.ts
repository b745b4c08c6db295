import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterSurface } from './parameter-surface.ts';
import { summaryOf, verdictOf, type VerdictFacts } from './validation-verdict.ts';

const costs = (feeRate: number, totalReturn: number) => ({ feeRate, totalReturn, sharpe: 1, trades: 300 });

/** A run that passes everything. */
const sound: VerdictFacts = {
  metrics: {
    totalReturn: 0.8,
    maxDrawdown: 0.1,
    trades: 300,
    orders: 600,
    expectancy: 20,
    bestTrade: 500,
    buyAndHoldReturn: 0.4,
  },
  years: 5,
  returns: 1_825,
  trials: { count: 1 },
  annualSharpe: 1.5,
  deflatedSharpe: { probability: 0.99 },
  minimumTrackRecord: 500,
  minimumBacktestYears: 0,
  monteCarlo: { gate: { drawdown95: 0.2, limit: 0.3, passes: true } },
  rerun: {
    randomEntry: { trips: 300, placements: 1_000, observed: 0.004, randomMean: 0.001, random95: 0.002, pValue: 0.001, exposureRatio: 0.3 },
    costs: { feeRate: 0.001, points: [costs(0, 1), costs(0.001, 0.8), costs(0.005, -0.2)], breakEvenFeeRate: 0.004, freeReturn: 1.2 },
    lag: [
      { lagBars: 0, totalReturn: 0.8, sharpe: 1.5 },
      { lagBars: 1, totalReturn: 0.7, sharpe: 1.4 },
    ],
    parameters: {
      surface: parameterSurface([10, 8, 12, 15].map((window) => ({ params: { window }, value: 1.5 - window / 100 }))),
      overfitting: { probability: 0.4, lossProbability: 0.02 },
      superiorAbility: 0.01,
    },
    regimes: [
      { name: 'rising, calm', days: 900, returnRatio: 0.5, holdReturn: 1, sharpe: 1.5, maxDrawdown: 0.05 },
      { name: 'falling, calm', days: 900, returnRatio: 0.2, holdReturn: -0.5, sharpe: 1, maxDrawdown: 0.08 },
    ],
    warnings: [],
  },
  notRerun: null,
};

type Rerun = NonNullable<VerdictFacts['rerun']>;

function changed(changes: Partial<VerdictFacts>, rerun: Partial<Rerun> = {}): VerdictFacts {
  return { ...sound, rerun: sound.rerun === null ? null : { ...sound.rerun, ...rerun }, ...changes };
}

test('a run that passes everything stands, and is told what comes next', () => {
  const { kind, headline, because, tests } = verdictOf(sound);
  assert.equal(kind, 'stands');
  assert.match(headline, /^Nothing here speaks against an edge after costs: it passes all 12 tests\.$/);
  assert.match(because[0] ?? '', /in sample.*walkforward/);
  assert.ok(tests.every((each) => each.passes === true));
});

test('what lost has no edge after costs, and whether it had one before them is said', () => {
  const lost = { ...sound.metrics, totalReturn: -0.1, expectancy: -3 };
  const eaten = verdictOf(changed({ metrics: lost }));
  assert.deepEqual([eaten.kind, eaten.headline], ['no-edge', 'No edge after costs.']);
  assert.match(
    eaten.because[0] ?? '',
    /returned -10\.00 %; without fees and slippage it would have made 120\.00 %: costs are more than the edge/,
  );
  const none = verdictOf(changed({ metrics: lost }, { costs: { feeRate: 0.001, points: [], breakEvenFeeRate: 0, freeReturn: -0.05 } }));
  assert.match(none.because[0] ?? '', /would have returned -5\.00 %: there was none to begin with/);
  const open = verdictOf(changed({ metrics: { ...sound.metrics, expectancy: -1 } }));
  assert.deepEqual(
    [open.kind, open.because[0]?.startsWith('the closed trades lost, and what is still open makes the gain')],
    ['no-edge', true],
  );
});

test('each test of luck makes a gain luck, and is named', () => {
  const cases: readonly (readonly [VerdictFacts, RegExp])[] = [
    [changed({ deflatedSharpe: { probability: 0.9 }, trials: { count: 40 } }), /best of 40 worthless trials is 90\.00 %/],
    [changed({ minimumTrackRecord: 4_000 }), /1,825 returns, where a Sharpe ratio like this one needs 4000/],
    [changed({ minimumTrackRecord: null }), /no track record would be long enough/],
    [changed({ metrics: { ...sound.metrics, trades: 12 } }), /12 closed trades, where fewer than 30 say little/],
    [
      changed(
        {},
        {
          randomEntry: {
            trips: 300,
            placements: 1_000,
            observed: 0.004,
            randomMean: 0.003,
            random95: 0.006,
            pValue: 0.3,
            exposureRatio: 0.3,
          },
        },
      ),
      /30\.00 % of such sets did as well/,
    ],
  ];
  for (const [facts, words] of cases) {
    const { kind, headline, because } = verdictOf(facts);
    assert.deepEqual([kind, headline], ['luck', 'No edge after costs that can be told from luck.']);
    assert.match(because.join('\n'), words);
  }
});

test('each other test makes it fragile', () => {
  const { parameters } = sound.rerun ?? {};
  assert.ok(parameters !== undefined && parameters !== null);
  const peak = parameterSurface([10, 8, 12, 15].map((window) => ({ params: { window }, value: window === 10 ? 1.5 : 0.3 })));
  const cases: readonly (readonly [VerdictFacts, RegExp])[] = [
    [changed({ metrics: { ...sound.metrics, bestTrade: 7_000 } }), /one trade makes the profit/],
    [
      changed({ monteCarlo: { gate: { drawdown95: 0.4, limit: 0.3, passes: false } } }),
      /drawdown of 40\.00 %, where 30\.00 % is the limit/,
    ],
    [changed({ minimumBacktestYears: 6 }), /5\.00 years of data for 1 trial, which need 6\.00/],
    [
      changed({}, { costs: { feeRate: 0.001, points: [], breakEvenFeeRate: 0.0012, freeReturn: 1 } }),
      /dies at a fee of 0\.12 % a fill; it paid 0\.10 %/,
    ],
    [
      changed(
        {},
        {
          lag: [
            { lagBars: 0, totalReturn: 0.8, sharpe: 1 },
            { lagBars: 1, totalReturn: -0.2, sharpe: -1 },
          ],
        },
      ),
      /one bar late it makes -20\.00 % instead of 80\.00 %/,
    ],
    [changed({}, { parameters: { ...parameters, surface: peak } }), /0\.30 in the middle where it has 1\.50/],
    [
      changed({}, { parameters: { ...parameters, overfitting: { probability: 0.8, lossProbability: 0.5 } } }),
      /lost in the other in 50\.00 %/,
    ],
  ];
  for (const [facts, words] of cases) {
    const { kind, headline, because } = verdictOf(facts);
    assert.deepEqual(
      [kind, headline],
      ['fragile', 'It made money that luck does not explain, and 1 test would take it away.'],
      words.source,
    );
    assert.match(because.join('\n'), words);
  }
});

test('what never traded is not judged, and what cannot be run again is judged by its report', () => {
  assert.equal(verdictOf(changed({ metrics: { ...sound.metrics, orders: 0, trades: 0 } })).kind, 'nothing');
  const { kind, tests, headline } = verdictOf({ ...sound, rerun: null, notRerun: 'no bars' });
  assert.deepEqual([kind, tests.length], ['stands', 6]);
  assert.match(headline, /all 6 tests/);
  const flat = verdictOf({ ...sound, rerun: null, deflatedSharpe: null });
  assert.match(flat.headline, /the 5 tests that could be made; 1 could not/);
});

test('many verdicts come to a sentence that says how many have no edge', () => {
  const kinds = (...words: readonly (readonly ['nothing' | 'no-edge' | 'luck' | 'fragile' | 'stands', number])[]) =>
    words.flatMap(([kind, count]) => Array.from({ length: count }, () => ({ kind })));
  assert.deepEqual(summaryOf(kinds(['no-edge', 3], ['luck', 2])), [
    '3 of 5 runs lost after costs, 2 gained by no more than luck explains, 0 by more, but not through every test, nothing speaks against 0.',
    'None of them has an edge after costs that these figures can show.',
  ]);
  assert.equal(
    summaryOf(kinds(['no-edge', 3], ['stands', 1], ['nothing', 9]))[1],
    'Most of them have no edge after costs that these figures can show.',
  );
  assert.equal(summaryOf(kinds(['luck', 1], ['fragile', 1]))[1], '1 of 2 have no edge after costs that these figures can show.');
  assert.equal(summaryOf(kinds(['nothing', 2])).length, 1);
});
