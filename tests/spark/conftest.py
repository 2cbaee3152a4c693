"""One Spark session for all tests of the engine; without Spark or Java they are skipped."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.errors import DependencyError
from recsys.spark.session import check_dependencies, session

QUICK = {  # a JVM that starts fast, and runs as long as a test does
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a cluster as slow."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    try:
        check_dependencies()
    except DependencyError as error:
        pytest.skip(str(error))
    with warnings.catch_warnings():
        # Of sockets and processes of py4j that end with the JVM.
        warnings.simplefilter("ignore")
        # One task may fail once and is tried again, as on a cluster.
        with session("local[2,2]", QUICK, patience=300) as started:
            yield started


@pytest.fixture(autouse=True)
def _warnings_of_spark() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture(scope="session")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Amounts with repeats, times that tie, ids of text and integers; an item with a third of all events."""
    generator = np.random.default_rng(0)
    n = 3000
    items = np.where(generator.random(n) < 0.3, 7, generator.zipf(1.3, n) % 90)
    frame = pd.DataFrame(
        {
            "user": [f"ü{number}" for number in generator.zipf(1.3, n) % 150],
            "item": items,
            "amount": generator.integers(0, 5, n) / 3,
            "timestamp": 1_600_000_000 + generator.integers(0, 500, n),
        }
    )
    path = tmp_path_factory.mktemp("spark") / "purchases.csv"
    frame.to_csv(path, index=False)
    frame.to_parquet(path.with_suffix(".parquet"), index=False)
    return path
