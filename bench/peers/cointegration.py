"""The peer of `npm run bench -- pairs`. Reads FOLDER/job.json and FOLDER/columns.f64 (doubles, a column after the other), prints one JSON document:
CPU time a pair of statsmodels' coint (constant, lags by AIC), without what the first call takes to warm up, and its statistics."""
import json
import pathlib
import sys
import time
import warnings

import numpy
from statsmodels.tsa.stattools import coint

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
columns = numpy.fromfile(folder / "columns.f64").reshape(job["columns"], job["rows"])

coint(columns[0][:500], columns[1][:500])
statistics = []
start = time.process_time()
for one, other in job["pairs"]:
    statistics.append(float(coint(columns[one], columns[other], trend="c", autolag="aic")[0]))
print(json.dumps({"cpuMs": 1000 * (time.process_time() - start) / len(statistics), "statistics": statistics}))
