"""What was left out of a log, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dropped:
    """Rows left out, and why."""

    reason: str
    n_rows: int
