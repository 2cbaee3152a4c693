"""The short form of `tests/stress/storms.py`: wild values, a kind of them for each model."""

import os

import pytest

from recsys import threads
from recsys.models.registry import MODELS
from tests.stress.storms import VALUES, storms

SCALE = int(os.environ.get("RECSYS_STRESS", "1"))


@pytest.mark.filterwarnings("ignore")
def test_wild_values_come_to_finite_numbers_and_objectives_that_fall():
    told, n = [], len(MODELS)
    numbers = [turn * n + model for model in range(n) for turn in range(model, model + SCALE)]
    with threads.use(1):
        seen = storms(numbers, told.append)
    assert not told
    assert seen["fitted"] > seen["refused"]
    assert len({turn % len(VALUES) for turn in range(n)}) == len(VALUES)
