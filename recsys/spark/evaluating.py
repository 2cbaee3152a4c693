"""Evaluation with a cluster: models are fitted, lists made and measured there; the means are taken here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.evaluation.accumulator import MetricAccumulator
from recsys.evaluation.evaluator import rank, ranking_by
from recsys.experiment import calls
from recsys.experiment.answers import Evaluation
from recsys.experiment.evaluation_plan import EvaluationPlan
from recsys.experiment.given_logs import LogPlan
from recsys.experiment.given_models import GivenModel
from recsys.factorization import engine
from recsys.models.scorer import Scorer
from recsys.progress import SILENT, GivenProgress, Progress, task
from recsys.recommend.restriction import Restriction
from recsys.spark.blocks import array_in
from recsys.spark.driver_engine import DriverEngine
from recsys.spark.session import check_partitions, collected, parallelism, session, shuffled_to
from recsys.spark.sources import is_for_spark_alone, open_source
from recsys.typing import Int64Array

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

_MEASURED = "part long, name string, numbers binary"
_PARTS_A_TASK, _LEAST_USERS = 4, 32
_Sent = tuple[Scorer, CompressedRows, MetricAccumulator, Int64Array, Int64Array, "Restriction | None", int]


def evaluate(
    model: GivenModel | EvaluationPlan,
    log: Any = None,
    *,
    master: str | None = None,
    partitions: int | None = None,
    conf: Mapping[str, str] | None = None,
    progress: GivenProgress = SILENT,
    **entries: Any,
) -> Evaluation:
    """Train a model on one part of a log and measure it on the part held out, with the work on a cluster.

    The log is read and split here, by the rules of one machine. Fits go to the cluster where
    `recsys.spark.train` knows the model, else they stay here; lists are made and measured there, of whatever
    model. All numbers are those of `recsys.evaluate`, bit for bit.

    Parameters
    ----------
    model, log
        See `recsys.evaluate`; the log may also be one that only Spark reads (see
        `recsys.spark.sources.open_source`), which is then brought here as a table.
    master, conf
        See `recsys.spark.session.session`.
    partitions : int, optional
        Blocks of users and of items in fits, and parts of the users measured.
    progress : bool, callable or Progress
    **entries
        ``split``, ``test``, ``metrics``, ``seed`` and the others of `recsys.evaluate`.

    Returns
    -------
    Evaluation

    Raises
    ------
    DependencyError, InputError, ParameterError, ModelError
        As `recsys.spark.train` and `recsys.evaluate`.
    """
    check_partitions(partitions)
    source = model.log if isinstance(model, EvaluationPlan) else log
    source = source.source if isinstance(source, LogPlan) else source
    with session(master, conf, source=source) as spark:
        n_blocks = partitions or parallelism(spark)
        if isinstance(model, EvaluationPlan):
            if log is not None:
                raise ParameterError("a plan names its log; give either.")
            model = replace(model, log=_brought(spark, model.log), test=_brought(spark, model.test))
            arguments: tuple[Any, ...] = (model,)
        else:
            entries |= {name: _brought(spark, entries[name]) for name in ("test",) if name in entries}
            arguments = (model, _brought(spark, log))
        fits = DriverEngine(spark, n_blocks)
        measuring = _Measuring(spark, partitions or _PARTS_A_TASK * parallelism(spark))
        try:
            with shuffled_to(spark, n_blocks), engine.use(fits), ranking_by(measuring):
                return calls.evaluate(*arguments, progress=progress, **entries)
        finally:
            fits.release()


def _brought(spark: SparkSession, log: Any) -> Any:
    """Return a log for this machine; one that only Spark reads comes as a table."""
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    if not is_for_spark_alone(plan.source):
        return log
    opened = open_source(spark, plan.source, plan.read_as)
    read_as = replace(plan.read_as, table=None, query=None)
    return LogPlan(collected(opened.frame), read_as, plan.items)


class _Measuring:
    """Ranks and measures parts of the users on the cluster; see `recsys.evaluation.evaluator.Ranking`.

    Parameters
    ----------
    spark : SparkSession
    n_parts : int
    """

    def __init__(self, spark: SparkSession, n_parts: int) -> None:
        self._spark, self._n_parts = spark, n_parts

    def __call__(
        self,
        model: Scorer,
        seen: CompressedRows,
        accumulator: MetricAccumulator,
        shown_counts: Int64Array,
        block_bytes: int,
        rules: Restriction | None,
        progress: Progress,
    ) -> None:
        users = accumulator.users
        if len(users) < _LEAST_USERS:  # a job costs more
            rank(model, seen, accumulator, shown_counts, block_bytes, rules, progress)
            return
        blank = accumulator.part(np.zeros(0, dtype=np.int64))
        sent: Broadcast[_Sent] = self._spark.sparkContext.broadcast(
            (model, seen, blank, shown_counts, users, rules, block_bytes)
        )
        cuts = np.linspace(0, len(users), min(self._n_parts, len(users)) + 1).astype(np.int64)
        frame = self._spark.range(0, len(cuts) - 1, 1, numPartitions=len(cuts) - 1)
        try:
            with task(progress, f"evaluate {model.name}", len(users)) as running:
                work = partial(_measure_parts, sent, cuts)
                _merge(accumulator, cuts, collected(frame.mapInArrow(work, _MEASURED)))
                running.advance(len(users))
        finally:
            sent.destroy()


def _merge(accumulator: MetricAccumulator, cuts: Int64Array, measured: pa.Table) -> None:
    """Take over what was measured, in the order of the users."""
    arrays: dict[int, dict[str, Any]] = {}
    for row, (part, name) in enumerate(
        zip(measured.column("part").to_pylist(), measured.column("name").to_pylist(), strict=True)
    ):
        dtype = np.float64 if name in accumulator.per_user else np.int64
        arrays.setdefault(part, {})[name] = array_in(measured.column("numbers"), row, dtype)
    for part, (first, after) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        accumulator.merge(after - first, arrays.get(part, {}))


def _measure_parts(
    sent: Broadcast[_Sent], cuts: Int64Array, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Rank and measure parts of the users on a worker."""
    model, seen, blank, shown_counts, users, rules, block_bytes = sent.value
    for batch in batches:
        for part in batch.column(0).to_pylist():
            own = blank.part(users[cuts[part] : cuts[part + 1]])
            with threads.use(1):
                rank(model, seen, own, shown_counts, block_bytes, rules, SILENT)
            arrays = own.to_arrays()
            yield pa.RecordBatch.from_pydict(
                {
                    "part": pa.array([part] * len(arrays), pa.int64()),
                    "name": pa.array(list(arrays), pa.string()),
                    "numbers": pa.array([array.tobytes() for array in arrays.values()], pa.binary()),
                }
            )
