"""Writes strategies.json: what pandas, numpy and TA-Lib make of the rules of eight strategies on real bars. The tests need no Python.

    python3 -m venv /tmp/strategies
    /tmp/strategies/bin/pip install TA-Lib==0.8.2 numpy==2.4.6 pandas==3.1.1
    BALLAST_SHARED=../shared /tmp/strategies/bin/python test/golden/strategies-golden.py && node_modules/.bin/oxfmt test/golden/strategies.json

Written from the rules as docs/guides/strategies.md has them, whole columns at a time where pandas can, and none of it from the code in src/. A
strategy is alone: what it says at a close it holds from then on, and no stop is ever reached. Hourly bars are those of 2022, daily ones all there
are, each column beginning cold. Bars are not ours to publish: of a column of numbers fifty values and two sums are kept, of a stance of -1, 0
and 1 the rows at which it changes.
"""
import json
import os
import pathlib
import platform

import numpy
import pandas
import talib

SAMPLES = 50
HOUR = 3_600_000
SHARED = pathlib.Path(os.environ.get("BALLAST_SHARED", "../shared"))


def hourly(name):
    bars = pandas.read_csv(SHARED / f"data/2_intraday/{name}.csv.gz")
    bars = bars[(bars["timestamp"] >= "2022-01-01") & (bars["timestamp"] < "2023-01-01")]
    return bars.set_index("timestamp")[["open", "high", "low", "close", "volume_base"]].astype(float)


def daily(name):
    bars = pandas.read_csv(SHARED / f"data/1_daily/ohlcv/{name}.csv.gz")
    return bars.set_index("timestamp")[["open", "high", "low", "close", "volume_base"]].astype(float)


def joined(first, second):
    """The closes that both have."""
    both = first.index.intersection(second.index)
    return first.loc[both], second.loc[both]


def held_from(levels, entry, leave, allowed):
    """Long from `entry` on, short from -entry on, kept while beyond `leave`; a side that is not held has to be allowed."""
    held, stances = 0, []
    for row, level in enumerate(levels):
        if level >= entry:
            side = 1
        elif level <= -entry:
            side = -1
        else:
            side = held if level * held > leave else 0
        if side not in (held, 0) and not allowed(row, side):
            side = 0
        held = side
        stances.append(side)
    return stances


def donchian(bars):
    close = bars["close"]
    windows = [5, 10, 20, 30, 60, 90, 150, 250, 360]
    share = numpy.zeros(len(close))
    for window in windows:
        upper, lower = close.rolling(window).max(), close.rolling(window).min()
        middle = ((upper + lower) / 2).to_numpy()
        breaks = ((close == upper) & (upper > lower)).to_numpy()
        stop = None
        for row, price in enumerate(close.to_numpy()):
            if stop is None:
                stop = middle[row] if breaks[row] else None
            elif price <= stop:
                stop = None
            else:
                stop = max(stop, middle[row])
            share[row] += stop is not None
    share /= len(windows)
    volatility = numpy.log(close / close.shift(1)).rolling(90).std(ddof=1).to_numpy() * numpy.sqrt(365)
    first = max(windows) - 1
    return {"stance": sampled((share * numpy.minimum(1, 0.25 / volatility))[first:], first), "joined": sampled(share[first:], first)}


def stray(bars, window, history):
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3
    volume = bars["volume_base"]
    vwap = (typical * volume).rolling(window).sum() / volume.rolling(window).sum()
    ratio = bars["close"] / vwap - 1
    before = ratio.shift(1)
    persistence = ratio.rolling(history).cov(before) / before.rolling(history).var()
    # Pandas takes the covariance of the pairs, and the variance of the same rows.
    return ratio / ratio.rolling(history).std(ddof=0), ratio, persistence


def vwap_deviation(bars):
    score, ratio, persistence = stray(bars, 24, 168)
    expected = (1 - persistence.clip(0, 1) ** 24) * -ratio / (1 + ratio)
    first = 24 + 168 - 1
    score, expected = score.to_numpy()[first:], expected.to_numpy()[first:]
    stances = held_from(-score, 2.5, 0, lambda row, side: side * expected[row] >= 0.0033)
    return {
        "stance": changes(stances, first),
        "expectedReturn": sampled(expected, first),
        "stray": sampled(score, first),
        "stray.persistence": sampled(persistence.to_numpy()[first:], first),
    }


def trend_strength(bars):
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    separation = (talib.EMA(close, 21) - talib.EMA(close, 55)) / talib.ATR(high, low, close, 14)
    strength = talib.RSI(close, 14)
    first = 54
    own = lambda row, side: 50 + side * (strength[first + row] - 50)
    stances = held_from(separation[first:], 0.5, 0, lambda row, side: 55 <= own(row, side) < 75)
    return {"stance": changes(stances, first)}


