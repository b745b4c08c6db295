// What status, halt, resume, flatten and close share: the word to the running session over its control socket, and the state it answers with.
import type { StatusDocument } from '../api/contract.ts';
import { done, optional, type Context, type Outcome } from './definition.ts';
import { failureOf } from './failure.ts';
import { statusLine } from './session-frame.ts';
import { word } from './values.ts';

export const runFlag = optional('--run <id>', 'which session; needed when several are running', word);
export const runOrAllFlag = optional('--run <id>', 'only this session; without it, all that are running', word);

export async function askStatus(home: string, runId: string | undefined): Promise<StatusDocument> {
  const { askRun } = await import('../app/control.ts');
  const { runStatusSchema } = await import('../api/contract.ts');
  return runStatusSchema.parse(await askRun(home, { command: 'status' }, runId));
}

/** To one session: with several running, `--run` says which. Resolves once the session's loop has handled the command. */
export async function say(
  command: 'resume' | 'flatten' | 'close',
  argument: string,
  runId: string | undefined,
  { home }: Context,
): Promise<Outcome> {
  const { askRun } = await import('../app/control.ts');
  const { runStatusSchema } = await import('../api/contract.ts');
  const status = runStatusSchema.parse(await askRun(home, { command, argument }, runId));
  return done({ command, argument, status }, heardText(argument === '' ? command : `${command} ${argument}`, status));
}

/**
 * To every running session, or to the named one: whoever wants it to stop does not want to be asked which. The document is a list, one
 * element a session. Where one of several did not hear, the others have, stderr says which did not, and it exits 1.
 */
export async function haltSessions(runId: string | undefined, { home, terminal }: Context): Promise<Outcome> {
  const { askEveryRun } = await import('../app/control.ts');
  const { runStatusSchema } = await import('../api/contract.ts');
  const document: unknown[] = [];
  const lines: string[] = [];
  let exitCode: 0 | 1 = 0;
  const answers = await askEveryRun(home, { command: 'halt', argument: '' }, runId);
  for (const given of answers) {
    if ('failure' in given) {
      if (answers.length === 1) throw given.failure;
      const failure = failureOf(given.failure, false);
      exitCode = 1;
      terminal.stderr.write(failure.message);
      document.push({ command: 'halt', argument: '', runId: given.runId, ...failure.document });
    } else {
      const status = runStatusSchema.parse(given.answer);
      document.push({ command: 'halt', argument: '', status });
      lines.push(heardText('halt', status));
    }
  }
  return { exitCode, document, text: lines.join('\n') };
}

function heardText(said: string, status: StatusDocument): string {
  return `${status.runId}: ${said} was heard\n${statusLine(status)}`;
}
