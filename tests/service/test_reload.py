"""A new bundle takes over without a request lost; a damaged one does not."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import recsys
from recsys.service.metrics import Metrics
from recsys.service.serving import Serving
from tests.matrices import random_matrix

ROOT = Path(__file__).parents[2]


def saved(folder, seed):
    data = recsys.Interactions.from_matrix(random_matrix(30, 20, seed=seed))
    bundle = recsys.Bundle.of(recsys.Popularity().fit(data), data)
    recsys.save_bundle(bundle, folder)
    return bundle.training["digest"][:12]


def test_a_new_bundle_takes_over_and_a_damaged_one_is_refused(tmp_path, caplog):
    folder, metrics = tmp_path / "model", Metrics()
    first = saved(folder, 1)
    serving = Serving(folder, 10, metrics)
    before = serving.now
    before.answers.put("asked", b"answer")
    assert not serving.look()
    assert serving.now is before
    second = saved(folder, 2)
    assert serving.look()
    assert serving.now.digest == second != first
    assert serving.now.answers.get("asked") is None, "answers of the old bundle must not outlive it"
    assert before.bundle.recommend([1]).users == (1,), "who began with the old bundle ends with it"
    now = serving.now
    record = folder / "model.json"
    record.write_text(record.read_text().replace("popularity", "item-knn"))
    assert not serving.look()
    assert serving.now is now
    assert "the new bundle is refused, the old one goes on" in caplog.text
    assert not serving.look(), "it is tried once"
    assert b'recsys_reloads_total{outcome="refused"} 1.0' in metrics.text()
    assert second.encode() in metrics.text()
    assert first.encode() not in metrics.text()
    third = saved(folder, 3)
    assert serving.look()
    assert serving.now.digest == third
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert not serving.look()
    assert serving.now.digest == third


def start(folder, *options):
    command = [sys.executable, "-m", "recsys_cli", "serve", str(folder), "--port", "0", *options]
    path = os.pathsep.join([str(ROOT), str(ROOT / "cli")])
    environment = {**os.environ, "PYTHONPATH": path, "RECSYS_SERVE_TOKEN": ""}
    environment.pop("RECSYS_SERVE_TOKEN")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if "running on" in lines[-1]["message"]:
            return process, lines[-1]["message"].split()[3]
    raise AssertionError(lines)


def test_requests_under_reloads_are_all_answered_and_the_process_ends_well(tmp_path):
    folder = tmp_path / "model"
    digests = {saved(folder, 0)}
    process, address = start(folder, "--reload", "0.05", "--no-access-log")
    seen, failed, ended = set(), [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                with urllib.request.urlopen(f"{address}/recommend/3?n=5", timeout=30) as answer:
                    assert len(json.load(answer)["items"]) == 5
                with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
                    seen.add(json.load(answer)["digest"])
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for seed in range(1, 6):
            digests.add(saved(folder, seed))
            time.sleep(0.3)
        ended.set()
        for thread in threads:
            thread.join()
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read()
        assert process.wait(timeout=30) == 0
    finally:
        ended.set()
        process.kill()
        process.stderr.close()
    assert failed == []
    assert len(seen) > 1
    assert seen <= digests
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    assert lines[-1]["message"] == "stopped"


def test_a_version_that_comes_into_use_takes_over(tmp_path):
    first, second = saved(tmp_path / "one", 1), saved(tmp_path / "two", 2)
    recsys.promote(tmp_path / "one", tmp_path / "models")
    serving = Serving(tmp_path / "models", 10, Metrics())
    assert serving.now.digest == first
    assert not serving.look()
    recsys.promote(tmp_path / "two", tmp_path / "models", keep=1)
    assert serving.look()
    assert serving.now.digest == second
    (tmp_path / "models" / "current").write_text("nothing\n")
    assert not serving.look()
    assert serving.now.digest == second
