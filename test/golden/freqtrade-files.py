"""Feather files as freqtrade writes them, by pandas and pyarrow, for src/market/history/freqtrade.test.ts.

    python3 -m venv .venv && .venv/bin/pip install pandas==2.3.3 pyarrow==21.0.0
    .venv/bin/python freqtrade-files.py && node_modules/.bin/oxfmt test/golden/freqtrade-files.json

Each file stands in freqtrade-files.json as base64, with the rows that pandas reads back from it. freqtrade's own call is
`to_feather(path, compression_level=9, compression="lz4")`; zstd and none are there because others use them.
"""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

BARS = 150
index = np.arange(BARS)
close = 100 + 10 * np.sin(index / 7)
bars = pd.DataFrame(
    {
        "date": pd.date_range("2021-01-30", periods=BARS, freq="5min", tz="UTC"),
        "open": np.round(np.roll(close, 1), 2),
        "high": np.round(np.maximum(close, np.roll(close, 1)) + 1, 2),
        "low": np.round(np.minimum(close, np.roll(close, 1)) - 1, 2),
        "close": np.round(close, 2),
        # Long runs of zeros are what LZ4 copies over itself.
        "volume": np.where(index % 50 < 45, 0.0, index / 3),
    }
)
trades = pd.DataFrame(
    {
        "timestamp": 1_612_000_000_000 + index[:60] * 137,
        "id": [str(1_206_419_187 + number) for number in index[:60]],
        "type": None,
        "side": ["buy" if number % 3 else "sell" for number in index[:60]],
        "price": np.round(1666.8 + index[:60] / 100, 2),
        "amount": np.round(0.001 + index[:60] / 7, 6),
        "cost": 1.0,
    }
)
funding = bars.assign(open=np.where(index % 5 == 0, -0.000_125, 0.0001), high=0.0, low=0.0, close=0.0, volume=0.0)


def rows(frame):
    values = frame.assign(**{name: frame[name].astype("int64") // 10**6 for name in frame if str(frame[name].dtype).startswith("datetime")})
    return [[None if isinstance(cell, float) and math.isnan(cell) else cell for cell in row] for row in values.values.tolist()]


files = {}
for name, frame in {"bars": bars, "trades": trades, "funding": funding}.items():
    for compression in ["lz4", "zstd", "uncompressed"] if name == "bars" else ["lz4"]:
        packed = io.BytesIO()
        level = {"compression_level": 9} if compression != "uncompressed" else {}
        frame.to_feather(packed, compression=compression, **level)
        stored = pd.read_feather(io.BytesIO(packed.getvalue()))
        files[f"{name}-{compression}"] = {"feather": base64.b64encode(packed.getvalue()).decode(), "rows": rows(stored)}

text = json.dumps({"pandas": pd.__version__, "files": files}, separators=(",", ":"))
(Path(__file__).parent / "freqtrade-files.json").write_text(text + "\n")
