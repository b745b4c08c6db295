// The words of made-up headlines. A cause may stand before a move or behind none at all; a consequence tells of one that was.

export interface HeadlineText {
  /** {name}, {firm}, {millions}, {count} and {percent} are filled in. */
  readonly text: string;
  /** How the words sound, in (0, 1] of the direction that they are listed under. */
  readonly tone: number;
}

export interface HeadlineTexts {
  readonly up: readonly HeadlineText[];
  readonly down: readonly HeadlineText[];
}

export const OUTLETS: readonly string[] = ['Harbour Wire', 'Block Courier', 'The Ledger Post', 'Meridian Markets'];
export const FIRMS: readonly string[] = [
  'Northwind Capital',
  'Halden Pay',
  'Osprey Trust',
  'Kestrel Custody',
  'Brightwater',
  'Tamarack Labs',
];

/** Of one asset. */
export const ASSET_CAUSES: HeadlineTexts = {
  up: [
    { text: '{firm} adds {name} to its treasury with a purchase of {millions} million dollars', tone: 0.7 },
    { text: 'Regulator approves the first {name} fund of {firm}', tone: 0.9 },
    { text: '{firm} to settle payments in {name} across {count} countries', tone: 0.6 },
    { text: 'Funds that hold {name} report record inflows of {millions} million dollars', tone: 0.7 },
    { text: 'Court dismisses the case against the developers of {name}', tone: 0.8 },
    { text: '{name} upgrade goes live without incident, fees fall by {percent} percent', tone: 0.5 },
  ],
  down: [
    { text: '{firm} halts withdrawals of {name} and cites market conditions', tone: 0.9 },
    { text: 'Regulator sues {firm} over its {name} products', tone: 0.7 },
    { text: 'Hackers take {millions} million dollars of {name} from {firm}', tone: 0.9 },
    { text: 'Dormant {name} wallet moves {millions} million dollars to trading venues', tone: 0.4 },
    { text: '{name} network stalls for {count} hours after a faulty update', tone: 0.6 },
    { text: '{firm} files for bankruptcy protection with {millions} million dollars in {name}', tone: 0.8 },
  ],
};

/** Of the whole market. */
export const MARKET_CAUSES: HeadlineTexts = {
  up: [
    { text: 'Central bank signals rate cuts earlier than expected', tone: 0.7 },
    { text: 'Parliament passes a framework for digital assets with a wide majority', tone: 0.6 },
    { text: 'Pension funds with {millions} million dollars may now hold digital assets', tone: 0.6 },
    { text: 'Inflation falls to {percent} percent, less than forecast', tone: 0.5 },
  ],
  down: [
    { text: 'Central bank surprises with a rate rise and warns of more', tone: 0.7 },
    { text: 'Stablecoin issuer {firm} fails to show {millions} million dollars of reserves', tone: 0.9 },
    { text: '{count} countries agree to restrict trading of digital assets', tone: 0.7 },
    { text: 'Inflation rises to {percent} percent, more than forecast', tone: 0.5 },
  ],
};

/** Of a move that was, of an asset or of the market. */
export const CONSEQUENCES: HeadlineTexts = {
  up: [
    { text: '{name} jumps {percent} percent as short sellers are forced out', tone: 0.7 },
    { text: '{name} rallies {percent} percent within minutes', tone: 0.6 },
    { text: 'Buyers return to {name}, price up {percent} percent', tone: 0.5 },
  ],
  down: [
    { text: '{name} slides {percent} percent, {millions} million dollars of positions liquidated', tone: 0.8 },
    { text: '{name} drops {percent} percent within minutes', tone: 0.6 },
    { text: 'Sellers take {name} down by {percent} percent', tone: 0.5 },
  ],
};
