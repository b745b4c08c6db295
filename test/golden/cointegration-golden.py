"""Writes cointegration.json: what other people's programs say of made-up columns. The values are committed; the tests need no Python.

    python3 -m venv /tmp/pairs && /tmp/pairs/bin/pip install numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 statsmodels==0.15.0 arch==8.0.0 future setuptools
    /tmp/pairs/bin/pip install --no-deps nolds==0.6.0
    OMP_NUM_THREADS=1 /tmp/pairs/bin/python test/golden/cointegration-golden.py && node_modules/.bin/oxfmt test/golden/cointegration.json

The columns come from a linear congruential generator and from +, - and * only, so that the test makes the very same doubles. Gregory-Hansen,
KSS and Bertram's thresholds have no package here: they are put together from statsmodels' OLS, arch's Phillips-Perron and scipy's special
functions, quadrature and optimiser, by the formulas of the papers.
"""
import json
import pathlib
import platform
import warnings

import arch
import nolds
import numpy
import pandas
import scipy
import statsmodels
from arch.unitroot import PhillipsPerron, VarianceRatio
from scipy import integrate, optimize, special
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.rolling import RollingOLS
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller, coint, kpss
from statsmodels.tsa.vector_ar.vecm import coint_johansen

warnings.filterwarnings("ignore")
LENGTH = 400
# Of the power: 0.5 ^ (1 / half-life), written out so that both sides have the same double.
MEMORIES = {"10": 0.933033, "15": 0.954842, "20": 0.965936}
SEEDS = 400
POWER_LENGTH = 500


def deviates(seed):
    state = seed
    while True:
        z = -6.0
        for _ in range(12):
            state = (1664525 * state + 1013904223) % 4294967296
            z += (state + 0.5) / 4294967296
        yield z


def columns():
    draws = deviates(20261122)
    made = {name: [] for name in ("leader", "follower", "stranger", "third", "noise")}
    leader, rest, stranger, beside = 9.0, 0.0, 4.0, 0.0
    for _ in range(LENGTH):
        leader += 0.02 * next(draws)
        rest = 0.85 * rest + 0.01 * next(draws)
        stranger += 0.001 + 0.03 * next(draws)
        beside = 0.6 * beside + 0.02 * next(draws)
        made["leader"].append(leader)
        made["follower"].append(0.5 + 1.2 * leader + rest)
        made["stranger"].append(stranger)
        made["third"].append(0.7 * leader - 0.4 * stranger + beside)
        made["noise"].append(beside)
    return {name: numpy.array(values) for name, values in made.items()}


def numbers(values):
    return [float(value) for value in values]


def regressions(made):
    time = numpy.arange(LENGTH) - (LENGTH - 1) / 2
    fit = OLS(made["follower"], numpy.column_stack([numpy.ones(LENGTH), made["leader"], time])).fit()
    window = 60
    design = numpy.column_stack([numpy.ones(LENGTH), made["leader"]])
    rolled = RollingOLS(made["follower"], design, window=window).fit()
    places = [window - 1, window, 100, 119, 120, 250, LENGTH - 1]
    expanded = [OLS(made["follower"][: place + 1], design[: place + 1]).fit() for place in places]
    return {
        "ols": {
            "coefficients": numbers(fit.params),
            "standardErrors": numbers(fit.bse),
            "tStatistics": numbers(fit.tvalues),
            "rSquared": float(fit.rsquared),
            "squares": float(fit.ssr),
        },
        "window": window,
        "rolling": [
            {
                "at": place,
                "intercept": float(rolled.params[place][0]),
                "slope": float(rolled.params[place][1]),
                "interceptError": float(rolled.bse[place][0]),
                "slopeError": float(rolled.bse[place][1]),
                "rSquared": float(rolled.rsquared[place]),
            }
            for place in places
        ],
        "expanding": [
            {
                "at": place,
                "intercept": float(each.params[0]),
                "slope": float(each.params[1]),
                "interceptError": float(each.bse[0]),
                "slopeError": float(each.bse[1]),
                "rSquared": float(each.rsquared),
            }
            for place, each in zip(places, expanded)
        ],
    }


