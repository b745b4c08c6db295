// Worked examples of the documentation, by page and number, and the rule at its edges.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { amount, format, notional, price, quantity, toNumber, type Price } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import {
  bracketsFrom,
  defaultTiers,
  isUsedUpAt,
  liquidationEstimate,
  liquidationPrice,
  maintenanceOf,
  type MarginedPosition,
} from './margin.ts';

const BTC = bracketsFrom('BTC/USDT:USDT', defaultTiers('BTC/USDT:USDT'));
const ETH = bracketsFrom('ETH/USDT:USDT', defaultTiers('ETH/USDT:USDT'));
const HALF_PERCENT = bracketsFrom('BTC/USDT:USDT', [{ upTo: Infinity, maintenanceRate: 0.005 }]);
const CENT = price('0.01');

function held(size: string, entry: string, behind: string, more: Partial<MarginedPosition> = {}): MarginedPosition {
  const position = quantity(size);
  return { quantity: position, cost: notional(price(entry), position), behind: amount(behind), brackets: BTC, basis: 'mark', ...more };
}

const bybit = { brackets: HALF_PERCENT, basis: 'entry' } as const;
const shown = (at: Price | undefined): string => (at === undefined ? 'never' : format(at));

describe('Bybit help, "Liquidation Price (USDT Contract)", isolated margin', () => {
  // 1 BTC at 20,000 USDT with 50x leverage and a maintenance margin rate of 0.5 %: initial margin 400 USDT, maintenance margin 100 USDT.
  test('example 1: a long is liquidated at 20,000 - (400 - 100) = 19,700', () => {
    assert.equal(format(maintenanceOf(amount('20000'), HALF_PERCENT)), '100');
    assert.equal(shown(liquidationPrice(held('1', '20000', '400', bybit), CENT)), '19700');
  });

  test('example 2: a short to which 3,000 USDT were added, at 20,000 + (400 - 100) + 3,000 / 1 = 23,300', () => {
    assert.equal(shown(liquidationPrice(held('-1', '20000', '3400', bybit), CENT)), '23300');
  });

  test('example 3: 200 USDT of funding taken from the margin bring the long of example 1 to 19,900', () => {
    assert.equal(shown(liquidationPrice(held('1', '20000', '200', bybit), CENT)), '19900');
  });

  test('"Maintenance Margin (USDT Contract)": up to 2,000,000 USDT of BTCUSDT the rate is 0.5 % of the value', () => {
    assert.equal(format(maintenanceOf(amount('2000000'), HALF_PERCENT)), '10000');
  });
});

describe('Binance support, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts"', () => {
  test('maintenance amount: 250,000 x (1 % - 0.5 %) + 50 = 1,300 USDT', () => {
    // What the amount is deducted from: 1 % of 500,000.
    assert.equal(format(maintenanceOf(amount('500000'), BTC)), format(amount('3700')));
  });

  test('a position of 264,000 USDT of BTC/USDT has the rate of 1 %', () => {
    assert.equal(toNumber(maintenanceOf(amount('264000'), BTC)), 264_000 * 0.01 - 1_300);
  });

  // The page's calculator: a wallet of 1,535,443.01 USDT, long 3,683.979 ETH from 1,456.84 (mark 1,335.18; 10 %, maintenance amount 135,365)
  // and long 109.488 BTC from 32,481.98 (mark 31,967.27; 2.5 %, maintenance amount 16,300). The figures are those that freqtrade's tests
  // quote from it (tests/exchange/test_binance.py, test_liquidation_price_binance).
  const wallet = 1_535_443.01;
  const eth = { size: 3_683.979, entry: 1_456.84, mark: 1_335.18 };
  const btc = { size: 109.488, entry: 32_481.98, mark: 31_967.27 };
  const result = ({ size, entry, mark }: typeof eth): number => size * (mark - entry);
  const need = ({ size, mark }: typeof eth, brackets: typeof ETH): number =>
    toNumber(maintenanceOf(amount((size * mark).toFixed(8)), brackets));

  test('maintenance of the other position at its mark is what the page says: 71,200.81144 and 356,512.508', () => {
    // BTC: 109.488 x 31,967.27 x 2.5 % - 16,300; ETH: 3,683.979 x 1,335.18 x 10 % - 135,365.
    assert.ok(Math.abs(need(btc, BTC) - 71_200.81144) < 0.001);
    assert.ok(Math.abs(need(eth, ETH) - 356_512.508) < 0.01);
    assert.ok(Math.abs(result(btc) - -56_354.57) < 0.01);
    assert.ok(Math.abs(result(eth) - -448_192.89) < 0.01);
  });

  const at = (position: MarginedPosition): string => liquidationEstimate(position).toFixed(2);

  test('isolated with that wallet behind it, ETH is liquidated at 1,114.78 and BTC at 18,778.73', () => {
    assert.equal(at(held('3683.979', '1456.84', String(wallet), { brackets: ETH })), '1114.78');
    assert.equal(at(held('109.488', '32481.98', String(wallet))), '18778.73');
  });

  test('cross, ETH at 1,153.26 and BTC at 26,316.89', () => {
    const behindEth = wallet + result(btc) - need(btc, BTC);
    const behindBtc = wallet + result(eth) - need(eth, ETH);
    assert.equal(at(held('3683.979', '1456.84', behindEth.toFixed(8), { brackets: ETH })), '1153.26');
    assert.equal(at(held('109.488', '32481.98', behindBtc.toFixed(8))), '26316.89');
  });

  test('the maintenance amounts of the default brackets are the table of that time', () => {
    const amounts = (brackets: typeof BTC): number[] => brackets.map(({ deduction }) => toNumber(deduction));
    assert.deepEqual(amounts(BTC), [0, 50, 1_300, 16_300, 266_300, 1_266_300, 2_516_300, 5_016_300, 25_016_300, 100_016_300]);
    assert.deepEqual(amounts(ETH), [0, 15, 365, 5_365, 35_365, 135_365, 260_365, 510_365, 2_510_365]);
    const others = bracketsFrom('SOL/USDT:USDT', defaultTiers('SOL/USDT:USDT'));
    assert.deepEqual(amounts(others), [0, 35, 535, 8_035, 58_035, 108_035, 233_035, 1_233_035]);
  });
});

