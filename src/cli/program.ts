// From words to a command, and from its end to an exit code. Commander splits the words; what they mean is read by the flags themselves.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Argument, Command, CommanderError, Option } from 'commander';
import { BallastError } from '../domain/errors.ts';
import { catalog, groups } from './catalog.ts';
import { textOf, type AnyCommand, type Context, type Flag, type Outcome } from './definition.ts';
import { argumentErrorOf, failureOf } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Understood before and after the name of every command. */
export const COMMON_OPTIONS: readonly (readonly [spec: string, about: string])[] = [
  ['--json', 'one JSON document on stdout; progress and messages on stderr'],
  ['--config <file>', 'config instead of ballast.yaml of the home folder'],
  ['--home <dir>', 'folder of data/, runs/ and ballast.yaml (default: BALLAST_HOME, or the current folder)'],
  ['--debug', 'where a failure came from, as a stack trace'],
];

interface CommonOptions {
  readonly json?: true;
  readonly config?: string;
  readonly home?: string;
  readonly debug?: true;
}

export type Parsed =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; readonly isJson: boolean; run(terminal: Terminal): Promise<Outcome> };

/** Runs one command line to its end. Nothing is thrown: what fails is said, and is an exit code. */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> {
  try {
    const parsed = await parseWords(words);
    if (parsed.kind === 'help') {
      terminal.stdout.write(parsed.text);
      return 0;
    }
    const { exitCode, document, text } = await parsed.run(terminal);
    if (parsed.isJson) terminal.stdout.write(`${JSON.stringify(document)}\n`);
    else if (text !== '') terminal.stdout.write(`${text}\n`);
    return exitCode;
  } catch (error) {
    return reportFailure(error, words, terminal);
  }
}

/** Says it once, in the form that the words ask for. */
export function reportFailure(error: unknown, words: readonly string[], terminal: Terminal): 1 | 2 {
  const { exitCode, message, document } = failureOf(error, words.includes('--debug'));
  terminal.stderr.write(message);
  // Asked of the words themselves, because words that cannot be parsed have an error to be shown, too.
  if (words.includes('--json')) terminal.stdout.write(`${JSON.stringify(document)}\n`);
  return exitCode;
}

