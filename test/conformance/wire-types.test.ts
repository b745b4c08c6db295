// The payloads of the simulated Bybit venue have the types that bybit-api, which nobody here wrote, gives them: most of this file is for the
// compiler. Where its types are narrower than what Bybit sends, the field is named with what is sent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type {
  AccountOrderV5,
  ClosedPnLV5,
  ExecutionV5,
  LinearInverseInstrumentInfoV5,
  PositionV5,
  PublicTradeV5,
  SpotInstrumentInfoV5,
  TickerLinearInverseV5,
  TransactionLogV5,
  WalletBalanceV5,
  WSAccountOrderV5,
  WSExecutionFastV5,
  WSExecutionV5,
  WSKlineV5,
  WSLiquidationV5,
  WSOrderbookV5,
  WSPositionV5,
  WSTickerSpotV5,
  WSTickerV5,
  WSTradeV5,
  WSWalletV5,
} from 'bybit-api';
import type { Listing } from '../../src/venues/bybit-server/listing.ts';
import type {
  BookData,
  ClosedPnlRow,
  ExecutionEventRow,
  ExecutionRow,
  FastExecutionRow,
  KlineData,
  LiquidationData,
  LogRow,
  OrderEventRow,
  OrderRow,
  PositionEventRow,
  PositionRow,
  TradeData,
  TradeRow,
  WalletRow,
} from '../../src/venues/bybit-server/wire.ts';
import { Bench } from './clients.ts';

/** The row with some fields that may be empty, too: Bybit's own pages show `""` and `0` there for whatever is not conditional. */
type WithEmpty<Row, Fields extends keyof Row> = Omit<Row, Fields | 'smpGroup' | 'cancelType' | 'tpslMode'> & {
  [Field in Exclude<Fields, 'tpslMode'>]: Row[Field] | '' | 0;
} & ('cancelType' extends keyof Row
    ? // Bybit's page of enumerations has these two more, and spot has no mode of take-profits.
      {
        cancelType: Row['cancelType'] | 'CancelBySmp' | 'CancelByDCP';
        tpslMode?: ('tpslMode' extends keyof Row ? Row['tpslMode'] : never) | '';
      }
    : unknown) &
  ('smpGroup' extends keyof Row
    ? // An integer on Bybit's pages and on the wire, a text in the package.
      { smpGroup: number }
    : unknown);
/** Does not compile unless every `Given` is an `Expected`. */
type Is<Expected, Given extends Expected> = Given;

type ConditionalFields = 'stopOrderType' | 'triggerBy' | 'tpTriggerBy' | 'slTriggerBy' | 'triggerDirection';

/** All of them at once: a row that is not what bybit-api says is an error of the compiler here. */
export type Checked = [
  Is<WithEmpty<AccountOrderV5, ConditionalFields>, OrderRow>,
  Is<WithEmpty<WSAccountOrderV5, 'stopOrderType' | 'triggerBy' | 'ocoTriggerType' | 'tpslMode'>, OrderEventRow>,
  Is<WithEmpty<ExecutionV5, 'stopOrderType'>, ExecutionRow>,
  Is<WithEmpty<WSExecutionV5, 'stopOrderType' | 'createType'>, ExecutionEventRow>,
  Is<WSExecutionFastV5, FastExecutionRow>,
  Is<PositionV5, PositionRow>,
  Is<WSPositionV5, PositionEventRow>,
  Is<WalletBalanceV5, WalletRow>,
  Is<WSWalletV5, WalletRow>,
  Is<ClosedPnLV5, ClosedPnlRow>,
  Is<TransactionLogV5, LogRow>,
  Is<PublicTradeV5, TradeRow>,
  Is<LinearInverseInstrumentInfoV5, ReturnType<Listing['info']>>,
  Is<SpotInstrumentInfoV5, ReturnType<Listing['spotInfo']>>,
  Is<WSTickerSpotV5, ReturnType<Listing['spotTicker']>>,
  Is<TickerLinearInverseV5, ReturnType<Listing['ticker']>>,
  Is<WSTickerV5, ReturnType<Listing['ticker']>>,
  Is<WSOrderbookV5, BookData>,
  Is<WSTradeV5, TradeData>,
  Is<WSKlineV5, KlineData>,
  Is<WSLiquidationV5, LiquidationData>,
];

const bench = new Bench(1);
before(() => bench.open());
after(() => bench.close());

/** Fields that are numbers or flags on the wire; all others are texts. */
const NO_TEXTS = new Set(
  'positionIdx riskId tradeMode autoAddMargin adlRankIndicator isReduceOnly openTime seq reduceOnly closeOnTrigger triggerDirection smpGroup isMaker cumFeeDetail coin marginCollateral collateralSwitch'.split(
    ' ',
  ),
);

test('every field that goes out is there, and a text unless its type says otherwise', { timeout: 10_000 }, async () => {
  const account = bench.account();
  const rest = bench.rest(account);
  const order = { category: 'linear', symbol: 'BTCUSDT', qty: '0.01' } as const;
  await rest.submitOrder({ ...order, side: 'Buy', orderType: 'Market', stopLoss: '50000' });
  await rest.submitOrder({ ...order, side: 'Sell', orderType: 'Market' });
  await rest.submitOrder({ ...order, side: 'Buy', orderType: 'Limit', price: '50000' });
  const linear = { category: 'linear', symbol: 'BTCUSDT' } as const;
  const lists = [
    (await rest.getActiveOrders(linear)).result.list,
    (await rest.getHistoricOrders(linear)).result.list,
    (await rest.getExecutionList(linear)).result.list,
    (await rest.getPositionInfo(linear)).result.list,
    (await rest.getWalletBalance({ accountType: 'UNIFIED' })).result.list,
    (await rest.getClosedPnL(linear)).result.list,
    (await rest.getTransactionLog({})).result.list,
    (await rest.getTickers(linear)).result.list,
  ];
  for (const list of lists) {
    assert.ok(list.length > 0);
    for (const row of list) {
      for (const [field, value] of Object.entries(row)) {
        if (!NO_TEXTS.has(field)) assert.equal(typeof value, 'string', `${field} is ${JSON.stringify(value)}`);
        else assert.notEqual(typeof value, 'string', `${field} is ${JSON.stringify(value)}`);
      }
    }
  }
});