describe('at the edges', () => {
  test('a long that is paid in full is never liquidated, a short always can be', () => {
    assert.equal(shown(liquidationPrice(held('1', '100', '101'), CENT)), 'never');
    assert.notEqual(shown(liquidationPrice(held('-1', '100', '101'), CENT)), 'never');
  });

  test('a short behind which there is less than nothing is liquidated at every price', () => {
    assert.equal(shown(liquidationPrice(held('-1', '100', '-200'), CENT)), '0');
  });

  test('without a tick the price is the estimate', () => {
    assert.equal(shown(liquidationPrice(held('1', '20000', '400', bybit), price('0'))), '19700');
  });

  test('the price is the last one on the tick at which the margin is used up, whatever the position', () => {
    const positions = fc.record({
      size: fc.integer({ min: 1, max: 4_000_000 }),
      isLong: fc.boolean(),
      entry: fc.integer({ min: 100, max: 9_000_000 }),
      behindRatio: fc.double({ min: 0.002, max: 0.9, noNaN: true }),
      basis: fc.constantFrom('mark' as const, 'entry' as const),
      brackets: fc.constantFrom(BTC, ETH),
    });
    fc.assert(
      fc.property(positions, ({ size, isLong, entry, behindRatio, basis, brackets }) => {
        const position = quantity(`${isLong ? '' : '-'}${size}e-3`);
        const at = price(`${entry}e-2`);
        const behind = amount(((size / 1_000) * (entry / 100) * behindRatio).toFixed(6));
        const margined = { quantity: position, cost: notional(at, position), behind, brackets, basis };
        const found = liquidationPrice(margined, CENT);
        if (found === undefined) {
          assert.ok(isLong);
          assert.equal(isUsedUpAt(CENT, margined), false);
          return;
        }
        assert.ok(isUsedUpAt(found, margined));
        const steps = Math.round(toNumber(found) * 100);
        assert.equal(isUsedUpAt(price(`${steps + (isLong ? 1 : -1)}e-2`), margined), false);
      }),
    );
  });

  test('maintenance grows without a step from bracket to bracket', () => {
    for (const { upTo } of BTC) {
      if (upTo === Infinity) continue;
      const below = toNumber(maintenanceOf(amount(String(upTo)), BTC));
      assert.ok(Math.abs(toNumber(maintenanceOf(amount(`${upTo}.0001`), BTC)) - below) < 0.001);
    }
  });

  test('tiers that do not rise, or end, are refused', () => {
    for (const tiers of [
      [],
      [{ upTo: 10, maintenanceRate: 0.1 }],
      [
        { upTo: 10, maintenanceRate: 0.1 },
        { upTo: Infinity, maintenanceRate: 0.1 },
      ],
      [
        { upTo: 10, maintenanceRate: 0.1 },
        { upTo: 10, maintenanceRate: 0.2 },
        { upTo: Infinity, maintenanceRate: 0.3 },
      ],
      [{ upTo: Infinity, maintenanceRate: 1 }],
    ]) {
      assert.throws(
        () => bracketsFrom('BTC/USDT:USDT', tiers),
        (error: unknown) => error instanceof BallastError && error.code === 'MARGIN_TIERS_INVALID',
      );
    }
  });
});
