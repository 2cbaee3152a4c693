"""The trials of one model: proposed by Optuna, measured by the one evaluation there is, kept in SQLite."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys import rng
from recsys._version import __version__
from recsys.errors import DependencyError, InputError, RecsysError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.experiment.comparison import run
from recsys.experiment.pooling import pooled
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result_store import ResultStore
from recsys.experiment.tuning.ladder import Ladder, value_of
from recsys.experiment.tuning.space import Space
from recsys.experiment.tuning.trial import Trial, TrialState
from recsys.models.search import Range
from recsys.progress import SILENT, Progress

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

N_RANDOM = 8
"""Settings that are drawn at random before the sampler goes by what it has seen."""
_FAR_AHEAD = 5
"""Settings that are measured whole before one is given up early."""
_WARM_UP = 2
"""Iterations after which a setting is not given up yet, where each is measured."""


@dataclass(frozen=True, eq=False)
class Study:
    """A model, where its parameters are searched, and the validation data.

    The first trial is the model as it is without tuning, so that the winner is never worse on
    validation data. Each next one is proposed by a tree-structured Parzen estimator (Bergstra et al. 2011),
    whose seed is made of the seed and the number of trials done: a study that was interrupted goes on as
    it would have. Trials run one after another: a fit uses all cores already.

    Attributes
    ----------
    space : Space
    parts : sequence of PreparedSplit
        Validation data: one, or several, over which a setting is averaged.
    metric : Metric
    seed : int
    folder : Path, optional
        Where trials are kept as they come: ``study.sqlite``, which Optuna's tools read, and users' values.
    """

    space: Space
    parts: Sequence[PreparedSplit]
    metric: Metric
    seed: int = 0
    folder: Path | None = None

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
            Is told of each trial by one step.

        Raises
        ------
        InputError
            If the folder holds a study of something else, or cannot be used.
        """
        opened = self._open()
        trials = self._earlier(opened)
        progress.advance(len(trials), self._note(trials))
        try:
            while not _is_over(len(trials), n_trials, deadline):
                with self._storage_told(len(trials)):
                    trials.append(self._next(opened, trials))
                progress.advance(1, self._note(trials))
        except KeyboardInterrupt:
            if not any(trial.is_complete for trial in trials):
                raise
        return trials

    @contextmanager
    def _storage_told(self, n_kept: int) -> Iterator[None]:
        """Say in one message that the storage cannot be written to, as while another program holds it."""
        try:
            yield
        except _optuna().exceptions.StorageInternalError as failure:
            reason = str(failure.__cause__ or failure).splitlines()[0]
            raise InputError(
                f"{self.folder} cannot be written to ({reason}); is another program at it? The {n_kept:,} "
                f"trials that were done are kept, and the same command goes on from them."
            ) from failure

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the best complete trial, the earlier of two that are level; None if there is none."""
        complete = [trial for trial in trials if trial.is_complete]
        return min(complete, key=lambda trial: -self._sign * (trial.value or 0.0), default=None)

    @property
    def _sign(self) -> float:
        return -1.0 if self.metric.higher_is_better is False else 1.0

    def _note(self, trials: Sequence[Trial]) -> str:
        best = self.best(trials)
        return "" if best is None else f"best {self.metric} {best.value:.4f}, trial {best.number}"

    # -- one trial ------------------------------------------------------------------------------
    def _next(self, opened: optuna.Study, trials: Sequence[Trial]) -> Trial:
        if not trials:
            first = self._measure(0, {}, None, [])
            self._add_first(opened, first)
            return first
        optuna = _optuna()
        number = len(trials)
        stream = rng.stream(self.seed, "tuning", self.space.spec.name, number)
        opened.sampler = optuna.samplers.TPESampler(
            n_startup_trials=N_RANDOM, seed=int(stream.integers(2**31))
        )
        asked = opened.ask(self._distributions())
        try:
            trial = self._measure(number, dict(asked.params), asked, trials)
        except BaseException:
            asked.set_user_attr("interrupted", True)
            opened.tell(asked, state=optuna.trial.TrialState.FAIL)
            raise
        for key, value in self._attributes(trial).items():
            asked.set_user_attr(key, value)
        state = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}[trial.state]
        values = trial.value if trial.is_complete else None
        opened.tell(asked, values, state=optuna.trial.TrialState[state])
        return trial

    def _measure(
        self, number: int, params: Mapping[str, Any], asked: optuna.Trial | None, trials: Sequence[Trial]
    ) -> Trial:
        """Fit and measure one setting on all parts, or on as many as it takes to give it up."""
        began = time.perf_counter()
        values: list[float] = []
        measured: list[Measurements] = []
        config: Mapping[str, Any] = {}
        curve: tuple[float, ...] = ()
        state: TrialState = "complete"
        error = None
        try:
            if asked is not None and self.most_sweeps is not None:
                ladder = self._climb(params, asked)
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
                    if asked is not None:
                        asked.report(float(np.mean(values)), len(values))
                        if len(values) < len(self.parts) and asked.should_prune():
                            state = "pruned"
                            break
        except RecsysError as failure:
            state, error = "failed", str(failure)
        except Exception as failure:
            # A foreign library may raise anything, a setting may ask for more memory than there is.
            state, error = "failed", f"{type(failure).__name__}: {failure}".removesuffix(": ")
        whole = None
        if state == "complete":
            users = [prepared.user_ids for prepared in self.parts]
            whole = measured[0] if len(measured) == 1 else pooled(measured, users)
        return Trial(
            number=number,
            params=params,
            state=state,
            value=float(np.mean(values)) if values and error is None else None,
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

    def _climb(self, params: Mapping[str, Any], asked: optuna.Trial) -> Ladder:
        """Fit a setting once, measured after each iteration, until it no longer pays; keep the best."""
        (prepared,), most = self.parts, self.most_sweeps

        def gives_up(sweep: int, value: float) -> bool:
            asked.report(value, sweep)
            return bool(asked.should_prune())

        ladder = Ladder(prepared, self.metric, gives_up)
        spec = self.space.setting({**params, "max_iter": most})
        ladder.climb(spec.resolved([self.metric]).seeded(self.seed))
        if not ladder.is_given_up and self._store is not None and spec.template is None:
            best = self.space.setting({**params, "max_iter": ladder.best_sweep})
            kept = ladder.result(best.resolved([self.metric]).seeded(self.seed), self.seed)
            self._store.save(kept, prepared, [self.metric])
        return ladder

    def _result(self, spec: Any, prepared: PreparedSplit) -> Any:
        """Return what was measured of a setting on a part, from the folder where it is there."""
        store = self._store if spec.template is None else None
        found = None if store is None else store.load(spec, prepared, [self.metric], seed=self.seed)
        if found is not None:
            return found
        result = replace(run(spec, prepared, [self.metric], seed=self.seed), model=None)
        if store is not None:
            store.save(result, prepared, [self.metric])
        return result

    @property
    def _store(self) -> ResultStore | None:
        return None if self.folder is None else ResultStore(self.folder / "trials")

    # -- what is kept ---------------------------------------------------------------------------
    def _open(self) -> optuna.Study:
        library = _optuna()
        library.logging.set_verbosity(library.logging.ERROR)
        path = None if self.folder is None else self.folder / "study.sqlite"
        direction = "maximize" if self._sign > 0 else "minimize"
        warm_up = 0 if self.most_sweeps is None else _WARM_UP
        pruner = library.pruners.MedianPruner(n_startup_trials=_FAR_AHEAD, n_warmup_steps=warm_up)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            opened: optuna.Study = library.create_study(
                direction=direction,
                pruner=pruner,
                storage=None if path is None else f"sqlite:///{path}",
                study_name="recsys",
                load_if_exists=True,
            )
            known = opened.user_attrs.get("key")
            if known is None and not opened.trials:
                opened.set_user_attr("key", self.key)
                opened.set_user_attr("of", self.description)
        except OSError as failure:
            raise InputError(f"{self.folder} cannot be written to: {failure}.") from None
        except Exception as failure:  # the storage speaks through SQLAlchemy's errors
            reason = str(failure).splitlines()[0]
            raise InputError(
                f"{path} cannot be used ({reason}); is another program at it? Expected the file of an "
                f"earlier 'recsys tune', or none."
            ) from failure
        if opened.user_attrs.get("key") != self.key:
            other = opened.user_attrs.get("of", "it is not known of what")
            raise InputError(
                f"{self.folder} holds other trials ({other}), not those of {self.description}; choose "
                f"another folder, or delete that one."
            )
        return opened

    @property
    def description(self) -> str:
        """What is tuned on what, in a line."""
        split = self.parts[0].split
        return (
            f"{self.space.spec.name} by {self.metric} on {split.name}, seed {self.seed}, "
            f"{split.n_train_pairs:,} pairs to train; searched: {self.space}"
        )

    @property
    def key(self) -> str:
        """SHA-256 of all that trials depend on."""
        depends_on = {
            "version": __version__,
            "model": self.space.spec.name,
            "held": dict(self.space.spec.params),
            "searched": str(self.space),
            "metric": str(self.metric),
            "seed": self.seed,
            "most sweeps": self.most_sweeps,
            "parts": [
                [prepared.train.digest, prepared.held_out.digest, prepared.split.name, prepared.split.seed]
                for prepared in self.parts
            ],
        }
        return hashlib.sha256(json.dumps(depends_on, sort_keys=True, default=str).encode()).hexdigest()

    def _earlier(self, opened: optuna.Study) -> list[Trial]:
        """Return the trials of earlier runs; one that was cut off is no trial and will be made again."""
        optuna = _optuna()
        trials: list[Trial] = []
        for stored in opened.get_trials(deepcopy=False):
            if stored.state == optuna.trial.TrialState.RUNNING:
                opened.tell(stored.number, state=optuna.trial.TrialState.FAIL)
                continue
            attributes = stored.user_attrs
            if "state" not in attributes:
                continue  # interrupted
            trial = Trial(
                number=len(trials),
                params=_params(stored) if trials else {},
                state=attributes["state"],
                value=attributes["value"],
                seconds=attributes["seconds"],
                config=attributes["config"],
                error=attributes["error"],
                curve=tuple(attributes["curve"]),
            )
            trials.append(self._with_measurements(trial) if trial.is_complete else trial)
        return trials

    def _with_measurements(self, trial: Trial) -> Trial:
        """Return a complete trial with users' values, measured again where the folder lost them."""
        again = self._measure(trial.number, trial.params, None, [])
        return replace(trial, measurements=again.measurements)

    def _add_first(self, opened: optuna.Study, trial: Trial) -> None:
        """Tell the sampler of the setting without tuning, as far as it lies where is searched."""
        optuna, known = _optuna(), self._distributions()
        within = {
            name: trial.config[name]
            for name, where in self.space.searched.items()
            if name in known and name in trial.config and trial.config[name] in where
        }
        distributions = {name: known[name] for name in within}
        is_complete = trial.is_complete
        opened.add_trial(
            optuna.trial.create_trial(
                params=within,
                distributions=distributions,
                value=trial.value if is_complete else None,
                state=optuna.trial.TrialState.COMPLETE if is_complete else optuna.trial.TrialState.FAIL,
                user_attrs=self._attributes(trial),
            )
        )

    def _attributes(self, trial: Trial) -> dict[str, Any]:
        """Return what the storage keeps of a trial beside its parameters, as JSON has it."""
        record = trial.to_json()
        kept = {name: record[name] for name in _KEPT}
        result: dict[str, Any] = json.loads(json.dumps(kept, default=str))
        return result

    def _distributions(self) -> dict[str, BaseDistribution]:
        of = _optuna().distributions
        made: dict[str, BaseDistribution] = {}
        for name, where in self.space.searched.items():
            if name == "max_iter" and self.most_sweeps is not None:
                continue  # each fit finds it
            if not isinstance(where, Range):
                made[name] = of.CategoricalDistribution(where.values)
            elif where.is_whole:
                made[name] = of.IntDistribution(int(where.low), int(where.high), log=where.log)
            else:
                made[name] = of.FloatDistribution(where.low, where.high, log=where.log)
        return made


_KEPT = ("state", "value", "seconds", "config", "error", "curve")


def _params(stored: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """Return the parameters of a stored trial, the number of iterations that was best among them."""
    config = stored.user_attrs["config"]
    return {**stored.params, **({"max_iter": config["max_iter"]} if stored.user_attrs["curve"] else {})}


def _is_over(n_done: int, n_trials: int | None, deadline: float | None) -> bool:
    if n_trials is not None and n_done >= n_trials:
        return True
    return deadline is not None and n_done > 0 and time.perf_counter() >= deadline


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise DependencyError(
            'tuning needs Optuna, which is not installed; pip install "recsys[tune]" brings it.'
        ) from None
