import type { BallastError } from '../../domain/errors.ts';
import type { LegRange } from '../../domain/strategy.ts';
import { defineCommand, done } from '../definition.ts';
import { printable, table } from '../terminal.ts';

interface Listed {
  readonly name: string;
  readonly about: string;
  readonly legs: number | LegRange | null;
  /** A user's own file; null for a built-in. */
  readonly path: string | null;
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly default: unknown;
    readonly minimum: number | null;
    readonly maximum: number | null;
    readonly about: string;
  }[];
  /** Why the file could not be loaded; null for one that could. */
  readonly failure: string | null;
}

export const strategies = defineCommand({
  about: 'Lists the built-in strategies and your files in strategies/ of the home folder, with their parameters and defaults.',
  flags: {},
  examples: ['ballast strategies', 'ballast strategies --json'],
  async run(_, { home }) {
    const { listStrategies, parameterFields } = await import('../../app/registry.ts');
    const all: Listed[] = (await listStrategies(home)).map((entry) => {
      if ('failure' in entry) return broken(entry.path, entry.failure);
      const { name, about, legs } = entry.strategy;
      const parameters = parameterFields(entry.strategy).map(({ minimum, maximum, ...field }) => ({
        ...field,
        default: field.default ?? null,
        minimum: minimum ?? null,
        maximum: maximum ?? null,
      }));
      return { name, about, legs, path: entry.path ?? null, parameters, failure: null };
    });
    return done(all, all.map(described).join('\n\n'));
  },
});

function broken(path: string, failure: BallastError): Listed {
  return { name: path, about: '', legs: null, path, parameters: [], failure: failure.message };
}

function described({ name, about, path, parameters, failure }: Listed): string {
  if (failure !== null) return `${printable(name)}\n  cannot be loaded: ${printable(failure)}`;
  const head = `${printable(name)}: ${printable(about)}${path === null ? '' : `\n  ${path}`}`;
  if (parameters.length === 0) return head;
  const rows = parameters.map((parameter) => [
    parameter.name,
    parameter.default === null ? 'none' : plain(parameter.default),
    rangeWords(parameter.minimum, parameter.maximum),
    parameter.about,
  ]);
  return `${head}\n${indented(table(['parameter', 'default', 'from, to', 'meaning'], rows))}`;
}

function rangeWords(minimum: number | null, maximum: number | null): string {
  return minimum === null && maximum === null ? '' : `${minimum ?? ''}, ${maximum ?? ''}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
