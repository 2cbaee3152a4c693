"""A column of ids, read in batches: numbers for its rows, and the sorted ids that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.cells import IdKind
from recsys.data.ids import Ids, encode
from recsys.data.spellings import integers_in, remarks_on, respelled
from recsys.remarks import Remark
from recsys.typing import Int64Array

# Ids of a long tail hardly repeat within a batch of the database: several at a time make fewer dictionaries.
_ROWS_AT_ONCE = 1 << 19


class IdColumn:
    """Collects the ids of a user or item column; text is kept once for each id, not for each row.

    Parameters
    ----------
    role : {"user", "item"}
    kind : {"integer", "float", "text"}
    rules : sequence of str
        By which spellings are one id; see `recsys.data.spellings.RULES`.
    delimiter : str, optional
        What stands between fields, for remarks.
    """

    def __init__(self, role: str, kind: IdKind, rules: Sequence[str], delimiter: str | None) -> None:
        self.role = role
        self.kind = kind
        self.rules = rules
        self.delimiter = delimiter
        self._parts: list[Any] = []
        self._waiting: list[pa.Array] = []
        self._n_waiting = 0

    def add(self, column: pa.Array) -> None:
        """Take the ids of further rows."""
        if self.kind != "text":
            self._parts.append(column.to_numpy())
            return
        self._waiting.append(column)
        self._n_waiting += len(column)
        if self._n_waiting >= _ROWS_AT_ONCE:
            self._encode_waiting()

    def _encode_waiting(self) -> None:
        self._parts.extend(pa.chunked_array(self._waiting).dictionary_encode().chunks)
        self._waiting, self._n_waiting = [], 0

    def finish(self) -> tuple[Int64Array, Ids, tuple[Remark, ...]]:
        """Return a number for each row, the ids in their order, and what is strange about them."""
        if self.kind != "text":
            return (*encode(np.concatenate(self._parts)), ())
        if self._waiting:
            self._encode_waiting()
        chunks = pa.chunked_array(self._parts).unify_dictionaries().chunks
        self._parts = []
        numbers, ids, remarks = self._numbered(chunks[0].dictionary)
        return np.concatenate([numbers[chunk.indices.to_numpy()] for chunk in chunks]), ids, remarks

    def _numbered(self, texts: pa.Array) -> tuple[Int64Array, Ids, tuple[Remark, ...]]:
        """Return the numbers of different texts, of which the rules may make one id."""
        if self.rules:
            spelled = pa.array(respelled(texts.to_numpy(zero_copy_only=False), self.rules), texts.type)
            encoded = spelled.dictionary_encode()
            numbers, ids, remarks = _sorted(encoded.dictionary, self.role, self.delimiter)
            return numbers[encoded.indices.to_numpy()], ids, remarks
        return _sorted(texts, self.role, self.delimiter)


def _sorted(texts: pa.Array, role: str, delimiter: str | None) -> tuple[Int64Array, Ids, tuple[Remark, ...]]:
    """Return the position of each of some texts, of which none repeats, among the sorted ids."""
    numbers = integers_in(texts)
    if numbers is not None:
        return (*encode(numbers), ())
    order = pc.array_sort_indices(texts)  # by bytes of UTF-8, which is by code points as Python sorts
    positions = np.empty(len(texts), dtype=np.int64)
    positions[order.to_numpy()] = np.arange(len(texts))
    ordered = texts.take(order)
    ids = Ids.trusted(ordered.to_numpy(zero_copy_only=False))
    return positions, ids, remarks_on(ordered, role, delimiter)
