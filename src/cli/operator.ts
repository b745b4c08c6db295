// What status, halt, resume, flatten and close share: the word to the running session over its control socket, and the state it answers with.
import type { StatusDocument } from '../api/contract.ts';
import { done, optional, type Context, type Outcome } from './definition.ts';
import { statusLine } from './session-frame.ts';
import { word } from './values.ts';

export const runFlag = optional('--run <id>', 'which session, when several are running', word);

export async function askStatus(home: string, runId: string | undefined): Promise<StatusDocument> {
  const { askRun } = await import('../app/control.ts');
  const { runStatusSchema } = await import('../api/contract.ts');
  return runStatusSchema.parse(await askRun(home, { command: 'status' }, runId));
}

/** Resolves once the session's loop has handled the command. */
export async function say(
  command: 'halt' | 'resume' | 'flatten' | 'close',
  argument: string,
  runId: string | undefined,
  { home }: Context,
): Promise<Outcome> {
  const { askRun } = await import('../app/control.ts');
  const { runStatusSchema } = await import('../api/contract.ts');
  const status = runStatusSchema.parse(await askRun(home, { command, argument }, runId));
  const said = argument === '' ? command : `${command} ${argument}`;
  return done({ command, argument, status }, `${status.runId}: ${said} was heard\n${statusLine(status)}`);
}
