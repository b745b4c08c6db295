"""Writes queue.json: where resting limits stand in the queues of a captured market, and when they fill, by two programs that are not ours.

    pip install hftbacktest==2.4.4 numpy==2.2.6 numba==0.68.1
    BALLAST_SHARED=../shared python3 test/golden/queue-golden.py && node_modules/.bin/oxfmt test/golden/queue.json

`hftbacktest` is the package itself: orders of one lot, each alone on its side for a few seconds at or behind the touch, with its three queue
models. `fills` is a second count in plain dictionaries and whole lots, for orders that are larger than what trades and so fill in parts;
hftbacktest fills a limit whole once anything goes beyond it. `sweeps` is the same count of orders that take the book, level by level, and
leave nothing of it until it is told anew. The values are committed; the tests need no Python.
"""
import csv
import gzip
import json
import math
import os
import pathlib
import platform

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("BALLAST_SHARED", HERE.parents[2] / "shared")) / "data" / "3_tick"
CAPTURE = "binance_usdm_BTCUSDT_2024-08-08"
WINDOW = 4_000  # milliseconds for which an order rests
FIRST = 3_000  # after the first change
SWEPT = 4_000  # lots
MODELS = [("risk-averse", 0), ("power", 1), ("power", 3), ("log", 0)]


def rows(name):
    with gzip.open(SHARED / f"{CAPTURE}_{name}.csv.gz", "rt", newline="") as file:
        yield from csv.DictReader(file)


def ticks(text):
    return round(float(text) * 10)


def lots(text):
    return round(float(text) * 1000)


def events():
    """The snapshot as (side, ticks, lots), then [(ms, 'trade', taker, ticks, lots) or (ms, 'book', [(side, ticks, lots)])]."""
    snapshot, update = [], 0
    for row in rows("book_snapshot"):
        update = int(row["last_update_id"])
        snapshot.append((row["side"], ticks(row["price"]), lots(row["qty"])))
    books, last = [], None
    for row in rows("book_deltas"):
        number = int(row["last_update_id"])
        if number <= update:
            continue
        if number != last:
            books.append((int(row["event_time_ms"]), []))
        last = number
        books[-1][1].append((row["side"], ticks(row["price"]), lots(row["qty"])))
    trades = [(int(row["trade_time_ms"]), row["taker_side"], ticks(row["price"]), lots(row["qty"])) for row in rows("trades")]
    merged, at, now = [], 0, 0
    for time, levels in books:
        # At one time trades come before the change that tells of them.
        while at < len(trades) and max(trades[at][0], now) <= max(time, now):
            now = max(now, trades[at][0])
            merged.append((now, "trade", *trades[at][1:]))
            at += 1
        now = max(now, time)
        merged.append((now, "book", levels))
    return snapshot, merged


def orders_on(snapshot, merged):
    """A buy and a sale in each window, none to two ticks behind the touch, as the book is when they are sent."""
    sides = {"bid": {}, "ask": {}}
    for side, price, quantity in snapshot:
        sides[side][price] = quantity
    at, found = merged[0][0] + FIRST, []
    for event in merged:
        while event[0] > at:
            behind = len(found) // 2 % 3
            found.append((at, "buy", max(sides["bid"]) - behind))
            found.append((at, "sell", min(sides["ask"]) + behind))
            at += WINDOW
        if event[1] == "book":
            change(sides, event[2])
    # The last window is cut off by the end of the tape.
    return found[:-2]


def change(sides, levels):
    for side, price, quantity in levels:
        if quantity:
            sides[side][price] = quantity
        else:
            sides[side].pop(price, None)


# ---- hftbacktest -----------------------------------------------------------------------------------------------------------


def by_hftbacktest(snapshot, merged, orders):
    import numpy as np
    from hftbacktest import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, GTX, LIMIT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
    from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
    from hftbacktest.types import event_dtype
    from numba import njit

    both = EXCH_EVENT | LOCAL_EVENT
    data = []
    first = merged[0][0]

    def add(ms, kind, buys, price, quantity):
        ns = ms * 1_000_000
        data.append((kind | both | (BUY_EVENT if buys else SELL_EVENT), ns, ns, price / 10, quantity / 1000, 0, 0, 0.0))

    for side, price, quantity in snapshot:
        add(first, DEPTH_SNAPSHOT_EVENT, side == "bid", price, quantity)
    for event in merged:
        if event[1] == "trade":
            add(event[0], TRADE_EVENT, event[2] == "buy", event[3], event[4])
        else:
            for side, price, quantity in event[2]:
                add(event[0], DEPTH_EVENT, side == "bid", price, quantity)
    feed = np.array(data, dtype=event_dtype)
    sent = np.array([at * 1_000_000 for at, _, _ in orders], dtype=np.int64)
    prices = np.array([price / 10 for _, _, price in orders])

    @njit
    def filled(backtest, sent, prices, window):
        times = np.zeros(len(sent), dtype=np.int64)
        for first in range(0, len(sent), 2):
            backtest.elapse(sent[first] - backtest.current_timestamp)
            backtest.submit_buy_order(0, first, prices[first], 0.001, GTX, LIMIT, False)
            backtest.submit_sell_order(0, first + 1, prices[first + 1], 0.001, GTX, LIMIT, False)
            backtest.elapse(window - 2_000_000)
            for number in (first, first + 1):
                order = backtest.orders(0).get(number)
                times[number] = order.exch_timestamp // 1_000_000 if order.status == 3 else 0
                if order.status == 1:
                    backtest.cancel(0, number, False)
        return times

    found = {}
    for model, power in MODELS:
        asset = BacktestAsset().data([feed]).linear_asset(1.0).constant_order_latency(500_000, 500_000)
        if model == "risk-averse":
            asset.risk_adverse_queue_model()
        elif model == "power":
            asset.power_prob_queue_model(power)
        else:
            asset.log_prob_queue_model()
        asset.no_partial_fill_exchange().tick_size(0.1).lot_size(0.001)
        backtest = HashMapMarketDepthBacktest([asset])
        # Its clock begins at the first event.
        backtest.elapse(1)
        times = filled(backtest, sent, prices, WINDOW * 1_000_000)
        backtest.close()
        found[f"{model} {power}"] = [int(time) for time in times]
    return found