def fractals(bars, side):
    """By row: the structure, and the levels known before and after the row's own bar."""
    high, low = bars["high"].to_numpy(), bars["low"].to_numpy()
    count, level, turn = len(high), {"high": numpy.nan, "low": numpy.nan}, {"high": 0, "low": 0}
    structure, before, after = numpy.zeros(count), [], []
    for row in range(count):
        before.append(dict(level))
        middle = row - side
        if middle >= side:
            around = [place for place in range(middle - side, row + 1) if place != middle]
            for name, is_one in (
                ("high", all(high[middle] > high[place] for place in around)),
                ("low", all(low[middle] < low[place] for place in around)),
            ):
                if is_one:
                    new = high[middle] if name == "high" else low[middle]
                    turn[name] = 0 if numpy.isnan(level[name]) else int(numpy.sign(new - level[name]))
                    level[name] = new
        structure[row] = turn["high"] if turn["high"] == turn["low"] else 0
        after.append(dict(level))
    return structure, before, after


def price_action(bars):
    columns = [bars[name].to_numpy() for name in ("open", "high", "low", "close")]
    opened, high, low, close = columns
    sign = numpy.sign
    span = high - low
    refused_below = (numpy.minimum(opened, close) - low >= 0.6 * span) & (span > 0)
    refused_above = (high - numpy.maximum(opened, close) >= 0.6 * span) & (span > 0)
    pin = numpy.where(refused_below, 1, numpy.where(refused_above, -1, 0))
    refusal = sign(sign(talib.CDLHAMMER(*columns)) + pin)
    engulfing, marubozu = sign(talib.CDLENGULFING(*columns)), sign(talib.CDLMARUBOZU(*columns))
    doji_before = numpy.concatenate([[0], talib.CDLDOJI(*columns)[:-1]])
    after_doji = numpy.where(doji_before != 0, sign(engulfing + marubozu), 0)
    structure, before, after = fractals(bars, 5)
    sweep = numpy.zeros(len(close))
    for row in range(1, len(close)):
        down, up = before[row]["low"], before[row]["high"]
        sweep[row] = (low[row] < down and close[row] > down and close[row - 1] > down) * 1 - (
            high[row] > up and close[row] < up and close[row - 1] < up
        ) * 1
    now = refusal + engulfing + marubozu + after_doji + sweep
    points = now + structure
    # The latest to be warm is the average true range of 14 bars.
    first, held, stances = 14, 0, []
    for row in range(first, len(close)):
        if points[row] >= 3 and now[row] > 0:
            held = 1
        elif points[row] <= -3 and now[row] < 0:
            held = -1
        elif held != 0:
            level = after[row]["low" if held > 0 else "high"]
            if structure[row] * held < 0 or (close[row] - level) * held < 0:
                held = 0
        stances.append(held)
    return {"stance": changes(stances, first), "points": sampled(points[first:], first)}


def lead_lag(leader, follower):
    """With less to ask of a lead than the defaults do, which find next to none."""
    first_log, second_log = numpy.log(leader["close"]), numpy.log(follower["close"])
    move, ahead, window = 3, 6, 500
    lead = first_log.diff(move) - second_log.diff(move)
    then, after = lead.shift(ahead), second_log.diff(ahead)
    slope = after.rolling(window).cov(then) / then.rolling(window).var()
    explained = slope**2 * then.rolling(window).var()
    residual = (after.rolling(window).var() - explained) * (window - 1) / (window - 2)
    statistic = slope / numpy.sqrt(residual / (then.rolling(window).var() * (window - 1))) / numpy.sqrt(ahead)
    expected = numpy.expm1(slope * lead)
    first = move + ahead + window - 1
    held, since, stances = 0, None, []
    for row in range(first, len(lead)):
        fresh = int(numpy.sign(expected.iloc[row])) if slope.iloc[row] > 0 and statistic.iloc[row] >= 0.5 and abs(expected.iloc[row]) >= 0.001 else 0
        side = fresh if fresh != 0 else held if held != 0 and row - since < ahead else 0
        if side != held:
            held, since = side, row
        stances.append(held)
    return {
        "stance": changes(stances, first),
        "expectedReturn": sampled(expected.to_numpy()[first:], first),
        "lead.tStatistic": sampled(statistic.to_numpy()[first:], first),
    }


