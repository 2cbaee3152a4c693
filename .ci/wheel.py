"""Show that an installed wheel works on its own: the doctor, the demo, a config that travelled with it.

Runs in an empty folder, with the Python of the environment that the wheel is installed in.
"""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

import recsys

PROGRAM = str(Path(sys.executable).with_name("recsys"))


def run(*arguments):
    """Run the command line and return what it prints for programs."""
    done = subprocess.run([PROGRAM, *arguments, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


assert Path(recsys.__file__).is_relative_to(sys.prefix), recsys.__file__
assert run("doctor")["ok"]

rows = [f"u{u},i{i},{1 + (u + i) % 5}" for u in range(20) for i in range(15) if (u * i) % 3]
Path("log.csv").write_text("user,item,rating\n" + "\n".join(rows) + "\n")
assert run("train", "log.csv", "--out", "model")["model"] == "hybrid-nmf"
assert run("recommend", "model", "--user", "u4", "-n", "2")["lists"][0]["source"] == "model"
result = run("evaluate", "log.csv", "--config", "ml-100k-masked-nmf.toml", "--metrics", "rmse")
assert result["config"]["n_components"] == 256

record = run("demo", "--out", "demo")
for path in record["files"].values():
    assert Path(path).exists(), path
lists = pq.read_table(record["files"]["recommendations_parquet"]).to_pandas()
assert lists.groupby("user").size().max() == 10
assert not lists.duplicated(["user", "item"]).any()
assert not record["peak_memory_bytes"] or record["peak_memory_bytes"] < 2 * 2**30
assert {result["model"] for result in record["results"]} == {"hybrid-nmf", "als", "popularity"}
for result in record["results"]:
    assert all(0 <= value <= 1 for value in result["metrics"].values()), result
print(f"demo on the wheel: {record['seconds']['total']:.1f} s, {record['peak_memory_bytes'] / 2**20:.0f} MiB")
