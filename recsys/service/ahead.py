"""Lists computed before anybody asks for them, while nobody asks for anything."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from itertools import islice

from recsys import threads
from recsys.service import answers
from recsys.service.activity import Activity
from recsys.service.answering import encoded
from recsys.service.cache import KeptAnswer, Target
from recsys.service.metrics import Metrics
from recsys.service.serving import Served, Serving, users_by_activity
from recsys.service.shortcut import DEFAULT_N, LIST_PATH, LIST_ROUTE

_STEP_SECONDS = 0.005
"""How long a step should take: who asks while it runs may wait for it."""
_LARGEST_STEP = 16
_NEW_BUNDLE_SECONDS = 1.0
_LESS_URGENT = 10  # not the least: the thread must soon give back Python's lock once it has it
_log = logging.getLogger("recsys.service")


class Ahead:
    """Computes the lists that ``GET /recommend/{user}`` gives, of the users with most entries first.

    It goes on in steps of some milliseconds, in a thread of its own of low priority, and only
    where no request has come for a while. It fills the room that the cache has and takes nobody's: once that
    is full, or every user has a list, it ends, until a new bundle answers.

    Parameters
    ----------
    serving : Serving
    activity : Activity
    metrics : Metrics
    most_users : int
        Users whose lists are computed.
    """

    def __init__(self, serving: Serving, activity: Activity, metrics: Metrics, most_users: int) -> None:
        self._serving, self._activity, self._metrics = serving, activity, metrics
        self._most_users = most_users
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, in a thread of its own; answers are kept by the thread of the event loop alone."""
        self._thread = threading.Thread(target=self._run, args=(loop,), name="recsys-ahead", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        _yield_to_others()
        done: Served | None = None
        with threads.use(1):
            while not self._ended.is_set():
                served = self._serving.now
                if served is not done:
                    done = served  # before it is filled: nothing else is to hold the one before
                    try:
                        self._fill(served, loop)
                    except Exception:
                        _log.exception(
                            "lists are computed when they are asked for, since ahead of that failed"
                        )
                self._ended.wait(_NEW_BUNDLE_SECONDS)

    def _fill(self, served: Served, loop: asyncio.AbstractEventLoop) -> None:
        """Compute the lists of a bundle until all are there, the cache is full or another bundle answers."""
        began, n_made, size = time.monotonic(), 0, 1
        room = served.answers.room
        # A path that ends before the id names nobody.
        users = iter(
            [text for user in users_by_activity(served.bundle, self._most_users) if (text := str(user))]
        )
        while self._is_quiet_for(served):
            # What the last step made may not be kept yet, and what was asked for takes room meanwhile.
            step = list(islice(users, min(size, room - n_made, served.answers.room)))
            if not step:
                _log.info("%d lists are computed ahead, in %.1f s", n_made, time.monotonic() - began)
                return
            start = time.monotonic()
            found = answers.lists_of_users(served.bundle, step, DEFAULT_N, 0, include_seen=False)
            made = [(_target(user), _kept(answer)) for user, answer in zip(step, found, strict=True)]
            loop.call_soon_threadsafe(served.answers.put_new, made)
            seconds = (time.monotonic() - start) / len(step)
            size = min(max(int(_STEP_SECONDS / max(seconds, 1e-6)), 1), _LARGEST_STEP)
            n_made += len(step)
            self._metrics.ahead.inc(len(step))

    def _is_quiet_for(self, served: Served) -> bool:
        """Wait until nobody has asked for a while; return whether the bundle still answers by then."""
        while not self._ended.is_set() and served is self._serving.now:
            seconds = self._activity.seconds_to_quiet()
            if seconds == 0:
                return True
            self._ended.wait(seconds)
        return False


def _target(user: str) -> Target:
    return f"{LIST_PATH}{user}", b""


def _kept(answer: object) -> KeptAnswer:
    return KeptAnswer(LIST_ROUTE, encoded(answer))


def _yield_to_others() -> None:
    """Let the system prefer other threads to this one."""
    if sys.platform == "linux":  # elsewhere a priority is the process's
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LESS_URGENT)
        except OSError:
            _log.debug("the thread that computes ahead has the priority of others")
