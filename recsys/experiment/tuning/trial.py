"""One setting that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recsys.evaluation.measurements import Measurements

TrialState = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, eq=False)
class Trial:
    """One setting that was tried.

    Attributes
    ----------
    number : int
        From 0, which is the setting that the model has without tuning.
    params : mapping
        The values of the searched parameters; of number 0 only those that were given.
    state : {"complete", "pruned", "failed"}
        "pruned": given up after a part of the validation data or of the iterations, for it was below the
        median of the others.
    value : float or None
        The metric on validation data, over the users of all parts; of a pruned one the mean of the parts it
        has seen.
    seconds : float
        Fits and evaluations.
    config : mapping
        All parameters of the fit, defaults and rules filled in; empty after a failure.
    error : str or None
        Why it failed.
    measurements : Measurements or None
        Users' values, of complete trials.
    curve : tuple of float
        The metric after each iteration of the fit, where it was measured: the best of them is the value, and
        ``params["max_iter"]`` its number.
    """

    number: int
    params: Mapping[str, Any]
    state: TrialState
    value: float | None
    seconds: float
    config: Mapping[str, Any]
    error: str | None = None
    measurements: Measurements | None = None
    curve: tuple[float, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether it was measured on all validation data."""
        return self.state == "complete"

    def to_json(self) -> dict[str, Any]:
        """Return all but users' values, ready for JSON."""
        return {
            "number": self.number,
            "params": dict(self.params),
            "state": self.state,
            "value": self.value,
            "seconds": self.seconds,
            "config": dict(self.config),
            "error": self.error,
            "curve": list(self.curve),
        }
