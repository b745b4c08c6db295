// A section is a list of rows. A row is measured in a process of its own: what one has compiled and left in memory is not another's.
import type { Figure } from './figure.ts';

export interface Row {
  readonly name: string;
  measure(): Promise<readonly Figure[]>;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}
