"""The evidence for numbers of components, and the choice that it leads to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.data.loaded_log import LoadedLog
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.tuning.rank_report import write_rank_report


@dataclass(frozen=True)
class RankEvidence:
    """What speaks for and against a number of components.

    Attributes
    ----------
    n_components : int
    value, low, high : float
        The metric on held-out data, with its 95 % interval over users.
    behind : float
        How far it is behind the best number, 0 or more.
    behind_error : float
        The standard error of that, from the same users in both.
    spread : float
        Largest less smallest value over the starts: what is due to the start alone.
    objective : float or None
        What the fit minimised, at its end, as a part of that of the first number: how well the training
        data are reconstructed. It falls with every component, whether that helps or not.
    stability : float or None
        How alike the components are in the other starts, by cosine, weighted by what they explain; None
        for a model without components, or with one start.
    stored_per_row : float or None
        Numbers stored for a user or an item.
    fit_seconds : float
    """

    n_components: int
    value: float
    low: float
    high: float
    behind: float
    behind_error: float
    spread: float
    objective: float | None
    stability: float | None
    stored_per_row: float | None
    fit_seconds: float

    @property
    def is_level(self) -> bool:
        """Whether it is behind the best by no more than one standard error."""
        return self.behind <= self.behind_error


@dataclass(frozen=True, eq=False)
class Ranks:
    """The evidence for several numbers of components; printed, it is a table.

    Attributes
    ----------
    model : str
    metric : str
    validation : str
        The rule that held out the data they are measured on.
    n_starts : int
    rows : tuple of RankEvidence
        In ascending order.
    loaded : LoadedLog or None
        The log; None in one made by hand, which has no report.
    splits : tuple of PreparedSplit
        Its parts.
    seed : int

    Examples
    --------
    >>> import pandas as pd, recsys
    >>> pairs = [(user, (3 * user + k * k) % 12) for user in range(9) for k in range(6)]
    >>> log = pd.DataFrame(pairs, columns=["user", "item"])
    >>> recsys.ranks("pure-svd", log, [1, 2], n_starts=1).rows[1].n_components
    2
    """

    model: str
    metric: str
    validation: str
    n_starts: int
    rows: tuple[RankEvidence, ...]
    loaded: LoadedLog | None = field(default=None, repr=False)
    splits: tuple[PreparedSplit, ...] = field(default=(), repr=False)
    seed: int = 0

    @property
    def best(self) -> RankEvidence:
        """The number with the best value."""
        return min(self.rows, key=lambda row: row.behind)

    @property
    def chosen(self) -> RankEvidence:
        """The smallest number that is behind the best by no more than one standard error.

        The rule of Breiman, Friedman, Olshen & Stone (1984), "Classification and Regression Trees",
        section 3.4.3, with the standard error of the difference on the same users.
        """
        return next(row for row in self.rows if row.is_level)

    @property
    def answer(self) -> str:
        """The choice in a sentence."""
        best, chosen = self.best.n_components, self.chosen.n_components
        if chosen == best:
            return f"{best} components are best; no smaller number is within one standard error."
        return f"{best} components are best; {chosen} are the fewest within one standard error of them."

    @property
    def is_at_edge(self) -> bool:
        """Whether the best is the largest number tried: larger ones may be better still."""
        return self.best is self.rows[-1] and len(self.rows) > 1

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number of components."""
        return pd.DataFrame([asdict(row) for row in self.rows]).set_index("n_components")

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {
            "model": self.model,
            "metric": self.metric,
            "validation": self.validation,
            "seed": self.seed,
            "n_starts": self.n_starts,
            "best": self.best.n_components,
            "chosen": self.chosen.n_components,
            "is_at_edge": self.is_at_edge,
            "ranks": [asdict(row) for row in self.rows],
        }

    def report(self, path: str | Path, *, command: str | None = None) -> Path:
        """Write the evidence as one picture and one table.

        Parameters
        ----------
        path : str or Path
            ``.html``, ``.md``, ``.json``, or a name without a suffix for a folder with all of them and the
            picture as SVG.
        command : str, optional
            How it was made, for those who want to make it again.

        Returns
        -------
        Path

        Raises
        ------
        ParameterError
            If the path names no form of a report, or the evidence is of no log.
        """
        return write_rank_report(self, Path(path).expanduser(), command=command)

    def __repr__(self) -> str:
        title = f"{self.model} by {self.metric} on {self.validation}: {self.chosen.n_components} components"
        return f"{title}\n{self.to_frame().to_string(float_format='%.4f')}"
