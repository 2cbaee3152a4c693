"""Items like an item, and users like a user, by what a model has learned of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from recsys.data.ids import Id, Ids, listed_ids
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError, ParameterError
from recsys.factorization.factors import SideFactors
from recsys.factorization.scoring import Scorer as Products
from recsys.models.base import Model
from recsys.models.factor_model import FactorModel
from recsys.models.item_item import ItemItemModel
from recsys.recommend.ranking import check_n, ranked_blocks
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array

if TYPE_CHECKING:
    import pandas as pd

By = Literal["factors", "neighbors"]


@dataclass(frozen=True, eq=False)
class Similarities:
    """What is most alike to each of some items or users, one row a pair, the most alike first.

    Attributes
    ----------
    kind : str
        ``"item"`` or ``"user"``.
    by : str
        ``"factors"``: the cosine of factors, at most 1; ``"neighbors"``: the weight by which having the one
        adds to the score of the other.
    asked : tuple of id, (n_asked,)
    indptr : int64, (n_asked + 1,)
        What is like ``asked[k]`` stands at ``indptr[k]:indptr[k + 1]``.
    ids : tuple of id, (n_rows,)
    names : tuple of str, (n_rows,)
    values : float32, (n_rows,)
        Above 0; not increasing for each of those asked.
    why_short : tuple of str, (n_asked,)
        Why there are fewer than asked for; empty where there are not.
    """

    kind: str
    by: By
    asked: tuple[Id, ...]
    indptr: Int64Array
    ids: tuple[Id, ...]
    names: tuple[str, ...]
    values: Float32Array
    why_short: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.asked)

    def to_frame(self) -> pd.DataFrame:
        """Return the columns item (or user), rank, similar, name, and similarity or weight."""
        import pandas as pd

        lengths = np.diff(self.indptr)
        return pd.DataFrame(
            {
                self.kind: np.repeat(np.array(self.asked, dtype=object), lengths),
                "rank": np.arange(len(self.ids)) - np.repeat(self.indptr[:-1], lengths) + 1,
                "similar": list(self.ids),
                "name": list(self.names),
                self.value_name: self.values,
            }
        ).infer_objects()

    @property
    def value_name(self) -> str:
        """What the values are called."""
        return "similarity" if self.by == "factors" else "weight"

    def lists(self) -> Iterator[dict[str, Any]]:
        """Yield one plain record for each of those asked, for JSON."""
        for number, asked in enumerate(self.asked):
            span = range(int(self.indptr[number]), int(self.indptr[number + 1]))
            yield {
                self.kind: asked,
                "by": self.by,
                "why_short": self.why_short[number] or None,
                "similar": [
                    {
                        "rank": position + 1,
                        self.kind: self.ids[row],
                        "name": self.names[row],
                        self.value_name: float(self.values[row]),
                    }
                    for position, row in enumerate(span)
                ],
            }


def similar_items(
    model: Model,
    item_ids: Ids,
    name_of: Callable[[Id], str],
    items: Iterable[Id] | Id,
    n: int,
    by: str | None,
) -> Similarities:
    """Return the items most alike to some items; see `recsys.recommend.bundle.Bundle.similar`."""
    neighbors, factors = model.neighbor_model, _factor_model(model)
    chosen = _chosen(
        by, has_neighbors=neighbors is not None, has_factors=factors is not None, name=model.name
    )
    if chosen == "neighbors":
        assert neighbors is not None
        return _ranked("item", chosen, _Neighbors(neighbors), item_ids, name_of, items, n)
    assert factors is not None
    return _ranked("item", chosen, _Cosines(model.name, factors.factors().items), item_ids, name_of, items, n)


def similar_users(model: Model, user_ids: Ids, users: Iterable[Id] | Id, n: int) -> Similarities:
    """Return the users most alike to some users; see `recsys.recommend.bundle.Bundle.similar_users`."""
    factors = _factor_model(model)
    if factors is None:
        raise ModelError(
            f"{model.name} learns nothing of users that could be compared; take a model with factors, such "
            f"as hybrid-nmf or weighted-nmf."
        )
    return _ranked("user", "factors", _Cosines(model.name, factors.factors().users), user_ids, str, users, n)


def _factor_model(model: Model) -> FactorModel | None:
    return model if isinstance(model, FactorModel) else model.component_model


def _chosen(by: str | None, *, has_neighbors: bool, has_factors: bool, name: str) -> By:
    """Return by what items are compared: neighbors where the model has them and nothing else is asked for."""
    if by is not None and by not in get_args(By):
        raise ParameterError(f"by is {by!r}; expected one of {', '.join(get_args(By))}.")
    able = {"neighbors": has_neighbors, "factors": has_factors}
    chosen = by or next((key for key, has in able.items() if has), None)
    if chosen is None:
        raise ModelError(f"{name} learns nothing of items that could be compared.")
    if not able[chosen]:
        raise ModelError(f"{name} has no {chosen} to compare items by.")
    return cast("By", chosen)


class _Cosines:
    """Scores rows of a side by the cosine of their factors with those of all rows."""

    def __init__(self, name: str, side: SideFactors) -> None:
        self.name, self._side = name, side
        self.n_items_ = len(side)
        self._lengths: Float64Array = np.sqrt(side.factors.row_squares())
        self._products = Products(side.factors, np.zeros(len(side), dtype=np.float32))

    def score_block(self, rows: AnyArray) -> Float32Array:
        chosen = np.asarray(rows, dtype=np.int64)
        products = self._products(self._side.factors.select(chosen), np.zeros(len(chosen), dtype=np.float32))
        lengths = np.maximum(np.outer(self._lengths[chosen], self._lengths), np.finfo(np.float32).tiny)
        return np.asarray(products / lengths, dtype=np.float32)


class _Neighbors:
    """Scores items by what having one adds to the scores of all."""

    def __init__(self, model: ItemItemModel) -> None:
        self.name, self._model = model.name, model
        self.n_items_ = model.n_items_

    def score_block(self, rows: AnyArray) -> Float32Array:
        past = np.asarray(rows, dtype=np.int32)
        return np.asarray(self._model.weights_between(past, np.arange(self.n_items_)), dtype=np.float32)


def _ranked(
    kind: str,
    by: By,
    scorer: _Cosines | _Neighbors,
    ids: Ids,
    name_of: Callable[[Id], str],
    asked: Iterable[Id] | Id,
    n: int,
) -> Similarities:
    check_n(n)
    known = ids.known_rows(listed_ids(asked, f"{kind}s"), kind)
    rows = np.array(list(dict.fromkeys(known.tolist())), dtype=np.int64)
    itself = CompressedRows(
        np.arange(len(ids) + 1),
        np.arange(len(ids), dtype=np.int32),
        np.ones(len(ids), dtype=np.float32),
        len(ids),
    )
    ranked: list[AnyArray] = []
    values: list[Float32Array] = []
    for block in ranked_blocks(scorer, rows, n, itself):
        for number in range(len(block.users)):
            n_alike = int(np.count_nonzero(block.scores[number, : block.n_listed[number]] > 0))
            ranked.append(block.items[number, :n_alike])
            values.append(block.scores[number, :n_alike])
    listed = [ids[int(row)] for row in np.concatenate([np.zeros(0, np.int32), *ranked])]
    return Similarities(
        kind=kind,
        by=by,
        asked=tuple(ids[int(row)] for row in rows),
        indptr=np.r_[0, np.cumsum([len(alike) for alike in ranked], dtype=np.int64)],
        ids=tuple(listed),
        names=tuple(map(name_of, listed)),
        values=np.concatenate([np.zeros(0, np.float32), *values]),
        why_short=_why_short(kind, [len(alike) for alike in ranked], n),
    )


def _why_short(kind: str, lengths: Sequence[int], n: int) -> tuple[str, ...]:
    def said(length: int) -> str:
        if length == n:
            return ""
        count = {0: f"no other {kind} has", 1: f"only one other {kind} has"}.get(
            length, f"only {length:,} other {kind}s have"
        )
        return f"{count} anything in common with it"

    return tuple(map(said, lengths))
