// The public API. A user's strategy imports it as `ballast`, so nothing here loads a database, a server or an exchange's client.

// What a strategy is made of.
export { z } from 'zod';
export { defineStrategy, forecaster } from './domain/strategy.ts';
export type { Evidence, Forecaster, OwnSleeve, ParameterSchema, Strategy } from './domain/strategy.ts';
export { abstain } from './domain/opinion.ts';
export type { Abstention, Forecast, Opinion, Protection, Reasons } from './domain/opinion.ts';
export {
  accumulationDistribution,
  adx,
  adxr,
  anchoredVwap,
  aroon,
  atr,
  barPattern,
  barSpan,
  bollinger,
  cci,
  chaikinMoneyFlow,
  chaikinOscillator,
  columns,
  dema,
  donchian,
  donchianEnsemble,
  ema,
  garmanKlass,
  hma,
  ichimoku,
  kama,
  keltner,
  liquiditySweep,
  macd,
  mfi,
  momentum,
  obv,
  on,
  parabolicSar,
  parkinson,
  pinBar,
  pivotPoints,
  previous,
  rateOfChange,
  realisedVolatility,
  rogersSatchell,
  rollingVwap,
  rsi,
  sessionVwap,
  sma,
  standardDeviation,
  stochastic,
  stochasticFast,
  stochasticRsi,
  superTrend,
  swings,
  tema,
  trix,
  ultimateOscillator,
  volatilityRatio,
  volumeProfile,
  vwapDeviation,
  williamsR,
  wma,
  yangZhang,
  zScore,
} from './features/catalog.ts';
export type { CatalogSpec } from './features/catalog.ts';
export type { PatternName } from './features/indicators/bar-pattern.ts';
export type { PivotMethod } from './features/indicators/pivot-points.ts';
export { bookImbalance, imbalanceByLevel, microprice } from './features/order-flow/book.ts';
export { KyleLambda } from './features/order-flow/kyle-lambda.ts';
export { TradeImbalance } from './features/order-flow/trade-imbalance.ts';
export type { TakerSide } from './features/order-flow/trade.ts';
export { Vpin } from './features/order-flow/vpin.ts';
export { bookPressure, catchUp, fundingPace, fundingPaceOf, premium, returnCorrelation } from './features/subject-catalog.ts';
export type { CatchUp, ReturnCorrelation } from './features/indicators/joint-returns.ts';
export type { Premium } from './features/indicators/premium.ts';
export type { FundingPace } from './features/funding/funding-pace.ts';
export type { BookPressure } from './features/order-flow/book-pressure.ts';
export type { PressureWindows } from './features/order-flow/book-pressure.ts';
export type {
  AnyFeatureSpec,
  BarView,
  BookFeatureSpec,
  BookIndicator,
  Features,
  FeatureSpec,
  FeatureSpecs,
  FundingFeatureSpec,
  FundingIndicator,
  Indicator,
  JointFeatureSpec,
  JointIndicator,
} from './domain/feature.ts';
export { askWithin, readLetter } from './forecasts/letters.ts';
export { meanReversion } from './forecasts/strategies/mean-reversion.ts';
export { trend } from './forecasts/strategies/trend.ts';

