// What of a session's journal a person is told of who is not looking at it, and where that goes.
import type { Entry } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { Timers } from '../domain/ports.ts';
import { SECOND_MS, type TimeMs } from '../domain/time.ts';
import { reasonOf } from '../domain/words.ts';
import { Notifier } from '../notify/notifier.ts';
import { webhook } from '../notify/webhook.ts';
import type { Config } from './config-schema.ts';

/** Holds the address: of most chat services whoever knows it may write. */
export const WEBHOOK_VARIABLE = 'BALLAST_ALERT_WEBHOOK';
/** How long the end of a session waits for its last words to be taken. */
const LAST_WORDS_MS = 3 * SECOND_MS;

export interface AlertsRequest {
  /** As `alertAddress` gives it. */
  readonly address: string | undefined;
  readonly runId: string;
  readonly timers: Timers;
  readonly onNotice: (words: string) => void;
}

export class Alerts {
  readonly #notifier: Notifier | undefined;
  readonly #runId: string;

  constructor(notifier: Notifier | undefined, runId: string) {
    this.#notifier = notifier;
    this.#runId = runId;
  }

  /** For `onEntry` of the journal: what is being recovered was told when it happened. */
  fold(entry: Entry): void {
    switch (entry.kind) {
      case 'alert.raised':
        this.#tell(entry.at, entry.rule, entry.why);
        break;
      case 'halt.latched':
        this.#tell(entry.at, 'halt', entry.cause);
        break;
      case 'halt.released':
        this.#tell(entry.at, 'resume', `the halt was released by ${entry.by}`);
        break;
      case 'pause.began':
        this.#tell(entry.at, 'pause', entry.cause);
        break;
      case 'mind.suspended':
        this.#tell(entry.at, 'mind-suspended', entry.because);
        break;
      default:
        break;
    }
  }

  /** What is in no journal. */
  raised(at: TimeMs, rule: string, why: string): void {
    this.#tell(at, rule, why);
  }

  /** The session ends because something broke, its journal perhaps: this is the only way to hear of it. */
  broke(at: TimeMs, cause: unknown): void {
    this.#tell(at, 'halt', `the session has ended, nobody watches its positions: ${reasonOf(cause)}`);
  }

  async close(): Promise<void> {
    await this.#notifier?.close(LAST_WORDS_MS);
  }

  #tell(at: TimeMs, rule: string, why: string): void {
    this.#notifier?.tell({ at, runId: this.#runId, rule, why });
  }
}

/** Where alerts go; undefined where `alerts.webhook` is off. To be asked before anything begins. @throws BallastError ALERTS_UNADDRESSED */
export function alertAddress(
  { alerts }: Pick<Config, 'alerts'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (!alerts.webhook) return undefined;
  const address = environment[WEBHOOK_VARIABLE]?.trim() ?? '';
  const url = URL.parse(address);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  throw new BallastError({
    code: 'ALERTS_UNADDRESSED',
    place: 'alerts.webhook',
    // What was found may be half of a secret.
    found: address === '' ? `no ${WEBHOOK_VARIABLE} in the environment` : `a ${WEBHOOK_VARIABLE} that is no address`,
    expected: 'an address such as https://hooks.example.org/…',
    remedy: `write ${WEBHOOK_VARIABLE} into .env, never into ballast.yaml, or set alerts.webhook to false`,
    exitCode: 2,
  });
}

/** Nobody is told where there is no address. */
export function openAlerts({ address, runId, timers, onNotice }: AlertsRequest): Alerts {
  return new Alerts(address === undefined ? undefined : new Notifier({ deliver: webhook(address), timers, onNotice }), runId);
}
