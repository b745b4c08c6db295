"""Writes lag.json: scipy's t statistics of what a stance and a column are worth, used at once and some bars later.

    python3 -m venv /tmp/lag && /tmp/lag/bin/pip install numpy==2.4.6 scipy==1.17.1
    /tmp/lag/bin/python test/golden/lag-golden.py && node_modules/.bin/oxfmt test/golden/lag.json

A row's value is used from the next bar's open to the open after it; `lag` bars later by a lag. The stance earns its product with that return,
the column is measured by the products of both deviations. Both have rows without a value.
"""
import json
import pathlib

import numpy
import scipy
from scipy.stats import ttest_1samp

random = numpy.random.default_rng(20261121)
ROWS = 240
opens = 100 * numpy.exp(numpy.cumsum(random.normal(0, 0.01, ROWS)))
future = numpy.append(numpy.sign(numpy.diff(opens))[1:], [0.0, 0.0])
stance = numpy.where(random.uniform(size=ROWS) < 0.7, future, -future)
column = random.normal(size=ROWS) + 0.4 * future
stance[:20] = numpy.nan
column[100:105] = numpy.nan


def used(lag):
    rows = numpy.arange(ROWS - lag - 2)
    return rows, opens[rows + lag + 2] / opens[rows + lag + 1] - 1


def earned(lag):
    rows, returns = used(lag)
    made = stance[rows] * returns
    return float(ttest_1samp(made[numpy.isfinite(made)], 0).statistic)


def foretold(lag):
    rows, returns = used(lag)
    known = numpy.isfinite(column[rows])
    values, returns = column[rows][known], returns[known]
    return float(ttest_1samp((values - values.mean()) * (returns - returns.mean()), 0).statistic)


def written(values):
    return [None if numpy.isnan(value) else float(value) for value in values]


document = {
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
    "open": written(opens),
    "stance": written(stance),
    "column": written(column),
    "earned": {str(lag): earned(lag) for lag in (0, 1, 2, 3, 5)},
    "foretold": {str(lag): foretold(lag) for lag in (0, 1, 2, 3, 5)},
}
pathlib.Path(__file__).with_name("lag.json").write_text(json.dumps(document) + "\n")
