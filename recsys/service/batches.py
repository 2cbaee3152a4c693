"""Answers for single users or histories, computed for all of those who wait at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from recsys.service.computing import Computing

_Key = TypeVar("_Key", bound=Hashable)
_Person = TypeVar("_Person")
_Waiting: TypeAlias = list[tuple[_Person, asyncio.Future[bytes]]]

LARGEST = 32
"""Users of a batch: more would gain little, and those who come meanwhile would wait for longer."""


class Batches(Generic[_Key, _Person]):
    """Requests that can be answered together are, and none waits for company.

    A request that finds a thread free is computed at once and alone. Those that come while all threads work
    are computed together as soon as one is free, which takes less than one after the other. A request given
    up before its batch began is left out of it; if a batch fails, each of its users is computed alone, so
    that nobody fails for another.

    Parameters
    ----------
    computing : Computing
        Bounds who may wait, and for how long.
    compute : callable
        Is given what the users of a batch ask for and the users; returns an answer for each.
    """

    def __init__(
        self, computing: Computing, compute: Callable[[_Key, list[_Person]], Sequence[bytes]]
    ) -> None:
        self._computing, self._compute = computing, compute
        self._waiting: dict[_Key, _Waiting[_Person]] = {}
        self._n_running = 0

    async def answer(self, key: _Key, person: _Person) -> bytes:
        """Return the answer for a user or a history; those with equal keys may be answered together.

        Raises
        ------
        BusyError, TimeoutError
            As by `Computing.run`.
        """
        self._computing.take_place()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((person, future))
        if self._n_running < self._computing.n_threads:
            self._start_next()
        return await asyncio.wait_for(future, self._computing.timeout)

    def _start_next(self) -> None:
        """Compute those who have waited longest, if there are any."""
        while self._waiting:
            key, waiting = next(iter(self._waiting.items()))
            del self._waiting[key]
            if waiting[LARGEST:]:
                self._waiting[key] = waiting[LARGEST:]
            batch = [(person, future) for person, future in waiting[:LARGEST] if not future.done()]
            self._computing.free_places(len(waiting[:LARGEST]) - len(batch))
            if batch:
                self._n_running += 1
                people = [person for person, _ in batch]
                made = self._computing.start(partial(_outcomes, partial(self._compute, key), people))
                made.add_done_callback(partial(self._hand_out, batch))
                return

    def _hand_out(self, batch: _Waiting[_Person], made: asyncio.Future[list[bytes | Exception]]) -> None:
        self._n_running -= 1
        self._computing.free_places(len(batch))
        if made.cancelled():  # the service ends
            for _, future in batch:
                future.cancel()
            return
        for (_, future), outcome in zip(batch, made.result(), strict=True):
            if future.done():  # given up
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._start_next()


def _outcomes(
    compute: Callable[[list[_Person]], Sequence[bytes]], people: list[_Person]
) -> list[bytes | Exception]:
    """Return the answer for each, or the error that it came to."""
    try:
        return list(compute(people))
    except Exception as error:
        if len(people) == 1:
            return [error]
        return [outcome for person in people for outcome in _outcomes(compute, [person])]
