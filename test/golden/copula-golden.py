"""Golden values of copulas, Student's distribution, marginals and rank correlations. Writes copula.json beside itself.

Copulas by pyvinecopulib: densities, distribution, h-functions, tau, and log likelihoods whose best parameters scipy finds. Its distribution of
Student's copula wants whole degrees of freedom; for others there is no witness.

    pip install numpy==2.4.6 scipy==1.17.1 pyvinecopulib==1.0.1
    OMP_NUM_THREADS=1 python copula-golden.py
"""
import json
import pathlib
import warnings
from importlib.metadata import version

import numpy
import pyvinecopulib as pv
from scipy import stats
from scipy.optimize import minimize, minimize_scalar

warnings.filterwarnings("ignore")
POINTS = numpy.array([[0.5, 0.7], [0.02, 0.03], [0.97, 0.99], [0.1, 0.9], [0.85, 0.2], [1e-6, 1e-5], [0.999, 0.4]])
FAMILIES = {
    "gaussian": pv.BicopFamily.gaussian,
    "student": pv.BicopFamily.student,
    "clayton": pv.BicopFamily.clayton,
    "gumbel": pv.BicopFamily.gumbel,
    "frank": pv.BicopFamily.frank,
    "joe": pv.BicopFamily.joe,
}
CASES = (
    [("gaussian", 0, [rho]) for rho in (0.6, -0.35, 0.98)]
    + [("student", 0, pair) for pair in ([0.5, 4.0], [-0.3, 7.5], [0.9, 2.5])]
    + [("frank", 0, [theta]) for theta in (3.0, -5.5, 0.01, 12.0)]
    + [("clayton", rotation, [theta]) for rotation, theta in ((0, 2.0), (90, 0.4), (180, 6.0), (270, 1.0))]
    + [("gumbel", rotation, [theta]) for rotation, theta in ((0, 2.0), (90, 1.3), (180, 4.0), (270, 2.5))]
    + [("joe", rotation, [theta]) for rotation, theta in ((0, 2.0), (90, 1.5), (180, 4.5), (270, 3.0))]
)


def column(values):
    return numpy.array(values, float).reshape(-1, 1)


def floats(values):
    return [float(each) for each in numpy.ravel(values)]


def distribution(family, parameters, copula):
    if family == "student" and parameters[1] != round(parameters[1]):
        return None
    return floats(copula.cdf(POINTS))


def copulas():
    cases = []
    for family, rotation, parameters in CASES:
        copula = pv.Bicop(family=FAMILIES[family], rotation=rotation, parameters=column(parameters))
        cases.append({
            "family": family,
            "rotation": rotation,
            "parameters": parameters,
            # Its h2 is of the first given the second, its h1 of the second given the first.
            "logDensity": floats(numpy.log(copula.pdf(POINTS))),
            "first": floats(copula.hfunc2(POINTS)),
            "second": floats(copula.hfunc1(POINTS)),
            "distribution": distribution(family, parameters, copula),
            "tau": float(copula.parameters_to_tau(column(parameters))),
        })
    return cases


def log_likelihood(family, rotation, parameters, data):
    try:
        return float(pv.Bicop(family=FAMILIES[family], rotation=rotation, parameters=column(parameters)).loglik(data))
    except RuntimeError:
        return -1e10


BOUNDS = {"gaussian": (-0.99, 0.99), "frank": (-35, 35), "clayton": (1e-4, 28), "gumbel": (1.0000001, 50), "joe": (1.0000001, 30)}


def fit(family, rotation, data):
    if family == "student":
        best = minimize(
            lambda p: -log_likelihood(family, 0, [numpy.tanh(p[0]), numpy.exp(p[1])], data),
            [numpy.arctanh(numpy.corrcoef(data.T)[0, 1]), numpy.log(6.0)],
            method="Nelder-Mead",
            bounds=[(-5, 5), (numpy.log(2.0), numpy.log(50.0))],
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000},
        )
        return [float(numpy.tanh(best.x[0])), float(numpy.exp(best.x[1]))], -float(best.fun)
    low, high = BOUNDS[family]
    starts = numpy.linspace(low, high, 40)
    values = [-log_likelihood(family, rotation, [each], data) for each in starts]
    place = int(numpy.argmin(values))
    bracket = (starts[max(0, place - 1)], starts[min(len(starts) - 1, place + 1)])
    best = minimize_scalar(
        lambda p: -log_likelihood(family, rotation, [p], data), bounds=bracket, method="bounded", options={"xatol": 1e-11}
    )
    return [float(best.x)], -float(best.fun)


