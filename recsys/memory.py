"""How much memory this process may still take: what machine, container, shell and caller allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from recsys.errors import ModelError, ParameterError

_PROCESS = Path("/proc/self")
_MACHINE = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_NO_LIMIT = 2**60  # what the older control groups say where there is none

_cap: ContextVar[int | None] = ContextVar("recsys_memory", default=None)


def parse_size(text: str) -> int:
    """Read a size as ``500M``, ``4G``, ``1.5GiB`` or a number of bytes.

    Raises
    ------
    ParameterError
        If it is none of these, or not from 1 MiB to 1,000 TiB.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    size = round(float(match[1]) * _UNITS[match[2]]) if match else 0
    if not 2**20 <= size <= 1000 * 2**40:
        raise ParameterError(f"memory is {text!r:.40}; expected a size from 1M to 1000T, e.g. 4G.")
    return size


@contextmanager
def use(size: int | None) -> Iterator[None]:
    """Let fits inside the body take so many bytes at most, by their estimate (None: as outside of it)."""
    token = _cap.set(_cap.get() if size is None else size)
    try:
        yield
    finally:
        _cap.reset(token)


def check(needed: int, what: str, advice: str) -> None:
    """Raise ModelError if work needs more memory than there is.

    Parameters
    ----------
    needed : int
        Estimate in bytes.
    what : str
        What needs it, e.g. "masked-nmf: 64 components of 100 users and 50 items".
    advice : str
        What to change.
    """
    free, by = free_memory()
    if free is not None and needed > free:
        raise ModelError(f"{what} need about {in_words(needed)}, and {by} {in_words(free)}; {advice}.")


def in_words(size: int) -> str:
    """Return a size in GiB, or in MiB where it is small."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def free_memory() -> tuple[int | None, str]:
    """Return how many bytes this process may still take, and what says so (None where it cannot be read)."""
    limits = [
        (_of_machine(), "the machine has free"),
        (_of_groups(), "the container allows further"),
        (_of_shell(), "ulimit -v allows further"),
        (_cap.get(), "--memory allows"),
    ]
    known = [(size, by) for size, by in limits if size is not None]
    return min(known, default=(None, ""))


def _of_machine() -> int | None:
    return _entry(_MACHINE, "MemAvailable:")


def _of_shell() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = _entry(_PROCESS / "status", "VmSize:")
    return None if limit == resource.RLIM_INFINITY or used is None else max(limit - used, 0)


def _entry(path: Path, name: str) -> int | None:
    """Return an entry of a file of the kernel's, in kB there, as bytes."""
    with suppress(OSError, ValueError, IndexError):
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return None


def _of_groups() -> int | None:
    """Return the least that is left in this process's control group and those around it."""
    left = []
    with suppress(OSError):
        for line in (_PROCESS / "cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                left += _left(_GROUPS, path, "memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                left += _left(_GROUPS / "memory", path, *names)
    return min(left, default=None)


def _left(root: Path, path: str, limit: str, used: str, cache: str) -> list[int]:
    """Return what is left in a group and in each around it; inside a container its own group is the root."""
    left = []
    inner = root / path.strip("/")
    for folder in {root, inner, *(parent for parent in inner.parents if parent.is_relative_to(root))}:
        with suppress(OSError, ValueError):  # no limit is called "max"; a group may not be shown to us
            most = int((folder / limit).read_text(encoding="ascii"))
            if most < _NO_LIMIT:
                taken = int((folder / used).read_text(encoding="ascii"))
                left.append(max(most - taken + _cached(folder, cache), 0))
    return left


def _cached(folder: Path, name: str) -> int:
    """Return what a group uses for files only until somebody needs it."""
    with suppress(OSError, ValueError, IndexError):
        for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines():
            if line.split()[0] == name:
                return int(line.split()[1])
    return 0
