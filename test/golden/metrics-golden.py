"""Writes metrics.json: what empyrical, quantstats, vectorbt and scipy say of made-up returns and trades. Values are committed; tests need no Python.

    python3 -m venv /tmp/metrics && /tmp/metrics/bin/pip install empyrical-reloaded==0.7.1 quantstats==0.0.86 vectorbt==1.2.0 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
    /tmp/metrics/bin/python test/golden/metrics-golden.py && node_modules/.bin/oxfmt test/golden/metrics.json

Everything comes from a linear congruential generator and from +, -, * and / only, so that metrics.test.ts makes the very same doubles.

Where a package means something else than src/views does, the conversion stands here, at the value:
- losses (drawdown, value at risk, shortfall) are negative in empyrical and quantstats and positive in ours: the sign is changed;
- a year has 365 days here, 252 by default there: annualization=365, periods=365;
- moments: ours are divided by n, as scipy's are (bias=True); quantstats has pandas' estimators, which are converted to them and compared;
- quantstats' value at risk is that of a normal distribution: not used. Its historical shortfall is, and its default is not;
- the Cornish-Fisher tail is in no package here: quantile from scipy's normal distribution, the mean beyond it by numerical integration,
  and its domain from a grid, where ours has closed forms for both;
- vectorbt counts a position that made exactly nothing neither as won nor as lost: there is none here;
- "cannot be said" is null. What a package says of samples that ours holds to be too small is not kept: MINIMA below is the rule.
"""
import json
import math
import pathlib
import platform
import warnings
from decimal import Decimal
from importlib.metadata import version

import empyrical
import numpy
import pandas
import quantstats.stats
import vectorbt
from scipy import integrate, stats

warnings.filterwarnings("ignore")
CAPITAL = 1000.0
YEAR = 365
MINIMA = {"annual": 30, "shape": 30, "tail 5 %": 100, "tail 1 %": 500, "trades": 30}


class Uniform:
    """The same numbers as in metrics.test.ts."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 4294967296
        return self.state / 4294967296

    def bell(self):
        return self() + self() + self() + self() - 2


def series():
    """Daily returns by name: see the same list in metrics.test.ts."""
    made = {}
    uniform = Uniform(1)
    made["walk"] = [0.001 + 0.03 * uniform.bell() for _ in range(700)]
    uniform = Uniform(2)
    made["skewed"] = [0.002 + 0.02 * bell - 0.01 * bell * bell for bell in (uniform.bell() for _ in range(600))]
    uniform = Uniform(3)
    made["crashes"] = [-0.2 * uniform() if uniform() < 0.01 else 0.002 + 0.005 * uniform.bell() for _ in range(500)]
    uniform = Uniform(4)
    made["quarter"] = [0.02 * uniform.bell() for _ in range(100)]
    uniform = Uniform(5)
    made["month"] = [0.02 * uniform.bell() for _ in range(30)]
    uniform = Uniform(6)
    made["too short"] = [0.02 * uniform.bell() for _ in range(29)]
    uniform = Uniform(7)
    made["rising"] = [0.01 * uniform() + 0.0001 for _ in range(150)]
    uniform = Uniform(8)
    made["mostly flat"] = [0.03 * uniform.bell() if uniform() < 0.3 else 0.0 for _ in range(200)]
    made["flat"] = [0.0] * 120
    made["equal"] = [0.01] * 120
    made["one"] = [0.01]
    made["empty"] = []
    return made


def known(value):
    return None if value is None or not math.isfinite(value) else float(value)


def agree(name, *values):
    """Packages agree with one another before any of them is believed."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert len(finite) in (0, len(values)), (name, values)
    for value in finite[1:]:
        assert math.isclose(value, finite[0], rel_tol=1e-9, abs_tol=1e-12), (name, values)
    return known(values[0])


