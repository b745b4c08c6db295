// Every number of risk in one place. Ratios are 0..1. Read by both gates, by sizing and by the engine's reflexes.

export interface RiskPolicy {
  // How large one sleeve may be.

  /** What one sleeve may lose at its stop, as a ratio of equity. Default 0.02. */
  readonly riskPerTradeRatio: number;
  /** The gross of all sleeves in one instrument over equity. Default 0.25. */
  readonly positionRatio: number;

  // How large all of them may be together.

  /** What all sleeves may lose at their stops, as a ratio of equity. Default 0.06. */
  readonly heatRatio: number;
  /** The gross of all sleeves over equity. Default 2. */
  readonly leverageRatio: number;
  /** Sleeves with a position; a pair is one. Default 10. */
  readonly maximumPositions: number;
  /** What stands already is cut only beyond limit x this, and then to the limit: drift is not traded. Default 1.1. */
  readonly standingToleranceRatio: number;

  // Where a position is given up.

  /** The widest distance of a stop from entry that is set without being asked for, as a ratio of price. Default 0.03. */
  readonly stopRatio: number;
  /** The other candidate, in ATR of the decision timeframe: the tighter of the two is set. Default 2. */
  readonly stopAtr: number;
  /** A trailing stop follows the best price in whole steps of this many R (the entry's stop distance), once one step is won; 0 is off. Default 1. */
  readonly trailR: number;

  // What a bad day and a bad month do.

  /** Loss since the day's start that raises an alert, as a ratio of the equity then. Default 0.04. */
  readonly dailyLossAlertRatio: number;
  /** Loss since the day's start from which nothing may increase until the next day. Default 0.05. */
  readonly dailyLossPauseRatio: number;
  /** When the day starts, in milliseconds after 00:00 UTC. Default 0. */
  readonly dayStartMs: number;
  /** Fall from the peak of equity that raises an alert. Default 0.12. */
  readonly drawdownAlertRatio: number;
  /** Fall from the peak from which fresh targets get half of their size. Default 0.15. */
  readonly drawdownHalveRatio: number;
  /** Fall from the peak that halts: latched, everything is closed, released by hand. Default 0.25. */
  readonly drawdownHaltRatio: number;

  // What a trade must promise.

  /**
   * A target increases only where its forecast's expected return is at least this multiple of what its round trip costs; 0 is off. A forecast
   * that names no expected return is not bound. Default 1.5.
   */
  readonly edgeMultiple: number;

  // What the market must be like.

  /** A waterfall is both at once: nothing long is added while it lasts. */
  readonly antiKnife: {
    /** Bollinger %B at or below this. Default 0: at or under the lower band. */
    readonly percentB: number;
    /** Short over long realised volatility at or above this. Default 2. */
    readonly volatilityRatio: number;
  };
  /** A feed is stale once it was silent for this many of its own intervals (a bar's timeframe). Default 3. */
  readonly staleIntervals: number;
  /** The same for feeds without an interval (trades, marks), in milliseconds of market time. Default 60,000. */
  readonly staleMs: number;

  // What a single order must look like.

  /** A limit price may be this far from the mark, as a ratio of the mark. Default 0.05. */
  readonly collarRatio: number;
  /** An order's notional over equity. Default 0.6: a full flip of the largest position is 0.5, with drift 0.55. */
  readonly fatFingerRatio: number;
  /** Orders a minute of market time, over all instruments, in the long run. Default 120. */
  readonly ordersPerMinute: number;
  /** Orders that may go out at one instant after a quiet time. Default 60. */
  readonly orderBurst: number;

  // What sizing asks for, before any limit.

  /** Fraction of equity that `fixed` sizing asks. Default 0.1. */
  readonly fixedRatio: number;
  /** Volatility a year that `volatility` sizing aims at. Default 0.2. */
  readonly targetVolatilityRatio: number;
  /** Part of the full Kelly bet that `kelly` sizing asks. Default 0.25. */
  readonly kellyFraction: number;
  /** Win over loss where an opinion names no target: `kelly`'s payoff. Default 1.5. */
  readonly kellyPayoffRatio: number;
}

export const defaultRiskPolicy: RiskPolicy = {
  riskPerTradeRatio: 0.02,
  positionRatio: 0.25,
  heatRatio: 0.06,
  leverageRatio: 2,
  maximumPositions: 10,
  standingToleranceRatio: 1.1,
  stopRatio: 0.03,
  stopAtr: 2,
  trailR: 1,
  dailyLossAlertRatio: 0.04,
  dailyLossPauseRatio: 0.05,
  dayStartMs: 0,
  drawdownAlertRatio: 0.12,
  drawdownHalveRatio: 0.15,
  drawdownHaltRatio: 0.25,
  edgeMultiple: 1.5,
  antiKnife: { percentB: 0, volatilityRatio: 2 },
  staleIntervals: 3,
  staleMs: 60_000,
  collarRatio: 0.05,
  fatFingerRatio: 0.6,
  ordersPerMinute: 120,
  orderBurst: 60,
  fixedRatio: 0.1,
  targetVolatilityRatio: 0.2,
  kellyFraction: 0.25,
  kellyPayoffRatio: 1.5,
};
