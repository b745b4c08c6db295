"""Writes execution.json: schedules and routes by other means than ours. Values are committed; tests need no Python.

    python3 -m venv /tmp/execution && /tmp/execution/bin/pip install numpy==2.2.6 scipy==1.15.3
    /tmp/execution/bin/python test/golden/execution-golden.py && node_modules/.bin/oxfmt test/golden/execution.json

- Almgren and Chriss: no closed form is used. Mean and variance are written as a quadratic in the holdings, and its minimum is the solution of
  a linear system; kappa is the root of their equation (16), found numerically. The first problem is the example of their section 4.
- Routes: the cheapest way is the optimum of a linear program over all levels of all venues (HiGHS).
"""
import json
import pathlib
import platform

import numpy
import scipy
from scipy.optimize import brentq, linprog

YEAR_MS = 365 * 86_400_000.0


def schedule(problem):
    x, horizon, n = problem["quantity"], problem["horizon"], problem["slices"]
    gamma, eta, sigma = problem["permanentImpact"], problem["temporaryImpact"], problem["volatility"]
    epsilon, risk = problem["fixedCost"], problem["riskAversion"]
    tau = horizon / n
    tilde = eta - gamma * tau / 2
    # Trades are n = D h + c with holdings h[1..n-1]; mean = tilde/tau |n|^2 + ..., variance = sigma^2 tau |h|^2.
    difference = numpy.zeros((n, n - 1))
    constant = numpy.zeros(n)
    constant[0] = x
    for k in range(n):
        if k > 0:
            difference[k, k - 1] = 1.0
        if k < n - 1:
            difference[k, k] = -1.0
    quadratic = tilde / tau * difference.T @ difference + risk * sigma**2 * tau * numpy.eye(n - 1)
    holdings = numpy.linalg.solve(quadratic, -tilde / tau * difference.T @ constant)
    traded = difference @ holdings + constant
    mean = gamma * x * x / 2 + epsilon * numpy.abs(traded).sum() + tilde / tau * (traded**2).sum()
    variance = sigma**2 * tau * (holdings**2).sum()
    squared = risk * sigma**2 / tilde
    kappa = brentq(lambda k: 2 / tau**2 * (numpy.cosh(k * tau) - 1) - squared, 0, 700 / tau / n, xtol=1e-15, rtol=1e-14) if risk > 0 else 0.0
    return {"problem": problem, "weights": (traded / x).tolist(), "mean": mean, "variance": variance, "kappa": kappa}


def problems():
    paper = dict(quantity=1e6, horizon=5.0, slices=5, volatility=0.95, permanentImpact=2.5e-7, temporaryImpact=2.5e-6, fixedCost=0.0625)
    yield dict(paper, riskAversion=1e-6)
    yield dict(paper, riskAversion=0.0)
    yield dict(paper, riskAversion=2e-6, slices=50)
    generator = numpy.random.default_rng(20261121)
    for _ in range(20):
        slices = int(generator.integers(2, 40))
        horizon = float(generator.uniform(0.5, 10))
        temporary = float(10 ** generator.uniform(-7, -5))
        yield dict(
            quantity=float(10 ** generator.uniform(2, 6)),
            horizon=horizon,
            slices=slices,
            volatility=float(generator.uniform(0.1, 3)),
            permanentImpact=temporary * float(generator.uniform(0, 0.5)) / horizon,
            temporaryImpact=temporary,
            fixedCost=float(generator.uniform(0, 0.1)),
            riskAversion=float(10 ** generator.uniform(-8, -5)),
        )


def routes():
    generator = numpy.random.default_rng(7)
    for number in range(40):
        side = "buy" if number % 2 == 0 else "sell"
        sign = 1 if side == "buy" else -1
        volatility = float(generator.uniform(0, 1.5))
        venues = []
        for _ in range(int(generator.integers(1, 5))):
            price = 100.0 + sign * float(generator.uniform(0, 0.2))
            levels = []
            for _ in range(int(generator.integers(1, 8))):
                levels.append({"price": price, "quantity": float(generator.uniform(0.1, 3))})
                price += sign * float(generator.uniform(0.005, 0.05))
            fee = float(generator.choice([-0.0001, 0.0002, 0.0005, 0.001]))
            venues.append({"levels": levels, "takerFeeRate": fee, "latencyMs": float(generator.uniform(0.5, 400))})
        depth = sum(level["quantity"] for venue in venues for level in venue["levels"])
        quantity = float(generator.uniform(0.1, 1.2)) * depth
        costs, bounds = [], []
        for venue in venues:
            delay = volatility * numpy.sqrt(venue["latencyMs"] / YEAR_MS) / numpy.sqrt(2 * numpy.pi)
            for level in venue["levels"]:
                costs.append(level["price"] * (1 + sign * (venue["takerFeeRate"] + delay)))
                bounds.append((0, level["quantity"]))
        found = linprog(sign * numpy.array(costs), A_eq=[[1.0] * len(costs)], b_eq=[min(quantity, depth)], bounds=bounds, method="highs")
        assert found.success
        yield {"side": side, "quantity": quantity, "volatility": volatility, "venues": venues, "value": sign * found.fun}


made = {"python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__}
golden = {"made": made, "schedules": [schedule(problem) for problem in problems()], "routes": list(routes())}
path = pathlib.Path(__file__).with_name("execution.json")
path.write_text(json.dumps(golden) + "\n")
print(f"{path}: {len(golden['schedules'])} schedules, {len(golden['routes'])} routes")
