import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  negate,
  notional,
  price,
  proportion,
  quantity,
  roundToStep,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
} from '../domain/decimal.ts';
import { layOut, type Sleeve } from '../domain/sleeve.ts';
import { Portfolio } from './portfolio.ts';

const SLEEVES: readonly Sleeve[] = [
  { name: 'a', shareRatio: 1 / 3, instruments: [0], sources: [] },
  { name: 'b', shareRatio: 1 / 3, instruments: [0], sources: [] },
  { name: 'pair', shareRatio: 1 / 3, instruments: [1, 0], sources: [] },
];
const HOLDINGS = layOut(SLEEVES, 2);
const LOT = quantity('0.001');

function portfolio(capital = '10000'): Portfolio {
  const made = new Portfolio(SLEEVES, HOLDINGS, 2, amount(capital), [LOT, LOT]);
  made.markAt(0, 100);
  made.markAt(1, 50);
  return made;
}

const texts = (values: readonly Amount[]): string[] => values.map(format);
const held = (of: Portfolio): string[] => of.quantity.map(format);

describe('one booking', () => {
  test('the capital is split downward, and what no sleeve has is the reserve', () => {
    const sixths = layOut(
      Array.from({ length: 6 }, () => SLEEVES[0] ?? assert.fail()),
      1,
    );
    const made = new Portfolio(
      Array.from({ length: 6 }, (_, index) => ({ name: String(index), shareRatio: 1 / 6, instruments: [0], sources: [] })),
      sixths,
      1,
      amount('1000000'),
    );
    assert.equal(format(made.totalCash()), '1000000');
    assert.ok(signOf(made.cash.at(-1) ?? ZERO_AMOUNT) >= 0, 'the reserve is not in debt');
    assert.equal(made.equity, 1_000_000);
  });

  test('opening, adding, closing in part and in full move cash, cost and what is realised', () => {
    const made = portfolio();
    const cash = made.cash[0] ?? ZERO_AMOUNT;
    made.book(0, [{ holding: 0, quantity: quantity('1') }], price('100'), amount('0.1'));
    made.book(0, [{ holding: 0, quantity: quantity('1') }], price('110'), amount('0.1'));
    assert.equal(made.entryPrice[0], 105);
    made.book(0, [{ holding: 0, quantity: quantity('-0.5') }], price('120'), amount('0.1'));
    assert.deepEqual([format(made.realised[0] ?? ZERO_AMOUNT), made.entryPrice[0], made.held[0], made.netHeld[0]], ['7.5', 105, 1.5, 1.5]);
    made.book(0, [{ holding: 0, quantity: quantity('-1.5') }], price('100'), amount('0.1'));
    assert.deepEqual([format(made.realised[0] ?? ZERO_AMOUNT), format(made.cost[0] ?? ZERO_AMOUNT), made.entryPrice[0]], ['0', '0', NaN]);
    assert.equal(format(subtract(made.cash[0] ?? ZERO_AMOUNT, cash)), '-0.4');
    assert.equal(format(made.fees[0] ?? ZERO_AMOUNT), '0.4');
  });

  test('closing more than is held flips the position', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('1') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 0, quantity: quantity('-3') }], price('90'), ZERO_AMOUNT);
    assert.deepEqual(
      [format(made.realised[0] ?? ZERO_AMOUNT), made.entryPrice[0], format(made.cost[0] ?? ZERO_AMOUNT)],
      ['-10', 90, '-180'],
    );
    made.book(0, [{ holding: 0, quantity: quantity('2') }], price('80'), ZERO_AMOUNT);
    assert.deepEqual([format(made.realised[0] ?? ZERO_AMOUNT), held(made)[0]], ['10', '0']);
  });

  test('fee and notional of a divided fill are those of the whole, the remainder to the last', () => {
    const made = portfolio();
    const before = made.totalCash();
    const third = quantity('0.333333333333');
    const bookings = [0, 1, 3].map((holding) => ({ holding, quantity: third }));
    made.book(0, bookings, price('1.7'), amount('0.0000000001'));
    const paid = add(notional(price('1.7'), quantity('0.999999999999')), amount('0.0000000001'));
    assert.equal(format(subtract(before, made.totalCash())), format(paid));
    assert.deepEqual(texts(made.fees), ['0.000000000033', '0.000000000033', '0.000000000034']);
  });

  test('a booking is of its own instrument', () => {
    assert.throws(() => portfolio().book(1, [{ holding: 0, quantity: quantity('1') }], price('1'), ZERO_AMOUNT), /of its own instrument/);
  });
});

