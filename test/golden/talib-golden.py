"""Writes talib.json: what TA-Lib, pandas-ta-classic, numpy and pandas say of made-up bars and of real ones. The tests need no Python.

    python3 -m venv /tmp/talib
    /tmp/talib/bin/pip install TA-Lib==0.8.2 numpy==2.4.6 pandas==3.1.1 pandas-ta-classic==0.8.32
    BALLAST_SHARED=../shared /tmp/talib/bin/python test/golden/talib-golden.py && node_modules/.bin/oxfmt test/golden/talib.json

Made-up bars come from a linear congruential generator and from +, -, *, / and floor only, so that talib.test.ts makes the very same
doubles. Two markets: one without gaps, and one of gaps, ticks, dojis, long shadows and bars without volume. Columns are whole.

Real bars are BTC/USDT by the hour from the shared data, which is not ours to publish: of each column a few values and two sums are kept,
of each pattern a hash. Without the shared data the script refuses.

Where TA-Lib has the function it is the witness. Otherwise: pandas-ta-classic for Ichimoku; numpy and pandas, from the definitions in the
papers, for realised and range volatilities, z-scores, sessions, pivot points, volume profile, swing levels, sweeps and pin bars.
"""
import hashlib
import json
import math
import os
import pathlib
import platform
import warnings

import numpy
import pandas
import pandas_ta_classic
import talib
from talib import abstract

SMOOTH_BARS = 300
GAPPY_BARS = 400
STILL_BARS = 240
PATTERN_BARS = 10000
HOUR = 3_600_000
DAY = 86_400_000
REAL_SAMPLES = 50
ANCHOR_BAR = 100


class Generator:
    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 4294967296
        return self.state / 4294967296


def frame(rows):
    return pandas.DataFrame(rows, columns=["openAt", "open", "high", "low", "close", "volume"], dtype=float)


def smooth_bars(count):
    uniform = Generator(20261120)
    rows = []
    last = 40000.0
    for index in range(count):
        start = last
        last = start * (1 + 0.02 * (uniform() - 0.495))
        high = max(start, last) * (1 + 0.004 * uniform())
        low = min(start, last) * (1 - 0.004 * uniform())
        rows.append((index * HOUR, start, high, low, last, 1 + index))
    return frame(rows)


def tick(price):
    return math.floor(price * 10 + 0.5) / 10


def gappy_bars(count):
    uniform = Generator(20261121)
    rows = []
    before = last = 1000.0
    for index in range(count):
        draws = [uniform() for _ in range(10)]
        # A gap, a beginning within the last body, or none of both.
        start = last
        if draws[0] < 0.4:
            start = last * (1 + 0.015 * (draws[1] - 0.5))
        elif draws[0] < 0.7:
            start = last + (before - last) * draws[1]
        move = 0.0006 if draws[2] < 0.2 else 0.01 if draws[2] < 0.7 else 0.03
        close = start * (1 + move * (draws[3] - 0.5) + 0.02 * (1000 - start) / 1000)
        above = 0.0 if draws[4] < 0.5 else 0.002 if draws[4] < 0.7 else 0.02
        below = 0.0 if draws[6] < 0.5 else 0.002 if draws[6] < 0.7 else 0.02
        high = max(start, close) * (1 + above * draws[5])
        low = min(start, close) * (1 - below * draws[7])
        volume = 0 if draws[8] < 0.1 else math.floor(draws[9] * 1000) / 8
        before, last = tick(start), tick(close)
        rows.append((index * HOUR, before, tick(high), tick(low), last, volume))
    return frame(rows)


def still_bars(count):
    """Gappy bars between two stretches in which nothing moves and nobody trades."""
    bars = gappy_bars(count)
    for first, last in ((0, 90), (170, count)):
        price = bars["open"][first]
        bars.loc[first : last - 1, ["open", "high", "low", "close"]] = price
        bars.loc[first : last - 1, "volume"] = 0.0
    return bars


def real_bars():
    shared = pathlib.Path(os.environ.get("BALLAST_SHARED", "../shared"))
    bars = pandas.read_csv(shared / "data/2_intraday/1h_spot/BTCUSDT_1h.csv.gz")
    at = pandas.to_datetime(bars["timestamp"]).astype("datetime64[ms, UTC]").astype("int64")
    values = bars[["open", "high", "low", "close"]].assign(openAt=at, volume=bars["volume_base"])
    return values[["openAt", "open", "high", "low", "close", "volume"]].astype(float)


