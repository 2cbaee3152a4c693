"""Ratings with planted groups, for measurements at scale.

Every user is a sparse mixture of 16 groups, every group rates every item between 1 and 5, and a
rating is the mixture's opinion times the user's own scale, plus noise, rounded. Who rates what
follows power laws on both sides. The best any model can do is about the root of the noise's and
the rounding's variance, sqrt(0.25 + 1/12) = 0.58.

    python -m tests.benchmarks.planted 10m --out planted_10m.npz
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys import rng
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array
from tests.benchmarks.ratings import Ratings

SIZES = {
    "10m": (200_000, 20_000, 10_000_000),
    "1m": (20_000, 5_000, 1_000_000),
    "200k": (5_000, 2_000, 200_000),
}
"""Users, items and ratings by name: 50 ratings a user on average (40 in the smallest)."""

N_GROUPS = 16
_CONCENTRATION = 0.2  # of the users' mixtures: most of a user is one or two groups
_SCALE_SPREAD = 0.1  # standard deviation of the logarithm of a user's scale
_NOISE = 0.5
_ACTIVITY, _POPULARITY = 0.7, 0.9  # exponents of the power laws
_HEAD = 1000  # the law is bent at a thousandth of its length, so that no user rates half the catalogue
_CHUNK = 1 << 19  # pairs valued at a time

_PARTS, _COLUMNS = ("train", "test"), ("users", "items", "values")


@dataclass(frozen=True)
class Planted:
    """Training and held-out ratings, 90 to 10, whole numbers 1 to 5.

    No pair stands twice; each part is sorted by user and then item.
    """

    train: Ratings
    test: Ratings

    def save(self, path: Path) -> None:
        """Write all columns to an .npz file."""
        columns = {
            f"{part}_{column}": getattr(getattr(self, part), column) for part in _PARTS for column in _COLUMNS
        }
        np.savez(path, **columns, n_users=self.train.n_users, n_items=self.train.n_items)

    @classmethod
    def load(cls, path: Path) -> Planted:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            n_users, n_items = int(arrays["n_users"]), int(arrays["n_items"])
            columns = {part: {column: arrays[f"{part}_{column}"] for column in _COLUMNS} for part in _PARTS}
            return cls(*(Ratings(**columns[part], n_users=n_users, n_items=n_items) for part in _PARTS))


def plant(n_users: int, n_items: int, n_ratings: int, seed: int = 0) -> Planted:
    """Make ratings; the same ones for the same arguments."""
    keys = _pairs(n_users, n_items, n_ratings, seed)
    users, items = (keys // n_items).astype(np.int32), (keys % n_items).astype(np.int32)
    del keys
    values = _values(users, items, n_users, n_items, seed)
    held_out = rng.stream(seed, "planted", "split").random(n_ratings, dtype=np.float32) < 0.1
    ratings = Ratings(users, items, values, n_users, n_items)
    return Planted(ratings.where(~held_out), ratings.where(held_out))


def _cumulated_law(n: int, exponent: float, generator: np.random.Generator) -> Float64Array:
    """Return cumulated shares of a bent power law, its ranks dealt out at random."""
    weights = (np.arange(1, n + 1) + n / _HEAD) ** -exponent
    cumulated = np.cumsum(generator.permutation(weights))
    return np.asarray(cumulated / cumulated[-1])


def _pairs(n_users: int, n_items: int, n_ratings: int, seed: int) -> Int64Array:
    """Return different pairs as sorted keys ``user * n_items + item``."""
    generator = rng.stream(seed, "planted", "pairs")
    users = _cumulated_law(n_users, _ACTIVITY, generator)
    items = _cumulated_law(n_items, _POPULARITY, generator)
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < n_ratings:
        n_drawn = int((n_ratings - len(keys)) * 1.1) + 1000
        drawn = np.searchsorted(users, generator.random(n_drawn), side="right") * n_items
        drawn += np.searchsorted(items, generator.random(n_drawn), side="right")
        keys = np.unique(np.concatenate([keys, drawn]))
    spare = generator.choice(len(keys), len(keys) - n_ratings, replace=False)
    return np.delete(keys, spare)


def _values(users: Int32Array, items: Int32Array, n_users: int, n_items: int, seed: int) -> Float32Array:
    generator = rng.stream(seed, "planted", "values")
    mixtures = generator.dirichlet(np.full(N_GROUPS, _CONCENTRATION), n_users).astype(np.float32)
    mixtures *= np.exp(_SCALE_SPREAD * generator.standard_normal((n_users, 1), dtype=np.float32))
    opinions = 1 + 4 * generator.random((n_items, N_GROUPS), dtype=np.float32)
    values = np.empty(len(users), dtype=np.float32)
    for begin in range(0, len(users), _CHUNK):
        at = slice(begin, begin + _CHUNK)
        exact = np.einsum("ng,ng->n", mixtures[users[at]], opinions[items[at]])
        noise = _NOISE * generator.standard_normal(len(exact), dtype=np.float32)
        values[at] = np.clip(np.rint(exact + noise), 1, 5)
    return values


def main() -> None:
    """Write planted ratings to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    plant(*SIZES[options.size], options.seed).save(options.out)


if __name__ == "__main__":
    main()
