// Alerts over HTTP: one POST of JSON for each, as most chat services and pagers take it. The address may be a secret (it is one, of most chat
// services): it stands in no message, no log and no file.
import { formatTime, SECOND_MS } from '../domain/time.ts';
import { counted, reasonOf } from '../domain/words.ts';
import type { Deliver, Notice } from './notifier.ts';

const DEADLINE_MS = 5 * SECOND_MS;
/** A server that says one of these may take the same notice later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** @param address that takes the POST; `deadlineMs` for the whole answer */
export function webhook(address: string, deadlineMs = DEADLINE_MS): Deliver {
  return async (notice, missed, signal) => {
    const status = await post(address, bodyOf(notice, missed), AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]));
    if (status >= 200 && status < 300) return 'taken';
    if (status >= 400 && status < 500 && !PASSING.has(status)) return 'refused';
    throw new Error(`HTTP ${status}`);
  };
}

/** @returns the status of the answer, whose words nobody reads @throws Error in words without the address */
async function post(address: string, body: string, signal: AbortSignal): Promise<number> {
  try {
    // A redirection would carry the words to somebody who was not named.
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal,
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    if (signal.aborted) throw new Error('no answer in time', { cause: error });
    throw new Error(error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : 'no connection', { cause: error });
  }
}

/** `text` is Slack's and Mattermost's word for it, `content` Discord's; the fields beside them are for programs. */
function bodyOf({ at, runId, rule, why }: Notice, missed: number): string {
  const before = missed === 0 ? '' : ` (${counted(missed, 'earlier alert')} could not be sent)`;
  const words = `ballast ${runId}: ${rule}: ${why}${before}`;
  return JSON.stringify({ text: words, content: words, runId, rule, why, at: formatTime(at), missed });
}
