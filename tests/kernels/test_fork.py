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


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_processes_compute_what_their_parent_computes(method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, method], check=True, timeout=150)