// Nouns.
export {
  absolute,
  add,
  amount,
  amountFrom,
  compare,
  format,
  isZero,
  larger,
  negate,
  notional,
  price,
  priceFrom,
  proportion,
  quantity,
  quantityFrom,
  roundToStep,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from './domain/decimal.ts';
export type { Amount, Decimal, Price, Quantity, Rounding } from './domain/decimal.ts';
export { DAY_MS, formatSpan, formatTime, HOUR_MS, MINUTE_MS, NEVER, parseSpan, parseTime, SECOND_MS, startOfDay } from './domain/time.ts';
export type { TimeMs } from './domain/time.ts';
export { instrumentId, parseSymbol } from './domain/instrument.ts';
export type { Instrument, InstrumentKind } from './domain/instrument.ts';
export { BallastError } from './domain/errors.ts';
export type { ErrorParts } from './domain/errors.ts';
export type { BarColumns } from './domain/bars.ts';
export { ASK, BID } from './domain/book.ts';
export type { BookDeltaColumns, BookLevels, BookMessage, BookSnapshotColumns, TradeColumns } from './domain/book.ts';
export { ByteReader, ByteWriter } from './domain/bytes.ts';
export type { Stateful } from './domain/bytes.ts';
export { PASS } from './domain/decision.ts';
export type { AccountView, Approved, Decision, MarketView, RiskRule, Ruling, Target } from './domain/decision.ts';
export type {
  DecisionTaken,
  Entry,
  EntryKind,
  InputEntry,
  JournalRow,
  OutputEntry,
  RulingNote,
  RunOutcome,
  StateChange,
} from './domain/entry.ts';
export type {
  BookEvent,
  Event,
  Fill,
  FundingAnnounced,
  MarketEvent,
  OperatorSpoke,
  OrderAmended,
  OrderReport,
  TimerRang,
  VenueReport,
} from './domain/event.ts';
export type { AmendIntent, CancelIntent, OrderIntent, OrderState, OrderType, Share, Side } from './domain/order.ts';
export type { Clock, EmbeddedVenue, MarketSource, Source, Venue } from './domain/ports.ts';
export type { Holdings, PortfolioView, Sleeve } from './domain/sleeve.ts';

// A run and its parts.
export { assemblePlan, warmupBars } from './app/assemble.ts';
export type { PlannedStrategy, PlanRequest } from './app/assemble.ts';
export { defaultConfig } from './app/config-schema.ts';
export type { Config } from './app/config-schema.ts';
export { listStrategies, parameterFields, parseParameters, strategyNamed } from './app/registry.ts';
export type { ListedStrategy, NamedStrategy, ParameterField } from './app/registry.ts';
export { Engine } from './engine/engine.ts';
export type { EngineParts } from './engine/engine.ts';
export { run } from './engine/run.ts';
export type { Session } from './engine/run.ts';
export type { MindPlan, RunPlan } from './engine/plan.ts';
export type { Recorder } from './engine/recorder.ts';
export { SimulatedClock } from './engine/simulated-clock.ts';
export { SystemClock } from './engine/system-clock.ts';
export { BarBuilder } from './market/bar-builder.ts';
export type { BarRule, TradeBar } from './market/bar-builder.ts';
export { BarSource } from './market/bar-source.ts';
export type { BarSourceParts } from './market/bar-source.ts';
export { ConsolidatedBest } from './market/consolidated-best.ts';
export type { ConsolidatedQuote, ConsolidatedSide, QuotingVenue } from './market/consolidated-best.ts';
export { BookMessages } from './market/book/book-messages.ts';
export { BINANCE_FUTURES_BOOK, BINANCE_SPOT_BOOK, BookSync, BYBIT_BOOK } from './market/book/book-sync.ts';
export type { BookCounts, BookRules, BookState, BookVerdict } from './market/book/book-sync.ts';
export { OrderBook } from './market/book/order-book.ts';
export { almgrenChrissWeights, expectedShortfall, urgencyRate } from './execution/algorithms/almgren-chriss.ts';
export type { ExecutionProblem, ImpactModel } from './execution/algorithms/almgren-chriss.ts';
export { delayCostRatio, route } from './execution/router.ts';
export type { Route, VenueBook } from './execution/router.ts';
export { SyntheticMarket, syntheticMarket } from './market/synthetic/market.ts';
export type { SyntheticMarketOptions } from './market/synthetic/options.ts';
export { syntheticBook } from './market/synthetic/book.ts';
export type { BookStep, SyntheticBook } from './market/synthetic/book.ts';
export { syntheticDerivatives } from './market/synthetic/derivatives.ts';
export type { DerivativeStep, SyntheticDerivatives } from './market/synthetic/derivatives.ts';
export { syntheticHeadlines } from './market/synthetic/headlines.ts';
export type { Headline, HeadlineTruth, PublishedHeadline, SyntheticHeadlines } from './market/synthetic/headlines.ts';
export { interruptedMarket, interruptionTruth } from './market/synthetic/interruptions.ts';
export type { InterruptedMarket, InterruptionTruth } from './market/synthetic/interruptions.ts';
export { syntheticOnChain } from './market/synthetic/on-chain.ts';
export type { OnChainEntry, SyntheticOnChain } from './market/synthetic/on-chain.ts';
export { groundTruth } from './market/synthetic/truth.ts';
export type { GroundTruth } from './market/synthetic/truth.ts';
export { truthDocument } from './market/synthetic/truth-document.ts';
export type { TruthDocument } from './market/synthetic/truth-document.ts';
export { SimulatedVenue } from './venues/simulated/venue.ts';
export { defaultRules as defaultMatchingRules } from './venues/simulated/rules.ts';
export type { BookTape } from './venues/simulated/book-records.ts';
export type { MatchingRules } from './venues/simulated/rules.ts';
export type { SimulatedVenueSettings } from './venues/simulated/venue.ts';
export { defaultRiskPolicy } from './risk/policy.ts';
export type { RiskPolicy } from './risk/policy.ts';
export { defaultRules } from './risk/rules/default-rules.ts';
export type { SizingMethod } from './risk/sizing.ts';
export type { CouncilSettings } from './council/council.ts';
export type { DeskSettings } from './execution/desk.ts';

// Whether a result is luck.
export { combinatorialChoice } from './lab/validate/combinatorial-choice.ts';
export type { CombinatorialChoice } from './lab/validate/combinatorial-choice.ts';
export { dataSnooping } from './lab/validate/data-snooping.ts';
export type { DataSnooping, SnoopingSettings } from './lab/validate/data-snooping.ts';
export { monteCarlo } from './lab/validate/monte-carlo.ts';
export type { MonteCarlo, Percentiles } from './lab/validate/monte-carlo.ts';
export { probabilityOfOverfitting } from './lab/validate/overfitting.ts';
export type { Overfitting } from './lab/validate/overfitting.ts';
export { parameterSurface } from './lab/validate/parameter-surface.ts';
export type { ParameterSurface, SurfaceCell, SurfacePoint } from './lab/validate/parameter-surface.ts';
export { randomEntryTest } from './lab/validate/random-entry.ts';
export type { PlacedLeg, PlacedTrip, RandomEntry, RandomEntrySettings } from './lab/validate/random-entry.ts';
export { regimeBreakdown } from './lab/validate/regimes.ts';
export type { MarketDays, Regime, RegimeName, RunDays } from './lab/validate/regimes.ts';
export {
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeSample,
} from './lab/validate/sharpe-ratio.ts';
export type { DeflatedSharpe, SharpeSample, Trials } from './lab/validate/sharpe-ratio.ts';
export { recordTrial, recordTrials, trialsOn } from './lab/validate/trial-ledger.ts';
export { joinLogs } from './lab/pairs/join.ts';
export type { ClosingPrices, JoinedLogs } from './lab/pairs/join.ts';
export { allPairs, scanPairs } from './lab/pairs/scan.ts';
export type { DirectedRelation, MissingPair, PairMethod, PairRow, PairScan, PairScanRequest, SeriesRow } from './lab/pairs/scan.ts';
export { studyPair } from './lab/pairs/study.ts';
export type { PairStudy } from './lab/pairs/study.ts';
export type { Trial, TrialBatch, TrialsOnRecord } from './lab/validate/trial-ledger.ts';
export { sweepEvaluator } from './lab/validate/sweep-evaluator.ts';
export type { SweepWindows } from './lab/validate/sweep-evaluator.ts';
export { walkForward } from './lab/validate/walk-forward.ts';
export type {
  FoldDocument,
  OutOfSample,
  RowRange,
  TestedColumn,
  WalkForward,
  WalkForwardRequest,
  WindowEvaluator,
  WindowSettings as WalkForwardWindows,
} from './lab/validate/walk-forward.ts';
export { optimalBlockLengths } from './quant/block-length.ts';
export type { BlockLengths } from './quant/block-length.ts';
export { engleGranger } from './quant/cointegration.ts';
export type { EngleGranger, Relation } from './quant/cointegration.ts';
export { fitCopula, fitCopulas } from './quant/copula-fit.ts';
export type { FittedCopula } from './quant/copula-fit.ts';
export { conditionalProbabilities, copulaDistribution, copulaLogDensity, kendallTauOf, tailDependence } from './quant/copula.ts';
export type { Conditional, Copula, CopulaFamily, Rotation, TailDependence } from './quant/copula.ts';
export { bayesSteinMeans, ledoitWolf, sampleCovariance } from './quant/covariance.ts';
export type { ShrunkCovariance, ShrunkMeans, SymmetricMatrix } from './quant/covariance.ts';
export { distanceCorrelation } from './quant/distance-correlation.ts';
export { falseDiscoveryRates } from './quant/false-discovery.ts';
export { fitGarch, GarchVariance } from './quant/garch.ts';
export type { Garch, GarchFit } from './quant/garch.ts';
export { gregoryHansen, gregoryHansenCritical } from './quant/gregory-hansen.ts';
export type { BreakStatistic, GregoryHansen, RegimeShift } from './quant/gregory-hansen.ts';
export { fitGaussianHmm, refineHmm, RegimeFilter } from './quant/hidden-markov.ts';
export type { GaussianHmm, HmmFit, HmmSettings } from './quant/hidden-markov.ts';
export { johansen } from './quant/johansen.ts';
export type { Johansen } from './quant/johansen.ts';
export type { LagChoice, LagCriterion, LaggedRegression, Lags } from './quant/lagged-regression.ts';
export { fitKalmanHedge, KalmanHedge } from './quant/kalman-hedge.ts';
export type { HedgeFit, HedgePrior, HedgeVariances } from './quant/kalman-hedge.ts';
export { leadLag } from './quant/lead-lag.ts';
export type { LeadLag, TimedValues } from './quant/lead-lag.ts';
export { leastSquares } from './quant/linear-model.ts';
export type { LeastSquares } from './quant/linear-model.ts';
export { empiricalMarginal, fitMarginals, marginalProbability, pseudoObservations } from './quant/marginal.ts';
export type { FittedMarginal, Marginal } from './quant/marginal.ts';
export { optimalThresholds, ornsteinUhlenbeckOf, reversionOf } from './quant/ornstein-uhlenbeck.ts';
export type { OrnsteinUhlenbeck, Reversion, SpreadThresholds } from './quant/ornstein-uhlenbeck.ts';
export { hierarchicalWeights, meanVarianceWeights, minimumVarianceWeights, riskParityWeights } from './quant/portfolio-weights.ts';
export { hurstExponent, varianceRatio } from './quant/random-walk.ts';
export type { VarianceRatio } from './quant/random-walk.ts';
export { Random } from './quant/random.ts';
export { kendall, rollingCorrelation, spearman } from './quant/rank-correlation.ts';
export { circularBlockBootstrap, permutation, stationaryBootstrap } from './quant/resampling.ts';
export type { Resample } from './quant/resampling.ts';
export { ExpandingRegression, RollingRegression } from './quant/rolling-regression.ts';
export type { Line } from './quant/rolling-regression.ts';
export { smoothTransition, transitionCritical } from './quant/smooth-transition.ts';
export type { SmoothTransition, TransitionCase } from './quant/smooth-transition.ts';
export { combinatorialPaths, combinatorialPurgedSplits, purgedFolds, walkForwardSplits } from './quant/splits.ts';
export type { LabelSpans, Split, WalkForwardSettings } from './quant/splits.ts';
export { totalLeastSquares } from './quant/total-least-squares.ts';
export type { OrthogonalLine } from './quant/total-least-squares.ts';
export { binnedTransferEntropy, quantileBins, transferEntropy } from './quant/transfer-entropy.ts';
export type { TransferEntropy, TransferSettings } from './quant/transfer-entropy.ts';
export { augmentedDickeyFuller, kpss, phillipsPerron } from './quant/unit-root.ts';
export type { DickeyFuller, PhillipsPerron, Stationarity } from './quant/unit-root.ts';
export { dickeyFullerCritical, dickeyFullerProbability } from './quant/unit-root-distribution.ts';
export type { Deterministic, SignificanceLevel, Variables } from './quant/unit-root-distribution.ts';
// Sweeps: many columns of parameters over the same bars.
export { ALL_IN, UNPROTECTED } from './lab/sweep/account.ts';
export type { ColumnProtection, ColumnSizing, SweepAccount, SweepBars } from './lab/sweep/account.ts';
export type { FillRule } from './venues/simulated/rules.ts';
export type { ColumnMetrics } from './lab/sweep/column-metrics.ts';
export type { ColumnOutcome, SweepRow } from './lab/sweep/column-pool.ts';
export type { SweepPath } from './lab/sweep/column-runner.ts';
export { parseGrid } from './lab/sweep/grid.ts';
export { rsiColumn, smaColumn } from './lab/sweep/indicator-columns.ts';
export type { IndicatorColumn } from './lab/sweep/indicator-columns.ts';
export { OrderLog } from './lab/sweep/order-log.ts';
export type { FillReason, FillRecord } from './lab/sweep/order-log.ts';
export { runColumn } from './lab/sweep/run-column.ts';
export type { ColumnRun } from './lab/sweep/run-column.ts';
export { ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, simulate } from './lab/sweep/simulator.ts';
export type { SimulationOutput } from './lab/sweep/simulator.ts';
export { sweepStrategyNamed } from './lab/sweep/strategies.ts';
export { defineSweepStrategy } from './lab/sweep/strategy.ts';
export type { ColumnRules, FusedKernel, SweepPoint, SweepStrategy, SweepStrategyDefinition } from './lab/sweep/strategy.ts';
export { sharedNumbers, Sweeper } from './lab/sweep/sweeper.ts';
export type { SweepRequest } from './lab/sweep/sweeper.ts';

// Whether something knows what it cannot know yet.
export { lagTest } from './lab/lookahead/lag.ts';
export type { LagScore, LagTest } from './lab/lookahead/lag.ts';
export type { OutsideSeries, OutsideTimes, OutsideView } from './lab/lookahead/outside.ts';
export { warmupTest } from './lab/lookahead/recursion.ts';
export type { WarmupRow, WarmupTest } from './lab/lookahead/recursion.ts';
export { searchForLeaks } from './lab/lookahead/search.ts';
export type { Leak, SearchRequest, SearchResult } from './lab/lookahead/search.ts';
export { observeColumns, observeFeatures, observeForecaster } from './lab/lookahead/subject.ts';
export type { Circumstances, ColumnFunction, Instance, Subject } from './lab/lookahead/subject.ts';
export type { World } from './lab/lookahead/world.ts';

// Whether two runs are one.
export type { Cause, Finding } from './lab/compare/cause.ts';
export { compareRuns } from './lab/compare/compare.ts';
export type { Comparison, Difference } from './lab/compare/compare.ts';
export { readRun } from './lab/compare/run-record.ts';
export type { Execution, RunRecord, RunSubject } from './lab/compare/run-record.ts';

// What a run leaves behind.
export { Journal } from './journal/journal.ts';
export { readRecording } from './journal/recording.ts';
export type { RecordedPlace, RecordedStep } from './journal/recording.ts';
export { TapeReader, TapeWriter } from './journal/tape.ts';
