"""Check what a demo says and wrote: `recsys demo --json > record.json`, then this file with `record.json`."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

record = json.loads(Path(sys.argv[1]).read_text())
for path in record["files"].values():
    assert Path(path).exists(), path
lists = pq.read_table(record["files"]["recommendations_parquet"]).to_pandas()
assert lists.groupby("user").size().max() == 10
assert not lists.duplicated(["user", "item"]).any()
assert not record["peak_memory_bytes"] or record["peak_memory_bytes"] < 2 * 2**30
assert {result["model"] for result in record["results"]} == {"hybrid-nmf", "als", "popularity"}
for result in record["results"]:
    assert all(0 <= value <= 1 for value in result["metrics"].values()), result
print(f"demo: {record['seconds']['total']:.1f} s, {record['peak_memory_bytes'] / 2**20:.0f} MiB")