def volatility(returns, window):
    return returns.rolling(window).std(ddof=1)


def smooth_columns(bars):
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    series = bars["close"]
    returns = numpy.log(series / series.shift(1))
    upper, middle, lower = talib.BBANDS(close, 20, 2.5, 2.5, talib.MA_Type.SMA)
    window = series.rolling(20)
    return {
        "sma(20).value": talib.SMA(close, 20),
        "ema(12).value": talib.EMA(close, 12),
        "ema(48).value": talib.EMA(close, 48),
        "rsi(14).value": talib.RSI(close, 14),
        "atr(14).value": talib.ATR(high, low, close, 14),
        "bollinger(20,2.5).value": middle,
        "bollinger(20,2.5).upper": upper,
        "bollinger(20,2.5).lower": lower,
        "bollinger(20,2.5).percentB": (close - lower) / (upper - lower),
        "bollinger(20,2.5).width": (upper - lower) / middle,
        "standardDeviation(20).value": talib.STDDEV(close, 20, 1),
        "donchian(20).value": (talib.MAX(high, 20) + talib.MIN(low, 20)) / 2,
        "donchian(20).upper": talib.MAX(high, 20),
        "donchian(20).lower": talib.MIN(low, 20),
        "zScore(20).value": (series - window.mean()) / window.std(ddof=0),
        "realisedVolatility(24).value": volatility(returns, 24),
        "realisedVolatility(24,3600000ms).value": volatility(returns, 24) * numpy.sqrt(365 * 24),
        "volatilityRatio(10,60).value": volatility(returns, 10) / volatility(returns, 60),
        "volatilityRatio(10,60).short": volatility(returns, 10),
        "volatilityRatio(10,60).long": volatility(returns, 60),
    }


