"""Prints the median CPU milliseconds of a Monte Carlo in numpy, vectorised: what bench/sections/statistics.ts is measured against.

Arguments: paths, days, length of a block (1 draws independent days), repeats. Final equity, drawdown and Sharpe ratio of each path, and five percentiles
of each, as src/lab/validate/monte-carlo.ts has them.
"""
import sys
import time

import numpy

paths, days, block, repeats = map(int, sys.argv[1:])
random = numpy.random.default_rng(1)
returns = 0.001 + 0.02 * random.standard_normal(days)
growth = 1 + returns
shares = [5, 25, 50, 75, 95]


def once():
    if block == 1:
        rows = random.integers(0, days, (paths, days))
    else:
        starts = random.integers(0, days, (paths, -(-days // block), 1))
        rows = ((starts + numpy.arange(block)) % days).reshape(paths, -1)[:, :days]
    drawn = growth[rows]
    equity = numpy.cumprod(drawn, axis=1)
    peaks = numpy.maximum(numpy.maximum.accumulate(equity, axis=1), 1)
    drawdown = 1 - (equity / peaks).min(axis=1)
    sharpe = (drawn.mean(axis=1) - 1) / drawn.std(axis=1, ddof=1)
    return [numpy.percentile(each, shares) for each in (equity[:, -1], drawdown, sharpe)]


times = []
for repeat in range(-2, repeats):
    start = time.process_time()
    once()
    if repeat >= 0:
        times.append(1000 * (time.process_time() - start))
print(numpy.median(times))
