"""Golden values of hedge ratios. Writes hedge.json beside itself.

A drifting line, its Kalman filter and likelihood by statsmodels (a state space of two random walks) and filterpy, the variances of highest
likelihood by scipy on statsmodels' likelihood, and total least squares by numpy's singular values and by the eigenvectors of the covariance.

    pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 filterpy==2.0.0
    OMP_NUM_THREADS=1 python hedge-golden.py
"""
import json
import math
import pathlib
from importlib.metadata import version

import numpy
from filterpy.kalman import KalmanFilter
from scipy.optimize import minimize
from statsmodels.tsa.statespace.mlemodel import MLEModel

ROWS = 300
DIFFUSE = 1e7


def columns():
    random = numpy.random.default_rng(20261123)
    x = numpy.round(numpy.cumsum(0.03 * random.standard_normal(ROWS)), 8)
    slope = 1.3 + numpy.cumsum(0.02 * random.standard_normal(ROWS))
    intercept = 0.4 + numpy.cumsum(0.003 * random.standard_normal(ROWS))
    return x, numpy.round(intercept + slope * x + 0.01 * random.standard_normal(ROWS), 8)


class Line(MLEModel):
    """y = slope x + intercept + noise; both are random walks."""

    def __init__(self, x, y, prior_mean, prior_variance, burn):
        super().__init__(y, k_states=2, k_posdef=2, loglikelihood_burn=burn)
        self["design"] = numpy.stack([x, numpy.ones_like(x)])[None, :, :]
        self["transition"] = numpy.eye(2)
        self["selection"] = numpy.eye(2)
        self.prior = (numpy.asarray(prior_mean, float), prior_variance)

    start_params = [1.0, 1.0, 1.0]

    def update(self, params, **_):
        slope, intercept, noise = params
        self["state_cov"] = numpy.diag([slope, intercept])
        self["obs_cov", 0, 0] = noise
        mean, variance = self.prior
        # statsmodels' initial state is that of the first observation, as ours is.
        self.ssm.initialize_known(mean, numpy.diag(variance(noise)))


def known(x, y):
    variances = [4e-4, 1e-5, 1e-4]
    prior = {"slope": 1.0, "intercept": 0.5, "slopeVariance": 0.3, "interceptVariance": 0.2}
    model = Line(x, y, [1.0, 0.5], lambda _: [0.3, 0.2], 0)
    result = model.smooth(variances)
    kalman = KalmanFilter(dim_x=2, dim_z=1)
    kalman.x = numpy.array([[1.0], [0.5]])
    kalman.P = numpy.diag([0.3, 0.2])
    kalman.R = numpy.array([[variances[2]]])
    rows, total = [], 0.0
    for row in range(ROWS):
        if row > 0:
            kalman.P = kalman.P + numpy.diag(variances[:2])
        kalman.H = numpy.array([[x[row], 1.0]])
        kalman.update(y[row])
        total += float(kalman.log_likelihood)
        if row in (0, 1, 2, 50, 299):
            rows.append({
                "row": row,
                "slope": float(kalman.x[0, 0]),
                "intercept": float(kalman.x[1, 0]),
                "slopeVariance": float(kalman.P[0, 0]),
                "interceptVariance": float(kalman.P[1, 1]),
                "innovation": float(result.forecasts_error[0, row]),
                "innovationVariance": float(result.forecasts_error_cov[0, 0, row]),
            })
            assert abs(result.filtered_state[0, row] - kalman.x[0, 0]) < 1e-10
    assert abs(total - result.llf) < 1e-8
    return {"variances": variances, "prior": prior, "rows": rows, "logLikelihood": float(result.llf)}


def fitted(x, y):
    model = Line(x, y, [0.0, 0.0], lambda noise: [DIFFUSE * noise, DIFFUSE * noise], 2)
    best = min(
        (
            minimize(lambda logs: -model.loglike(numpy.exp(logs)), start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 8000, "maxfev": 8000})
            for start in ([-7.0, -11.0, -9.0], [-8.0, -14.0, -8.0])
        ),
        key=lambda found: found.fun,
    )
    return {"variances": [float(each) for each in numpy.exp(best.x)], "logLikelihood": -float(best.fun)}


def total_least_squares(x, y):
    centred = numpy.stack([x - x.mean(), y - y.mean()], axis=1)
    _, _, right = numpy.linalg.svd(centred, full_matrices=False)
    slope = right[0, 1] / right[0, 0]
    _, vectors = numpy.linalg.eigh(numpy.cov(centred.T))
    assert abs(vectors[1, 1] / vectors[0, 1] - slope) < 1e-9
    return {
        "slope": float(slope),
        "intercept": float(y.mean() - slope * x.mean()),
        "squares": float(numpy.sum((centred @ right[1]) ** 2)),
    }


def main():
    x, y = columns()
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "statsmodels", "filterpy")},
        "x": x.tolist(),
        "y": y.tolist(),
        "known": known(x, y),
        "fitted": fitted(x, y),
        "totalLeastSquares": total_least_squares(x, y),
    }
    assert math.isfinite(document["fitted"]["logLikelihood"])
    pathlib.Path(__file__).with_name("hedge.json").write_text(json.dumps(document) + "\n")


main()
