// Which column of a CSV file is which: guessed from the header, or named with `--columns`.
import { BallastError } from '../../domain/errors.ts';

export const COLUMN_ROLES = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];

/** The header's name of each column that is not to be guessed. */
export type ColumnNames = Readonly<Partial<Record<ColumnRole, string>>>;

/** Likelier names first: where a file has both `open_time` and `date`, the first is the bar's open. */
const GUESSES: Readonly<Record<ColumnRole, readonly string[]>> = {
  time: ['open_time', 'opentime', 'open_at', 'timestamp', 'unix', 'unix_timestamp', 'time', 'datetime', 'date_time', 'date', 'ts', 't'],
  open: ['open', 'open_price', 'o'],
  high: ['high', 'high_price', 'h'],
  low: ['low', 'low_price', 'l'],
  close: ['close', 'close_price', 'c'],
  volume: ['volume', 'volume_base', 'base_volume', 'volumefrom', 'vol', 'v'],
};

/** Reads `time=open_time,volume=Volume BTC`. @throws BallastError COLUMNS_MALFORMED */
export function parseColumnNames(text: string, place = '--columns'): ColumnNames {
  const names: Partial<Record<ColumnRole, string>> = {};
  for (const part of text.split(',')) {
    const [key = '', ...rest] = part.split('=');
    const role = COLUMN_ROLES.find((name) => name === key.trim());
    const name = rest.join('=').trim();
    if (role === undefined || name === '') {
      throw new BallastError({
        code: 'COLUMNS_MALFORMED',
        place,
        found: JSON.stringify(part),
        expected: `ROLE=NAME with a role of ${COLUMN_ROLES.join(', ')} and a name of the header, such as time=open_time,volume=vol`,
        exitCode: 2,
      });
    }
    names[role] = name;
  }
  return names;
}

/** The separator that splits the header into the most names. */
export function guessDelimiter(header: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}

/** Whether a line could be the header: it names at least a time and a close. Some files have a line of advertising above it. */
export function looksLikeHeader(names: readonly string[], wanted: ColumnNames): boolean {
  return placeOf('time', names, wanted) >= 0 && placeOf('close', names, wanted) >= 0;
}

/** The place of each role among the header's names. @throws BallastError COLUMNS_UNKNOWN */
export function findColumns(names: readonly string[], wanted: ColumnNames, place: string): Record<ColumnRole, number> {
  const found = { time: -1, open: -1, high: -1, low: -1, close: -1, volume: -1 };
  for (const role of COLUMN_ROLES) {
    found[role] = placeOf(role, names, wanted);
    if (found[role] >= 0) continue;
    const name = wanted[role];
    throw new BallastError({
      code: 'COLUMNS_UNKNOWN',
      place,
      found: `the columns ${names.map((header) => JSON.stringify(header)).join(', ')}`,
      expected:
        name === undefined
          ? `one for ${role}, such as ${GUESSES[role].slice(0, 3).join(', ')}`
          : `a column ${JSON.stringify(name)} for ${role}`,
      remedy: `name it with --columns ${role}=NAME`,
      exitCode: 2,
    });
  }
  return found;
}

function placeOf(role: ColumnRole, names: readonly string[], wanted: ColumnNames): number {
  const name = wanted[role];
  if (name !== undefined) {
    const exact = names.indexOf(name);
    return exact >= 0 ? exact : names.findIndex((header) => plain(header) === plain(name));
  }
  const headers = names.map(plain);
  for (const guess of GUESSES[role]) if (headers.includes(guess)) return headers.indexOf(guess);
  return -1;
}

function plain(header: string): string {
  return header
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}
