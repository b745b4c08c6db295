// The texts of flags become values here: each parser names the flag, what was found and what is expected.
import { BallastError } from '../domain/errors.ts';
import { parseSymbol } from '../domain/instrument.ts';
import { formatTime, parseSpan, parseTime, SECOND_MS, type TimeMs } from '../domain/time.ts';
import type { Parse } from './definition.ts';

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

export function argumentError(place: string, found: string, expected: string, remedy?: string): BallastError {
  return new BallastError({ code: 'ARGUMENT_INVALID', place, found, expected, exitCode: 2, ...(remedy !== undefined && { remedy }) });
}

export interface Range {
  /** Both ends are allowed. */
  readonly least: number;
  readonly most: number;
}

export function wholeNumber({ least, most }: Range): Parse<number> {
  return (text, place) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw argumentError(place, quoted(text), `a whole number from ${least} to ${most === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : most}`);
  };
}

export function number({ least, most }: Range): Parse<number> {
  return (text, place) => {
    const value = NUMBER.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw argumentError(place, quoted(text), `a number from ${least} to ${most}`);
  };
}

export const seed = wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER });
export const port = wholeNumber({ least: 0, most: 65_535 });

const HIGHEST_SPEED = 1e9;

/** Market seconds per second; Infinity for `max`. */
export const speed: Parse<number> = (text, place) => {
  if (text === 'max') return Infinity;
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (value > 0 && value <= HIGHEST_SPEED) return value;
  throw argumentError(place, quoted(text), 'market seconds per second: a number above 0, at most 1e9, or max');
};

/** Money as a decimal text, because the ledger is exact. */
export const money: Parse<string> = (text, place) => {
  const isDecimal = /^\d{1,15}(\.\d{1,12})?$/.test(text);
  if (isDecimal && Number(text) > 0) return text;
  throw argumentError(place, quoted(text), 'an amount above 0 such as 10000 or 2500.50');
};

export const span: Parse<TimeMs> = (text, place) => asArgument(() => parseSpan(text, place));

/** A bar is at least a second long. */
export const timeframe: Parse<TimeMs> = (text, place) => {
  const spanMs = span(text, place);
  if (spanMs % SECOND_MS === 0 && Number.isSafeInteger(spanMs)) return spanMs;
  throw argumentError(place, quoted(text), 'the length of a bar such as 1m, 15m, 1h or 1d');
};

export const time: Parse<TimeMs> = (text, place) => {
  const at = asArgument(() => parseTime(text, place));
  // The 30th of February is read as the 2nd of March.
  const day = /^(\d{4})-?(\d{2})-?(\d{2})(?=$|[T ])/.exec(text.trim());
  if (day !== null && !formatTime(Date.parse(`${day[1]}-${day[2]}-${day[3]}T00:00:00Z`)).startsWith(`${day[1]}-${day[2]}-${day[3]}`)) {
    throw argumentError(place, quoted(text), 'a day that the calendar has');
  }
  return at;
};

export interface TimeRange {
  readonly fromMs: TimeMs | undefined;
  readonly toMs: TimeMs | undefined;
}

/** `20210101-20230101`, or with one side left open; epoch seconds and milliseconds too. */
export const timeRange: Parse<TimeRange> = (text, place) => {
  const sides = /^(\d{8}|\d{10}|\d{13})?-(\d{8}|\d{10}|\d{13})?$/.exec(text.trim());
  if (sides === null || (sides[1] === undefined && sides[2] === undefined)) {
    throw argumentError(place, quoted(text), 'YYYYMMDD-YYYYMMDD such as 20210101-20230101; one side may be left out');
  }
  const side = (digits: string | undefined): TimeMs | undefined => {
    if (digits === undefined) return undefined;
    return digits.length === 10 ? Number(digits) * SECOND_MS : time(digits, place);
  };
  const range = { fromMs: side(sides[1]), toMs: side(sides[2]) };
  checkOrder(range, place);
  return range;
};

/** `--from` and `--to`, or `--timerange`: from inclusive, to exclusive. */
export function rangeOf(flags: {
  readonly from: TimeMs | undefined;
  readonly to: TimeMs | undefined;
  readonly timerange: TimeRange | undefined;
}): TimeRange {
  if (flags.timerange === undefined) {
    const range = { fromMs: flags.from, toMs: flags.to };
    checkOrder(range, '--from, --to');
    return range;
  }
  if (flags.from === undefined && flags.to === undefined) return flags.timerange;
  throw argumentError('--timerange', `${flags.from === undefined ? '--to' : '--from'} as well`, 'either --timerange or --from and --to');
}

