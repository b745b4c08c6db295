// What the streams beside bars and trades are made with: every parameter with its unit, default and range. A group that is not asked for
// costs nothing, and none of them changes a bar or trade of SYNTHETIC_ASSETS.
import { BallastError } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';

/** What the assets for studies do: `STUDY_ASSETS`. */
export interface StudyParameters {
  /** AVAX: there is one break of its relation to SOL in every stretch of so many days; 20. */
  readonly breakEveryDays: number;
  /** Mean length of a break, each from half of it to one and a half; 72. */
  readonly breakHours: number;
  /** How fast the pair's constant drifts in a break, up or down, in log price an hour; 0.002. */
  readonly breakDriftPerHour: number;
  /** ADA: by how many bars it follows BTC; 3. */
  readonly lagBars: number;
  /** LUNA: its last bar closes so many days after the start; 30. */
  readonly delistedAfterDays: number;
  /** LUNA: how long before that it collapses; 72. */
  readonly collapseHours: number;
  /** LUNA: how fast it then falls, in log price an hour; 0.05. */
  readonly collapseDriftPerHour: number;
}

/** The order book: `SyntheticBook`. */
export interface BookParameters {
  /** Between two updates of the book, beside those that trades make; 500. At least one in a bar. */
  readonly updateMs: number;
  /** A snapshot stands before every so many bars; 60. */
  readonly snapshotBars: number;
  /** Levels on each side in quiet times; 20. */
  readonly levels: number;
  /** Width of the spread in quiet times, as a ratio of the price; 0.00005. Never below one tick. */
  readonly spreadRatio: number;
  /** Quantity of the best level in quiet times, in minutes of typical volume; 0.05. Deeper levels hold more. */
  readonly levelMinutes: number;
  /** How much of the usual depth is left in a crash, beside what its volatility takes; 0.1. */
  readonly crashDepthRatio: number;
  /** How fast depth comes back once it was taken away, half-life in minutes; 30. It goes with a half-life of one minute. */
  readonly recoveryMinutes: number;
}

/** Mark, index, funding and open interest: `SyntheticDerivatives`. */
export interface DerivativeParameters {
  /** Interest part of the funding rate over one funding interval; 0.0001. */
  readonly interestRate: number;
  /** The premium's distance from the interest that the rate ignores; 0.0005. */
  readonly dampeningRatio: number;
  /** The rate is cut at this, either way; 0.0075. */
  readonly maximumRate: number;
  /** Stationary standard deviation of the premium (perpetual over index, as a ratio) that no trend explains; 0.0008. */
  readonly premiumDeviation: number;
  /** Premium in a market that goes nowhere, as a ratio; 0.0002. */
  readonly meanPremium: number;
  /** Premium that a trend of one daily standard deviation of the price leads to, as a ratio; 0.00025. */
  readonly trendPremium: number;
  /** Typical open interest, in days of typical volume; 0.5. */
  readonly openInterestDays: number;
  /** Share of the open interest that a jump of one per cent, either way, closes; 0.04. */
  readonly jumpFlushRatio: number;
}

/** Headlines: `SyntheticHeadlines`. */
export interface HeadlineParameters {
  /** Chance that a jump has a headline before it; 0.5. */
  readonly leadChance: number;
  /** How long before the bar of its jump a leading headline is known, in minutes; 15. */
  readonly leadMinutes: number;
  /** Chance that a jump has a headline after it; 0.7. */
  readonly lagChance: number;
  /** How long after the bar of its jump a lagging headline is known, in minutes; 5. */
  readonly lagMinutes: number;
  /** Share of all headlines, in the long run, behind which there is no jump; 0.4. */
  readonly decoyShare: number;
  /** Between a headline's publication and its arrival here, in seconds; 20. */
  readonly deliverySeconds: number;
  /** Jumps smaller than this, in log price, have no headline; 0.003. */
  readonly minimumJump: number;
}

