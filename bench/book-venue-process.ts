// The venue of the latency benchmark in a process of its own: what it is asked comes from its parent, what it has done goes back.
import { openBookVenue } from './book-venue.ts';

/** What the parent asks. `count` is asked for and answered. */
export type Asked =
  | { readonly kind: 'rate'; readonly aSecond: number }
  | { readonly kind: 'lean' }
  | { readonly kind: 'end-minute' }
  | { readonly kind: 'count' };
export type Said =
  | { readonly kind: 'open'; readonly address: string; readonly key: string; readonly secret: string }
  | { readonly kind: 'count'; readonly sent: number };

const [home = '', instruments = ''] = process.argv.slice(2);
const open = await openBookVenue(home, Number(instruments));
const say = (said: Said): void => void process.send?.(said);
process.on('message', (asked: Asked) => {
  if (asked.kind === 'rate') open.setRate(asked.aSecond);
  else if (asked.kind === 'lean') open.venue.lean();
  else if (asked.kind === 'end-minute') open.endMinute();
  else say({ kind: 'count', sent: open.venue.sent });
});
// Nobody is there any more who could end it.
process.on('disconnect', () => process.exit());
say({ kind: 'open', address: open.address, key: open.key, secret: open.secret });
