// Which rows of a sweep somebody wants to see: conditions in words on figures and parameters.
import { BallastError } from '../../domain/errors.ts';
import type { SweepRow } from './column-pool.ts';

export type RowFilter = (row: SweepRow) => boolean;

const CONDITION = /^\s*([A-Za-z]\w*)\s*(>=|<=|!=|=|>|<)\s*(\S+)\s*$/;

/**
 * `trades>=30,maxDrawdown<0.3,trailing=true`: all of them must hold. A name is a figure's, or else a parameter's; a figure that cannot be said,
 * and a parameter that is not there, hold nothing.
 * @throws BallastError FILTER_INVALID
 */
export function rowFilter(text: string, place: string): RowFilter {
  const conditions = text.split(',').map((part) => conditionOf(part, place));
  return (row) => conditions.every((holds) => holds(row));
}

function conditionOf(part: string, place: string): RowFilter {
  const [, name = '', sign = '', word = ''] = CONDITION.exec(part) ?? [];
  const number = Number(word);
  const isEqual = sign === '=' || sign === '!=';
  if (name === '' || (Number.isNaN(number) && !isEqual)) {
    throw new BallastError({
      code: 'FILTER_INVALID',
      place,
      found: JSON.stringify(part),
      expected: 'name>number, or with >=, <, <=, = or !=, and commas between conditions',
      remedy: 'for example trades>=30,maxDrawdown<0.3',
      exitCode: 2,
    });
  }
  return ({ metrics, params }) => {
    const figures: Readonly<Record<string, number | null>> = metrics ?? {};
    const value = name in figures ? figures[name] : params[name];
    if (value === null || value === undefined) return false;
    if (isEqual) return (String(value) === word || value === number) === (sign === '=');
    if (typeof value !== 'number') return false;
    switch (sign) {
      case '>':
        return value > number;
      case '<':
        return value < number;
      case '>=':
        return value >= number;
      default:
        return value <= number;
    }
  };
}
