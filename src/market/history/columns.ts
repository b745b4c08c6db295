// Which column of a CSV file is which: guessed from the header, or named with `--columns`.
import { BallastError } from '../../domain/errors.ts';

/** `buyer-rested` is Binance's way to say a taker's side; `id` is a number, or a UUID; `word` anything. */
export type FieldType = 'time' | 'number' | 'side' | 'buyer-rested' | 'id' | 'word';

export interface Field {
  readonly role: string;
  readonly type: FieldType;
  /** What the header may call it, likelier names first: where a file has both `open_time` and `date`, the first is the bar's open. */
  readonly guesses: readonly string[];
  /** In words, for what is none. */
  readonly expected: string;
  /** The file may do without the column, and a row without a value. */
  readonly isOptional: boolean;
}

/** What is to be read of a file. */
export interface CsvLayout {
  readonly fields: readonly Field[];
  /** Roles that a line must name to be the header. */
  readonly marks: readonly string[];
  /** The names of a file that begins with a row, from the texts of that row; undefined when it is none. */
  readonly namesOf?: (texts: readonly string[]) => readonly string[] | undefined;
  /** Makes a field of every column that is none of the others, such as the metrics of an asset. */
  readonly others?: (header: string) => Field;
}

/** The header's name of each column that is not to be guessed, by role. */
export type ColumnNames = Readonly<Record<string, string>>;

export const EXPECTED_TIME = 'ISO-8601 (UTC unless it names an offset), or seconds, milliseconds, microseconds or nanoseconds since 1970';
export const TIME_GUESSES = [
  'open_time',
  'opentime',
  'open_at',
  'timestamp',
  'unix',
  'unix_timestamp',
  'time',
  'datetime',
  'date_time',
  'date',
  'ts',
  't',
];

const price = (role: string, ...guesses: string[]): Field => {
  return { role, type: 'number', guesses: [role, ...guesses], expected: 'a finite price above 0', isOptional: false };
};

export const BAR_LAYOUT: CsvLayout = {
  fields: [
    { role: 'time', type: 'time', guesses: TIME_GUESSES, expected: `the time the bar opened: ${EXPECTED_TIME}`, isOptional: false },
    price('open', 'open_price', 'o'),
    price('high', 'high_price', 'h'),
    price('low', 'low_price', 'l'),
    price('close', 'close_price', 'c'),
    {
      role: 'volume',
      type: 'number',
      guesses: ['volume', 'volume_base', 'base_volume', 'volumefrom', 'vol', 'v'],
      expected: 'a finite volume of 0 or more',
      isOptional: false,
    },
  ],
  marks: ['time', 'close'],
};

/** Reads `time=open_time,volume=Volume BTC`. @throws BallastError COLUMNS_MALFORMED */
export function parseColumnNames(text: string, { fields }: CsvLayout, place = '--columns'): ColumnNames {
  const names: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [key = '', ...rest] = part.split('=');
    const field = fields.find(({ role }) => role === key.trim());
    const name = rest.join('=').trim();
    if (field === undefined || name === '') {
      throw new BallastError({
        code: 'COLUMNS_MALFORMED',
        place,
        found: JSON.stringify(part),
        expected: `ROLE=NAME with a role of ${fields.map(({ role }) => role).join(', ')} and a name of the header, such as time=open_time,volume=vol`,
        exitCode: 2,
      });
    }
    names[field.role] = name;
  }
  return names;
}

/** The separator that splits the header into the most names. */
export function guessDelimiter(header: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}

/** Whether a line could be the header: it names at least the marks. Some files have a line of advertising above it. */
export function looksLikeHeader(names: readonly string[], { fields, marks }: CsvLayout, wanted: ColumnNames): boolean {
  return fields.every((field) => !marks.includes(field.role) || placeOf(field, names, wanted) >= 0);
}

export interface FoundColumn {
  readonly field: Field;
  /** Among the header's names; -1 where the file does without. */
  readonly column: number;
}

/** The place of each field among the header's names. @throws BallastError COLUMNS_UNKNOWN */
export function findColumns(names: readonly string[], layout: CsvLayout, wanted: ColumnNames, place: string): FoundColumn[] {
  const found = layout.fields.map((field) => ({ field, column: placeOf(field, names, wanted) }));
  const lacking = found.find(({ field, column }) => column < 0 && (!field.isOptional || wanted[field.role] !== undefined))?.field;
  if (lacking !== undefined) {
    const { role, guesses } = lacking;
    const name = wanted[role];
    throw new BallastError({
      code: 'COLUMNS_UNKNOWN',
      place,
      found: `the columns ${names.map((header) => JSON.stringify(header)).join(', ')}`,
      expected:
        name === undefined ? `one for ${role}, such as ${guesses.slice(0, 3).join(', ')}` : `a column ${JSON.stringify(name)} for ${role}`,
      remedy: `name it with --columns ${role}=NAME`,
      exitCode: 2,
    });
  }
  const taken = new Set(found.map(({ column }) => column));
  for (const [column, name] of names.entries()) {
    if (layout.others !== undefined && !taken.has(column) && name !== '') found.push({ field: layout.others(name), column });
  }
  return found;
}

function placeOf({ role, guesses }: Field, names: readonly string[], wanted: ColumnNames): number {
  const name = wanted[role];
  if (name !== undefined) {
    const exact = names.indexOf(name);
    return exact >= 0 ? exact : names.findIndex((header) => plain(header) === plain(name));
  }
  const headers = names.map(plain);
  for (const guess of guesses) if (headers.includes(guess)) return headers.indexOf(guess);
  return -1;
}

function plain(header: string): string {
  return header
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}
