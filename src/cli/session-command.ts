// What `ballast paper` and `ballast live` share: the page, the display, signals, and the summary at the end.
import type { ApiServer } from '../api/server.ts';
import type { RunHandle } from '../app/run-handle.ts';
import type { SessionRequest, SessionResult } from '../app/session.ts';
import { BallastError } from '../domain/errors.ts';
import { done, type Context, type Outcome } from './definition.ts';
import { listenForEnd } from './ending.ts';
import { displayFor, type SessionDisplay } from './session-display.ts';
import { printable } from './terminal.ts';

/** What a session is given to speak with whoever watches it. */
export interface SessionEars extends Pick<SessionRequest, 'signal' | 'onStart'> {
  readonly onNotice: (words: string) => void;
}

/** Runs a session with its page. @param port undefined is the config's, which may be taken: a session is worth more than its page */
export async function runSession(
  { home, configFile, isJson, terminal }: Context,
  port: number | undefined,
  session: (ears: SessionEars) => Promise<SessionResult>,
): Promise<Outcome> {
  const { loadConfig } = await import('../app/config.ts');
  const { api } = loadConfig({ home, file: configFile });
  const display = displayFor(terminal, isJson);
  const ending = listenForEnd(
    (by) => display.say(`${by}: ending cleanly; a second signal does not wait`),
    () => display.stop(),
  );
  let running: RunHandle | undefined;
  // Before the session starts: a port that was asked for and is taken is a wrong argument, and nothing has happened yet.
  const server = await openPage(() => running, port ?? api.port, port !== undefined, display);
  try {
    const { summary, ...result } = await session({
      signal: ending.signal,
      onNotice: (words) => display.say(printable(words)),
      onStart(handle, { runId, folder, resumed }) {
        running = handle;
        display.say(resumed ? `going on with run ${runId}, which was interrupted, in ${folder}` : `run ${runId} in ${folder}`);
        const page = server === undefined ? '' : `page ${server.address}  `;
        display.start(handle, `${page}Ctrl-C ends it; ballast status, halt, resume, flatten from elsewhere`);
      },
    });
    display.stop();
    const folder = summary.includes(result.folder) ? '' : `\nrun folder ${result.folder}`;
    return done(result, `${summary}${folder}`);
  } finally {
    display.stop();
    ending.release();
    await server?.close();
  }
}

/** Whoever reaches the server can halt the session: only this machine may. */
const LOCALHOST = '127.0.0.1';

/** Undefined when the port of the config is taken. */
async function openPage(
  current: () => RunHandle | undefined,
  port: number,
  isAskedFor: boolean,
  display: SessionDisplay,
): Promise<ApiServer | undefined> {
  const { serve } = await import('../api/server.ts');
  try {
    return await serve(current, { host: LOCALHOST, port });
  } catch (error) {
    if (!(error instanceof BallastError) || error.code !== 'PORT_TAKEN') throw error;
    if (isAskedFor) {
      const { code, found, expected, remedy = '' } = error;
      throw new BallastError({ code, place: '--port', found, expected, remedy, cause: error, exitCode: 2 });
    }
    display.say(`no page: ${error.message}`);
    return undefined;
  }
}
