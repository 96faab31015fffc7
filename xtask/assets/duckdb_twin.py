"""DuckDB's exact quantiles by kind and name over a sealed home, timed.

    duckdb_twin.py HOME [--rows]

Prints one JSON object: seconds of the query (median of five, after one warm-up),
DuckDB's version, and with --rows the quantiles, for checks of agreement.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import duckdb

QUERY = """
    select event_type, name, count(*) as n,
           quantile_cont(duration_ms, [0.5, 0.95, 0.99]) as quantiles
    from read_parquet(?, hive_partitioning = true, union_by_name = true)
    where duration_ms is not null
    group by event_type, name
    order by event_type, name
"""


def main() -> None:
    home = Path(sys.argv[1])
    files = str(home / "segments" / "**" / "*.parquet")
    connection = duckdb.connect()
    rows = connection.execute(QUERY, [files]).fetchall()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        connection.execute(QUERY, [files]).fetchall()
        times.append(time.perf_counter() - start)
    answer = {"seconds": statistics.median(times), "version": duckdb.__version__}
    if "--rows" in sys.argv[2:]:
        answer["rows"] = [
            {"event_type": kind, "name": name, "count": n, "quantiles": quantiles}
            for kind, name, n, quantiles in rows
        ]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
