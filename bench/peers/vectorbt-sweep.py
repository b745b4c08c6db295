"""The peer of `npm run bench -- sweep`. Reads FOLDER/job.json and its columns of doubles, prints one JSON document: CPU time of each repeat, the
most memory that was ever resident, and the figures of each column."""
import json
import pathlib
import resource
import sys
import time
import warnings

import numpy
import pandas
import vectorbt
from numba import njit

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
WARMUP_BARS = 2_000


@njit
def wilder(close, window):
    """Wilder's index, as src/lab/sweep has it."""
    out = numpy.full(close.shape[0], numpy.nan)
    net = 0.0
    moved = 0.0
    for row in range(1, close.shape[0]):
        change = close[row] - close[row - 1]
        if row <= window:
            net += change / window
            moved += abs(change) / window
        else:
            net += (change - net) / window
            moved += (abs(change) - moved) / window
        if row >= window:
            out[row] = 50 + 50 * net / moved if moved > 0 else 50.0
    return out


def crosses(bars, points):
    """Each distinct mean once, as vectorbt does itself; then the pairs."""
    fast = vectorbt.MA.run(bars["close"], [point["fast"] for point in points], short_name="fast")
    slow = vectorbt.MA.run(bars["close"], [point["slow"] for point in points], short_name="slow")
    return {"entries": fast.ma_crossed_above(slow).to_numpy(), "exits": fast.ma_crossed_below(slow).to_numpy()}


def levels(bars, points):
    close = bars["close"].to_numpy()
    index = {window: wilder(close, window) for window in sorted({point["window"] for point in points})}
    passages = {}

    def passage(window, level, is_below):
        key = (window, level, is_below)
        if key not in passages:
            values = index[window]
            beyond = values < level if is_below else values > level
            within = values >= level if is_below else values <= level
            passages[key] = beyond & numpy.concatenate([[False], within[:-1]])
        return passages[key]

    return {
        "entries": numpy.column_stack([passage(point["window"], point["entryBelow"], True) for point in points]),
        "exits": numpy.column_stack([passage(point["window"], point["exitAbove"], False) for point in points]),
        "sl_stop": numpy.array([[point["stop"] for point in points]]),
        "sl_trail": numpy.array([[point["trailing"] for point in points]]),
        "open": bars["open"],
        "high": bars["high"],
        "low": bars["low"],
    }


def sweep(bars, points):
    flags = (crosses if job["strategy"] == "sma-cross" else levels)(bars, points)
    portfolio = vectorbt.Portfolio.from_signals(
        bars["close"],
        init_cash=job["capital"],
        fees=job["feeRate"],
        slippage=job["slippageRatio"],
        freq="1min",
        **flags,
    )
    # The figures of columns; the counts of fills are only for the comparison, but cost next to nothing.
    return portfolio.total_return(), portfolio.sharpe_ratio(year_freq="365 days"), portfolio.max_drawdown(), portfolio.orders.count()


count = job["bars"]
bars = {
    name: pandas.Series(numpy.fromfile(folder / f"{name}.f64"), index=pandas.date_range("2020-01-01", periods=count, freq="min"))
    for name in (["close"] if job["strategy"] == "sma-cross" else ["open", "high", "low", "close"])
}
# Compiles everything, for the very types that follow.
sweep({name: series.iloc[:WARMUP_BARS] for name, series in bars.items()}, job["points"][:2])
timings = []
for _ in range(job["repeats"]):
    start = time.process_time()
    figures = sweep(bars, job["points"])
    timings.append((time.process_time() - start) * 1000)
returns, sharpe, drawdown, orders = (numpy.asarray(each, dtype=float) for each in figures)
print(
    json.dumps(
        {
            "cpuMs": timings,
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "columns": [
                {"totalReturn": one, "sharpe": two, "maxDrawdown": -three, "orders": int(four)}
                for one, two, three, four in zip(returns.tolist(), sharpe.tolist(), drawdown.tolist(), orders.tolist())
            ],
        }
    )
)
