"""Golden values of the strategies on spreads, over the shared hourly bars. Writes spreads.json beside itself.

Written from the strategies' descriptions, not from their code: ordinary least squares and Engle-Granger p-values by statsmodels, Johansen's
vectors by its coint_johansen, the Kalman filter in plain numpy matrices, rolling middles and distances by pandas, marginals by scipy, the copula
by pyvinecopulib's own selection.

    pip install numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 statsmodels==0.15.0 pyvinecopulib==1.0.1
    BALLAST_SHARED=... OMP_NUM_THREADS=1 python spreads-golden.py
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
from statsmodels.tsa.vector_ar.vecm import coint_johansen

warnings.filterwarnings("ignore")
FROM, TO = "2022-01-01", "2022-07-01"
FORMATION, EVERY = 400, 40
ENTRY, EXIT, STOP, LONGEST = 2.0, 0.5, 3.5, 100
SAMPLED = 37
# A Friday: periods of so many hours are counted from it, whichever bar came first.
ORIGIN = pandas.Timestamp("1970-01-02")


def prices(symbol):
    folder = pathlib.Path(os.environ.get("BALLAST_SHARED", "../shared"), "data/2_intraday/1h_spot")
    [path] = [path for path in folder.glob(f"{symbol.replace('/', '')}_1h*.csv.gz")]
    frame = pandas.read_csv(path, index_col="timestamp", parse_dates=True)
    frame.index = frame.index.tz_localize(None)
    return frame["close"]


def table(symbols, start, end):
    columns = pandas.concat({symbol: prices(symbol) for symbol in symbols}, axis=1, join="inner")
    return columns.loc[(columns.index >= start) & (columns.index < end)]


class Stretch:
    """Out at ENTRY, back at EXIT, spent at STOP or after LONGEST bars."""

    def __init__(self):
        self.side, self.bars, self.spent = 0, 0, False

    def live(self):
        return self.side != 0 and not self.spent

    def step(self, z, entry=ENTRY, exit_=EXIT, stop=STOP, longest=LONGEST):
        if self.side != 0:
            self.bars += 1
        if self.side == 0 or z * self.side <= exit_:
            self.side = int(numpy.sign(z)) if abs(z) >= entry else 0
            self.bars, self.spent = 0, False
        if self.side != 0 and (z * self.side >= stop or self.bars >= longest):
            self.spent = True


def half_life(values):
    lagged = values[:-1]
    slope = sm.OLS(numpy.diff(values), sm.add_constant(lagged)).fit().params[1]
    return -numpy.log(2) / numpy.log1p(slope) if -1 < slope < 0 else numpy.nan


def turns(times, every=EVERY):
    """Rows at which a window is full and the close is the first in another period of the clock."""
    periods = ((times + pandas.Timedelta(hours=1) - ORIGIN) // pandas.Timedelta(hours=every)).to_numpy()
    return {row for row in range(FORMATION - 1, len(times)) if periods[row] != periods[row - 1]}


def rolled(frame, times, take, z_at):
    """z by row, from when it is warm; lines are taken by `take` at every turn unless a stretch is live."""
    stretch, out, due, formed = Stretch(), [], turns(times), False
    for row in range(FORMATION - 1, len(frame)):
        if row in due:
            take(frame[row - FORMATION + 1 : row + 1], not stretch.live())
            formed = True
        if not formed:
            continue
        z = z_at(frame[row], row)
        stretch.step(z)
        if row >= FORMATION + EVERY - 2:
            out.append((row, z, -stretch.side if stretch.live() else 0))
    return out


def stances(rows, may_enter, may_hold, entry=ENTRY):
    held, changes = 0, []
    for row, z, side in rows:
        if side == 0:
            wanted = 0
        elif held == side:
            wanted = side if may_hold(row) else 0
        else:
            wanted = side if abs(z) >= entry and may_enter(row) else 0
        if wanted != held:
            changes.append([row, wanted])
        held = wanted
    return changes


def sampled(rows):
    return [[row, float(z)] for row, z, _ in rows[::SAMPLED]]


def pairs():
    closes = table(("ETH/USDT", "BTC/USDT"), FROM, TO)
    logs = numpy.log(closes.to_numpy())
    line, figures = {}, []

    def take(window, may_move):
        y, x = window[:, 0], window[:, 1]
        fit = sm.OLS(y, sm.add_constant(x)).fit()
        p = coint(y, x, trend="c", autolag="aic")[1]
        figures.append({"pValue": float(p), "halfLife": float(half_life(fit.resid)), "rSquared": float(fit.rsquared)})
        if may_move:
            line.update(a=fit.params[0], b=fit.params[1], s=fit.resid.std())

    rows = rolled(logs, closes.index, take, lambda at, _: (at[0] - line["a"] - line["b"] * at[1]) / line["s"])
    due = sorted(turns(closes.index))
    at = lambda row: figures[numpy.searchsorted(due, row, side="right") - 1]
    changes = stances(
        rows,
        lambda row: at(row)["pValue"] <= 0.3 and 2 <= at(row)["halfLife"] <= 120 and at(row)["rSquared"] >= 0.5,
        lambda row: at(row)["pValue"] <= 0.6,
    )
    shown = [{name: None if numpy.isnan(value) else value for name, value in each.items()} for each in figures]
    return {"rows": sampled(rows), "stances": changes, "formations": shown}


def kalman(memory=300):
    closes = table(("ETH/USDT", "BTC/USDT"), FROM, TO)
    logs = numpy.log(closes.to_numpy())
    begin = min(turns(closes.index))
    y, x = logs[begin - FORMATION + 1 :, 0], logs[begin - FORMATION + 1 :, 1]
    fit = sm.OLS(y[:FORMATION], sm.add_constant(x[:FORMATION])).fit()
    noise, spread, centre = fit.resid.var(), x[:FORMATION].var(), x[:FORMATION].mean()
    state = numpy.array([fit.params[1], fit.params[0] + fit.params[1] * centre])
    covariance = numpy.diag([noise / (FORMATION * spread), noise / FORMATION])
    walk = numpy.diag([noise / memory**2 / spread, noise / memory**2])
    innovations, ratios = list(fit.resid[:-1]), []
    for row in range(FORMATION - 1, len(y)):
        if row > FORMATION - 1:
            covariance = covariance + walk
        design = numpy.array([x[row] - centre, 1.0])
        innovation = y[row] - design @ state
        gain = covariance @ design / (design @ covariance @ design + noise)
        state = state + gain * innovation
        covariance = covariance - numpy.outer(gain, design @ covariance)
        innovations.append(innovation)
        ratios.append(state[0])
    past = pandas.Series(innovations)
    z = past / numpy.sqrt((past**2).rolling(FORMATION).mean())
    return {
        "memory": memory,
        "rows": [
            [row + begin - FORMATION + 1, float(z.iloc[row]), float(ratios[row - FORMATION + 1])]
            for row in range(FORMATION + EVERY - 1, len(y), SAMPLED)
        ],
    }


def look_back(half_lives=5):
    closes = table(("LTC/USDT", "ETH/USDT"), FROM, TO)
    logs = numpy.log(closes.to_numpy())
    line = {}

    def take(window, may_move):
        if not may_move:
            return
        fit = sm.OLS(window[:, 0], sm.add_constant(window[:, 1])).fit()
        life = half_life(fit.resid)
        n = FORMATION if numpy.isnan(life) else int(min(FORMATION, max(10, numpy.floor(half_lives * life + 0.5))))
        line.update(a=fit.params[0], b=fit.params[1], n=n, past=list(fit.resid[-n:-1]))

    def z_at(at, _):
        line["past"].append(at[0] - line["a"] - line["b"] * at[1])
        last = pandas.Series(line["past"][-line["n"] :])
        return (last.iloc[-1] - last.mean()) / last.std(ddof=0)

    rows = rolled(logs, closes.index, take, z_at)
    return {"halfLives": half_lives, "rows": sampled(rows)}


def basket():
    symbols = ("BTC/USDT", "ETH/USDT", "LTC/USDT", "XRP/USDT")
    closes = table(symbols, FROM, TO)
    logs = numpy.log(closes.to_numpy())
    line, ranks = {}, []

    def take(window, may_move):
        found = coint_johansen(window, 0, 1)
        over = [bool(trace > critical) for trace, critical in zip(found.lr1, found.cvt[:, 1])]
        ranks.append(over.index(False) if False in over else len(over))
        if may_move:
            vector = found.evec[:, 0] / found.evec[0, 0]
            spread = window @ vector
            line.update(v=vector, m=spread.mean(), s=spread.std())

    rows = rolled(logs, closes.index, take, lambda at, _: (at @ line["v"] - line["m"]) / line["s"])
    return {"symbols": symbols, "rows": sampled(rows), "ranks": ranks, "last": [float(each) for each in line["v"]]}


def distance(trading=200):
    symbols = ("BTC/USDT", "ETH/USDT", "LTC/USDT", "XRP/USDT", "ADA/USDT")
    closes = table(symbols, FROM, TO)
    stretch, out, chosen, due = Stretch(), [], [], turns(closes.index, trading)
    for row in range(min(due), len(closes)):
        turned = row in due
        if turned:
            window = closes.iloc[row - FORMATION + 1 : row + 1]
            base = window.iloc[0]
            normal = window / base
            squares = {(a, b): ((normal[a] - normal[b]) ** 2).sum() for a, b in combinations(symbols, 2)}
            one, other = min(squares, key=squares.get)
            deviation = (normal[one] - normal[other]).std(ddof=0)
            chosen.append([row, one, other])
            stretch = Stretch()
        z = (closes[one].iloc[row] / base[one] - closes[other].iloc[row] / base[other]) / deviation
        stretch.step(z, exit_=0.0, stop=6.0, longest=trading)
        if row >= FORMATION + trading - 2:
            out.append((row, z, 0 if turned or not stretch.live() else -stretch.side))
    return {
        "symbols": symbols,
        "trading": trading,
        "chosen": chosen,
        "rows": sampled(out),
        "stances": stances(out, lambda _: True, lambda _: True),
    }


COINS = ("ETH/USDT", "LTC/USDT", "XRP/USDT", "ADA/USDT", "LINK/USDT", "BNB/USDT")
FAMILIES = {
    pv.BicopFamily.gaussian: "gaussian",
    pv.BicopFamily.student: "student",
    pv.BicopFamily.clayton: "clayton",
    pv.BicopFamily.gumbel: "gumbel",
    pv.BicopFamily.frank: "frank",
    pv.BicopFamily.joe: "joe",
}


def marginal(values):
    fits = {name: (family, family.fit(values)) for name, family in (("normal", stats.norm), ("student", stats.t), ("cauchy", stats.cauchy))}
    aic = {name: 2 * len(fit) - 2 * family.logpdf(values, *fit).sum() for name, (family, fit) in fits.items()}
    best = min(aic, key=aic.get)
    family, fit = fits[best]
    return best, lambda at: family.cdf(at, *fit)


def week(number, symbols):
    """A week of Tadi and Witzany (2025): three weeks of hours before it, and what is traded in it. No test stands before the ranking."""
    begin = pandas.Timestamp("2021-01-22") + pandas.Timedelta(weeks=number - 1)
    closes = table(("BTC/USDT", *symbols), begin - pandas.Timedelta(weeks=3), begin + pandas.Timedelta(weeks=1))
    formation = closes[closes.index < begin]
    reference = formation["BTC/USDT"].to_numpy()
    coins = {}
    for symbol in symbols:
        price = formation[symbol].to_numpy()
        beta = float(reference @ price / (price @ price))
        statistic, p, _ = coint(reference, price, trend="n", autolag="aic")
        tau = stats.kendalltau(numpy.diff(numpy.log(reference)), numpy.diff(numpy.log(price))).statistic
        coins[symbol] = {"beta": beta, "statistic": float(statistic), "pValue": float(p), "tau": float(tau)}
    one, other = sorted(coins, key=lambda symbol: -coins[symbol]["tau"])[:2]
    spread = {symbol: closes["BTC/USDT"] - coins[symbol]["beta"] * closes[symbol] for symbol in (one, other)}
    families, below = zip(*(marginal(spread[symbol][closes.index < begin].to_numpy()) for symbol in (one, other)))
    data = numpy.stack([cdf(spread[symbol].to_numpy()) for cdf, symbol in zip(below, (one, other))], axis=1)
    controls = pv.FitControlsBicop(family_set=list(FAMILIES), selection_criterion="aic", parametric_method="mle", preselect_families=False)
    copula = pv.Bicop()
    copula.select(data[: len(formation)], controls)
    first, second = copula.hfunc2(data), copula.hfunc1(data)
    held, changes = 0, []
    # The formation's last bar ends a period: nothing is held over it.
    for row in range(len(formation), len(closes)):
        u, v = first[row], second[row]
        if u < 0.2 and v > 0.8:
            wanted = 1
        elif u > 0.8 and v < 0.2:
            wanted = -1
        elif held == 0 or (abs(u - 0.5) < 0.1 and abs(v - 0.5) < 0.1):
            wanted = 0
        else:
            wanted = held
        if wanted != held:
            changes.append([row, wanted])
        held = wanted
    return {
        "week": number,
        "bars": len(formation),
        "coins": coins,
        "one": one,
        "other": other,
        "marginals": families,
        "family": FAMILIES[copula.family],
        "rotation": int(copula.rotation),
        "parameters": [float(each) for each in copula.parameters.ravel()],
        "probabilities": [[row, float(first[row]), float(second[row])] for row in range(len(formation), len(closes), 7)],
        "stances": changes,
    }


def main():
    document = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "pandas", "statsmodels", "pyvinecopulib")},
        "from": FROM,
        "to": TO,
        "formation": FORMATION,
        "every": EVERY,
        "pairs": pairs(),
        "kalman": kalman(),
        "lookBack": look_back(),
        "basket": basket(),
        "distance": distance(),
        "weeks": [week(1, COINS[:-1]), week(24, COINS)],
    }
    path = pathlib.Path(__file__).with_name("spreads.json")
    path.write_text(json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n")
    for name in ("pairs", "distance"):
        print(name, document[name]["stances"][:20])
    for each in document["weeks"]:
        print(each["week"], each["one"], each["other"], each["family"], each["rotation"], each["parameters"], each["marginals"], each["stances"])


main()
