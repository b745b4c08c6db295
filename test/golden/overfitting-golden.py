"""Writes overfitting.json: what mpmath, scipy, arch, skfolio, scikit-learn and plain numpy say of made-up returns. Values are committed; tests need no Python.

    python3 -m venv /tmp/overfitting && /tmp/overfitting/bin/pip install numpy==2.4.6 scipy==1.17.1 arch==8.0.0 statsmodels==0.15.0 scikit-learn==1.9.1 skfolio==1.12.2 mpmath==1.3.0
    /tmp/overfitting/bin/python test/golden/overfitting-golden.py && node_modules/.bin/oxfmt test/golden/overfitting.json

Everything comes from a linear congruential generator and from +, -, * and / only, so that overfitting.test.ts makes the very same doubles. Drawn
rows come from it too: p-values and percentiles are compared for the same draws, to the last replication.

Where a package means something else than src/ does, the conversion stands here, at the value:
- arch's SPA does not studentise its statistic (its variance serves the choice of relevant columns alone), Hansen's (2005) paper does: it is given
  columns divided by their standard errors. Its draws are compared with the statistic on the normal scale, by exact traces and scipy's Student's
  t, where ours has sums of weights and a closed form. Where no column gains, p-values are 1 here.
- arch's optimal_block_length may be below 1, ours is not.
- skfolio purges by a count of rows: labels that end as many rows after their own row are the same. Its walk-forward puts the purged rows before
  the training window, ours takes them off it.
- The Sharpe ratio of a column without spread is 0.
"""
import itertools
import json
import math
import pathlib
import platform
from importlib.metadata import version

import mpmath
import numpy
from arch.bootstrap import SPA, RealityCheck, optimal_block_length
from scipy import stats
from skfolio.model_selection import CombinatorialPurgedCV, WalkForward
from sklearn.model_selection import TimeSeriesSplit


