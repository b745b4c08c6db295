// The edge between what the adapter thinks and how it reaches a venue. The transport is one side of it; a simulation without a network, and
// with a clock of its own, can be another.
import type { InstrumentKind } from '../../domain/instrument.ts';
import type { Parameters } from './bybit-orders.ts';

export interface WholeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface VenueRequest {
  readonly method: 'GET' | 'POST';
  /** `/v5/order/create` */
  readonly path: string;
  readonly parameters: Parameters;
  /** Of a batch. */
  readonly rows?: readonly Parameters[] | undefined;
  readonly isPrivate: boolean;
  /** Its last byte has been given to the network. */
  readonly onGiven?: (() => void) | undefined;
}

/** What is posted. */
export function bodyOf({ parameters, rows }: Pick<VenueRequest, 'parameters' | 'rows'>): object {
  return rows === undefined ? parameters : { ...parameters, request: rows };
}

export interface Socket {
  /** Only once it has opened. */
  send(text: string): void;
  close(): void;
}

export interface SocketEars {
  readonly opened: () => void;
  readonly said: (text: string) => void;
  /** Once, at the end, also where it never opened. */
  readonly closed: (why: string) => void;
}

export type Dial = (ears: SocketEars) => Socket;

/** What needs no key. */
export interface PublicWire {
  /** UTC milliseconds by this machine's clock, which may be wrong, and may step. */
  wallNow(): number;
  /** By how much the venue's clock is ahead of this machine's: signatures carry the venue's time. */
  setClock(venueAheadMs: number): void;
  /** Headers and the whole body. Rejects for whatever the network does, and when the signal aborts. */
  ask(request: VenueRequest, signal: AbortSignal): Promise<WholeAnswer>;
  /** The venue's time, as far as it was told by `setClock`. */
  venueNow(): number;
  dialPublic(category: InstrumentKind): Dial;
}

export interface VenueWire extends PublicWire {
  /** The frame that says who we are. */
  login(): string;
  readonly dialPrivate: Dial;
  /** The socket that takes orders. */
  readonly dialTrade: Dial;
}
