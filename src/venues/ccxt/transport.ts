// One request over HTTP and its whole answer.

export interface WholeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Headers and body within the deadline. ccxt's own timer stops at the headers, so that a body which stalls would hold it up for ever.
 * @throws TypeError for whatever the network does, DOMException TimeoutError, and the reason of the abort when the signal aborts
 */
export async function fetchWhole(
  url: URL,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<WholeAnswer> {
  const limits = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  // A venue's API does not redirect; a hotel's network does.
  const response = await fetch(url, { headers, redirect: 'manual', signal: limits });
  return { status: response.status, headers: response.headers, body: await response.text() };
}
