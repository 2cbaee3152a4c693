"""What `recsys.compare` and `recsys.evaluate` return: results to look at, to test and to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from recsys import threads as pool
from recsys.data.loaded_log import LoadedLog
from recsys.errors import ParameterError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.pair_tests import PairTests
from recsys.evaluation.significance import PairTest, interval
from recsys.evaluation.uncertainty import Interval
from recsys.experiment.comparison import STOPPED
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.record import comparison_record, write_record
from recsys.experiment.reporting import write_comparison
from recsys.experiment.result import Result
from recsys.models.base import Model
from recsys.progress import SILENT, Progress
from recsys.report.writing import check_report


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models measured on the same splits.

    ``comparison["als"]`` is the result of one; printed, it is a table.

    Attributes
    ----------
    results : tuple of Result
        In the order in which models were given; one that failed has an ``error``.
    splits : tuple of PreparedSplit
        One, or one a fold, window or repeat.
    loaded : LoadedLog
    metrics : tuple of str
    seed : int
        Of splits, starts, intervals and tests.
    threads : int, optional

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> comparison = recsys.compare(["bias"], frame, split="random:0.3", metrics="rmse")
    >>> [result.label for result in comparison.results]
    ['bias', 'popularity']
    >>> list(comparison.to_frame()[["rmse", "n_users"]].columns)
    ['rmse', 'n_users']
    """

    results: tuple[Result, ...]
    splits: tuple[PreparedSplit, ...]
    loaded: LoadedLog
    metrics: tuple[str, ...]
    seed: int
    threads: int | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether it was interrupted before the last model was done."""
        return self.results[-1].error == STOPPED

    @cached_property
    def measured(self) -> Mapping[str, Measurements]:
        """What was measured, by label; a model that failed is not there."""
        return {r.label: r.measurements for r in self.results if r.measurements is not None}

    @cached_property
    def tests(self) -> PairTests:
        """The tests of all pairs of models; each metric's are made when first asked for."""
        return PairTests(self.measured, seed=self.seed)

    def pairs(self, metric: str) -> tuple[PairTest, ...]:
        """Return the tests of all pairs of models on a metric, the best first; see `recsys.compare_pairs`."""
        return self.tests.on(metric)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The whole comparison as one object ready for JSON; what ``compare --json`` prints."""
        return comparison_record(self.results, self.splits, seed=self.seed, tests=self.tests)

    def write_record(self, path: Path) -> None:
        """Write `record` as JSON; an older file is replaced as a whole."""
        write_record(self.record, path)

    @property
    def answer(self) -> list[str]:
        """What came out, in sentences."""
        return list(self.record["answer"])

    def __getitem__(self, label: str) -> Result:
        for result in self.results:
            if result.label == label:
                return result
        known = ", ".join(result.label for result in self.results)
        raise ParameterError(f"no model is labelled {label!r}; there are {known}.")

    def __len__(self) -> int:
        return len(self.results)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a model: each metric with its 95 % interval, users averaged, seconds, errors."""
        rows = []
        for result, record in zip(self.results, self.record["results"], strict=True):
            row: dict[str, Any] = {"model": result.label}
            for metric in self.metrics:
                low, high = record.get("intervals", {}).get(metric, (None, None))
                row |= {metric: record["metrics"].get(metric), f"{metric} low": low, f"{metric} high": high}
            row |= {"n_users": record["n_users"], "fit_seconds": result.fit_seconds, "error": result.error}
            rows.append(row)
        return pd.DataFrame(rows).set_index("model")

    def __repr__(self) -> str:
        shown = self.to_frame()[list(self.metrics)]
        return f"{self.splits[0].split.name} of {self.loaded.source}\n{shown.to_string(float_format='%.4f')}"

    def report(
        self,
        path: str | Path,
        *,
        command: str | None = None,
        plan: Mapping[str, str] | None = None,
        progress: Progress = SILENT,
    ) -> Path:
        """Write a report that opens from disk.

        Parameters
        ----------
        path : str or Path
            ``.html``, ``.md``, ``.json``, ``.parquet`` (every user's values), or a name without a suffix
            for a folder with all of them.
        command : str, optional
            How it was made, for those who want to make it again.
        plan : mapping of name to text, optional
            The files that the command reads.
        progress : Progress

        Returns
        -------
        Path

        Raises
        ------
        ParameterError
            If the path names no form of a report.
        """
        path = Path(path).expanduser()
        check_report(path)
        with pool.use(self.threads):
            write_comparison(
                path,
                self.loaded,
                self.splits,
                self.results,
                self.metrics,
                seed=self.seed,
                command=command or self._call(),
                plan=plan,
                tests=self.tests,
                progress=progress,
            )
        return path

    def _call(self) -> str:
        """Return the call in Python that this came from, as far as text can say it."""
        labels = [result.label for result in self.results]
        return (
            f"recsys.compare({labels!r}, {self.loaded.source!r}, split={self.splits[0].split.name!r}, "
            f"metrics={','.join(self.metrics)!r}, seed={self.seed})"
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model measured on what was held out.

    Attributes
    ----------
    result : Result
    beside : tuple of Result
        Popularity, the floor, where lists are measured and the model is another.
    splits : tuple of PreparedSplit
    loaded : LoadedLog
    metrics_asked : tuple of str
    seed : int
    threads : int, optional

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> evaluation = recsys.evaluate("bias", frame, split="random:0.3", metrics="rmse")
    >>> list(evaluation.metrics), evaluation.model.name
    (['rmse'], 'bias')
    >>> interval = evaluation.interval("rmse")
    >>> interval.low <= evaluation.metrics["rmse"] <= interval.high
    True
    """

    result: Result
    beside: tuple[Result, ...]
    splits: tuple[PreparedSplit, ...]
    loaded: LoadedLog
    metrics_asked: tuple[str, ...]
    seed: int
    threads: int | None = None

    @property
    def results(self) -> tuple[Result, ...]:
        """The model's result and those beside it."""
        return (self.result, *self.beside)

    @property
    def measurements(self) -> Measurements:
        """All that was measured, users' values among it."""
        assert self.result.measurements is not None
        return self.result.measurements

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """The value of each metric; None where there is no answer (see ``measurements.remarks``)."""
        return self.measurements.metrics

    @property
    def model(self) -> Model:
        """The model, fitted to the training part of the first split."""
        assert self.result.model is not None
        return self.result.model

    def interval(self, metric: str) -> Interval | None:
        """Return a metric with its 95 % interval; see `recsys.interval`."""
        return interval(self.measurements, metric, seed=self.seed)

    def __repr__(self) -> str:
        values = ", ".join(
            f"{name} {'-' if value is None else format(value, '.4f')}" for name, value in self.metrics.items()
        )
        return f"Evaluation of {self.result.label} on {self.splits[0].split.name}: {values}"

    def report(self, path: str | Path, **options: Any) -> Path:
        """Write a report; see `Comparison.report`."""
        alone = Comparison(
            self.results, self.splits, self.loaded, self.metrics_asked, self.seed, self.threads
        )
        return alone.report(path, **options)
