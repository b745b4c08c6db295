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
import random
import sys
from datetime import datetime
from fractions import Fraction

UNIT = 10**12
NEVER = float("inf")


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
    """A price (a fraction of units) moved onto the tick in one direction."""
    steps = Fraction(price) / tick
    return -((-steps.numerator) // steps.denominator) * tick if upward else (steps.numerator // steps.denominator) * tick


def sign(value):
    return (value > 0) - (value < 0)


# ---- one stream --------------------------------------------------------------------------------------------------------


class Reference:
    def __init__(self, stream):
        self.minute = stream["barMs"]
        self.markets = stream["instruments"]
        for market in self.markets:
            for name in ("tick", "lot", "minimumQuantity", "minimumNotional", "taker", "maker", "fundingRate"):
                market[name] = units(market[name])
        rules = stream["rules"]
        self.margin = rules.get("margin", "leverage")
        self.basis = rules.get("maintenanceBasis", "mark")
        self.liquidation_rate = units(rules.get("liquidationFeeRate", "0.01"))
        bound = rules.get("insuranceFund")
        self.fund = None if bound is None else units(bound)
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
        self.next_bar = [0] * count
        self.last = [None] * count
        self.position = [0] * count
        self.cost = [0] * count
        self.posted = [0] * count
        self.funding_at = [NEVER] * count
        self.orders = {}  # everything that is known to the venue and has not ended, attached stops too
        self.resting = [[] for _ in range(count)]
        self.waiting = [[] for _ in range(count)]
        self.arrivals = []
        self.now = 0
        self.fills = 0
        self.said = []

    def bar(self, index, row, prices):
        tick = self.markets[index]["tick"]
        opened, high, low, close = (step * tick for step in prices[:4])
        return {"from": row * self.minute, "to": (row + 1) * self.minute, "open": opened, "high": high, "low": low, "close": close}

    def coming(self, index):
        """The bar that has not closed yet."""
        at = self.next_bar[index]
        return self.bars[index][at] if at < len(self.bars[index]) else None

    def say(self, at, *parts):
        self.said.append(" ".join([str(at), *map(str, parts)]))

    # ---- what happens next -----------------------------------------------------------------------------------------------

    def run(self):
        while True:
            best = None
            # At equal times: what arrives, then what each instrument owes, then the bars, and what is sent in answer to them.
            if self.arrivals:
                best = (self.arrivals[0]["at"], 0, 0, self.arrive)
            for index in range(len(self.markets)):
                for at, deed in self.owed(index):
                    if best is None or (at, 1, index) < best[:3]:
                        best = (at, 1, index, deed)
            for index in range(len(self.markets)):
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
            best[3]()

    def expire(self):
        """The tape has ended and nothing is on its way: what is still open ends."""
        for order in list(self.orders.values()):
            if order["id"] in self.orders:
                self.forget(order)
                self.say(self.now, "expired", order["id"])

    def send(self, act):
        self.arrivals.append({"at": act["at"] + max(1, self.latency), "act": act})

    def owed(self, index):
        """In the order in which they count at one time."""
        bar = self.coming(index)
        if bar is None:
            return
        waiting = [order for order in self.waiting[index] if order["arrived"] < bar["to"]]
        if waiting:
            first = self.waiting[index][0]
            if first["arrived"] < bar["to"]:
                yield max(bar["from"], first["arrived"]), lambda: self.fill_waiting(index)
        hit, raw = self.first_hit(index, bar), self.liquidation_raw(index, bar)
        if raw is not None and (hit is None or abs_distance(bar, raw) <= hit[0]):
            yield bar["to"], lambda: self.liquidate(index, raw)
        elif hit is not None:
            yield bar["to"], lambda: self.fill_resting(index, hit[1])
        if self.funding_at[index] < NEVER:
            yield self.funding_at[index], lambda: self.pay_funding(index)

    def close(self, index):
        bar = self.coming(index)
        self.last[index] = bar["close"]
        self.next_bar[index] += 1

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
        intent = act["intent"]
        if self.refuses(intent):
            self.say(self.now, "rejected", intent["id"])
            return
        order = self.enter(intent, self.now)
        for stop in intent["attached"]:
            self.enter(stop, None)
        price = self.price_now(order["i"]) if order["type"] == "market" else None
        if price is not None:
            self.trade(order, self.slipped(order["i"], order["side"], price), "taker")
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
        if order["type"] == "stop" and stop > 0 and stop % self.markets[order["i"]]["tick"] == 0:
            order["stop"] = stop
        stands = order["stop"] if order["stop"] is not None else stop
        self.say(self.now, "amended", order["id"], words(stands))

    def enter(self, intent, arrived):
        order = {
            "id": intent["id"],
            "i": intent["instrument"],
            "side": 1 if intent["side"] == "buy" else -1,
            "type": intent["type"],
            "quantity": units(intent["quantity"]),
            "limit": None if intent["limit"] is None else units(intent["limit"]),
            "stop": None if intent["stop"] is None else units(intent["stop"]),
            "reduce": intent["reduceOnly"],
            "whole": intent["wholePosition"],
            "attached": [stop["id"] for stop in intent["attached"]],
            "arrived": arrived,
            "filled": 0,
        }
        self.orders[order["id"]] = order
        return order

    def malformed(self, intent):
        market = self.markets[intent["instrument"]]
        quantity = units(intent["quantity"])
        if intent["id"] in self.orders or quantity <= 0:
            return True
        if not intent["wholePosition"] and (quantity % market["lot"] or quantity < market["minimumQuantity"]):
            return True
        for text in (intent["limit"], intent["stop"]):
            if text is not None and (units(text) <= 0 or units(text) % market["tick"]):
                return True
        if intent["type"] in ("limit", "post-only") and intent["limit"] is None:
            return True
        return intent["type"] == "stop" and intent["stop"] is None

    def refuses(self, intent):
        index = intent["instrument"]
        market = self.markets[index]
        if self.malformed(intent) or any(self.malformed(stop) for stop in intent["attached"]):
            return True
        side = 1 if intent["side"] == "buy" else -1
        quantity = units(intent["quantity"])
        held = self.position[index]
        if intent["type"] == "post-only":
            price = self.price_now(index)
            price = self.last[index] if price is None else price
            limit = units(intent["limit"])
            if price is not None and (limit >= price if side > 0 else limit <= price):
                return True
        if intent["reduceOnly"]:
            return intent["type"] != "stop" and sign(held) != -side
        if side < 0 and self.only_what_is_held(index) and quantity > held:
            return True
        reference = intent["limit"] if intent["limit"] is not None else intent["stop"]
        reference = units(reference) if reference is not None else self.last[index]
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

    def slipped(self, index, side, price):
        return on_tick(price * (1 + side * self.slippage), self.markets[index]["tick"], side > 0)

    def fill_waiting(self, index):
        order = self.waiting[index][0]
        self.waiting[index].remove(order)
        self.trade(order, self.slipped(index, order["side"], self.coming(index)["open"]), "taker")

    def first_hit(self, index, bar):
        """Stops before limits, the nearest to the open first, then by arrival: (rank, order)."""
        best = None
        for order in self.resting[index]:
            if order["arrived"] >= bar["to"]:
                continue
            side = order["side"]
            if order["type"] == "stop":
                if bar["low"] > order["stop"] if side < 0 else bar["high"] < order["stop"]:
                    continue
                rank = (0, max(0, side * (order["stop"] - bar["open"])))
            else:
                if bar["high"] <= order["limit"] if side < 0 else bar["low"] >= order["limit"]:
                    continue
                rank = (1, abs(bar["open"] - order["limit"]))
            if best is None or rank < best[0]:
                best = (rank, order)
        return best

    def fill_resting(self, index, order):
        bar = self.coming(index)
        side, opened = order["side"], bar["open"]
        if order["type"] == "stop":
            raw = max(opened, order["stop"]) if side > 0 else min(opened, order["stop"])
            self.trade(order, self.slipped(index, side, raw), "taker")
        elif (opened - order["limit"]) * side < 0:
            self.trade(order, opened, "taker")
        else:
            self.trade(order, order["limit"], "maker")

    def trade(self, order, price, liquidity):
        index, side = order["i"], order["side"]
        quantity = order["quantity"] - order["filled"]
        if order["reduce"] or (side < 0 and self.only_what_is_held(index)):
            reducible = abs(self.position[index]) if sign(self.position[index]) == -side else 0
            quantity = reducible if order["whole"] else min(quantity, reducible)
            if quantity == 0:
                self.cancel(order)
                return
        value = worth(price, quantity)
        fee = cut(value * self.markets[index][liquidity], UNIT)
        if not order["reduce"]:
            lacks = False
            if self.margin == "isolated" and self.markets[index]["kind"] == "linear":
                lacks = self.lacks(index, side * quantity, price, fee)
            if self.margin == "cash" and side > 0:
                lacks = value + fee > self.cash
            if lacks:
                self.cancel(order)
                return
        self.book(index, side * quantity, price, fee)
        first = order["filled"] == 0
        order["filled"] += quantity
        self.fills += 1
        self.say(self.now, "filled", order["id"], words(quantity), words(price), words(fee), liquidity)
        self.forget(order)
        if order["filled"] < order["quantity"]:
            self.say(self.now, "cancelled", order["id"])
        if first:
            for name in order["attached"]:
                if name in self.orders:
                    self.orders[name]["arrived"] = order["arrived"]
                    self.resting[index].append(self.orders[name])
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
            if order["whole"] and sign(self.position[index]) != -order["side"]:
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
        price = self.slipped(index, -sign(held), raw)
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
            self.now, "liquidated", index, side, words(abs(held)), words(price), words(fee - lacking), words(insurance), words(lacking - insurance)
        )
        for orders in (self.resting[index], self.waiting[index]):
            for order in list(orders):
                self.cancel(order)

    # ---- funding -----------------------------------------------------------------------------------------------------------------

    def boundary(self, index, at):
        interval = self.markets[index]["fundingIntervalMs"]
        return -(-at // interval) * interval if interval else NEVER

    def pay_funding(self, index):
        bar = self.coming(index)
        price = bar["close"] if bar["to"] == self.funding_at[index] else self.last[index]
        amount = -cut(worth(price, self.position[index]) * self.markets[index]["fundingRate"], UNIT)
        self.funding_at[index] = self.boundary(index, self.funding_at[index] + 1)
        self.cash += amount
        if self.margin == "isolated" and amount < 0 and self.free() < 0:
            self.posted[index] -= min(-self.free(), -amount, self.posted[index])
        self.say(self.now, "funding", index, words(amount))


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
        bars.append(None if dice.random() < 0.04 and bars else [opened, max(high, opened, close), min(low, opened, close), close])
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
    kind = dice.choice(["market", "market", "market", "limit", "limit", "post-only", "stop"])
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
            "attached": [],
        }
        return {**base, **parts}

    if kind != "stop" and dice.random() < 0.4:
        away = 0.02 * (1 if side == "sell" else -1)
        center = [bar[0], bar[1], bar[2], bar[3] * (1 + away)]
        attached.append(intent("s", type="stop", side=against, stop=any_price(dice, market, center, 0.03), reduceOnly=True))
        if dice.random() < 0.5:
            wide = [bar[0], bar[1], bar[2], bar[3] * (1 + 2 * away)]
            attached.append(
                intent("d", type="stop", side=against, stop=any_price(dice, market, wide, 0.03), reduceOnly=True, wholePosition=True)
            )
    return intent(
        "",
        limit=any_price(dice, market, bar, 0.02) if kind in ("limit", "post-only") else None,
        stop=any_price(dice, market, bar, 0.03) if kind == "stop" else None,
        reduceOnly=kind == "stop" and dice.random() < 0.6 or dice.random() < 0.15,
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
    rows = dice.randint(12, 40)
    if tape is None:
        stream["bars"] = [any_bars(dice, market, rows) for market in stream["instruments"]]
    else:
        stream["barMs"], tick, bars = tape
        start = dice.randrange(len(bars) - 60)
        window = bars[start : start + 60]
        while window[0] is None:
            window = window[1:]
        stream["bars"] = [window for _ in stream["instruments"]]
        for market in stream["instruments"]:
            market["tick"] = tick
            market["fundingIntervalMs"] *= stream["barMs"] // 60_000
    stream["acts"] = any_acts(dice, stream)
    return stream


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
            bars.append([opened, max(high, opened, close), min(low, opened, close), close])
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
