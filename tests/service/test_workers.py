"""Several processes answer as one: they count together, and each takes over a new bundle."""

import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.service.test_reload import saved, start

N_WORKERS = 2


def until(holds, seconds=60):
    """Wait until something holds; a service that is about to answer refuses connections."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if holds():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"{holds} did not hold within {seconds} s")


@pytest.mark.slow
def test_workers_count_together_take_over_are_replaced_and_end_well(tmp_path):
    folder = tmp_path / "model"
    first = saved(folder, 0)
    process, address = start(folder, "--workers", str(N_WORKERS), "--reload", "0.1", "--no-access-log")

    def asked(path):
        with urllib.request.urlopen(f"{address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def answering():
        """Return how many processes answer with a bundle, by its digest."""
        rows = re.findall(r'recsys_model_info{digest="(\w+)".*} (\d)', asked("/metrics"))
        return {digest: int(count) for digest, count in rows}

    try:
        until(lambda: answering() == {first: N_WORKERS})
        expected = asked("/recommend/3?n=5")
        assert {asked("/recommend/3?n=5") for _ in range(19)} == {expected}
        counted = re.search(
            r'requests_total{route="/recommend/{user:path}",status="200"} (\S+)', asked("/metrics")
        )
        assert float(counted[1]) == 20
        second = saved(folder, 1)
        until(lambda: answering() == {first: 0, second: N_WORKERS})
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        workers = [int(pid) for pid in children.split()][-N_WORKERS:]
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: answering()[second] == N_WORKERS - 1)
        until(lambda: answering()[second] == N_WORKERS)
        process.send_signal(signal.SIGTERM)
        log = [json.loads(line) for line in process.stderr.read().splitlines()]
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.stderr.close()
    assert log[-1]["message"] == "stopped"
    assert len({line["process"] for line in log}) == N_WORKERS + 2  # its own, and one replaced
