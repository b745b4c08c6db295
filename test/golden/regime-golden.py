"""Golden values of regimes and of volatility. Writes regime.json beside itself.

Hamilton's filter by statsmodels, expectation and maximisation by hmmlearn (without priors, from a given beginning), GARCH(1,1) by arch.

    pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 hmmlearn==0.3.3 arch==8.0.0
    OMP_NUM_THREADS=1 python regime-golden.py
"""
import json
import logging
import pathlib
import warnings
from importlib.metadata import version

import numpy
from arch import arch_model
from hmmlearn.hmm import GaussianHMM
from scipy.optimize import minimize
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

warnings.filterwarnings("ignore")
logging.getLogger("hmmlearn").setLevel(logging.ERROR)


def floats(values):
    return [float(each) for each in numpy.ravel(values)]


def series():
    random = numpy.random.default_rng(20261128)
    state, first, second = 0, [], []
    for _ in range(400):
        if random.random() < (0.03, 0.06)[state]:
            state = 1 - state
        first.append((0.001, -0.002)[state] + (0.008, 0.03)[state] * random.standard_normal())
        second.append((0.2, 1.1)[state] + (0.1, 0.3)[state] * random.standard_normal())
    return numpy.round(first, 7), numpy.round(second, 6)


def hamilton(first):
    model = MarkovRegression(first, k_regimes=2, trend="c", switching_variance=True)
    fit = model.fit(search_reps=10)
    names = dict(zip(model.param_names, fit.params))
    stay, back = names["p[0->0]"], names["p[1->0]"]
    steady = back / (1 - stay + back)
    rows = (0, 1, 50, 200, 399)
    return {
        "initial": [float(steady), float(1 - steady)],
        "transition": [[float(stay), float(1 - stay)], [float(back), float(1 - back)]],
        "means": [[float(names["const[0]"])], [float(names["const[1]"])]],
        "variances": [[float(names["sigma2[0]"])], [float(names["sigma2[1]"])]],
        "rows": list(rows),
        "filtered": [floats(numpy.asarray(fit.filtered_marginal_probabilities)[row]) for row in rows],
        "logLikelihood": float(fit.llf),
    }


def expectation(first, second):
    data = numpy.stack([first, second], axis=1)
    start = {
        "initial": [0.5, 0.3, 0.2],
        "transition": [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]],
        "means": [[0.0, 0.1], [0.0, 0.6], [-0.01, 1.0]],
        "variances": [[1e-4, 0.02], [4e-4, 0.05], [9e-4, 0.1]],
    }

    def fitted(iterations, tolerance):
        model = GaussianHMM(
            n_components=3, covariance_type="diag", n_iter=iterations, tol=tolerance, init_params="", params="stmc",
            covars_prior=0.0, covars_weight=1.0, min_covar=0.0, startprob_prior=1.0, transmat_prior=1.0, means_weight=0.0,
        )
        model.startprob_ = numpy.array(start["initial"])
        model.transmat_ = numpy.array(start["transition"])
        model.means_ = numpy.array(start["means"])
        model.covars_ = numpy.array(start["variances"])
        model.n_features = 2
        model.fit(data)
        covariances = numpy.array([numpy.diag(each) for each in model.covars_])
        return {
            "initial": floats(model.startprob_),
            "transition": model.transmat_.tolist(),
            "means": model.means_.tolist(),
            "variances": covariances.tolist(),
            "logLikelihood": float(model.score(data)),
        }

    return {"start": start, "afterFive": fitted(5, -numpy.inf), "end": fitted(3000, 1e-9)}


def garch():
    random = numpy.random.default_rng(20261129)
    spread, values = 1e-4, []
    for _ in range(1500):
        shock = numpy.sqrt(spread) * random.standard_normal()
        values.append(0.0005 + shock)
        spread = 3e-6 + 0.09 * shock**2 + 0.88 * spread
    values = numpy.round(values, 8)
    # In percent, as arch asks for; given back in the units of the values.
    model = arch_model(100 * values, mean="Constant", vol="GARCH", p=1, q=1, dist="normal", rescale=False)
    first = model.fit(disp="off", tol=1e-12)

    def unlikelihood(point):
        if min(point[1:]) < 0 or point[2] + point[3] >= 1:
            return numpy.inf
        return -model.fix(point).loglikelihood

    best = minimize(unlikelihood, first.params.to_numpy(), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 3000})
    mean, omega, alpha, beta = best.x
    fixed = model.fix(best.x)
    backcast = float(first.model.volatility.backcast(first.model.resids(first.model.starting_values())))
    forecast = fixed.forecast(horizon=5, reindex=False).variance.to_numpy()[-1]
    rows = (0, 1, 2, 700, 1499)
    return {
        "values": floats(values),
        "mean": float(mean / 100),
        "omega": float(omega / 1e4),
        "alpha": float(alpha),
        "beta": float(beta),
        "startVariance": backcast / 1e4,
        "logLikelihood": float(fixed.loglikelihood) + len(values) * float(numpy.log(100)),
        "rows": list(rows),
        "variances": [float(fixed.conditional_volatility[row] ** 2 / 1e4) for row in rows],
        "forecast": floats(forecast / 1e4),
    }


def main():
    first, second = series()
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "statsmodels", "hmmlearn", "arch")},
        "first": floats(first),
        "second": floats(second),
        "hamilton": hamilton(first),
        "expectation": expectation(first, second),
        "garch": garch(),
    }
    pathlib.Path(__file__).with_name("regime.json").write_text(json.dumps(document) + "\n")


main()
