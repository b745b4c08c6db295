// What an account is, and what it knows of the venue around it.
import type { Amount, Price, Quantity } from '../../domain/decimal.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { MarketSource } from '../../domain/ports.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { MatchingRules } from '../simulated/rules.ts';
import type { Listing } from './listing.ts';
import type { WireSide } from './wire.ts';

export interface AccountSettings {
  readonly name: string;
  readonly uid: number;
  readonly key: string;
  readonly secret: string;
  /** Quote currency. */
  readonly capital: Amount;
}

/** What an account knows of the venue. */
export interface Surroundings {
  readonly now: () => TimeMs;
  readonly listings: readonly Listing[];
  /** One array for all, whose entries follow changed filters and funding rates. */
  readonly instruments: readonly Instrument[];
  readonly sources: readonly MarketSource[];
  readonly baseTimeframeMs: TimeMs;
  readonly slippageRatio: number;
  readonly rules: Partial<MatchingRules>;
  /** The market event that is being delivered. */
  readonly current: () => MarketEvent;
  /** A number for the venue's sequence, and an id that no other thing has. */
  readonly nextSequence: () => number;
  readonly nextId: () => string;
  readonly onLiquidation: (listing: Listing, side: WireSide, quantity: Quantity, price: Price) => void;
}
