"""The outside world's ids and the row numbers they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from recsys.data.encodable import is_encodable
from recsys.errors import InputError
from recsys.typing import AnyArray, Int64Array

if TYPE_CHECKING:
    import pandas as pd  # imported where it is used: models of plain matrices do without

Id: TypeAlias = int | str

_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,18})(\.0+)?")
_INT64 = np.iinfo(np.int64)


class Ids:
    """An ordered set of ids, all integers or all text; the position of an id is its row number.

    Parameters
    ----------
    values : array-like of int or str, shape (n,)
        Unique ids. Sorted ids make row numbers independent of the order of the log.

    Raises
    ------
    InputError
        If an id is missing, is neither integer nor text, is mixed with the other kind, or repeats.
    """

    _n: int | None = None
    _read: Callable[[], Ids]

    def __init__(self, values: Iterable[Id] | AnyArray) -> None:
        self.values = as_id_array(values)
        self.values.setflags(write=False)
        if not self.is_integer:
            _check_encodable(self.values)
        if not self._ascends and not self._index.is_unique:
            twice = self[int(np.flatnonzero(self._index.duplicated())[0])]
            raise InputError(f"id {twice!r} stands twice in a list of ids; expected each once.")

    @cached_property
    def _ascends(self) -> bool:
        """Whether these are integers in strictly ascending order, and so unique."""
        return self.is_integer and bool(np.greater(self.values[1:], self.values[:-1]).all())

    @classmethod
    def trusted(cls, values: AnyArray) -> Ids:
        """Take ids that were checked before: int64, or an object array of str, each once."""
        ids = cls.__new__(cls)
        ids.values = values.view()
        ids.values.setflags(write=False)
        return ids

    @classmethod
    def deferred(cls, n: int, read: Callable[[], Ids]) -> Ids:
        """Return n ids that are read when the first of them is asked for.

        Parameters
        ----------
        n : int
        read : callable
            Returns them, n of them; what it raises reaches whoever asks.
        """
        ids = cls.__new__(cls)
        ids._n, ids._read = n, read
        return ids

    @cached_property
    def values(self) -> AnyArray:
        """The ids in their order, read-only: int64, or an object array of str, (n,)."""
        return self._read().values

    def __reduce__(self) -> tuple[Callable[[AnyArray], Ids], tuple[AnyArray]]:
        return Ids.trusted, (self.values,)

    @cached_property
    def _index(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.values)

    @property
    def is_integer(self) -> bool:
        """Whether the ids are integers (otherwise they are text)."""
        return self.values.dtype.kind == "i"

    def __len__(self) -> int:
        return len(self.values) if self._n is None else self._n

    def __getitem__(self, row: int) -> Id:
        value: Id = self.values[row].item() if self.is_integer else str(self.values[row])
        return value

    def __iter__(self) -> Iterator[Id]:
        return iter(self.values.tolist())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ids)
            and self.is_integer == other.is_integer
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.is_integer, len(self)))

    def __repr__(self) -> str:
        kind = "integer" if self.is_integer else "text"
        return f"Ids({len(self)} {kind} ids)"

    def rows(self, ids: Iterable[Id] | AnyArray) -> Int64Array:
        """Return the row number of each id, -1 where it is not known.

        Text that spells an integer, and a float that is a whole number, find an integer id and the
        other way round, since a command line and a file of another kind know no better.
        """
        if ids is self.values:
            return np.arange(len(self))
        listed = ids if isinstance(ids, np.ndarray) else np.asarray(list(ids), dtype=object)
        if len(listed) == 0 or len(self) == 0:
            return np.full(len(listed), -1, dtype=np.int64)
        if self.is_integer and listed.dtype.kind not in "iu":
            return self._rows_of_numbers([_integer_or_none(value) for value in listed])
        if not self.is_integer and listed.dtype.kind in "iuU":
            listed = listed.astype(str).astype(object)
        elif not self.is_integer:
            listed = np.asarray([_text(value) for value in listed], dtype=object)
        return self._positions(listed)

    def _rows_of_numbers(self, numbers: list[int | None]) -> Int64Array:
        """Return the row number of each integer, -1 for None."""
        is_number = np.array([number is not None for number in numbers], dtype=bool)
        rows = np.full(len(numbers), -1, dtype=np.int64)
        # As integers, for an array of objects would have all ids of the set copied to objects at each call.
        rows[is_number] = self._positions(np.array([n for n in numbers if n is not None], dtype=np.int64))
        return rows

    def _positions(self, ids: AnyArray) -> Int64Array:
        if self._ascends and ids.dtype == np.int64:  # needs no index, which takes much more room than ids
            rows = np.searchsorted(self.values, ids)
            return np.where(self.values[np.minimum(rows, len(self) - 1)] == ids, rows, -1)
        import pandas as pd

        return np.asarray(self._index.get_indexer(pd.Index(ids)), dtype=np.int64)

    def known_rows(self, ids: Iterable[Id] | AnyArray, kind: str) -> Int64Array:
        """Return the row number of each id; see `rows`.

        Parameters
        ----------
        ids : iterable of id
        kind : str
            What they are called in a message: "user", "item".

        Raises
        ------
        InputError
            If one is not known.
        """
        listed = list(ids)
        rows = self.rows(listed)
        unknown = [value for value, row in zip(listed, rows.tolist(), strict=True) if row < 0]
        if unknown:
            few = ", ".join(repr(value) for value in unknown[:3])
            more = f" and {len(unknown) - 3:,} more" if len(unknown) > 3 else ""
            like = f"; those known are such as {self[0]!r}" if len(self) else ""
            raise InputError(f"{kind} {few}{more} is not known to the model{like}.")
        return rows

    def spelled(self, value: Id) -> Id:
        """Return an id, known or not, in the kind of these ids where it can be: "7" as 7, 7 as "7"."""
        if not self.is_integer:
            return str(value)
        number = _integer_or_none(value)
        return value if number is None else number

    def union(self, new: Ids) -> tuple[Ids, Int64Array]:
        """Return these ids with those of ``new`` that are not known appended, and the rows of ``new``.

        Raises
        ------
        InputError
            If new ids are text that spells no integers and these are integers, or if two new ids
            spell the same one.
        """
        if new.is_integer != self.is_integer:
            new = Ids([self.spelled(value) for value in new])
        rows = self.rows(new.values)
        unknown = rows < 0
        if not unknown.any():
            return self, rows
        added = new.values[unknown]
        rows[unknown] = len(self) + np.arange(len(added))
        return Ids(np.concatenate([self.values, added])), rows

    def update_digest(self, state: Any) -> None:
        """Add the ids to a digest of `hashlib`."""
        if self.is_integer:
            state.update(self.values.tobytes())
            return
        for value in self.values:
            text = str(value).encode()
            state.update(len(text).to_bytes(8, "little") + text)

    def select(self, rows: AnyArray) -> Ids:
        """Return the ids at the given row numbers, in that order."""
        numbers = np.asarray(rows)
        if numbers.dtype.kind in "iu" and np.all(np.diff(numbers.astype(np.int64), prepend=-1) > 0):
            return Ids.trusted(self.values[numbers])  # none of them twice
        return Ids(self.values[numbers])


def _is_integer_kind(kind: type) -> bool:
    """Return whether values of a type are whole numbers; for NumPy a length of time is one, too."""
    return issubclass(kind, (int, np.integer)) and not issubclass(kind, (bool, np.timedelta64))


def _integer_or_none(value: object) -> int | None:
    number: int | None = None
    if isinstance(value, (float, np.floating)):
        whole = float(value)
        return int(whole) if whole.is_integer() and abs(whole) <= 2**53 else None
    if _is_integer_kind(type(value)):
        number = int(cast(int, value))
    elif isinstance(value, str) and (match := _INTEGER.fullmatch(value.strip())):
        number = int(match[1])
    return number if number is not None and _INT64.min <= number <= _INT64.max else None


def _check_encodable(texts: AnyArray) -> None:
    """Raise InputError if a text is none that can be written, such as half of a surrogate pair."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        bad = next(text for text in texts if not is_encodable(text))
        raise InputError(
            f"id {bad!r} holds half of a surrogate pair, which is no text; read the source with its encoding."
        ) from None