def gappy_columns(bars):
    open_, high, low, close, volume = (bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    typical = (high + low + close) / 3
    columns = {
        "wma(20).value": talib.WMA(close, 20),
        "dema(12).value": talib.DEMA(close, 12),
        "tema(9).value": talib.TEMA(close, 9),
        "kama(10).value": talib.KAMA(close, 10),
        "hma(20).value": talib.HMA(close, 20),
        "adx(14).value": talib.ADX(high, low, close, 14),
        "adx(14).plus": talib.PLUS_DI(high, low, close, 14),
        "adx(14).minus": talib.MINUS_DI(high, low, close, 14),
        "adx(14).dx": talib.DX(high, low, close, 14),
        "adxr(14).value": talib.ADXR(high, low, close, 14),
        "williamsR(14).value": talib.WILLR(high, low, close, 14),
        "cci(20).value": talib.CCI(high, low, close, 20),
        "mfi(14).value": talib.MFI(high, low, close, volume, 14),
        "obv().value": talib.OBV(close, volume),
        "accumulationDistribution().value": talib.AD(high, low, close, volume),
        "chaikinOscillator(3,10).value": talib.ADOSC(high, low, close, volume, 3, 10),
        "chaikinMoneyFlow(20).value": talib.CMF(high, low, close, volume, 20),
        "rateOfChange(10).value": talib.ROCP(close, 10),
        "momentum(10).value": talib.MOM(close, 10),
        "trix(15).value": talib.TRIX(close, 15),
        "ultimateOscillator(7,14,28).value": talib.ULTOSC(high, low, close, 7, 14, 28),
        "aroon(14).value": talib.AROONOSC(high, low, 14),
        "parabolicSar(0.02,0.2).value": talib.SAR(high, low, 0.02, 0.2),
        # TA-Lib divides by zero where nothing was traded; we say the typical price.
        "rollingVwap(20).value": numpy.where(bars["volume"].rolling(20).max() == 0, typical, talib.VWMA(typical, volume, 20)),
        f"anchoredVwap({int(bars['openAt'][ANCHOR_BAR])}ms).value": numpy.concatenate(
            [numpy.full(ANCHOR_BAR, numpy.nan), talib.VWAP(*(column[ANCHOR_BAR:] for column in (high, low, close, volume)))]
        ),
    }

    def several(key, names, values):
        columns.update({f"{key}.{name}": value for name, value in zip(names, values, strict=True)})

    several("macd(12,26,9)", ("value", "trigger", "histogram"), talib.MACD(close, 12, 26, 9))
    several("keltner(20,10,2)", ("upper", "value", "lower"), talib.KC(high, low, close, 20, 10, 2.0))
    several("keltner(5,14,1.5)", ("upper", "value", "lower"), talib.KC(high, low, close, 5, 14, 1.5))
    several("stochastic(14,3,3)", ("value", "average"), talib.STOCH(high, low, close, 14, 3, 0, 3, 0))
    several("stochasticFast(14,3)", ("value", "average"), talib.STOCHF(high, low, close, 14, 3, 0))
    # TA-Lib's STOCHRSI, step by step: where nothing has moved yet its RSI is 0, and ours 50.
    strength = numpy.where((close == close[0]).cumprod() == 1, 50.0, talib.RSI(close, 14))
    strength[:14] = numpy.nan
    several("stochasticRsi(14,5,3)", ("value", "average"), talib.STOCHF(strength, strength, strength, 5, 3, 0))
    stochastic_rsi = numpy.array(talib.STOCHRSI(close, 14, 5, 3, 0))
    if close[14] != close[0]:
        assert numpy.array_equal(stochastic_rsi, [columns[f"stochasticRsi(14,5,3).{name}"] for name in ("value", "average")], True)
    several("aroon(14)", ("down", "up"), talib.AROON(high, low, 14))
    line, trend = talib.SUPERTREND(high, low, close, 10, 3.0)
    several("superTrend(10,3)", ("value", "trend"), (line, numpy.where(numpy.isnan(line), numpy.nan, trend)))

    # Charts count the bar itself among the 26 of the displacement; pandas-ta-classic shifts by all 26, and so do we.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cloud = pandas_ta_classic.ichimoku(bars["high"], bars["low"], bars["close"], 9, 26, 52, as_dataframe=True)
    leading_a = (cloud["ITS_9"] + cloud["IKS_26"]) / 2
    leading_b = (bars["high"].rolling(52).max() + bars["low"].rolling(52).min()) / 2
    several(
        "ichimoku(9,26,52,26)",
        ("value", "base", "spanA", "spanB", "leadingA", "leadingB"),
        # We say nothing of the conversion line before the whole cloud stands.
        (cloud["ITS_9"].where(cloud["ISB_26"].notna()), cloud["IKS_26"], cloud["ISA_9"], cloud["ISB_26"], leading_a, leading_b),
    )

    # Parkinson 1980, Garman and Klass 1980, Rogers and Satchell 1991, Yang and Zhang 2000, each as its paper writes it.
    o, h, l, c = (numpy.log(bars[name]) for name in ("open", "high", "low", "close"))
    n = 20
    satchell = ((h - c) * (h - o) + (l - c) * (l - o)).rolling(n).mean()
    columns[f"parkinson({n}).value"] = numpy.sqrt(((h - l) ** 2).rolling(n).mean() / (4 * numpy.log(2)))
    garman = (0.5 * (h - l) ** 2 - (2 * numpy.log(2) - 1) * (c - o) ** 2).rolling(n).mean()
    columns[f"garmanKlass({n}).value"] = numpy.sqrt(garman)
    columns[f"rogersSatchell({n}).value"] = numpy.sqrt(satchell)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    gaps = (o - c.shift(1)).rolling(n).var(ddof=1)
    yang = gaps + k * (c - o).rolling(n).var(ddof=1) + (1 - k) * satchell
    columns[f"yangZhang({n},3600000ms).value"] = numpy.sqrt(yang * 365 * 24)

    days = bars.assign(day=bars["openAt"] // DAY, typical=typical, turnover=typical * volume).set_index("day")
    sums = days.groupby(level=0)[["turnover", "volume"]].cumsum()
    session = (sums["turnover"] / sums["volume"]).where(sums["volume"] > 0, days["typical"]).to_numpy(copy=True)
    session[: DAY // HOUR - 1] = numpy.nan
    columns["sessionVwap(3600000ms).value"] = session
    by_day = days.groupby(level=0).agg(high=("high", "max"), low=("low", "min"), close=("close", "last"))
    known = numpy.where((bars["openAt"] + HOUR) % DAY == 0, bars["openAt"] // DAY, bars["openAt"] // DAY - 1)
    # With a bar missing at midnight, the day is complete with the first bar of the next one: what is known is the day before.
    levels = by_day.reindex(pandas.Index(known).map(lambda day: by_day.index[by_day.index <= day].max() if day >= by_day.index[0] else -1))
    day_high, day_low, day_close = (levels[name].to_numpy(copy=True) for name in ("high", "low", "close"))
    for level in (day_high, day_low, day_close):
        level[: 2 * DAY // HOUR - 2] = numpy.nan
    pivot = (day_high + day_low + day_close) / 3
    height = day_high - day_low
    names = ("value", "resistance1", "support1", "resistance2", "support2", "resistance3", "support3")
    classic = (2 * pivot - day_low, 2 * pivot - day_high, pivot + height, pivot - height)
    farthest = (day_high + 2 * (pivot - day_low), day_low - 2 * (day_high - pivot))
    several("pivotPoints(classic,3600000ms)", names, (pivot, *classic, *farthest))
    fibonacci = [pivot + sign * part * height for part in (0.382, 0.618, 1.0) for sign in (1, -1)]
    several("pivotPoints(fibonacci,3600000ms)", names, (pivot, *fibonacci))
    camarilla = [day_close + sign * 1.1 / part * height for part in (12, 6, 4) for sign in (1, -1)]
    several("pivotPoints(camarilla,3600000ms)", names, (pivot, *camarilla))

    several("volumeProfile(48,0.0025)", ("value", "areaLow", "areaHigh"), volume_profile(typical, volume, 48, 0.0025))

    # Confirmed by the bar on which TA-Lib prints it; the level is that of three bars before.
    new_high, new_low = (numpy.abs(flags) / 100 for flags in talib.FRACTAL(high, low, 3, 3))
    swing_high = bars["high"].shift(3).where(new_high > 0)
    swing_low = bars["low"].shift(3).where(new_low > 0)
    high_turn = numpy.sign(swing_high.dropna().diff()).reindex(bars.index).ffill().fillna(0)
    low_turn = numpy.sign(swing_low.dropna().diff()).reindex(bars.index).ffill().fillna(0)
    structure = high_turn.where(high_turn == low_turn, 0)
    structure[:6] = numpy.nan
    last_high, last_low = swing_high.ffill(), swing_low.ffill()
    several("swings(3)", ("value", "high", "low", "highTurn", "lowTurn"), (structure, last_high, last_low, high_turn, low_turn))
    several("swings(3)", ("newHigh", "newLow"), (new_high, new_low))
    before, top, bottom = bars["close"].shift(1), last_high.shift(1), last_low.shift(1)
    swept_low = (bars["low"] < bottom) & (bars["close"] > bottom) & (before > bottom)
    swept_high = (bars["high"] > top) & (bars["close"] < top) & (before < top)
    sweep = swept_low.astype(float) - swept_high.astype(float)
    depth = pandas.Series(
        numpy.select([sweep > 0, sweep < 0], [(bottom - bars["low"]) / bottom, (bars["high"] - top) / top], 0.0), index=bars.index
    )
    sweep[:7] = depth[:7] = numpy.nan
    several("liquiditySweep(3)", ("value", "depth"), (sweep, depth))
    shadow = (2 / 3) * (high - low)
    below = (numpy.minimum(open_, close) - low >= shadow) & (high > low)
    above = (high - numpy.maximum(open_, close) >= shadow) & (high > low) & ~below
    columns[f"pinBar({2 / 3}).value"] = below.astype(float) - above.astype(float)
    return columns


def volume_profile(typical, volume, window, ratio):
    """Point of control and value area, from the whole window at each bar."""
    width = math.log1p(ratio)
    rows = numpy.floor(numpy.log(typical) / width).astype(int)
    control, area_low, area_high = (numpy.full(len(typical), numpy.nan) for _ in range(3))
    for index in range(window - 1, len(typical)):
        inside = slice(index + 1 - window, index + 1)
        occupied, places = numpy.unique(rows[inside], return_inverse=True)
        volumes = numpy.bincount(places, weights=volume[inside])
        peak = int(numpy.argmax(volumes)) if volumes.max() > 0 else int(numpy.searchsorted(occupied, rows[index]))
        first = last = peak
        total = volumes[peak]
        while total < 0.7 * volumes.sum() and (first > 0 or last + 1 < len(occupied)):
            up = volumes[last + 1] if last + 1 < len(occupied) else -1
            down = volumes[first - 1] if first > 0 else -1
            first, last = (first, last + 1) if up >= down else (first - 1, last)
            total += max(up, down)
        control[index] = math.exp((occupied[peak] + 0.5) * width)
        area_low[index] = math.exp(occupied[first] * width)
        area_high[index] = math.exp((occupied[last] + 1) * width)
    return control, area_low, area_high


PATTERNS = {
    "doji": "CDLDOJI",
    "dragonfly-doji": "CDLDRAGONFLYDOJI",
    "gravestone-doji": "CDLGRAVESTONEDOJI",
    "long-legged-doji": "CDLLONGLEGGEDDOJI",
    "spinning-top": "CDLSPINNINGTOP",
    "marubozu": "CDLMARUBOZU",
    "belt-hold": "CDLBELTHOLD",
    "hammer": "CDLHAMMER",
    "hanging-man": "CDLHANGINGMAN",
    "inverted-hammer": "CDLINVERTEDHAMMER",
    "shooting-star": "CDLSHOOTINGSTAR",
    "engulfing": "CDLENGULFING",
    "harami": "CDLHARAMI",
    "piercing": "CDLPIERCING",
    "dark-cloud-cover": "CDLDARKCLOUDCOVER",
    "morning-star": "CDLMORNINGSTAR",
    "evening-star": "CDLEVENINGSTAR",
    "three-white-soldiers": "CDL3WHITESOLDIERS",
    "three-black-crows": "CDL3BLACKCROWS",
}


def patterns(bars):
    prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close")]
    for name, function in PATTERNS.items():
        yield name, abstract.Function(function).lookback, getattr(talib, function)(*prices)


def whole(values):
    values = numpy.asarray(values, dtype=float)
    first = int(numpy.flatnonzero(~numpy.isnan(values))[0])
    assert numpy.isfinite(values[first:]).all()
    return {"first": first, "values": values[first:].tolist()}


def sampled(values):
    values = numpy.asarray(values, dtype=float)
    first = int(numpy.flatnonzero(~numpy.isnan(values))[0])
    assert numpy.isfinite(values[first:]).all()
    rows = numpy.unique(numpy.linspace(first, len(values) - 1, REAL_SAMPLES).astype(int))
    return {
        "first": first,
        "sum": math.fsum(values[first:]),
        "absoluteSum": math.fsum(numpy.abs(values[first:])),
        "rows": rows.tolist(),
        "values": values[rows].tolist(),
    }


def ends(bars):
    return {"count": len(bars), "last": bars.iloc[-1].tolist()}


def main():
    smooth, gappy, still = smooth_bars(SMOOTH_BARS), gappy_bars(GAPPY_BARS), still_bars(STILL_BARS)
    many, real = gappy_bars(PATTERN_BARS), real_bars()
    document = {
        "versions": {
            "python": platform.python_version(),
            "TA-Lib (Python)": talib.__version__,
            "TA-Lib (C)": talib.__ta_version__.decode(),
            "pandas-ta-classic": pandas_ta_classic.version,
            "numpy": numpy.__version__,
            "pandas": pandas.__version__,
        },
        "smooth": {**ends(smooth), "columns": {key: whole(column) for key, column in smooth_columns(smooth).items()}},
        "gappy": {**ends(gappy), "columns": {key: whole(column) for key, column in gappy_columns(gappy).items()}},
        "still": {**ends(still), "columns": {key: whole(column) for key, column in gappy_columns(still).items()}},
        "patterns": {
            **ends(many),
            "found": {
                name: {"lookback": lookback, "rows": numpy.flatnonzero(found).tolist(), "values": found[found != 0].tolist()}
                for name, lookback, found in patterns(many)
            },
        },
        "real": {
            "count": len(real),
            "columns": {key: sampled(column) for key, column in {**smooth_columns(real), **gappy_columns(real)}.items()},
            "patterns": {
                name: {"count": int(numpy.count_nonzero(found)), "sha256": hashlib.sha256(found.astype(numpy.int8).tobytes()).hexdigest()}
                for name, _, found in patterns(real)
            },
        },
    }
    path = pathlib.Path(__file__).with_name("talib.json")
    path.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
