"""A log in, a trained bundle out, by a cluster."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.checkpoints import Checkpoint
from recsys.data import formats, item_names
from recsys.data.columns import IGNORE
from recsys.data.duplicates import DEFAULT_DUPLICATES, Duplicates
from recsys.data.item_names import ItemNames
from recsys.data.log import shown_span
from recsys.data.log_format import LogFormat
from recsys.errors import ParameterError
from recsys.experiment.given_logs import LogPlan
from recsys.experiment.given_models import GivenModel, spec_of
from recsys.experiment.provenance import versions
from recsys.experiment.settings import AUTO, ModelSpec
from recsys.experiment.training import check_duplicates, check_seed
from recsys.experiment.training_record import log_record
from recsys.factorization import engine
from recsys.factorization.engine import Engine
from recsys.models.base import Model
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.nmf import NMF
from recsys.models.values import confidences
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.bundle import Bundle
from recsys.spark.driver_engine import DriverEngine
from recsys.spark.entries import BlockedEntries
from recsys.spark.numbering import Numbering
from recsys.spark.reading import EventFrame, check_options, read_events
from recsys.spark.sampling import fit_sample
from recsys.spark.session import check_partitions, parallelism, session, shuffled_to
from recsys.spark.sweeps import Counting, SparkEngine, as_they_are

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODELS = ("weighted-nmf", "masked-nmf", "slim", "hybrid-nmf")
"""What the engine trains; a sample of the users those with factors alone, the first two."""
_OTHERS = ("n_init", "validation_share", "warm_start", "gradient_tol")
"""Parameters by which a fit is of other entries than those of the log, or asks for them here."""


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
    checkpoint: Checkpoint | None = None,
    progress: GivenProgress = SILENT,
) -> Bundle:
    """Train a model on a whole log by Spark; the bundle is that of `recsys.train`, bit for bit.

    Parameters
    ----------
    model : str, Path, Model or class
        See `recsys.train`; one of `MODELS`, or "auto": hybrid-nmf as on one machine, and with
        ``sample_users`` weighted-nmf, which is its part with factors.
    log : str, Path, several of them, DataFrame or LogPlan
        Files, tables, databases or a data frame of Spark (see `recsys.spark.sources.open_source`), and how
        they are to be read (`LogPlan`); see `recsys.spark.reading.HONOURED`.
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
    checkpoint : Checkpoint, optional
        Keeps where the fit stands, on the driver; see `recsys.train`. A fit may go on with other partitions,
        or on one machine. A sample of users has none.
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
        trainable(spec_of(model), is_sample=sample_users is not None).seeded(seed),
        check_duplicates(duplicates),
        listener(progress),
    )
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    log_format = formats.filled(plan.read_as)
    check_options(log_format)
    check_partitions(partitions)
    if checkpoint is not None:
        spec.made().check_checkpoint(checkpoint)
    if sample_users is not None:
        check_sample(spec, checkpoint)
    with ExitStack() as open_:
        spark = open_.enter_context(session(master, conf, source=plan.source))
        folder = open_.enter_context(tempfile.TemporaryDirectory(prefix="recsys-spark-"))
        n_blocks = partitions or parallelism(spark)
        open_.enter_context(shuffled_to(spark, max(n_blocks, parallelism(spark))))
        with task(listening, "read and number the log"):
            events = read_events(spark, plan.source, log_format)
            numbered = numberings(events, log_format, n_blocks)
        with task(listening, "join and lay out entries"):
            rule = rule or DEFAULT_DUPLICATES[events.feedback]
            blocked = blocks_of(spark, events, *numbered, rule=rule, log_format=log_format)
            open_.callback(blocked.release)
            if rule == "error":
                blocked.check_no_repeats()
            data = blocked.interactions(events.feedback, Path(folder), has_times=events.time_kind is not None)
        names: ItemNames = {}
        if plan.items is not None:
            names, _ = item_names.from_file(plan.items, data.item_ids, log_format)
        fitted = spec.made()
        began = time.perf_counter()
        try:
            counting = counting_of(fitted)
            if sample_users is not None:
                assert isinstance(fitted, NMF)
                fitted = fit_sample(
                    fitted, data, blocked, counting, share=sample_users, seed=seed, progress=listening
                )
            else:
                sweeping = open_.enter_context(_engine_of(spark, fitted, blocked, counting, n_blocks))
                kept_at: dict[str, Any] = {} if checkpoint is None else {"checkpoint": checkpoint}
                with engine.use(sweeping):
                    fitted.fit(data, progress=listening, **kept_at)
        except KeyboardInterrupt:
            if not (keep_interrupted and fitted.is_fitted):
                raise
        seconds = time.perf_counter() - began + (0.0 if checkpoint is None else checkpoint.seconds_before)
        record = record_of_events(events, log_format)
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


