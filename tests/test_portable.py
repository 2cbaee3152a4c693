"""The same bits on every x86-64, where they are asked for."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from recsys import portable
from recsys.errors import ParameterError
from recsys_cli import entry

ROOT = Path(__file__).parents[1]
LIKE_AN_OLDER_PROCESSOR = {
    "OPENBLAS_CORETYPE": "Sandybridge",
    "NUMBA_CPU_NAME": "sandybridge",
    "NUMBA_CPU_FEATURES": "+avx,+sse4.2,+sse4.1,+ssse3,+sse3,+popcnt",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
}
FITS = """
import hashlib, numpy as np
from recsys.data.interactions import Interactions
from recsys.models.registry import make
rng = np.random.default_rng(0)
ratings = np.ceil(5 * rng.random((60, 40)))
data = Interactions.from_matrix(np.where(rng.random((60, 40)) < 0.3, ratings, np.nan))
for name in ("pure-svd", "poisson-nmf"):
    params = {"n_components": 5} | ({} if name == "pure-svd" else {"max_iter": 5})
    model = make(name, params).fit(data)
    state = hashlib.sha256(model.score_block(np.arange(60)).tobytes())
    if name == "poisson-nmf":
        state.update(np.array(model.history.objective).tobytes())
    print(name, state.hexdigest())
"""
on_glibc = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="made for x86-64 and glibc"
)


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setenv("RECSYS_PORTABLE", "1")


def run(command, **environment):
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("text", ["yes", "2"])
def test_another_word_is_refused(monkeypatch, text):
    monkeypatch.setenv("RECSYS_PORTABLE", text)
    with pytest.raises(ParameterError, match=f"RECSYS_PORTABLE is '{text}'; expected 1"):
        portable.check()


@pytest.mark.parametrize("text", ["", "0"])
def test_by_default_nothing_is_asked(monkeypatch, text):
    monkeypatch.setenv("RECSYS_PORTABLE", text)
    portable.check()


def test_a_machine_it_was_not_made_for_is_refused(asked, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    with pytest.raises(ParameterError, match="is for x86-64 and Linux with glibc; this is arm64"):
        portable.check()


@on_glibc
def test_variables_that_came_after_the_start_are_not_believed(asked, monkeypatch):
    for name, value in portable.settings().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        ParameterError, match=r"python -m recsys\.portable SCRIPT(.|\n)*OPENBLAS_CORETYPE='Nehalem'"
    ):
        portable.check()


@on_glibc
@pytest.mark.parametrize(
    ("library", "core"), [("mkl", None), ("openblas", "Haswell")], ids=["another library", "another core"]
)
def test_another_blas_is_refused(asked, monkeypatch, library, core):
    monkeypatch.setattr(portable, "missing", dict)
    pool = {"internal_api": library, "user_api": "blas", "architecture": core, "filepath": "libblas.so"}
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [pool])
    with pytest.raises(ParameterError, match=r"needs NumPy and SciPy with OpenBLAS, running as Nehalem"):
        portable.check()


@on_glibc
def test_kernels_refuse_to_work_without_what_was_asked_for():
    done = run(["-c", "import recsys.kernels"], RECSYS_PORTABLE="1")
    assert done.returncode == 1
    assert "RECSYS_PORTABLE=1 has to be known when Python starts" in done.stderr
    done = run(["-m", "recsys.portable", "-c", "import recsys.kernels"])
    assert (done.returncode, done.stderr) == (0, "")


@on_glibc
@pytest.mark.slow
def test_processors_round_otherwise_and_portable_ones_do_not():
    """Another processor is played by what libraries are told of it, which is all they go by."""
    here, older = run(["-c", FITS]), run(["-c", FITS], **LIKE_AN_OLDER_PROCESSOR)
    command = ["-m", "recsys.portable", "-c", FITS]
    portable_here, portable_older = run(command), run(command, **LIKE_AN_OLDER_PROCESSOR)
    for done in (here, older, portable_here, portable_older):
        assert done.returncode == 0, done.stderr
    changed = [a != b for a, b in zip(here.stdout.split(), older.stdout.split(), strict=True)]
    assert changed == [False, True, False, True]
    assert portable_here.stdout == portable_older.stdout


@on_glibc
def test_the_command_line_starts_itself_again_with_what_is_missing(asked, monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *arguments: started.append(arguments))
    monkeypatch.setattr(sys, "orig_argv", ["python3", "/usr/bin/recsys", "train", "log.csv"])
    entry._start_again_if_portable()
    ((program, arguments, environment),) = started
    assert (program, arguments) == (sys.executable, [sys.executable, "/usr/bin/recsys", "train", "log.csv"])
    assert environment.items() >= portable.settings().items()
    monkeypatch.setattr(portable, "missing", dict)
    entry._start_again_if_portable()
    assert len(started) == 1


@on_glibc
def test_a_command_runs_with_what_was_asked_for():
    done = run(["-m", "recsys_cli", "models", "--json"], RECSYS_PORTABLE="1", OPENBLAS_CORETYPE="Haswell")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(["-m", "recsys_cli", "models"], RECSYS_PORTABLE="always")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == "recsys: RECSYS_PORTABLE is 'always'; expected 1 (the same bits on every x86-64) or 0.\n"
    )
