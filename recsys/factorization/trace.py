"""What a descent has done so far: all that it goes by beside the factors themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from recsys.factorization.history import History, Stopped
from recsys.factorization.problem import Sweep


class Done(NamedTuple):
    """An iteration that is done: its sweep, the seconds since the start, the held-out error."""

    sweep: Sweep
    seconds: float
    error: float | None


@dataclass
class Trace:
    """The iterations of a descent so far, from which it can go on.

    Attributes
    ----------
    first_norm : float
        Of the projected gradient at the start; 0 where no stopping rule needs it.
    iterations : list of Done
        An iteration counts once it stands here, whole: an interrupt cannot leave half of one.
    """

    first_norm: float = 0.0
    iterations: list[Done] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.iterations)

    @property
    def seconds(self) -> float:
        """Seconds that the iterations took."""
        return self.iterations[-1].seconds if self.iterations else 0.0

    @property
    def last_objective(self) -> float | None:
        """The last objective, where the next one compares with it."""
        if not self.iterations or not self.iterations[-1].sweep.is_comparable:
            return None
        return self.iterations[-1].sweep.objective

    @property
    def best(self) -> tuple[float, int]:
        """The least held-out error and the number of its iteration; infinite and 0 without any."""
        errors = [math.inf if done.error is None else done.error for done in self.iterations]
        least = min(errors, default=math.inf)
        return least, 0 if least == math.inf else 1 + errors.index(least)

    def history(self, stopped: Stopped) -> History:
        """Return what happened, with what ended it."""
        return History(
            [done.sweep.objective for done in self.iterations],
            [done.seconds for done in self.iterations],
            [done.sweep.nonzero_share for done in self.iterations],
            [done.error for done in self.iterations if done.error is not None],
            stopped,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        iterations = [[asdict(done.sweep), done.seconds, done.error] for done in self.iterations]
        return {"first_norm": self.first_norm, "iterations": iterations}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Trace:
        """Take back what `to_json` gave."""
        iterations = [
            Done(Sweep(**sweep), float(seconds), error) for sweep, seconds, error in record["iterations"]
        ]
        return cls(float(record["first_norm"]), iterations)
