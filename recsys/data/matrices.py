"""Matrices as users have them: what is an observed entry, and what may it hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recsys.data.columns import look_like_a_log
from recsys.data.ids import Ids
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.typing import Float64Array

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def observed_rows(matrix: Any, *, allows_negative: bool = False) -> CompressedRows:
    """Return the observed entries of a matrix; see `Interactions.from_matrix`, but none is allowed.

    Raises
    ------
    InputError
        If the matrix is not two-dimensional, has no row or no column, stores an entry twice, or
        holds infinite values, or negative ones where they are not allowed.
    """
    if np.ma.isMaskedArray(matrix):  # what is masked is missing
        matrix = np.ma.filled(matrix.astype(np.float64), np.nan)
    if not sparse.issparse(matrix):
        try:
            matrix = np.asarray(matrix)
        except ValueError as error:
            raise InputError(f"the matrix is no table of numbers: {error}.") from None
    if matrix.dtype.kind == "c":
        raise InputError("Complex data not supported; give real numbers.")
    check_is_numbers(matrix.dtype, "matrix")
    if matrix.ndim != 2:
        raise InputError(
            f"the matrix has shape {matrix.shape}; expected users x items. "
            f"Reshape your data to rows and columns."
        )
    if sparse.issparse(matrix):
        n_stored = matrix.nnz
        rows = sparse.csr_array(matrix, dtype=np.float64, copy=True)
        rows.sum_duplicates()
        if rows.nnz < n_stored:
            raise InputError("the sparse matrix stores an entry twice; join such entries first.")
    else:
        try:
            dense = np.asarray(matrix, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the matrix is no table of numbers: {error}.") from None
        observed = ~np.isnan(dense)
        _, columns = np.nonzero(observed)
        indptr = np.r_[0, np.cumsum(observed.sum(axis=1))]
        rows = sparse.csr_array((dense[observed], columns, indptr), shape=dense.shape)
    for n, kind in zip(rows.shape, ("sample", "feature"), strict=True):
        if n == 0:  # in the words that scikit-learn's users know
            raise InputError(
                f"the matrix is empty: 0 {kind}(s) (shape={rows.shape}) while a minimum of 1 is required."
            )
    check_values(rows.data, allows_negative=allows_negative)
    return CompressedRows.from_scipy(rows.astype(np.float32))


def check_is_numbers(dtype: np.dtype[Any], what: str) -> None:
    """Raise InputError for dates and lengths of time, which NumPy would turn into numbers of some unit."""
    if dtype.kind in "mM":
        raise InputError(f"the {what} holds {dtype}; expected numbers, e.g. hours as float.")


def check_values(values: Float64Array, *, allows_negative: bool = False) -> None:
    """Raise InputError unless all values are finite, within float32 and, unless allowed, 0 or more."""
    for bad, kind in (
        (~np.isfinite(values), "not a finite number"),
        (
            (values < 0) & (not allows_negative),
            "negative. Negative values in data are no amounts: leave returns out, or take them off what they "
            "return before fitting; if these are ratings, say feedback='explicit'",
        ),
        (np.abs(values) > _FLOAT32_MAX, "beyond single precision (3.4e38)"),
    ):
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise InputError(f"value {values[first]:g} (entry {first}) is {kind}.")


def labels_of(matrix: Any, rows: CompressedRows) -> tuple[Ids, Ids]:
    """Return the labels of a data frame as ids, or the row and column numbers of anything else.

    Raises
    ------
    InputError
        If the labels are neither all integers nor all text, or one repeats.
    """
    if not _is_frame(matrix):
        return Ids(np.arange(rows.n_rows)), Ids(np.arange(rows.n_columns))
    try:
        return Ids(matrix.index.to_numpy()), Ids(matrix.columns.to_numpy())
    except InputError as error:
        raise InputError(
            f"the labels of the data frame cannot be ids: {error} Give its to_numpy() to have them numbered."
        ) from None


def without_labels(matrix: Any) -> Any:
    """Return the cells of a data frame, and anything else as it is.

    Raises
    ------
    InputError
        If the frame is a table of one event a row, by the names of its columns.
    """
    if not _is_frame(matrix):
        return matrix
    names = [str(name) for name in matrix.columns]
    if look_like_a_log(names):
        raise InputError(
            f"the table has the columns {', '.join(names):.200}: it looks like a log, one event a row; "
            f"expected a matrix, users x items. Use Interactions.from_frame(table), or "
            f"recsys.train(model, table)."
        )
    return matrix.to_numpy()


def _is_frame(matrix: object) -> bool:
    return all(hasattr(matrix, name) for name in ("index", "columns", "to_numpy"))
