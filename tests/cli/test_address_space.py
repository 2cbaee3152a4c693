"""``ulimit -v``: the libraries fit into what it allows, or one message says how much they need."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from recsys_cli import address_space, main, streams

resource = pytest.importorskip("resource")  # Windows has none


@pytest.fixture
def allowed(monkeypatch):
    """Let a limit be told, and nothing be changed in this process."""
    monkeypatch.setattr(address_space.ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *_: 1))
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    return lambda size: monkeypatch.setattr(address_space, "limit", lambda: size)


def test_less_than_the_libraries_take_is_one_message_before_they_are_loaded():
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({512 << 20},) * 2)"
    program = f"{limited}; from recsys_cli import entry; entry.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "models"],
        env={"PYTHONPATH": "cli:.", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    needed = address_space.needed()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"recsys: ulimit -v allows 512 MiB of addresses, and the libraries alone take about "
        f"{needed >> 20:,} MiB here; allow more (ulimit -v {needed >> 10}).\n"
    )


def test_libraries_are_told_to_reserve_less_only_where_there_is_a_limit(allowed, monkeypatch):
    allowed(None)
    assert address_space.fit_into() is None
    assert "ARROW_DEFAULT_MEMORY_POOL" not in address_space.os.environ
    allowed(address_space.needed())
    monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", "")  # put back afterwards
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL")
    assert address_space.fit_into() is None
    assert address_space.os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "system"
    allowed(address_space.needed() - 1)
    assert "ulimit -v allows" in address_space.fit_into()


class OutOfMemoryException(Exception):
    """Of DuckDB, which is not imported for its name."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryException("Allocation failure"),
        RuntimeError("can't start new thread"),
        ImportError("libscipy_openblas.so: failed to map segment from shared object"),
        OSError("[Errno 12] Cannot allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_library_calls_it_no_memory_is_one_message(recsys, monkeypatch, capsys, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(main, "app", fails)
    code, out, err = recsys("models")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("recsys: ")
    assert "memory" in err


def test_another_error_is_not_taken_for_it(recsys, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("our own mistake")

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(RuntimeError, match="our own mistake"):
        recsys("models")


def test_a_warning_is_one_line_without_its_source(capsys):
    message = "\x1b[1mno checkpoint:\nthe disk is full\x1b[0m"
    streams.say_warning(RuntimeWarning(message), RuntimeWarning, "file.py", 3)
    assert capsys.readouterr().err == "recsys: warning: no checkpoint: the disk is full\n"
