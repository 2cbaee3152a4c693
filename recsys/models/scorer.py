"""What ranking and evaluation need of a model."""

from __future__ import annotations

from typing import Protocol

from recsys.typing import AnyArray, Float32Array


class BlockScorer(Protocol):
    """Scores blocks of users, to be ranked.

    Plain attributes will do where properties stand here.
    """

    @property
    def name(self) -> str:
        """For progress, messages and errors."""

    @property
    def n_items_(self) -> int:
        """Number of items; their row numbers start at 0."""

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users.

        Parameters
        ----------
        users : int, (n_block,)
            Row numbers.

        Returns
        -------
        float32, (n_block, n_items)
            Higher is better; a fresh array the caller may overwrite.
        """


class Scorer(BlockScorer, Protocol):
    """Scores blocks of users: a fitted model, a model with new users folded in, or an object of one's own.

    Plain attributes will do where properties stand here.
    """

    @property
    def n_users_(self) -> int:
        """Number of users; their row numbers start at 0."""

    @property
    def predicts_values(self) -> bool:
        """Whether `predict_by_row` answers, in the units of the log."""

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values of pairs, in the units of the log; asked only if `predicts_values`.

        Parameters
        ----------
        users, items : int, (n_pairs,)
            Row numbers; -1 for what training does not know.
        """
