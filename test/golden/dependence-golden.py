"""Golden values of dependence in and across time. Writes dependence.json beside itself.

Rolling correlations by pandas and scipy, distance correlation by dcor, transfer entropy by pyinform, lead and lag by lead-lag (its contrast
is an absolute value, and wants whole times) and by all pairs of moves in numpy.

    pip install numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 dcor==0.7 pyinform==0.2.0 cython
    pip install --no-build-isolation lead-lag==2.3
    OMP_NUM_THREADS=1 python dependence-golden.py
"""
import json
import math
import pathlib
from importlib.metadata import version

import dcor
import numpy
import pandas
from lead_lag.lead_lag_impl import shifted_modified_hy_estimator
from pyinform.transferentropy import transfer_entropy
from scipy import stats

ROWS, WINDOW = 160, 30
LAGS = (-12, -5, -1, 0, 1, 3, 4, 5, 6, 9, 20)


def floats(values):
    return [float(each) for each in numpy.ravel(values)]


def windows():
    random = numpy.random.default_rng(20261130)
    x = numpy.round(random.standard_normal(ROWS), 2)
    y = numpy.round(numpy.where(numpy.arange(ROWS) < 80, 0.8, -0.5) * x + 0.6 * random.standard_normal(ROWS), 2)
    rows = (29, 30, 79, 100, 159)
    part = lambda values, row: values[row + 1 - WINDOW : row + 1]
    return {
        "x": floats(x),
        "y": floats(y),
        "window": WINDOW,
        "rows": list(rows),
        "pearson": floats(pandas.Series(x).rolling(WINDOW).corr(pandas.Series(y)).to_numpy()[list(rows)]),
        "spearman": [float(stats.spearmanr(part(x, row), part(y, row)).statistic) for row in rows],
        "kendall": [float(stats.kendalltau(part(x, row), part(y, row)).statistic) for row in rows],
        "distance": float(dcor.distance_correlation(x, y)),
        "distanceOfSquare": float(dcor.distance_correlation(x, x**2)),
    }


def entropy():
    random = numpy.random.default_rng(20261201)
    source = random.integers(0, 3, 400)
    target = numpy.zeros(400, dtype=int)
    for row in range(1, 400):
        target[row] = source[row - 1] if random.random() < 0.5 else random.integers(0, 4)
    # Bits to nats.
    return {
        "source": source.tolist(),
        "target": target.tolist(),
        "forward": float(transfer_entropy(source, target, k=1)) * math.log(2),
        "backward": float(transfer_entropy(target, source, k=1)) * math.log(2),
    }


def all_pairs(at, value, other_at, other_value, lag):
    total = 0.0
    for row in range(1, len(at)):
        for place in range(1, len(other_at)):
            if max(at[row - 1], other_at[place - 1] - lag) < min(at[row], other_at[place] - lag):
                total += (value[row] - value[row - 1]) * (other_value[place] - other_value[place - 1])
    return total / math.sqrt(numpy.sum(numpy.diff(value) ** 2) * numpy.sum(numpy.diff(other_value) ** 2))


def leads():
    random = numpy.random.default_rng(20261202)
    span = 1500
    walk = numpy.cumsum(random.standard_normal(span))
    # Well inside of the second's times: at the ends lead-lag leaves moves out.
    first = numpy.sort(random.choice(numpy.arange(100, span - 100), 260, replace=False))
    second = numpy.sort(random.choice(numpy.arange(20, span - 20), 180, replace=False))
    value = numpy.round(walk[first] + 0.1 * random.standard_normal(260), 6)
    # Five behind.
    other = numpy.round(0.7 * walk[second - 5] + 0.4 * random.standard_normal(180), 6)
    correlations = [all_pairs(first, value, second, other, lag) for lag in LAGS]
    x, y = numpy.full(span, numpy.nan), numpy.full(span, numpy.nan)
    x[first], y[second] = value, other
    for lag, wanted in zip(LAGS, correlations):
        found = shifted_modified_hy_estimator(x, y, first.astype(numpy.int64), second.astype(numpy.int64), lag, True)
        assert abs(abs(wanted) - found) < 1e-8, (lag, wanted, found)
    return {
        "firstAt": first.tolist(),
        "first": floats(value),
        "secondAt": second.tolist(),
        "second": floats(other),
        "lags": list(LAGS),
        "correlations": correlations,
    }


def main():
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "pandas", "dcor", "pyinform", "lead-lag")},
        "windows": windows(),
        "entropy": entropy(),
        "leads": leads(),
    }
    pathlib.Path(__file__).with_name("dependence.json").write_text(json.dumps(document, default=float) + "\n")


main()
