"""How far fits from different starts agree on their components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from recsys import threads
from recsys.errors import InputError, ParameterError
from recsys.typing import Float32Array, Float64Array, Int64Array


def match_components(reference: Float32Array, other: Float32Array) -> tuple[Int64Array, Float64Array]:
    """Pair the components of two fits so that the sum of their cosines is the largest possible.

    Components have no order of their own: the fifth of one fit may be the second of another. The pairing
    is an assignment problem (Kuhn 1955; solved by SciPy's `linear_sum_assignment`).

    Parameters
    ----------
    reference, other : float32, (n_items, n_components), (n_items, n_other)
        Item factors of the two fits, a component a column.

    Returns
    -------
    partners : int64, (n_components,)
        For each component of the reference its partner in the other fit; -1 where that has too few.
    cosines : float64, (n_components,)
        Of the pairs, from 0 to 1; 0 without a partner and for components that are all zero.

    Raises
    ------
    InputError
        If the factors are not matrices with the same number of items.
    """
    reference, other = np.asarray(reference), np.asarray(other)
    if reference.ndim != 2 or other.ndim != 2 or len(reference) != len(other):
        raise InputError(
            f"item factors have the shapes {reference.shape} and {other.shape}; expected two matrices "
            f"with the same number of items. Compare fits of the same data."
        )
    with threads.launch():  # BLAS rounds differently with another number of threads
        cosines = np.clip(_unit_columns(reference).T @ _unit_columns(other), 0.0, 1.0)
    components, partners = linear_sum_assignment(cosines, maximize=True)
    matches = np.full(reference.shape[1], -1, dtype=np.int64)
    matches[components] = partners
    matched = np.zeros(reference.shape[1])
    matched[components] = cosines[components, partners]
    return matches, matched


def stability(runs: Sequence[Float32Array], reference: int = 0) -> Float64Array:
    """Return for each component of one run how well the other runs find it again.

    Parameters
    ----------
    runs : sequence of float32, (n_items, n_components)
        Item factors of fits to the same data from different starts; at least two.
    reference : int
        Number of the run whose components are asked for, usually the one that is kept.

    Returns
    -------
    float64, (n_components,)
        Mean cosine with the partner in the other runs (`match_components`): 1 if each finds the same one,
        near 0 if none does. Components of popular items look alike by chance: what is high depends on the
        data.

    Raises
    ------
    ParameterError
        If there are fewer than two runs, or no run of that number.
    InputError
        If the runs are not of the same items.
    """
    if len(runs) < 2:
        raise ParameterError(f"found {len(runs)} runs; stability compares two or more. Raise n_init.")
    if not 0 <= reference < len(runs):
        raise ParameterError(f"reference is {reference}; expected a run from 0 to {len(runs) - 1}.")
    cosines = np.array(
        [match_components(runs[reference], run)[1] for number, run in enumerate(runs) if number != reference]
    )
    return np.asarray(cosines.mean(axis=0))


def _unit_columns(factors: Float32Array) -> Float64Array:
    """Return the columns at length 1; zero columns stay zero."""
    columns = factors.astype(np.float64)
    lengths = np.linalg.norm(columns, axis=0)
    return columns / np.where(lengths > 0, lengths, 1.0)
