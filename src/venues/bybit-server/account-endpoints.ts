// Accounts and positions over REST: wallet, fees, margin, leverage, stops of a position, executions, closed results, the log.
import type { z } from 'zod';
import { closed, closedList, linear, type Endpoint, type PrivateCall } from './calls.ts';
import type { Held } from './account-books.ts';
import { parameterError } from './refusal.ts';
import {
  closedPnlQuery,
  executionsQuery,
  feeQuery,
  leverageSchema,
  logQuery,
  marginModeSchema,
  positionModeSchema,
  positionsQuery,
  read,
  tradingStopSchema,
  walletQuery,
  type ExecutionsQuery,
} from './requests.ts';
import { rateText } from './listing.ts';
import type { WireCategory } from './wire.ts';

/** Of positions, as Bybit numbers it. */
const HEDGED = 3;

export const accountEndpoints: Readonly<Record<string, Endpoint>> = {
  'GET /v5/user/query-api': closed('account', apiKey),
  'GET /v5/account/info': closed('account', ({ account: { marginMode }, exchange }) => ({
    unifiedMarginStatus: 6,
    marginMode,
    isMasterTrader: false,
    spotHedgingStatus: 'OFF',
    updatedTime: String(exchange.now),
  })),
  'GET /v5/asset/coin/query-info': closed('account', coins),
  'GET /v5/account/wallet-balance': closed('account', wallet),
  'GET /v5/account/fee-rate': closedList('account', feeQuery, fees),
  'GET /v5/account/transaction-log': closed('account', log),
  'POST /v5/account/set-margin-mode': closed('account', ({ account, given }) => {
    account.setMarginMode(read(marginModeSchema, given).setMarginMode);
    return { reasons: [] };
  }),
  'GET /v5/position/list': closedList('query', positionsQuery, positions),
  'POST /v5/position/set-leverage': closed('position', ({ account, given }) => {
    const { symbol, buyLeverage, sellLeverage } = linear(leverageSchema, given);
    account.setLeverage(symbol, buyLeverage, sellLeverage);
    return {};
  }),
  'POST /v5/position/switch-mode': closed('position', ({ account, given }) => {
    const { mode: asked } = linear(positionModeSchema, given);
    account.setPositionMode(asked === HEDGED);
    return {};
  }),
  'POST /v5/position/trading-stop': closed('position', ({ account, given }) => {
    account.setTradingStop(linear(tradingStopSchema, given));
    return {};
  }),
  'GET /v5/execution/list': closedList('query', executionsQuery, executions),
  'GET /v5/position/closed-pnl': closedList('query', closedPnlQuery, closedResults),
};

function apiKey({ account: { settings } }: PrivateCall): object {
  return {
    id: String(settings.uid),
    note: settings.name,
    apiKey: settings.key,
    readOnly: 0,
    secret: '',
    permissions: {
      ContractTrade: ['Order', 'Position'],
      Spot: ['SpotTrade'],
      Wallet: [],
      Options: [],
      Derivatives: ['DerivativesTrade'],
      CopyTrading: [],
      BlockTrade: [],
      Exchange: [],
      NFT: [],
      Affiliate: [],
    },
    ips: ['*'],
    type: 1,
    deadlineDay: 365,
    expiredAt: '2100-01-01T00:00:00Z',
    createdAt: '2026-01-01T00:00:00Z',
    unified: 0,
    uta: 1,
    userID: settings.uid,
    inviterID: 0,
    vipLevel: 'No VIP',
    mktMakerLevel: '0',
    affiliateID: 0,
    rsaPublicKey: '',
    isMaster: true,
    parentUid: '0',
    kycLevel: 'LEVEL_DEFAULT',
    kycRegion: '',
  };
}

function coins({ exchange }: PrivateCall): object {
  const names = new Set(
    exchange.listings.flatMap(({ instrument: { base, quote }, category }) => (category === 'spot' ? [quote, base] : [quote])),
  );
  const rows = [...names].map((coin) => ({ name: coin, coin, remainAmount: '0', chains: [] }));
  return { rows };
}

