"""Numbers in sentences."""

from __future__ import annotations


def counted(n: int, singular: str, plural: str) -> str:
    """Return the number and what is counted: "1 user", "2,000 users"."""
    return f"1 {singular}" if n == 1 else f"{n:,} {plural}"
