"""What is compiled is compiled before a bundle answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import recsys
from tests.matrices import random_matrix

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc, sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from recsys.service import answers
from recsys.service.metrics import Metrics
from recsys.service.requests import ListRequest
from recsys.service.serving import Serving

def compiled():
    kernels = [found for found in gc.get_objects() if isinstance(found, Dispatcher)]
    return {str(kernel.py_func): len(kernel.signatures) for kernel in kernels}

bundle = Serving(Path(sys.argv[2]), 10, Metrics()).now.bundle
before = compiled()
answers.lists_of_users(bundle, ["3"], 10, 2, include_seen=False)
answers.lists(bundle, ListRequest(history={"1": 3, "4": 2}, n=5, reasons=2))
answers.lists(bundle, ListRequest(user=3, history={"1": 3}))
late = {name: n for name, n in compiled().items() if n != before.get(name, 0)}
assert not late, late
assert sum(before.values()) > 3
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["HybridNMF", "WeightedNMF", "MaskedNMF"])
def test_no_request_waits_for_a_compiler(name, tmp_path):
    data = recsys.Interactions.from_matrix(random_matrix(40, 25))
    bundle = recsys.Bundle.of(getattr(recsys, name)().fit(data), data)
    recsys.save_bundle(bundle, tmp_path / "model")
    command = [sys.executable, "-c", PROGRAM, str(ROOT), str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
