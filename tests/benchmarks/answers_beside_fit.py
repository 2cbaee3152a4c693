"""How long an answer for one user takes, alone and while a fit runs in another thread of the process.

python -m tests.benchmarks.answers_beside_fit
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from recsys.data.interactions import Interactions
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from tests.benchmarks.memory_estimates import generated

MODELS = {
    "masked-nmf": ("ratings", {"n_components": 32}),
    "weighted-nmf": ("purchases", {"n_components": 128}),
    "hybrid-nmf": ("purchases", {}),
    "als": ("purchases", {"n_components": 128}),
}


def milliseconds(
    ask: Callable[[int], object], users: list[int], seconds: float, stop: threading.Event
) -> str:
    """Return the median, the 99th percentile and the longest time of an answer, asked one after the other."""
    times, ends = [], time.perf_counter() + seconds
    while time.perf_counter() < ends and not stop.is_set():
        began = time.perf_counter()
        ask(users[len(times) % len(users)])
        times.append(1000 * (time.perf_counter() - began))
    median, high = np.percentile(times, [50, 99])
    return f"{median:6.1f} {high:7.1f} {max(times):7.1f} ({len(times):,})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    sys.stdout.write("model          answer       alone: median, 99th, longest (n)   beside a fit\n")
    for name in given.models:
        log, params = MODELS[name]
        data = generated(log)
        bundle = Bundle.of(make(name, params).fit(data), data)
        measure(name, bundle, data, params, given.seconds)


def measure(name: str, bundle: Bundle, data: Interactions, params: dict[str, int], seconds: float) -> None:
    """Print the rows of one model."""
    users = np.random.default_rng(0).integers(0, data.n_users, 500).tolist()

    def known(user: int) -> object:
        return bundle.recommend(bundle.user_ids[user], 10)

    def new(user: int) -> object:
        columns, values = bundle.seen.row(user)
        history = dict(
            zip((bundle.item_ids[item] for item in columns.tolist()), values.tolist(), strict=True)
        )
        return bundle.recommend_for(history, 10)

    for answer, ask in (("known user", known), ("new user", new)):
        ask(users[0])
        alone = milliseconds(ask, users, seconds / 2, threading.Event())
        ended = threading.Event()

        def fit(ended: threading.Event = ended) -> None:
            make(name, params).fit(data)
            ended.set()

        fitting = threading.Thread(target=fit)
        fitting.start()
        time.sleep(0.5)
        beside = milliseconds(ask, users, seconds, ended)
        sys.stdout.write(f"{name:14} {answer:12} {alone:34} {beside}\n")
        sys.stdout.flush()
        fitting.join()


if __name__ == "__main__":
    main()
