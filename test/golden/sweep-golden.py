"""Writes sweep.json: what vectorbt makes of entries and exits, long and short, with stops, trails, targets and sizes. Tests need no Python.

    python3 -m venv /tmp/sweep && /tmp/sweep/bin/pip install vectorbt==1.2.0 numba==0.68.1 numpy==2.4.6 pandas==3.1.1
    /tmp/sweep/bin/python test/golden/sweep-golden.py && node_modules/.bin/oxfmt test/golden/sweep.json

Bars and flags are made up (numpy, seeded) and stand in the file. Where vectorbt has another rule than src/lab/sweep/simulator.ts has, the case
is chosen so that both mean the same:
- next-open is flags moved by one bar and filled at the open; its stops are not tested on the entry's own bar, so these cases have none;
- an entry of the other side is an entry and a fill of its own there only with two orders, so there is no case with both sides;
- stops and targets fill at their price or the open beyond it, without slippage (stop_exit_price=StopLimit).
"""
import itertools
import json
import pathlib
import platform
import warnings
from importlib.metadata import version

import numpy
import pandas
import vectorbt

warnings.filterwarnings("ignore")
BARS = 400
CAPITAL = 1000.0
FEE = 0.001
SLIPPAGE = 0.0005

random = numpy.random.default_rng(11)
close = numpy.round(100 * numpy.exp(numpy.cumsum(random.normal(0, 0.01, BARS))), 2)
open_ = numpy.round(numpy.concatenate([[100.0], close[:-1]]) * (1 + random.normal(0, 0.002, BARS)), 2)
high = numpy.round(numpy.maximum(open_, close) * (1 + numpy.abs(random.normal(0, 0.005, BARS))), 2)
low = numpy.round(numpy.minimum(open_, close) * (1 - numpy.abs(random.normal(0, 0.005, BARS))), 2)
entries = random.random(BARS) < 0.08
exits = random.random(BARS) < 0.05


def frame(values):
    return pandas.Series(values, index=pandas.date_range("2021-01-01", periods=BARS, freq="h"))


def moved(flags):
    return numpy.concatenate([[False], flags[:-1]])


def case(direction, fill, stop, trailing, target, sizing):
    size = {
        "all-in": {},
        "half": {"size": 0.5, "size_type": "percent"},
        "quantity": {"size": 2.0, "size_type": "amount"},
    }[sizing]
    is_open = fill == "next-open"
    portfolio = vectorbt.Portfolio.from_signals(
        frame(close),
        frame(moved(entries) if is_open else entries),
        frame(moved(exits) if is_open else exits),
        price=frame(open_ if is_open else close),
        open=frame(open_),
        high=frame(high),
        low=frame(low),
        direction="longonly" if direction == "long" else "shortonly",
        sl_stop=stop or numpy.nan,
        sl_trail=trailing,
        tp_stop=target or numpy.nan,
        init_cash=CAPITAL,
        fees=FEE,
        slippage=SLIPPAGE,
        freq="1h",
        **size,
    )
    records = portfolio.orders.records
    trades = portfolio.trades.records
    closed = trades[trades["status"] == 1]["pnl"].to_numpy()
    returns = portfolio.returns()
    deviation = returns.std(ddof=1)
    return {
        "direction": direction,
        "fill": fill,
        "stop": stop,
        "trailing": trailing,
        "target": target,
        "sizing": sizing,
        "orders": [
            [int(row["idx"]), float(row["size"]) * (1 if row["side"] == 0 else -1), float(row["price"]), float(row["fees"])]
            for _, row in records.iterrows()
        ],
        "totalReturn": float(portfolio.total_return()),
        "maxDrawdown": -float(portfolio.max_drawdown()),
        "sharpe": float(returns.mean() / deviation * numpy.sqrt(8760)),
        "trades": int(len(closed)),
        "winRate": float((closed > 0).mean()),
        "profitFactor": float(closed[closed > 0].sum() / -closed[closed <= 0].sum()),
        "expectancy": float(closed.mean()),
    }


cases = [
    case(direction, "close", stop, trailing, target, sizing)
    for direction, (stop, trailing), target, sizing in itertools.product(
        ["long", "short"], [(0, False), (0.02, False), (0.03, True)], [0, 0.04], ["all-in", "half", "quantity"]
    )
] + [case(direction, "next-open", 0, False, 0, sizing) for direction, sizing in itertools.product(["long", "short"], ["all-in", "half"])]

document = {
    "versions": {"python": platform.python_version(), **{name: version(name) for name in ("vectorbt", "numba", "numpy", "pandas")}},
    "capital": CAPITAL,
    "feeRate": FEE,
    "slippageRatio": SLIPPAGE,
    "bars": {"open": open_.tolist(), "high": high.tolist(), "low": low.tolist(), "close": close.tolist()},
    "entries": numpy.flatnonzero(entries).tolist(),
    "exits": numpy.flatnonzero(exits).tolist(),
    "cases": cases,
}
pathlib.Path(__file__).with_name("sweep.json").write_text(json.dumps(document))