/** On-chain series: `SyntheticOnChain`. */
export interface OnChainParameters {
  /** Length of one entry, in hours; 1. A multiple of the timeframe. */
  readonly periodHours: number;
  /** By how many periods inflows to venues come before jumps; 6. */
  readonly inflowLeadPeriods: number;
  /** What a fall of one per cent adds to the log of the inflow, a rise takes off; 0.35. */
  readonly inflowGain: number;
  /** By how many periods active addresses follow jumps; 12. */
  readonly addressLagPeriods: number;
  /** What a jump of one per cent, either way, adds to the log of active addresses; 0.2. */
  readonly addressGain: number;
  /** Standard deviation of the logs of both that no jump explains; 0.15. */
  readonly noiseDeviation: number;
  /** Between the end of a period and the arrival of its entry, in minutes; 20. */
  readonly publicationMinutes: number;
}

/** What goes wrong with the feed: `InterruptedMarket`. */
export interface InterruptionParameters {
  /** The whole feed is silent once in every stretch of so many hours, and then late; 72. 0 for never. */
  readonly outageEveryHours: number;
  /** Mean length, each from half of it to one and a half; 20. */
  readonly outageMinutes: number;
  /** Of each instrument bars are lost once in every stretch of so many hours; 120. 0 for never. */
  readonly gapEveryHours: number;
  /** Mean number of bars that are lost, each time from half of it to one and a half; 5. */
  readonly gapBars: number;
}

/** What a group is asked for: what is left out is as said above. */
export interface SyntheticParameters {
  readonly studies: StudyParameters;
  readonly book: BookParameters;
  readonly derivatives: DerivativeParameters;
  readonly headlines: HeadlineParameters;
  readonly onChain: OnChainParameters;
  readonly interruptions: InterruptionParameters;
}

/** Updates of a book in one bar, at most: they are handed over together. */
const MOST_UPDATES = 10_000;

/** Default, smallest, largest; whole numbers only where it says so. */
type Range = readonly [usual: number, least: number, most: number, whole?: 'whole'];
type Ranges = { readonly [Group in keyof SyntheticParameters]: { readonly [Field in keyof SyntheticParameters[Group]]: Range } };

const RANGES: Ranges = {
  studies: {
    breakEveryDays: [20, 1, 3_650],
    breakHours: [72, 1, 2_400],
    breakDriftPerHour: [0.002, 0, 0.1],
    lagBars: [3, 1, 1_440, 'whole'],
    delistedAfterDays: [30, 1, 36_500],
    collapseHours: [72, 1, 2_400],
    collapseDriftPerHour: [0.05, 0, 1],
  },
  book: {
    updateMs: [500, 10, 86_400_000, 'whole'],
    snapshotBars: [60, 1, 1_000_000, 'whole'],
    levels: [20, 2, 200, 'whole'],
    spreadRatio: [0.000_05, 0, 0.05],
    levelMinutes: [0.05, 0.0001, 100],
    crashDepthRatio: [0.1, 0.0001, 1],
    recoveryMinutes: [30, 1, 10_000],
  },
  derivatives: {
    interestRate: [0.0001, 0, 0.01],
    dampeningRatio: [0.0005, 0, 0.01],
    maximumRate: [0.0075, 0.0001, 0.1],
    premiumDeviation: [0.0008, 0, 0.05],
    meanPremium: [0.0002, -0.01, 0.01],
    trendPremium: [0.00025, 0, 0.05],
    openInterestDays: [0.5, 0.001, 1_000],
    jumpFlushRatio: [0.04, 0, 0.9],
  },
  headlines: {
    leadChance: [0.5, 0, 1],
    leadMinutes: [15, 1, 1_440, 'whole'],
    lagChance: [0.7, 0, 1],
    lagMinutes: [5, 0, 1_440, 'whole'],
    decoyShare: [0.4, 0, 0.95],
    deliverySeconds: [20, 0, 3_600, 'whole'],
    minimumJump: [0.003, 0, 1],
  },
  onChain: {
    periodHours: [1, 1, 168, 'whole'],
    inflowLeadPeriods: [6, 2, 200, 'whole'],
    inflowGain: [0.35, 0, 5],
    addressLagPeriods: [12, 1, 200, 'whole'],
    addressGain: [0.2, 0, 5],
    noiseDeviation: [0.15, 0, 2],
    publicationMinutes: [20, 0, 10_000, 'whole'],
  },
  interruptions: {
    outageEveryHours: [72, 0, 100_000],
    outageMinutes: [20, 1, 10_000],
    gapEveryHours: [120, 0, 100_000],
    gapBars: [5, 1, 10_000],
  },
};

