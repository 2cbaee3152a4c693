"""How sure a mean over users, or a difference of two, is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import rng
from recsys.typing import Float64Array

N_RESAMPLES = 2000
_CHUNK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def bootstrap(values: Float64Array, *, seed: int) -> Interval:
    """Return the mean over users with its percentile bootstrap interval.

    For a difference of two models pass the differences user by user: the test is then paired.

    Parameters
    ----------
    values : float64, (n_users,)
        One value a user.
    seed : int
        The same for the same seed and number of users, so that models share their resamples.

    Notes
    -----
    Efron & Tibshirani (1993), chapter 13; 2,000 resamples of users.
    """
    generator = rng.stream(seed, "bootstrap", len(values))
    step = max(1, _CHUNK_BYTES // (8 * len(values)))
    means = np.concatenate(
        [
            values[generator.integers(len(values), size=(min(step, N_RESAMPLES - start), len(values)))].mean(
                axis=1
            )
            for start in range(0, N_RESAMPLES, step)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
