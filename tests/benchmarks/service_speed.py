"""Requests a second that ``recsys serve`` answers, and how long they take, by wrk on the same machine.

    python -m tests.benchmarks.service_speed --model model --seconds 10

Each service has one process and one core (taskset), wrk another. Users come at random: all of them, of a
service that keeps no answers, a thousand whose answers are kept, or all, their lists computed ahead.
New customers of 20 items each are folded in, and their answers are never kept. Each is measured as fast as
16 connections ask, and then at half that rate, requests coming by chance. Beside the clock stands what a
request takes of the service's core, which depends less on what else the machine does. implicit's ALS behind
the same web server is measured, too, and cornac's own server where cornac is installed (``--services``).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import recsys

_N_KEPT, _CONNECTIONS, _WARM_SECONDS = 1_000, 16, 3
_MOST_SECONDS_AHEAD = 300
_HEADERS = 'wrk.headers["content-type"] = "application/json"'


def _script(folder: Path, name: str, requests: list[str], delay: float) -> Path:
    """Write the requests of a run for wrk, in an order of chance; each waits for so many ms on average."""
    path = folder / f"{name}.lua"
    body = ",\n".join(requests)
    path.write_text(
        f"{_HEADERS}\nlocal all = {{\n{body}\n}}\nmath.randomseed(1)\n"
        "request = function() return all[math.random(#all)]() end\n"
        + (f"delay = function() return -math.log(1 - math.random()) * {delay} end\n" if delay else "")
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


def _requests(bundle: recsys.Bundle) -> dict[str, list[str]]:
    """Return what is asked, by name, as functions for wrk."""
    generator, items = random.Random(0), list(bundle.item_ids)
    users = [f'function() return wrk.format("GET", "/recommend/{user}?n=10") end' for user in bundle.user_ids]
    new = []
    for _ in range(5_000):
        body = json.dumps({"history": generator.sample(items, 20), "n": 10})
        new.append(f"function() return wrk.format('POST', '/recommend', nil, '{body}') end")
    kept = generator.sample(users, min(_N_KEPT, len(users)))
    of_cornac = [
        f'function() return wrk.format("GET", "/recommend?uid={user}&k=10&remove_seen=true") end'
        for user in bundle.user_ids
    ]
    return {
        "users, computed": users,
        "users, kept": kept,
        "users, ahead": users,
        "new customers": new,
        "users of cornac": of_cornac,
    }


def _wait_for_lists(address: str, n_users: int) -> float:
    """Return the seconds until the lists of all users are computed ahead."""
    began = time.monotonic()
    while time.monotonic() - began < _MOST_SECONDS_AHEAD:
        with urlopen(f"{address}/metrics") as page:
            counted = re.search(rb"recsys_ahead_total ([\d.]+)", page.read())
        if counted is not None and float(counted[1]) >= n_users:
            return time.monotonic() - began
        time.sleep(0.5)
    raise TimeoutError(f"the lists are not computed within {_MOST_SECONDS_AHEAD} s")


@contextmanager
def _running(command: list[str]) -> Iterator[tuple[str, int]]:
    """Run a service on a core of its own and give its address and its process."""
    service = subprocess.Popen(_on_core(0, command), stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    try:
        address = next(found[0] for line in service.stderr if (found := re.search(r"http://[\d.:]+", line)))
        yield address, service.pid
    finally:
        service.terminate()
        service.wait()
        service.stderr.close()


def _cpu_seconds(pid: int) -> float:
    """Return the seconds that a process has had of a core."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _mib(pid: int) -> float:
    """Return the resident memory of a process, in MiB."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1]) / 1024


def measure(model: Path, seconds: int, peer_port: int, services: list[str]) -> list[dict[str, object]]:
    """Return a record for each service, kind of request and rate."""
    bundle = recsys.load_bundle(model)
    asked, n_users = _requests(bundle), len(bundle.user_ids)
    ours = ["recsys_cli", "serve", str(model), "--port", "0", "--no-access-log"]
    peer = [str(model), str(peer_port)]
    computed = ["users, computed", "new customers"]
    plan = (
        ("recsys", [*ours, "--cache", "0"], computed),
        ("recsys", [*ours, "--ahead", "0"], ["users, kept"]),
        ("recsys", ours, ["users, ahead"]),
        ("implicit", ["tests.benchmarks.service_peer", *peer], computed),
        ("cornac", ["tests.benchmarks.service_peer_cornac", *peer], ["users of cornac"]),
    )
    records: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for service, command, kinds in plan:
            if service not in services:
                continue
            with _running([sys.executable, "-m", *command]) as (address, pid):
                if kinds == ["users, ahead"]:
                    seconds_ahead, cpu = _wait_for_lists(address, n_users), _cpu_seconds(pid)
                    waited = {"service": service, "ahead_s": seconds_ahead, "cpu_s": cpu, "mib": _mib(pid)}
                    print(json.dumps(waited), flush=True)
                for kind in kinds:

                    def measured(delay: float, seconds: int, kind: str = kind) -> dict[str, float]:
                        script, before = _script(Path(folder), "asked", asked[kind], delay), _cpu_seconds(pid)
                        figures = _measured(script, address, _CONNECTIONS, seconds)
                        n_requests = figures["requests_per_second"] * seconds
                        return {**figures, "cpu_ms": 1e3 * (_cpu_seconds(pid) - before) / n_requests}

                    measured(0.0, _WARM_SECONDS)
                    full = measured(0.0, seconds)
                    # So long a wait before each request of a connection makes half of the rate.
                    half = measured(2e3 * _CONNECTIONS / full["requests_per_second"], seconds)
                    for rate, figures in (("full", full), ("half", half)):
                        records.append({"service": service, "requests": kind, "rate": rate, **figures})
                        print(json.dumps(records[-1]), flush=True)
    return records


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--peer-port", type=int, default=8_765, help="Where implicit's ALS listens.")
    has_cornac = importlib.util.find_spec("cornac") is not None
    services = ["recsys", "implicit", *(["cornac"] if has_cornac else [])]
    parser.add_argument("--services", nargs="+", default=services, choices=["recsys", "implicit", "cornac"])
    options = parser.parse_args()
    measure(options.model, options.seconds, options.peer_port, options.services)


if __name__ == "__main__":
    main()