class Uniform:
    """The same numbers as in overfitting.test.ts."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 4294967296
        return self.state / 4294967296

    def bell(self):
        return self() + self() + self() + self() - 2


def column(count, seed, drift=0.0, memory=0.0):
    uniform = Uniform(seed)
    values, last = [], 0.0
    for _ in range(count):
        last = memory * last + uniform.bell()
        values.append(drift + last)
    return numpy.array(values)


def drawn(count, replications, block, seed):
    """Blocks of one length from anywhere, by the generator."""
    uniform = Uniform(seed)
    rows = numpy.empty((replications, count), dtype=int)
    for replication in range(replications):
        place = 0
        while place < count:
            start = math.floor(uniform() * count)
            for step in range(min(block, count - place)):
                rows[replication, place] = (start + step) % count
                place += 1
    return rows


def normal():
    points = [-37.4, -30, -20, -10, -8, -5.7, -5.6, -4, -3, -2.5, -1.96, -1, -0.7, -0.67, -0.5, -0.1, -1e-9, 0, 1e-9, 0.3, 0.6744, 0.675, 1, 1.645, 2, 3, 5, 5.66, 7, 8.3]
    # With fifty digits: scipy's own loses three of a double's in the far tail.
    mpmath.mp.dps = 50
    return [[x, float(mpmath.ncdf(mpmath.mpf(x)))] for x in points]


def sharpe():
    made = {}
    for name, values in {"walk": column(250, 11, 0.05), "skewed": column(90, 12, 0.1) ** 3, "short": column(24, 13, 0.3), "losing": column(60, 14, -0.2)}.items():
        ratio = values.mean() / values.std(ddof=1)
        skewness, kurtosis, count = stats.skew(values), stats.kurtosis(values, fisher=False), len(values)
        unit = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
        score = lambda benchmark: float(stats.norm.cdf((ratio - benchmark) * math.sqrt(count - 1) / math.sqrt(unit)))
        best = 0.1 * ((1 - numpy.euler_gamma) * stats.norm.ppf(1 - 1 / 20) + numpy.euler_gamma * stats.norm.ppf(1 - 1 / (20 * math.e)))
        needed = None if ratio <= 0.01 else float(1 + unit * (stats.norm.ppf(0.95) / (ratio - 0.01)) ** 2)
        made[name] = {"sharpe": float(ratio), "skewness": float(skewness), "kurtosis": float(kurtosis), "probabilistic": score(0), "above": score(0.05), "benchmark": float(best), "deflated": score(best), "minimum": needed}
    return made


def block_lengths():
    made = {}
    for name, values in {"memory 0.8": column(600, 21, memory=0.8), "memory 0.3": column(400, 22, memory=0.3), "none": column(500, 23), "alternating": column(300, 24, memory=-0.6), "walk": numpy.cumsum(column(200, 25)), "short": column(20, 26)}.items():
        found = optimal_block_length(values)
        made[name] = {"stationary": max(1.0, float(found["stationary"].iloc[0])), "circular": max(1.0, float(found["circular"].iloc[0]))}
    return made


def trials():
    """Columns by case: see the same in overfitting.test.ts."""
    copied = [column(160, 50 + index) for index in range(6)]
    copied[4] = copied[1].copy()
    copied[5] = numpy.zeros(160)
    copied[3][:80] = 0
    return {
        "noise": ([column(163, 30 + index) for index in range(8)], 8),
        "planted": ([column(240, 40 + index, 0.25 if index == 3 else 0) for index in range(7)], 6),
        "copies and idle ones": (copied, 4),
        "two": ([column(40, 60 + index) for index in range(2)], 10),
        "sixteen blocks": ([column(161, 70 + index, 0.02 * index) for index in range(5)], 16),
    }


def sharpe_of(rows):
    spread = rows.std(axis=0, ddof=1)
    return numpy.where(spread > 0, rows.mean(axis=0) / numpy.where(spread > 0, spread, 1), 0.0)


def overfitting():
    """By brute force: the rows of each half are put together and looked at as a whole."""
    made = {}
    for name, (columns, blocks) in trials().items():
        matrix = numpy.column_stack(columns)
        matrix = matrix[len(matrix) % blocks :]
        parts = numpy.split(matrix, blocks)
        logits, chosen_in, chosen_out = [], [], []
        for half in itertools.combinations(range(blocks), blocks // 2):
            inside = sharpe_of(numpy.concatenate([parts[block] for block in half]))
            outside = sharpe_of(numpy.concatenate([parts[block] for block in range(blocks) if block not in half]))
            best = int(numpy.argmax(inside))
            relative = stats.rankdata(outside, method="average")[best] / (len(columns) + 1)
            logits.append(math.log(relative / (1 - relative)))
            chosen_in.append(inside[best])
            chosen_out.append(outside[best])
        # Within rounding of 0 is 0: the middle rank.
        below = sum(logit <= 1e-12 for logit in logits)
        line = stats.linregress(chosen_in, chosen_out)
        made[name] = {
            "combinations": len(logits),
            "probability": below / len(logits),
            "logits": [logits[index] for index in range(0, len(logits), max(1, len(logits) // 20))],
            "logitSum": math.fsum(logits),
            "slope": float(line.slope),
            "intercept": float(line.intercept),
            "lossProbability": sum(value < 0 for value in chosen_out) / len(chosen_out),
        }
    return made


class Given:
    """In place of arch's own generator: the rows that we drew."""

    def __init__(self, values, rows):
        self.values, self.rows = values, rows

    def bootstrap(self, replications):
        for row in self.rows[:replications]:
            yield (self.values[row],), {}


def run_arch(test, losses, rows, block):
    made = test(numpy.zeros(len(losses)), losses, block_size=block, reps=len(rows), seed=1)
    made.bootstrap = Given(-losses, rows)
    made.compute()
    return made


def on_normal_scale(value, count, block):
    """The variance is e' M K M e / n: M takes the mean off, K has arch's weights."""
    lags = numpy.arange(count)
    p = 1 / block
    weights = (1 - lags / count) * (1 - p) ** lags + (lags / count) * (1 - p) ** (count - lags)
    weights[0] = 1
    form = numpy.eye(count) - 1 / count
    form = form @ weights[abs(lags[:, None] - lags[None, :])] @ form
    share, freedom = numpy.trace(form) / count, numpy.trace(form) ** 2 / numpy.trace(form @ form)
    return float(-stats.norm.ppf(stats.t.sf(value * math.sqrt(share), freedom)))


