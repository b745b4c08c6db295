// Made-up headlines that come before or after the market's jumps by a known time, among others behind which there is nothing.
//
// The model runs ahead of the stream by the lead, so that a headline can stand before the jump that it belongs to; what is handed out is
// only what is known by then. Which kind a headline is, and what its words are worth, is told beside it and never in it.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import { normalQuantile, Random } from '../../quant/random.ts';
import { leaderOf, type SyntheticAsset } from './assets.ts';
import { ASSET_CAUSES, CONSEQUENCES, FIRMS, MARKET_CAUSES, OUTLETS, type HeadlineTexts } from './headline-texts.ts';
import { BAR_WIDTH, Model, OWN_JUMP_DEVIATION, OWN_JUMPS_PER_DAY, pathOf, type AssetPath } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import type { HeadlineParameters } from './parameters.ts';
import { chanceWithin, REGIMES, regimeShares } from './regimes.ts';

/** What a reader sees. */
export interface Headline {
  readonly id: string;
  /** When it arrived here. */
  readonly at: TimeMs;
  /** When it was published. */
  readonly happenedAt: TimeMs;
  /** Undefined: of the whole market. */
  readonly symbol: string | undefined;
  readonly outlet: string;
  readonly title: string;
}

export type HeadlineKind = 'lead' | 'lag' | 'decoy';

/** What is behind it. */
export interface HeadlineTruth {
  readonly kind: HeadlineKind;
  /** How the words sound: in [-1, 1], true of a decoy's words too. */
  readonly sentiment: number;
  /** Open of the bar with the jump; undefined for a decoy. */
  readonly jumpBarAt: TimeMs | undefined;
  /** The jump's log size in the price of the headline's symbol, or in the factor's level; 0 for a decoy. */
  readonly jump: number;
}

export interface PublishedHeadline {
  readonly headline: Headline;
  readonly truth: HeadlineTruth;
}

/** Points at which the distribution of a jump's size is looked at, to know how many are large enough. */
const QUANTILES = 1_000;

/**
 * Of the market and of each chosen asset. A headline is the same whichever other assets are chosen.
 * @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN
 */
export function syntheticHeadlines(options: SyntheticMarketOptions): SyntheticHeadlines {
  return new SyntheticHeadlines(checkOptions(options));
}

/** What headlines are about: jumps of the factor, or those of one asset that are its own. */
interface Subject {
  readonly symbol: string | undefined;
  readonly title: string;
  readonly causes: HeadlineTexts;
  readonly random: Random;
  /** Undefined is the factor. */
  readonly path: AssetPath | undefined;
  readonly decoyChance: number;
}

/** Headlines bar by bar, for ever. */
export class SyntheticHeadlines implements Stateful {
  readonly #model: Model;
  readonly #subjects: readonly Subject[];
  readonly #parameters: HeadlineParameters;
  readonly #startAt: TimeMs;
  readonly #timeframeMs: TimeMs;
  readonly #ahead: number;
  readonly #row: Float64Array;
  /** Made and not yet known, by time. */
  #waiting: PublishedHeadline[] = [];
  /** The bar that `step` makes next, and the first that the model has not made. */
  #bar = 0;
  #scanned = 0;

