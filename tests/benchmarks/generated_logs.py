"""Logs of purchases and of ratings drawn from planted groups, of several densities and tails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Purchases:
    """Users are mixtures of groups, a group is a distribution over items.

    Attributes
    ----------
    n_users, n_items : int
    per_user : float
        About the median number of items of a user, which are log-normal.
    n_groups : int
    mixing : float
        Of the Dirichlet distribution of a user's groups: the less, the fewer groups a user has.
    tail : float
        Exponent of the popularity of items, bent at a fiftieth of their number.
    seed : int
    contrast : float
        Standard deviation of the logarithm of a group's liking of an item.
    """

    n_users: int
    n_items: int
    per_user: float
    n_groups: int
    mixing: float
    tail: float
    seed: int
    contrast: float = 2.0

    def frame(self) -> pd.DataFrame:
        """Return columns ``user`` and ``item``; 15 % of the choices are of popular items alone."""
        generator = np.random.default_rng(self.seed)
        popularity = (np.arange(self.n_items) + self.n_items / 50) ** -self.tail
        popularity /= popularity.sum()
        generator.shuffle(popularity)
        liking = generator.standard_normal((self.n_groups, self.n_items))
        groups = popularity * np.exp(self.contrast * liking)
        groups /= groups.sum(axis=1, keepdims=True)
        counts = np.exp(generator.normal(np.log(self.per_user) - 0.4, 0.9, self.n_users))
        counts = np.clip(np.round(counts), 3, self.n_items // 3).astype(int)
        items = []
        for n_taken in counts:
            mixture = generator.dirichlet(np.full(self.n_groups, self.mixing))
            chances = 0.85 * (mixture @ groups) + 0.15 * popularity
            keys = np.log(chances) + generator.gumbel(size=self.n_items)  # the largest: drawn without repeats
            items.append(np.argpartition(-keys, n_taken)[:n_taken])
        return pd.DataFrame(
            {"user": np.repeat(np.arange(self.n_users), counts), "item": np.concatenate(items)}
        )


PURCHASES = {
    "dense": Purchases(6040, 3706, 165, 20, 0.1, 1.0, 1),
    "sparse": Purchases(20000, 6000, 12, 40, 0.02, 0.8, 2, 2.5),
    "long-tail": Purchases(8000, 12000, 45, 60, 0.05, 1.4, 3),
    "few-items": Purchases(9000, 285, 22, 12, 0.1, 0.7, 4),
    "tiny": Purchases(600, 300, 12, 8, 0.1, 0.8, 5),
    "wide": Purchases(1500, 10000, 30, 30, 0.05, 0.9, 6, 2.5),
    "clicks": Purchases(15000, 1500, 6, 20, 0.03, 1.2, 7, 2.5),
}
"""``dense`` has the users, items and entries of MovieLens 1M; items of ``wide`` have four users each."""


@dataclass(frozen=True)
class Ratings:
    """Biases of users and items, opinions of groups, and noise; in steps of a half from 0.5 to 5.

    Attributes
    ----------
    n_users, n_items, n_ratings, seed : int
    noise : float
        Standard deviation.
    opinion : float
        Standard deviation of a group's opinion of an item, that of biases being 0.4 and 0.5.
    """

    n_users: int
    n_items: int
    n_ratings: int
    seed: int
    noise: float = 0.5
    opinion: float = 1.0

    def frame(self) -> pd.DataFrame:
        """Return columns ``user``, ``item`` and ``value``."""
        generator = np.random.default_rng(self.seed)
        activity, popularity = (
            (np.arange(n) + n / 1000) ** -tail for n, tail in ((self.n_users, 0.7), (self.n_items, 0.9))
        )
        drawn = [
            generator.choice(len(p), int(1.6 * self.n_ratings), p=p / p.sum()) for p in (activity, popularity)
        ]
        pairs = np.unique(np.stack(drawn, axis=1), axis=0)
        users, items = pairs[generator.permutation(len(pairs))[: self.n_ratings]].T
        mixtures = generator.dirichlet(np.full(16, 0.2), self.n_users)
        opinions = generator.normal(0, 1, (self.n_items, 16)) * self.opinion
        user_bias, item_bias = generator.normal(0, 0.4, self.n_users), generator.normal(0, 0.5, self.n_items)
        values = 3.5 + user_bias[users] + item_bias[items]
        values += np.einsum("ij,ij->i", mixtures[users], opinions[items])
        values += generator.normal(0, self.noise, len(users))
        values = np.clip(np.round(2 * values) / 2, 0.5, 5)
        return pd.DataFrame({"user": users, "item": items, "value": values})


RATINGS = {
    "dense": Ratings(2000, 1000, 150_000, 1),
    "middle": Ratings(8000, 4000, 200_000, 2, noise=0.8),
    "sparse": Ratings(20000, 6000, 90_000, 3, noise=0.8),
    "noisy": Ratings(10000, 5000, 150_000, 4, noise=1.0, opinion=0.4),
    "200k": Ratings(5000, 2000, 200_000, 5),
}
