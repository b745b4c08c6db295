"""The simulated venue a second time: slow, obvious, in whole numbers, and without a look at the first.

One loop asks again and again what happens next: an order arrives, an order trades in the bar that is coming, a position is liquidated in it,
funding falls due, the bar closes. Prices, quantities and money are integers of 1e-12; ratios are fractions. Nothing is cached, nothing is
scheduled, every question is answered from scratch.

    python3 matching-reference.py streams OUT.json.gz    writes the synthetic streams of orders with what must come of them
    python3 matching-reference.py tapes DATA             the same over windows of the real bars below that folder, as JSON lines

Python 3.9 or later, standard library only.
"""
import gzip
import json
import math
import random
import sys
from datetime import datetime
from fractions import Fraction

UNIT = 10**12
NEVER = float("inf")
DAY = 86_400_000
STOPS = ("stop", "trailing")
CONDITIONAL = ("stop", "trailing", "take-profit")


# ---- numbers ---------------------------------------------------------------------------------------------------------


def units(text):
    """The integer of 1e-12 behind a decimal."""
    value = Fraction(str(text)) * UNIT
    assert value.denominator == 1, text
    return value.numerator


def words(value):
    """A decimal without trailing zeros."""
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), UNIT)
    tail = ("%012d" % part).rstrip("0")
    return f"{sign}{whole}" + (f".{tail}" if tail else "")


