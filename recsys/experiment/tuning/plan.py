"""What is to be tuned, on what, for how long, as one typed object."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys import threads as pool
from recsys.data.loaded_log import LoadedLog
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.experiment.answers import Comparison
from recsys.experiment.comparison import compare
from recsys.experiment.given_logs import GivenLog, both_of
from recsys.experiment.preparation import prepared_for
from recsys.experiment.prepared_split import DEFAULT_SPLIT, PreparedSplit, check_source, default_metrics
from recsys.experiment.settings import ModelSpec, labelled
from recsys.experiment.training import check_duplicates, check_seed
from recsys.experiment.tuning.answer import TunedModel, Tuning
from recsys.experiment.tuning.measuring import Measuring
from recsys.experiment.tuning.nested import Nested, OuterFold, measured_fold, pooled_results
from recsys.experiment.tuning.space import Space, space_of
from recsys.experiment.tuning.study import Study, is_over
from recsys.files import reserved
from recsys.progress import SILENT, Progress, task
from recsys.splitting.specs import parse_splits
from recsys.splitting.support import MinSupport
from recsys.typing import Int64Array

DEFAULT_TRIALS = 30
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class TuningPlan:
    """Models to tune on validation data inside a log, each with the same budget.

    Attributes
    ----------
    models : tuple of ModelSpec
        Parameters that a model is given are held.
    log : str, Path, table, LoadedLog or LogPlan
    spaces : mapping of model name to mapping
        What is searched of a model beside, or in place of, what it declares; see `space_of`.
    test : the same as ``log``, optional
    split : str, optional
        Held out, and never read while settings are tried.
    validation : str, optional
        What of the rest settings are measured on; by default by the rule of ``split``, where it makes one
        part, or "random:0.2".
    metric : Metric, optional
        By default ndcg@10, or rmse for models that only predict ratings.
    trials : int, optional
        Settings tried of each model, that without tuning included; 30 where no ``seconds`` are given.
    seconds : float, optional
        After which no further setting is begun, of all models together, in equal shares.
    final : bool
        Whether the winners, and the models without tuning, are measured once on what ``split`` or
        ``test`` holds out.
    outer : str, optional
        Folds, e.g. "folds:3", that are each held out in turn while the models are tuned on the rest: an
        estimate without bias of what tuned models are worth, for as many tunings more.
    support, duplicates, seed, threads
        See `EvaluationPlan`.
    out : Path, optional
        A folder in which trials are kept as they come; the same tuning goes on from it.

    Raises
    ------
    ParameterError
        If something cannot be read, or two parts exclude one another; before any log is read.

    Examples
    --------
    >>> import recsys
    >>> plan = recsys.TuningPlan((recsys.ModelSpec("slim"),), "log.csv", split="time:4w", final=True)
    >>> plan.seed
    0
    """

    models: tuple[ModelSpec, ...]
    log: GivenLog
    spaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    test: GivenLog | None = None
    split: str | None = None
    validation: str | None = None
    metric: Metric | None = None
    trials: int | None = None
    seconds: float | None = None
    final: bool = False
    outer: str | None = None
    support: MinSupport = field(default_factory=MinSupport)
    duplicates: str | None = None
    seed: int = 0
    threads: int | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        check_source(self.test, self.split)
        check_duplicates(self.duplicates)
        check_seed(self.seed)
        if not self.models:
            raise ParameterError("there is no model to tune; name one, e.g. hybrid-nmf.")
        if self.trials is not None and (isinstance(self.trials, bool) or not 1 <= self.trials <= 100_000):
            raise ParameterError(f"trials is {self.trials!r}; expected a whole number, 1 to 100,000.")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ParameterError(f"the time for tuning is {self.seconds!r} seconds; expected more than 0.")
        if self.final and self.test is None and self.split is None:
            raise ParameterError(
                "a final measurement needs data that tuning has not seen; give --split or --test with "
                "--final."
            )
        if self.outer is not None and (self.split is not None or self.test is not None):
            raise ParameterError(
                "outer folds hold out every part of the log in turn; leave --split and --test out."
            )
        if self.metric is not None:
            if self.metric.higher_is_better is None:
                raise ParameterError(f"{self.metric} has no better end, so nothing can be tuned by it.")
            if self.metric.is_gap:
                raise ParameterError(
                    f"{self.metric} is smallest for lists that are bad for all; tune by another."
                )
        unknown = set(self.spaces) - {spec.name for spec in self.models}
        if unknown:
            known = ", ".join(spec.name for spec in self.models)
            raise ParameterError(f"{', '.join(sorted(unknown))} is none of the models {known}.")
        _ = self._spaces

    @property
    def _spaces(self) -> tuple[Space, ...]:
        metric = () if self.metric is None else (self.metric,)
        made = []
        named = [replace(spec, name=spec.resolved(metric).name) for spec in self.models]
        for spec in labelled(named):
            searches = {**self.spaces.get(spec.name, {}), **self.spaces.get("auto", {})}
            made.append(space_of(spec, searches))
            if self.metric is not None and self.metric.is_error and not spec.made().predicts_values:
                raise ParameterError(
                    f"{spec.name} predicts no values, so it cannot be tuned by {self.metric}."
                )
        return tuple(made)

    def tune(self, progress: Progress = SILENT) -> Tuning:
        """Try settings, and measure the winners where that is asked for; see `recsys.tune`."""
        kept = None if self.out is None else self.out / "tuning.json"
        with pool.use(self.threads), reserved(kept, wait=0.5):
            loaded, test, seconds = both_of(self.log, self.test, n_threads=self.threads, progress=progress)
            rest = loaded
            if self.split is not None:
                parts = parse_splits(self.split, loaded.log, seed=self.seed)
                if len(parts) > 1:
                    raise ParameterError(
                        f"--split {self.split} makes {len(parts)} parts; tuning keeps one. For several, "
                        f"tune on each in turn."
                    )
                rest = _only(loaded, parts[0].train)
            inner = prepared_for(self, rest, split=self.validation or self._mirrored)
            metric = self.metric or _default_metric(loaded, self._spaces)
            tuned, is_whole = self._tune_all(inner, metric, progress, self.out)
            final = nested = None
            if is_whole and self.final:
                final = self._final(tuned, loaded, test, metric, seconds, progress)
            if is_whole and self.outer is not None:
                nested = self._nested(loaded, metric, seconds, progress)
        return Tuning(tuned, metric, loaded.source, self.seed, final, nested, is_interrupted=not is_whole)

    @property
    def _mirrored(self) -> str:
        """The rule of the split, used once more inside the rest, or the usual one."""
        return DEFAULT_SPLIT if self.split is None else self.split

    def _tune_all(
        self, inner: tuple[PreparedSplit, ...], metric: Metric, progress: Progress, out: Path | None
    ) -> tuple[tuple[TunedModel, ...], bool]:
        """Tune one model after another; also return whether no interrupt ended it on the way."""
        n_trials = DEFAULT_TRIALS if self.trials is None and self.seconds is None else self.trials
        share = None if self.seconds is None else self.seconds / len(self.models)
        tuned = []
        for space in self._spaces:
            for prepared in inner:
                prepared.check(space.spec.made())
            folder = None if out is None else out / re.sub(r"[^A-Za-z0-9._-]+", "-", space.spec.title)
            study = Study(Measuring(space, inner, metric, self.seed, folder))
            deadline = None if share is None else time.perf_counter() + share
            with task(progress, f"tune {space.spec.title}", n_trials) as running:
                trials = study.run(n_trials, deadline, running)
            if study.best(trials) is None:
                reasons = dict.fromkeys(trial.error for trial in trials if trial.error)
                why = " ".join(map(str, reasons))
                raise ModelError(f"no setting of {space.spec.title} could be measured by {metric}: {why}")
            tuned.append(TunedModel(space.spec.title, study, tuple(trials)))
            if not is_over(len(trials), n_trials, deadline):
                return tuple(tuned), False
        return tuple(tuned), True

    def _nested(self, loaded: LoadedLog, metric: Metric, load_seconds: float, progress: Progress) -> Nested:
        """Tune inside the training part of each outer fold, and measure the winners on the fold."""
        splits = prepared_for(self, loaded, split=self.outer, load_seconds=load_seconds)
        rows = parse_splits(self.outer or "", loaded.log, seed=self.seed)
        metrics = _metrics_shown(metric, loaded)
        folds, by_fold = [], []
        for number, (part, prepared) in enumerate(zip(rows, splits, strict=True), 1):
            inner = prepared_for(self, _only(loaded, part.train), split=self.validation or self._mirrored)
            out = None if self.out is None else self.out / f"outer-{number}"
            with task(progress, f"outer fold {number} of {len(splits)}"):
                tuned, is_whole = self._tune_all(inner, metric, progress, out)
            if not is_whole:
                raise KeyboardInterrupt
            winners = [(model.label, model.spec, model.study.space.spec) for model in tuned]
            by_fold.append(measured_fold(winners, prepared, metrics, seed=self.seed, progress=progress))
            folds.append(OuterFold(number, {model.label: model.best for model in tuned}))
        results = pooled_results(by_fold, splits)
        comparison = Comparison(results, splits, loaded, tuple(map(str, metrics)), self.seed, self.threads)
        return Nested(tuple(folds), comparison)

    def _final(
        self,
        tuned: tuple[TunedModel, ...],
        loaded: LoadedLog,
        test: LoadedLog | None,
        metric: Metric,
        load_seconds: float,
        progress: Progress,
    ) -> Comparison:
        """Measure the winners, and the models without tuning, on what no setting has seen."""
        outer = prepared_for(self, loaded, test=test, split=self.split, load_seconds=load_seconds)
        specs = []
        for model in tuned:
            specs.append(replace(model.spec, label=f"{model.label}, tuned"))
            if model.best.number != 0:
                specs.append(replace(model.study.space.spec, label=model.label))
        metrics = _metrics_shown(metric, loaded)
        results = compare(specs, outer, metrics, seed=self.seed, progress=progress)
        return Comparison(tuple(results), outer, loaded, tuple(map(str, metrics)), self.seed, self.threads)


def parse_seconds(text: str | float) -> float:
    """Read a time as ``90s``, ``10m`` or ``2h``, or a number of seconds.

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(text).strip())
    if match is None:
        raise ParameterError(f"the time {text!r} is none; expected e.g. 90s, 10m or 2h.")
    number, unit = match.groups()
    return float(number) * _UNITS[unit or "s"]


