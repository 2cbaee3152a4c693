"""Ctrl-C and SIGTERM: the first ends the work as soon as it can be kept, a second one at once."""

from __future__ import annotations

import os
import signal
from types import FrameType

received: list[int] = []
"""Signals that came, in their order."""
_NAMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whatever keeps its work at ctrl-c keeps it now, too."""


def install() -> None:
    """Take over both signals, in the main thread of the process."""
    for number in _NAMES:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            signal.signal(number, _handle)


def exit_code() -> int:
    """Return 128 and the number of the first signal; that of ctrl-c if none was seen to come."""
    return 128 + (received[0] if received else signal.SIGINT)


def name() -> str:
    """Return what ended the work: "interrupted" or "terminated"."""
    return _NAMES[signal.Signals(received[0] if received else signal.SIGINT)]


def _handle(number: int, frame: FrameType | None) -> None:
    received.append(number)
    if len(received) > 1:
        os.write(2, b"recsys: stopped at once; every file is whole, old or new.\n")
        os._exit(128 + number)
    raise (Terminated if number == signal.SIGTERM else KeyboardInterrupt)
