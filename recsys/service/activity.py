"""Whether anybody asks for something."""

from __future__ import annotations

import time

_QUIET_SECONDS = 0.02
"""How long nobody must have asked before a step begins: requests that follow each other closely meet none."""


class Activity:
    """Whether requests are being answered, and when the last one was."""

    def __init__(self) -> None:
        self._n_running, self._last = 0, 0.0

    def begin(self) -> None:
        """Note that a request has come."""
        self._n_running += 1

    def end(self) -> None:
        """Note that a request is answered."""
        self._n_running -= 1
        self._last = time.monotonic()

    def seconds_to_quiet(self) -> float:
        """Return for how long to wait, at least, until nobody has asked for a while; 0 if that is so now."""
        if self._n_running:
            return _QUIET_SECONDS
        return max(0.0, self._last + _QUIET_SECONDS - time.monotonic())