describe('crossings', () => {
  test('move quantity between sleeves and leave the money of the whole as it was', () => {
    const made = portfolio();
    made.cross(
      0,
      [
        { sleeve: 0, leg: 0, quantity: quantity('0.333333333333') },
        { sleeve: 1, leg: 0, quantity: quantity('0.333333333333') },
        { sleeve: 2, leg: 1, quantity: quantity('-0.666666666666') },
      ],
      price('1.7'),
    );
    assert.deepEqual(held(made), ['0.333333333333', '0.333333333333', '0', '-0.666666666666']);
    assert.equal(format(made.totalCash()), '10000');
    assert.equal(format(made.net[0] ?? ZERO_QUANTITY), '0');
  });

  test('are refused when their parts do not sum to zero', () => {
    assert.throws(() => portfolio().cross(0, [{ sleeve: 0, leg: 0, quantity: quantity('1') }], price('1')), /sum to zero/);
  });
});

describe('the disaster stop', () => {
  const opposed = (): Portfolio => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('3') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 1, quantity: quantity('-1') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 3, quantity: quantity('0.003') }], price('100'), ZERO_AMOUNT);
    return made;
  };

  test('closes everyone when all of the net was filled, whoever was on the other side', () => {
    const made = opposed();
    const bookings = made.bookDisaster(0, quantity('2.003'), price('80'), amount('5'));
    assert.deepEqual(
      bookings.map((booking) => [booking.holding, format(booking.quantity)]),
      [
        [0, '-3'],
        [1, '1'],
        [3, '-0.003'],
      ],
    );
    assert.deepEqual(held(made), ['0', '0', '0', '0']);
    // By absolute quantity: 3, 1 and 0.003 of 4.003.
    assert.deepEqual(texts(made.fees), ['3.747189607794', '1.249063202598', '0.003747189608']);
  });

  test('scales everyone by what was not filled, in whole lots', () => {
    const made = opposed();
    made.bookDisaster(0, quantity('1'), price('80'), ZERO_AMOUNT);
    assert.deepEqual(held(made), ['1.503', '-0.501', '0', '0.001']);
    assert.equal(format(made.net[0] ?? ZERO_QUANTITY), '1.003');
  });

  test('of a short it buys', () => {
    const made = portfolio();
    made.book(0, [{ holding: 1, quantity: quantity('-1') }], price('100'), ZERO_AMOUNT);
    made.bookDisaster(0, quantity('0.25'), price('120'), ZERO_AMOUNT);
    assert.deepEqual(held(made), ['0', '-0.75', '0', '0']);
  });

  test('a fill that overtook the one of its entry is not lost, and its side is the order’s own', () => {
    const made = portfolio();
    made.bookDisaster(0, quantity('1'), price('80'), ZERO_AMOUNT, 'sell');
    assert.deepEqual(held(made), ['-1', '0', '0', '0']);
    made.book(0, [{ holding: 1, quantity: quantity('1') }], price('100'), ZERO_AMOUNT);
    assert.equal(format(made.net[0] ?? ZERO_QUANTITY), '0');
    made.bookDisaster(0, quantity('1'), price('80'), ZERO_AMOUNT);
    assert.equal(held(made)[0], '0', 'without a side and without a net it is taken as a purchase');
  });

  test('a fill of more than is held is not lost either', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('1') }], price('100'), ZERO_AMOUNT);
    made.bookDisaster(0, quantity('1.5'), price('80'), ZERO_AMOUNT);
    assert.deepEqual(held(made), ['-0.5', '0', '0', '0']);
  });
});