def cornish_fisher(returns, probability):
    """(loss at the quantile, mean loss beyond it), or None where w(z) is not the quantile within five standard deviations."""
    mean, deviation = numpy.mean(returns), numpy.std(returns)
    s, k = stats.skew(returns), stats.kurtosis(returns)

    def w(z):
        return z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36

    z = stats.norm.ppf(probability)
    grid = numpy.linspace(-5, 5, 200_001)
    if not (w(grid[grid < z]) < w(z)).all() or not (w(grid[grid > z]) > w(z)).all():
        return None
    beyond, _ = integrate.quad(lambda x: w(x) * stats.norm.pdf(x), -numpy.inf, z, epsabs=1e-14, epsrel=1e-12)
    return -(mean + deviation * w(z)), -(mean + deviation * beyond / probability)


def drawdown_times(equity):
    """Days of the deepest fall from its peak to its recovery, or the end, and of the longest. The peak of the capital is at the first mark."""
    falls = pandas.Series([CAPITAL, *equity]).vbt.drawdowns.records
    if len(falls) == 0:
        return 0, 0
    peak = numpy.maximum(falls["peak_idx"], 1)
    days = falls["end_idx"] - peak
    depth = falls["valley_val"] / falls["peak_val"] - 1
    return int(days[depth.idxmin()]), int(days.max())


def shape_of(returns):
    """Of daily returns."""
    n = len(returns)
    figures = {"dailyReturns": n}
    names = ["skewness", "kurtosis", "omega", "tailRatio"]
    names += [f"{kind}{level}" for level in (95, 99) for kind in ("valueAtRisk", "expectedShortfall")]
    names += [f"cornishFisher{kind}{level}" for level in (95, 99) for kind in ("ValueAtRisk", "ExpectedShortfall")]
    figures.update({name: None for name in names})
    # Equal returns have no shape: scipy says NaN of them.
    has_spread = n > 1 and stats.tstd(returns) > 1e-12
    if n >= MINIMA["shape"]:
        figures["omega"] = agree("omega", empyrical.omega_ratio(returns), quantstats.stats.omega(returns, periods=YEAR))
        if has_spread:
            corrected = quantstats.stats.skew(returns) * (n - 2) / math.sqrt(n * (n - 1))
            figures["skewness"] = agree("skewness", stats.skew(returns), corrected)
            corrected = (quantstats.stats.kurtosis(returns) * (n - 2) * (n - 3) / (n - 1) - 6) / (n + 1) + 3
            figures["kurtosis"] = agree("kurtosis", stats.kurtosis(returns, fisher=False), corrected)
    for level, probability in ((95, 0.05), (99, 0.01)):
        if n >= MINIMA["tail 5 %" if level == 95 else "tail 1 %"]:
            figures[f"valueAtRisk{level}"] = known(-empyrical.value_at_risk(returns, probability))
            shortfall = -empyrical.conditional_value_at_risk(returns, probability)
            # Where returns are equal to the quantile, quantstats counts all of them and empyrical as many as belong there.
            if len(set(returns)) == n:
                other = quantstats.stats.conditional_value_at_risk(returns, confidence=1 - probability, method="historical")
                agree("shortfall", shortfall, -other)
            figures[f"expectedShortfall{level}"] = known(shortfall)
        if n >= MINIMA["tail 5 %"] and has_spread:
            tail = cornish_fisher(returns, probability)
            if tail is not None:
                figures[f"cornishFisherValueAtRisk{level}"], figures[f"cornishFisherExpectedShortfall{level}"] = map(known, tail)
    if n >= MINIMA["tail 5 %"]:
        figures["tailRatio"] = agree("tail ratio", empyrical.tail_ratio(returns), quantstats.stats.tail_ratio(returns))
    return figures


def ratios_of(returns, a_year):
    """Of returns between marked instants."""
    n = len(returns)
    figures = {"instants": n, "totalReturn": known(empyrical.cum_returns_final(returns)) if n else 0.0}
    figures["maxDrawdown"] = known(-empyrical.max_drawdown(returns)) if n else 0.0
    for name in ("annualReturn", "annualVolatility", "sharpe", "sortino", "calmar", "returnTStatistic"):
        figures[name] = None
    if n < MINIMA["annual"]:
        return figures
    figures["annualReturn"] = known(empyrical.annual_return(returns, annualization=a_year))
    figures["annualVolatility"] = known(empyrical.annual_volatility(returns, annualization=a_year))
    figures["calmar"] = known(empyrical.calmar_ratio(returns, annualization=a_year))
    figures["sortino"] = agree("sortino", empyrical.sortino_ratio(returns, annualization=a_year), quantstats.stats.sortino(returns, periods=a_year))
    # Of equal returns quantstats divides by what rounding left.
    if stats.tstd(returns) > 1e-12:
        figures["sharpe"] = agree("sharpe", empyrical.sharpe_ratio(returns, annualization=a_year), quantstats.stats.sharpe(returns, periods=a_year))
        figures["returnTStatistic"] = known(stats.ttest_1samp(returns, 0).statistic)
    return figures


