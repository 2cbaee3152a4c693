"""Where and with what a report was made."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recsys import threads
from recsys._version import __version__
from recsys.evaluation.wording import counted
from recsys.splitting.record import SplitRecord

_PACKAGES = (
    "numpy", "scipy", "pandas", "numba", "implicit", "duckdb", "pyarrow", "safetensors", "scikit-learn",
    "altair", "vl-convert-python",
)  # fmt: skip
_CPUS = Path("/proc/cpuinfo")


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a number or a chart."""
    of_package = {"recsys": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            of_package[package] = version(package)
        except PackageNotFoundError:
            of_package[package] = "not installed"
    return of_package


def provenance(splits: Sequence[SplitRecord], train_digest: str, *, seed: int) -> list[tuple[str, str]]:
    """Return what a reader needs to make a report again and to read its seconds, each name once.

    Parameters
    ----------
    splits : sequence of SplitRecord
    train_digest : str
        Of the training data of the first.
    seed : int
    """
    digests = [split.digest for split in splits]
    names = ["split"] if len(digests) == 1 else [f"split {n}" for n in range(1, len(digests) + 1)]
    cores = counted(os.cpu_count() or 1, "core", "cores")
    used = counted(threads.current(), "thread", "threads")
    return [
        ("made", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("machine", f"{_processor()}, {cores}, {used} used"),
        ("system", platform.platform(aliased=True, terse=True)),
        ("seed", str(seed)),
        ("training data", f"SHA-256 {train_digest}"),
        *((name, f"SHA-256 {digest}") for name, digest in zip(names, digests, strict=True)),
    ]


def _processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        lines = _CPUS.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named and named[0] else platform.processor() or platform.machine()
