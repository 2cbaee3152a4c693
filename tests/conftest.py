"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real logs, which is not part of the project."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"{_SHARED_DATA} is absent")
    return _SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Run kernels in one thread unless a test asks for more.

    Matrices here are tiny: on a busy machine a second thread only waits for the first.
    """
    from recsys import threads

    with threads.use(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def warm_kernels(one_thread: None) -> None:
    """Compile the kernels once, so that no single test looks slow for it."""
    from recsys.data.interactions import Interactions
    from recsys.models.registry import make
    from recsys.recommend.ranking import ranked_blocks

    train = Interactions.from_matrix(np.ones((2, 2)))
    for name in ("masked-nmf", "weighted-nmf"):
        model = make(name, {"n_components": 1, "max_iter": 1}).fit(train)
        list(ranked_blocks(model, np.arange(2), 1, None))
