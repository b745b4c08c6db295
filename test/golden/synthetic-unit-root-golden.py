"""Writes synthetic-unit-root.json: what statsmodels says of made-up columns. The values are committed; the tests need no Python.

    python3 -m venv /tmp/unit-root && /tmp/unit-root/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    /tmp/unit-root/bin/python test/golden/synthetic-unit-root-golden.py && node_modules/.bin/oxfmt test/golden/synthetic-unit-root.json

The columns come from a linear congruential generator and from +, - and * only, so that the test makes the very same doubles.
"""
import json
import pathlib
import platform

import numpy
import scipy
import statsmodels
from statsmodels.tsa.adfvalues import mackinnoncrit
from statsmodels.tsa.stattools import adfuller, coint

LENGTH = 600


def deviates(seed):
    state = seed
    while True:
        z = -6.0
        for _ in range(12):
            state = (1664525 * state + 1013904223) % 4294967296
            z += (state + 0.5) / 4294967296
        yield z


def columns():
    draws = deviates(20261121)
    walk, residual, reverting = 9.0, 0.0, 0.0
    made = {"walk": [], "reverting": [], "follower": []}
    for _ in range(LENGTH):
        walk += 0.02 * next(draws)
        residual = 0.9 * residual + 0.01 * next(draws)
        reverting = 100.0 + 0.8 * (reverting - 100.0) + next(draws)
        made["walk"].append(walk)
        made["reverting"].append(reverting)
        made["follower"].append(0.5 + 1.2 * walk + residual)
    return {name: numpy.array(values) for name, values in made.items()}


def main():
    made = columns()
    tests = []
    for name in ("walk", "reverting"):
        for lags in (0, 1, 5, 12):
            for constant in (True, False):
                statistic, _, used, observations, critical = adfuller(
                    made[name], maxlag=lags, regression="c" if constant else "n", autolag=None, result_object=False
                )[:5]
                assert used == lags
                tests.append(
                    {"column": name, "lags": lags, "constant": constant, "statistic": float(statistic), "observations": int(observations)}
                    | ({"critical": {key: float(value) for key, value in critical.items()}} if constant else {})
                )
    pairs = [
        {"lags": lags, "statistic": float(coint(made["follower"], made["walk"], trend="c", maxlag=lags, autolag=None)[0])}
        for lags in (0, 1, 5)
    ]
    # The library's table of 2010 has an error in the 1 % row for two variables; the paper's row is in unit-root.ts.
    critical = [float(value) for value in mackinnoncrit(N=2, regression="c", nobs=500)]
    document = {
        "versions": {
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "length": LENGTH,
        "last": {name: float(values[-1]) for name, values in made.items()},
        "dickeyFuller": tests,
        "engleGranger": pairs,
        "twoVariables": {"observations": 500, "5%": critical[1], "10%": critical[2]},
    }
    path = pathlib.Path(__file__).with_name("synthetic-unit-root.json")
    path.write_text(json.dumps(document) + "\n")


main()
