// What a benchmark says: figures with what is promised of them, and how they are shown.

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Whether more is better, as for bars a second; less, as for milliseconds. */
  readonly better: 'more' | 'less';
  /** CPU time in the same unit, where the figure is of wall time. */
  readonly cpu?: number | undefined;
  /** Time of the plain loop over the same arrays in the same run, divided into this one's: how many times slower the engine is. */
  readonly timesPlain?: number | undefined;
  /** Below it (above it, where less is better) a promise is broken. */
  readonly floor?: number | undefined;
  readonly goal?: number | undefined;
  /** Whether the plain loop came to the same money under rules that do not bind. */
  readonly isEqual?: boolean | undefined;
  readonly note?: string | undefined;
}

export type Verdict = 'pass' | 'goal' | 'SHORT' | 'UNEQUAL' | '';

export function verdictOf({ value, better, floor, goal, isEqual }: Figure): Verdict {
  if (isEqual === false) return 'UNEQUAL';
  const meets = (level: number): boolean => (better === 'more' ? value >= level : value <= level);
  if (goal !== undefined && meets(goal)) return 'goal';
  if (floor === undefined) return goal === undefined ? '' : 'SHORT';
  return meets(floor) ? 'pass' : 'SHORT';
}

const COLUMNS = ['', 'figure', 'by CPU', 'x plain', 'floor', 'goal', '', ''] as const;

/** One table for a section. */
export function tableOf(title: string, figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${shown(figure.value)} ${figure.unit}`,
    figure.cpu === undefined ? '' : shown(figure.cpu),
    figure.timesPlain === undefined ? '' : shown(figure.timesPlain),
    figure.floor === undefined ? '' : shown(figure.floor),
    figure.goal === undefined ? '' : shown(figure.goal),
    verdictOf(figure),
    [figure.isEqual === true ? 'equal to the plain loop' : '', figure.note ?? ''].filter((part) => part !== '').join('; '),
  ]);
  const widths = COLUMNS.map((header, column) => Math.max(header.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 || column > 5 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [title, line(COLUMNS), ...rows.map(line)].join('\n');
}

/** Three digits are more than these machines repeat. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  const decimals = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  const digits = size >= 1000 ? 10 ** (Math.floor(Math.log10(size)) - 2) : undefined;
  return (digits === undefined ? value : Math.round(value / digits) * digits).toLocaleString('en', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}
