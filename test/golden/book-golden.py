"""Writes book.json: what plain dictionaries make of the captured books. The values are committed; the tests need no Python.

    BALLAST_SHARED=../shared python3 test/golden/book-golden.py && node_modules/.bin/oxfmt test/golden/book.json

Nothing but Python's standard library, written from the venues' own rules for keeping a book. Prices are keys as exact decimals, so that no
double decides what is one level. At 50 messages of each capture: the touch, a digest of the ten best levels of both sides, and what can
be read off the book. At the end a digest of the whole of it.
"""
import csv
import decimal
import gzip
import hashlib
import json
import os
import pathlib
import platform
import struct

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("BALLAST_SHARED", HERE.parents[2] / "shared")) / "data" / "3_tick"
BINANCE = [
    "binance_coinm_BTCUSD_PERP_2024-08-08_09",
    "binance_spot_BTCUSDT_2024-08-08_09",
    "binance_usdm_BTCUSDT_2024-08-08",
]
BYBIT = "bybit_spot_or_linear_XRPUSDT_ob500_2024-12-01"
SAMPLES = 50
D = decimal.Decimal


class Book:
    def __init__(self):
        self.sides = {"bid": {}, "ask": {}}

    def set(self, side, price, quantity):
        price, quantity = D(price), D(quantity)
        if quantity == 0:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = quantity

    def sorted(self, side):
        return sorted(self.sides[side].items(), reverse=side == "bid")


def rows(name):
    with gzip.open(SHARED / (name + ".csv.gz"), "rt", newline="") as file:
        yield from csv.DictReader(file)


def binance_messages(name):
    """Changes after the snapshot, one list of levels for each last_update_id."""
    message, last = [], None
    for row in rows(name + "_book_deltas"):
        update = int(row["last_update_id"])
        if last is not None and update != last:
            yield last, message
            message = []
        last = update
        message.append((row["side"], row["price"], row["qty"]))
    yield last, message


def binance(name):
    book = Book()
    for row in rows(name + "_book_snapshot"):
        update = int(row["last_update_id"])
        book.set(row["side"], row["price"], row["qty"])
    later = [(last, levels) for last, levels in binance_messages(name) if last > update]
    return book, later


def bybit():
    book, later = Book(), []
    for line in (SHARED / (BYBIT + ".jsonl")).read_text().splitlines():
        frame = json.loads(line)
        data = frame["data"]
        levels = [("bid", p, q) for p, q in data["b"]] + [("ask", p, q) for p, q in data["a"]]
        if frame["type"] == "snapshot":
            assert not later
            for level in levels:
                book.set(*level)
            update = data["u"]
        else:
            assert data["u"] == (later[-1][0] if later else update) + 1
            later.append((data["u"], levels))
    return book, later


def digest(levels):
    sha = hashlib.sha256()
    for price, quantity in levels:
        sha.update(struct.pack("<dd", float(price), float(quantity)))
    return sha.hexdigest()


def taking(levels, quantity):
    rest, paid = quantity, D(0)
    for price, there in levels:
        taken = min(rest, there)
        paid += taken * price
        rest -= taken
    assert rest == 0
    return float(paid / quantity)


def folded(book, later):
    decimal.getcontext().prec = 50
    found = {}

    def note(key, value):
        found.setdefault(key, []).append(value)

    at = {len(later) * (k + 1) // SAMPLES - 1 for k in range(SAMPLES)} - {-1}
    for index, (last, levels) in enumerate(later):
        for level in levels:
            book.set(*level)
        if index not in at:
            continue
        bids, asks = book.sorted("bid"), book.sorted("ask")
        (bid, bid_quantity), (ask, ask_quantity) = bids[0], asks[0]
        assert bid < ask
        best, offered = sum(q for _, q in bids[:5]), sum(q for _, q in asks[:5])
        quantity = sum(q for _, q in bids[:20]) / 3
        note("message", index)
        note("lastUpdate", last)
        note("bestBid", float(bid))
        note("bestBidQuantity", float(bid_quantity))
        note("bestAsk", float(ask))
        note("bestAskQuantity", float(ask_quantity))
        note("imbalance5", float((best - offered) / (best + offered)))
        note("microprice", float((bid * ask_quantity + ask * bid_quantity) / (bid_quantity + ask_quantity)))
        note("quantity", float(quantity))
        note("priceOfBuying", taking(asks, quantity))
        note("priceOfSelling", taking(bids, quantity))
        note("bidQuantityToTwentieth", float(sum(q for _, q in bids[:20])))
        note("askQuantityToTwentieth", float(sum(q for _, q in asks[:20])))
        note("top10", digest(bids[:10] + asks[:10])[:16])
    bids, asks = book.sorted("bid"), book.sorted("ask")
    return {"applied": len(later), "levels": [len(bids), len(asks)], "final": digest(bids + asks), "samples": found}


captures = {name: folded(*binance(name)) for name in BINANCE} | {BYBIT: folded(*bybit())}
(HERE / "book.json").write_text(json.dumps({"versions": {"python": platform.python_version()}, "captures": captures}) + "\n")
