"""Writes validation.json: what numpy, pandas and scipy say of made-up returns, for the tests of a run that are not statistics of one column.

    python3 -m venv /tmp/validation && /tmp/validation/bin/pip install numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
    /tmp/validation/bin/python test/golden/validation-golden.py && node_modules/.bin/oxfmt test/golden/validation.json

Everything comes from the generator of overfitting-golden.py, so that validation.test.ts makes the very same doubles.

- intervals: scipy's binomtest(...).proportion_ci(method="wilson").
- regimes: pandas' rolling mean, rolling standard deviation and expanding median, all shifted by a day.
- choice: combinatorial purged cross-validation of choosing by the Sharpe ratio, brute force with itertools: by path the Sharpe ratio.
- placements: mean and standard deviation of the mean trip return over all equally likely placements of two trips, by enumeration.
"""
import itertools
import json
import pathlib
import platform
from importlib.metadata import version

import numpy
import pandas
from scipy import stats


class Uniform:
    """The same numbers as in validation.test.ts."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 4294967296
        return self.state / 4294967296

    def bell(self):
        return self() + self() + self() + self() - 2


def column(count, seed, drift=0.0):
    uniform = Uniform(seed)
    return numpy.array([drift + uniform.bell() for _ in range(count)])


def sharpe(values):
    deviation = values.std(ddof=1)
    return 0.0 if deviation == 0 else values.mean() / deviation


def intervals():
    cases = [(0, 4), (4, 4), (3, 5), (8, 10), (1, 7), (50, 100)]
    found = []
    for hits, count in cases:
        interval = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
        found.append([hits, count, float(interval.low), float(interval.high)])
    return found


def regimes():
    close = pandas.Series(100 * numpy.cumprod(1 + 0.02 * column(700, 31, 0.02)))
    returns = close.pct_change()
    rising = (close > close.rolling(200).mean()).shift(1)
    volatility = returns.rolling(30).std(ddof=0)
    turbulent = pandas.Series([False] * len(close))
    for day in range(1, len(close)):
        seen = volatility[:day].dropna()
        if len(seen) > 0:
            turbulent[day] = bool(2 * (seen < seen.iloc[-1]).sum() > len(seen))
    names = []
    for day in range(len(close)):
        if day < 200 or volatility[:day].count() < 60:
            names.append("not known yet")
        else:
            names.append(("rising" if rising[day] else "falling") + ", " + ("turbulent" if turbulent[day] else "calm"))
    return names


def choice(count, rows, groups, tested, embargo):
    columns = [column(rows, 51 + index, 0.02 * index) for index in range(count)]
    parts = numpy.array_split(numpy.arange(rows), groups)
    splits = list(itertools.combinations(range(groups), tested))
    paths = numpy.full((len(splits) * tested // groups, rows), numpy.nan)
    filled = [0] * groups
    for chosen in splits:
        test = set()
        purged = set()
        for group in chosen:
            test.update(parts[group].tolist())
        for group in chosen:
            if group + 1 not in chosen:
                last = parts[group][-1]
                purged.update(range(last + 1, last + 1 + embargo))
        train = [row for row in range(rows) if row not in test and row not in purged]
        best = int(numpy.argmax([sharpe(values[train]) for values in columns]))
        for group in chosen:
            paths[filled[group], parts[group]] = columns[best][parts[group]]
            filled[group] += 1
    return sorted(float(sharpe(path)) for path in paths)


def placements():
    """Two long trips of 3 and 2 bars on 12 opens: every order and every pair of gaps that the sorted draws can give."""
    prices = 100 * numpy.cumprod(1 + 0.02 * column(12, 61))
    fee, slip = 0.001, 0.0005

    def trip(start, held):
        entry, leave = prices[start] * (1 + slip), prices[start + held] * (1 - slip)
        return leave / entry - 1 - fee * (1 + leave / entry)

    free = 12 - 1 - 5
    means = []
    for first, second in ((3, 2), (2, 3)):
        for one in range(free + 1):
            for other in range(free + 1):
                low, high = min(one, other), max(one, other)
                means.append((trip(low, first) + trip(high + first, second)) / 2)
    return {"mean": float(numpy.mean(means)), "deviation": float(numpy.std(means))}


golden = {
    "versions": {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy", "pandas")}},
    "intervals": intervals(),
    "regimes": regimes(),
    "choice": {
        "small": {"columns": 5, "rows": 103, "groups": 6, "tested": 2, "embargo": 3, "sharpes": choice(5, 103, 6, 2, 3)},
        "large": {"columns": 8, "rows": 300, "groups": 10, "tested": 2, "embargo": 0, "sharpes": choice(8, 300, 10, 2, 0)},
    },
    "placements": placements(),
}
pathlib.Path(__file__).with_name("validation.json").write_text(json.dumps(golden))