/** The group with what was left out filled in. @throws BallastError SYNTHETIC_OPTION_INVALID */
export function checkParameters<Group extends keyof SyntheticParameters>(
  group: Group,
  given: Partial<SyntheticParameters[Group]> = {},
): SyntheticParameters[Group] {
  const ranges: Readonly<Record<string, Range>> = RANGES[group];
  const found: Readonly<Record<string, unknown>> = { ...given };
  for (const field of Object.keys(found)) {
    if (ranges[field] === undefined) reject(`${group}.${field}`, 'an option', `one of ${Object.keys(ranges).join(', ')}`);
  }
  const filled = Object.entries(ranges).map(([field, [usual, least, most, whole]]) => {
    const value = found[field] ?? usual;
    const isRight = typeof value === 'number' && value >= least && value <= most && (whole === undefined || Number.isInteger(value));
    if (!isRight)
      reject(
        `${group}.${field}`,
        typeof value === 'number' ? value : JSON.stringify(value),
        `a ${whole === undefined ? '' : 'whole '}number from ${least} to ${most}`,
      );
    return [field, value];
  });
  return Object.fromEntries(filled) as SyntheticParameters[Group];
}

/** What the parameters of a group must keep between them. @throws BallastError SYNTHETIC_OPTION_INVALID */
export function checkStudies({ breakEveryDays, breakHours, delistedAfterDays, collapseHours }: StudyParameters, timeframeMs: TimeMs): void {
  if (!hasRoom(breakEveryDays * DAY_MS, breakHours * HOUR_MS, timeframeMs)) {
    reject('studies.breakHours', breakHours, `at most two thirds of breakEveryDays (${breakEveryDays}), less two bars`);
  }
  if (collapseHours > delistedAfterDays * 24) {
    reject('studies.collapseHours', collapseHours, `at most delistedAfterDays (${delistedAfterDays} days)`);
  }
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID */
export function checkInterruptions(
  { outageEveryHours, outageMinutes, gapEveryHours, gapBars }: InterruptionParameters,
  timeframeMs: TimeMs,
): void {
  if (!hasRoom(outageEveryHours * HOUR_MS, outageMinutes * MINUTE_MS, timeframeMs)) {
    reject('interruptions.outageMinutes', outageMinutes, `at most two thirds of outageEveryHours (${outageEveryHours}), less two bars`);
  }
  if (!hasRoom(gapEveryHours * HOUR_MS, gapBars * timeframeMs, timeframeMs)) {
    reject('interruptions.gapBars', gapBars, `at most two thirds of gapEveryHours (${gapEveryHours}), less two bars`);
  }
}

/** A bar's updates are made at once. @throws BallastError SYNTHETIC_OPTION_INVALID */
export function checkBook({ updateMs }: BookParameters, timeframeMs: TimeMs): void {
  const least = Math.ceil(timeframeMs / MOST_UPDATES);
  if (updateMs < least)
    reject('book.updateMs', updateMs, `at least ${least} for a bar of ${timeframeMs} ms (${MOST_UPDATES} updates a bar)`);
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID */
export function checkOnChain({ periodHours, inflowLeadPeriods, publicationMinutes }: OnChainParameters, timeframeMs: TimeMs): void {
  if ((periodHours * HOUR_MS) % timeframeMs !== 0) {
    reject('onChain.periodHours', periodHours, `a multiple of the timeframe (${timeframeMs} ms)`);
  }
  if ((inflowLeadPeriods - 1) * periodHours * HOUR_MS < publicationMinutes * MINUTE_MS) {
    reject('onChain.publicationMinutes', publicationMinutes, 'at most inflowLeadPeriods - 1 periods, or nothing would be known beforehand');
  }
}

/** The longest spell is one and a half times the mean, and must end in the stretch in which it begins. */
function hasRoom(everyMs: number, lengthMs: number, timeframeMs: TimeMs): boolean {
  return everyMs === 0 || everyMs >= 1.5 * lengthMs + 2 * timeframeMs;
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID, always */
export function reject(option: string, found: number | string, expected: string): never {
  throw new BallastError({
    code: 'SYNTHETIC_OPTION_INVALID',
    place: `synthetic market, ${option}`,
    found: String(found),
    expected,
    exitCode: 2,
  });
}
