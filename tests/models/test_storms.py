"""The short form of `tests/stress/storms.py`: wild values, every model with each kind of them."""

import os

import pytest

from recsys import threads
from tests.stress.storms import VALUES, storms

SCALE = int(os.environ.get("RECSYS_STRESS", "1"))


@pytest.mark.filterwarnings("ignore")
def test_wild_values_come_to_finite_numbers_and_objectives_that_fall():
    told = []
    with threads.use(1):
        seen = storms(4 * len(VALUES) * SCALE, told.append)
    assert not told
    assert seen["fitted"] > 10 * seen["refused"]
