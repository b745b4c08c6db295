"""Writes book-bars.json: the bars that pandas makes of the captured trades. The values are committed; the tests need no Python.

    python3 -m venv /tmp/bars && /tmp/bars/bin/pip install numpy==2.4.6 pandas==3.1.1
    BALLAST_SHARED=../shared /tmp/bars/bin/python test/golden/book-bars-golden.py && node_modules/.bin/oxfmt test/golden/book-bars.json

Bars of time are pandas' resample by the venue's time. The others are its groupby; where a bar of volume or turnover ends is decided by exact
decimals, one trade after the other.
"""
import decimal
import hashlib
import json
import os
import pathlib
import platform

import numpy
import pandas

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("BALLAST_SHARED", HERE.parents[2] / "shared")) / "data" / "3_tick"
COINM = "binance_coinm_BTCUSD_PERP_2024-08-08_09"
SPOT = "binance_spot_BTCUSDT_2024-08-08_09"


def trades(name):
    frame = pandas.read_csv(SHARED / (name + "_trades.csv.gz"), dtype={"price": str, "qty": str})
    frame["exact"] = frame["price"].map(decimal.Decimal) * frame["qty"].map(decimal.Decimal)
    frame["exactQuantity"] = frame["qty"].map(decimal.Decimal)
    frame["price"] = frame["price"].map(float)
    frame["qty"] = frame["qty"].map(float)
    frame["bought"] = frame["qty"].where(frame["taker_side"] == "buy", 0.0)
    frame["turnover"] = frame["exact"].map(float)
    frame["time"] = pandas.to_datetime(frame["trade_time_ms"], unit="ms")
    return frame


def by_time(frame, span):
    return frame.set_index("time", drop=False).resample(span)


def by_amount(frame, amounts, limit):
    bar, held, of = 0, decimal.Decimal(0), []
    for amount in amounts:
        of.append(bar)
        held += amount
        if held >= limit:
            bar, held = bar + 1, decimal.Decimal(0)
    # The last one is still forming unless it has just been filled.
    whole = numpy.array(of) < bar
    return frame[whole].groupby(numpy.array(of)[whole])


def columns(groups, keeps_empty=False):
    ohlc = groups["price"].ohlc()
    count = groups["price"].count()
    table = ohlc.assign(
        volume=groups["qty"].sum(), turnover=groups["turnover"].sum(), buyVolume=groups["bought"].sum(), trades=count
    )
    if keeps_empty:
        close = table["close"].ffill()
        for name in ("open", "high", "low", "close"):
            table[name] = table[name].fillna(close)
    else:
        table = table[table["trades"] > 0]
    return table


def digest(table):
    """Of what does not depend on the order of a sum."""
    sha = hashlib.sha256()
    for name in ("open", "high", "low", "close", "trades"):
        sha.update(table[name].to_numpy().astype("<f8").tobytes())
    return sha.hexdigest()


def told(table, hasTime=True):
    found = {"bars": len(table), "ohlcAndTrades": digest(table)}
    step = max(1, len(table) // 40)
    found["every"] = step
    for name in ("volume", "turnover", "buyVolume"):
        found[name] = [float(value) for value in table[name].to_numpy()[::step]]
    if hasTime:
        found["openAt"] = [int(value) for value in (table.index[::step] - pandas.Timestamp(0)) // pandas.Timedelta("1ms")]
    return found


coinm, spot = trades(COINM), trades(SPOT)
cases = {
    "coinm, 1 s": told(columns(by_time(coinm, "1s")).iloc[:-1]),
    "coinm, 1 s, flat": told(columns(by_time(coinm, "1s"), keeps_empty=True).iloc[:-1]),
    "spot, 10 s": told(columns(by_time(spot, "10s")).iloc[:-1]),
    "spot, 1 min": told(columns(by_time(spot, "1min")).iloc[:-1]),
    "spot, 100 trades": told(columns(spot[: len(spot) // 100 * 100].groupby(numpy.arange(len(spot) // 100 * 100) // 100)), False),
    "spot, 5 of volume": told(columns(by_amount(spot, spot["exactQuantity"], 5)), False),
    "spot, 1e6 of turnover": told(columns(by_amount(spot, spot["exact"], 10**6)), False),
    "coinm, 5000 of volume": told(columns(by_amount(coinm, coinm["exactQuantity"], 5000)), False),
}
versions = {"python": platform.python_version(), "numpy": numpy.__version__, "pandas": pandas.__version__}
(HERE / "book-bars.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
