"""What happened in a descent, sweep by sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from recsys.errors import ModelError

Stopped = Literal["tol", "gradient", "validation", "max_iter", "time", "interrupted"]


@dataclass
class History:
    """What happened, iteration by iteration.

    Attributes
    ----------
    objective : list of float
        After each iteration.
    seconds : list of float
        Since the start of the descent.
    nonzero_share : list of float
        Share of factor entries that are not zero.
    validation : list of float
        Error on held-out entries after each iteration of the descent that held them out; empty
        without them. Where a model was then fitted anew on all entries, this list is longer than
        the others by the iterations that no longer paid.
    stopped : {"tol", "gradient", "validation", "max_iter", "time", "interrupted"}
        What ended the descent.
    """

    objective: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    nonzero_share: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    stopped: Stopped = "max_iter"

    @property
    def n_iter(self) -> int:
        """Number of iterations done."""
        return len(self.objective)

    @property
    def best_iter(self) -> int:
        """Number of iterations after which the held-out error was least (all, without held-out entries)."""
        if not self.validation:
            return self.n_iter
        return 1 + min(range(len(self.validation)), key=self.validation.__getitem__)

    @property
    def converged(self) -> bool:
        """Whether a stopping rule ended the descent: not ``max_iter``, a time limit or an interrupt."""
        return self.stopped in ("tol", "gradient", "validation")

    def to_json(self) -> dict[str, Any]:
        """Return the history as plain lists and numbers."""
        return {
            "objective": self.objective,
            "seconds": self.seconds,
            "nonzero_share": self.nonzero_share,
            "validation": self.validation,
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> History:
        """Take back what `to_json` gave, or an older version's, which knew only ``converged``.

        Raises
        ------
        ModelError
            If a list is missing or holds something else than finite numbers, if lists that belong
            together differ in length, or if ``stopped`` is no known reason.
        """
        if not isinstance(record, Mapping):
            raise ModelError(f"the history is a {type(record).__name__}; expected an object.")
        lists = {
            name: _numbers(record.get(name, [] if name == "validation" else None), name)
            for name in ("objective", "seconds", "nonzero_share", "validation")
        }
        lengths = {len(lists[name]) for name in ("objective", "seconds", "nonzero_share")}
        if len(lengths) > 1:
            raise ModelError("the lists of the history differ in length.")
        stopped = record.get("stopped", "tol" if record.get("converged") is True else "max_iter")
        if stopped not in get_args(Stopped):
            raise ModelError(
                f"the history stopped by {stopped!r}; expected one of {', '.join(get_args(Stopped))}."
            )
        return cls(**lists, stopped=stopped)


def _numbers(values: Any, name: str) -> list[float]:
    if not isinstance(values, list) or not all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        for value in values
    ):
        raise ModelError(f"the history's {name!r} is no list of finite numbers.")
    return values
