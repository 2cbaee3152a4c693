import numpy as np
import pandas as pd
import pytest

from recsys.data.ids import Ids, encode
from recsys.errors import InputError


def test_rows_are_positions_and_unknown_ids_minus_one():
    ids = Ids([30, 10, 20])
    assert ids.rows([10, 99, 30, 10]).tolist() == [1, -1, 0, 1]
    assert [ids[row] for row in (0, 2)] == [30, 20]
    assert Ids(["b", "a"]).rows(["a", "c"]).tolist() == [1, -1]


def test_text_that_spells_an_integer_finds_it_and_the_other_way_round():
    assert Ids([3, -7]).rows(["3", "-7", "03", "3.0", "x", ""]).tolist() == [0, 1, -1, 0, -1, -1]
    assert Ids(["3", "03"]).rows([3, "03", "3.0"]).tolist() == [0, 1, -1]
    assert Ids(["3", "x"]).rows(np.array([3, 4])).tolist() == [0, -1]
    assert Ids([3, 4]).rows(np.array(["4", "x"])).tolist() == [1, -1]


@pytest.mark.parametrize("odd", [None, 2**70, "9" * 19, 1.5, float("nan"), True])
def test_what_is_no_id_is_unknown(odd):
    assert Ids([1, 2]).rows([odd, 2]).tolist() == [-1, 1]


@pytest.mark.parametrize("ids", [[], np.array([], dtype=np.int64)])
def test_no_ids_have_no_rows(ids):
    assert Ids([1, 2]).rows(ids).tolist() == []
    assert Ids([]).rows([1]).tolist() == [-1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "1"], "ids are of kind int, str; expected all integers or all text"),
        ([1, None], "ids are of kind NoneType, int"),
        ([True, False], "ids are of kind bool"),
        ([b"a"], "ids are of kind bytes"),
        (np.array([0.5]), "fractions or gaps"),
        (np.array([1, np.nan]), "fractions or gaps"),
        (np.array([2**63], dtype=np.uint64), r"above 2\*\*63 - 1"),
        (np.zeros((2, 2)), "expected one dimension"),
        ([1, 2, 1], "id 1 stands twice"),
        (["a", "a"], "id 'a' stands twice"),
    ],
)
def test_ids_that_cannot_be_told_apart_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Ids(values)


def test_whole_floats_and_text_of_tables_are_taken():
    assert Ids(np.array([3.0, 4.0])) == Ids([3, 4])
    assert Ids(pd.Series(["a", "b"])) == Ids(["a", "b"])
    assert Ids(np.array(["a", "b"])) == Ids(["a", "b"])


def test_equal_ids_are_of_one_kind_and_order():
    assert Ids([1, 2]) == Ids(np.array([1, 2], dtype=np.int32))
    assert Ids([1, 2]) != Ids([2, 1])
    assert Ids([1, 2]) != Ids(["1", "2"])


def test_encoding_sorts_ids():
    rows, ids = encode(np.array([30, 10, 30]))
    assert rows.tolist() == [1, 0, 1]
    assert list(ids) == [10, 30]
    rows, ids = encode(np.array(["b", "B", "a"], dtype=object))
    assert list(ids) == ["B", "a", "b"]
    assert rows.tolist() == [2, 0, 1]


def test_ids_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Ids([1, 2]).values[0] = 5


@pytest.mark.parametrize("low", [-(2**63), -3, 0, 10**12, 2**63 - 40])
@pytest.mark.parametrize("width", [1, 2, 20, 39])
def test_integers_close_together_and_far_apart_are_numbered_alike(low, width):
    values = low + np.random.default_rng(width).integers(0, width, 20)
    rows, ids = encode(values)
    expected = sorted(set(values.tolist()))
    assert list(ids) == expected
    assert rows.tolist() == [expected.index(value) for value in values.tolist()]
