"""A plan's log split for evaluation, as the plan says."""

from __future__ import annotations

from typing import Protocol

from recsys.data.loaded_log import LoadedLog
from recsys.experiment.prepared_split import PreparedSplit, prepare_all
from recsys.experiment.training import check_duplicates
from recsys.splitting.support import MinSupport


class Preparing(Protocol):
    """What a plan says of how a log is made ready."""

    @property
    def seed(self) -> int:
        """Of splits."""

    @property
    def duplicates(self) -> str | None:
        """How repeats of a pair become one value."""

    @property
    def support(self) -> MinSupport:
        """What users and items need to stay in training."""


def prepared_for(
    plan: Preparing,
    loaded: LoadedLog,
    *,
    test: LoadedLog | None = None,
    split: str | None = None,
    load_seconds: float = 0.0,
) -> tuple[PreparedSplit, ...]:
    """Split a log, or take a second one as the held-out part, by a plan; see `prepare_all`."""
    return prepare_all(
        loaded,
        test=test,
        split=split,
        seed=plan.seed,
        duplicates=check_duplicates(plan.duplicates),
        support=plan.support,
        load_seconds=load_seconds,
    )
