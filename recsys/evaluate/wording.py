"""Numbers in sentences."""

from __future__ import annotations


def counted(n: int, one: str, many: str) -> str:
    """Return ``one`` for 1, else ``many`` with the number in front."""
    return f"1 {one}" if n == 1 else f"{n:,} {many}"