  constructor(options: CheckedOptions) {
    const { seed, startAt, timeframeMs, assets, headlines } = options;
    const root = new Random(seed);
    const hours = timeframeMs / HOUR_MS;
    this.#model = new Model(options, assets);
    this.#row = new Float64Array(assets.length * BAR_WIDTH);
    this.#parameters = headlines;
    this.#startAt = startAt;
    this.#timeframeMs = timeframeMs;
    // One more than fit into the lead: what is known at the open of a bar belongs to the bar before.
    this.#ahead = Math.floor((headlines.leadMinutes * MINUTE_MS) / timeframeMs) + 1;
    const decoyChance = (jumpsPerHour: number): number => {
      const { decoyShare, leadChance, lagChance } = headlines;
      return chanceWithin((jumpsPerHour * (leadChance + lagChance) * decoyShare) / (1 - decoyShare), hours);
    };
    const market: Subject = {
      symbol: undefined,
      title: 'Crypto market',
      causes: MARKET_CAUSES,
      random: root.fork('headlines'),
      path: undefined,
      decoyChance: decoyChance(factorJumpsPerHour(headlines.minimumJump)),
    };
    const own = (asset: SyntheticAsset): Subject => ({
      symbol: asset.instrument.symbol,
      title: asset.title,
      causes: ASSET_CAUSES,
      random: root.fork(`headlines ${asset.instrument.symbol}`),
      path: pathOf(this.#model, asset.instrument.symbol),
      decoyChance: decoyChance((OWN_JUMPS_PER_DAY / 24) * largeShare(0, OWN_JUMP_DEVIATION, headlines.minimumJump)),
    });
    // A pair's follower has no jumps of its own: what is written of it is written of its leader.
    this.#subjects = [market, ...assets.filter((asset) => leaderOf(asset) === undefined || 'beta' in asset.drive).map(own)];
  }

  /** What becomes known after the open of the next bar and at the latest at its close, in order of `at`. */
  step(): readonly PublishedHeadline[] {
    for (; this.#scanned <= this.#bar + this.#ahead; this.#scanned++) this.#scan(this.#scanned);
    const openAt = this.#startAt + this.#bar * this.#timeframeMs;
    const closeAt = openAt + this.#timeframeMs;
    this.#bar++;
    const known = this.#waiting.filter(({ headline: { at } }) => at > openAt && at <= closeAt);
    if (known.length === 0) return known;
    this.#waiting = this.#waiting.filter(({ headline: { at } }) => at > closeAt);
    return known.sort((left, right) => left.headline.at - right.headline.at);
  }

  save(out: ByteWriter): void {
    this.#model.save(out);
    out.count(this.#bar);
    out.count(this.#scanned);
    out.count(this.#waiting.length);
    for (const { headline, truth } of this.#waiting) {
      out.text(headline.id);
      out.number(headline.at);
      out.number(headline.happenedAt);
      out.text(headline.symbol ?? '');
      out.text(headline.outlet);
      out.text(headline.title);
      out.text(truth.kind);
      out.number(truth.sentiment);
      out.number(truth.jumpBarAt ?? NaN);
      out.number(truth.jump);
    }
  }

  /** Into one of the same options. */
  restore(from: ByteReader): void {
    this.#model.restore(from);
    this.#bar = from.count();
    this.#scanned = from.count();
    this.#waiting = Array.from({ length: from.count() }, (): PublishedHeadline => {
      const headline = {
        id: from.text(),
        at: from.number(),
        happenedAt: from.number(),
        symbol: from.text() || undefined,
        outlet: from.text(),
        title: from.text(),
      };
      const kind = from.text();
      const sentiment = from.number();
      const jumpBarAt = from.number();
      const truth = {
        kind: kind as HeadlineKind,
        sentiment,
        jumpBarAt: Number.isNaN(jumpBarAt) ? undefined : jumpBarAt,
        jump: from.number(),
      };
      return { headline, truth };
    });
  }

  /** Makes what is written about one bar. Drawn from the bar's own index, so that a subject's headlines need no memory. */
  #scan(bar: number): void {
    this.#model.step(this.#row, 0);
    const { leadChance, leadMinutes, lagChance, lagMinutes, minimumJump } = this.#parameters;
    const openAt = this.#startAt + bar * this.#timeframeMs;
    for (const subject of this.#subjects) {
      const { random, path, decoyChance, causes } = subject;
      random.seek(bar);
      const leadAt = openAt - leadMinutes * MINUTE_MS;
      if (random.uniform() < decoyChance) {
        const isUp = random.uniform() < 0.5;
        // When a leading one would be: neither its words nor its time tell it from one.
        this.#publish(subject, leadAt, isUp ? causes.up : causes.down, { kind: 'decoy', jumpBarAt: undefined, jump: 0 }, isUp);
      }
      const jump = path === undefined ? this.#model.factor.jump : path.ownJump;
      if (Math.abs(jump) < minimumJump || jump === 0) continue;
      const isUp = jump > 0;
      if (random.uniform() < leadChance) {
        this.#publish(subject, leadAt, isUp ? causes.up : causes.down, { kind: 'lead', jumpBarAt: openAt, jump }, isUp);
      }
      if (random.uniform() < lagChance) {
        const at = openAt + this.#timeframeMs + lagMinutes * MINUTE_MS;
        this.#publish(subject, at, isUp ? CONSEQUENCES.up : CONSEQUENCES.down, { kind: 'lag', jumpBarAt: openAt, jump }, isUp);
      }
    }
  }

  #publish(
    { random, symbol, title }: Subject,
    at: TimeMs,
    texts: readonly { text: string; tone: number }[],
    truth: Omit<HeadlineTruth, 'sentiment'>,
    isUp: boolean,
  ): void {
    // Drawn first, all of it: a headline from before the market's start takes as many draws as another.
    const { text, tone } = pick(random, texts);
    const id = random.uint32().toString(16).padStart(8, '0') + random.uint32().toString(16).padStart(8, '0');
    const outlet = pick(random, OUTLETS);
    const firm = pick(random, FIRMS);
    const millions = String(10 * (1 + random.integer(90)));
    const count = String(2 + random.integer(10));
    const percent = (truth.kind === 'lag' ? 100 * Math.abs(truth.jump) : 1 + random.integer(60) / 10).toFixed(1);
    if (at <= this.#startAt) return;
    const filled = text
      .replace('{name}', title)
      .replace('{firm}', firm)
      .replace('{millions}', millions)
      .replace('{count}', count)
      .replace('{percent}', percent);
    const happenedAt = at - this.#parameters.deliverySeconds * SECOND_MS;
    this.#waiting.push({
      headline: { id, at, happenedAt, symbol, outlet, title: filled },
      truth: { ...truth, sentiment: isUp ? tone : -tone },
    });
  }
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.integer(items.length)];
  if (item === undefined) throw new RangeError('there was nothing to pick from, expected at least one');
  return item;
}

/** Part of the jumps of this mean and deviation that are at least so large. */
function largeShare(mean: number, deviation: number, least: number): number {
  let large = 0;
  for (let point = 0; point < QUANTILES; point++) {
    if (Math.abs(mean + deviation * normalQuantile((point + 0.5) / QUANTILES)) >= least) large++;
  }
  return large / QUANTILES;
}

/** In the long run, over all regimes. */
function factorJumpsPerHour(least: number): number {
  const shares = regimeShares();
  return REGIMES.reduce(
    (sum, { jumpsPerDay, jumpMean, jumpDeviation }, index) =>
      sum + (shares[index] ?? 0) * (jumpsPerDay / 24) * largeShare(jumpMean, jumpDeviation, least),
    0,
  );
}
