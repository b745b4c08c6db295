// The wire of a feed: a WebSocket that is dialled again, with growing pauses, for as long as the session wants it.
import type { Feed } from './feed.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

export interface FeedConnection {
  close(): void;
}

/** Keeps the feed connected until closed or until it says that it has ended. Says every loss and every return as an event. */
export function connectFeed(url: string, feed: Feed, onNotice: (words: string) => void): FeedConnection {
  let socket: WebSocket | undefined;
  let isClosed = false;
  let failures = 0;
  let isLost = false;
  let timer: NodeJS.Timeout | undefined;

  function dial(): void {
    timer = undefined;
    const dialled = new WebSocket(url);
    socket = dialled;
    dialled.addEventListener('open', () => {
      failures = 0;
      if (isLost) feed.report('feed.restored', `connected to ${url} again`);
      isLost = false;
      onNotice(`feed ${url} connected`);
    });
    dialled.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') feed.receive(data);
      else feed.receiveOther('a binary message');
    });
    // The close that follows an error says what is to be done.
    dialled.addEventListener('close', (event) => lost(event.reason === '' ? `code ${event.code}` : `code ${event.code}, ${event.reason}`));
  }

  function lost(why: string): void {
    if (isClosed || timer !== undefined || feed.control.ended) return;
    if (!isLost) feed.report('feed.lost', `${url} closed: ${why}`);
    isLost = true;
    // Full jitter: many sessions that lost one venue must not come back in step.
    const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    failures++;
    onNotice(`feed ${url} lost (${why}); dialling again in ${Math.round(pauseMs)} ms`);
    timer = setTimeout(dial, pauseMs);
  }

  dial();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
