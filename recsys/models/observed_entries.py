"""The observed entries of a matrix as samples, for tools that split samples."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recsys import rng
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.matrices import without_labels
from recsys.errors import InputError, ParameterError
from recsys.typing import AnyArray, Float32Array, Int64Array


class ObservedEntries:
    """A matrix whose samples are its observed entries, not its rows.

    scikit-learn's tools split what they are given by samples. The rows of a matrix are whole users; here each
    observed entry is a sample of its own, so that ``GridSearchCV``, ``cross_validate`` and
    ``train_test_split`` hold entries out. Parts keep the users and items of the whole. Models take it in
    `fit`, and NMF models measure it in ``score``.

    Parameters
    ----------
    X : Interactions, sparse matrix or array-like, shape (n_users, n_items)
        Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.

    Attributes
    ----------
    whole : Interactions
        What all parts are taken from.
    numbers : int64, (n_entries,)
        Which of its entries these are, by user and then by item.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import ObservedEntries
    >>> entries = ObservedEntries(np.array([[5, np.nan], [4, 2]]))
    >>> len(entries), entries[[0, 2]]
    (3, ObservedEntries(2 of 3 entries, 2 users x 2 items))
    """

    def __init__(self, X: Any) -> None:
        self.is_plain = not isinstance(X, Interactions)
        self.whole: Interactions = Interactions.from_matrix(X) if self.is_plain else X
        self.numbers: Int64Array = np.arange(self.whole.nnz)

    @property
    def shape(self) -> tuple[int]:
        """The number of entries."""
        return (len(self.numbers),)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, samples: Any) -> ObservedEntries:
        if isinstance(samples, tuple):  # scikit-learn asks for entries[samples, ...]
            samples = samples[0]
        part = object.__new__(ObservedEntries)
        part.is_plain, part.whole = self.is_plain, self.whole
        part.numbers = np.atleast_1d(self.numbers[samples])
        if len(np.unique(part.numbers)) < len(part.numbers):
            raise InputError("an entry is drawn twice; a matrix holds each of its entries once.")
        return part

    def __repr__(self) -> str:
        return (
            f"ObservedEntries({len(self):,} of {self.whole.nnz:,} entries, {self.whole.n_users:,} users x "
            f"{self.whole.n_items:,} items)"
        )

    @property
    def users(self) -> Int64Array:
        """The user of each entry, by row number, (n_entries,)."""
        return self.whole.by_user.row_numbers[self.numbers]

    @property
    def items(self) -> Int64Array:
        """The item of each entry, by row number, (n_entries,)."""
        return self.whole.by_user.columns[self.numbers].astype(np.int64)

    @property
    def values(self) -> Float32Array:
        """The value of each entry, (n_entries,)."""
        return self.whole.by_user.values[self.numbers]

    def interactions(self, feedback: Feedback) -> Interactions:
        """Return the entries as data, all users and items of the whole kept.

        Parameters
        ----------
        feedback : {"explicit", "implicit"}
            How to read the values of a plain matrix.
        """
        inside = np.zeros(self.whole.nnz, dtype=bool)
        inside[self.numbers] = True
        rows = self.whole.by_user.only(inside)
        kind = feedback if self.is_plain else self.whole.feedback
        return Interactions(rows, self.whole.user_ids, self.whole.item_ids, kind)

    def in_order(self, weights: Any) -> AnyArray:
        """Return a number for each entry, (n_entries,), as the entries of `interactions` stand.

        Raises
        ------
        InputError
            If there are not as many.
        """
        array = np.asarray(weights)
        if array.shape != self.shape:
            raise InputError(
                f"entry_weight has shape {array.shape}; expected {self.shape}, one for each entry."
            )
        return array[np.argsort(self.numbers)]


class EntryKFold:
    """Folds of observed entries, for the ``cv`` of scikit-learn's tools.

    Every entry is held out once. The entries of each user are dealt out to the folds in turn, so that a user
    with two entries or more is known to every training part.

    Parameters
    ----------
    n_splits : int
        Number of folds, 2 or more.
    random_state : int
        Seed of the draw, 0 or more.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import EntryKFold, ObservedEntries
    >>> entries = ObservedEntries(np.arange(12.0).reshape(3, 4))
    >>> [len(test) for _, test in EntryKFold(4).split(entries)]
    [3, 3, 3, 3]
    """

    def __init__(self, n_splits: int = 5, *, random_state: int = 0) -> None:
        for name, value, least in (("n_splits", n_splits, 2), ("random_state", random_state, 0)):
            if isinstance(value, bool) or not hasattr(value, "__index__") or operator.index(value) < least:
                raise ParameterError(f"{name} is {value!r}; expected a whole number, {least} or more.")
        self.n_splits, self.random_state = n_splits, random_state

    def __repr__(self) -> str:
        return f"EntryKFold({self.n_splits}, random_state={self.random_state})"

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(
        self, X: Any, y: object = None, groups: object = None
    ) -> Iterator[tuple[Int64Array, Int64Array]]:
        """Yield the samples of each training part and those held out of it.

        Parameters
        ----------
        X : ObservedEntries
        y, groups : None
            Ignored.

        Raises
        ------
        InputError
            If ``X`` is something else, or has fewer entries than there are folds.
        """
        if not isinstance(X, ObservedEntries):
            raise InputError(
                f"{type(X).__name__} has whole users for samples; to hold entries out give "
                f"recsys.ObservedEntries(X)."
            )
        if len(X) < self.n_splits:
            raise InputError(f"{len(X)} entries make no {self.n_splits} folds.")
        drawn = rng.stream(int(self.random_state), "entry folds").permutation(len(X))
        by_user = drawn[np.argsort(X.users[drawn], kind="stable")]
        fold = np.empty(len(X), dtype=np.int64)
        fold[by_user] = np.arange(len(X)) % self.n_splits
        for number in range(self.n_splits):
            yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def checked_entries(X: Any, feedback: Feedback) -> Interactions:
    """Return what a model learns from as interactions; see `Model.fit`."""
    if isinstance(X, ObservedEntries):
        return X.interactions(feedback)
    if isinstance(X, Interactions):
        return X
    if isinstance(X, (str, Path)) or not any(hasattr(X, name) for name in ("__len__", "shape", "__array__")):
        raise InputError(
            f"{type(X).__name__} is no matrix; expected Interactions, a sparse matrix or an array. Of a log, "
            f"take recsys.train(model, log) or Interactions.from_log(log); of a split, its train."
        )
    return Interactions.from_matrix(without_labels(X), feedback=feedback)
