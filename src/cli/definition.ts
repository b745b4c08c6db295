// What a command is: its words, its flags with the parser of each, and what it does. Help, parsing and docs/reference/cli.md are made of this.
import { BallastError } from '../domain/errors.ts';
import type { Terminal } from './terminal.ts';

/** Reads the text of a flag. `place` is the flag, for the message. @throws BallastError with exit code 2 */
export type Parse<Value> = (text: string, place: string) => Value;

export interface Flag<Value> {
  /** As commander reads it: `--seed <number>`. */
  readonly spec: string;
  readonly about: string;
  readonly isRequired: boolean;
  /** Shown in help; undefined when the flag has none or its meaning says it. */
  readonly shownDefault: string | undefined;
  /** From what commander holds: undefined when the flag was not given. */
  read(given: unknown, place: string): Value;
}

/** A flag without a value: given or not. */
export function toggle(spec: string, about: string): Flag<boolean> {
  return { spec, about, isRequired: false, shownDefault: undefined, read: (given) => given === true };
}

export function optional<Value>(spec: string, about: string, parse: Parse<Value>): Flag<Value | undefined> {
  const read = (given: unknown, place: string): Value | undefined => {
    const text = textOf(given, place);
    return text === undefined ? undefined : parse(text, place);
  };
  return { spec, about, isRequired: false, shownDefault: undefined, read };
}

/** `fallback` is written as a user would write it, so that help shows what the parser gets. */
export function defaulted<Value>(spec: string, about: string, parse: Parse<Value>, fallback: string): Flag<Value> {
  const read = (given: unknown, place: string): Value => parse(textOf(given, place) ?? fallback, place);
  return { spec, about, isRequired: false, shownDefault: fallback, read };
}

export function required<Value>(spec: string, about: string, parse: Parse<Value>): Flag<Value> {
  const read = (given: unknown, place: string): Value => {
    const text = textOf(given, place);
    if (text !== undefined) return parse(text, place);
    throw new BallastError({ code: 'OPTION_MISSING', place, found: 'nothing', expected: spec, remedy: about, exitCode: 2 });
  };
  return { spec, about, isRequired: true, shownDefault: undefined, read };
}

/** In `--home --json` commander takes the second for the value of the first: nobody means that. @throws BallastError OPTION_MISSING */
export function textOf(given: unknown, place: string): string | undefined {
  if (typeof given !== 'string') return undefined;
  if (!given.startsWith('--')) return given;
  throw new BallastError({ code: 'OPTION_MISSING', place, found: `no value before ${given}`, expected: 'a value', exitCode: 2 });
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: F[Name] extends Flag<infer Value> ? Value : never };

/** A word after the command's name; `[name]` may be left out, `<name...>` is one or more. */
export interface Word {
  readonly spec: string;
  readonly about: string;
}

/** Where a command runs. */
export interface Context {
  /** The folder of data/, runs/ and ballast.yaml. */
  readonly home: string;
  readonly configFile: string | undefined;
  readonly isJson: boolean;
  readonly terminal: Terminal;
}

/** What a command leaves behind: printed as text, or with `--json` as the document. */
export interface Outcome {
  readonly exitCode: 0 | 1;
  readonly document: unknown;
  /** Without the last line end. Empty prints nothing. */
  readonly text: string;
}

export interface CommandDefinition<F extends Flags> {
  readonly about: string;
  /** Further sentences for the help of the command, one paragraph a string. */
  readonly details?: readonly string[];
  readonly words?: readonly Word[];
  readonly flags: F;
  readonly examples: readonly string[];
  run(given: { readonly flags: FlagValues<F>; readonly words: readonly string[] }, context: Context): Promise<Outcome>;
}

/** A definition whose flags are known to nobody but itself. */
export interface AnyCommand extends Omit<CommandDefinition<Flags>, 'run'> {
  /** Reads every flag, so that what is wrong is told before anything is done. */
  prepare(given: (flag: Flag<unknown>) => unknown, words: readonly string[]): (context: Context) => Promise<Outcome>;
}

export function defineCommand<const F extends Flags>(definition: CommandDefinition<F>): AnyCommand {
  return {
    ...definition,
    prepare(given, words) {
      const values = Object.fromEntries(
        Object.entries(definition.flags).map(([name, flag]) => [name, flag.read(given(flag), longName(flag))]),
      );
      // Each value was read by the flag of its own name.
      return (context) => definition.run({ flags: values as FlagValues<F>, words }, context);
    },
  };
}

/** `--seed` of `--seed <number>`. */
export function longName(flag: Pick<Flag<unknown>, 'spec'>): string {
  return /--[\w-]+/.exec(flag.spec)?.[0] ?? flag.spec;
}

/** Done, with a document and its words. */
export function done(document: unknown, text: string): Outcome {
  return { exitCode: 0, document, text };
}
