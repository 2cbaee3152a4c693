"""What all tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.real_logs import RealLogs, real_logs

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def shared_data() -> RealLogs:
    """Return the folder of real logs; `/` with the name of one leads to it, or skips the test."""
    return real_logs()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Run kernels in one thread unless a test asks for more.

    Matrices here are tiny: on a busy machine a second thread only waits for the first.
    """
    from recsys import threads

    with threads.use(1):
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share out whole folders among processes; single files are through before these have started."""
    files_only = all(Path(name.partition("::")[0]).is_file() for name in config.args)
    return 0 if files_only else min(len(os.sched_getaffinity(0)), 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of kernels, each of which compiles its own: later ones find them compiled.

    Two processes that begin with models would compile the same kernels at the same time.
    """
    items.sort(key=lambda item: "kernels" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Keep what tests are made of out of the collector's way: it runs before every fit that is measured."""
    gc.collect()
    gc.freeze()
