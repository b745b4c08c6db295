"""Writes kss-null.json: the distribution of the t-statistic of Kapetanios, Shin and Snell (2003) where there is a unit root, by simulation.
The paper prints three quantiles for each case, and a p-value takes more. The values are committed; the tests need no Python.

    python3 -m venv /tmp/kss && /tmp/kss/bin/pip install numpy==2.4.6
    /tmp/kss/bin/python test/golden/kss-null-golden.py && node_modules/.bin/oxfmt test/golden/kss-null.json

A million random walks of 1,000 steps: of themselves (none), less their mean (constant), less their line (trend), and the residuals of one
regressed on another, independent one, with a constant (residual). Nothing of Ballast is used.
"""
import json
import pathlib
import platform

import numpy

STEPS = 1_000
BATCH = 2_000
BATCHES = 500
PROBABILITIES = [
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999,
]


def statistic(values):
    """Of each row: t of the cubed level in the regression of the change on it alone."""
    cubes = values[:, :-1] ** 3
    changes = numpy.diff(values, axis=1)
    squares = numpy.einsum("ij,ij->i", cubes, cubes)
    slope = numpy.einsum("ij,ij->i", cubes, changes) / squares
    rest = changes - slope[:, None] * cubes
    deviation = numpy.sqrt(numpy.einsum("ij,ij->i", rest, rest) / (changes.shape[1] - 1) / squares)
    return slope / deviation


def without(values, other):
    """The residuals of each row on a constant and the row of the same number of another matrix."""
    values = values - values.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    slope = numpy.einsum("ij,ij->i", values, other) / numpy.einsum("ij,ij->i", other, other)
    return values - slope[:, None] * other


def main():
    random = numpy.random.default_rng(20261122)
    found = {"none": [], "constant": [], "trend": [], "residual": []}
    line = numpy.broadcast_to(numpy.arange(STEPS, dtype=float), (BATCH, STEPS))
    for _ in range(BATCHES):
        one = numpy.cumsum(random.standard_normal((BATCH, STEPS)), axis=1)
        other = numpy.cumsum(random.standard_normal((BATCH, STEPS)), axis=1)
        found["none"].append(statistic(one))
        found["constant"].append(statistic(one - one.mean(axis=1, keepdims=True)))
        found["trend"].append(statistic(without(one, line)))
        found["residual"].append(statistic(without(one, other)))
    quantiles = {name: [round(float(each), 4) for each in numpy.quantile(numpy.concatenate(parts), PROBABILITIES)] for name, parts in found.items()}
    document = {
        "versions": {"python": platform.python_version(), "numpy": numpy.__version__},
        "walks": BATCH * BATCHES,
        "steps": STEPS,
        "probabilities": PROBABILITIES,
        "quantiles": quantiles,
    }
    path = pathlib.Path(__file__).with_name("kss-null.json")
    path.write_text(json.dumps(document) + "\n")


main()
