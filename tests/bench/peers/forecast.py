"""Forecasts series with the peers' own libraries.

Reads one JSON object per line from standard input: {"id", "season", "step_seconds",
"horizon", "values"}; writes one per peer and series: {"peer", "id", "seconds" of
processor time, "mean"} or {"peer", "id", "error"}. Each peer runs with its defaults;
only the season is told. Arguments are the names of peers; without any, all run.
"""

import json
import logging
import os
import sys
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import numpy as np
import pandas as pd
from augurs import MSTL
from prophet import Prophet
from statsforecast.models import AutoARIMA, AutoCES, AutoETS, AutoMFLES, SeasonalExponentialSmoothingOptimized
from statsmodels.tsa.holtwinters import ExponentialSmoothing


def prophet(s):
    frequency = pd.Timedelta(seconds=s["step_seconds"])
    stamps = pd.date_range("2026-01-05", periods=len(s["values"]), freq=frequency)
    model = Prophet()
    model.fit(pd.DataFrame({"ds": stamps, "y": s["values"]}))
    future = pd.DataFrame({"ds": stamps[-1] + frequency * np.arange(1, s["horizon"] + 1)})
    return model.predict(future)["yhat"]


def auto_arima(s):
    return AutoARIMA(season_length=s["season"]).forecast(np.array(s["values"]), s["horizon"])["mean"]


def auto_ets(s):
    return AutoETS(season_length=s["season"]).forecast(np.array(s["values"]), s["horizon"])["mean"]


def auto_ces(s):
    return AutoCES(season_length=s["season"]).forecast(np.array(s["values"]), s["horizon"])["mean"]


def auto_mfles(s):
    model = AutoMFLES(season_length=[s["season"]], test_size=s["horizon"])
    return model.forecast(np.array(s["values"]), s["horizon"])["mean"]


def seasonal_es(s):
    model = SeasonalExponentialSmoothingOptimized(season_length=s["season"])
    return model.forecast(np.array(s["values"]), s["horizon"])["mean"]


def augurs_mstl(s):
    model = MSTL.ets([s["season"]])
    model.fit(np.array(s["values"]))
    return model.predict(s["horizon"], None).point()


def holt_winters(s):
    model = ExponentialSmoothing(s["values"], trend="add", damped_trend=True, seasonal="add", seasonal_periods=s["season"])
    return model.fit().forecast(s["horizon"])


PEERS = {
    "Prophet": prophet,
    "statsforecast AutoARIMA": auto_arima,
    "statsforecast AutoETS": auto_ets,
    "statsforecast AutoCES": auto_ces,
    "statsforecast AutoMFLES": auto_mfles,
    "statsforecast SeasonalES": seasonal_es,
    "augurs MSTL": augurs_mstl,
    "statsmodels Holt-Winters": holt_winters,
}


def processor_seconds():
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def main():
    every = [json.loads(line) for line in sys.stdin]
    # What is compiled on first use is not part of a forecast.
    first = {"season": 4, "step_seconds": 3600, "horizon": 4, "values": [float(i % 4 + i % 3) for i in range(80)]}
    for name in sys.argv[1:] or PEERS:
        forecast = PEERS[name]
        forecast(first)
        for s in every:
            begun = processor_seconds()
            answer = {"peer": name, "id": s["id"]}
            try:
                answer["mean"] = [float(v) for v in forecast(s)]
            except Exception as error:  # a peer that fails on a series is told, not hidden
                answer["error"] = str(error)
            answer["seconds"] = processor_seconds() - begun
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