def snooping():
    made = {}
    cases = {
        "noise": [column(150, 80 + index) for index in range(10)],
        "planted": [column(150, 90 + index, 0.3 if index == 4 else 0) for index in range(10)],
        "one wild": [column(150, 100 + index, 0.15 if index == 2 else 0) * (12 if index == 7 else 1) for index in range(8)],
        "mostly bad": [column(150, 110 + index, 0.1 if index == 0 else -0.3) for index in range(9)],
        "all bad": [column(150, 120 + index, -0.2) for index in range(5)],
    }
    block, replications = 4, 500
    for name, columns in cases.items():
        excess = numpy.column_stack(columns)
        rows = drawn(len(excess), replications, block, 7)
        plain = run_arch(RealityCheck, -excess, rows, block)
        variances = run_arch(SPA, -excess, rows, block)._loss_diff_var
        errors = numpy.sqrt(variances / len(excess))
        scaled = excess / errors
        statistic = max(0.0, float(scaled.mean(axis=0).max()))
        # The share of arch's own draws beyond the statistic on the normal scale: from the exact moments of the variance as a quadratic form.
        made_by_arch = run_arch(SPA, -scaled, rows, block)
        statistic = on_normal_scale(statistic, len(excess), block)
        beyond = (made_by_arch._simulated_vals.max(axis=0) > statistic).mean(axis=0)
        values = {key: float(value) for key, value in zip(["lower", "consistent", "upper"], beyond)}
        if statistic == 0:
            values = {key: 1.0 for key in values}
        made[name] = {"best": int(excess.mean(axis=0).argmax()), "realityCheck": float(plain.pvalues["upper"]), "statistic": statistic, "variances": variances.tolist(), **values}
    made_scales = [[value, count, block, on_normal_scale(value, count, block)] for value in (0.5, 2.0, 3.0, 4.5) for count, block in ((60, 1), (60, 3), (250, 1), (250, 10), (1000, 25))]
    return made, made_scales


def monte_carlo():
    made = {}
    for name, values in {"rising": 0.002 + 0.02 * column(250, 131), "ruin": numpy.where(column(120, 132) < -1.4, -1.2, 0.05 * column(120, 133))}.items():
        rows = drawn(len(values), 300, 10, 9)
        clamped = numpy.maximum(values, -1)
        paths = clamped[rows]
        equity = numpy.cumprod(1 + paths, axis=1)
        peaks = numpy.maximum(numpy.maximum.accumulate(equity, axis=1), 1)
        figures = {
            "finalEquity": equity[:, -1],
            "maxDrawdown": (1 - equity / peaks).max(axis=1).clip(0),
            "sharpe": paths.mean(axis=1) / paths.std(axis=1, ddof=1),
        }
        made[name] = {key: dict(zip(["p5", "p25", "p50", "p75", "p95"], numpy.percentile(value, [5, 25, 50, 75, 95]).tolist())) for key, value in figures.items()}
        made[name]["lossProbability"] = float((equity[:, -1] < 1).mean())
    return made


def splits():
    rows = numpy.zeros((60, 1))
    combinatorial = {}
    for groups, chosen, purged, embargo in [(6, 2, 0, 0), (6, 2, 2, 0), (6, 3, 2, 3), (5, 2, 3, 2), (10, 8, 1, 1)]:
        cv = CombinatorialPurgedCV(n_folds=groups, n_test_folds=chosen, purged_size=purged, embargo_size=embargo)
        made = [{"train": train.tolist(), "test": numpy.sort(numpy.concatenate(test)).tolist()} for train, test in cv.split(rows)]
        # By path the splits that its parts come from.
        paths = cv.recombined_paths.shape[1]
        combinatorial[f"{groups} {chosen} {purged} {embargo}"] = {"splits": made, "paths": paths}
    walk = {
        "sklearn rolling": [{"train": train.tolist(), "test": test.tolist()} for train, test in TimeSeriesSplit(n_splits=4, max_train_size=17, test_size=10, gap=3).split(rows)],
        "sklearn anchored": [{"train": train.tolist(), "test": test.tolist()} for train, test in TimeSeriesSplit(n_splits=4, test_size=10, gap=3).split(rows)],
        "skfolio rolling": [{"train": train.tolist(), "test": test.tolist()} for train, test in WalkForward(train_size=20, test_size=7, purged_size=2).split(rows)],
        "skfolio anchored": [{"train": train.tolist(), "test": test.tolist()} for train, test in WalkForward(train_size=20, test_size=7, purged_size=2, expand_train=True).split(rows)],
    }
    return {"combinatorial": combinatorial, "walkForward": walk}


cases, scales = snooping()
made = {
    "versions": {"python": platform.python_version(), **{name: version(name) for name in ["numpy", "scipy", "arch", "scikit-learn", "skfolio", "mpmath"]}},
    "normal": normal(),
    "sharpe": sharpe(),
    "blockLengths": block_lengths(),
    "overfitting": overfitting(),
    "snooping": cases,
    "normalScale": scales,
    "monteCarlo": monte_carlo(),
    "splits": splits(),
}
pathlib.Path(__file__).with_name("overfitting.json").write_text(json.dumps(made, indent=1) + "\n")
