// Which series a file of market data holds, by its name: exchanges, archives and freqtrade put it there, each in its own way. What a name
// leaves open is refused, never guessed: bars under a wrong symbol look like good ones.
import { basename, dirname } from 'node:path';
import { BallastError } from '../domain/errors.ts';
import { parseSpan, type TimeMs } from '../domain/time.ts';
import type { Kind } from './data-kinds.ts';

export type Market = 'spot' | 'linear';

export interface NameRequest {
  readonly kind: Kind;
  /** For names that do not tell; undefined refuses those. */
  readonly market: Market | undefined;
  /** For names that do not tell, and held against those that do. */
  readonly timeframeMs: TimeMs | undefined;
}

export interface NamedSeries {
  /** ccxt's spelling, or an asset alone for metrics and options. */
  readonly symbol: string;
  /** Of bars, and of marks and indices that stand in bars. */
  readonly timeframeMs: TimeMs | undefined;
}

/** What is paid with, where base and quote stand together: `BTCUSDT`. */
const QUOTES = ['USDT', 'USDC', 'FDUSD', 'BUSD', 'TUSD', 'USD', 'EUR', 'BTC', 'ETH', 'BNB'];
const OF_ASSETS: readonly Kind[] = ['metric', 'option-chain', 'option-trades'];
const OF_DERIVATIVES: readonly Kind[] = ['funding', 'mark', 'index', 'open-interest'];
const IN_BARS: readonly Kind[] = ['bars', 'mark', 'index'];
const MARKET_WORDS: Readonly<Record<string, Market>> = {
  spot: 'spot',
  perp: 'linear',
  perpetual: 'linear',
  swap: 'linear',
  linear: 'linear',
  futures: 'linear',
  usdm: 'linear',
  um: 'linear',
};

/** @throws BallastError NAME_AMBIGUOUS where the name, and what is given beside it, do not say which series it is */
export function seriesOfName(path: string, request: NameRequest): NamedSeries {
  // 2022-12-13 is a date, and 5m of it no length of bars; what is left of a name are its words.
  const stem = basename(path).replace(/(\.[a-z]\w*)+$/, '');
  const words = stem.split(/[-_. ]+/);
  const folderWords = basename(dirname(path)).split(/[-_. ]+/);
  const timeframeMs = IN_BARS.includes(request.kind) ? timeframeOf(path, words, request) : undefined;
  const [first = ''] = words;
  if (OF_ASSETS.includes(request.kind)) {
    if (/^[A-Z0-9]+$/.test(first)) return { symbol: first, timeframeMs };
    throw ambiguous(path, `${JSON.stringify(first)} at its beginning`, 'an asset in capital letters, such as BTC_2024.csv');
  }
  const { base, quote, settle } = pairOf(path, words);
  const market = settle === undefined ? marketOf(path, words, folderWords, request) : 'linear';
  return { symbol: market === 'linear' ? `${base}/${quote}:${settle ?? quote}` : `${base}/${quote}`, timeframeMs };
}

/** `BTCUSDT`, `BTC-USDT` and `BTC_USDT`, and with what it settles in `BTC_USDT_USDT`. */
function pairOf(path: string, words: readonly string[]): { base: string; quote: string; settle: string | undefined } {
  const [first = '', second = '', third = ''] = words;
  if (/^[A-Z0-9]+$/.test(first) && QUOTES.includes(second)) {
    return { base: first, quote: second, settle: QUOTES.includes(third) ? third : undefined };
  }
  const readings = /^[A-Z0-9]+$/.test(first) ? QUOTES.filter((quote) => first.endsWith(quote) && first.length > quote.length) : [];
  const [quote, ...others] = readings;
  if (quote === undefined) {
    throw ambiguous(path, 'no symbol at its beginning', 'a name such as BTCUSDT_1h.csv, BTC-USDT_1h.csv or BTC_USDT-1h.feather');
  }
  if (others.length === 0) return { base: first.slice(0, -quote.length), quote, settle: undefined };
  const all = readings.map((each) => `${first.slice(0, -each.length)}/${each}`);
  throw ambiguous(path, `a symbol that can be read as ${all.join(' or ')}`, 'one reading, as of BTC-USDT');
}

function marketOf(path: string, words: readonly string[], folderWords: readonly string[], { kind, market }: NameRequest): Market {
  const said = new Set([...words, ...folderWords].flatMap((word) => MARKET_WORDS[word.toLowerCase()] ?? []));
  if (OF_DERIVATIVES.includes(kind)) said.add('linear');
  if (market !== undefined) said.add(market);
  const [only, ...others] = said;
  if (only !== undefined && others.length === 0) return only;
  const found = only === undefined ? 'nothing that says whether it is spot or a perpetual' : 'a word for spot and one for a perpetual';
  throw ambiguous(path, found, 'spot or perp in its name or in that of its folder, or --market spot or --market linear');
}

function timeframeOf(path: string, words: readonly string[], { timeframeMs: given }: NameRequest): TimeMs {
  const said = new Set(words.filter((word) => /^\d+[smhdw]$/.test(word)).map((word) => parseSpan(word)));
  if (given !== undefined) said.add(given);
  const [only, ...others] = said;
  if (only !== undefined && others.length === 0) return only;
  const found = only === undefined ? 'nothing that says how long its bars are' : 'several lengths of bars';
  throw ambiguous(path, found, 'one such as 1h in its name, or --timeframe');
}

function ambiguous(path: string, found: string, expected: string): BallastError {
  return new BallastError({
    code: 'NAME_AMBIGUOUS',
    place: path,
    found,
    expected,
    remedy: 'nothing was imported; name its symbol with --symbol',
    exitCode: 2,
  });
}
