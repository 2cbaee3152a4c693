"""Row numbers, the positions of users and items in the training data, as against ids."""

from __future__ import annotations

import numpy as np

from recsys.errors import InputError
from recsys.typing import AnyArray, Int64Array


def checked_rows(rows: AnyArray, n: int, side: str, *, lowest: int = 0) -> Int64Array:
    """Return row numbers as int64, or raise InputError.

    Parameters
    ----------
    rows : int, (n_rows,)
    n : int
        Number of rows there are.
    side : {"user", "item"}
    lowest : {0, -1}
        -1 where an unknown user or item is allowed.

    Raises
    ------
    InputError
        If they are no whole numbers, as ids may be, or not among the rows.
    """
    numbers = np.asarray(rows)
    if numbers.size and (numbers.ndim != 1 or numbers.dtype.kind not in "iu"):
        raise InputError(
            f"{side} rows are {rows!r:.80}; expected whole numbers from {lowest} to {n - 1}, the positions "
            f"of {side}s in the training data. Calls that take ids are those of a bundle: Bundle.predict, "
            f"recommend."
        )
    if numbers.size and (numbers.min() < lowest or numbers.max() >= n):
        raise InputError(
            f"{side} rows run from {numbers.min()} to {numbers.max()}; expected {lowest} to {n - 1}, the "
            f"positions of {side}s in the training data. If these are ids, ask the bundle: Bundle.predict, "
            f"recommend."
        )
    whole: Int64Array = numbers.astype(np.int64, copy=False)
    return whole


class NoPredict:
    """In the place of ``predict``, which scikit-learn's users expect of a matrix and others of ids.

    Reading it is an AttributeError that names what to call, so that no row number is taken for an id;
    ``hasattr`` says no.
    """

    def __get__(self, model: object, owner: type) -> object:
        of_matrices = "; the gaps of a matrix are filled by complete(X)" if hasattr(owner, "complete") else ""
        raise AttributeError(
            f"{owner.__name__} has no predict: by ids, call predict of its bundle, bundle.predict(user_ids, "
            f"item_ids); by row numbers of the training data, predict_by_row(user_rows, item_rows)"
            f"{of_matrices}."
        )


class NoRecommend:
    """In the place of ``recommend``, which a model without ids cannot answer; as `NoPredict`."""

    def __get__(self, model: object, owner: type) -> object:
        raise AttributeError(
            f"{owner.__name__} has no recommend: a model knows no ids and no items to leave out. Make a "
            f"bundle, recsys.train(model, log) or recsys.Bundle.of(model, interactions), and call "
            f"bundle.recommend(user_ids, n)."
        )