def cross_venue(first_venue, second_venue):
    premium = first_venue["close"] / second_venue["close"] - 1
    excess = premium - premium.rolling(168).mean()
    first = 167
    level = -excess.to_numpy()[first:]
    # Costs of a hundredth of what venues ask: in 2022 the premium was never worth theirs for long.
    costs = 4 * (0.000006 + 0.000005)
    return {"stance": changes(held_from(level, 1.5 * costs, 0.1 * costs, lambda row, side: True), first), "expectedReturn": sampled(level, first)}


def correlation_divergence(first_bars, second_bars):
    closes = [first_bars["close"], second_bars["close"]]
    returns = [numpy.log(close / close.shift(1)) for close in closes]
    correlation = returns[0].rolling(168).corr(returns[1]).to_numpy()
    gap = numpy.subtract(*(talib.RSI(close.to_numpy(), 14) for close in closes))
    # Four hours that begin at 0, 4, 8 o'clock: known with the last of them, and until the next four are over.
    hour = pandas.to_datetime(first_bars.index).hour.to_numpy()
    ends = hour % 4 == 3
    longer = numpy.full(len(gap), numpy.nan)
    longer[ends] = numpy.subtract(*(talib.RSI(close.to_numpy()[ends], 14) for close in closes))
    longer = pandas.Series(longer).ffill().to_numpy()
    first = 168
    held, stances = 0, []
    for row in range(first, len(gap)):
        if correlation[row] < 0.6:
            held = 0
        else:
            level = -gap[row]
            side = 1 if level >= 12 else -1 if level <= -12 else held if level * held > 3 else 0
            if side not in (held, 0) and -longer[row] * side < 3:
                side = 0
            held = side
        stances.append(held)
    return {"stance": changes(stances, first), "together": sampled(correlation[first:], first)}


def mean_reversion(bars):
    """Bollinger bands whose multiple follows the volatility: the same rule in the words of bands instead of deviations."""
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    returns = numpy.log(bars["close"] / bars["close"].shift(1))
    waking = (returns.rolling(12).std(ddof=1) / returns.rolling(96).std(ddof=1)).to_numpy()
    multiple = 2 * numpy.clip(1 + 0.5 * (waking - 1), 0.75, 2)
    upper, middle, _ = talib.BBANDS(close, 96, 1.0, 1.0, talib.MA_Type.SMA)
    deviation = upper - middle
    trend = talib.EMA(close, 400)
    first, held, stances = 399, 0, []
    for row in range(first, len(close)):
        reach = multiple[row] * deviation[row]
        if close[row] <= middle[row] - reach:
            side = 1
        elif close[row] >= middle[row] + reach:
            side = -1
        else:
            side = held if (middle[row] - close[row]) * held > 0 else 0
        if side not in (held, 0) and side * (close[row] - trend[row]) < 0:
            side = 0
        held = side
        stances.append(held)
    return {"stance": changes(stances, first)}


def sampled(values, first):
    values = numpy.asarray(values, dtype=float)
    assert not numpy.isnan(values).any()
    rows = numpy.linspace(0, len(values) - 1, SAMPLES).round().astype(int)
    return {
        "first": first,
        "count": len(values),
        "sum": float(values.sum()),
        "absoluteSum": float(numpy.abs(values).sum()),
        "rows": [first + int(row) for row in rows],
        "values": [float(values[row]) for row in rows],
    }


def changes(stances, first):
    rows, values, last = [], [], None
    for row, stance in enumerate(stances):
        if stance != last:
            rows.append(first + row)
            values.append(int(stance))
            last = stance
    return {"first": first, "count": len(stances), "changes": rows, "to": values}


btc, eth = joined(hourly("1h_spot/BTCUSDT_1h"), hourly("1h_spot/ETHUSDT_1h"))
perpetual, spot = joined(hourly("1h_perp/BTCUSDT_perp_1h"), hourly("1h_spot/BTCUSDT_1h"))
document = {
    "versions": {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "pandas": pandas.__version__,
        "talib": talib.__version__,
    },
    "rows": {"hourly": len(btc), "venues": len(spot), "daily": len(daily("BTCUSDT_1d"))},
    "donchian-ensemble": donchian(daily("BTCUSDT_1d")),
    "vwap-deviation": vwap_deviation(btc),
    "trend-strength": trend_strength(btc),
    "price-action": price_action(btc),
    "mean-reversion": mean_reversion(btc),
    "lead-lag": lead_lag(btc, eth),
    "cross-venue-arbitrage": cross_venue(perpetual, spot),
    "correlation-divergence": correlation_divergence(btc, eth),
}
pathlib.Path(__file__).with_name("strategies.json").write_text(json.dumps(document) + "\n")
