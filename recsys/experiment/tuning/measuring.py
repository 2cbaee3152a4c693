"""One setting measured on validation data: fits, one number for each iteration where a fit shows them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recsys.errors import RecsysError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.experiment.comparison import run
from recsys.experiment.pooling import pooled
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.experiment.result_store import ResultStore
from recsys.experiment.settings import ModelSpec
from recsys.experiment.tuning.ladder import Ladder, value_of
from recsys.experiment.tuning.space import Space
from recsys.experiment.tuning.trial import Trial, TrialState
from recsys.models.search import Range


class Proposal(Protocol):
    """A setting that was proposed, which says by its values so far whether it is given up."""

    def report(self, value: float, step: int) -> None:
        """Take in the value after a part of the validation data, or an iteration."""

    def should_prune(self) -> bool:
        """Return whether it is so far behind the others that the rest is not worth its time."""


@dataclass(frozen=True, eq=False)
class Measuring:
    """How settings of a model are measured.

    Attributes
    ----------
    space : Space
    parts : sequence of PreparedSplit
        Validation data: one, or several, over which a setting is averaged.
    metric : Metric
    seed : int
    folder : Path, optional
        Where results are kept as they come, and taken from; so are the trials of a `Study`.
    """

    space: Space
    parts: Sequence[PreparedSplit]
    metric: Metric
    seed: int = 0
    folder: Path | None = None

    def measure(self, number: int, params: Mapping[str, Any], proposal: Proposal | None) -> Trial:
        """Fit and measure one setting on all parts, or on as many as it takes to give it up.

        Parameters
        ----------
        number : int
        params : mapping
            Values of the searched parameters.
        proposal : Proposal, optional
            Says when the setting is given up; without one it never is.

        Returns
        -------
        Trial
            Of state "failed", with the message, where a fit or a measurement raised an error.
        """
        began = time.perf_counter()
        values: list[float] = []
        measured: list[Measurements] = []
        config: Mapping[str, Any] = {}
        curve: tuple[float, ...] = ()
        state: TrialState = "complete"
        error = None
        try:
            if proposal is not None and self.most_sweeps is not None:
                ladder = self._climb(params, proposal)
                params, curve = {**params, "max_iter": ladder.best_sweep}, tuple(ladder.values)
                values, measured = [ladder.best_value], [ladder.best]
                config, state = ladder.config, "pruned" if ladder.is_given_up else "complete"
            else:
                spec = self.space.setting(params)
                for prepared in self.parts:
                    result = self._result(spec, prepared)
                    assert result.measurements is not None
                    config = config or result.config or {}
                    values.append(value_of(result.measurements, self.metric))
                    measured.append(result.measurements)
                    if proposal is not None:
                        proposal.report(float(np.mean(values)), len(values))
                        if len(values) < len(self.parts) and proposal.should_prune():
                            state = "pruned"
                            break
        except RecsysError as failure:
            state, error = "failed", str(failure)
        except Exception as failure:
            # A foreign library may raise anything, a setting may ask for more memory than there is.
            state, error = "failed", f"{type(failure).__name__}: {failure}".removesuffix(": ")
        whole, value = None, float(np.mean(values)) if values and error is None else None
        if state == "complete":
            users = [prepared.user_ids for prepared in self.parts]
            whole = measured[0] if len(measured) == 1 else pooled(measured, users)
            over_all = whole.metrics[str(self.metric)]
            value = value if over_all is None else over_all  # as its interval is, over users
        return Trial(
            number=number,
            params=params,
            state=state,
            value=value,
            seconds=time.perf_counter() - began,
            config=config,
            error=error,
            measurements=whole,
            curve=curve,
        )

    @property
    def most_sweeps(self) -> int | None:
        """How many iterations a fit has whose every iteration is measured; None where that is not done.

        It is where a model shows its iterations, their number is not held, and there is one part of
        validation data.
        """
        spec = self.space.spec
        model = spec.made()
        own = spec.params
        is_plain = not own.get("validation_share") and own.get("n_init", 1) == 1
        if not (model.shows_iterations and is_plain and len(self.parts) == 1) or "max_iter" in own:
            return None
        where = self.space.searched.get("max_iter")
        if where is None:
            return int(model.get_params()["max_iter"])
        return int(where.high) if isinstance(where, Range) else None

    def _climb(self, params: Mapping[str, Any], proposal: Proposal) -> Ladder:
        """Fit a setting once, measured after each iteration, until it no longer pays; keep the best."""
        (prepared,), most = self.parts, self.most_sweeps

        def gives_up(sweep: int, value: float) -> bool:
            proposal.report(value, sweep)
            is_last = sweep == most  # what is measured to its end is complete
            return not is_last and bool(proposal.should_prune())

        ladder = Ladder(prepared, self.metric, gives_up)
        spec = self.space.setting({**params, "max_iter": most})
        ladder.climb(spec.resolved([self.metric]).seeded(self.seed))
        if not ladder.is_given_up and self._store is not None and spec.template is None:
            best = self.space.setting({**params, "max_iter": ladder.best_sweep})
            kept = ladder.result(best.resolved([self.metric]).seeded(self.seed), self.seed)
            self._store.save(kept, prepared, [self.metric])
        return ladder

    def _result(self, spec: ModelSpec, prepared: PreparedSplit) -> Result:
        """Return what was measured of a setting on a part, from the folder where it is there."""
        store = self._store if spec.template is None else None
        stored = None if store is None else store.load(spec, prepared, [self.metric], seed=self.seed)
        if stored is not None:
            return stored
        result = replace(run(spec, prepared, [self.metric], seed=self.seed), model=None)
        if store is not None:
            store.save(result, prepared, [self.metric])
        return result

    @property
    def _store(self) -> ResultStore | None:
        return None if self.folder is None else ResultStore(self.folder / "trials")
