"""A service under load for long: its memory stays as it is, and new bundles take over without a failure.

    python -m tests.stress.service requests 100000
    python -m tests.stress.service reloads 1000

The first sends requests of every kind, good and bad, of four connections, to a service that keeps fewer
answers than there are users. The second saves two bundles in turn to one place, each as soon as the one
before has taken over, while three connections ask. Memory (VmRSS, in KiB) is read after a tenth, by when
caches are full, in the middle and at the end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import recsys
from tests.matrices import random_matrix

_N_USERS, _N_ITEMS = 300, 80
_KEPT = 100  # answers, fewer than users
_PATIENCE = 60.0  # seconds for a bundle to take over


def _bundle(seed: int) -> recsys.Bundle:
    data = recsys.Interactions.from_matrix(random_matrix(_N_USERS, _N_ITEMS, density=0.1, seed=seed))
    return recsys.Bundle.of(recsys.HybridNMF(8).fit(data), data)


class Service:
    """A service in a process of its own; a context manager."""

    def __init__(self, model: Path, *options: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "RECSYS_SERVE_TOKEN"}
        command = [sys.executable, "-m", "recsys_cli", "serve", str(model), "--port", "0", "--no-access-log"]
        root = Path(__file__).parents[2]
        environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "cli")])
        self._process = subprocess.Popen(
            [*command, *options], stderr=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Service:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            message = json.loads(line)["message"]
            if "running on" in message:
                self.port = int(message.split()[3].rpartition(":")[2])
                # Read on, or the service would wait for its log to be taken.
                self._reader = threading.Thread(target=self._process.stderr.read)
                self._reader.start()
                return self
        raise RuntimeError("the service has ended without an address")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=60)
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        assert code == 0, f"the service ended with {code}"

    @property
    def memory(self) -> int:
        """Resident memory in KiB."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError("the service has ended")


class Client:
    """One connection, and the questions that it asks by chance."""

    def __init__(self, port: int, seed: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._random = random.Random(seed)

    def ask(self) -> bool:
        """Ask something and return whether the answer is as it should be."""
        user, item = self._random.randrange(_N_USERS), self._random.randrange(_N_ITEMS)
        history = [self._random.randrange(_N_ITEMS) for _ in range(5)]
        questions: list[tuple[str, Any, int]] = [
            (f"/recommend/{user}", None, 200),
            (f"/recommend/new-{self._random.random()}", None, 200),
            (f"/similar/{item}", None, 200),
            (f"/users/{user}", None, 200),
            (f"/items?q={item}", None, 200),
            ("/recommend", {"history": history, "rules": {"exclude": [item]}}, 200),
            ("/recommend", {"user": user, "history": history, "include_seen": True}, 200),
            (f"/similar/nothing-{self._random.random()}", None, 404),
            ("/recommend", {"history": [f"nothing-{item}"]}, 422),
            (f"/nowhere-{self._random.random()}", None, 404),
        ]
        path, body, expected = self._random.choice(questions)
        return self.get(path, body)[0] == expected

    def get(self, path: str, body: Any = None) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        sent = None if body is None else json.dumps(body)
        headers = {} if body is None else {"content-type": "application/json"}
        self._connection.request("GET" if body is None else "POST", path, sent, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


def _in_threads(
    port: int, n_threads: int, go_on: Callable[[], bool]
) -> tuple[list[threading.Thread], list[str]]:
    """Let so many connections ask for as long as they should; return the threads and what failed."""
    failed: list[str] = []

    def run(seed: int) -> None:
        client = Client(port, seed)
        try:
            while go_on():
                if not client.ask():
                    failed.append("another status than expected")
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
        finally:
            client.close()

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(n_threads)]
    for thread in threads:
        thread.start()
    return threads, failed


def many_requests(n: int) -> dict[str, int]:
    """Send n requests and return what was counted."""
    readings: list[int] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        recsys.save_bundle(_bundle(0), Path(folder) / "model")
        with Service(Path(folder) / "model", "--cache", str(_KEPT), "--reload", "0") as service:
            for n_asked in (n // 10, n // 2 - n // 10, n - n // 2):
                left = iter(range(n_asked))
                lock = threading.Lock()

                def go_on(left: Any = left, lock: Any = lock) -> bool:
                    with lock:
                        return next(left, None) is not None

                threads, more = _in_threads(service.port, 4, go_on)
                for thread in threads:
                    thread.join()
                failed += more
                readings.append(service.memory)
    return {"requests": n, "failed": len(failed), **_memory(readings)}


def many_reloads(n: int) -> dict[str, int]:
    """Let n bundles take over under load and return what was counted."""
    bundles = [_bundle(0), _bundle(1)]
    digests = [str(bundle.training["digest"])[:12] for bundle in bundles]
    readings: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        model, n_asked, ended = Path(folder) / "model", [0], threading.Event()
        recsys.save_bundle(bundles[0], model)

        def go_on() -> bool:
            n_asked[0] += 1
            return not ended.is_set()

        with Service(model, "--cache", str(_KEPT), "--reload", "0.01") as service:
            threads, failed = _in_threads(service.port, 3, go_on)
            watcher = Client(service.port, 0)
            try:
                for number in range(1, n + 1):
                    recsys.save_bundle(bundles[number % 2], model)
                    _wait_for(watcher, digests[number % 2])
                    if number in (max(n // 10, 1), n // 2, n):
                        readings.append(service.memory)
                counted = watcher.get("/metrics")[1].decode()
            finally:
                ended.set()
                for thread in threads:
                    thread.join()
                watcher.close()
    done = next(
        line for line in counted.splitlines() if line.startswith('recsys_reloads_total{outcome="done"}')
    )
    n_done = int(float(done.split()[1]))
    return {"reloads": n_done, "requests": n_asked[0], "failed": len(failed), **_memory(readings)}


def _wait_for(client: Client, digest: str) -> None:
    until = time.monotonic() + _PATIENCE
    while json.loads(client.get("/readyz")[1])["digest"] != digest:
        if time.monotonic() > until:
            raise RuntimeError(f"the bundle of {digest} did not take over in {_PATIENCE:g} s")
        time.sleep(0.005)


def _memory(readings: list[int]) -> dict[str, int]:
    return {
        "memory_at_first": readings[0],
        "memory_midway": readings[len(readings) // 2],
        "memory_at_last": readings[-1],
    }


def main() -> None:
    """Run one of the two and print what it counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["requests", "reloads"])
    parser.add_argument("n", type=int)
    options = parser.parse_args()
    began = time.monotonic()
    counted = (many_requests if options.what == "requests" else many_reloads)(options.n)
    print("\n".join(f"{number} {name}" for name, number in counted.items()))
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
