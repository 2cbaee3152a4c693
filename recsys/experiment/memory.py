"""How much memory a piece of work takes on top of what the process holds."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recsys.experiment.held_signals import held_signals

_PROCESS = Path("/proc/self")


class Peak:
    """What `watched` measured; ``n_bytes`` is None where the system has no such figure."""

    n_bytes: int | None = None


@contextmanager
def watched() -> Iterator[Peak]:
    """Measure by how much the resident memory of this process rises at most while the body runs.

    Notes
    -----
    Linux keeps the highest resident memory of a process and lets it be set back, which is done here
    when the body begins; elsewhere nothing is measured. Log, split and models of before do not count.
    Memory that other threads take counts, and room that earlier work freed without handing it back is
    used again and does not count, so that figures of a few MiB say little.
    """
    with held_signals():
        gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc: hand freed room back
    before = _status("VmRSS") if _set_back() else None
    peak = Peak()
    try:
        yield peak
    finally:
        highest = _status("VmHWM")
        if before is not None and highest is not None:
            peak.n_bytes = max(highest - before, 0)


def _set_back() -> bool:
    """Let the highest resident memory start again from today's, if the system can."""
    try:
        (_PROCESS / "clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    """Return an entry of the process's status in bytes."""
    with suppress(OSError):
        for line in (_PROCESS / "status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
