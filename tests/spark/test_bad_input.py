"""What Spark cannot do, or cannot do here, is said in one message."""

import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

import recsys
from recsys.errors import DependencyError, InputError, LogError, ParameterError
from recsys.spark import session as sessions
from recsys.spark.masters import check_answers
from recsys.spark.reading import check_options, read_events
from recsys.spark.sampling import read_share, sampled_users
from recsys.spark.session import check_dependencies, java_version, session, settings_of
from recsys.spark.training import check_sample, train, trainable


def _fake_java(folder: Path, says: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    java = folder / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IEXEC)
    return folder


@pytest.mark.parametrize(
    ("says", "version"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_202"', 8), ("what is Java", None)],
)
def test_the_version_of_java_is_read(tmp_path: Path, monkeypatch, says: str, version: int | None):
    monkeypatch.setenv("JAVA_HOME", str(_fake_java(tmp_path, says)))
    assert java_version() == version


def test_java_that_is_missing_or_old_is_named(tmp_path: Path, monkeypatch):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    with pytest.raises(DependencyError, match=r"no Java\. Spark needs Java 17 or newer; install it"):
        check_dependencies()
    monkeypatch.setenv("JAVA_HOME", str(_fake_java(tmp_path / "old", 'openjdk version "11.0.2"')))
    with pytest.raises(DependencyError, match="Java is version 11"):
        check_dependencies()


def test_pyspark_that_is_missing_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(DependencyError, match=r'pip install "recsys\[spark\]"'):
        check_dependencies()


def test_a_master_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(sessions, "check_dependencies", lambda: None)
    with socket.socket() as bound:  # it does not listen
        bound.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(InputError, match="does not answer"):
            check_answers(master)
    for address in ("here", "[::1:7077"):
        with pytest.raises(ParameterError, match=r"expected e\.g\. spark://host:7077"):
            check_answers(f"spark://{address}")
    with pytest.raises(InputError, match="does not answer"):
        check_answers("spark://no..name:7077")


@contextmanager
def _listening(says: bytes | None, *, at_once: bool = False) -> Iterator[str]:
    """Give the address of something that says bytes, at once or in answer, or nothing."""

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if not at_once:
                    connection.recv(64)
                if says is not None:
                    connection.sendall(says)
                    continue
                connection.recv(64)  # until the other side goes

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_what_answers_and_is_no_master_is_named():
    with _listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as page, _listening(None) as silent:
        with pytest.raises(
            InputError, match=rf"no Spark master: a web server answers at {page}\. A master listens"
        ):
            check_answers(f"spark://{page}")
        check_answers(f"spark://{page},{silent}")  # as a master is until it is told the whole
    with _listening(b"SSH-2.0-x\r\n", at_once=True) as door, _listening(b"\x15\x03\x03") as secured:
        with pytest.raises(InputError, match=r"something that says 'SSH-2\.0-x' answers at"):
            check_answers(f"spark://{door},127.0.0.1:9")
        check_answers(f"spark://{secured}")  # a master may want TLS


def test_a_port_at_which_nobody_registers_an_application_is_named(monkeypatch):
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    def refused(_: object) -> None:
        raise RuntimeError("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.")

    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", refused)
    with pytest.raises(
        InputError, match=r"spark://slow:7077 takes connections but did not register .* pyspark 4"
    ):
        sessions._started("spark://slow:7077", {})


def test_what_the_engine_does_not_train_is_refused():
    with pytest.raises(ParameterError, match="does not train als; it trains weighted-nmf, masked-nmf, slim"):
        trainable(recsys.ModelSpec("als"))
    with pytest.raises(ParameterError, match="loss=squared"):
        trainable(recsys.ModelSpec("masked-nmf", {"loss": "kl", "biases": False}))
    with pytest.raises(ParameterError, match="slim has no factors of users to fold in"):
        check_sample(recsys.ModelSpec("slim"), None)
    with pytest.raises(ParameterError, match="fitted without checkpoints"):
        check_sample(recsys.ModelSpec("weighted-nmf"), recsys.Checkpoint(Path("fit.checkpoint")))
    assert (
        trainable(recsys.ModelSpec("auto")).name == recsys.ModelSpec("auto").resolved().name == "hybrid-nmf"
    )
    assert trainable(recsys.ModelSpec("auto"), is_sample=True).name == "weighted-nmf"


def test_options_of_a_log_that_are_not_honoured_are_refused():
    with pytest.raises(ParameterError, match="--where is not for --engine spark"):
        check_options(recsys.LogFormat(where="amount > 0"))
    check_options(recsys.LogFormat(user="customer", delimiter="tab", on_bad_row="skip"))


@pytest.mark.parametrize("text", ["0", "0%", "120%", "many", "1.5", "nan"])
def test_a_share_of_users_is_checked(text: str):
    with pytest.raises(ParameterError, match="expected a share of the users"):
        read_share(text)


def test_a_share_of_users_is_read_and_drawn():
    assert read_share("10%") == read_share("0.1") == 0.1
    drawn = sampled_users(1000, 0.1, seed=0)
    assert len(drawn) == len(set(drawn.tolist())) == 100
    assert sampled_users(3, 0.01, seed=0).size == 1


def test_an_error_of_a_worker_is_what_our_error_says():
    trace = (
        "An exception was thrown from the Python worker.\nTraceback (most recent call last):\n"
        '  File "worker.py", line 1, in main\nrecsys.errors.ParameterError: masked-nmf learns from ratings.\n'
    )
    assert sessions.first_line(RuntimeError(trace)) == "masked-nmf learns from ratings"
    of_jvm = "An error occurred while calling o1.load.\n: java.io.IOException: no space left\n\tat java.base"
    assert sessions.first_line(RuntimeError(of_jvm)) == "java.io.IOException: no space left"


def test_settings_are_read():
    assert settings_of(["spark.executor.memory=2g"]) == {"spark.executor.memory": "2g"}
    with pytest.raises(ParameterError, match="expected a setting of Spark"):
        settings_of(["memory=2g"])


def test_another_master_than_that_of_the_session_is_refused(spark):
    with (
        pytest.raises(ParameterError, match="expected spark://elsewhere:7077"),
        session("spark://elsewhere:7077"),
    ):
        pass


def test_rows_that_cannot_be_used_are_named_or_skipped(spark, tmp_path: Path):
    rows = [
        "user,item,amount",
        "a,x,1",
        "a,y,two",
        "b,x,3",
        ",y,4",
        "b,y,5",
        "c,x,-1",
        "c,y,2",
        "d,x,2",
        "d,y,1",
    ]
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(rows) + "\n")
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 2, "max_iter": 1})
    with pytest.raises(LogError, match=r"a user is missing: user=None, item='y', amount='4'"):
        train(spec, path, partitions=2)
    log = recsys.LogPlan(path, on_bad_row="skip")
    bundle, expected = train(spec, log, partitions=2), recsys.train(spec, log)
    assert bundle.training["digest"] == expected.training["digest"]
    assert [drop["n_rows"] for drop in bundle.training["log"]["dropped"]] == [3]
    pd.DataFrame({"user": ["a", "a"], "item": ["x", "x"]}).to_csv(path, index=False)
    with pytest.raises(InputError, match="user 'a' and item 'x' meet more than once"):
        train(spec, path, duplicates="error")


