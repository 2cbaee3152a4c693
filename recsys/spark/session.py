"""A Spark session, or one message that says why there is none."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import DependencyError, InputError, ParameterError
from recsys.spark.masters import check_answers, is_standalone

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

LEAST_SPARK, LEAST_JAVA = 4, 17
DEFAULT_MASTER = "local[*]"
MOST_PARTITIONS = 100_000
PATIENCE = 60.0
"""Seconds until a cluster has to run a first task."""

_SETTINGS = {
    "spark.log.level": "FATAL",  # what fails is raised here, in one message
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.maxResultSize": "0",  # the factors of a sweep come to the driver
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.execution.pyspark.udf.faulthandler.enabled": "true",
}
_STOPPED = "stopped SparkContext"
"""What Spark says where no master has registered it."""
_JAVA_ADVICE = (
    f"Spark needs Java {LEAST_JAVA} or newer; install it (on Debian: apt install default-jre-headless), or "
    f"let JAVA_HOME name it."
)


def check_dependencies() -> None:
    """Raise unless pyspark and a Java that it runs on are here.

    Raises
    ------
    DependencyError
        Which says what is missing, and how to install it.
    """
    try:
        import pyspark
    except ImportError:
        raise DependencyError('--engine spark needs pyspark; pip install "recsys[spark]".') from None
    if int(pyspark.__version__.partition(".")[0]) < LEAST_SPARK:
        raise DependencyError(
            f"pyspark is {pyspark.__version__}; expected {LEAST_SPARK}.0 or newer: "
            f'pip install --upgrade "recsys[spark]".'
        )
    version = java_version()
    if version is None:
        raise DependencyError(f"there is no Java. {_JAVA_ADVICE}")
    if version < LEAST_JAVA:
        raise DependencyError(f"Java is version {version}. {_JAVA_ADVICE}")


def java_version() -> int | None:
    """Return the version of the Java that Spark would start, None where there is none that answers."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if command is None:
        return None
    try:
        answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - the user's own Java
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(version[1]) if version else None


@contextmanager
def session(
    master: str | None = None,
    conf: Mapping[str, str] | None = None,
    *,
    source: Any = None,
    patience: float = PATIENCE,
) -> Iterator[SparkSession]:
    """Yield a session that runs tasks: the one that is active, or a new one that ends with the body.

    Parameters
    ----------
    master : str, optional
        ``local[N]``, ``spark://HOST:PORT``, ``yarn`` or ``k8s://...``; by default `DEFAULT_MASTER`.
    conf : mapping of str to str, optional
        Settings of Spark, by name.
    source : Any
        A log; if it is a data frame of Spark, its session is taken.
    patience : float
        Seconds until a first task has to be done.

    Raises
    ------
    DependencyError
        If pyspark or Java is missing or too old.
    InputError
        If the master does not answer, or runs no task.
    ParameterError
        If a session of another master is active.
    """
    check_dependencies()
    from pyspark.sql import SparkSession

    active = source.sparkSession if is_data_frame(source) else SparkSession.getActiveSession()
    if active is not None:
        running = active.sparkContext.master
        if master is not None and master != running:
            raise ParameterError(f"the Spark session here has the master {running}; expected {master}.")
        with _explained(running):
            yield active
        return
    master = master or DEFAULT_MASTER
    check_answers(master)
    with _explained(master):
        spark = _started(master, conf or {})
        try:
            _check_runs(spark, master, patience)
            yield spark
        finally:
            spark.stop()


def is_data_frame(source: Any) -> bool:
    """Return whether a log is a data frame of Spark; pyspark is not imported to find out."""
    return type(source).__module__.startswith("pyspark.sql.") and type(source).__name__ == "DataFrame"