/** @throws BallastError with exit code 2 */
export async function parseWords(words: readonly string[]): Promise<Parsed> {
  let help = '';
  let chosen: Parsed | undefined;
  let deepest = 'ballast';
  const program = newProgram({
    onHelp: (text) => (help += text),
    onCommand: (name) => (deepest = name),
    onChosen: (command) => (chosen = command),
  });
  try {
    await program.parseAsync(helpWords(words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return { kind: 'help', text: help };
    if (error.code !== 'commander.help') throw argumentErrorOf(error, deepest);
    // A group without its command; the bare name of the program asks for its help.
    if (deepest === 'ballast') return { kind: 'help', text: program.helpInformation() };
    throw new BallastError({
      code: 'COMMAND_MISSING',
      place: deepest,
      found: 'no further word',
      expected: 'one of its commands',
      remedy: `${deepest} --help says which there are`,
      exitCode: 2,
    });
  }
  if (chosen === undefined) return { kind: 'help', text: program.helpInformation() };
  return chosen;
}

/** `ballast help data import` is `ballast data import --help`. */
function helpWords(words: readonly string[]): string[] {
  return words[0] === 'help' ? [...words.slice(1), '--help'] : [...words];
}

interface ParseEvents {
  readonly onHelp: (text: string) => void;
  readonly onCommand: (name: string) => void;
  readonly onChosen: (command: Parsed) => void;
}

function newProgram(events: ParseEvents): Command {
  const program = new Command('ballast')
    .description('A crypto trading system: one engine for backtest, paper and live, and a journal that replays to the last digit.')
    .exitOverride()
    // Commander writes errors as it throws them; they are written once, by runCommandLine.
    .configureOutput({ writeOut: events.onHelp, writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .helpCommand(false)
    .version(versionOf(), '--version', 'the version of Ballast')
    .helpOption('--help', 'this text')
    .addHelpText(
      'after',
      '\nExits 0 when done, 1 when it failed, 2 when an argument or the config is wrong.\n`ballast COMMAND --help` says the rest.',
    );
  for (const [spec, about] of COMMON_OPTIONS) program.option(spec, about);
  const parents = new Map<string, Command>();
  for (const { name, summary } of catalog) {
    const [first = '', second] = name.split(' ');
    let parent = program;
    if (second !== undefined) {
      parent = parents.get(first) ?? program.command(first).description(groups[first] ?? '');
      parents.set(first, parent);
    }
    parent.command(second ?? first).description(summary);
  }
  for (const parent of [program, ...parents.values()]) {
    parent.hook('preSubcommand', async (_, command) => {
      const name = nameOf(command);
      events.onCommand(`ballast ${name}`);
      const entry = catalog.find((each) => each.name === name);
      if (entry !== undefined) fill(command, name, await entry.load(), program, events.onChosen);
    });
  }
  return program;
}

function nameOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${nameOf(above)} ${command.name()}`;
}

/** Gives a command that was asked for its words, its flags and its help. */
function fill(command: Command, name: string, definition: AnyCommand, program: Command, onChosen: (command: Parsed) => void): void {
  command.description([definition.about, ...(definition.details ?? [])].join('\n\n'));
  for (const { spec, about } of definition.words ?? []) command.addArgument(new Argument(spec, about));
  const attributes = new Map<Flag<unknown>, Option>();
  for (const flag of Object.values(definition.flags)) {
    const option = new Option(flag.spec, aboutFlag(flag));
    attributes.set(flag, option);
    command.addOption(option);
  }
  command.addHelpText('after', `\nExamples:\n${definition.examples.map((example) => `  ${example}`).join('\n')}`);
  // Counted below, in words of our own; and a required flag is asked for by its reader, after unknown ones were found.
  command.allowExcessArguments();
  command.action(() => {
    const given = (flag: Flag<unknown>): unknown => {
      const option = attributes.get(flag);
      const value: unknown = option === undefined ? undefined : command.getOptionValue(option.attributeName());
      // `--no-risk` sets `risk` to false; the flag was given.
      return option?.negate === true ? value === false : value;
    };
    const run = definition.prepare(given, command.args);
    checkWords(command.args, definition, name);
    const common = program.opts<CommonOptions>();
    onChosen({ kind: 'command', name, isJson: common.json === true, run: async (terminal) => run(contextOf(common, terminal)) });
  });
}

function checkWords(words: readonly string[], { words: specs = [] }: AnyCommand, name: string): void {
  const takesMore = specs.some(({ spec }) => spec.includes('...'));
  const extra = words[specs.length];
  if (takesMore || extra === undefined) return;
  const expected = specs.length === 0 ? 'no word after the command' : `only ${specs.map(({ spec }) => spec).join(' ')}`;
  throw new BallastError({ code: 'WORD_UNEXPECTED', place: `ballast ${name}`, found: JSON.stringify(extra), expected, exitCode: 2 });
}

export function aboutFlag(flag: Flag<unknown>): string {
  if (flag.isRequired) return `${flag.about} (required)`;
  return flag.shownDefault === undefined ? flag.about : `${flag.about} (default: ${flag.shownDefault})`;
}

function contextOf({ json, config, home }: CommonOptions, terminal: Terminal): Context {
  for (const [value, place] of [
    [config, '--config'],
    [home, '--home'],
  ] as const) {
    if (textOf(value, place)?.trim() !== '') continue;
    throw new BallastError({ code: 'ARGUMENT_INVALID', place, found: '""', expected: 'a path', exitCode: 2 });
  }
  const named = terminal.environment['BALLAST_HOME'];
  const folder = home ?? (named === undefined || named === '' ? '.' : named);
  const path = resolve(terminal.folder, folder);
  checkHome(path);
  return { home: path, configFile: config, isJson: json === true, terminal };
}

/** A home that is not there yet is made by the command that first writes to it; anything else in its place is told before that. */
function checkHome(home: string): void {
  let nearest = home;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (statSync(nearest).isDirectory()) return;
  throw new BallastError({
    code: 'HOME_NO_FOLDER',
    place: home,
    found: nearest === home ? 'a file' : `the file ${nearest} above it`,
    expected: 'a folder for --home',
    remedy: 'name the folder that has, or shall have, data/, runs/ and ballast.yaml',
    exitCode: 2,
  });
}

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
