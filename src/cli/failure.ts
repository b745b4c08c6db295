// What is said when a command fails: one message for a person, one document for a program, a stack trace for nobody who did not ask.
import type { CommanderError } from 'commander';
import type { FailureDocument } from '../api/contract.ts';
import { BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';

export interface Failure {
  readonly exitCode: 1 | 2;
  /** For stderr, with its last line end. */
  readonly message: string;
  /** With `--json`; the HTTP server answers with the same. */
  readonly document: FailureDocument;
}

/** The code of what nobody foresaw. */
export const BUG = 'BUG';

export function failureOf(error: unknown, isDebug: boolean): Failure {
  if (error instanceof BallastError) {
    const { code, place, found, expected, remedy, exitCode } = error;
    const stack = isDebug ? `${stackOf(error)}\n` : '';
    return {
      exitCode,
      message: `error: ${error.message}\n${stack}`,
      document: { error: { code, place, found, expected, remedy: remedy ?? null } },
    };
  }
  const found = reasonOf(error);
  const advice = isDebug ? stackOf(error) : 'with --debug it says where; the journal of a run is kept, and starting again goes on from it';
  return {
    exitCode: 1,
    message: `error: ${found}\nthis is a bug in Ballast\n${advice}\n`,
    document: {
      error: {
        code: BUG,
        place: 'Ballast',
        found,
        expected: 'no bug in Ballast',
        remedy: 'run it again with --debug and report what it says',
      },
    },
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Commander says what is wrong in sentences of its own; here they take the shape of all others. `command` is `ballast data import`. */
export function argumentErrorOf(error: CommanderError, command: string): BallastError {
  const [, quoted = ''] = /'([^']*)'/.exec(error.message) ?? [];
  const [, similar] = /\(Did you mean (?:one of )?([^?)]*)\??/.exec(error.message) ?? [];
  const remedy = similar === undefined ? `${command} --help says which there are` : `did you mean ${similar}?`;
  const wrong = (code: string, place: string, found: string, expected: string, advice = remedy): BallastError =>
    new BallastError({ code, place, found, expected, remedy: advice, exitCode: 2 });
  const flag = /--[\w-]+/.exec(quoted)?.[0] ?? quoted;
  const help = `${command} --help says what it is`;
  switch (error.code) {
    case 'commander.unknownOption':
      return wrong('OPTION_UNKNOWN', command, `the unknown option ${quoted}`, 'one of its options');
    case 'commander.unknownCommand':
      return wrong('COMMAND_UNKNOWN', command, `the unknown command ${JSON.stringify(quoted)}`, 'one of its commands');
    case 'commander.optionMissingArgument':
      return wrong('OPTION_MISSING', flag, 'no value', quoted, help);
    case 'commander.missingArgument':
      return wrong('WORD_MISSING', command, 'no further word', `<${quoted}> after the command`, help);
    default:
      return wrong('ARGUMENT_INVALID', command, error.message.replace(/^error: /, ''), 'arguments as its help shows them', help);
  }
}
