"""Random draws of split rules, reproducible by seed and repeat."""

from __future__ import annotations

import numpy as np

from recsys import rng
from recsys.typing import Int64Array


def generator_of(seed: int, repeat: int, *names: str) -> np.random.Generator:
    """Return the random stream of a rule; the first repeat draws what the rule without repeats draws."""
    return rng.stream(seed, "split", *names, *(() if repeat == 0 else (repeat,)))


def deal(generator: np.random.Generator, n: int, n_folds: int) -> Int64Array:
    """Deal n things to folds as cards are dealt; return the fold of each, shape (n,)."""
    fold = np.empty(n, dtype=np.int64)
    fold[generator.permutation(n)] = np.arange(n) % n_folds
    return fold