describe('funding', () => {
  test('is divided in proportion to what the sleeves hold, the remainder to the last', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('3') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 1, quantity: quantity('-1') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 3, quantity: quantity('1') }], price('100'), ZERO_AMOUNT);
    const cash = made.totalCash();
    made.payFunding(0, amount('-1'));
    assert.deepEqual(texts(made.funding), ['-1', '0.333333333333', '-0.333333333333']);
    assert.equal(format(subtract(made.totalCash(), cash)), '-1');
  });

  test('that arrives when all is flat is the reserve’s', () => {
    const made = portfolio();
    const reserve = made.cash.at(-1) ?? ZERO_AMOUNT;
    made.payFunding(0, amount('-1'));
    assert.equal(format(subtract(made.cash.at(-1) ?? ZERO_AMOUNT, reserve)), '-1');
  });

  test('on sleeves that cancel out falls to the first: somebody has to have it', () => {
    const made = portfolio();
    made.cross(
      0,
      [
        { sleeve: 0, leg: 0, quantity: quantity('1') },
        { sleeve: 1, leg: 0, quantity: quantity('-1') },
      ],
      price('100'),
    );
    made.payFunding(0, amount('-1'));
    assert.deepEqual(texts(made.funding), ['-1', '0', '0']);
  });
});

describe('a transfer', () => {
  test('takes from each what it would have if it closed at cost, the last gets the remainder, and what comes back restores them', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('30') }], price('100'), amount('3'));
    made.markAt(0, 110);
    const before = [made.cash, made.givenCash].map(texts);
    made.transfer(amount('-1000'));
    const taken = made.givenCash.map((given, part) => toNumber(subtract(amount(before[1]?.[part] ?? ''), given)));
    // Of 9,997: a third of the capital each, less the fee that the first has paid.
    [3_330 + 1 / 3, 3_333 + 1 / 3, 3_333 + 1 / 3, 0].forEach((has, part) => {
      assert.ok(Math.abs((taken[part] ?? NaN) - (1_000 * has) / 9_997) < 1e-8, String(taken));
    });
    assert.deepEqual([made.totalCash(), made.totalGiven()].map(format), ['5997', '9000']);
    assert.equal(made.equity, 9_297);
    made.transfer(amount('400'));
    assert.deepEqual([made.totalCash(), made.totalGiven()].map(format), ['6397', '9400']);
    made.transfer(amount('600'));
    assert.deepEqual([made.cash, made.givenCash].map(texts), before);
    assert.deepEqual([made.realised, made.fees, made.funding].map(texts), [
      ['0', '0', '0'],
      ['3', '0', '0'],
      ['0', '0', '0'],
    ]);
  });

  test('takes nothing from a sleeve that has lost what it was given', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('100') }], price('100'), ZERO_AMOUNT);
    made.book(0, [{ holding: 0, quantity: quantity('-100') }], price('60'), ZERO_AMOUNT);
    const first = made.givenCash[0];
    made.transfer(amount('-5000'));
    assert.equal(made.givenCash[0], first);
    assert.equal(format(made.totalGiven()), '5000');
  });

  test('where nobody has anything left, falls to what no sleeve has', () => {
    const made = portfolio('300');
    for (const holding of [0, 1, 3]) {
      made.book(0, [{ holding, quantity: quantity('10') }], price('100'), ZERO_AMOUNT);
      made.book(0, [{ holding, quantity: quantity('-10') }], price('80'), ZERO_AMOUNT);
    }
    made.transfer(negate(made.cash.at(-1) ?? ZERO_AMOUNT));
    const before = [...made.givenCash];
    made.transfer(amount('-40'));
    assert.deepEqual(texts(made.givenCash), texts([...before.slice(0, -1), subtract(before.at(-1) ?? ZERO_AMOUNT, amount('40'))]));
    assert.ok(Math.abs(made.equity + 340) < 1e-6, String(made.equity));
  });
});

describe('marks', () => {
  test('move the estimate of equity by what is held', () => {
    const made = portfolio();
    made.book(0, [{ holding: 0, quantity: quantity('2') }], price('100'), ZERO_AMOUNT);
    made.markAt(0, 110);
    made.markAt(1, 60);
    assert.equal(made.equity, 10_020);
    assert.equal(made.mark[1], 60);
  });
});

// ---- at random ---------------------------------------------------------------------------------------------------------------

const lots = (least: number, most: number): fc.Arbitrary<string> =>
  fc.integer({ min: least, max: most }).map((count) => (count * 0.001).toFixed(3));
