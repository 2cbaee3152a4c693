"""Scale without a full fit: a sample of users is fitted here, and all users are folded in on the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys import rng, threads
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ParameterError
from recsys.factorization.factors import SideFactors
from recsys.factorization.fold_in import fold_in
from recsys.factorization.objective import Objective
from recsys.factorization.sparse_factors import SparseFactors
from recsys.models.nmf import NMF
from recsys.models.registry import make
from recsys.models.stored_factors import matrix_to_arrays
from recsys.progress import SILENT, Progress, task
from recsys.spark.blocks import array_in, blocks_in
from recsys.spark.entries import BlockedEntries
from recsys.spark.session import collected
from recsys.spark.sweeps import Counting
from recsys.typing import AnyArray, Int64Array

if TYPE_CHECKING:
    from pyspark import Broadcast

_FOLDED = "first long, indptr binary, components binary, factors binary, bias binary"


def read_share(text: str) -> float:
    """Read a share of users, ``10%`` or ``0.1``.

    Raises
    ------
    ParameterError
        If it is none, above 0 and up to all.
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise ParameterError(f"--sample-users {text!r}: expected a share of the users, e.g. 10%.")
    return share


def sampled_users(n_users: int, share: float, seed: int) -> Int64Array:
    """Return the rows of a share of the users, at least one, drawn without replacement, ascending."""
    n_drawn = max(1, round(share * n_users))
    drawn = rng.stream(seed, "sampled-users").choice(n_users, n_drawn, replace=False)
    return np.sort(drawn).astype(np.int64)


def fit_sample(
    model: NMF,
    data: Interactions,
    blocked: BlockedEntries,
    counting: Counting,
    *,
    share: float,
    seed: int,
    progress: Progress = SILENT,
) -> NMF:
    """Return a model of all users, of whom a sample was fitted.

    Items that nobody of the sample has get no factors, and are in no list.

    Parameters
    ----------
    model : NMF
        Is fitted to the sample, in this process.
    data : Interactions
        All entries, mapped.
    blocked : BlockedEntries
        The same on the cluster.
    counting : callable
        What the model makes of rows of the log.
    share : float
    seed : int
    progress : Progress

    Raises
    ------
    InputError
        If the sample has no entries.
    """
    users = sampled_users(data.n_users, share, seed)
    rows = data.by_user.select(users)
    if rows.nnz == 0:
        raise InputError("the users that were drawn have no entries; take a larger share.")
    sample = Interactions(rows, data.user_ids.select(users), data.item_ids, data.feedback)
    model.fit(sample, progress=progress)
    with task(progress, "fold in all users"):
        everyone = fold_in_blocks(model, blocked, counting)
    arrays = {name: array for name, array in model.to_arrays().items() if not name.startswith("user_")}
    arrays |= matrix_to_arrays(everyone.factors, "user_factors")
    arrays["user_bias"] = everyone.bias
    whole = make(model.name, model.config())
    assert isinstance(whole, NMF)
    whole.load(arrays, history=model.history_)
    return whole


def fold_in_blocks(model: NMF, blocked: BlockedEntries, counting: Counting) -> SideFactors:
    """Return the factors of all users, each fitted to the model's items on the cluster."""
    context = blocked.by_user.sparkSession.sparkContext
    objective, factors = model.objective_of_fit(), model.factors()
    held = context.broadcast(objective.hold_items(factors.items, factors.mean))
    work = partial(_fold_blocks, objective, counting, factors.rank, held)
    try:
        folded = collected(blocked.by_user.mapInArrow(work, _FOLDED))
    finally:
        held.destroy()
    order = np.argsort(folded.column("first").to_numpy(), kind="stable")

    def parts(name: str, dtype: Any) -> list[Any]:
        return [array_in(folded.column(name), int(row), dtype) for row in order]

    sparse = [
        SparseFactors(*arrays, factors.rank)
        for arrays in zip(
            parts("indptr", np.int64),
            parts("components", np.uint16),
            parts("factors", np.float32),
            strict=True,
        )
    ]
    side = SideFactors.of(SparseFactors.concatenated(sparse), np.concatenate(parts("bias", np.float32)))
    return side if factors.items.factors.is_sparse else side.as_dense()


def _fold_blocks(
    objective: Objective,
    counting: Counting,
    rank: int,
    held: Broadcast[Any],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Fold blocks of users in on a worker."""
    for block in blocks_in(batches):
        with threads.use(1):
            side = fold_in(objective, counting(block.rows), held.value, rank)
        factors = side.factors.sparse()
        arrays: dict[str, AnyArray] = {
            "indptr": factors.indptr,
            "components": factors.components,
            "factors": factors.values,
        }
        yield pa.RecordBatch.from_pydict(
            {
                "first": pa.array([block.first], pa.int64()),
                **{name: pa.array([array.tobytes()], pa.binary()) for name, array in arrays.items()},
                "bias": pa.array([side.bias.tobytes()], pa.binary()),
            }
        )
