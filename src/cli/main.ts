// The program: bin/ballast.js starts it by importing this file under the pinned Node.
import { loadEnvFile } from 'node:process';
import { reportFailure, runCommandLine } from './program.ts';
import { processTerminal } from './terminal.ts';
import { reasonOf } from '../domain/words.ts';

const words = process.argv.slice(2);
const terminal = processTerminal();

// Whatever escapes a timer or a socket ends the process, too: with words, and a stack trace for who asked for one.
process.on('uncaughtException', (error) => process.exit(reportFailure(error, words, terminal)));
readEnvironmentFile();
const exitCode = await runCommandLine(words, terminal);
// What is still in a pipe is written first; then nothing that a command left open (a socket kept alive by a browser) holds the end up.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit(exitCode);

/** `.env` of the current folder; what the environment already says stays. */
function readEnvironmentFile(): void {
  try {
    loadEnvFile();
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isAbsent) process.stderr.write(`warning: .env: ${reasonOf(error)}\n`);
  }
}
