"""What is to be measured, as one typed object: made from arguments, flags or a file alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

from recsys import threads as pool
from recsys.data.loaded_log import LoadedLog
from recsys.data.log_format import LogFormat
from recsys.errors import ModelError, ParameterError
from recsys.evaluation.metrics import Metric, parse_metrics
from recsys.experiment.answers import Comparison, Evaluation
from recsys.experiment.comparison import STOPPED, compare, run_beside_floor
from recsys.experiment.given_logs import GivenLog, LogPlan, both_of
from recsys.experiment.preparation import prepared_for
from recsys.experiment.prepared_split import PreparedSplit, check_source
from recsys.experiment.result_store import ResultStore
from recsys.experiment.settings import ModelSpec
from recsys.experiment.side_inputs import SideInputs, SidePlan, check_side, default_metrics_for, read_side
from recsys.experiment.training import check_duplicates, check_seed
from recsys.files import reserved
from recsys.progress import SILENT, Progress
from recsys.splitting.support import MinSupport

GivenMetrics: TypeAlias = str | Metric | Iterable[str | Metric]
_SUPPORT = {"min_user": "user", "min_item": "item", "filter_test": "test"}


@dataclass(frozen=True)
class EvaluationPlan:
    """Models, a log, and how they are to be measured on a part of it that is held out.

    Attributes
    ----------
    models : tuple of ModelSpec
    log : str, Path, table, LoadedLog, LogPlan or PreparedSplit
    test : the same, but for the last, optional
        Held-out events in a log of their own, instead of a split.
    split : str, optional
        What is held out; "random:0.2" by default.
    support : MinSupport
        What users and items need to stay in training.
    duplicates : str, optional
        How repeats of a pair become one value; see `Interactions.from_log`.
    metrics : tuple of Metric, optional
        By default those that suit the log.
    side : SidePlan
        Categories of items, groups of users, and the memory that scoring may take.
    seed : int
        Of splits, starts, intervals and tests.
    threads : int, optional
    out : Path, optional
        A folder in which each result of a comparison is kept as soon as it is there.

    Raises
    ------
    ParameterError
        If something cannot be read, or two parts of it exclude one another; before any log is read.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> spec = recsys.ModelSpec("bias")
    >>> plan = recsys.EvaluationPlan.of((spec,), frame, split="random:0.3", metrics="rmse")
    >>> recsys.evaluate(plan).result.label
    'bias'
    """

    models: tuple[ModelSpec, ...]
    log: GivenLog | PreparedSplit
    test: GivenLog | None = None
    split: str | None = None
    support: MinSupport = field(default_factory=MinSupport)
    duplicates: str | None = None
    metrics: tuple[Metric, ...] | None = None
    side: SidePlan = field(default_factory=SidePlan)
    seed: int = 0
    threads: int | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        check_source(self.test, self.split)
        if isinstance(self.log, PreparedSplit) and (
            self.test is not None or self.split is not None or self.support or self.duplicates is not None
        ):
            raise ParameterError(
                "the log is split already; give split, test, duplicates and least numbers to recsys.split."
            )
        check_duplicates(self.duplicates)
        check_seed(self.seed)

    @classmethod
    def entries(cls) -> tuple[str, ...]:
        """Return the names that `of` takes: those of this class and of what it is made of."""
        own = {part.name for part in fields(cls)} - {"models", "log", "support", "side"}
        return tuple(sorted({*own, *_SUPPORT, *(part.name for part in fields(SidePlan))}))

    @classmethod
    def of(
        cls, models: tuple[ModelSpec, ...], log: GivenLog | PreparedSplit, **entries: Any
    ) -> EvaluationPlan:
        """Make a plan of entries by their names, which are those of the flags; None: not given.

        Raises
        ------
        ParameterError
            As the class, and if there is no entry of a name.
        """
        known = cls.entries()
        for name in entries:
            if name not in known:
                raise ParameterError(f"there is no option {name!r}; expected {', '.join(known)}.")
        entries = {name: value for name, value in entries.items() if value is not None}
        support = {role: entries.pop(name) for name, role in _SUPPORT.items() if name in entries}
        if support.get("test") and not (support.get("user") or support.get("item")):
            raise ParameterError("--filter-test needs --min-user or --min-item.")
        side = {part.name: entries.pop(part.name) for part in fields(SidePlan) if part.name in entries}
        if "metrics" in entries:
            entries["metrics"] = metrics_of(entries["metrics"])
        if "out" in entries:
            entries["out"] = Path(entries["out"]).expanduser()
        return cls(models, log, support=MinSupport(**support), side=SidePlan(**side), **entries)

    @classmethod
    def from_flags(cls, models: tuple[ModelSpec, ...], flags: Mapping[str, Any]) -> EvaluationPlan:
        """Make a plan of all flags of a command, or the entries of a file that stand for them; see `of`."""
        reading = {part.name: flags[part.name] for part in fields(LogFormat) if part.name in flags}
        # A table of items without names is one of categories.
        items = flags.get("items") if "item_name" in flags else None
        own = {name: value for name, value in flags.items() if name in cls.entries()}
        return cls.of(models, LogPlan(flags["log"], LogFormat.of(**reading), items), **own)

    def compare(self, progress: Progress = SILENT) -> Comparison:
        """Measure all models, and popularity, on the same splits; see `recsys.compare`."""
        check_side(self.side, self.metrics)
        kept = None if self.out is None else self.out / "comparison.json"
        with pool.use(self.threads), reserved(kept, wait=0.5):
            inputs = self._read(progress)
            store = (
                None
                if self.out is None
                else ResultStore(self.out, inputs.loaded.item_names, inputs.side.context)
            )
            results = compare(
                self.models,
                inputs.splits,
                inputs.metrics,
                seed=self.seed,
                measuring=inputs.side.measuring,
                store=store,
                progress=progress,
            )
        measured = [result.measurements for result in results if result.measurements is not None]
        if results[-1].error == STOPPED and not measured:
            raise KeyboardInterrupt
        if all(number is None for of_model in measured for number in of_model.metrics.values()):
            troubles = [f"{result.label}: {result.error}" for result in results if result.error]
            remarks = dict.fromkeys(str(remark) for of_model in measured for remark in of_model.remarks)
            raise ModelError(" ".join([*troubles, *remarks]))
        return Comparison(
            results=tuple(results),
            splits=inputs.splits,
            loaded=inputs.loaded,
            metrics=tuple(map(str, inputs.metrics)),
            seed=self.seed,
            threads=self.threads,
        )

    def evaluate(self, progress: Progress = SILENT) -> Evaluation:
        """Measure the first model; see `recsys.evaluate`."""
        check_side(self.side, self.metrics, names_are_shown=False)
        with pool.use(self.threads):
            inputs = self._read(progress)
            results = run_beside_floor(
                self.models[0],
                inputs.splits,
                inputs.metrics,
                seed=self.seed,
                measuring=inputs.side.measuring,
                progress=progress,
            )
        measured = results[0].measurements
        assert measured is not None
        if all(number is None for number in measured.metrics.values()):
            raise ModelError(" ".join(map(str, measured.remarks)))
        return Evaluation(
            result=results[0],
            beside=tuple(results[1:]),
            splits=inputs.splits,
            loaded=inputs.loaded,
            metrics_asked=tuple(map(str, inputs.metrics)),
            seed=self.seed,
            threads=self.threads,
        )

    def _read(self, progress: Progress) -> _Inputs:
        if isinstance(self.log, PreparedSplit):
            splits: tuple[PreparedSplit, ...] = (self.log,)
            loaded = self.log.loaded
        else:
            loaded, test, seconds = both_of(self.log, self.test, n_threads=self.threads, progress=progress)
            splits = prepared_for(self, loaded, test=test, split=self.split, load_seconds=seconds)
        side = read_side(self.side, loaded, self.threads)
        return _Inputs(loaded, splits, self.metrics or default_metrics_for(self.side, loaded), side)


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What a plan names, read."""

    loaded: LoadedLog
    splits: tuple[PreparedSplit, ...]
    metrics: tuple[Metric, ...]
    side: SideInputs


def metrics_of(metrics: GivenMetrics) -> tuple[Metric, ...]:
    """Read metrics as people give them.

    Raises
    ------
    ParameterError
        If one is not known, or there is none.
    """
    if isinstance(metrics, str):
        return parse_metrics(metrics)
    listed = [metrics] if isinstance(metrics, Metric) or not isinstance(metrics, Iterable) else list(metrics)
    for metric in listed:
        if not isinstance(metric, (str, Metric)):
            raise ParameterError(f"{metric!r:.80} is no metric; expected text such as 'ndcg@10,recall@10'.")
    return parse_metrics([str(metric) for metric in listed])
