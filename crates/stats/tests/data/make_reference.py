"""Writes the reference tables beside this file.

    python3 -m venv /tmp/reference
    /tmp/reference/bin/pip install numpy==2.4.6 scipy==1.17.1 pymannkendall ruptures
    /tmp/reference/bin/python crates/stats/tests/data/make_reference.py

seed1_percentiles.json and inclusive_percentiles.json are not made here: they
are conformance vectors taken from the systems this project replaces.
"""
import json
import math
import pathlib
import random
import statistics
import struct

import numpy as np
import pymannkendall
import ruptures
from scipy import stats

HERE = pathlib.Path(__file__).parent
rng = random.Random(20251120)


def write(name, table):
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in table)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


def any_float():
    """Any finite double, all exponents alike."""
    while True:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        if math.isfinite(value):
            return value


def rounding():
    rows = []
    for _ in range(1000):
        digits = rng.choice([0, 1, 2, 2, 2, 3, 4, 6])
        kind = rng.randrange(4)
        if kind == 0:  # as close to a tie as a double comes
            value = float(f"{rng.randrange(100000)}.{rng.randrange(10 ** digits):0{digits}d}5") if digits else rng.randrange(10000) + 0.5
        elif kind == 1:  # exact ties in binary
            value = rng.randrange(1 << 20) / 2 ** rng.randrange(1, 8)
        elif kind == 2:
            value = rng.lognormvariate(2, 3)
        else:
            value = any_float()
        value = math.copysign(value, rng.choice([1, 1, -1]))
        rows.append([value, digits, round(value, digits)])
    return rows


def sums():
    rows = []
    for index in range(60):
        count = rng.choice([1, 2, 3, 7, 20])
        if index % 3 == 0:
            data = [rng.lognormvariate(3, 1) for _ in range(count)]
        elif index % 3 == 1:
            data = [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30) for _ in range(count)]
        else:  # small and subnormal
            data = [math.ldexp(rng.uniform(-1, 1), rng.randrange(-1080, -1000)) for _ in range(count)]
        rows.append({
            "data": data,
            "fsum": math.fsum(data),
            "mean": statistics.mean(data),
            "std": float(np.std(data)),
            "quantiles": [float(v) for v in np.quantile(data, [0, 0.25, 0.5, 0.9, 0.95, 0.99, 1])],
        })
    return rows


def trends():
    rows = []
    for count in [3, 4, 8, 20, 50]:
        for kind in ["noise", "rise", "ties", "tied_x"]:
            x = sorted(rng.uniform(0, 30) for _ in range(count))
            y = [rng.gauss(10, 2) for _ in x]
            if kind == "rise":
                y = [v + 0.5 * at for v, at in zip(y, x)]
            if kind in ("ties", "tied_x"):
                y = [float(round(v)) for v in y]
            if kind == "tied_x":
                x = [float(round(at / 3)) for at in x]
            if len(set(x)) < 2:
                continue
            line = stats.theilslopes(y, x)
            kendall = pymannkendall.original_test(y)
            rows.append({
                "x": x, "y": y,
                "slope": float(line.slope), "intercept": float(line.intercept),
                "low": float(line.low_slope), "high": float(line.high_slope),
                "s": int(kendall.s), "tau": float(kendall.Tau), "p": float(kendall.p),
            })
    return rows


def comparisons():
    rows = []
    for left, right in [(2, 2), (3, 8), (8, 8), (8, 5), (20, 20), (21, 30), (50, 200), (300, 200)]:
        for shift, tied in [(0, False), (0.3, False), (1.5, True), (-4, False)]:
            a = [round(rng.gauss(10, 1), 3) for _ in range(left)]
            b = [round(rng.gauss(10 + shift, 2), 3) for _ in range(right)]
            if tied:
                a, b = [float(round(v)) for v in a], [float(round(v)) for v in b]
            if len(set(a)) < 2 or len(set(b)) < 2:
                continue
            ties = len(set(a + b)) < left + right
            exact = not ties and max(left, right) <= 20
            welch = stats.ttest_ind(b, a, equal_var=False)
            rank = stats.mannwhitneyu(b, a, method="exact" if exact else "asymptotic")
            rows.append({
                "a": a, "b": b,
                "t": float(welch.statistic), "degrees": float(welch.df), "t_p": float(welch.pvalue),
                "u": float(rank.statistic), "u_p": float(rank.pvalue),
                "delta": 2 * float(rank.statistic) / (left * right) - 1,
            })
    return rows