const prices = fc.integer({ min: 1, max: 20_000_000 }).map((ticks) => (ticks / 100).toFixed(2));
const fees = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((units) => (units / 1e9).toFixed(9));
const trade = fc.oneof(
  fc.record({
    kind: fc.constant('fill' as const),
    instrument: fc.constantFrom(0, 1),
    sizes: fc.array(lots(-5_000, 5_000), { minLength: 3, maxLength: 3 }),
    at: prices,
    fee: fees,
  }),
  fc.record({ kind: fc.constant('crossing' as const), sizes: fc.tuple(lots(-5_000, 5_000), lots(-5_000, 5_000)), at: prices }),
  fc.record({ kind: fc.constant('disaster' as const), percent: fc.integer({ min: 1, max: 100 }), at: prices, fee: fees }),
  fc.record({ kind: fc.constant('funding' as const), instrument: fc.constantFrom(0, 1), payment: fees }),
  // Of the capital: what the account has, more or less than that.
  fc.record({
    kind: fc.constant('transfer' as const),
    money: fc.integer({ min: 0, max: 2_000_000_000 }).map((units) => (units / 1e5).toFixed(12)),
  }),
  fc.record({ kind: fc.constant('mark' as const), instrument: fc.constantFrom(0, 1), at: prices }),
);

const CAPITAL = amount('12345.678901');

/** What brings a portfolio of that capital to what there is, and never above its capital. */
function transferTo(money: string, { givenCash }: Portfolio): Amount {
  const most = compare(amount(money), CAPITAL) < 0 ? amount(money) : CAPITAL;
  return subtract(most, givenCash.reduce(add));
}

