from __future__ import annotations

import numpy as np
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.evaluation.entry_errors import EntryErrors, errors_of
from tests.logs import log_of
from tests.reference.metrics import mae, rmse
from tests.registered import ERRORS


def test_errors_are_summed_by_user_and_unknown_users_stand_alone():
    train = Interactions.from_log(log_of([("a", "x", 3), ("b", "y", 4)]))
    held = [("b", "x", 5), ("nobody", "x", 1), ("a", "y", 2), ("nobody", "y", 4), ("b", "new", 3)]
    held_out = HeldOut.from_log(log_of(held), None, train)
    predicted = (held_out.values + np.array([0.5, 1.0, 2.0, -1.0, 0.25])).astype(np.float32)
    errors = {name: errors_of(metric, predicted, held_out.values) for name, metric in ERRORS.items()}
    found = EntryErrors.of(errors, held_out)

    sums = {}
    for number, (user, error) in enumerate(
        zip(held_out.users.tolist(), (predicted - held_out.values).tolist(), strict=True)
    ):
        squared, absolute, n = sums.get(key := user if user >= 0 else ("unknown", number), (0.0, 0.0, 0))
        sums[key] = (squared + error**2, absolute + abs(error), n + 1)
    assert found.users.tolist() == [0, 1, -1, -1]
    expected = [sums[0], sums[1], *(sums[key] for key in sums if key not in (0, 1))]
    assert np.column_stack([found.sums["rmse"], found.sums["mae"], found.n_entries]) == pytest.approx(
        np.array(expected)
    )
    assert found.value("rmse") == pytest.approx(rmse(predicted, held_out.values))
    assert found.value("mae") == pytest.approx(mae(predicted, held_out.values))
