// Numbers and tables as a person reads them in a terminal.
import { fixed } from '../domain/words.ts';

export function section(name: string, body: string): string {
  return body === '' ? '' : `${name}\n${body}`;
}

const IS_NUMBER = /^[-+]?[\d,.]+( %)?$|^N\/A$|^$/;

/** Columns aligned, those of numbers to the right. Empty without rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const all = header.length === 0 ? rows : [header, ...rows];
  const columns = Math.max(...all.map((row) => row.length));
  const widths: number[] = [];
  const isRight: boolean[] = [];
  for (let column = 0; column < columns; column++) {
    widths.push(Math.max(...all.map((row) => row[column]?.length ?? 0)));
    isRight.push(header.length > 0 && rows.every((row) => IS_NUMBER.test(row[column] ?? '')));
  }
  return all
    .map((row) =>
      `  ${row.map((cell, column) => (isRight[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('   ')}`.trimEnd(),
    )
    .join('\n');
}

export function orUnknown(value: number | null, words: (value: number) => string): string {
  return value === null ? 'N/A' : words(value);
}

/** With as many decimals as keep a value that is below a threshold below it in print: 1.98 is not 2.0 where it takes 2. */
export function againstThreshold(value: number, threshold: number, decimals: number): string {
  for (let digits = decimals; digits < 20; digits++) {
    const text = fixed(value, digits);
    if (value < threshold === Number(text) < threshold) return text;
  }
  return String(value);
}

export function plain(value: number): string {
  return fixed(value, 2);
}

/** Two decimals, or as many as leave something of a small amount. */
export function money(value: number): string {
  const size = Math.abs(value);
  const decimals = size === 0 || size >= 0.01 ? 2 : 8;
  const [whole = '', fraction = ''] = size.toFixed(decimals).split('.');
  const text = `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
  return value < 0 && Number(size.toFixed(decimals)) !== 0 ? `-${text}` : text;
}

/** The two largest units: `3d 4h`. */
export function duration(spanMs: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ];
  const first = units.findIndex(([, unitMs]) => spanMs >= unitMs);
  if (first < 0) return `${Math.round(spanMs)}ms`;
  let rest = spanMs;
  const words: string[] = [];
  for (const [unit, unitMs] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) words.push(`${count}${unit}`);
  }
  return words.join(' ');
}