function wallet({ account, given }: PrivateCall): object {
  const { accountType, coin = '' } = read(walletQuery, given);
  if (accountType !== 'UNIFIED') throw parameterError('accountType only support UNIFIED.');
  const row = account.books.walletRow();
  const wanted = coin.split(',').filter((each) => each !== '');
  return { list: [wanted.length === 0 ? row : { ...row, coin: row.coin.filter((each) => wanted.includes(each.coin)) }] };
}

function fees(
  { exchange }: PrivateCall,
  { category, symbol = '', baseCoin = '' }: z.infer<typeof feeQuery> & { readonly category: WireCategory },
): object {
  const listings = symbol === '' ? exchange.listings : [exchange.listing(symbol, category)];
  const list = listings
    .filter((listing) => listing.category === category)
    .filter(({ instrument }) => baseCoin === '' || instrument.base === baseCoin)
    .map(({ symbol: name, instrument }) => ({
      symbol: name,
      baseCoin: '',
      takerFeeRate: rateText(instrument.takerFeeRate),
      makerFeeRate: rateText(instrument.makerFeeRate),
    }));
  return { list };
}

function log({ account, given }: PrivateCall): object {
  const {
    category = '',
    currency = '',
    baseCoin = '',
    type = '',
    startTime = 0,
    endTime = Infinity,
    limit = 20,
    cursor = '',
  } = read(logQuery, given);
  const page = account.books.log.page(
    ({ at, row }) =>
      at >= startTime &&
      at <= endTime &&
      (category === '' || row.category === category) &&
      (currency === '' || row.currency === currency) &&
      (baseCoin === '' || row.symbol.startsWith(baseCoin)) &&
      (type === '' || row.type === type),
    Math.min(50, Math.max(1, limit)),
    cursor,
  );
  return { list: page.rows.map(({ row }) => row), nextPageCursor: page.nextPageCursor };
}

/** A symbol always has its row, a flat one too; of a coin only what is held. */
function positions({ account, exchange }: PrivateCall, query: z.infer<typeof positionsQuery>): object {
  const { category, symbol = '', baseCoin = '', settleCoin = '' } = query;
  if (category === 'spot') throw parameterError('category only support linear: spot has balances and no positions');
  if (symbol === '' && settleCoin === '' && baseCoin === '') {
    throw parameterError('params error: symbol or settleCoin is required');
  }
  const isMeant = ({ listing, position }: Held): boolean =>
    symbol === ''
      ? position.side !== 0 &&
        (settleCoin === '' || listing.instrument.quote === settleCoin) &&
        (baseCoin === '' || listing.instrument.base === baseCoin)
      : listing.symbol === symbol;
  if (symbol !== '') exchange.listing(symbol);
  const list = account.held.filter(isMeant).map((held) => account.books.positionRow(held));
  return { list, nextPageCursor: '' };
}

function executions({ account }: PrivateCall, query: ExecutionsQuery & { readonly category: WireCategory }): object {
  const { symbol = '', baseCoin = '', orderId = '', orderLinkId = '', execType = '' } = query;
  const { startTime = 0, endTime = Infinity, limit = 50, cursor = '' } = query;
  const page = account.books.executions.page(
    ({ at, category, row }) =>
      category === query.category &&
      at >= startTime &&
      at <= endTime &&
      (symbol === '' || row.symbol === symbol) &&
      (baseCoin === '' || row.symbol.startsWith(baseCoin)) &&
      (orderId === '' || row.orderId === orderId) &&
      (orderLinkId === '' || row.orderLinkId === orderLinkId) &&
      (execType === '' || row.execType === execType),
    Math.min(100, Math.max(1, limit)),
    cursor,
  );
  return { list: page.rows.map(({ row }) => row), nextPageCursor: page.nextPageCursor };
}

/** A row for each order that closed something. */
function closedResults({ account }: PrivateCall, query: z.infer<typeof closedPnlQuery>): object {
  const { category, symbol = '', startTime = 0, endTime = Infinity, limit = 50, cursor = '' } = query;
  if (category === 'spot') return { list: [], nextPageCursor: '' };
  const page = account.books.closings.page(
    ({ at, row }) => at >= startTime && at <= endTime && (symbol === '' || row.symbol === symbol),
    Math.min(100, Math.max(1, limit)),
    cursor,
  );
  return { list: page.rows.map(({ row }) => row), nextPageCursor: page.nextPageCursor };
}