def fits():
    random = numpy.random.default_rng(20261124)
    made = []
    for name, family, rotation, parameters in (
        ("student", "student", 0, [0.6, 3.0]),
        ("clayton", "clayton", 0, [1.5]),
        ("turned gumbel", "gumbel", 90, [1.8]),
    ):
        copula = pv.Bicop(family=FAMILIES[family], rotation=rotation, parameters=column(parameters))
        data = numpy.round(copula.simulate(250, seeds=[int(each) for each in random.integers(1, 10**6, 4)]), 6)
        data = numpy.clip(data, 1e-6, 1 - 1e-6)
        tau = stats.kendalltau(data[:, 0], data[:, 1]).statistic
        rotations = (90, 270) if tau < 0 else (0, 180)
        rows = []
        for each in FAMILIES:
            for turn in rotations if each in ("clayton", "gumbel", "joe") else (0,):
                found, likelihood = fit(each, turn, data)
                rows.append({"family": each, "rotation": turn, "parameters": found, "logLikelihood": likelihood, "aic": 2 * len(found) - 2 * likelihood})
        rows.sort(key=lambda row: row["aic"])
        made.append({"name": name, "u": floats(data[:, 0]), "v": floats(data[:, 1]), "fits": rows})
    return made


def student():
    rows = []
    for degrees in (1.0, 1.5, 2.0, 3.0, 4.7, 12.0, 60.0, 200.0):
        for x in (-40.0, -6.0, -1.3, -0.05, 0.4, 2.2, 15.0):
            rows.append([degrees, x, float(stats.t.cdf(x, degrees)), float(stats.t.logpdf(x, degrees))])
    quantiles = [
        [degrees, p, float(stats.t.ppf(p, degrees))]
        for degrees in (1.0, 1.5, 2.0, 3.0, 4.7, 12.0, 60.0, 200.0)
        for p in (1e-9, 1e-4, 0.02, 0.3, 0.49, 0.8, 0.999)
    ]
    return {"values": rows, "quantiles": quantiles}


def marginals():
    random = numpy.random.default_rng(20261125)
    made = []
    for name, values in (
        ("normal", 3.0 + 0.2 * random.standard_normal(300)),
        ("student", -1.0 + 0.05 * random.standard_t(3.5, 300)),
        ("cauchy", 0.5 + 0.1 * random.standard_cauchy(300)),
    ):
        values = numpy.round(values, 7)
        rows = {}
        middle, scale = stats.norm.fit(values)
        rows["normal"] = {"parameters": [float(middle), float(scale)], "logLikelihood": float(stats.norm.logpdf(values, middle, scale).sum())}
        tight = {"xatol": 1e-10, "fatol": 1e-11, "maxiter": 8000, "maxfev": 8000}
        start = [float(numpy.median(values)), float(numpy.log(stats.iqr(values) / 2))]
        best = minimize(lambda p: -stats.cauchy.logpdf(values, p[0], numpy.exp(p[1])).sum(), start, method="Nelder-Mead", options=tight)
        rows["cauchy"] = {"parameters": [float(best.x[0]), float(numpy.exp(best.x[1]))], "logLikelihood": -float(best.fun)}
        best = minimize(
            lambda p: -stats.t.logpdf(values, numpy.exp(p[2]), p[0], numpy.exp(p[1])).sum(),
            start + [float(numpy.log(5.0))],
            method="Nelder-Mead",
            bounds=[(None, None), (None, None), (0.0, float(numpy.log(200.0)))],
            options=tight,
        )
        rows["student"] = {"parameters": [float(best.x[0]), float(numpy.exp(best.x[1])), float(numpy.exp(best.x[2]))], "logLikelihood": -float(best.fun)}
        made.append({"name": name, "values": floats(values), "fits": rows})
    return made


def ranks():
    random = numpy.random.default_rng(20261126)
    x = numpy.round(random.standard_normal(120), 1)
    y = numpy.round(0.6 * x + random.standard_normal(120), 1)
    return {
        "x": floats(x),
        "y": floats(y),
        "ranks": floats(stats.rankdata(x)),
        "spearman": float(stats.spearmanr(x, y).statistic),
        "kendall": float(stats.kendalltau(x, y).statistic),
    }


def main():
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "pyvinecopulib")},
        "points": POINTS.tolist(),
        "copulas": copulas(),
        "fits": fits(),
        "student": student(),
        "marginals": marginals(),
        "ranks": ranks(),
    }
    pathlib.Path(__file__).with_name("copula.json").write_text(json.dumps(document) + "\n")


main()
