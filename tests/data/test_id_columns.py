"""Columns of ids: encoded by hashes, in parts, in other threads, on disk; twins in plain Python."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data import id_column
from recsys.data.id_column import IdColumn, IdColumnOnDisk
from recsys.data.interactions import Interactions
from recsys.data.text_encoding import EncodedTexts
from recsys.errors import InputError

TEXTS = st.lists(st.text(alphabet="ab\0é", max_size=3), min_size=1, max_size=30)


@given(texts=TEXTS, n_hashes=st.integers(1, 4))
def test_texts_of_one_hash_are_told_apart(texts: list[str], n_hashes: int) -> None:
    hashes = np.array([len(text) % n_hashes for text in texts], dtype=np.uint64)
    encoded = EncodedTexts.of(pa.array(texts), hashes)
    distinct = list(dict.fromkeys(texts))
    assert encoded.texts.to_pylist() == distinct
    assert encoded.codes.tolist() == [distinct.index(text) for text in texts]
    assert encoded.hashes.tolist() == [len(text) % n_hashes for text in distinct]


@given(texts=TEXTS, cut=st.integers(0, 30))
def test_parts_are_merged(texts: list[str], cut: int) -> None:
    listed = [part for part in (texts[:cut], texts[cut:]) if part]
    parts = [EncodedTexts.of(pa.array(part), np.zeros(len(part), dtype=np.uint64)) for part in listed]
    whole = EncodedTexts.merged(parts)
    assert whole.texts.to_pylist() == list(dict.fromkeys(texts))
    codes = iter(whole.codes.tolist())
    for part in parts:
        assert [whole.texts[next(codes)].as_py() for _ in part.texts] == part.texts.to_pylist()


@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
@pytest.mark.parametrize("has_executor", [False, True])
def test_row_numbers_are_those_of_sorted_ids(
    monkeypatch: pytest.MonkeyPatch, rows_at_once: int, has_executor: bool
) -> None:
    monkeypatch.setattr(id_column, "_ROWS_AT_ONCE", rows_at_once)
    rng = np.random.default_rng(3)
    texts = [f"id {number}" for number in rng.integers(0, 40, 200)]
    with ThreadPoolExecutor(2) as executor:
        column = IdColumn("user", "text", (), ",", executor if has_executor else None)
        for first in range(0, 200, 23):
            part = texts[first : first + 23]
            column.add(pa.array(part), np.array([hash(text) & 7 for text in part], dtype=np.uint64))
        numbers, ids, _ = column.finish()
    assert list(ids) == sorted(set(texts))
    assert [ids[number] for number in numbers.tolist()] == texts


@pytest.mark.parametrize("widest", [0, 10**6])  # by search, by table
def test_integers_on_disk_are_numbered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, widest: int) -> None:
    monkeypatch.setattr(id_column, "BLOCK", 50)
    monkeypatch.setattr(id_column, "_WIDEST_RANGE", widest)
    integers = np.random.default_rng(4).integers(-900, 900, 300)
    column = IdColumnOnDisk("item", "integer", (), None, tmp_path)
    for first in range(0, 300, 37):
        column.add(pa.array(integers[first : first + 37]), None)
    numbers, ids, remarks = column.finish()
    assert list(ids) == sorted(set(integers.tolist()))
    np.testing.assert_array_equal(ids.values[numbers], integers)
    assert remarks == ()


@pytest.mark.parametrize("values", [np.array([1, 2], "m8[s]"), list(np.array([1, 2], "m8[s]"))])
def test_lengths_of_time_are_no_numbers(values: Any) -> None:
    with pytest.raises(InputError, match="ids are of kind timedelta64; expected all integers or all text"):
        Interactions.from_pairs(values, [1, 2])
    with pytest.raises(InputError, match=r"the column of values holds timedelta64\[s\]; expected numbers"):
        Interactions.from_pairs([1, 2], [1, 2], values)
    with pytest.raises(InputError, match=r"the matrix holds timedelta64\[s\]; expected numbers"):
        Interactions.from_matrix(np.array([values]))
