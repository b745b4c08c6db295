"""Writes talib.json: what TA-Lib, numpy and pandas say of 300 made-up bars. The values are committed; the tests need no Python.

    python3 -m venv /tmp/talib && /tmp/talib/bin/pip install TA-Lib numpy pandas
    /tmp/talib/bin/python test/golden/talib-golden.py && node_modules/.bin/oxfmt test/golden/talib.json

The bars come from a linear congruential generator and from +, -, * and / only, so that talib.test.ts makes the very same doubles.
"""
import json
import pathlib
import platform

import numpy
import pandas
import talib

BARS = 300
# Enough to catch a wrong recursion, whose error stays, at a fifth of the size.
EVERY = 5


def bars():
    state = 20261120

    def uniform():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 4294967296
        return state / 4294967296

    high, low, close = [], [], []
    last = 40000.0
    for _ in range(BARS):
        start = last
        last = start * (1 + 0.02 * (uniform() - 0.495))
        high.append(max(start, last) * (1 + 0.004 * uniform()))
        low.append(min(start, last) * (1 - 0.004 * uniform()))
        close.append(last)
    return numpy.array(high), numpy.array(low), numpy.array(close)


def volatility(returns, window):
    return returns.rolling(window).std(ddof=1)


def main():
    high, low, close = bars()
    series = pandas.Series(close)
    returns = numpy.log(series / series.shift(1))
    upper, middle, lower = talib.BBANDS(close, 20, 2.5, 2.5, talib.MA_Type.SMA)
    year = numpy.sqrt(365 * 24)
    z_score = [
        (close[i] - window.mean()) / window.std(ddof=0) if len(window := close[max(0, i - 19) : i + 1]) == 20 else numpy.nan
        for i in range(BARS)
    ]
    columns = {
        "sma(20)": talib.SMA(close, 20),
        "ema(12)": talib.EMA(close, 12),
        "ema(48)": talib.EMA(close, 48),
        "rsi(14)": talib.RSI(close, 14),
        "atr(14)": talib.ATR(high, low, close, 14),
        "bollinger(20,2.5).value": middle,
        "bollinger(20,2.5).upper": upper,
        "bollinger(20,2.5).lower": lower,
        "bollinger(20,2.5).percentB": (close - lower) / (upper - lower),
        "bollinger(20,2.5).width": (upper - lower) / middle,
        "standardDeviation(20)": talib.STDDEV(close, 20, 1),
        "donchian(20).upper": talib.MAX(high, 20),
        "donchian(20).lower": talib.MIN(low, 20),
        "zScore(20)": numpy.array(z_score),
        "realisedVolatility(24)": volatility(returns, 24).to_numpy(),
        "realisedVolatility(24,3600000ms)": (volatility(returns, 24) * year).to_numpy(),
        "volatilityRatio(10,60)": (volatility(returns, 10) / volatility(returns, 60)).to_numpy(),
    }
    document = {
        "versions": {
            "python": platform.python_version(),
            "TA-Lib (Python)": talib.__version__,
            "TA-Lib (C)": talib.__ta_version__.decode(),
            "numpy": numpy.__version__,
            "pandas": pandas.__version__,
        },
        "bars": {"count": BARS, "lastHigh": high[-1], "lastLow": low[-1], "lastClose": close[-1]},
        "columns": {},
    }
    for name, values in columns.items():
        first = int(numpy.flatnonzero(~numpy.isnan(values))[0])
        assert not numpy.isnan(values[first:]).any(), name
        rows = sorted({first, first + 1, *range(first - first % EVERY + EVERY, BARS, EVERY), BARS - 1})
        document["columns"][name] = {"first": first, "rows": rows, "values": [float(values[row]) for row in rows]}
    path = pathlib.Path(__file__).with_name("talib.json")
    path.write_text(json.dumps(document) + "\n")


main()
