"""A column of ids, read in batches: numbers for its rows, and the sorted ids that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.array_files import BLOCK, GrowingArray, blocks
from recsys.data.cells import IdKind
from recsys.data.ids import Ids, encode
from recsys.data.spellings import integers_in, remarks_on, respelled
from recsys.data.text_encoding import EncodedTexts
from recsys.remarks import Remark
from recsys.typing import AnyArray, Int32Array, Int64Array, UInt64Array

# Ids of a long tail hardly repeat within a batch of the database: of several at a time fewer are different.
_ROWS_AT_ONCE = 1 << 20
_BYTES_AT_ONCE = 1 << 27  # 32-bit offsets reach 2 GiB of text
_WIDEST_RANGE = 8  # times as many numbers as ids: up to that, positions stand in a table


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
    executor : Executor, optional
        Encodes text while further rows are read.
    """

    def __init__(
        self,
        role: str,
        kind: IdKind,
        rules: Sequence[str],
        delimiter: str | None,
        executor: Executor | None = None,
    ) -> None:
        self.role = role
        self.kind = kind
        self.rules = rules
        self.delimiter = delimiter
        self._executor = executor
        self._integers: list[Int64Array] = []
        self._waiting: list[tuple[pa.Array, UInt64Array]] = []
        self._n_waiting = 0
        self._encoded: list[EncodedTexts] = []
        self._encoding: Future[EncodedTexts] | None = None

    def add(self, column: pa.Array, hashes: UInt64Array | None) -> None:
        """Take the ids of further rows; of text, its hashes too."""
        if hashes is None:
            self._integers.append(column.to_numpy())
            return
        self._waiting.append((column, hashes))
        self._n_waiting += len(column)
        if self._n_waiting >= _ROWS_AT_ONCE or column.nbytes >= _BYTES_AT_ONCE:
            self._encode_waiting()

    def _encode_waiting(self) -> None:
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if self._executor is None:
            self._encoded.append(_encoded(waiting))
            return
        if self._encoding is not None:
            self._encoded.append(self._encoding.result())  # texts that wait for their turn take memory
        self._encoding = self._executor.submit(_encoded, waiting)

    def finish(self) -> tuple[Int32Array, Ids, tuple[Remark, ...]]:
        """Return a number for each row, the ids in their order, and what is strange about them."""
        if self.kind != "text":
            codes, ids = encode(np.concatenate(self._integers))
            return codes.astype(np.int32), ids, ()
        parts = self._encoded
        if self._encoding is not None:
            parts.append(self._encoding.result())
        if self._waiting:
            parts.append(_encoded(self._waiting))
        whole = EncodedTexts.merged(parts)
        numbers, ids, remarks = numbered(whole.texts, self.role, self.rules, self.delimiter)
        of_parts = np.split(numbers[whole.codes], np.cumsum([len(part.texts) for part in parts])[:-1])
        rows = [of_part[part.codes] for of_part, part in zip(of_parts, parts, strict=True)]
        return np.concatenate(rows), ids, remarks


def _encoded(rows: Sequence[tuple[pa.Array, UInt64Array]]) -> EncodedTexts:
    texts, hashes = zip(*rows, strict=True)
    return EncodedTexts.of(pa.concat_arrays(texts), np.concatenate(hashes))


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
        self._waiting: list[Int64Array] = []
        self._n_waiting = 0

    def add(self, column: pa.Array, hashes: UInt64Array | None) -> None:
        """Take the ids of further rows."""
        if not self._is_text:
            integers = column.to_numpy()
            self._rows.append(integers)
            self._waiting.append(integers)
            self._n_waiting += len(integers)
            if self._n_waiting >= BLOCK:
                self._merge_waiting()
            return
        encoded = column.dictionary_encode()
        texts = self._texts
        numbers = [texts.setdefault(text, len(texts)) for text in encoded.dictionary.to_pylist()]
        self._rows.append(np.array(numbers, dtype=np.int32)[encoded.indices.to_numpy()])

    def _merge_waiting(self) -> None:
        # Each merge looks at all ids so far: a batch of the database at a time would do so far too often.
        integers = np.concatenate([self._integers, *self._waiting])
        integers.sort()  # by far quicker than the hash table of `numpy.unique`
        self._integers = integers[np.r_[True, integers[1:] != integers[:-1]]]
        self._waiting, self._n_waiting = [], 0

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
            if self._waiting:
                self._merge_waiting()
            ids, remarks = Ids.trusted(self._integers), ()
            position_of = positions_in(self._integers)
            for block in blocks(len(rows)):
                codes.append(position_of(rows[block]))
        self._rows.path.unlink()
        return np.asarray(codes.finish(), dtype=np.int32), ids, remarks


def positions_in(integers: Int64Array) -> Callable[[Int64Array], AnyArray]:
    """Return what gives the position of each of some integers among ascending ones, where all of them are.

    Ids mostly lie close together: a table of all numbers between the least and the greatest is then small,
    and much quicker than a search.
    """
    low, high = int(integers[0]), int(integers[-1])
    if high - low >= _WIDEST_RANGE * len(integers):
        return lambda wanted: np.searchsorted(integers, wanted)
    table = np.empty(high - low + 1, dtype=np.int32)
    table[integers - low] = np.arange(len(integers), dtype=np.int32)
    return lambda wanted: table[wanted - low]


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
