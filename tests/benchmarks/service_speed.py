"""Requests a second that ``recsys serve`` answers, and how long they take, by wrk on the same machine.

    python -m tests.benchmarks.service_speed --model model --seconds 10

The service has one process, one thread and one core (taskset), wrk another. Users come at random. A first run
computes most answers, for nothing is kept then; the second finds most of them kept. New customers of 20 items
each are folded in, and their answers are never kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import recsys

_HEADERS = 'wrk.headers["content-type"] = "application/json"'


def _script(folder: Path, name: str, requests: list[str]) -> Path:
    """Write the requests of a run for wrk, in an order of chance."""
    path = folder / f"{name}.lua"
    body = ",\n".join(requests)
    path.write_text(
        f"{_HEADERS}\nlocal all = {{\n{body}\n}}\nmath.randomseed(1)\n"
        "request = function() return all[math.random(#all)]() end\n"
    )
    return path


def _measured(script: Path, address: str, connections: int, seconds: int) -> dict[str, float]:
    """Run wrk and return requests a second, two percentiles in milliseconds, and how many failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    text = subprocess.run(_on_core(1, command), capture_output=True, text=True, check=True).stdout
    to_ms = {"us": 1e-3, "ms": 1.0, "s": 1e3}

    def time_of(label: str) -> float:
        number, unit = re.search(rf"{label}\s+([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
        return float(number) * to_ms[unit]

    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None, text
    return {
        "requests_per_second": float(rate[1]),
        "p50_ms": time_of("50%"),
        "p99_ms": time_of("99%"),
        "failed": int(failed[1]) if failed else 0,
    }


def _on_core(core: int, command: list[str]) -> list[str]:
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core % len(cores)]), *command] if shutil.which("taskset") else command


def measure(model: Path, seconds: int) -> list[dict[str, object]]:
    """Return a record for each kind of request and number of connections."""
    bundle = recsys.load_bundle(model)
    generator = random.Random(0)
    items = list(bundle.item_ids)
    users = [f'function() return wrk.format("GET", "/recommend/{user}?n=10") end' for user in bundle.user_ids]
    new = []
    for _ in range(5_000):
        body = json.dumps({"history": generator.sample(items, 20), "n": 10})
        new.append(f"function() return wrk.format('POST', '/recommend', nil, '{body}') end")
    command = [sys.executable, "-m", "recsys_cli", "serve", str(model), "--port", "0", "--no-access-log"]
    service = subprocess.Popen(_on_core(0, command), stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    address = next(found[0] for line in service.stderr if (found := re.search(r"http://[\d.:]+", line)))
    records = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, requests in (("users, first", users), ("users, again", users), ("new customers", new)):
                script = _script(Path(folder), name.replace(", ", "-"), requests)
                for connections in (16, 1):
                    measured = _measured(script, address, connections, seconds)
                    records.append({"requests": name, "connections": connections, **measured})
                    print(json.dumps(records[-1]), flush=True)
    finally:
        service.terminate()
        service.wait()
    return records


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    measure(options.model, options.seconds)


if __name__ == "__main__":
    main()
