"""Numbers as people read them: one way to write each kind, in every form of the report."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

Kind = Literal[
    "text", "count", "score", "share", "seconds", "bytes", "number", "ratio", "probability", "interval"
]
"""How a value is written; ``share`` is a part of 1 and is shown in per cent, ``interval`` is a pair."""

ABSENT = "–"


def write(value: object, kind: Kind) -> str:
    """Return a value as text of its kind; what is missing or not a number is a dash."""
    if value is None:
        return ABSENT
    if isinstance(value, tuple):
        low, high = value
        return span(low, high)
    if kind == "text" or not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return ABSENT
    return _WRITERS[kind](value)


def score(value: float | None) -> str:
    """Return a value of a metric with four digits after the point."""
    return ABSENT if value is None or not math.isfinite(value) else _minus(f"{value:.4f}")


def signed(value: float) -> str:
    """Return a difference, with its sign."""
    return _minus(f"{value:+.4f}")


def span(low: float, high: float) -> str:
    """Return an interval; a word stands between, for a dash would read as a minus."""
    return f"{score(low)} to {score(high)}"


def count(value: float) -> str:
    """Return a whole number with its thousands set apart."""
    return _minus(f"{value:,.0f}")


def share(value: float) -> str:
    """Return a part of 1 in per cent: one digit after the point, two that say something below 10 %."""
    percent = 100 * value
    digits = 1 if percent == 0 or abs(percent) >= 10 else min(6, 1 - math.floor(math.log10(abs(percent))))
    return _minus(f"{percent:.{digits}f}\u00a0%")


def rough_share(value: float) -> str:
    """Return a part of 1 in per cent as a figure to remember: above 10 % without decimals."""
    return _minus(f"{100 * value:,.0f}\u00a0%") if abs(value) >= 0.1 else share(value)


def seconds(value: float) -> str:
    """Return a duration."""
    if 0 < value < 0.01:
        return "< 0.01\u00a0s"
    if value < 89.5:
        return f"{value:.1f}\u00a0s" if value >= 10 else f"{value:.2f}\u00a0s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}\u00a0min {rest}\u00a0s"
    # Seconds say nothing beside hours.
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours:,}\u00a0h {minutes}\u00a0min"


def size(value: float) -> str:
    """Return a number of bytes in MiB or GiB."""
    if 0 <= value < 2**20:
        return "< 1\u00a0MiB"
    return f"{value / 2**30:.1f}\u00a0GiB" if value >= 2**30 else f"{value / 2**20:,.0f}\u00a0MiB"


def number(value: float) -> str:
    """Return any number, with up to six digits."""
    return _minus(f"{value:,.6g}")


def ratio(value: float) -> str:
    """Return a number with two digits after the point."""
    return f"{value:.2f}"


def probability(value: float) -> str:
    """Return a p-value; the smallest are only bounded."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def in_words(names: Sequence[str], most: int | None = None) -> str:
    """Return names as words: "a, b and c"; beyond ``most``, how many others there are."""
    shown = list(names)
    if most is not None and len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1:,} others"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def typeset(text: str) -> str:
    """Return a sentence with real minus signs, and numbers that stay with their per cent."""
    return re.sub(r"(?<=\d) %", "\u00a0%", re.sub(r"(?<![\w-])-(?=\d)", "−", text))


def _minus(text: str) -> str:
    return text.replace("-", "−")


_WRITERS = {
    "count": count,
    "score": score,
    "share": share,
    "seconds": seconds,
    "bytes": size,
    "number": number,
    "ratio": ratio,
    "probability": probability,
}