def trainable(spec: ModelSpec, *, is_sample: bool = False) -> ModelSpec:
    """Return a model that the engine trains, "auto" replaced, or raise ParameterError.

    Parameters
    ----------
    spec : ModelSpec
    is_sample : bool
        Whether a sample of the users is fitted, and so a model with factors needed.
    """
    if spec.name == AUTO and is_sample:
        spec = replace(spec, name=MODELS[0])
    spec = spec.resolved()
    if spec.template is not None or spec.name not in MODELS:
        raise ParameterError(
            f"--engine spark does not train {spec.title}; it trains {', '.join(MODELS[:-1])} and "
            f"{MODELS[-1]}. Take one of them, or leave --engine out."
        )
    model = spec.made()
    if isinstance(model, MaskedNMF) and model.loss != "squared":
        raise ParameterError(
            f"--engine spark trains masked-nmf with loss=squared; expected that, not {model.loss!r}."
        )
    return spec


def check_sample(spec: ModelSpec, checkpoint: Checkpoint | None) -> None:
    """Raise ParameterError if a sample of the users cannot be fitted, or is to have checkpoints."""
    if not isinstance(spec.made(), NMF):
        raise ParameterError(
            f"{spec.title} has no factors of users to fold in; --sample-users is for {MODELS[0]} and "
            f"{MODELS[1]}."
        )
    if checkpoint is not None:
        raise ParameterError("a sample of users is fitted without checkpoints; leave either out.")


@contextmanager
def _engine_of(
    spark: SparkSession, model: Model, blocked: BlockedEntries, counting: Counting, n_blocks: int
) -> Iterator[Engine]:
    """Yield what computes a fit: on the blocks of the log, or on entries that the driver sends."""
    if sweeps_blocks_of_log(model):
        yield SparkEngine(blocked, counting)
        return
    sending = DriverEngine(spark, n_blocks)
    try:
        yield sending
    finally:
        sending.release()


def sweeps_blocks_of_log(model: Model) -> bool:
    """Return whether all sweeps of a fit are over the entries of the log as they lie on the cluster."""
    if not isinstance(model, NMF):
        return False
    params, usual = model.get_params(), type(model)().get_params()
    return all(params[name] == usual[name] for name in _OTHERS)


def counting_of(model: Model) -> Counting:
    """Return what a model makes of the rows of a log before it is fitted."""
    if isinstance(model, WeightedNMF):
        return partial(confidences, kind=model.confidence, alpha=model.alpha)
    return as_they_are


def numberings(events: EventFrame, log_format: LogFormat, n_blocks: int) -> tuple[Numbering, Numbering]:
    """Return the numbers of the users and of the items of a log."""
    users, items = (
        Numbering.of(
            events.frame,
            role,
            n_blocks,
            is_text=is_text,
            rules=log_format.id_rules,
            separator=log_format.delimiter,
        )
        for role, is_text in zip(("user", "item"), events.is_text, strict=True)
    )
    return users, items


def blocks_of(
    spark: SparkSession,
    events: EventFrame,
    users: Numbering,
    items: Numbering,
    *,
    rule: str,
    log_format: LogFormat,
) -> BlockedEntries:
    """Lay the entries of a log out on the cluster."""
    frame = items.joined(spark, users.joined(spark, events.frame, "user"), "item")
    return BlockedEntries.of(
        spark,
        frame,
        users,
        items,
        rule=rule,
        time_unit=log_format.time_unit,
        is_number=bool(events.time_written),
    )


def record_of_events(events: EventFrame, log_format: LogFormat) -> dict[str, Any]:
    """Return what a bundle records of a log."""
    roles = ("user", "item", "value", "time")
    columns: dict[str, Any] = {role: getattr(events.columns, role) or IGNORE for role in roles}
    unit = events.time_written or None
    read_as = log_format.over(LogFormat(**columns, feedback=events.feedback, time_unit=unit))
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
