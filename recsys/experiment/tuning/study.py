"""The trials of one model: proposed by Optuna, measured by the one evaluation there is, kept in SQLite."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from recsys.evaluation.metrics import Metric
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.tuning.measuring import Measuring
from recsys.experiment.tuning.space import Space
from recsys.experiment.tuning.storage import TrialStorage
from recsys.experiment.tuning.trial import Trial
from recsys.progress import SILENT, Progress


@dataclass(frozen=True, eq=False)
class Study:
    """The search for the best setting of a model: which is tried next, and when that ends.

    The first trial is the model as it is without tuning, so that the winner is never worse on
    validation data. Each next one is proposed by a tree-structured Parzen estimator (Bergstra et al. 2011),
    whose seed is made of the seed and the number of trials done: a study that was interrupted goes on as
    it would have. Trials run one after another: a fit uses all cores already.

    Attributes
    ----------
    measuring : Measuring
        How a setting is measured, on which validation data. Its folder keeps the trials as they come:
        ``study.sqlite``, which Optuna's tools read, and users' values.
    """

    measuring: Measuring

    @property
    def space(self) -> Space:
        """The model, and where its parameters are searched."""
        return self.measuring.space

    @property
    def parts(self) -> Sequence[PreparedSplit]:
        """Validation data."""
        return self.measuring.parts

    @property
    def metric(self) -> Metric:
        """What settings are chosen by."""
        return self.measuring.metric

    @property
    def seed(self) -> int:
        """Seed of the search and of every fit."""
        return self.measuring.seed

    def run(self, n_trials: int | None, deadline: float | None, progress: Progress = SILENT) -> list[Trial]:
        """Try settings until there are ``n_trials`` or the deadline has passed, and return all.

        An interrupt (KeyboardInterrupt) ends it as a deadline does, once one setting was measured.

        Parameters
        ----------
        n_trials : int, optional
            Those of earlier runs, kept in the folder, count.
        deadline : float, optional
            By `time.perf_counter`; a trial that has begun is finished.
        progress : Progress
            Is notified of each trial by one step.

        Raises
        ------
        InputError
            If the folder holds a study of something else, or cannot be used.
        """
        opened = self._storage.open()
        trials = self._storage.earlier(opened)
        progress.advance(len(trials), self._note(trials))
        try:
            while not is_over(len(trials), n_trials, deadline):
                with self._storage.writing(len(trials)):
                    trials.append(self._next(opened, trials))
                progress.advance(1, self._note(trials))
        except KeyboardInterrupt:
            if not any(trial.is_complete for trial in trials):
                raise
        return trials

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the best complete trial, the earlier of two that are level; None if there is none."""
        complete = [trial for trial in trials if trial.is_complete]
        return min(complete, key=lambda trial: -self._sign * (trial.value or 0.0), default=None)

    @cached_property
    def _storage(self) -> TrialStorage:
        return TrialStorage(self.measuring)

    @property
    def _sign(self) -> float:
        return -1.0 if self.metric.higher_is_better is False else 1.0

    def _note(self, trials: Sequence[Trial]) -> str:
        best = self.best(trials)
        return "" if best is None else f"best {self.metric} {best.value:.4f}, trial {best.number}"

    def _next(self, opened: Any, trials: Sequence[Trial]) -> Trial:
        if not trials:
            first = self.measuring.measure(0, {}, None)
            self._storage.add_first(opened, first)
            return first
        number = len(trials)
        proposed = self._storage.propose(opened, number)
        try:
            trial = self.measuring.measure(number, dict(proposed.params), proposed)
        except BaseException:
            self._storage.give_up(opened, proposed)
            raise
        self._storage.keep(opened, proposed, trial)
        return trial


def is_over(n_done: int, n_trials: int | None, deadline: float | None) -> bool:
    """Return whether no further setting is to be tried."""
    if n_trials is not None and n_done >= n_trials:
        return True
    return deadline is not None and n_done > 0 and time.perf_counter() >= deadline
