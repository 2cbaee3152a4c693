"""A log in, a trained bundle out, by a cluster."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data import formats, item_names
from recsys.data.columns import IGNORE
from recsys.data.duplicates import DEFAULT_DUPLICATES, Duplicates
from recsys.data.item_names import ItemNames
from recsys.data.log import shown_span
from recsys.data.log_format import LogFormat
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.experiment.given_logs import LogPlan
from recsys.experiment.given_models import GivenModel, spec_of
from recsys.experiment.provenance import versions
from recsys.experiment.settings import AUTO, ModelSpec
from recsys.experiment.training import check_duplicates, check_seed
from recsys.experiment.training_record import log_record
from recsys.factorization import engine
from recsys.models.base import Model
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.nmf import NMF
from recsys.models.values import confidences
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.bundle import Bundle
from recsys.spark.entries import BlockedEntries
from recsys.spark.numbering import Numbering
from recsys.spark.reading import EventFrame, check_options, read_events
from recsys.spark.sampling import fit_sample
from recsys.spark.session import parallelism, session, shuffled_to
from recsys.spark.sweeps import Counting, SparkEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODELS = ("weighted-nmf", "masked-nmf")
"""What the engine trains; "auto" is the first."""
MOST_PARTITIONS = 100_000
_ALONE = (
    "n_init",
    "validation_share",
    "warm_start",
    "gradient_tol",
)  # need the entries in other blocks, or here


def train(
    model: GivenModel,
    log: Any,
    *,
    master: str | None = None,
    partitions: int | None = None,
    conf: Mapping[str, str] | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    sample_users: float | None = None,
    keep_interrupted: bool = False,
    progress: GivenProgress = SILENT,
) -> Bundle:
    """Train a model on a whole log by Spark; the bundle is that of `recsys.train`, bit for bit.

    Parameters
    ----------
    model : str, Path, Model or class
        See `recsys.train`; one of `MODELS`, or "auto".
    log : str, Path, several of them, or LogPlan
        Files or folders of Parquet or text, and how they are to be read (`LogPlan`); see
        `recsys.spark.reading.HONOURED`.
    master : str, optional
        See `recsys.spark.session.session`.
    partitions : int, optional
        Blocks of users, and of items; by default one for each task that runs at a time.
    conf : mapping of str to str, optional
        Settings of Spark.
    seed : int
    duplicates : str, optional
        How repeats of a pair become one value; see `Interactions.from_log`.
    sample_users : float, optional
        Share of the users that are fitted, on this machine alone; all are then folded in on the cluster. The
        bundle is then not that of a full fit; see `recsys.spark.sampling`.
    keep_interrupted : bool
        See `recsys.train`.
    progress : bool, callable or Progress

    Returns
    -------
    Bundle
        Its entries are mapped from files that have no name any more.

    Raises
    ------
    DependencyError
        If pyspark or Java is missing or too old.
    ParameterError
        If the engine does not train the model, or takes no such option.
    InputError
        If the log cannot be used, or the cluster does not answer.
    """
    check_seed(seed)
    spec, rule, listening = (
        trainable(spec_of(model)).seeded(seed),
        check_duplicates(duplicates),
        listener(progress),
    )
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    told = formats.filled(plan.read_as)
    check_options(told)
    check_partitions(partitions)
    with ExitStack() as open_:
        spark = open_.enter_context(session(master, conf))
        folder = open_.enter_context(tempfile.TemporaryDirectory(prefix="recsys-spark-"))
        n_blocks = partitions or parallelism(spark)
        open_.enter_context(shuffled_to(spark, max(n_blocks, parallelism(spark))))
        with task(listening, "read and number the log"):
            events = read_events(spark, plan.source, told)
            numbered = numberings(events, told, n_blocks)
        with task(listening, "join and lay out entries"):
            rule = rule or DEFAULT_DUPLICATES[events.feedback]
            blocked = blocks_of(spark, events, *numbered, rule=rule, told=told)
            open_.callback(blocked.release)
            if rule == "error":
                blocked.check_no_repeats()
            data = blocked.interactions(events.feedback, Path(folder), has_times=events.time_kind is not None)
        names: ItemNames = {}
        if plan.items is not None:
            names, _ = item_names.from_file(plan.items, data.item_ids, told)
        fitted = spec.made()
        assert isinstance(fitted, NMF)
        began = time.perf_counter()
        try:
            counting = counting_of(fitted)
            if sample_users is not None:
                fitted = fit_sample(
                    fitted, data, blocked, counting, share=sample_users, seed=seed, progress=listening
                )
            else:
                with engine.use(SparkEngine(blocked, counting)):
                    fitted.fit(data, progress=listening)
        except KeyboardInterrupt:
            if not (keep_interrupted and fitted.is_fitted):
                raise
        seconds = time.perf_counter() - began
        record = record_of_events(events, told)
        return Bundle.of(
            fitted,
            data,
            item_names=names,
            time_kind=events.time_kind,
            training={
                "source": record["source"],
                "seed": seed,
                "seconds": seconds,
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "packages": versions(),
                "log": record,
                "duplicates": check_duplicates(duplicates),
                "min_user": 0,
                "min_item": 0,
                "engine": "spark",
                **({} if sample_users is None else {"sample_users": sample_users}),
            },
        )


def trainable(spec: ModelSpec) -> ModelSpec:
    """Return a model that the engine trains, or raise ParameterError."""
    if spec.name == AUTO:
        spec = replace(spec, name=MODELS[0])
    if spec.template is not None or spec.name not in MODELS:
        raise ParameterError(
            f"--engine spark does not train {spec.title}; it trains {' and '.join(MODELS)}. Take one of "
            f"them, or leave --engine out."
        )
    model = spec.made()
    if isinstance(model, MaskedNMF) and model.loss != "squared":
        raise ParameterError(
            f"--engine spark trains masked-nmf with loss=squared; expected that, not {model.loss!r}."
        )
    params = model.get_params()
    usual = type(model)().get_params()
    for name in _ALONE:
        if params[name] != usual[name]:
            raise ParameterError(
                f"{spec.name}: {name} is {params[name]!r}, which --engine spark does not honour; leave it "
                f"out, or train on one machine."
            )
    return spec


def counting_of(model: Model) -> Counting:
    """Return what a model makes of the rows of a log before it is fitted."""
    if isinstance(model, WeightedNMF):
        return partial(confidences, kind=model.confidence, alpha=model.alpha)
    return as_they_are


def as_they_are(rows: CompressedRows) -> CompressedRows:
    """Return rows unchanged."""
    return rows


def check_partitions(partitions: int | None) -> None:
    """Raise ParameterError unless a number of partitions is one."""
    if partitions is not None and not 1 <= partitions <= MOST_PARTITIONS:
        raise ParameterError(
            f"partitions is {partitions}; expected a whole number, 1 to {MOST_PARTITIONS:,}."
        )


def numberings(events: EventFrame, told: LogFormat, n_blocks: int) -> tuple[Numbering, Numbering]:
    """Return the numbers of the users and of the items of a log."""
    users, items = (
        Numbering.of(
            events.frame, role, n_blocks, is_text=is_text, rules=told.id_rules, separator=told.delimiter
        )
        for role, is_text in zip(("user", "item"), events.is_text, strict=True)
    )
    return users, items


def blocks_of(
    spark: SparkSession, events: EventFrame, users: Numbering, items: Numbering, *, rule: str, told: LogFormat
) -> BlockedEntries:
    """Lay the entries of a log out on the cluster."""
    frame = items.joined(spark, users.joined(spark, events.frame, "user"), "item")
    return BlockedEntries.of(
        spark, frame, users, items, rule=rule, time_unit=told.time_unit, is_number=bool(events.time_written)
    )


def record_of_events(events: EventFrame, told: LogFormat) -> dict[str, Any]:
    """Return what a bundle records of a log."""
    roles = ("user", "item", "value", "time")
    columns: dict[str, Any] = {role: getattr(events.columns, role) or IGNORE for role in roles}
    unit = events.time_written or None
    read_as = told.over(LogFormat(**columns, feedback=events.feedback, time_unit=unit))
    return log_record(
        events.source,
        events.columns,
        read_as,
        n_read=events.n_read,
        dropped=events.dropped,
        n_events=events.n_read - sum(drop.n_rows for drop in events.dropped),
        time_kind=events.time_kind,
        span=None if events.span is None else shown_span(events.span, events.time_kind),
        files=events.files,
    )
