"""Seeded random streams with names.

Each use of chance draws from a stream of its own, so that adding one does not shift another.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to a seed and a path of names.

    Parameters
    ----------
    seed : int
        The user's seed, 0 or more.
    *names : str or int
        What the numbers are for, e.g. ``"masked-nmf", "start"``.

    Returns
    -------
    numpy.random.Generator
        The same stream for the same arguments, on every platform.
    """
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))
