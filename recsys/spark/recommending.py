"""Lists for everyone by a cluster: a folder of parts, as one machine writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from recsys import threads
from recsys.data.ids import Id, Ids
from recsys.errors import ParameterError
from recsys.experiment.list_folder import ListFolder, check_partition, settings_of, texts_of
from recsys.files import reserved
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.bundle import Bundle
from recsys.recommend.lists import Segments
from recsys.recommend.ranking import check_n
from recsys.recommend.recommender import Recommender, users_a_batch
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
from recsys.spark.session import check_partitions, collected, parallelism, session
from recsys.spark.shipping import ShippedBundle, shipped

if TYPE_CHECKING:
    from pyspark import Broadcast


def recommend(
    model: str | Path | Bundle,
    out: str | Path,
    users: Iterable[Id] | None = None,
    n: int = 10,
    *,
    rules: Rules | None = None,
    segments: Segments = None,
    reasons: int = 0,
    batch_size: int | None = None,
    partition_by: str | None = None,
    master: str | None = None,
    partitions: int | None = None,
    conf: Mapping[str, str] | None = None,
    progress: GivenProgress = SILENT,
) -> tuple[Counter[str], int]:
    """Write the lists of users as a folder of parts, each made by a task of a cluster.

    The folder is that of `recsys.experiment.list_folder.write_list_folder`, byte for byte: what a run made
    is not made again, and either may go on from the other.

    Parameters
    ----------
    model : str, Path or Bundle
        It is sent once to each executor, and mapped there.
    out : str or Path
        A folder that the driver can write. Workers that see it write their parts; the parts of others pass
        through the driver.
    users, n, rules, segments, reasons, batch_size
        As in `recsys.recommend.recommender.Recommender.batches`; a batch is a part.
    partition_by : {"segment", "source", "rank"}, optional
        Column whose values get a folder each.
    master, conf
        See `recsys.spark.session.session`.
    partitions : int, optional
        How many parts to make, instead of a ``batch_size``; by default 60 at most.
    progress : bool, callable or Progress

    Returns
    -------
    counts : Counter
        Of all parts, see `Recommendations.counts`.
    n_before : int
        Parts that were there from an earlier run.

    Raises
    ------
    DependencyError
        If pyspark or Java is missing or too old.
    InputError, ParameterError
        As `write_list_folder`; if the cluster does not answer.
    """
    check_partition(partition_by, segments)
    check_partitions(partitions)
    check_n(n)
    check_n(reasons, "reasons", least=0)
    if partitions is not None and batch_size is not None:
        raise ParameterError("both partitions and batch_size are given; choose one.")
    path, named_users = Path(out).expanduser().absolute(), None if users is None else list(users)
    with (
        session(master, conf) as spark,
        shipped(spark, model) as (bundle, sent_bundle),
        reserved(path, wait=0.5),
    ):
        recommender = Recommender(bundle)
        wanted = recommender.wanted(named_users)
        if partitions is not None:
            batch_size = max(1, -(-len(wanted) // partitions))
        settings = settings_of(
            bundle, named_users, n, rules, texts_of(segments), reasons, batch_size, partition_by
        )  # fmt: skip
        folder = ListFolder(path, settings)
        n_before, counts = folder.n_parts, folder.counts
        if folder.is_complete:
            return counts, n_before
        step = users_a_batch(len(wanted), reasons) if batch_size is None else batch_size
        check_n(step, "batch_size")
        options = ListsOptions(n, rules, mapping_of(segments), reasons, partition_by)
        context = spark.sparkContext
        sent: Broadcast[Any] = context.broadcast((options, None if isinstance(wanted, Ids) else list(wanted)))
        work = partial(_make_parts, sent_bundle, PartsFolder(str(path), folder.digest), sent, step)
        n_parts = max(1, -(-len(wanted) // step))
        try:
            with task(listener(progress), "recommend", len(wanted)) as running:
                running.advance(min(n_before * step, len(wanted)))
                for numbers in waves(range(n_before, n_parts), parallelism(spark)):
                    first, after = numbers[0], numbers[-1] + 1
                    frame = spark.range(first, after, 1, numPartitions=len(numbers))
                    made = note_parts(folder, collected(frame.mapInArrow(work, PART_SCHEMA)), numbers)
                    counts.update(made)
                    running.advance(made["n_users"])
        finally:
            sent.destroy()
        folder.finish()
    return counts, n_before


def _make_parts(
    shipped: ShippedBundle,
    parts_folder: PartsFolder,
    sent: Broadcast[tuple[ListsOptions, Sequence[Id] | None]],
    step: int,
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Make the parts whose numbers batches hold, on a worker."""
    options, wanted = sent.value
    bundle = shipped.opened()
    users: Sequence[Id] | Ids = bundle.user_ids if wanted is None else wanted
    for batch in batches:
        for number in batch.column(0).to_pylist():
            some = [users[row] for row in range(number * step, min((number + 1) * step, len(users)))]
            with threads.use(1):  # a task is given one core
                made = Recommender(bundle).recommend(
                    some,
                    options.n,
                    rules=options.rules,
                    segments=audiences_on_worker(shipped, options),
                    reasons=options.reasons,
                )
            yield written_part(parts_folder, options, number, [made])
