"""Golden values of `ballast pairs scan --method copula` on the shared hourly bars. Writes pairs-copula.json beside itself.

Residuals of log BTC on the log of each coin by statsmodels, their Engle-Granger p-values by its coint, tau by scipy, the copula with the lowest
AIC by pyvinecopulib's own selection on their ranks, among the same families.

    pip install numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 statsmodels==0.15.0 pyvinecopulib==1.0.1
    BALLAST_SHARED=... OMP_NUM_THREADS=1 python pairs-copula-golden.py
"""
import json
import os
import pathlib
import warnings
from importlib.metadata import version
from itertools import combinations

import numpy
import pandas
import pyvinecopulib as pv
import statsmodels.api as sm
from scipy import stats
from statsmodels.tsa.stattools import coint

warnings.filterwarnings("ignore")
FROM, TO = "2022-01-01", "2022-07-01"
COINS = ("ETH/USDT", "LTC/USDT", "XRP/USDT", "LINK/USDT")
FAMILIES = {
    pv.BicopFamily.gaussian: "gaussian",
    pv.BicopFamily.student: "student",
    pv.BicopFamily.clayton: "clayton",
    pv.BicopFamily.gumbel: "gumbel",
    pv.BicopFamily.frank: "frank",
    pv.BicopFamily.joe: "joe",
}


def logs(symbol):
    folder = pathlib.Path(os.environ.get("BALLAST_SHARED", "../shared"), "data/2_intraday/1h_spot")
    frame = pandas.read_csv(folder / f"{symbol.replace('/', '')}_1h.csv.gz", index_col="timestamp", parse_dates=True)
    frame.index = frame.index.tz_localize(None)
    return numpy.log(frame.loc[(frame.index >= FROM) & (frame.index < TO), "close"])


def main():
    columns = pandas.concat({symbol: logs(symbol) for symbol in ("BTC/USDT", *COINS)}, axis=1, join="inner")
    base = columns["BTC/USDT"].to_numpy()
    legs = {}
    for coin in COINS:
        log = columns[coin].to_numpy()
        fit = sm.OLS(base, sm.add_constant(log)).fit()
        statistic, pvalue, _ = coint(base, log, trend="c", autolag="aic")
        legs[coin] = {
            "alpha": float(fit.params[0]),
            "beta": float(fit.params[1]),
            "statistic": float(statistic),
            "pValue": float(pvalue),
            "tauWithReference": float(stats.kendalltau(numpy.diff(base), numpy.diff(log)).statistic),
        }
        legs[coin, "spread"] = fit.resid
    pairs = []
    controls = pv.FitControlsBicop(family_set=list(FAMILIES), selection_criterion="aic", parametric_method="mle", preselect_families=False)
    for a, b in combinations(COINS, 2):
        one, other = legs[a, "spread"], legs[b, "spread"]
        data = numpy.stack([stats.rankdata(one), stats.rankdata(other)], axis=1) / (len(one) + 1)
        copula = pv.Bicop()
        copula.select(data, controls)
        pairs.append({
            "a": a,
            "b": b,
            "bars": len(one),
            "tau": float(stats.kendalltau(one, other).statistic),
            "family": FAMILIES[copula.family],
            "rotation": int(copula.rotation),
            "logLikelihood": float(copula.loglik(data)),
            "aic": float(copula.aic(data)),
            "first": float(copula.hfunc2(data[-1:])[0]),
            "second": float(copula.hfunc1(data[-1:])[0]),
        })
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "pandas", "statsmodels", "pyvinecopulib")},
        "from": FROM,
        "to": TO,
        "reference": "BTC/USDT",
        "legs": {coin: legs[coin] for coin in COINS},
        "pairs": pairs,
    }
    pathlib.Path(__file__).with_name("pairs-copula.json").write_text(json.dumps(document) + "\n")


main()
