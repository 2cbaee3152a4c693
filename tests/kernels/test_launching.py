"""Every kernel is launched in the one way that keeps its bits."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import process_time, thread_time

import numba
import numpy as np
import pytest

from recsys import kernels, threads
from recsys.kernels.launching import kernel
from recsys.kernels.sparse_rows import count_nonzeros

FILES = sorted(Path(kernels.__file__).parent.glob("*.py"))


def uses_threads(function):
    return any(isinstance(node, ast.Name) and node.id == "prange" for node in ast.walk(function))


def decorator_names(function):
    calls = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return [node.id for node in calls]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whatever_runs_on_threads_is_declared_as_a_kernel(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    threaded = [function for function in functions if uses_threads(function)]
    assert all(decorator_names(function) == ["kernel"] for function in threaded)


def test_some_kernel_was_looked_at():
    assert any("prange" in path.read_text() for path in FILES)


def test_a_kernel_holds_the_number_of_threads_and_lets_it_go(monkeypatch):
    seen = []
    real = threads.launch

    def watched():
        seen.append(numba.get_num_threads())
        return real()

    monkeypatch.setattr(threads, "launch", watched)
    counts, before = np.zeros(2, dtype=np.int64), numba.get_num_threads()
    with threads.use(2):
        count_nonzeros(np.array([[0, 1], [2, 3]], dtype=np.float32), counts)
    assert counts.tolist() == [1, 2]
    assert len(seen) == (threads.available() > 1)
    assert numba.get_num_threads() == before


def test_on_one_thread_a_kernel_waits_for_nobody():
    """What another thread launches, such as a fit, holds the lock for as long as a whole kernel takes."""
    holds, done = Event(), Event()

    def hold():
        with threads.launch():
            holds.set()
            assert done.wait(60)

    counts, before = np.zeros(2, dtype=np.int64), numba.get_num_threads()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert holds.wait(60)
        with threads.use(1):
            count_nonzeros(np.array([[0, 1], [2, 3]], dtype=np.float32), counts)
        done.set()
        held.result()
    assert counts.tolist() == [1, 2]
    assert numba.get_num_threads() == before


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="without JIT there is no pool")
def test_a_kernel_on_one_thread_stays_in_the_thread_that_calls_it():
    values, counts = np.ones((3_000_000, 8), dtype=np.float32), np.zeros(3_000_000, dtype=np.int64)

    def share_of_the_caller(n_threads):
        counts[:] = 0
        with threads.use(n_threads):
            count_nonzeros(values, counts)  # compiled, and the pool started
            own, whole = thread_time(), process_time()
            count_nonzeros(values, counts)
            share = (thread_time() - own) / (process_time() - whole)
        assert (counts == 8).all()
        return share

    assert share_of_the_caller(1) > 0.5
    if threads.available() > 1 and numba.threading_layer() == "workqueue":  # others let the caller share
        assert share_of_the_caller(2) < 0.5
    assert share_of_the_caller(1) > 0.5


def test_a_kernel_keeps_its_name_and_what_it_does_in_words():
    assert count_nonzeros.__name__ == "count_nonzeros"
    assert "how many" in count_nonzeros.__doc__


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="without JIT there is no compiler")
def test_options_reach_the_compiler():
    @kernel(fastmath={"contract"})
    def nothing(values):
        values[0] = 1

    assert nothing.dispatcher.targetoptions["fastmath"] == {"contract"}