TERMS = {"none": "n", "constant": "c", "trend": "ct"}


def unit_roots(made):
    dickey, perron, level = [], [], []
    for name in ("leader", "stranger", "noise"):
        for terms, short in TERMS.items():
            for criterion in ("aic", "bic", "t-stat"):
                found = adfuller(made[name], regression=short, autolag=criterion, result_object=True)
                dickey.append(
                    {
                        "column": name,
                        "terms": terms,
                        "by": criterion[:3] if criterion != "t-stat" else "t",
                        "statistic": float(found.statistic),
                        "pValue": float(found.pvalue),
                        "lags": int(found.lags),
                        "observations": int(found.nobs),
                        "critical": [float(found.critical_values[key]) for key in ("1%", "5%", "10%")],
                    }
                )
            for lags in (None, 3):
                tau = PhillipsPerron(made[name], trend=short, lags=lags, test_type="tau")
                rho = PhillipsPerron(made[name], trend=short, lags=lags, test_type="rho")
                perron.append(
                    {
                        "column": name,
                        "terms": terms,
                        "asked": lags,
                        "statistic": float(tau.stat),
                        "coefficientStatistic": float(rho.stat),
                        "pValue": float(tau.pvalue),
                        "lags": int(tau.lags),
                    }
                )
            for lags in ("auto", 5):
                if short == "n":
                    continue
                found = kpss(made[name], regression=short, nlags=lags, result_object=True)
                level.append(
                    {
                        "column": name,
                        "terms": terms,
                        "asked": None if lags == "auto" else lags,
                        "statistic": float(found.statistic),
                        "pValue": float(found.pvalue),
                        "lags": int(found.lags),
                    }
                )
    surfaces = [
        {
            "terms": terms,
            "variables": variables,
            "statistic": statistic,
            "pValue": float(mackinnonp(statistic, regression=short, N=variables)),
            "critical": numbers(mackinnoncrit(N=variables, regression=short, nobs=250)) if short != "n" or variables == 1 else None,
        }
        for terms, short in TERMS.items()
        for variables in (1, 2, 3)
        for statistic in (-30.0, -6.0, -4.5, -3.9, -3.34, -2.86, -2.0, -1.0, 0.0, 0.7, 3.0)
    ]
    ratios = [
        {"column": name, "span": span, "ratio": float(test.vr), "statistic": float(test.stat), "pValue": float(test.pvalue)}
        for name in ("leader", "stranger", "noise")
        for span in (2, 5, 20)
        for test in [VarianceRatio(made[name], lags=span)]
    ]
    hurst = [
        {"column": name, "exponent": float(nolds.dfa(numpy.diff(made[name]), overlap=False)), "levels": float(nolds.dfa(made[name], overlap=False))}
        for name in ("leader", "stranger", "noise")
    ]
    return {"dickeyFuller": dickey, "phillipsPerron": perron, "kpss": level, "surfaces": surfaces, "varianceRatio": ratios, "hurst": hurst}


def lagged_t(changes, before, lags):
    """t of what was before, without a constant."""
    rows = len(changes) - lags
    design = [before[lags:]] + [changes[lags - lag : lags - lag + rows] for lag in range(1, lags + 1)]
    return OLS(changes[lags:], numpy.column_stack(design)).fit()


def smooth_transition(values, asked):
    changes, cubes = numpy.diff(values), values[:-1] ** 3
    if asked is None:
        most = int(numpy.ceil(12 * (len(values) / 100) ** 0.25))
        rows = len(changes) - most
        design = numpy.column_stack([cubes[most:]] + [changes[most - lag : most - lag + rows] for lag in range(1, most + 1)])
        asked = min(range(most + 1), key=lambda lags: OLS(changes[most:], design[:, : lags + 1]).fit().aic)
    return float(lagged_t(changes, cubes, asked).tvalues[0]), asked


