// Letters of minds outside of this process: a service is asked within a deadline, and what it says is an opinion or it is nothing. It can be
// down, slow, wrong, or have read a page that tells it what to say: all of that is an abstention, in words, and trading goes on without it.
import { z } from 'zod';
import { abstain, type Opinion } from '../domain/opinion.ts';
import type { Timers } from '../domain/ports.ts';
import type { TimeMs } from '../domain/time.ts';
import { reasonOf } from '../domain/words.ts';

/** What a letter quotes of somebody else's words, at most. */
const MOST_QUOTED = 200;
const MOST_LEGS = 16;

const distance = z.number().gt(0).lt(1);
const positive = z.number().gt(0);

/**
 * What a letter may say. Strict: who writes an order, a quantity or a leverage beside an opinion has not understood the question, and the
 * whole letter is no opinion. How much a stance is worth, the rules of risk say.
 */
export const letterSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('forecast'),
    stance: z.number().min(-1).max(1),
    confidence: z.number().min(0).max(1),
    expectedReturn: z.number().optional(),
    horizonMs: z.int().nonnegative().optional(),
    protection: z
      .strictObject({
        stopRatio: distance.optional(),
        targetRatio: positive.optional(),
        trailR: positive.optional(),
        trailRatio: distance.optional(),
      })
      .optional(),
    legs: z
      .array(z.number().refine((ratio) => ratio !== 0))
      .min(1)
      .max(MOST_LEGS)
      .optional(),
  }),
  z.strictObject({ kind: z.literal('abstention'), because: z.string().max(2_000) }),
]);

/** The opinion that a letter is, whether it came as text or was read already; an abstention with what is wrong with it otherwise. Never throws. */
export function readLetter(raw: unknown): Opinion {
  let json = raw;
  if (typeof raw === 'string') {
    try {
      json = JSON.parse(raw);
    } catch {
      // A model that falls into prose has no opinion: words are never searched for one.
      return abstain(`the letter is no JSON: ${quoted(raw)}`);
    }
  }
  const parsed = letterSchema.safeParse(json);
  // What is not said is absent from what was parsed, as the domain's types want it; zod's own type cannot say so.
  if (parsed.success) return parsed.data as Opinion;
  const [issue] = parsed.error.issues;
  return abstain(`the letter is no opinion: ${quoted(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())}`);
}

/**
 * Asks a mind and waits no longer than that. @param ask whose signal aborts at the deadline; a word after it is not heard
 * @returns its opinion; an abstention where it is late, fails or answers nonsense. Never throws.
 */
export async function askWithin(ask: (signal: AbortSignal) => Promise<unknown>, deadlineMs: TimeMs, timers: Timers): Promise<Opinion> {
  const end = new AbortController();
  const late = timers.sleep(deadlineMs, end.signal).then(
    () => abstain(`no answer within ${deadlineMs} ms`),
    // It was answered: nobody waits any more.
    () => abstain('answered'),
  );
  // A mind that throws before it promises anything has failed as any other.
  const answer = (async () => readLetter(await ask(end.signal)))().catch((cause: unknown) =>
    abstain(`it failed: ${quoted(reasonOf(cause))}`),
  );
  const opinion = await Promise.race([answer, late]);
  end.abort();
  return opinion;
}

/** Control characters have no place in a journal that a person reads on a terminal. */
function quoted(words: string): string {
  const plain = words.replaceAll(/\p{C}+/gu, ' ');
  return plain.length <= MOST_QUOTED ? plain : `${plain.slice(0, MOST_QUOTED - 1)}…`;
}
