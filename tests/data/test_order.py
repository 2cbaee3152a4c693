"""The order in which events of a pair are joined, against a plain sort of tuples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.duplicates import stable_order
from recsys.data.ids import Ids
from recsys.errors import InputError

events = st.lists(
    st.tuples(st.one_of(st.integers(0, 5), st.integers(0, 2**62)), st.integers(-3, 3)),
    min_size=1,
    max_size=40,
)


@given(events)
def test_events_are_in_order_of_pair_time_and_line(listed: list[tuple[int, int]]) -> None:
    keys, times = (np.array(column, dtype=np.int64) for column in zip(*listed, strict=True))
    expected = sorted(range(len(listed)), key=lambda line: (*listed[line], line))
    assert np.arange(len(listed))[stable_order(keys, times)].tolist() == expected
    expected = sorted(range(len(listed)), key=lambda line: (listed[line][0], line))
    assert np.arange(len(listed))[stable_order(keys)].tolist() == expected


@pytest.mark.parametrize("rows", [[0, 2], [2, 0], [1]])
def test_ids_are_selected(rows: list[int]) -> None:
    assert list(Ids(["a", "b", "c"]).select(np.array(rows))) == ["abc"[row] for row in rows]


@pytest.mark.parametrize("rows", [[1, 1], [-1, 2]])
def test_an_id_is_not_selected_twice(rows: list[int]) -> None:
    with pytest.raises(InputError, match="twice"):
        Ids(["a", "b", "c"]).select(np.array(rows))