def daily_cases():
    cases = {}
    for name, wanted in series().items():
        equity, last = [], CAPITAL
        for change in wanted:
            last = last * (1 + change)
            equity.append(last)
        index = pandas.date_range("2021-01-01", periods=len(equity), freq="D")
        returns = pandas.Series([CAPITAL, *equity]).pct_change().iloc[1:].set_axis(index)
        deepest, longest = drawdown_times(equity)
        figures = {**ratios_of(returns, YEAR), **shape_of(returns), "maxDrawdownDays": deepest, "longestUnderwaterDays": longest}
        cases[name] = {"finalEquity": last, "figures": figures}
    return cases


def months_of(daily):
    months = daily.resample("ME").last()
    changes = pandas.Series([CAPITAL, *months]).pct_change().iloc[1:]
    return [[label.strftime("%Y-%m"), float(change)] for label, change in zip(months.index, changes)]


def hourly_case():
    """Hourly marks that begin within a day and have holes: hours, and whole days. A mark at midnight is of the day that ends."""
    uniform = Uniform(11)
    times, equity, last = [], [], CAPITAL
    for hour in range(24 * 150):
        last = last * (1 + 0.004 * uniform.bell())
        is_hole = uniform() < 0.05 or 1000 <= hour < 1060
        if not is_hole:
            times.append(pandas.Timestamp("2021-01-29T05:00:00Z") + pandas.Timedelta(hours=hour))
            equity.append(last)
    marked = pandas.Series(equity, index=pandas.DatetimeIndex(times))
    returns = pandas.Series([CAPITAL, *equity]).pct_change().iloc[1:].set_axis(marked.index)
    daily = marked.resample("D", closed="right", label="left").last().dropna()
    changes = pandas.Series([CAPITAL, *daily]).pct_change().iloc[1:].set_axis(daily.index)
    figures = {**ratios_of(returns, YEAR * 24), **shape_of(changes)}
    return {"finalEquity": equity[-1], "figures": figures, "meanDailyEquity": float(daily.mean()), "months": months_of(daily)}


