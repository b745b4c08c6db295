"""Evaluations that pycma needs on known functions: what src/quant/cma-es.ts is held to.

    python3 -m venv /tmp/cma && /tmp/cma/bin/pip install cma==4.0.0 numpy==2.4.6
    /tmp/cma/bin/python test/golden/cma-es-golden.py > test/golden/cma-es.json
"""
import json

import cma
import numpy

RUNS = 51
TARGET = 1e-9


def sphere(x):
    return float(numpy.sum(numpy.square(x)))


def ellipsoid(x):
    """Condition number 1e6."""
    scale = 1e6 ** (numpy.arange(len(x)) / (len(x) - 1))
    return float(numpy.sum(scale * numpy.square(x)))


def rosenbrock(x):
    x = numpy.asarray(x)
    return float(numpy.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


cases = []
for function, start, deviation, sizes in ((sphere, 1.0, 0.5, (2, 5, 10)), (ellipsoid, 1.0, 0.5, (2, 5, 10)), (rosenbrock, 0.0, 0.3, (2, 5))):
    for size in sizes:
        evaluations = []
        for seed in range(1, RUNS + 1):
            search = cma.CMAEvolutionStrategy(size * [start], deviation, {"seed": seed, "verbose": -9, "ftarget": TARGET, "maxfevals": 100_000})
            search.optimize(function)
            # Some runs on Rosenbrock end in its other valley: they say nothing of speed.
            if search.result.fbest <= TARGET:
                evaluations.append(int(search.result.evaluations))
        low, median, high = (float(each) for each in numpy.quantile(evaluations, (0.25, 0.5, 0.75)))
        cases.append(
            {
                "function": function.__name__,
                "size": size,
                "start": start,
                "deviation": deviation,
                "target": TARGET,
                "population": 4 + int(3 * numpy.log(size)),
                "reached": len(evaluations) / RUNS,
                "quartiles": [low, median, high],
            }
        )
print(json.dumps({"cma": cma.__version__, "numpy": numpy.__version__, "runs": RUNS, "cases": cases}, indent=1))
