// How much a column of a sweep by kernels commits, in words.
import { BallastError } from '../../domain/errors.ts';
import { ALL_IN, type ColumnSizing } from '../../lab/sweep/account.ts';

const EXPECTED =
  'all-in, fraction=0.5 or risk=0.01 (of the cash of the moment), fixed-fraction=0.5 or fixed-risk=0.01 (of the cash at the start), money=1000 or quantity=0.1';

/** @throws BallastError ARGUMENT_INVALID */
export function columnSizing(text: string): ColumnSizing {
  if (text === 'all-in') return ALL_IN;
  const [, name = '', digits = ''] = /^([a-z-]+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(text) ?? [];
  const value = Number(digits);
  const isRatio = value > 0 && value <= 1;
  const compounding = !name.startsWith('fixed-');
  if ((name === 'fraction' || name === 'fixed-fraction') && isRatio) return { kind: 'fraction', ratio: value, compounding };
  if ((name === 'risk' || name === 'fixed-risk') && isRatio) return { kind: 'risk', ratio: value, compounding };
  if (name === 'money' && value > 0) return { kind: 'money', amount: value };
  if (name === 'quantity' && value > 0) return { kind: 'quantity', quantity: value };
  throw new BallastError({ code: 'ARGUMENT_INVALID', place: '--sizing', found: JSON.stringify(text), expected: EXPECTED, exitCode: 2 });
}