def trade_case():
    """Orders at the opens of hourly bars, by vectorbt: entries, additions, partial exits, flips, long and short."""
    uniform = Uniform(21)
    bars, last = [], 100.0
    for _ in range(600):
        start = last
        last = start * (1 + 0.01 * uniform.bell())
        high = max(start, last) * (1 + 0.004 * uniform())
        low = min(start, last) * (1 - 0.004 * uniform())
        bars.append((start, high, low, last))
    opens, highs, lows, closes = (pandas.Series(column, index=pandas.date_range("2021-01-01", periods=600, freq="h")) for column in zip(*bars))
    sizes, prices, fees = [math.nan] * 600, [math.nan] * 600, [0.0] * 600
    orders, held = [], Decimal(0)
    for bar in range(5, 590, 7):
        draw = uniform()
        if held == 0 or draw < 0.2:
            size = Decimal(1 + int(4 * uniform())) / 4 * (1 if uniform() < 0.5 else -1)
        elif draw < 0.4:
            size = -held / 2
        else:
            size = -held if draw < 0.85 else -2 * held
        held += size
        slipped = opens.iloc[bar] * (1.0005 if size > 0 else 0.9995)
        price = Decimal(slipped).quantize(Decimal("0.01"))
        fee = abs(size) * price * Decimal("0.001")
        sizes[bar], prices[bar], fees[bar] = float(size), float(price), float(fee)
        orders.append([bar, str(size), str(price), str(fee.normalize())])
    portfolio = vectorbt.Portfolio.from_orders(
        closes, size=sizes, price=prices, fixed_fees=fees, direction="both", init_cash=CAPITAL, freq="1h"
    )
    positions = portfolio.positions
    closed = positions.closed
    records = closed.records
    pnls = pandas.Series(records["pnl"].to_numpy(), index=pandas.date_range("2021-01-01", periods=len(records), freq="D"))
    assert len(portfolio.orders.records) == len(orders) and (pnls != 0).all() and len(pnls) >= MINIMA["trades"]
    trades, arrivals = [], closes.shift(1)
    for _, record in records.iterrows():
        first, end, entry = int(record["entry_idx"]), int(record["exit_idx"]), record["entry_price"]
        # Bars that closed while it was open, and its own fills: those at the open of the bar in which it ended included.
        own = [prices[bar] for bar in range(first, end + 1) if not math.isnan(prices[bar])]
        lowest, highest = min(lows.iloc[first:end].min(), *own), max(highs.iloc[first:end].max(), *own)
        below, above = (entry - lowest) / entry, (highest - entry) / entry
        is_long = record["direction"] == 0
        trades.append(
            {
                "pnl": float(record["pnl"]),
                "fees": float(record["entry_fees"] + record["exit_fees"]),
                "maxAdverseRatio": float(below if is_long else above),
                "maxFavourableRatio": float(above if is_long else below),
            }
        )
    slips = [(price - arrival) * size for price, arrival, size in zip(prices, arrivals, sizes) if not math.isnan(size)]
    value = portfolio.value()
    # Marked at the close of a bar, which is an hour after its open.
    marked = value.set_axis(value.index + pandas.Timedelta(hours=1))
    daily = marked.resample("D", closed="right", label="left").last()
    turnover = sum(abs(size) * price for size, price in zip(sizes, prices) if not math.isnan(size))
    scaled = pnls / 1e3
    figures = {
        "trades": len(records),
        "winRate": agree("win rate", float(closed.win_rate()), quantstats.stats.win_rate(scaled)),
        "profitFactor": agree("profit factor", float(closed.profit_factor()), quantstats.stats.profit_factor(scaled)),
        "expectancy": agree("expectancy", float(closed.expectancy()), float(pnls.mean())),
        "payoffRatio": known(quantstats.stats.payoff_ratio(scaled)),
        "kellyFraction": known(quantstats.stats.kelly_criterion(scaled)),
        "systemQualityNumber": agree("sqn", float(closed.sqn()), stats.ttest_1samp(pnls, 0).statistic),
        "bestTrade": float(pnls.max()),
        "worstTrade": float(pnls.min()),
        "feesPaid": float(portfolio.orders.records["fees"].sum()),
        "slippagePaid": float(sum(slips)),
        "turnover": float(turnover),
        "annualTurnover": float(turnover / daily.mean() * YEAR * 24 / 600),
        # A position that is open ends with the last bar, not at its open.
        "exposureRatio": float((positions.records["exit_idx"] - positions.records["entry_idx"] + (positions.records["status"] == 0)).sum() / 600),
        "averageMaxAdverseRatio": float(numpy.mean([trade["maxAdverseRatio"] for trade in trades])),
        "averageMaxFavourableRatio": float(numpy.mean([trade["maxFavourableRatio"] for trade in trades])),
        "finalEquity": float(value.iloc[-1]),
        "totalReturn": float(portfolio.total_return()),
        "maxDrawdown": float(-portfolio.max_drawdown()),
        "sharpe": float(empyrical.sharpe_ratio(portfolio.returns(), annualization=YEAR * 24)),
    }
    return {"lastClose": bars[-1][3], "orders": orders, "open": int(len(positions.open.records)), "trades": trades, "figures": figures}


def main():
    packages = ("empyrical-reloaded", "quantstats", "vectorbt", "scipy", "pandas", "numpy")
    document = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "daily": daily_cases(),
        "hourly": hourly_case(),
        "trading": trade_case(),
    }
    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(document, allow_nan=False) + "\n")


main()
