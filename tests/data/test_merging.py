import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.data.matrices import observed_rows
from recsys.errors import InputError
from tests.matrices import random_matrix, rows_of


def as_dict(data):
    """Return value (and time) by pair of ids."""
    return {
        (data.user_ids[int(user)], data.item_ids[int(item)]): float(value)
        for user, item, value in zip(
            data.by_user.row_numbers, data.by_user.columns, data.by_user.values, strict=True
        )
    }


pairs = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), st.sampled_from([0.0, 1.0, 2.5]), min_size=1
)


def made(entries, feedback="explicit"):
    users, items = zip(*entries, strict=True)
    return Interactions.from_pairs(list(users), list(items), list(entries.values()), feedback=feedback)


@given(pairs, pairs, st.sampled_from(["explicit", "implicit"]))
def test_merged_is_the_union_of_entries(known, new, feedback):
    before, after = made(known, feedback), made(new, feedback)
    merged = before.merged(after)
    if feedback == "explicit":
        expected = known | new
    else:
        expected = {pair: known.get(pair, 0) + new.get(pair, 0) for pair in known | new}
    assert as_dict(merged) == expected
    # Known numbers stay, new ones follow.
    assert list(merged.user_ids)[: before.n_users] == list(before.user_ids)
    assert list(merged.item_ids)[: before.n_items] == list(before.item_ids)
    for row in range(merged.n_users):
        assert np.all(np.diff(merged.by_user.row(row)[0]) > 0)
    assert merged.feedback == feedback
    assert merged.nnz == len(expected)


def timed(users, items, values, times):
    user_ids, item_ids = Ids(sorted(set(users))), Ids(sorted(set(items)))
    return Interactions.from_log(
        Log(
            user_ids.rows(users).astype(np.int32),
            item_ids.rows(items).astype(np.int32),
            np.array(values, dtype=float),
            user_ids,
            item_ids,
            "explicit",
            np.array(times),
            "number",
        )
    )


def test_times_are_kept_where_both_have_them():
    before = timed(["a", "a", "b"], ["x", "y", "x"], [1, 2, 3], [10, 20, 30])
    after = timed(["a", "b", "c"], ["x", "x", "z"], [5, 4, 1], [15, 25, 40])
    merged = before.merged(after)
    assert as_dict(merged) == {("a", "x"): 5, ("a", "y"): 2, ("b", "x"): 4, ("c", "z"): 1}
    assert merged.time.tolist() == [15, 20, 30, 40]
    assert before.merged(Interactions.from_pairs(["a"], ["x"], [1])).time is None


def test_text_that_spells_known_integers_is_known():
    merged = Interactions.from_pairs([1, 2], [7, 7], [1, 2]).merged(
        Interactions.from_pairs(["2", "3"], ["7", "7"], [5, 4])
    )
    assert as_dict(merged) == {(1, 7): 1, (2, 7): 5, (3, 7): 4}
    other_way = Interactions.from_pairs(["a"], ["7"], [1]).merged(Interactions.from_pairs([5], [7], [2]))
    assert as_dict(other_way) == {("a", "7"): 1, ("5", "7"): 2}


def test_what_cannot_be_joined_is_refused():
    known = Interactions.from_pairs([1, 2], [7, 7], [1, 2])
    with pytest.raises(InputError, match="ids are of kind int, str"):
        known.merged(Interactions.from_pairs(["1", "x"], [7, 7], [1, 2]))
    with pytest.raises(InputError, match="id 1 stands twice"):
        known.merged(Interactions.from_pairs(["1", " 1"], [7, 7], [1, 2]))
    with pytest.raises(InputError, match="new feedback is implicit; expected explicit"):
        known.merged(Interactions.from_pairs([1], [7], [1], feedback="implicit"))


def test_sums_beyond_single_precision_are_refused():
    huge = Interactions.from_pairs([1], [1], [3e38], feedback="implicit")
    with pytest.raises(InputError, match="beyond single precision"):
        huge.merged(huge)


def test_users_and_items_without_entries_are_appended_too():
    known = Interactions.from_matrix(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    merged = known.merged(Interactions.from_matrix(np.array([[np.nan, 2.0, np.nan]] + [[np.nan] * 3] * 2)))
    assert (merged.n_users, merged.n_items, merged.nnz) == (3, 3, 2)
    assert as_dict(merged) == {(0, 0): 1, (0, 1): 2}


def test_a_matrix_takes_the_numbers_of_the_data():
    known = Interactions.from_pairs(["b", "a"], ["x", "y"], [1, 2])
    same = known.with_entries(rows_of(np.array([[3, np.nan], [np.nan, 4]])))
    assert as_dict(same) == {("a", "x"): 3, ("b", "y"): 4}
    with pytest.raises(InputError, match="1 new rows, for which there are no ids"):
        known.with_entries(rows_of(np.ones((3, 2))))
    with pytest.raises(InputError, match="1 new columns, for which there are no ids"):
        known.with_entries(rows_of(np.ones((2, 3))))
    with pytest.raises(InputError, match="has 1 rows; expected 2 or more"):
        known.with_entries(rows_of(np.ones((1, 2))))
    wider = Interactions.from_matrix(np.ones((2, 2))).with_entries(rows_of(np.ones((3, 4))))
    assert list(wider.user_ids) == [0, 1, 2]
    assert list(wider.item_ids) == [0, 1, 2, 3]


def test_the_former_name_works_and_says_the_new_one():
    known = Interactions.from_pairs(["b", "a"], ["x", "y"], [1, 2])
    with pytest.warns(FutureWarning, match="with_entries"):
        same = known.numbered(rows_of(np.array([[3, np.nan], [np.nan, 4]])))
    assert as_dict(same) == {("a", "x"): 3, ("b", "y"): 4}


def test_a_matrix_without_entries_may_be_read_where_it_makes_sense():
    rows = observed_rows(np.full((2, 3), np.nan))
    assert (rows.n_rows, rows.n_columns, rows.nnz) == (2, 3, 0)


@pytest.mark.parametrize("matrix", [np.array([[1 + 2j]]), [["a"]], [[1, 2], [3]], [[{}]]])
def test_what_is_no_table_of_real_numbers_is_refused(matrix):
    with pytest.raises(InputError, match=r"Complex data not supported|no table of numbers"):
        observed_rows(matrix)


def test_rows_and_entries_can_be_selected():
    matrix = random_matrix(8, 5)
    rows = rows_of(matrix)
    chosen = np.array([6, 0, 3])
    np.testing.assert_array_equal(rows.select(chosen).to_scipy().toarray(), np.nan_to_num(matrix[chosen]))
    np.testing.assert_array_equal(rows.values[rows.entries_of(chosen)], rows.select(chosen).values)
    inside = rows.values > 2
    np.testing.assert_array_equal(
        rows.only(inside).to_scipy().toarray(), np.where(matrix > 2, np.nan_to_num(matrix), 0)
    )
    assert rows.select(np.array([], dtype=int)).n_rows == 0