def pairs(made):
    engle, transition = [], []
    for one, other in (("follower", "leader"), ("leader", "follower"), ("stranger", "leader"), ("third", "leader")):
        for terms, short in (("constant", "c"), ("trend", "ct")):
            for by, options in (
                ("aic", {"autolag": "aic"}),
                ("bic", {"autolag": "bic"}),
                (None, {"autolag": None, "maxlag": 1}),
            ):
                found = coint(made[one], made[other], trend=short, **options)
                engle.append(
                    {
                        "explained": one,
                        "other": other,
                        "terms": terms,
                        "by": by,
                        "statistic": float(found[0]),
                        "pValue": float(found[1]),
                        "critical": numbers(found[2]),
                    }
                )
    residuals = OLS(made["follower"], numpy.column_stack([numpy.ones(LENGTH), made["leader"]])).fit().resid
    line = numpy.column_stack([numpy.ones(LENGTH), numpy.arange(LENGTH)])
    cases = {
        "none": made["noise"],
        "constant": made["leader"] - made["leader"].mean(),
        "trend": OLS(made["stranger"], line).fit().resid,
        "residual": residuals,
    }
    for name, values in cases.items():
        for asked in (0, 3, None):
            statistic, lags = smooth_transition(values, asked)
            transition.append({"case": name, "asked": asked, "statistic": statistic, "lags": lags})
    johansen = []
    for names in (("follower", "leader"), ("leader", "stranger"), ("leader", "stranger", "third")):
        for terms, order in (("none", -1), ("constant", 0), ("trend", 1)):
            for lags in (0, 1, 3):
                found = coint_johansen(numpy.column_stack([made[name] for name in names]), order, lags)
                johansen.append(
                    {
                        "columns": names,
                        "terms": terms,
                        "lags": lags,
                        "eigenvalues": numbers(found.eig),
                        "trace": numbers(found.lr1),
                        "maxEigen": numbers(found.lr2),
                        "traceCritical": [numbers(row) for row in found.cvt],
                        "maxEigenCritical": [numbers(row) for row in found.cvm],
                        "vector": numbers(found.evec[:, 0] / found.evec[0, 0]),
                    }
                )
    return {"engleGranger": engle, "smoothTransition": transition, "johansen": johansen}


def gregory_hansen(made):
    found = []
    time = numpy.arange(LENGTH) - (LENGTH - 1) / 2
    # A relation whose constant moves in the middle, and one whose slope does.
    step = made["follower"] + 0.2 * (numpy.arange(LENGTH) >= 220)
    turned = made["follower"] + 0.1 * made["leader"] * (numpy.arange(LENGTH) >= 150)
    for name, explained in (("step", step), ("turned", turned)):
        for shift in ("level", "level-with-trend", "regime"):
            dickey, phillips = [], []
            for at in range(round(0.15 * LENGTH), round(0.85 * LENGTH) + 1):
                after = (numpy.arange(LENGTH) >= at).astype(float)
                design = [numpy.ones(LENGTH), after, made["leader"]]
                if shift == "level-with-trend":
                    design.append(time)
                if shift == "regime":
                    design.append(after * made["leader"])
                residuals = OLS(explained, numpy.column_stack(design)).fit().resid
                dickey.append((float(adfuller(residuals, maxlag=2, autolag=None, regression="n", result_object=True).statistic), at))
                phillips.append((float(PhillipsPerron(residuals, lags=5, trend="n").stat), at))
            found.append({"column": name, "shift": shift, "dickeyFuller": min(dickey), "phillips": min(phillips)})
    return found