def _only(loaded: LoadedLog, rows: Int64Array) -> LoadedLog:
    """Return the log as if only some events had been read."""
    log = loaded.log
    if len(rows) == 0:
        raise InputError("nothing is left to tune on; hold out less.")
    users, user_rows = np.unique(log.users[rows], return_inverse=True)
    items, item_rows = np.unique(log.items[rows], return_inverse=True)
    rest = replace(
        log,
        users=user_rows.astype(np.int32),
        items=item_rows.astype(np.int32),
        values=log.values[rows],
        user_ids=log.user_ids.select(users),
        item_ids=log.item_ids.select(items),
        times=None if log.times is None else log.times[rows],
    )
    return replace(loaded, log=rest)


def _metrics_shown(metric: Metric, loaded: LoadedLog) -> tuple[Metric, ...]:
    """Return what is measured in the end: the metric tuned by, and those that suit the log."""
    usual = [parse_metric(name) for name in default_metrics(loaded.log.feedback).split(",")]
    return tuple(dict.fromkeys([metric, *usual]))


def _default_metric(loaded: LoadedLog, spaces: tuple[Space, ...]) -> Metric:
    """Return rmse if all models can but predict ratings, and ndcg@10 otherwise."""
    only_predict = all(getattr(space.spec.made(), "ranks_by_value", False) for space in spaces)
    name = "rmse" if only_predict and loaded.log.feedback == "explicit" else "ndcg@10"
    return parse_metric(name)
