// Time is integer UTC milliseconds. Nothing here reads a clock.
import { BallastError } from './errors.ts';

/** Integer milliseconds since 1970-01-01T00:00:00Z. */
export type TimeMs = number;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Later than any event: the `peekAt` of a source that knows of nothing. */
export const NEVER: TimeMs = Infinity;

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };

/**
 * Reads a span such as `1m`, `4h`, `30d` (units s, m, h, d, w).
 * @throws BallastError SPAN_MALFORMED
 */
export function parseSpan(text: string, place = 'span'): TimeMs {
  const match = /^(\d+)(s|m|h|d|w)$/.exec(text.trim());
  const count = Number(match?.[1]);
  if (match === null || count <= 0) {
    throw new BallastError({
      code: 'SPAN_MALFORMED',
      place,
      found: JSON.stringify(text),
      expected: 'a whole number and a unit of s, m, h, d or w, such as 1m, 4h or 30d',
    });
  }
  return count * (UNIT_MS[match[2] ?? ''] ?? NaN);
}

/** The shortest span text: 3600000 is `1h`. */
export function formatSpan(spanMs: TimeMs): string {
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    const unitMs = UNIT_MS[unit] ?? NaN;
    if (spanMs >= unitMs && spanMs % unitMs === 0) return `${spanMs / unitMs}${unit}`;
  }
  return `${spanMs}ms`;
}

/** ISO-8601 UTC, milliseconds only where there are any. */
export function formatTime(at: TimeMs): string {
  if (!Number.isFinite(at)) return String(at);
  const iso = new Date(at).toISOString();
  return iso.endsWith('.000Z') ? `${iso.slice(0, -5)}Z` : iso;
}

/**
 * Reads `20210101`, `2021-01-01`, an ISO-8601 instant (UTC unless it names an offset) or integer milliseconds.
 * @throws BallastError TIME_MALFORMED
 */
export function parseTime(text: string, place = 'time'): TimeMs {
  const trimmed = text.trim();
  let at = NaN;
  if (/^\d{12,14}$/.test(trimmed)) at = Number(trimmed);
  else {
    const match = /^(\d{4})(-?)(\d{2})\2(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/.exec(trimmed);
    const day = match === null ? '' : `${match[1]}-${match[3]}-${match[4]}`;
    // Date.parse takes the 30th of February for a day of March.
    if (formatTime(Date.parse(`${day}T00:00:00Z`)).startsWith(day)) at = Date.parse(`${day}T${match?.[5] ?? '00:00'}${match?.[6] ?? 'Z'}`);
  }
  if (!Number.isFinite(at)) {
    throw new BallastError({
      code: 'TIME_MALFORMED',
      place,
      found: JSON.stringify(text),
      expected: 'a UTC date such as 2021-01-01 or 20210101, an ISO-8601 time, or integer milliseconds',
    });
  }
  return at;
}

/** The start of the UTC day that holds `at`. */
export function startOfDay(at: TimeMs): TimeMs {
  return Math.floor(at / DAY_MS) * DAY_MS;
}