# ---- a second count --------------------------------------------------------------------------------------------------------


def share_behind(model, power, ahead, behind):
    if behind == 0:
        return 0
    weigh = (lambda rest: rest**power) if model == "power" else (lambda rest: math.log(1 + rest / 1000))
    return weigh(behind) / (weigh(behind) + weigh(ahead))


def by_hand(snapshot, merged, orders, model, power, quantity):
    """Fills of each order as [ms, lots], all of them at its price."""
    sides = {"bid": {}, "ask": {}}
    for side, price, size in snapshot:
        sides[side][price] = size
    taken = {}
    waiting, live, found = list(enumerate(orders)), [], [[] for _ in orders]

    def fill(order, ms, most):
        part = min(order["left"], math.floor(most + 1e-6))
        if part > 0:
            order["left"] -= part
            found[order["number"]].append([ms, part])
        return max(part, 0)

    for event in merged:
        ms = event[0]
        live = [order for order in live if order["left"] and order["until"] >= ms]
        while waiting and waiting[0][1][0] < ms:
            number, (at, side, price) = waiting.pop(0)
            rests = sides["bid" if side == "buy" else "ask"].get(price, 0)
            live.append({"number": number, "side": side, "price": price, "left": quantity, "ahead": rests, "total": rests, "traded": 0, "until": at + WINDOW - 2})
        live = [order for order in live if order["until"] >= ms]
        if event[1] == "trade":
            _, _, taker, price, size = event
            for order in live:
                if order["side"] == taker:
                    continue
                beyond = order["price"] - price if order["side"] == "buy" else price - order["price"]
                if model == "none":
                    if beyond > 0:
                        fill(order, ms, size)
                elif beyond > 0:
                    order["ahead"] = 0
                    fill(order, ms, size)
                elif beyond == 0:
                    past = size - order["ahead"]
                    order["ahead"] = max(0, -past)
                    order["traded"] += size
                    fill(order, ms, past)
        else:
            before = {(order["number"]): dict(sides["bid" if order["side"] == "buy" else "ask"]).get(order["price"], 0) for order in live}
            for level in event[2]:
                change(sides, [level])
                taken.pop(level[:2], None)
                for order in live:
                    own = "bid" if order["side"] == "buy" else "ask"
                    if level[0] != own or level[1] != order["price"]:
                        continue
                    now = level[2]
                    assert model == "none" or abs(before[order["number"]] - order["total"]) < 1e-9
                    cancelled = order["total"] - now - order["traded"]
                    if model in ("power", "log") and cancelled > 0:
                        behind = max(0, order["total"] - order["ahead"])
                        part = share_behind(model, power, order["ahead"], behind) * cancelled
                        order["ahead"] = max(0, order["ahead"] - (cancelled - part) + min(0, behind - part))
                    order["ahead"] = min(order["ahead"], now)
                    order["total"], order["traded"] = now, 0
            for order in live:
                other = "ask" if order["side"] == "buy" else "bid"
                toward = 1 if other == "ask" else -1
                for price in sorted((price for price in sides[other] if (order["price"] - price) * toward >= 0), reverse=other == "bid"):
                    gone = taken.get((other, price), 0)
                    taken[(other, price)] = gone + fill(order, ms, sides[other][price] - gone)
    return found


def sweeps(snapshot, merged, orders):
    """Two purchases in each window, the second soon after the first, and a sale: [ms, side, [ticks, lots], ...] as they take the book."""
    sides = {"bid": {}, "ask": {}}
    for side, price, size in snapshot:
        sides[side][price] = size
    times = sorted({at for at, _, _ in orders})
    waiting = [(at + after, side) for at in times for after, side in ((0, "buy"), (40, "buy"), (80, "sell"))]
    taken, found = {}, []
    for event in merged:
        while waiting and waiting[0][0] < event[0]:
            at, side = waiting.pop(0)
            other, left, fills = "ask" if side == "buy" else "bid", SWEPT, []
            for price in sorted(sides[other], reverse=other == "bid"):
                part = min(left, sides[other][price] - taken.get((other, price), 0))
                if part <= 0:
                    continue
                taken[(other, price)] = taken.get((other, price), 0) + part
                left -= part
                fills.append([price, part])
                if not left:
                    break
            found.append([at, side, fills])
        if event[1] == "book":
            for level in event[2]:
                change(sides, [level])
                taken.pop(level[:2], None)
    return found


def main():
    snapshot, merged = events()
    orders = orders_on(snapshot, merged)
    page = {
        "made": {"python": platform.python_version(), "hftbacktest": "2.4.4", "capture": CAPTURE, "windowMs": WINDOW},
        "orders": [[at, side, f"{price // 10}.{price % 10}"] for at, side, price in orders],
        "hftbacktest": by_hftbacktest(snapshot, merged, orders),
        "swept": SWEPT,
        "sweeps": sweeps(snapshot, merged, orders),
        "lots": 300,
        "fills": {
            f"{model} {power}": by_hand(snapshot, merged, orders, model, power, 300) for model, power in [("none", 0), *MODELS]
        },
    }
    (HERE / "queue.json").write_text(json.dumps(page))


if __name__ == "__main__":
    main()
