"""Lists for the users of a log that the model does not know: histories are folded in on the cluster."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys import threads
from recsys.data import formats
from recsys.data.ids import Id
from recsys.errors import InputError
from recsys.experiment.given_logs import LogPlan
from recsys.experiment.list_folder import ListFolder, check_partition, settings_of, texts_of
from recsys.files import reserved
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.bundle import Bundle
from recsys.recommend.lists import Segments
from recsys.recommend.ranking import check_n
from recsys.recommend.recommender import users_a_batch
from recsys.recommend.rules import Rules
from recsys.spark.list_parts import (
    PART_SCHEMA,
    ListsOptions,
    PartsFolder,
    audiences_on_worker,
    mapping_of,
    note_parts,
    waves,
    written_part,
)
from recsys.spark.reading import EventFrame, read_events
from recsys.spark.session import check_partitions, collected, parallelism, session, shuffled_to
from recsys.spark.shipping import ShippedBundle, shipped

if TYPE_CHECKING:
    from pyspark import Broadcast

_AT_A_TIME = 4_096  # users whose histories are folded in together


def recommend_log(
    model: str | Path | Bundle,
    log: Any,
    out: str | Path,
    n: int = 10,
    *,
    rules: Rules | None = None,
    segments: Segments = None,
    reasons: int = 0,
    partition_by: str | None = None,
    strict: bool = False,
    master: str | None = None,
    partitions: int | None = None,
    conf: Mapping[str, str] | None = None,
    progress: GivenProgress = SILENT,
) -> tuple[Counter[str], int, tuple[str, ...]]:
    """Write the lists of the users of a log, known by that alone, as a folder of parts.

    No user need be known to the model, and there may be more of them than it was trained on: the driver holds
    none. Each list is that of `Bundle.recommend_for_each`. Items that the model does not know are left out.

    Parameters
    ----------
    model, out, rules, segments, reasons, partition_by, master, conf, progress
        As in `recsys.spark.recommend`.
    log : str, Path, several of them, LogPlan or DataFrame
        See `recsys.spark.train`. Of repeats of a pair amounts are added up; of ratings the last
        one counts.
    n : int
    strict : bool
        Whether an item that the model does not know is an error.
    partitions : int, optional
        Parts; by default one for 4,096 users, and 60 at most. A user's part goes by a hash of the id.

    Returns
    -------
    counts : Counter
    n_before : int
        Parts that were there from an earlier run.
    notes : tuple of str
        What was left out.

    Raises
    ------
    DependencyError, InputError, ParameterError
        As `recsys.spark.recommend` and `recsys.spark.train`.
    ModelError
        If the model cannot answer for users it was not trained on.
    """
    check_partition(partition_by, segments)
    check_partitions(partitions)
    check_n(n)
    check_n(reasons, "reasons", least=0)
    path = Path(out).expanduser().absolute()
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    with (
        session(master, conf, source=plan.source) as spark,
        shuffled_to(spark, max(partitions or 1, parallelism(spark))),
        shipped(spark, model) as (bundle, sent_bundle),
        reserved(path, wait=0.5),
    ):
        from pyspark.sql import functions as fn

        bundle.model.check_folds_in()
        events = read_events(spark, plan.source, formats.filled(plan.read_as))
        notes = _unknown_items(bundle, events, strict=strict)
        frame = events.frame
        user = fn.col("user").cast("string")
        hashed = [name for name in ("user", "item", "value") if name in frame.columns]
        facts = frame.agg(
            fn.countDistinct("user").alias("n_users"),
            fn.sum(fn.xxhash64(*hashed).cast("decimal(38,0)")).alias("digest"),
        ).collect()[0]
        n_users = int(facts["n_users"])
        n_parts = partitions or max(1, -(-n_users // users_a_batch(n_users, reasons)))
        settings = settings_of(bundle, None, n, rules, texts_of(segments), reasons, None, partition_by)
        settings |= {"histories": _digest(events, str(facts["digest"])), "parts": n_parts}
        folder = ListFolder(path, settings)
        n_before, counts = folder.n_parts, folder.counts
        if folder.is_complete:
            return counts, n_before, notes
        options = ListsOptions(n, rules, mapping_of(segments), reasons, partition_by)
        sent: Broadcast[ListsOptions] = spark.sparkContext.broadcast(options)
        work = partial(_lists_of, sent_bundle, PartsFolder(str(path), folder.digest), sent, _adds_up(events))
        parted = frame.withColumn("part", fn.pmod(fn.xxhash64(user), fn.lit(n_parts)).cast("int")).persist()
        try:
            with task(listener(progress), "recommend", n_users) as running:
                running.advance(counts["n_users"])
                for numbers in waves(range(n_before, n_parts), parallelism(spark)):
                    some = parted.filter(fn.col("part").between(numbers[0], numbers[-1])).groupBy("part")
                    made = collected(some.applyInArrow(_on_group(work), PART_SCHEMA))
                    of_wave = note_parts(folder, made, numbers)
                    counts.update(of_wave)
                    running.advance(of_wave["n_users"])
        finally:
            parted.unpersist()
            sent.destroy()
        folder.finish()
    return counts, n_before, notes


def _unknown_items(bundle: Bundle, events: EventFrame, *, strict: bool) -> tuple[str, ...]:
    """Return a note on items of a log that the model does not know, or raise InputError."""
    listed = collected(events.frame.select("item").distinct()).column("item").to_pylist()
    rows = bundle.item_ids.rows(listed).tolist()
    unknown = sorted(str(item) for item, row in zip(listed, rows, strict=True) if row < 0)
    if not unknown:
        return ()
    few = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
    note = f"{len(unknown):,} of {len(listed):,} items are not known to the model ({few})"
    if strict:
        raise InputError(f"{events.source}: {note}.")
    return (note,)


def _digest(events: EventFrame, of_rows: str) -> str:
    """Return what tells a log from another: the sum of the hashes of its rows, and how they are read."""
    used = [events.source, events.n_read, events.columns.value, of_rows]
    return hashlib.sha256(json.dumps(used).encode()).hexdigest()


def _adds_up(events: EventFrame) -> bool | None:
    """Return whether values of a pair are added up; None where there are no values."""
    return None if events.columns.value is None else events.feedback == "implicit"


def _on_group(work: Callable[[pa.Table], Iterator[pa.RecordBatch]]) -> Callable[[pa.Table], pa.Table]:
    """Return work on a group as Spark takes it, which looks at the types of parameters."""

    def applied(group: pa.Table) -> pa.Table:
        return pa.Table.from_batches(work(group))

    return applied


def _lists_of(
    shipped: ShippedBundle,
    parts_folder: PartsFolder,
    sent: Broadcast[ListsOptions],
    adds_up: bool | None,
    events: pa.Table,
) -> Iterator[pa.RecordBatch]:
    """Make the part of a group of users, on a worker."""
    options, bundle = sent.value, shipped.opened()
    histories = histories_of(events, bundle, adds_up=adds_up)
    users, made = list(histories), []
    with threads.use(1):
        for first in range(0, len(users), _AT_A_TIME):
            some = {user: histories[user] for user in users[first : first + _AT_A_TIME]}
            made.append(
                bundle.recommend_for_each(
                    some,
                    options.n,
                    rules=options.rules,
                    segments=audiences_on_worker(shipped, options),
                    reasons=options.reasons,
                )
            )
    yield written_part(parts_folder, options, int(events.column("part")[0].as_py()), made)


def histories_of(events: pa.Table, bundle: Bundle, *, adds_up: bool | None) -> dict[Id, Any]:
    """Return the histories of a table of events, in the order of the source, of items that a model knows."""
    order = np.lexsort([events.column(name).to_numpy() for name in ("line", "block", "file")])
    events = events.take(pa.array(order))
    users, items = events.column("user").to_pylist(), events.column("item").to_pylist()
    is_known = bundle.item_ids.rows(items) >= 0
    histories: dict[Id, dict[Id, float]] = {}
    values = events.column("value").to_pylist() if adds_up is not None else [1.0] * len(users)
    for user, item, value, known in zip(users, items, values, is_known.tolist(), strict=True):
        history = histories.setdefault(user, {})
        if known:
            history[item] = value + (history.get(item, 0.0) if adds_up else 0.0)
    if adds_up is None:
        return {user: tuple(history) for user, history in histories.items()}
    return dict(histories)
