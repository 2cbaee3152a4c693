"""The vector code beside its definitions, which are plain NumPy."""

import hashlib
from pathlib import Path

from recsys.kernels import masked, tiles


def test_kernels_know_the_tiles_they_were_compiled_with():
    """Numba compares a kernel's own file with its cache; what it takes from tiles.py it cannot see change."""
    digest = hashlib.sha256(Path(tiles.__file__).read_bytes()).hexdigest()[:12]
    assert digest == masked.TILES, f'tiles.py has changed: write TILES = "{digest}" in masked.py'
