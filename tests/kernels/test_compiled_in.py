"""Numba compares a kernel's own file with its cache; what it takes from others it cannot see change."""

import ast
import hashlib
from importlib import import_module
from pathlib import Path

import pytest

from recsys import kernels
from recsys.kernels import ranked_scoring

FOLDER = Path(kernels.__file__).parent
SHARED = ("vector_code", "tiles", "sums")


def takes_shared_code(path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return any(node.module == f"recsys.kernels.{name}" for node in imports for name in SHARED)


USERS = [p.stem for p in sorted(FOLDER.glob("*.py")) if p.stem not in SHARED and takes_shared_code(p)]


@pytest.mark.parametrize("name", USERS)
def test_a_kernel_knows_the_shared_code_it_was_compiled_with(name):
    code = b"".join((FOLDER / f"{shared}.py").read_bytes() for shared in SHARED)
    digest = hashlib.sha256(code).hexdigest()[:12]
    stated = getattr(import_module(f"recsys.kernels.{name}"), "COMPILED_IN", None)
    assert digest == stated, (
        f'write COMPILED_IN = "{digest}" in {name}.py: what it is compiled with has changed'
    )


def test_some_kernels_take_shared_code():
    assert {"masked", "weighted", "kl", "gibbs"} <= set(USERS)


def test_ranked_scoring_knows_the_scoring_it_was_compiled_with():
    code = b"".join((FOLDER / name).read_bytes() for name in ("scoring.py", "dense_scoring.py"))
    digest = hashlib.sha256(code).hexdigest()[:12]
    assert digest == ranked_scoring.SCORED_BY, f'write SCORED_BY = "{digest}" in ranked_scoring.py'
