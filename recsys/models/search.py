"""Where the values of a parameter are searched when a model is tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Attributes
    ----------
    low, high : float
        Whole numbers where both are.
    log : bool
        Whether ratios count, not differences: between 1 and 100 as many values below 10 as above are tried.

    Examples
    --------
    >>> from recsys import Range
    >>> where = Range(16, 512, log=True)
    >>> 64 in where, 8 in where
    (True, False)
    """

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high  # type: ignore[operator]

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes
    ----------
    values : tuple of bool, int, float, str or None

    Examples
    --------
    >>> from recsys import Choice
    >>> "kl" in Choice(("squared", "kl"))
    True
    """

    values: tuple[Any, ...]

    def __contains__(self, value: object) -> bool:
        return any(type(value) is type(known) and value == known for known in self.values)

    def __str__(self) -> str:
        return ", ".join("none" if value is None else str(value) for value in self.values)


Search: TypeAlias = Range | Choice
SearchSpace: TypeAlias = Mapping[str, Search]
"""The searched parameters by name."""