test('over random trades nothing is lost and nothing is made up: positions, cash and P&L are exact, by sleeve and as a whole', () => {
  fc.assert(
    fc.property(fc.array(trade, { maxLength: 40 }), fc.nat(40), (trades, cut) => {
      let made = portfolio(format(CAPITAL));
      let again: Portfolio | undefined;
      // The witness keeps one account for the whole, as a venue does.
      let cash = CAPITAL;
      let given = CAPITAL;
      const position = [ZERO_QUANTITY, ZERO_QUANTITY];
      trades.forEach((each, index) => {
        const act = (on: Portfolio): void => {
          if (each.kind === 'mark') on.markAt(each.instrument, Number(each.at));
          else if (each.kind === 'transfer') on.transfer(transferTo(each.money, on));
          else if (each.kind === 'funding') on.payFunding(each.instrument, amount(each.payment));
          else if (each.kind === 'crossing') {
            const [first, second] = each.sizes.map((text) => quantity(text));
            assert.ok(first !== undefined && second !== undefined);
            on.cross(
              0,
              [
                { sleeve: 0, leg: 0, quantity: first },
                { sleeve: 1, leg: 0, quantity: second },
                { sleeve: 2, leg: 1, quantity: negate(add(first, second)) },
              ],
              price(each.at),
            );
          } else if (each.kind === 'fill') {
            const bookings = (HOLDINGS.ofInstrument[each.instrument] ?? []).map((holding, place) => ({
              holding,
              quantity: quantity(each.sizes[place] ?? '0'),
            }));
            on.book(each.instrument, bookings, price(each.at), amount(each.fee));
          } else {
            const net = absolute(on.net[0] ?? ZERO_QUANTITY);
            const filled = each.percent === 100 ? net : roundToStep(proportion(net, quantity(String(each.percent)), quantity('100')), LOT);
            if (isZero(filled)) return;
            const before = [...on.quantity];
            on.bookDisaster(0, filled, price(each.at), amount(each.fee));
            on.quantity.forEach((after, holding) => {
              const old = before[holding] ?? ZERO_QUANTITY;
              assert.ok(compare(absolute(after), absolute(old)) <= 0 && signOf(after) * signOf(old) >= 0, 'everyone shrinks, nobody flips');
              if (each.percent === 100 && HOLDINGS.instrument[holding] === 0) assert.ok(isZero(after));
              // The fraction, to within a lot for each of the three that share it.
              if (HOLDINGS.instrument[holding] !== 0) return;
              const left = 1 - toNumber(filled) / toNumber(net);
              assert.ok(Math.abs(toNumber(after) - toNumber(old) * left) <= 0.003 + 1e-9);
            });
          }
        };
        const moved = each.kind === 'transfer' ? transferTo(each.money, made) : ZERO_AMOUNT;
        cash = add(cash, moved);
        given = add(given, moved);
        const earned = [made.realised, made.fees, made.funding].map(texts);
        const net = absolute(made.net[0] ?? ZERO_QUANTITY);
        const side = signOf(made.net[0] ?? ZERO_QUANTITY);
        act(made);
        if (again !== undefined) act(again);
        if (each.kind === 'transfer') {
          assert.deepEqual([made.realised, made.fees, made.funding].map(texts), earned, 'a transfer is no P&L, no fee and no funding');
          if (compare(given, CAPITAL) === 0) assert.deepEqual(texts(made.givenCash), texts(portfolio(format(CAPITAL)).givenCash));
          made.givenCash.forEach((now, part) => {
            const start = portfolio(format(CAPITAL)).givenCash[part] ?? ZERO_AMOUNT;
            assert.ok(compare(now, start) <= 0, 'nobody is given more than at the start');
          });
        }
        assert.equal(format(made.totalGiven()), format(given), 'the sleeves were given what the portfolio was');
        if (each.kind === 'funding') cash = add(cash, amount(each.payment));
        if (each.kind === 'fill') {
          let whole = ZERO_QUANTITY;
          for (const text of (HOLDINGS.ofInstrument[each.instrument] ?? []).map((_, place) => each.sizes[place] ?? '0'))
            whole = add(whole, quantity(text));
          cash = subtract(subtract(cash, notional(price(each.at), whole)), amount(each.fee));
          position[each.instrument] = add(position[each.instrument] ?? ZERO_QUANTITY, whole);
        }
        if (each.kind === 'disaster') {
          const after = absolute(made.net[0] ?? ZERO_QUANTITY);
          const closed = side > 0 ? subtract(after, net) : subtract(net, after);
          if (!isZero(closed)) cash = subtract(subtract(cash, notional(price(each.at), closed)), amount(each.fee));
          position[0] = add(position[0] ?? ZERO_QUANTITY, closed);
        }
        assert.equal(format(made.totalCash()), format(cash), 'cash of the sleeves is the cash of the venue');
        HOLDINGS.ofInstrument.forEach((owners, instrument) => {
          let sum = ZERO_QUANTITY;
          for (const holding of owners) sum = add(sum, made.quantity[holding] ?? ZERO_QUANTITY);
          assert.equal(format(sum), format(position[instrument] ?? ZERO_QUANTITY));
          assert.equal(format(sum), format(made.net[instrument] ?? ZERO_QUANTITY));
          assert.equal(made.netHeld[instrument], toNumber(sum));
        });
        SLEEVES.forEach((sleeve, index_) => {
          const first = HOLDINGS.first[index_] ?? 0;
          let cost = ZERO_AMOUNT;
          sleeve.instruments.forEach((_, leg) => {
            cost = add(cost, made.cost[first + leg] ?? ZERO_AMOUNT);
            if (isZero(made.quantity[first + leg] ?? ZERO_QUANTITY))
              assert.ok(isZero(made.cost[first + leg] ?? ZERO_AMOUNT), 'what is flat has cost nothing');
          });
          const won = subtract(made.cash[index_] ?? ZERO_AMOUNT, made.givenCash[index_] ?? ZERO_AMOUNT);
          // realised - fees + funding + open: what is open is worth its value less its cost, so that cash alone is short of the cost.
          const told = subtract(
            add(subtract(made.realised[index_] ?? ZERO_AMOUNT, made.fees[index_] ?? ZERO_AMOUNT), made.funding[index_] ?? ZERO_AMOUNT),
            cost,
          );
          assert.equal(format(won), format(told), `the P&L of ${sleeve.name}`);
        });
        const marked =
          toNumber(made.totalCash()) + (made.netHeld[0] ?? NaN) * (made.mark[0] ?? NaN) + (made.netHeld[1] ?? NaN) * (made.mark[1] ?? NaN);
        assert.ok(Math.abs(made.equity - marked) <= 1e-9 * (1 + Math.abs(marked) + 1e7));
        if (index === cut) {
          const out = new ByteWriter();
          made.save(out);
          again = portfolio(format(CAPITAL));
          again.restore(new ByteReader(out.view().slice()));
        }
      });
      if (again === undefined) return;
      const left = new ByteWriter();
      const right = new ByteWriter();
      made.save(left);
      again.save(right);
      assert.deepEqual(right.view(), left.view(), 'restored, it goes on bit by bit');
      assert.deepEqual([again.held, again.netHeld, again.equity], [made.held, made.netHeld, made.equity]);
      made = again;
    }),
    { numRuns: 300 },
  );
});
