// What the venue itself says of an account, asked without a line of src/: plain REST, signed here. The witness of tests that kill sessions.
import { createHmac } from 'node:crypto';

export interface VenueProcess {
  readonly address: string;
  readonly key: string;
  readonly secret: string;
}

export interface WitnessedOrder {
  readonly symbol: string;
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly orderStatus: string;
  readonly stopOrderType: string;
  readonly reduceOnly: boolean;
}

export interface Witnessed {
  /** Signed, by symbol; only what is held. */
  readonly positions: Readonly<Record<string, number>>;
  /** Held without a stop of the whole position. */
  readonly naked: readonly string[];
  readonly open: readonly WitnessedOrder[];
  /** Wallet less what is held at cost: what trading has left in cash. */
  readonly cash: number;
}

interface Row {
  readonly [field: string]: unknown;
}

/** As often as it takes: the venue has faults, and the witness must not. */
const ATTEMPTS = 20;
const WINDOW_MS = '5000';

async function get(venue: VenueProcess, path: string, parameters: Readonly<Record<string, string>>): Promise<Row> {
  const query = new URLSearchParams(parameters).toString();
  let found = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const timestamp = String(Date.now());
    const sign = createHmac('sha256', venue.secret).update(`${timestamp}${venue.key}${WINDOW_MS}${query}`).digest('hex');
    try {
      const response = await fetch(`${venue.address}${path}?${query}`, {
        headers: {
          'X-BAPI-API-KEY': venue.key,
          'X-BAPI-TIMESTAMP': timestamp,
          'X-BAPI-RECV-WINDOW': WINDOW_MS,
          'X-BAPI-SIGN': sign,
        },
        signal: AbortSignal.timeout(3_000),
      });
      found = await response.text();
      const answer = JSON.parse(found) as { readonly retCode: number; readonly result: Row };
      if (answer.retCode === 0) return answer.result;
    } catch (error) {
      // A page, an empty answer, a cut connection: it is asked again.
      found = String(error);
    }
    // Too many visits are answered with a wait: they are the session's visits, too.
    await new Promise((resolve) => setTimeout(resolve, found.includes('10006') ? 500 : 30));
  }
  throw new Error(`${path}: ${found.slice(0, 200)}`);
}

async function list(venue: VenueProcess, path: string, parameters: Readonly<Record<string, string>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor = ''; ;) {
    const page = await get(venue, path, cursor === '' ? parameters : { ...parameters, cursor });
    rows.push(...(page['list'] as Row[]));
    cursor = typeof page['nextPageCursor'] === 'string' ? page['nextPageCursor'] : '';
    if (cursor === '') return rows;
  }
}

export async function witness(venue: VenueProcess): Promise<Witnessed> {
  const held = await list(venue, '/v5/position/list', { category: 'linear', settleCoin: 'USDT' });
  const open = (await list(venue, '/v5/order/realtime', {
    category: 'linear',
    settleCoin: 'USDT',
    openOnly: '0',
  })) as unknown as WitnessedOrder[];
  const [account] = await list(venue, '/v5/account/wallet-balance', { accountType: 'UNIFIED' });
  const coins = account?.['coin'] as readonly Row[];
  let cash = Number(coins.find(({ coin }) => coin === 'USDT')?.['walletBalance']);
  const positions: Record<string, number> = {};
  const naked: string[] = [];
  for (const row of held) {
    const sign = row['side'] === 'Sell' ? -1 : 1;
    if (Number(row['size']) === 0) continue;
    positions[String(row['symbol'])] = sign * Number(row['size']);
    cash -= sign * Number(row['positionValue']);
    if (!(Number(row['stopLoss']) > 0)) naked.push(String(row['symbol']));
  }
  const live = open.filter(({ orderStatus }) => ['New', 'PartiallyFilled', 'Untriggered'].includes(orderStatus));
  return { positions, naked, open: live, cash };
}

/** Our ids that were used for more than one order of the venue, and what executions sum up to, by symbol. */
export async function witnessHistory(
  venue: VenueProcess,
): Promise<{ readonly doubled: readonly string[]; readonly executed: Readonly<Record<string, number>>; readonly orders: number }> {
  const orders = (await list(venue, '/v5/order/history', { category: 'linear', limit: '50' })) as unknown as WitnessedOrder[];
  const byLink = new Map<string, Set<string>>();
  for (const { orderLinkId, orderId } of orders) {
    if (orderLinkId === '') continue;
    byLink.set(orderLinkId, (byLink.get(orderLinkId) ?? new Set()).add(orderId));
  }
  const executed: Record<string, number> = {};
  for (const row of await list(venue, '/v5/execution/list', { category: 'linear', limit: '100' })) {
    if (row['execType'] === 'Funding') continue;
    const symbol = String(row['symbol']);
    executed[symbol] = (executed[symbol] ?? 0) + (row['side'] === 'Sell' ? -1 : 1) * Number(row['execQty']);
  }
  return { doubled: [...byLink].filter(([, ids]) => ids.size > 1).map(([id]) => id), executed, orders: byLink.size };
}

/** The venue's id of the latest trade of the account; empty where there was none. */
export async function newestTrade(venue: VenueProcess): Promise<string> {
  const { list: rows } = await get(venue, '/v5/execution/list', { category: 'linear', limit: '1' });
  const [newest] = rows as readonly { readonly execId: string }[];
  return newest?.execId ?? '';
}

export async function administer(venue: VenueProcess, method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<void> {
  const response = await fetch(`${venue.address}/admin/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
}
