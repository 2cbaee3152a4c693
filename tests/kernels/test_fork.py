"""Processes made in every way, after kernels have run, compute what their parent computes."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, sys
import numpy as np
import recsys

def total(seed):
    matrix = np.random.default_rng(seed).random((30, 20))
    return float(recsys.MaskedNMF(2, max_iter=2).fit(matrix).components_.sum())

if __name__ == "__main__":
    mine = total(0)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map_async(total, [0, 0]).get(timeout=100) == [mine, mine]
"""


@pytest.mark.parametrize(
    "method",
    [
        "fork",
        pytest.param("forkserver", marks=pytest.mark.slow),
        pytest.param("spawn", marks=pytest.mark.slow),
    ],
)
def test_processes_compute_what_their_parent_computes(method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, method], check=True, timeout=150)


LAUNCHING = """
import multiprocessing, threading, warnings
import numpy as np
from recsys import threads
from recsys.kernels.sparse_rows import count_nonzeros

warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads, which is meant
ROWS = np.array([[0, 1], [2, 3]], dtype=np.float32)

def counts(number):
    result = np.zeros(2, dtype=np.int64)
    count_nonzeros(ROWS, result)
    return result.tolist()

if __name__ == "__main__":
    counts(0)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with threads.launch():
            inside.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map_async(counts, [0]).get(timeout=60) == [[1, 2]]
    done.set()
    holder.join()
    assert counts(0) == [1, 2]
"""


def test_a_process_forked_while_another_thread_computes_is_not_held_up(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(LAUNCHING)
    subprocess.run([sys.executable, script], check=True, timeout=100)