function checkOrder({ fromMs, toMs }: TimeRange, place: string): void {
  if (fromMs === undefined || toMs === undefined || fromMs < toMs) return;
  const found = `${formatTime(fromMs)} to ${formatTime(toMs)}`;
  throw argumentError(place, fromMs === toMs ? `an empty range, ${found}` : `a reversed range, ${found}`, 'the beginning before the end');
}

export const symbol: Parse<string> = (text, place) => {
  parseSymbol(text, place);
  return text;
};

/** What is stored under a symbol may be inverse, or a metric or an option chain of an asset alone: `BTC`. */
export const subject: Parse<string> = (text, place) => {
  if (/^[A-Z0-9]+(?:\/[A-Z0-9]+(?::[A-Z0-9]+)?)?$/.test(text)) return text;
  throw argumentError(place, quoted(text), 'BASE/QUOTE such as BTC/USDT, BASE/QUOTE:SETTLE for a perpetual, or an asset alone such as BTC');
};

export const symbols: Parse<readonly string[]> = (text, place) => {
  const all = list(text, place);
  for (const each of all) parseSymbol(each, place);
  return all;
};

/** Subjects of several legs: the symbols of one are joined by a plus sign. */
export const pairs: Parse<readonly (readonly string[])[]> = (text, place) =>
  list(text, place).map((subject) => {
    const legs = subject.split('+').map((each) => each.trim());
    if (legs.length < 2)
      throw argumentError(place, quoted(subject), 'two symbols or more with a plus sign between them, such as BTC/USDT+ETH/USDT');
    for (const each of legs) parseSymbol(each, place);
    return legs;
  });

/** Undefined for `all`. */
export function orAll<Value>(parse: Parse<readonly Value[]>): Parse<readonly Value[] | undefined> {
  return (text, place) => (text.trim() === 'all' ? undefined : parse(text, place));
}

export const timeframes: Parse<readonly TimeMs[]> = (text, place) => list(text, place).map((each) => timeframe(each, place));

/** Words with commas between them, each once. */
export const list: Parse<readonly string[]> = (text, place) => {
  const all = text.split(',').map((each) => each.trim());
  if (all.includes('')) throw argumentError(place, quoted(text), 'words with commas between them');
  const twice = all.find((each, index) => all.indexOf(each) !== index);
  if (twice !== undefined) throw argumentError(place, `${quoted(twice)} twice`, 'each once');
  return all;
};

export const word: Parse<string> = (text, place) => {
  if (text.trim() !== '') return text;
  throw argumentError(place, quoted(text), 'a word that is not empty');
};

/** For a flag that only some uses of its command need. @throws BallastError OPTION_MISSING */
export function needed<Value>(value: Value | undefined, spec: string, about: string): Value {
  if (value !== undefined) return value;
  throw new BallastError({
    code: 'OPTION_MISSING',
    place: spec.split(' ')[0] ?? spec,
    found: 'nothing',
    expected: spec,
    remedy: about,
    exitCode: 2,
  });
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Parse<Choice> {
  return (text, place) => {
    const choice = choices.find((each) => each === text);
    if (choice !== undefined) return choice;
    throw argumentError(place, quoted(text), choices.length === 1 ? `${choices[0] ?? ''}` : `one of ${choices.join(', ')}`);
  };
}

/** An id as ccxt has them; whether ccxt has this one is found when it is loaded. */
export const venueId: Parse<string> = (text, place) => {
  if (/^[a-z0-9]{2,32}$/.test(text)) return text;
  throw argumentError(place, quoted(text), 'bybit, or an id of ccxt such as binanceusdm, coinbase, kraken');
};

export const webSocketAddress: Parse<string> = (text, place) => {
  const address = URL.parse(text);
  if (address !== null && (address.protocol === 'ws:' || address.protocol === 'wss:')) return text;
  throw argumentError(place, quoted(text), 'an address such as ws://127.0.0.1:8080');
};

/** The domain's parsers do not know that their text was an argument. */
function asArgument<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof BallastError) throw argumentError(error.place, error.found, error.expected, error.remedy);
    throw error;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Of a server; what it holds beside scheme, host and port is nothing of an address. */
export const httpAddress: Parse<string> = (text, place) => {
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.pathname === '/';
  if (isPlain) return url.origin;
  throw argumentError(place, JSON.stringify(text), 'an address such as http://127.0.0.1:8099, without user or password');
};