def cut(numerator, denominator):
    """A quotient, its fraction cut off."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * (abs(numerator) // abs(denominator))


def worth(price, quantity):
    """Price times quantity, rounded half away from zero: the one rounding of money."""
    product = price * quantity
    return (product + UNIT // 2) // UNIT if product >= 0 else -((-product + UNIT // 2) // UNIT)


def on_tick(price, tick, upward):
    """A price (a fraction of units) moved onto the tick in one direction. A billionth of a tick beside one is on it: prices are doubles."""
    steps = Fraction(price) / tick
    if abs(steps - round(steps)) <= Fraction(1, 10**9):
        return round(steps) * tick
    return -((-steps.numerator) // steps.denominator) * tick if upward else (steps.numerator // steps.denominator) * tick


def sign(value):
    return (value > 0) - (value < 0)


# ---- one stream --------------------------------------------------------------------------------------------------------


class Reference:
    def __init__(self, stream):
        self.minute = stream["barMs"]
        self.markets = stream["instruments"]
        # How many there are: a hedged account has their short positions behind them, each with a market of its own that is the same.
        self.n = len(self.markets)
        self.hedged = stream.get("positions") == "hedge"
        if self.hedged:
            self.markets = self.markets + [dict(market) for market in self.markets]
        for market in self.markets:
            for name in ("tick", "lot", "minimumQuantity", "minimumNotional", "taker", "maker", "fundingRate"):
                market[name] = units(market[name])
        rules = stream["rules"]
        self.margin = rules.get("margin", "leverage")
        self.basis = rules.get("maintenanceBasis", "mark")
        self.liquidation_rate = units(rules.get("liquidationFeeRate", "0.01"))
        bound = rules.get("insuranceFund")
        self.fund = None if bound is None else units(bound)
        self.tiers = [[units(cell) for cell in tier] for tier in rules.get("feeTiers", [])]
        self.traded = {}
        self.through = rules.get("tradeThroughTicks", 1)
        self.share = Fraction(rules.get("volumeShareRatio", "0"))
        self.model = rules.get("slippageModel", "fixed")
        self.impact = Fraction(rules.get("impactRatio", "0.1"))
        self.recorded = rules.get("recordedLatenciesMs", [])
        self.self_trade = rules.get("selfTrade", "allow")
        self.responses = rules.get("recordedResponsesMs", [])
        self.answers, self.heard = 0, 0
        self.coin = rules.get("feeCoin")
        self.changes = sorted(rules.get("filters", []), key=lambda change: change["from"])
        self.slippage = Fraction(stream["slippageRatio"])
        self.latency = stream["latencyMs"]
        self.leverage = stream["leverage"]
        self.cash = units(stream["capital"])
        self.bars = [
            [None if bar is None else self.bar(index, row, bar) for row, bar in enumerate(bars)]
            for index, bars in enumerate(stream["bars"])
        ]
        self.bars = [[bar for bar in bars if bar is not None] for bars in self.bars]
        self.acts = list(stream["acts"])
        count = len(self.markets)
        self.next_bar = [0] * self.n
        self.last = [None] * count
        self.position = [0] * count
        self.cost = [0] * count
        self.posted = [0] * count
        self.funding_at = [NEVER] * count
        self.orders = {}  # everything that is known to the venue and has not ended, attached stops too
        self.resting = [[] for _ in range(self.n)]
        self.waiting = [[] for _ in range(self.n)]
        self.arrivals = []
        self.now = 0
        self.sent = 0
        self.consumed = [0] * self.n
        self.said = []

    def bar(self, index, row, prices):
        tick = self.markets[index]["tick"]
        opened, high, low, close = (step * tick for step in prices[:4])
        return {
            "from": row * self.minute,
            "to": (row + 1) * self.minute,
            "open": opened,
            "high": high,
            "low": low,
            "close": close,
            "volume": prices[4] * UNIT,
        }

    def coming(self, index):
        """The bar that has not closed yet."""
        at = self.next_bar[index]
        return self.bars[index][at] if at < len(self.bars[index]) else None

    def say(self, at, *parts):
        if self.responses:
            at = self.heard = max(self.heard, at + self.responses[self.answers % len(self.responses)])
            self.answers += 1
        self.said.append(" ".join([str(at), *map(str, parts)]))

    # ---- what happens next -----------------------------------------------------------------------------------------------

    def run(self):
        while True:
            best = None
            # At equal times: what arrives, then what each instrument owes, then the bars, and what is sent in answer to them.
            if self.arrivals:
                best = (self.arrivals[0]["at"], 0, 0, self.arrive)
            for index in range(self.n):
                for at, deed in self.owed(index):
                    if best is None or (at, 1, index) < best[:3]:
                        best = (at, 1, index, deed)
            for index in range(self.n):
                bar = self.coming(index)
                if bar and (best is None or (bar["to"], 2, index) < best[:3]):
                    best = (bar["to"], 2, index, lambda index=index: self.close(index))
            if best is None and self.orders:
                best = (self.now + 1, 3, 0, self.expire)
            if self.acts and (best is None or self.acts[0]["at"] < best[0]):
                self.send(self.acts.pop(0))
                continue
            if best is None:
                return self
            self.now = max(best[0], self.now)
            self.filter()
            best[3]()

    def filter(self):
        """Whatever happens now happens under the filters of now."""
        while self.changes and self.changes[0]["from"] <= self.now:
            change = self.changes.pop(0)
            for index, market in enumerate(self.markets):
                if index % self.n == change["instrument"]:
                    market.update({name: units(change[name]) for name in ("tick", "lot", "minimumQuantity", "minimumNotional") if name in change})

    def at_stake(self, index):
        """The positions in an instrument."""
        return [index, index + self.n] if self.hedged else [index]

    def expire(self):
        """The tape has ended and nothing is on its way: what is still open ends."""
        for order in list(self.orders.values()):
            if order["id"] in self.orders:
                self.forget(order)
                self.say(self.now, "expired", order["id"])

    def send(self, act):
        latency = self.recorded[self.sent % len(self.recorded)] if self.recorded else self.latency
        self.sent += 1
        # Nothing overtakes.
        before = self.arrivals[-1]["at"] if self.arrivals else 0
        self.arrivals.append({"at": max(before, act["at"] + max(1, latency)), "act": act})

    def owed(self, index):
        """In the order in which they count at one time."""
        bar = self.coming(index)
        if bar is None:
            return
        can_fill = self.left_of(index, bar) != 0
        if can_fill and self.waiting[index] and self.waiting[index][0]["arrived"] < bar["to"]:
            yield max(bar["from"], self.waiting[index][0]["arrived"]), lambda: self.fill_waiting(index)
        hit = self.first_hit(index, bar)
        lost = [(abs_distance(bar, raw), at, raw) for at in self.at_stake(index) if (raw := self.liquidation_raw(at, bar)) is not None]
        if lost and (hit is None or min(lost)[0] <= hit[0]):
            _, at, raw = min(lost)
            yield bar["to"], lambda at=at, raw=raw: self.liquidate(at, raw)
        elif hit is not None and can_fill:
            yield bar["to"], lambda: self.fill_resting(index, hit[1])
        for at in self.at_stake(index):
            if self.funding_at[at] < NEVER:
                yield self.funding_at[at], lambda at=at: self.pay_funding(at)

    def close(self, index):
        bar = self.coming(index)
        for at in self.at_stake(index):
            self.last[at] = bar["close"]
        self.next_bar[index] += 1
        for order in list(self.resting[index]):
            if order["arrived"] >= bar["to"] or order["type"] not in CONDITIONAL:
                continue
            if self.share and self.touches(order, bar):
                # It had its trigger and found nothing to trade with: from now on it is a market order.
                self.resting[index].remove(order)
                self.waiting[index].append(order)
            elif order["type"] == "trailing":
                self.trail(order, bar)
        self.consumed[index] = 0

    def trail(self, order, bar):
        tick, selling = self.markets[order["i"]]["tick"], order["side"] < 0
        # Of the bar in which it arrived only the close is known to be later.
        best = bar["close"] if order["arrived"] > bar["from"] else bar["high"] if selling else bar["low"]
        if selling and best - order["trail"] > order["stop"]:
            order["stop"] = on_tick(best - order["trail"], tick, False)
        if not selling and best + order["trail"] < order["stop"]:
            order["stop"] = on_tick(best + order["trail"], tick, True)

    def left_of(self, index, bar):
        """What may still be filled in this bar; None is without bound."""
        if not self.share:
            return None
        lot = self.markets[index]["lot"]
        allowed = self.share * bar["volume"] / lot
        return max(0, allowed.numerator // allowed.denominator * lot - self.consumed[index])

    def touches(self, order, bar):
        if (order["side"] < 0) == (order["type"] in STOPS):
            return bar["low"] <= order["stop"]
        return bar["high"] >= order["stop"]

    # ---- arrivals ----------------------------------------------------------------------------------------------------------

    def arrive(self):
        act = self.arrivals.pop(0)["act"]
        if act["do"] == "cancel":
            order = self.orders.get(act["order"])
            if order:
                self.forget(order)
            self.say(self.now, "cancelled", act["order"])
            return
        if act["do"] == "amend":
            self.amend(act)
            return
        if act["do"] == "reprice":
            self.reprice(act)
            return
        intent = act["intent"]
        if self.refuses(intent):
            self.say(self.now, "rejected", intent["id"])
            return
        order = self.enter(intent, self.now)
        for stop in intent["attached"]:
            self.enter(stop, None)
        prevented = self.own_matches(order)
        if prevented and self.self_trade != "cancel-resting":
            self.cancel(order)
        else:
            self.settle(order)
        if self.self_trade != "cancel-incoming":
            for other in prevented:
                if other["id"] in self.orders:
                    self.cancel(other)

    def own_matches(self, order):
        index, side = order["i"], order["side"]
        if self.self_trade == "allow" or order["type"] in CONDITIONAL:
            return []
        price = order["limit"] if order["limit"] is not None else self.last[index]
        limits = [other for other in self.resting[index] if other["side"] == -side and other["type"] not in CONDITIONAL]
        return [other for other in limits if price is not None and (price - other["limit"]) * side >= 0]

    def settle(self, order):
        """Fill at once, rest, wait or end."""
        index, side = order["i"], order["side"]
        if order["type"] == "market" or order["force"]:
            price = self.price_now(index)
            if price is not None and (order["limit"] is None or (order["limit"] - price) * side >= 0):
                wanted, left = self.wanted(order), self.left_of(index, self.coming(index))
                quantity = wanted if left is None else min(wanted, left)
                if wanted == 0 or (quantity == wanted if order["force"] == "fok" else quantity > 0):
                    self.take(order, price)
                    return
        if order["force"]:
            self.cancel(order)
            return
        (self.waiting if order["type"] == "market" else self.resting)[order["i"]].append(order)
        self.say(self.now, "accepted", order["id"])
        if order["whole"]:
            self.end_whole(order["i"])

    def amend(self, act):
        order = self.orders.get(act["order"])
        if not order:
            self.say(self.now, "cancelled", act["order"])
            return
        stop = units(act["stop"])
        if order["type"] in CONDITIONAL and stop > 0 and stop % self.markets[order["i"]]["tick"] == 0:
            order["stop"] = stop
        stands = order["stop"] if order["stop"] is not None else stop
        self.say(self.now, "amended", order["id"], words(stands))

    def reprice(self, act):
        order = self.orders.get(act["order"])
        if not order:
            self.say(self.now, "cancelled", act["order"])
            return
        limit, quantity = units(act["limit"]), units(act["quantity"])
        if self.may_reprice(order, limit, quantity):
            if limit != order["limit"] or quantity > order["quantity"]:
                if order in self.resting[order["i"]]:
                    self.resting[order["i"]].remove(order)
                    self.resting[order["i"]].append(order)
                    order["arrived"] = self.now
            order["limit"], order["quantity"] = limit, quantity
        stands = order["limit"] if order["limit"] is not None else limit
        self.say(self.now, "repriced", order["id"], words(stands), words(order["quantity"]))

    def may_reprice(self, order, limit, quantity):
        market = self.markets[order["i"]]
        if order["type"] not in ("limit", "post-only") or quantity <= 0 or quantity % market["lot"] or limit <= 0:
            return False
        if quantity < market["minimumQuantity"] or limit % market["tick"] or quantity <= order["filled"]:
            return False
        if order["type"] == "post-only" and self.would_take(order["i"], order["side"], limit):
            return False
        return order["reduce"] or not self.overreaches(order["p"], order["side"], quantity - order["filled"], limit)

    def would_take(self, index, side, limit):
        price = self.price_now(index)
        price = self.last[index] if price is None else price
        return price is not None and (limit - price) * side >= 0

    def enter(self, intent, arrived):
        of_short = intent.get("position") == "short"
        order = {
            "id": intent["id"],
            "i": intent["instrument"],
            "p": intent["instrument"] + (self.n if of_short else 0),
            "side": 1 if intent["side"] == "buy" else -1,
            "type": intent["type"],
            "quantity": units(intent["quantity"]),
            "limit": None if intent["limit"] is None else units(intent["limit"]),
            "stop": None if intent["stop"] is None else units(intent["stop"]),
            "reduce": self.reduces(intent),
            "whole": intent["wholePosition"],
            "attached": [stop["id"] for stop in intent["attached"]],
            "arrived": arrived,
            "trail": None if intent.get("trail") is None else units(intent["trail"]),
            "force": intent.get("force"),
            "pair": intent.get("pair"),
            "filled": 0,
            "taken": 0,
        }
        self.orders[order["id"]] = order
        return order

    def reduces(self, intent):
        against = {"long": "sell", "short": "buy"}.get(intent.get("position"))
        return intent["reduceOnly"] or (self.hedged and against == intent["side"])

    def malformed(self, intent):
        market = self.markets[intent["instrument"]]
        quantity = units(intent["quantity"])
        if intent["id"] in self.orders or quantity <= 0:
            return True
        if (intent.get("position") is not None) != (self.hedged and market["kind"] == "linear"):
            return True
        if not intent["wholePosition"] and (quantity % market["lot"] or quantity < market["minimumQuantity"]):
            return True
        for text in (intent["limit"], intent["stop"], intent.get("trail")):
            if text is not None and (units(text) <= 0 or units(text) % market["tick"]):
                return True
        if intent["type"] in ("limit", "post-only") and intent["limit"] is None:
            return True
        if intent["type"] in CONDITIONAL and intent["stop"] is None:
            return True
        if (intent["type"] == "trailing") != (intent.get("trail") is not None):
            return True
        return intent.get("force") is not None and intent["type"] not in ("limit", "market")

    def refuses(self, intent):
        index = intent["instrument"]
        market = self.markets[index]
        if self.malformed(intent) or any(self.malformed(stop) for stop in intent["attached"]):
            return True
        side = 1 if intent["side"] == "buy" else -1
        quantity = units(intent["quantity"])
        at = index + (self.n if intent.get("position") == "short" else 0)
        held = self.position[at]
        if intent["type"] == "post-only":
            if self.would_take(index, side, units(intent["limit"])):
                return True
        if self.reduces(intent):
            return intent["type"] not in CONDITIONAL and sign(held) != -side
        reference = intent["limit"] if intent["limit"] is not None else intent["stop"]
        return self.overreaches(at, side, quantity, None if reference is None else units(reference))

    def overreaches(self, index, side, quantity, reference):
        market, held = self.markets[index], self.position[index]
        if side < 0 and self.only_what_is_held(index) and quantity > held:
            return True
        reference = self.last[index] if reference is None else reference
        if reference is None:
            return False
        value = worth(reference, quantity)
        if value < market["minimumNotional"]:
            return True
        if self.margin == "cash" or market["kind"] == "spot":
            return side > 0 and value > self.cash
        if self.margin == "isolated":
            return self.lacks(index, side * quantity, reference, 0)
        before = sum(abs(self.position[j]) * (self.last[j] or 0) for j in range(len(self.markets)))
        after = before - abs(held) * (self.last[index] or 0) + abs(held + side * quantity) * (self.last[index] or 0)
        return after > before and after > self.leverage * self.equity() * UNIT

    def equity(self):
        return Fraction(self.cash) + sum(Fraction(p * (l or 0), UNIT) for p, l in zip(self.position, self.last))

    def only_what_is_held(self, index):
        return self.margin == "cash" or self.markets[index]["kind"] == "spot"

    def price_now(self, index):
        bar = self.coming(index)
        return bar["open"] if bar and bar["from"] <= self.now < bar["to"] else None

    # ---- trades --------------------------------------------------------------------------------------------------------------

    def slipped(self, index, side, price, quantity):
        ratio = self.slippage
        if self.model != "fixed":
            volume = self.coming(index % self.n)["volume"]
            share = Fraction(quantity, volume) if volume > quantity else Fraction(1)
            root = Fraction(math.isqrt(share.numerator * 10**48 // share.denominator), 10**24)
            ratio += self.impact * (share * share if self.model == "volume-share" else root)
        return on_tick(price * (1 + side * ratio), self.markets[index]["tick"], side > 0)

    def fill_waiting(self, index):
        self.take(self.waiting[index][0], self.coming(index)["open"])

    def first_hit(self, index, bar):
        """Stops before limits and take-profits, the nearest to the open first, then by arrival: (rank, order)."""
        best = None
        tick = self.markets[index]["tick"]
        for order in self.resting[index]:
            if order["arrived"] >= bar["to"]:
                continue
            side = order["side"]
            if order["type"] in CONDITIONAL:
                if not self.touches(order, bar):
                    continue
                level = order["stop"]
            else:
                # How far the bar goes beyond the limit, on the side that fills it.
                level = order["limit"]
                beyond = (level - bar["low"]) if side > 0 else (bar["high"] - level)
                if (level - bar["open"]) * side <= 0 and beyond < self.through * tick:
                    continue
            if order["type"] in STOPS:
                rank = (0, max(0, side * (level - bar["open"])))
            else:
                rank = (1, abs(bar["open"] - level))
            if best is None or rank < best[0]:
                best = (rank, order)
        return best

    def fill_resting(self, index, order):
        bar = self.coming(index)
        side, opened = order["side"], bar["open"]
        if order["type"] in CONDITIONAL:
            worse = max if (side > 0) == (order["type"] in STOPS) else min
            self.take(order, worse(opened, order["stop"]))
        elif (opened - order["limit"]) * side < 0:
            self.trade(order, opened, "taker")
        else:
            self.trade(order, order["limit"], "maker")

    def take(self, order, raw):
        """Trade at the market, never beyond one's own limit."""
        index, side = order["i"], order["side"]
        left = self.left_of(index, self.coming(index))
        quantity = self.wanted(order) if left is None else min(self.wanted(order), left)
        price = self.slipped(index, side, raw, quantity)
        if order["limit"] is not None and (price - order["limit"]) * side > 0:
            price = order["limit"]
        self.trade(order, price, "taker")

    def wanted(self, order):
        side, held = order["side"], self.position[order["p"]]
        rest = order["quantity"] - order["filled"] - order["taken"]
        if not (order["reduce"] or (side < 0 and self.only_what_is_held(order["i"]))):
            return rest
        reducible = abs(held) if sign(held) == -side else 0
        return reducible if order["whole"] else min(rest, reducible)

    def fee_rate(self, index, liquidity):
        today = self.now // DAY
        if self.tiers:
            turnover = sum(value for day, value in self.traded.items() if today - 30 <= day < today)
            reached = [tier for tier in sorted(self.tiers) if tier[0] <= turnover]
            if reached:
                return reached[-1][1 if liquidity == "taker" else 2]
        return self.markets[index][liquidity]

    def in_coin(self, fee):
        """What the fee costs, and how much of the coin it is where it is paid in one."""
        prices = [units(price) for at, price in (self.coin or {"prices": []})["prices"] if at <= self.now]
        if not prices or fee <= 0:
            return fee, []
        due = cut(fee * (UNIT - units(self.coin["discountRatio"])), UNIT)
        step = UNIT // 10**8
        quantity = due * UNIT // prices[-1] // step * step
        while worth(prices[-1], quantity) < due:
            quantity += step
        return worth(prices[-1], quantity), [words(quantity)]

    def trade(self, order, price, liquidity):
        index, side = order["i"], order["side"]
        wanted = self.wanted(order)
        if wanted == 0:
            self.cancel(order)
            return
        left = self.left_of(index, self.coming(index))
        quantity = wanted if left is None else min(wanted, left)
        value = worth(price, quantity)
        fee = cut(value * self.fee_rate(index, liquidity), UNIT)
        fee, paid = self.in_coin(fee)
        if not order["reduce"]:
            lacks = False
            if self.margin == "isolated" and self.markets[index]["kind"] == "linear":
                lacks = self.lacks(order["p"], side * quantity, price, fee)
            if self.margin == "cash" and side > 0:
                lacks = value + fee > self.cash
            if lacks:
                self.cancel(order)
                return
        self.book(order["p"], side * quantity, price, fee)
        self.traded[self.now // DAY] = self.traded.get(self.now // DAY, 0) + value
        self.consumed[index] += quantity
        first = order["filled"] == 0
        order["filled"] += quantity
        self.say(self.now, "filled", order["id"], words(quantity), words(price), words(fee), liquidity, *paid)
        if quantity == wanted:
            self.forget(order)
            if order["filled"] < order["quantity"]:
                self.say(self.now, "cancelled", order["id"])
        elif order["force"]:
            self.cancel(order)
        elif order["type"] in CONDITIONAL or order["type"] == "market":
            if order in self.resting[index]:
                self.resting[index].remove(order)
            if order not in self.waiting[index]:
                self.waiting[index].append(order)
        if first:
            for name in order["attached"]:
                if name in self.orders:
                    self.orders[name]["arrived"] = order["arrived"]
                    self.resting[index].append(self.orders[name])
        for other in list(self.orders.values()):
            if other["id"] == order["pair"] or other["pair"] == order["id"]:
                other["taken"] += quantity
                if other["quantity"] - other["filled"] - other["taken"] <= 0:
                    self.cancel(other)
        self.end_whole(index)

    def cancel(self, order):
        self.forget(order)
        self.say(self.now, "cancelled", order["id"])

    def forget(self, order):
        del self.orders[order["id"]]
        for orders in (self.resting[order["i"]], self.waiting[order["i"]]):
            if order in orders:
                orders.remove(order)
        if order["filled"] == 0:
            for name in order["attached"]:
                self.orders.pop(name, None)

    def end_whole(self, index):
        for order in list(self.resting[index]):
            if order["whole"] and sign(self.position[order["p"]]) != -order["side"]:
                self.cancel(order)

    def book(self, index, change, price, fee):
        """One trade of the account, signed."""
        held = self.position[index]
        paid = worth(price, change)
        self.cash -= paid + fee
        self.position[index] = held + change
        if self.margin in ("isolated", "cross") and self.markets[index]["kind"] == "linear":
            closed, gone, freed = self.closing(index, held, change)
            opened = paid - (worth(price, closed) if closed else 0)
            self.cost[index] += opened - gone
            self.posted[index] += (cut(abs(opened) * UNIT, self.leverage * UNIT) if self.margin == "isolated" else 0) - freed
        if self.position[index] == 0:
            self.funding_at[index] = NEVER
        elif held == 0:
            self.funding_at[index] = self.boundary(index, self.now)

    def closing(self, index, held, change):
        """The part of a trade that closes, and what leaves with it: cost and posted margin."""
        if held * change >= 0:
            return 0, 0, 0
        closed = -held if abs(change) >= abs(held) else change
        return closed, cut(self.cost[index] * abs(closed), abs(held)), cut(self.posted[index] * abs(closed), abs(held))

    # ---- margin ----------------------------------------------------------------------------------------------------------------

    def free(self):
        return self.cash + sum(self.cost) - sum(self.posted)

    def lacks(self, index, change, price, fee):
        closed, gone, freed = self.closing(index, self.position[index], change)
        opened = change - closed
        if opened == 0:
            return False
        needed = cut(abs(worth(price, opened)) * UNIT, self.leverage * UNIT)
        return needed > self.free() + freed - gone - worth(price, closed) - fee

    def maintenance(self, index, value):
        """By brackets, as if each part of the value were taxed at its own rate."""
        floor, rate_before, deduction = 0, 0, 0
        for up_to, rate in self.markets[index]["tiers"]:
            rate = units(rate)
            deduction += cut(floor * (rate - rate_before), UNIT)
            if up_to is None or value <= units(up_to):
                return cut(value * rate, UNIT) - deduction
            floor, rate_before = units(up_to), rate

    def margined(self, index):
        return self.margin in ("isolated", "cross") and self.markets[index]["kind"] == "linear" and self.position[index] != 0

    def used_up(self, index, price):
        value = worth(price, self.position[index])
        if self.margin == "isolated":
            left = self.posted[index] + value - self.cost[index]
            needed = 0
        else:
            left = self.cash + value
            needed = 0
            for other in range(len(self.markets)):
                if other == index or self.position[other] == 0:
                    continue
                left += worth(self.last[other], self.position[other])
                if self.margined(other):
                    at = worth(self.last[other], self.position[other]) if self.basis == "mark" else self.cost[other]
                    needed += self.maintenance(other, abs(at))
        own = value if self.basis == "mark" else self.cost[index]
        return left <= needed + self.maintenance(index, abs(own))

    def liquidation_raw(self, index, bar):
        """The first price of the coming bar, on the way from its open to its worse end, at which the margin is used up."""
        if not self.margined(index):
            return None
        tick = self.markets[index]["tick"]
        side = sign(self.position[index])
        worst = bar["low"] if side > 0 else bar["high"]
        if self.used_up(index, bar["open"]):
            return bar["open"]
        if not self.used_up(index, worst):
            return None
        safe, lost = bar["open"] // tick, worst // tick
        while abs(safe - lost) > 1:
            middle = (safe + lost) // 2
            if self.used_up(index, middle * tick):
                lost = middle
            else:
                safe = middle
        return lost * tick

    def liquidate(self, index, raw):
        held = self.position[index]
        price = self.slipped(index, -sign(held), raw, abs(held))
        value = worth(price, held)
        if self.margin == "isolated":
            left = self.posted[index] + value - self.cost[index]
        else:
            left = self.cash + value
            for other in range(len(self.markets)):
                if other != index and self.position[other]:
                    left += worth(self.last[other], self.position[other])
        fee = min(cut(abs(value) * self.liquidation_rate, UNIT), max(left, 0))
        lacking = max(-left, 0)
        insurance = lacking if self.fund is None else min(lacking, self.fund)
        if self.fund is not None:
            self.fund += fee - insurance
        self.book(index, -held, price, fee - lacking)
        side = "sell" if held > 0 else "buy"
        self.say(
            self.now, "liquidated", index % self.n, side, words(abs(held)), words(price), words(fee - lacking), words(insurance), words(lacking - insurance)
        )
        for orders in (self.resting[index % self.n], self.waiting[index % self.n]):
            for order in list(orders):
                if order["p"] == index:
                    self.cancel(order)

    # ---- funding -----------------------------------------------------------------------------------------------------------------

    def boundary(self, index, at):
        interval = self.markets[index]["fundingIntervalMs"]
        return -(-at // interval) * interval if interval else NEVER

    def pay_funding(self, index):
        bar = self.coming(index % self.n)
        price = bar["close"] if bar["to"] == self.funding_at[index] else self.last[index]
        amount = -cut(worth(price, self.position[index]) * self.markets[index]["fundingRate"], UNIT)
        self.funding_at[index] = self.boundary(index, self.funding_at[index] + 1)
        self.cash += amount
        if self.margin == "isolated" and amount < 0 and self.free() < 0:
            self.posted[index] -= min(-self.free(), -amount, self.posted[index])
        self.say(self.now, "funding", index % self.n, words(amount))


def abs_distance(bar, raw):
    """A liquidation ranks as a stop at its price."""
    return (0, abs(bar["open"] - raw))


# ---- streams at random -----------------------------------------------------------------------------------------------------


TIERS = [["20000", "0.005"], ["60000", "0.01"], ["200000", "0.025"], [None, "0.1"]]


def any_market(dice, kind="linear"):
    return {
        "kind": kind,
        "tick": dice.choice(["0.01", "0.5", "0.1"]),
        "lot": dice.choice(["0.001", "0.01"]),
        "minimumQuantity": "0.01",
        "minimumNotional": "5",
        "taker": dice.choice(["0.001", "0.0006"]),
        "maker": dice.choice(["0.0002", "-0.0001"]),
        "fundingRate": dice.choice(["0.0001", "-0.0003", "0.01"]) if kind == "linear" else "0",
        "fundingIntervalMs": dice.choice([240_000, 420_000]) if kind == "linear" else 0,
        "tiers": TIERS,
    }


def any_bars(dice, market, count):
    """Steps of the tick: open, high, low, close. Now and then a hole, a gap or a crash."""
    last = dice.randint(80, 120) / float(market["tick"])
    wild = dice.choice([0.01, 0.03])
    bars = []
    for _ in range(count):
        opened = last * (1 + (dice.uniform(-0.12, 0.12) if dice.random() < 0.04 else dice.uniform(-0.002, 0.002)))
        close = opened * (1 + dice.uniform(-wild, wild))
        high = max(opened, close) * (1 + dice.random() * wild / 2)
        low = min(opened, close) * (1 - dice.random() * wild / 2)
        opened, high, low, close = (max(2, round(price)) for price in (opened, high, low, close))
        last = close
        volume = dice.choice([0, dice.randint(1, 20), dice.randint(20, 500), dice.randint(20, 500)])
        bars.append(None if dice.random() < 0.04 and bars else [opened, max(high, opened, close), min(low, opened, close), close, volume])
    return bars


def any_price(dice, market, bar, spread):
    steps = max(2, round(bar[3] * (1 + dice.uniform(-spread, spread))))
    text = words(steps * units(market["tick"]))
    # Now and then off the tick.
    return text + ("0001" if "." in text else ".0001") if dice.random() < 0.01 else text


def any_intent(dice, stream, index, at, name, large):
    market, bar = stream["instruments"][index], near(stream, index, at)
    side = dice.choice(["buy", "sell"])
    lots = max(1, round(dice.randint(1, large) * 100 / (bar[3] * float(market["tick"]))))
    quantity = words(lots * 10 * units("0.001")) if dice.random() > 0.02 else "0.0005"
    kind = dice.choice(["market"] * 4 + ["limit"] * 3 + ["post-only", "stop", "take-profit", "trailing"])
    against = "sell" if side == "buy" else "buy"
    attached = []

    def intent(more, **parts):
        base = {
            "id": f"{name}{more}",
            "instrument": index,
            "side": side,
            "type": kind,
            "quantity": quantity,
            "limit": None,
            "stop": None,
            "reduceOnly": False,
            "wholePosition": False,
            "trail": None,
            "force": None,
            "pair": None,
            "attached": [],
        }
        return {**base, **parts}

    if kind not in CONDITIONAL and dice.random() < 0.4:
        away = 0.02 * (1 if side == "sell" else -1)
        center = [bar[0], bar[1], bar[2], bar[3] * (1 + away)]
        attached.append(intent("s", type="stop", side=against, stop=any_price(dice, market, center, 0.03), reduceOnly=True))
        if dice.random() < 0.5:
            wide = [bar[0], bar[1], bar[2], bar[3] * (1 + 2 * away)]
            attached.append(
                intent("d", type="stop", side=against, stop=any_price(dice, market, wide, 0.03), reduceOnly=True, wholePosition=True)
            )
            if dice.random() < 0.5:
                target = [bar[0], bar[1], bar[2], bar[3] * (1 - away)]
                stop_at = any_price(dice, market, target, 0.03)
                attached.append(intent("t", type="take-profit", side=against, stop=stop_at, reduceOnly=True, pair=f"{name}s"))
        elif dice.random() < 0.5:
            follows = words(dice.randint(1, 40) * units(market["tick"]))
            attached.append(intent("f", type="trailing", side=against, stop=any_price(dice, market, center, 0.02), trail=follows, reduceOnly=True))
    return intent(
        "",
        limit=any_price(dice, market, bar, 0.02) if kind in ("limit", "post-only") else None,
        stop=any_price(dice, market, bar, 0.03) if kind in CONDITIONAL else None,
        trail=words(dice.randint(1, 60) * units(market["tick"])) if kind == "trailing" else None,
        force=dice.choice([None, None, "ioc", "fok"]) if kind in ("market", "limit") else None,
        reduceOnly=kind in CONDITIONAL and dice.random() < 0.6 or dice.random() < 0.15,
        attached=attached,
    )


def near(stream, index, at):
    row = at // stream["barMs"]
    bars = stream["bars"][index][:row]
    return next(bar for bar in reversed(bars) if bar is not None)


def any_acts(dice, stream):
    """What is sent right after bars have closed."""
    acts, names = [], []
    rows = len(stream["bars"][0])
    large = dice.choice([300, 4000, 20_000])
    for row in range(1, rows + 1):
        at = row * stream["barMs"]
        while dice.random() < 0.3:
            index = dice.randrange(len(stream["instruments"]))
            roll = dice.random()
            if names and roll < 0.12:
                name, its = dice.choice(names[-8:])
                acts.append({"at": at, "do": "cancel", "order": name, "instrument": its})
            elif names and roll < 0.25:
                name, its = dice.choice(names[-8:])
                stop = any_price(dice, stream["instruments"][its], near(stream, its, at), 0.04)
                acts.append({"at": at, "do": "amend", "order": name, "instrument": its, "stop": stop})
            elif names and roll < 0.35:
                name, its = dice.choice(names[-8:])
                limit = any_price(dice, stream["instruments"][its], near(stream, its, at), 0.02)
                quantity = words(dice.randint(1, 300) * 10 * units("0.001"))
                acts.append({"at": at, "do": "reprice", "order": name, "instrument": its, "limit": limit, "quantity": quantity})
            else:
                intent = any_intent(dice, stream, index, at, f"o{len(acts)}", large)
                names += [(intent["id"], index)] + [(stop["id"], index) for stop in intent["attached"]]
                acts.append({"at": at, "do": "submit", "intent": intent})
    return acts


def any_stream(seed, tape=None):
    """A stream from a seed: on bars of its own, or on a window of a tape."""
    dice = random.Random(seed)
    margin = dice.choice(["leverage", "cash", "isolated", "isolated", "cross", "cross"])
    kinds = dice.choice([["linear"], ["linear"], ["linear", "linear"], ["spot"], ["linear", "spot"]])
    stream = {
        "seed": seed,
        "barMs": 60_000,
        "instruments": [any_market(dice, kind) for kind in kinds],
        "slippageRatio": dice.choice(["0", "0.0005", "0.002"]),
        "latencyMs": dice.choice([1, 1, 250, 60_000, 90_000]),
        "leverage": dice.choice([2, 5, 10, 20, 50, 50]),
        "capital": dice.choice(["10000", "1000"]),
        "rules": {"margin": margin},
    }
    if margin in ("isolated", "cross"):
        stream["rules"]["maintenanceBasis"] = dice.choice(["mark", "mark", "entry"])
        stream["rules"]["liquidationFeeRate"] = dice.choice(["0.01", "0", "0.002"])
        if dice.random() < 0.5:
            stream["rules"]["insuranceFund"] = dice.choice(["0", "50", "1000"])
    rules = stream["rules"]
    if dice.random() < 0.4:
        rules["volumeShareRatio"] = dice.choice(["0.05", "0.25", "1"])
    if dice.random() < 0.4:
        rules["slippageModel"] = dice.choice(["volume-share", "square-root"])
        rules["impactRatio"] = dice.choice(["0.1", "0.01", "0.5"])
    if dice.random() < 0.4:
        rules["tradeThroughTicks"] = dice.choice([0, 2, 5])
    if dice.random() < 0.3:
        rules["selfTrade"] = dice.choice(["cancel-resting", "cancel-incoming", "cancel-both"])
    if dice.random() < 0.2:
        rules["recordedLatenciesMs"] = [dice.choice([1, 30, 400, 59_999, 60_000, 61_000]) for _ in range(dice.randint(1, 5))]
    if dice.random() < 0.4:
        stream["barMs"] = 21_600_000
        rules["feeTiers"] = [["0", "0.001", "0.0005"], ["3000", "0.0007", "0.0001"], ["20000", "0.0004", "-0.0001"]][dice.randint(0, 1) :]
        for market in stream["instruments"]:
            market["fundingIntervalMs"] *= 360
    rows = dice.randint(12, 40)
    if tape is None:
        stream["bars"] = [any_bars(dice, market, rows) for market in stream["instruments"]]
    else:
        minutes = stream["barMs"] // 60_000
        stream["barMs"], tick, bars = tape
        start = dice.randrange(len(bars) - 60)
        window = bars[start : start + 60]
        while window[0] is None:
            window = window[1:]
        stream["bars"] = [window for _ in stream["instruments"]]
        for market in stream["instruments"]:
            market["tick"] = tick
            market["fundingIntervalMs"] = market["fundingIntervalMs"] // minutes * (stream["barMs"] // 60_000)
    stream["acts"] = any_acts(dice, stream)
    return vary(random.Random(f"variation {seed}"), stream)


def vary(dice, stream):
    """The rarer rules, from dice of their own."""
    rules, span = stream["rules"], stream["barMs"] * len(stream["bars"][0])
    if dice.random() < 0.25:
        rules["recordedResponsesMs"] = [dice.choice([0, 1, 70, 900, 59_000, 61_000, 200_000]) for _ in range(dice.randint(1, 4))]
    if dice.random() < 0.25:
        times = sorted(dice.sample(range(span), 3)) if dice.random() < 0.5 else [0]
        prices = [[at, words(dice.randint(20_000, 70_000) * UNIT // 100)] for at in times]
        rules["feeCoin"] = {"discountRatio": dice.choice(["0.25", "0.1", "0"]), "prices": prices}
    if dice.random() < 0.25:
        rules["filters"] = [any_filter(dice, stream, span) for _ in range(dice.randint(1, 3))]
    # With cross margin the two positions of a hedge are liquidated by another rule, which has cases of its own.
    if dice.random() < 0.3 and rules["margin"] in ("leverage", "isolated"):
        stream["positions"] = "hedge"
        for act in stream["acts"]:
            if act["do"] != "submit":
                continue
            intent = act["intent"]
            if stream["instruments"][intent["instrument"]]["kind"] != "linear" or dice.random() < 0.01:
                continue
            # Opens more often than it closes; what is attached to it closes.
            opens = "long" if intent["side"] == "buy" else "short"
            closes = "short" if intent["side"] == "buy" else "long"
            intent["position"] = closes if intent["reduceOnly"] or dice.random() < 0.3 else opens
            for attached in intent["attached"]:
                attached["position"] = intent["position"]
    return stream


def any_filter(dice, stream, span):
    index = dice.randrange(len(stream["instruments"]))
    change = {"instrument": index, "from": dice.randrange(span)}
    if dice.random() < 0.5:
        change["lot"] = dice.choice(["0.1", "0.01", "0.001"])
    if dice.random() < 0.3:
        change["minimumNotional"] = dice.choice(["5", "50", "200"])
    if dice.random() < 0.3:
        change["minimumQuantity"] = dice.choice(["0.001", "0.1", "1"])
    if dice.random() < 0.5:
        # Finer: bars and their prices stay on the grid.
        change["tick"] = {"0.01": "0.001", "0.1": "0.01", "0.5": "0.1"}[stream["instruments"][index]["tick"]]
    return change


def read_tape(path, bar_ms, tick):
    """Bars in steps of the tick, a hole where the file has none."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    bars, before = [], None
    with opened as lines:
        names = next(lines).strip().split(",")
        columns = [names.index(name) for name in ("open", "high", "low", "close")]
        for line in lines:
            cells = line.strip().split(",")
            at = datetime.fromisoformat(cells[0].replace("Z", "+00:00")).timestamp() * 1000
            if before is not None and at <= before:
                continue
            # The collapse of LUNA is within the first 12,000 hours of its file.
            if len(bars) > 12_000:
                break
            missing = 0 if before is None else round((at - before) / bar_ms) - 1
            before = at
            # A long hole is a short one here: nothing happens in it.
            bars += [None] * min(missing, 3)
            opened, high, low, close = (max(2, round(Fraction(cells[column]) / Fraction(tick))) for column in columns)
            volume = math.ceil(Fraction(cells[names.index("volume_base" if "volume_base" in names else "volume")]))
            bars.append([opened, max(high, opened, close), min(low, opened, close), close, volume])
    while bars[0] is None:
        bars.pop(0)
    return bar_ms, tick, bars


TAPES = [
    ("1h_perp/BTCUSDT_perp_1h.csv.gz", 3_600_000, "0.1"),
    ("1h_perp/ETHUSDT_perp_1h.csv.gz", 3_600_000, "0.01"),
    ("1h_spot/LUNAUSDT_1h_2021-23.csv.gz", 3_600_000, "0.01"),
    ("1m_perp_bybit/BTCUSDT_bybit_1m_2022-12-13.csv", 60_000, "0.5"),
]


def answer(stream):
    made = Reference(json.loads(json.dumps(stream))).run()
    return {"said": made.said, "cash": words(made.cash), "position": [words(held) for held in made.position]}


def main():
    if sys.argv[1] == "tapes":
        for number, (path, bar_ms, tick) in enumerate(TAPES):
            tape = read_tape(f"{sys.argv[2]}/{path}", bar_ms, tick)
            for seed in range(50):
                stream = any_stream(10_000 + 1_000 * number + seed, tape)
                print(json.dumps({**stream, **answer(stream)}, separators=(",", ":")))
        return
    streams = [any_stream(seed) for seed in range(1000)]
    lines = [json.dumps({**stream, **answer(stream)}, separators=(",", ":")) for stream in streams]
    # Without a time in it, so that the same streams are the same bytes.
    with open(sys.argv[2], "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
        out.write("\n".join(lines).encode())


if __name__ == "__main__":
    main()
