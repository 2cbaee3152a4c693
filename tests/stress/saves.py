"""Saves that are killed, and writers and readers of one place at once.

python -m tests.stress.saves kills 200
python -m tests.stress.saves crowd 1000
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from recsys.data.interactions import Interactions
from recsys.errors import OutputError
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix

SEEDS = (1, 2)


def bundles() -> dict[int, Bundle]:
    """Return bundles of two models that differ in their seed alone."""
    data = Interactions.from_matrix(random_matrix(60, 40))
    params = {"n_components": 3, "max_iter": 2}
    return {
        seed: Bundle.of(make("masked-nmf", {**params, "random_state": seed}).fit(data), data)
        for seed in SEEDS
    }


def forked(work: Callable[[], None]) -> int:
    """Run work in a child of this process, which ends with 0 if it did not raise."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def check(folder: Path, made: dict[int, Bundle]) -> int:
    """Return the seed of the bundle at a place after comparing all of it with the one that was saved."""
    bundle = load_bundle(folder)
    seed = int(bundle.model.get_params()["random_state"])
    for name, array in made[seed].model.to_arrays().items():
        assert array.tobytes() == bundle.model.to_arrays()[name].tobytes(), name
    return seed


def kills(n: int, folder: Path) -> dict[str, int]:
    """Kill a process that saves over an older bundle, ``n`` times; count what was seen of each kind."""
    made = bundles()
    place = folder / "model"
    save_bundle(made[1], place)
    rng = random.Random(0)
    began = time.perf_counter()
    save_bundle(made[1], place)
    longest = max(3 * (time.perf_counter() - began), 0.3)  # a child takes a while to begin
    seen = {"old": 0, "new": 0, "leftovers": 0}

    def saving() -> None:
        seed = 1
        while True:
            seed = 3 - seed
            save_bundle(made[seed], place)

    for _ in range(n):
        before = check(place, made)
        child = forked(saving)
        time.sleep(rng.uniform(0.001, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        seen["old" if check(place, made) == before else "new"] += 1
        seen["leftovers"] += len(list(folder.iterdir())) > 1
    save_bundle(made[1], place)
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["model"], left
    return seen


def crowd(n_rounds: int, folder: Path, *, n_writers: int = 2, n_readers: int = 10) -> dict[str, int]:
    """Let writers replace a bundle again and again while readers load it; every load must be whole."""
    made = bundles()
    place = folder / "model"
    save_bundle(made[1], place)
    stop = folder / "stop"

    def write() -> None:
        for number in range(n_rounds):
            save_bundle(made[1 + number % 2], place)

    def read() -> None:
        n_reads = 0
        while not stop.exists() or not n_reads:
            check(place, made)
            n_reads += 1
        (folder / f"reads-{os.getpid()}").write_text(str(n_reads))

    readers = [forked(read) for _ in range(n_readers)]
    writers = [forked(write) for _ in range(n_writers)]
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in writers)
    stop.touch()
    failed += sum(os.waitpid(child, 0)[1] != 0 for child in readers)
    n_reads = sum(int(path.read_text()) for path in folder.glob("reads-*"))
    assert not failed, f"{failed} processes failed"
    assert not list(folder.glob(".model*"))
    return {"saves": n_rounds * n_writers, "reads": n_reads, "failed": failed}


def refused_beside(folder: Path) -> str:
    """Return what a writer is told while another one holds the place."""
    from recsys.files import reserved

    with reserved(folder / "model"):
        message = folder / "message"

        def second() -> None:
            try:
                with reserved(folder / "model", wait=0.0):
                    raise AssertionError("two hold one place")
            except OutputError as error:
                message.write_text(str(error))

        assert os.waitpid(forked(second), 0)[1] == 0
        return message.read_text()


def main() -> None:
    """Run one of them."""
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads, which is meant
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["kills", "crowd"])
    parser.add_argument("n", type=int)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        seen = {"kills": kills, "crowd": crowd}[given.what](given.n, Path(folder))
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"{given.what}: {counted}, {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
