"""A column of ids, read in batches: numbers for its rows, and the sorted ids that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.array_files import GrowingArray, blocks
from recsys.data.cells import IdKind
from recsys.data.ids import Ids, encode
from recsys.data.spellings import integers_in, remarks_on, respelled
from recsys.remarks import Remark
from recsys.typing import Int32Array

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

    def finish(self) -> tuple[Int32Array, Ids, tuple[Remark, ...]]:
        """Return a number for each row, the ids in their order, and what is strange about them."""
        if self.kind != "text":
            codes, ids = encode(np.concatenate(self._parts))
            return codes.astype(np.int32), ids, ()
        if self._waiting:
            self._encode_waiting()
        chunks = pa.chunked_array(self._parts).unify_dictionaries().chunks
        self._parts = []
        numbers, ids, remarks = numbered(chunks[0].dictionary, self.role, self.rules, self.delimiter)
        return np.concatenate([numbers[chunk.indices.to_numpy()] for chunk in chunks]), ids, remarks


class IdColumnOnDisk:
    """Collects ids as `IdColumn` does, and holds in memory only what is different.

    Parameters
    ----------
    role, kind, rules, delimiter
        As of `IdColumn`.
    folder : Path
        Where the numbers of the rows are kept.
    """

    def __init__(
        self, role: str, kind: IdKind, rules: Sequence[str], delimiter: str | None, folder: Path
    ) -> None:
        self.role, self.kind, self.rules, self.delimiter = role, kind, rules, delimiter
        self._folder = folder
        self._is_text = kind == "text"
        self._rows = GrowingArray(folder / f"{role}s-as-read.npy", np.int32 if self._is_text else np.int64)
        self._texts: dict[str, int] = {}
        self._integers = np.empty(0, dtype=np.int64)

    def add(self, column: pa.Array) -> None:
        """Take the ids of further rows."""
        if not self._is_text:
            integers = column.to_numpy()
            self._integers = np.union1d(self._integers, integers)
            self._rows.append(integers)
            return
        encoded = column.dictionary_encode()
        texts = self._texts
        numbers = [texts.setdefault(text, len(texts)) for text in encoded.dictionary.to_pylist()]
        self._rows.append(np.array(numbers, dtype=np.int32)[encoded.indices.to_numpy()])

    def finish(self) -> tuple[Int32Array, Ids, tuple[Remark, ...]]:
        """Return the mapped number of each row, the ids in their order, and what is strange about them."""
        rows = self._rows.finish()
        codes = GrowingArray(self._folder / f"{self.role}s.npy", np.int32)
        if self._is_text:
            numbers, ids, remarks = numbered(
                pa.array(self._texts, pa.large_string()), self.role, self.rules, self.delimiter
            )
            self._texts = {}
            for block in blocks(len(rows)):
                codes.append(numbers[rows[block]])
        else:
            ids, remarks = Ids.trusted(self._integers), ()
            for block in blocks(len(rows)):
                codes.append(np.searchsorted(self._integers, rows[block]))
        self._rows.path.unlink()
        return np.asarray(codes.finish(), dtype=np.int32), ids, remarks


def numbered(
    texts: pa.Array, role: str, rules: Sequence[str], delimiter: str | None
) -> tuple[Int32Array, Ids, tuple[Remark, ...]]:
    """Return the numbers of different texts, of which the rules may make one id, and the ids."""
    if rules:
        spelled = pa.array(respelled(texts.to_numpy(zero_copy_only=False), rules), texts.type)
        encoded = spelled.dictionary_encode()
        numbers, ids, remarks = _sorted(encoded.dictionary, role, delimiter)
        return numbers[encoded.indices.to_numpy()], ids, remarks
    return _sorted(texts, role, delimiter)


def _sorted(texts: pa.Array, role: str, delimiter: str | None) -> tuple[Int32Array, Ids, tuple[Remark, ...]]:
    """Return the position of each of some texts, of which none repeats, among the sorted ids."""
    numbers = integers_in(texts)
    if numbers is not None:
        codes, of_integers = encode(numbers)
        return codes.astype(np.int32), of_integers, ()
    order = pc.array_sort_indices(texts)  # by bytes of UTF-8, which is by code points as Python sorts
    positions = np.empty(len(texts), dtype=np.int32)
    positions[order.to_numpy()] = np.arange(len(texts), dtype=np.int32)
    ordered = texts.take(order)
    ids = Ids.trusted(ordered.to_numpy(zero_copy_only=False))
    return positions, ids, remarks_on(ordered, role, delimiter)