def reversion(made):
    def of(values):
        changes = numpy.diff(values)
        fit = OLS(changes, numpy.column_stack([numpy.ones(len(changes)), values[:-1]])).fit()
        constant, slope = fit.params
        speed = -numpy.log1p(slope)
        return {
            "slope": float(slope),
            "halfLife": float(numpy.log(0.5) / numpy.log1p(slope)),
            "halfLifeLinear": float(-numpy.log(2) / slope),
            "speed": float(speed),
            "middle": float(-constant / slope),
            "volatility": float(numpy.sqrt(fit.ssr / fit.df_resid * 2 * speed / (1 - numpy.exp(-2 * speed)))),
        }

    def thresholds(speed, middle, volatility, cost):
        """Moments of first passage by quadrature in standard deviations / sqrt 2, from the equations for them; the best entry by search."""
        unit = volatility / numpy.sqrt(speed)

        def steps(x):
            return 2 * numpy.pi * special.erfi(x) / speed

        best = optimize.minimize_scalar(lambda x: -(2 * x * unit - cost) / steps(x), bounds=(cost / unit / 2, cost / unit / 2 + 1), method="bounded", options={"xatol": 1e-13})
        x = best.x
        # Passage from -x up to x and back, each with the variance 2 pi x the integral of exp(u^2) times, below u, that of exp(v^2) (1 + erf v)^2
        # (Siegert 1951; the equations for the moments of a first passage).
        inner = lambda u: integrate.quad(lambda v: numpy.exp(-v * v) * special.erfcx(-v) ** 2, -numpy.inf, u, epsabs=0, epsrel=1e-12)[0]
        up = integrate.quad(lambda u: numpy.exp(u * u) * inner(u), -x, x, epsabs=0, epsrel=1e-11)[0]
        variance = 2 * 2 * numpy.pi * up / speed**2
        expected = steps(x)
        gain = 2 * x * unit - cost
        return {
            "speed": speed,
            "middle": middle,
            "volatility": volatility,
            "cost": cost,
            "entry": middle - x * unit,
            "expectedSteps": expected,
            "stepsVariance": variance,
            "expectedReturn": gain / expected,
            "returnVariance": gain**2 * variance / expected**3,
        }

    residuals = OLS(made["follower"], numpy.column_stack([numpy.ones(LENGTH), made["leader"]])).fit().resid
    return {
        "fits": {"noise": of(made["noise"]), "residual": of(residuals)},
        "thresholds": [
            thresholds(180.967, 0.0, 0.1538, 0.001),
            thresholds(0.05, 0.2, 0.004, 0.0024),
            thresholds(0.01, -0.1, 0.002, 0.02),
            thresholds(0.1, 0.0, 0.01, 0.0001),
        ],
    }


def power():
    found = {}
    for half_life, memory in MEMORIES.items():
        rejected = []
        for seed in range(1, SEEDS + 1):
            draws = deviates(2654435761 * seed % 4294967296)
            x, y, level, rest = [], [], 0.0, 0.0
            for _ in range(POWER_LENGTH):
                level += next(draws)
                rest = memory * rest + next(draws)
                x.append(level)
                y.append(1.0 + 1.2 * level + rest)
            if coint(numpy.array(y), numpy.array(x))[1] < 0.05:
                rejected.append(seed)
        found[half_life] = {"memory": memory, "rejected": rejected}
    return {"seeds": SEEDS, "length": POWER_LENGTH, "halfLives": found}


def main():
    made = columns()
    pvalues = [0.0001, 0.04, 0.9, 0.001, 0.03, 0.03, 0.2, 0.5, 0.012, 1.0]
    document = {
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (numpy, scipy, pandas, statsmodels, arch)},
            "nolds": "0.6.0",
        },
        "length": LENGTH,
        "last": {name: float(values[-1]) for name, values in made.items()},
        **regressions(made),
        **unit_roots(made),
        **pairs(made),
        "gregoryHansen": gregory_hansen(made),
        "reversion": reversion(made),
        "falseDiscovery": {"pValues": pvalues, "rates": numbers(multipletests(pvalues, method="fdr_bh")[1])},
        "gamma": [
            [shape, x, float(special.gammaincc(shape, x)), float(special.gammaln(shape))]
            for shape in (0.3, 0.5, 1.0, 2.5, 4.77, 30.0)
            for x in (0.01, 0.5, 3.0, 8.9, 40.0)
        ],
        "power": power(),
    }
    path = pathlib.Path(__file__).with_name("cointegration.json")
    path.write_text(json.dumps(document) + "\n")


main()