def _text(value: object) -> str:
    """Return the text of an id; 7.0, which tables make of 7 where another row has a gap, is "7"."""
    whole = _integer_or_none(value) if isinstance(value, (float, np.floating)) else None
    return str(value if whole is None else whole)


def listed_ids(ids: Any, what: str) -> list[Id]:
    """Return ids as a list: one id alone is a list of one.

    Raises
    ------
    InputError
        If there is something that is neither integer nor text; whole numbers written as floats will do.
    """
    if isinstance(ids, (str, int, float, np.generic)):
        ids = [ids]
    try:
        listed = list(ids)
    except TypeError:
        raise InputError(f"{what} is {ids!r:.80}; expected ids, e.g. [17850, 13047].") from None
    for value in listed:
        is_whole = _integer_or_none(value) is not None
        if not (is_whole or isinstance(value, str) or _is_integer_kind(type(value))):
            raise InputError(f"{what} holds {value!r:.80}; expected ids, integers or text.")
    return listed


def as_id_array(values: Iterable[Id] | AnyArray) -> AnyArray:
    """Return ids as an int64 array or an object array of str; refuse everything else.

    Floats that are all whole numbers (what tables make of an integer column with gaps) are taken
    as integers.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(list(values), dtype=object)
    if array.ndim != 1:
        raise InputError(f"ids come as an array of shape {array.shape}; expected one dimension.")
    if array.dtype.kind in "iu":
        if array.dtype.kind == "u" and len(array) and array.max() > _INT64.max:
            raise InputError("an integer id is above 2**63 - 1; give such ids as text.")
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        if not np.all(np.isfinite(array)) or np.any(array != np.floor(array)) or np.any(abs(array) > 2**53):
            raise InputError("ids are numbers with fractions or gaps; expected integers or text.")
        return array.astype(np.int64)
    kinds = {type(value) for value in array}
    if all(map(_is_integer_kind, kinds)):
        try:
            return array.astype(np.int64)
        except OverflowError:
            raise InputError("an integer id is beyond 2**63 - 1; give such ids as text.") from None
    if all(_is_integer_kind(kind) or issubclass(kind, (float, np.floating)) for kind in kinds):
        return as_id_array(array.astype(np.float64))
    if all(issubclass(kind, str) for kind in kinds):
        return np.asarray([str(value) for value in array], dtype=object)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InputError(f"ids are of kind {names}; expected all integers or all text.")


def encode(values: AnyArray) -> tuple[Int64Array, Ids]:
    """Return the row number of each value and the sorted ids they refer to."""
    ids = as_id_array(values)
    if len(ids) and ids.dtype.kind == "i":
        low, high = int(ids.min()), int(ids.max())
        if high - low < len(ids):  # marks in so small a range are cheaper than hashing
            is_there = np.zeros(high - low + 1, dtype=bool)
            is_there[ids - low] = True
            return (np.cumsum(is_there) - 1)[ids - low], Ids(np.flatnonzero(is_there) + low)
    import pandas as pd

    codes, unique = pd.factorize(ids, sort=True)
    return np.asarray(codes, dtype=np.int64), Ids(np.asarray(unique))
