import numpy as np
import pytest

from recsys.errors import InputError
from recsys.models.baselines.bias import Bias
from tests.matrices import ABSENT, random_matrix


@pytest.mark.parametrize("bias_l2", [0.0, 2.0])
def test_biases_are_those_of_the_ridge_regression(bias_l2):
    matrix = random_matrix(15, 10)
    users, items = np.nonzero(~np.isnan(matrix))
    values = matrix[users, items]
    design = np.zeros((len(values), 25))
    design[np.arange(len(values)), users] = design[np.arange(len(values)), 15 + items] = 1
    penalty = np.sqrt(bias_l2) * np.eye(25)
    rest = np.r_[values - values.mean(), np.zeros(25)]
    expected = np.linalg.lstsq(np.r_[design, penalty], rest, rcond=None)[0]
    model = Bias(bias_l2=bias_l2, clip=False).fit(matrix)
    b, a = expected[:15], expected[15:]
    # Without a penalty a constant may go from one side to the other: the sums alone are determined,
    # and those of users who rated anything.
    some = np.unique(users)
    np.testing.assert_allclose(model.score_block(some), values.mean() + b[some, None] + a, atol=1e-5)
    if bias_l2:
        np.testing.assert_allclose(model.user_bias_, b, atol=1e-6)
        np.testing.assert_allclose(model.item_bias_, a, atol=1e-6)


def test_an_unknown_side_counts_as_the_average_one():
    model = Bias(clip=False).fit(random_matrix(15, 10))
    predicted = model.predict_by_row(np.array([3, 3, -1, -1]), np.array([2, -1, 2, -1]))
    b, a = model.user_bias_[3], model.item_bias_[2]
    np.testing.assert_allclose(predicted - model.mean_, [b + a, b, a, 0], atol=1e-6)


def test_predictions_stay_inside_the_range_seen_unless_told_otherwise():
    matrix = np.array([[5.0, 5, ABSENT], [ABSENT, 2, 1], [1, ABSENT, 1]])
    users, items = np.indices((3, 3)).reshape(2, -1)
    wide, clipped = (
        Bias(bias_l2=0.0, clip=clip).fit(matrix).predict_by_row(users, items) for clip in (False, True)
    )
    assert wide.min() < 1
    np.testing.assert_allclose(clipped, np.clip(wide, 1, 5))


def test_pairs_outside_the_training_data_are_refused():
    model = Bias().fit(random_matrix(15, 10))
    with pytest.raises(InputError, match="user rows run from 15 to 15; expected -1 to 14"):
        model.predict_by_row([15], [0])
    with pytest.raises(InputError, match="2 users and 1 items; expected pairs"):
        model.predict_by_row([1, 2], [0])
