"""Writes public labelled series as OUT/SET/NAME.csv (timestamp, value, label) for
`bench labelled` and `bench left-out`. Their licences do not all allow copies, so
that they are fetched and not part of this repository.

    python3 tests/bench/datasets/labelled.py OUT [NAME=URL ...]

NAME=URL takes a source from elsewhere, such as a local clone:

    aiops, wsd  KPIs of the AIOps challenge of 2018, web services of WSD (ISSRE 2022)
    microsoft   Microsoft's cloud monitoring dataset
"""
import array
import ast
import csv
import io
import os
import struct
import subprocess
import sys
import tempfile

SOURCES = {
    "kpi": "https://github.com/CSTCloudOps/datasets",
    "microsoft": "https://github.com/microsoft/cloud-monitoring-dataset",
}
DAYS = 35  # of each series at most
EACH = {"AIOPS": 1, "WSD": 5}  # takes each so-many-th


class Source:
    """The files of a Git repository at its head."""

    def __init__(self, url):
        self.folder = url
        if "://" in url:
            self.folder = tempfile.mkdtemp()
            self.git("clone", "--quiet", "--depth=1", "--bare", url, self.folder, inside=False)
        self.names = self.git("ls-tree", "-r", "--name-only", "HEAD").decode().splitlines()

    def git(self, *arguments, inside=True):
        before = ["git", "--git-dir", self.folder] if inside else ["git"]
        return subprocess.run(before + list(arguments), check=True, stdout=subprocess.PIPE).stdout

    def read(self, name):
        return self.git("show", f"HEAD:{name}")

    def text(self, name):
        return self.read(name).decode()


def numbers(raw):
    """The numbers of a one-dimensional array in NumPy's format."""
    length = struct.unpack("<H", raw[8:10])[0]
    header = ast.literal_eval(raw[10:10 + length].decode())
    values = array.array({"<f8": "d", "<i8": "q", "<f4": "f", "<i4": "i"}[header["descr"]])
    values.frombytes(raw[10 + length:])
    return list(values)


def write(out, group, name, rows):
    os.makedirs(f"{out}/{group}", exist_ok=True)
    with open(f"{out}/{group}/{name}.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["timestamp", "value", "label"])
        table.writerows(rows)


def kpi(source, out):
    for group, each in EACH.items():
        ids = sorted({n.split("/")[2] for n in source.names if n.startswith(f"UTS/{group}/")}, key=lambda i: (len(i), i))
        for one in ids[::each]:
            times, values, labels = [], [], []
            for part in "train", "test":
                base = f"UTS/{group}/{one}/{part}"
                times += numbers(source.read(f"{base}_timestamp.npy"))
                values += numbers(source.read(f"{base}.npy"))
                labels += numbers(source.read(f"{base}_label.npy"))
            most = int(DAYS * 86400 / (times[1] - times[0]))
            write(out, group.lower(), one, [(int(t), v, int(l)) for t, v, l in list(zip(times, values, labels))[:most]])


def microsoft(source, out):
    for name in sorted(n for n in source.names if n.startswith("data/") and n.endswith(".csv")):
        rows = list(csv.reader(io.StringIO(source.text(name))))[1:]
        write(out, "microsoft", os.path.basename(name)[:-4], [(r[0].replace(" ", "T"), r[1], r[2]) for r in rows])


def main():
    sources = dict(SOURCES, **dict(one.split("=", 1) for one in sys.argv[2:]))
    for name, convert in ("kpi", kpi), ("microsoft", microsoft):
        convert(Source(sources[name]), sys.argv[1])


main()
