"""The vector code beside its definitions, which are plain NumPy."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.kernels.test_masked import large_case, sweep
from tests.matrices import random_matrix


def sweeps():
    """Return factors, biases and objectives of sweeps at several ranks, one array after the other."""
    matrix = random_matrix(6, 21)
    return [part for rank in (3, 16, 37) for part in sweep(matrix, large_case(matrix, rank))]


def test_vector_code_does_what_its_definition_says(tmp_path):
    """A process that does not compile runs the definitions."""
    code = (
        "import sys, numpy; from tests.kernels.test_tiles import sweeps; numpy.savez(sys.argv[1], *sweeps())"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out.npz")], env=environment, check=True)
    with np.load(tmp_path / "out.npz") as defined:
        for part, expected in zip(sweeps(), defined.values(), strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ridge", [0.0, 1e-42, 1e30])
def test_a_penalty_of_any_size_leaves_numbers(ridge):
    """Also where one over it is no longer a number in single precision."""
    matrix = random_matrix(6, 21)
    case = large_case(
        matrix, 20, ridge=np.full(6, ridge, dtype=np.float32), other=np.zeros((21, 20), np.float32)
    )
    for part in sweep(matrix, case):
        assert np.isfinite(part).all()
