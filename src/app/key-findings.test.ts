import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyFacts } from '../venues/ccxt/bybit-account.ts';
import type { CcxtKeyFacts } from '../venues/ccxt/ccxt-account.ts';
import { DAY_MS } from '../domain/time.ts';
import { keyFindings, mustBeFit } from './key-findings.ts';

const NOW = Date.UTC(2026, 5, 1);
const FIT: KeyFacts = {
  uid: '7',
  isReadOnly: false,
  permissions: { ContractTrade: ['Order', 'Position'], Spot: ['SpotTrade'], Wallet: [] },
  addresses: ['192.0.2.1'],
  expiresAt: undefined,
  isUnified: true,
  marginMode: 'REGULAR_MARGIN',
  clockAheadMs: 3,
};

const verdicts = (facts: Partial<KeyFacts>, kinds: readonly ('linear' | 'spot')[] = ['linear']) =>
  keyFindings({ ...FIT, ...facts }, kinds, NOW).flatMap(({ subject, verdict }) => (verdict === 'well' ? [] : [`${subject} ${verdict}`]));

test('a key that may trade, and nothing else, is fit', () => {
  assert.deepEqual(verdicts({}, ['linear', 'spot']), []);
  mustBeFit(keyFindings(FIT, ['linear'], NOW), 'the key');
});

for (const [what, facts, expected] of [
  ['withdraw', { permissions: { ...FIT.permissions, Wallet: ['Withdraw'] } }, ['withdrawal and transfer wrong']],
  ['transfer', { permissions: { ...FIT.permissions, Wallet: ['AccountTransfer'] } }, ['withdrawal and transfer wrong']],
  ['only read', { isReadOnly: true }, ['use wrong']],
  ['not set positions', { permissions: { ContractTrade: ['Order'] } }, ['trading, linear wrong']],
  ['be used until yesterday', { expiresAt: NOW - DAY_MS }, ['expiry wrong']],
  ['be used until tomorrow', { expiresAt: NOW + DAY_MS }, ['expiry unwise']],
  ['be used from anywhere', { addresses: [] }, ['addresses unwise']],
  ['trade an account that is not unified', { isUnified: false }, ['account wrong']],
  ['be signed by a clock that is wrong', { clockAheadMs: -900 }, ['clock unwise']],
] as const) {
  test(`a key that may ${what} is told as that`, () => {
    assert.deepEqual(verdicts(facts), expected);
    const refuses = expected.some((words) => words.endsWith('wrong'));
    const check = (): void => mustBeFit(keyFindings({ ...FIT, ...facts }, ['linear'], NOW), 'the key');
    if (refuses) assert.throws(check, { code: 'KEY_UNFIT' });
    else check();
  });
}

test('spot wants a right of its own', () => {
  assert.deepEqual(verdicts({ permissions: { ContractTrade: ['Order', 'Position'] } }, ['linear', 'spot']), ['trading, spot wrong']);
});

const ANY: CcxtKeyFacts = {
  exchange: 'binanceusdm',
  uid: '7',
  isUidOfKey: false,
  rights: { trades: ['linear'], moves: [], isBound: true },
  isVouchedFor: false,
  clockAheadMs: 3,
};

for (const [what, facts, expected] of [
  ['trade and nothing else', {}, []],
  ['withdraw', { rights: { trades: ['linear'], moves: ['enableWithdrawals'], isBound: true } }, ['withdrawal and transfer wrong']],
  ['not trade perpetuals', { rights: { trades: ['spot'], moves: [], isBound: true } }, ['trading, linear wrong']],
  ['be used from anywhere', { rights: { trades: ['linear'], moves: [], isBound: false } }, ['addresses unwise']],
  ['do nobody knows what', { rights: undefined }, ['withdrawal and transfer wrong']],
  ['do what only the operator knows', { rights: undefined, isVouchedFor: true }, ['withdrawal and transfer unwise']],
  [
    'withdraw, whatever the operator says',
    { isVouchedFor: true, rights: { trades: ['linear'], moves: ['a'], isBound: undefined } },
    ['withdrawal and transfer wrong'],
  ],
  ['be of an account without a number', { isUidOfKey: true }, ['account unwise']],
] as const) {
  test(`of another venue, a key that may ${what} is told as that`, () => {
    const findings = keyFindings({ ...ANY, ...facts }, ['linear'], NOW);
    assert.deepEqual(
      findings.flatMap(({ subject, verdict }) => (verdict === 'well' ? [] : [`${subject} ${verdict}`])),
      expected,
    );
  });
}
