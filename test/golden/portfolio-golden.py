"""Golden values of covariances and portfolio weights. Writes portfolio.json beside itself.

Ledoit and Wolf by scikit-learn, Bayes-Stein means by skfolio, weights by skfolio (convex programs), riskfolio-lib and scipy, the order of
the tree by scipy's single linkage on the distances of distances, as the paper's listing has it, divided by PyPortfolioOpt's bisection.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 skfolio==1.12.2 riskfolio-lib==7.4.0 pyportfolioopt==1.6.0
    OMP_NUM_THREADS=1 python portfolio-golden.py
"""
import json
import pathlib
import warnings
from importlib.metadata import version

import numpy
import pandas
import riskfolio
from pypfopt import HRPOpt
from scipy.cluster import hierarchy
from scipy.optimize import minimize
from sklearn.covariance import LedoitWolf
from skfolio.moments import EmpiricalCovariance, LedoitWolf as SkfolioLedoitWolf, ShrunkMu, ShrunkMuMethods
from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting
from skfolio.prior import EmpiricalPrior

warnings.filterwarnings("ignore")
ROWS, SIZE = 120, 7
AVERSIONS = (1.0, 4.0, 30.0)


def returns():
    random = numpy.random.default_rng(20261127)
    market = 0.02 * random.standard_normal(ROWS)
    sector = 0.015 * random.standard_normal(ROWS)
    columns = []
    for asset in range(SIZE):
        own = (0.008 + 0.004 * asset) * random.standard_normal(ROWS)
        columns.append(0.0004 * asset + (0.6 + 0.15 * asset) * market + (sector if asset in (1, 4, 5) else 0) + own)
    return numpy.round(numpy.stack(columns, axis=1), 8)


def floats(values):
    return [float(each) for each in numpy.ravel(values)]


def quadratic(means, covariance, aversion):
    size = len(means)
    best = minimize(
        lambda w: aversion / 2 * w @ covariance @ w - means @ w,
        numpy.full(size, 1 / size),
        jac=lambda w: aversion * covariance @ w - means,
        bounds=[(0, 1)] * size,
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: numpy.ones(size)}],
        method="SLSQP",
        options={"ftol": 1e-16, "maxiter": 2000},
    )
    return floats(best.x)


def agree(one, other, tolerance, what):
    worst = float(numpy.max(numpy.abs(numpy.asarray(one) - numpy.asarray(other))))
    assert worst < tolerance, (what, worst, one, other)


def main():
    data = returns()
    frame = pandas.DataFrame(data, columns=[f"asset{each}" for each in range(SIZE)])
    model = LedoitWolf().fit(data)
    covariance = model.covariance_
    few = LedoitWolf().fit(data[:5])

    bayes = ShrunkMu(covariance_estimator=SkfolioLedoitWolf(), method=ShrunkMuMethods.BAYES_STEIN, vol_weighted_target=True).fit(data).mu_
    prior = EmpiricalPrior(covariance_estimator=SkfolioLedoitWolf(), mu_estimator=ShrunkMu(covariance_estimator=SkfolioLedoitWolf(), method=ShrunkMuMethods.BAYES_STEIN, vol_weighted_target=True))

    lowest = quadratic(numpy.zeros(SIZE), covariance * 1e4, 1.0)
    agree(lowest, MeanRisk(prior_estimator=prior).fit(frame).weights_, 2e-4, "skfolio's lowest variance")
    utility = []
    for aversion in AVERSIONS:
        weights = quadratic(bayes * 1e3, covariance * 1e3, aversion)
        skfolio = MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_UTILITY, risk_aversion=aversion / 2, prior_estimator=prior).fit(frame).weights_
        agree(weights, skfolio, 2e-4, f"skfolio's utility of {aversion}")
        utility.append({"aversion": aversion, "weights": weights})

    def parity(budgets):
        start = numpy.sqrt(numpy.asarray(budgets) / numpy.diag(covariance))
        best = minimize(
            lambda logs: 0.5 * numpy.exp(logs) @ (covariance * 1e4) @ numpy.exp(logs) - numpy.asarray(budgets) @ logs,
            numpy.log(start / 100),
            jac=lambda logs: numpy.exp(logs) * ((covariance * 1e4) @ numpy.exp(logs)) - numpy.asarray(budgets),
            method="BFGS",
            options={"gtol": 1e-12, "maxiter": 2000},
        )
        weights = numpy.exp(best.x)
        return floats(weights / weights.sum())

    equal = parity(numpy.full(SIZE, 1 / SIZE))
    agree(equal, RiskBudgeting(prior_estimator=prior).fit(frame).weights_, 2e-4, "skfolio's risk parity")
    budgets = [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]
    portfolio = riskfolio.Portfolio(returns=frame)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    portfolio.cov = pandas.DataFrame(covariance, index=frame.columns, columns=frame.columns)
    tilted = parity(budgets)
    agree(tilted, portfolio.rp_optimization(model="Classic", rm="MV", b=numpy.array(budgets).reshape(-1, 1)).to_numpy().ravel(), 2e-4, "riskfolio's budgets")

    deviations = numpy.sqrt(numpy.diag(covariance))
    correlation = covariance / numpy.outer(deviations, deviations)
    distance = numpy.sqrt(numpy.clip((1 - correlation) / 2, 0, 1))
    # The paper hands the square matrix to linkage, which takes its rows for points: distances of distances.
    order = hierarchy.to_tree(hierarchy.linkage(distance, "single")).pre_order()
    hierarchical = HRPOpt._raw_hrp_allocation(pandas.DataFrame(covariance), order).sort_index()

    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "skfolio", "riskfolio-lib", "pyportfolioopt")},
        "columns": data.T.tolist(),
        "sample": EmpiricalCovariance(ddof=0).fit(data).covariance_.tolist(),
        "ledoitWolf": {"shrinkage": float(model.shrinkage_), "covariance": covariance.tolist()},
        "fewRows": {"rows": 5, "shrinkage": float(few.shrinkage_), "covariance": few.covariance_.tolist()},
        "bayesStein": floats(bayes),
        "minimumVariance": lowest,
        "meanVariance": utility,
        "riskParity": equal,
        "budgets": budgets,
        "riskBudgets": tilted,
        "hierarchical": floats(hierarchical),
    }
    pathlib.Path(__file__).with_name("portfolio.json").write_text(json.dumps(document) + "\n")


main()