def outliers():
    rows = []
    for count in [3, 4, 10, 101]:
        data = [round(rng.lognormvariate(2, 1), 4) for _ in range(count)]
        rows.append({
            "data": data,
            "median": float(np.median(data)),
            "mad": float(stats.median_abs_deviation(data)),
            "q1": float(np.quantile(data, 0.25)), "q3": float(np.quantile(data, 0.75)),
            "z_of_max": float(0.6745 * (max(data) - np.median(data)) / stats.median_abs_deviation(data)),
        })
    return rows


def shifts():
    rows = []
    for levels in [[10], [10, 14], [10, 14, 9], [10, 13, 30, 2], [1, 1, 1, 5]]:
        for least, penalty in [(2, 10.0), (5, 20.0), (10, 60.0)]:
            data = [round(rng.gauss(level, 1), 3) for level in levels for _ in range(rng.randrange(12, 40))]
            # Dynp is exhaustive for a given number of shifts: the best of all is
            # what PELT must find.
            signal = np.array(data).reshape(-1, 1)
            cost = ruptures.costs.CostL2().fit(signal)
            best = (cost.error(0, len(data)), [])
            for number in range(1, min(8, len(data) // least)):
                found = ruptures.Dynp(model="l2", min_size=least, jump=1).fit(signal).predict(number)
                total = sum(cost.error(s, e) for s, e in zip([0] + found[:-1], found)) + penalty * number
                if total < best[0]:
                    best = (total, [int(e) for e in found[:-1]])
            rows.append({"data": data, "min_segment": least, "penalty": penalty, "shifts": best[1]})
    return rows


def proportions():
    rows = []
    for _ in range(60):
        sizes = [rng.choice([1, 3, 20, 300, 5000, 2_000_000]) for _ in range(2)]
        rate = rng.choice([0, 0.001, 0.02, 0.5, 0.97, 1])
        up = rng.choice([0, 0, 0.1])
        (a, n), (b, m) = [(sum(rng.random() < r for _ in range(s)) if s < 10_000 else round(s * r), s)
                          for s, r in zip(sizes, [rate, min(1, rate + up)])]
        table = [[b, m - b], [a, n - a]]
        rows.append({
            "first": [a, n], "second": [b, m],
            "greater": float(stats.fisher_exact(table, alternative="greater").pvalue),
            "less": float(stats.fisher_exact(table, alternative="less").pvalue),
        })
    return rows


def adjustments():
    """Holm by its definition (R's p.adjust does the same), Benjamini-Hochberg by
    scipy; values that were looked at and are not in the list count as 1."""
    rows = []
    for count in [1, 2, 5, 40]:
        for more in [0, 3, 500]:
            values = [round(rng.random() ** 4, rng.choice([2, 9])) for _ in range(count)]
            padded = values + [1.0] * more
            order = sorted(range(count), key=lambda at: values[at])
            holm, most = [0.0] * count, 0.0
            for rank, at in enumerate(order):
                most = max(most, min(1.0, values[at] * (len(padded) - rank)))
                holm[at] = most
            bh = stats.false_discovery_control(padded, method="bh")[:count]
            rows.append({"values": values, "looked": len(padded), "holm": holm, "bh": [float(v) for v in bh]})
    return rows


write("rounding.json", rounding())
write("sums.json", sums())
write("trends.json", trends())
write("comparisons.json", comparisons())
write("outliers.json", outliers())
write("shifts.json", shifts())
write("proportions.json", proportions())
write("adjustments.json", adjustments())
