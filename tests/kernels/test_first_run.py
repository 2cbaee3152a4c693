"""The first run after an installation, which compiles, gives the bits that every later one gives."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from recsys import kernels

ROOT = Path(__file__).parents[2]


def declared():
    """Return the names of all kernels, with their modules."""
    return {
        f"recsys.kernels.{path.stem}.{node.name}"
        for path in Path(kernels.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and "kernel(" in "".join(map(ast.unparse, node.decorator_list))
    }


@pytest.mark.slow
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="without JIT nothing is compiled")
def test_compiling_anew_or_reading_the_cache_changes_no_bit_of_any_kernel(tmp_path):
    """A first process compiles, with another order of hashes, and a second one reads what it left."""
    runs = []
    for seed in ("1", "2"):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "tests.kernels.recorded", str(tmp_path / seed)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=900
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        runs.append(json.loads((tmp_path / seed).read_text()))
    first, later = runs
    assert set(first) == declared()
    shared = {name: first[name].keys() & later[name].keys() for name in first}
    assert [name for name, launches in shared.items() if len(launches) < 2] == []
    changed = [name for name in first if any(first[name][key] != later[name][key] for key in shared[name])]
    assert changed == []
