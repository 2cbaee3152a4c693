import numpy as np
import pytest
from hypothesis import given

from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.models.registry import make
from recsys.models.taken_entries import liked
from recsys.models.values import preferences, resolved_transform
from tests.matrices import matrices, rows_of

READERS_OF_ZEROS = ["item-knn", "ease", "bpr", "pure-svd", "zero-filled-nmf"]


@given(matrices())
def test_what_entries_count(matrix):
    filled = np.nan_to_num(matrix)
    expected = {"raw": filled, "log": np.log1p(filled), "binary": filled > 0}
    for kind, counted in expected.items():
        rows = preferences(rows_of(matrix), kind)
        np.testing.assert_allclose(rows.to_scipy().toarray(), counted, rtol=1e-6)
        assert np.all(rows.values > 0)  # nothing is stored that counts as an absent cell does


def test_only_auto_looks_at_the_feedback():
    assert [resolved_transform("auto", feedback) for feedback in ("explicit", "implicit")] == [
        "raw",
        "binary",
    ]
    assert [resolved_transform("log", feedback) for feedback in ("explicit", "implicit")] == ["log", "log"]


@pytest.mark.parametrize("name", READERS_OF_ZEROS)
def test_a_log_of_zeros_is_refused(name):
    with pytest.raises(InputError, match="all values are 0"):
        make(name).fit(Interactions.from_matrix(np.zeros((3, 2))))


def test_liked_entries_are_those_not_below_the_users_mean_or_a_value():
    rows = rows_of(np.array([[1.0, 5, np.nan], [3, 3, 3], [np.nan, 2, 4]]))
    assert liked(rows, "all", None) is rows
    assert liked(rows, "above-mean", None).counts.tolist() == [1, 3, 1]
    assert liked(rows, "all", 3).counts.tolist() == [1, 3, 1]
    assert liked(rows, "above-mean", 5).counts.tolist() == [1, 0, 0]
    equal = rows_of(np.full((1, 3), 0.1))
    assert liked(equal, "above-mean", None).nnz == 3