@contextmanager
def _explained(master: str) -> Iterator[None]:
    """Raise InputError in place of what Spark raises, of which most is a trace of the JVM."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    with warnings.catch_warnings():
        # Tables go to Spark and back by Arrow alone.
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        try:
            yield
        except (Py4JError, PySparkException) as error:
            raise InputError(f"Spark ({master}) failed: {first_line(error)}.") from error


def _started(master: str, conf: Mapping[str, str]) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if master.startswith("local"):  # workers are to be of this environment
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("recsys").master(master)
    for name, value in {**_SETTINGS, **conf}.items():
        builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except (Py4JError, PySparkException, RuntimeError, OSError) as error:
        said = first_line(error)
        if is_standalone(master) and _STOPPED in said:  # it asked for a minute, and gave up
            raise InputError(
                f"the Spark master {master} takes connections but did not register this application. What "
                f"listens there may be no Spark master, or one of another version than pyspark {_version()} "
                f"here. Check the address, which the master's web page names, or take --spark-master "
                f"'local[2]' to run on this machine."
            ) from error
        raise InputError(f"Spark did not start with the master {master}: {said}.") from error
    return spark


def _version() -> str:
    import pyspark

    return str(pyspark.__version__)


def _check_runs(spark: SparkSession, master: str, patience: float) -> None:
    """Raise InputError unless a first task is done in time: without workers it would wait for ever."""
    context = spark.sparkContext
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        with contextlib.suppress(Exception):  # what is gone need not be cancelled
            context.cancelAllJobs()

    timer = threading.Timer(patience, give_up)
    timer.daemon = True
    timer.start()
    try:
        context.parallelize([0], 1).count()
    except Exception as error:
        if is_late.is_set():
            raise InputError(
                f"the Spark master {master} ran no task within {patience:.0f} s; it may have no worker with "
                f"the memory and cores that are asked for (spark.executor.memory, spark.executor.cores)."
            ) from None
        raise InputError(
            f"the Spark master {master} cannot run a task of Python: {first_line(error)}. Its workers need "
            f"recsys and the Python version of this process; PYSPARK_PYTHON names the Python."
        ) from error
    finally:
        timer.cancel()


def collected(frame: DataFrame) -> pa.Table:
    """Return a data frame as a table here.

    Raises
    ------
    KeyboardInterrupt
        If the process is interrupted: what Spark raises meanwhile is about jobs that are cancelled.
    """
    try:
        table: pa.Table = frame.toArrow()
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            cause = cause.__context__
        raise
    return table


@contextmanager
def shuffled_to(spark: SparkSession, n_partitions: int) -> Iterator[None]:
    """Let data that is shuffled inside the body have so many partitions: an empty one costs a task, too."""
    name = "spark.sql.shuffle.partitions"
    before = spark.conf.get(name)
    spark.conf.set(name, str(n_partitions))
    try:
        yield
    finally:
        spark.conf.set(name, before)


def first_line(error: BaseException) -> str:
    """Return what an error of Spark says first; the rest are traces of the JVM.

    Of one that a worker raised, it is what our own error says.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line.partition(": ")[2] for line in lines if line.startswith("recsys.errors.")]
    if own:
        return own[0].rstrip(".")
    causes = [line for line in lines if re.match(r"(: )?[\w.]+(Exception|Error): ", line)]
    first = (causes or lines or [type(error).__name__])[0]
    return first.removeprefix(": ").rstrip(".")


def parallelism(spark: SparkSession) -> int:
    """Return how many tasks run at a time."""
    return int(spark.sparkContext.defaultParallelism)


def check_partitions(partitions: int | None) -> None:
    """Raise ParameterError unless a number of partitions is one."""
    if partitions is not None and not 1 <= partitions <= MOST_PARTITIONS:
        raise ParameterError(
            f"partitions is {partitions}; expected a whole number, 1 to {MOST_PARTITIONS:,}."
        )


def settings_of(texts: Any) -> dict[str, str]:
    """Read settings of Spark from ``KEY=VALUE``.

    Raises
    ------
    ParameterError
        If one is written otherwise.
    """
    settings = {}
    for text in texts or ():
        name, mark, value = str(text).partition("=")
        if not mark or not name.startswith("spark."):
            raise ParameterError(
                f"--spark-conf {text!r}: expected a setting of Spark, e.g. spark.executor.memory=2g."
            )
        settings[name] = value
    return settings
