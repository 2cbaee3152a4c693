"""Who waits at the same time is answered together, and nobody waits or fails for another."""

import asyncio
import threading

import pytest

from recsys.service.batches import LARGEST, Batches
from recsys.service.computing import BusyError, Computing
from recsys.service.metrics import Metrics


class Held:
    """Answers that are given once the first batch is released."""

    def __init__(self):
        self.batches, self.release = [], threading.Event()

    def __call__(self, key, users):
        self.batches.append((key, users))
        assert self.release.wait(10)
        if "bad" in users:
            raise ValueError(key)
        return [f"{key}:{user}".encode() for user in users]


def asked(requests, *, most_waiting=64, timeout=10.0, hold=0.0):
    """Ask all at once of one thread; return the outcomes and what was computed together."""

    async def ask():
        computing, compute = Computing(1, most_waiting, timeout, Metrics()), Held()
        batches = Batches(computing, compute)
        tasks = [asyncio.ensure_future(batches.answer(*request)) for request in requests]
        await asyncio.sleep(hold)
        compute.release.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        while computing._n_waiting:  # the answer of who has given up
            await asyncio.sleep(0.001)
        computing.end()
        return outcomes, compute.batches

    return asyncio.run(ask())


def test_the_first_is_computed_at_once_and_those_who_wait_together():
    requests = [("n10", "a"), ("n10", "b"), ("n5", "c"), ("n10", "d"), ("n10", "b")]
    outcomes, batches = asked(requests)
    assert outcomes == [f"{key}:{user}".encode() for key, user in requests]
    assert batches == [("n10", ["a"]), ("n10", ["b", "d", "b"]), ("n5", ["c"])]


def test_a_batch_has_a_bound_and_the_rest_stands_behind_others():
    requests = [("k", "first"), *(("k", str(number)) for number in range(LARGEST + 2)), ("other", "x")]
    outcomes, batches = asked(requests)
    assert outcomes == [f"{key}:{user}".encode() for key, user in requests]
    assert [(key, len(users)) for key, users in batches] == [("k", 1), ("k", LARGEST), ("other", 1), ("k", 2)]


def test_one_that_fails_fails_alone():
    outcomes, _ = asked([("k", "a"), ("k", "b"), ("k", "bad"), ("k", "c")])
    assert outcomes[:2] + outcomes[3:] == [b"k:a", b"k:b", b"k:c"]
    assert isinstance(outcomes[2], ValueError)


def test_who_gave_up_before_the_batch_began_is_left_out():
    outcomes, batches = asked([("k", "a"), ("k", "b"), ("l", "c")], timeout=0.02, hold=0.1)
    assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
    assert batches == [("k", ["a"])]


def test_no_more_wait_than_may():
    outcomes, _ = asked([("k", str(number)) for number in range(5)], most_waiting=3)
    assert outcomes[:3] == [b"k:0", b"k:1", b"k:2"]
    assert all(isinstance(outcome, BusyError) for outcome in outcomes[3:])


def test_the_end_of_the_service_gives_up_what_has_not_begun():
    async def ask():
        computing, compute = Computing(1, 9, 10.0, Metrics()), Held()
        blocked = computing.start(compute.release.wait)
        task = asyncio.ensure_future(Batches(computing, compute).answer("k", "a"))
        await asyncio.sleep(0)
        computing.end()
        compute.release.set()
        await blocked
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(ask())