def test_logs_that_cannot_be_read_are_named(spark, tmp_path: Path):
    path = tmp_path / "log.csv"
    pd.DataFrame({"user": ["a"], "item": ["x"], "time": ["yesterday"]}).to_csv(path, index=False)
    with pytest.raises(LogError, match="neither whole numbers nor written as"):
        read_events(spark, path, recsys.LogFormat())
    path.write_text("user,item\n")
    with pytest.raises(LogError, match="no rows"):
        read_events(spark, path, recsys.LogFormat())
    with pytest.raises(InputError, match="there is no file"):
        read_events(spark, tmp_path / "none.csv", recsys.LogFormat())
    with pytest.raises(InputError, match=r"there is no table or view 'shop\.none' in Spark's catalogue"):
        read_events(spark, "table:shop.none", recsys.LogFormat())
    with pytest.raises(InputError, match=r"no JDBC driver for postgresql; name its jar by --spark-conf"):
        read_events(spark, "postgresql://ann@localhost/shop", recsys.LogFormat(table="purchases"))
    with pytest.raises(ParameterError, match="name what to read, by --table or by --query"):
        read_events(spark, "jdbc:sqlite:shop.db", recsys.LogFormat())
    with pytest.raises(ParameterError, match="a password stands in the address"):
        read_events(spark, "jdbc:mysql://localhost/shop?password=x", recsys.LogFormat(table="purchases"))
    with pytest.raises(ParameterError, match="--table and --query are for a database"):
        read_events(spark, path, recsys.LogFormat(table="purchases"))


class _Stalled:
    """A session whose jobs wait for workers until they are cancelled."""

    def __init__(self) -> None:
        self.sparkContext = self
        self._cancelled = threading.Event()

    def parallelize(self, *_: object) -> "_Stalled":
        return self

    def cancelAllJobs(self) -> None:
        self._cancelled.set()

    def count(self) -> int:
        assert self._cancelled.wait(30)
        raise RuntimeError("Job 0 cancelled")


def test_a_master_that_runs_no_task_in_time_is_named():
    with pytest.raises(InputError, match=r"spark://slow:7077 ran no task within 0 s; it may have no worker"):
        sessions._check_runs(_Stalled(), "spark://slow:7077", patience=0.01)
