"""Fits of every model to wild values: nothing that is not finite comes of them, and no objective rises.

python -m tests.stress.storms 1000
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable

import numpy as np

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import RecsysError
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.registry import MODELS, make
from recsys.typing import Float64Array

SETTLING = 1e-4
"""By what part of itself an objective may rise in an iteration, for it is that of single precision."""
ROUNDING = 1e-6
"""By what part of the sum of the values a Kullback-Leibler divergence may rise."""
LARGEST = float(np.finfo(np.float32).max)
SMALL = {
    "n_components": 3, "max_iter": 12, "n_burn_in": 4, "n_draws": 8, "n_chains": 2, "n_neighbors": 6,
    "tol": 0.0,
}  # fmt: skip
CHOICES = {
    "masked-nmf": [{}, {"biases": False}, {"biases": False, "loss": "kl"}, {"l2": 0.0}, {"init": "nndsvd"}],
    "weighted-nmf": [{}, {"init": "random"}, {"nonnegative": False, "init": "random"}, {"confidence": "log"}],
    "hybrid-nmf": [{"ratings": "yes"}, {"ratings": "no"}],
}


def spread(rng: np.random.Generator, n: int) -> Float64Array:
    """Values from 1e-30 to 1e30, each of a size of its own."""
    return np.asarray(10.0 ** rng.uniform(-30, 30, n))


def scaled(rng: np.random.Generator, n: int) -> Float64Array:
    """Ratings in a wild unit."""
    return np.asarray(rng.integers(1, 6, n) * 10.0 ** rng.uniform(-30, 30))


def raised(rng: np.random.Generator, n: int) -> Float64Array:
    """Large values that differ by little: 1e6 plus noise."""
    return np.asarray(10.0 ** rng.uniform(3, 7) + rng.standard_normal(n))


def largest(rng: np.random.Generator, n: int) -> Float64Array:
    """As large as single precision can hold."""
    return np.asarray(LARGEST * rng.uniform(0.5, 1, n))


def smallest(rng: np.random.Generator, n: int) -> Float64Array:
    """Below the least normal number."""
    return np.asarray(rng.integers(1, 5, n) * 1e-42)


def constant(rng: np.random.Generator, n: int) -> Float64Array:
    """All the same."""
    return np.full(n, 10.0 ** rng.uniform(-10, 10))


def mostly_zero(rng: np.random.Generator, n: int) -> Float64Array:
    """Stored zeros, and a few values."""
    return np.asarray(np.where(rng.random(n) < 0.8, 0.0, rng.integers(1, 6, n)))


def outlier(rng: np.random.Generator, n: int) -> Float64Array:
    """Ratings, one of them beyond all."""
    values = rng.integers(1, 6, n).astype(np.float64)
    values[rng.integers(n)] = 10.0 ** rng.uniform(5, 38)
    return values


def signed(rng: np.random.Generator, n: int) -> Float64Array:
    """Around zero, in a wild unit."""
    return np.asarray(rng.standard_normal(n) * 10.0 ** rng.uniform(-20, 20))


VALUES: tuple[Callable[[np.random.Generator, int], Float64Array], ...] = (
    spread, scaled, raised, largest, smallest, constant, mostly_zero, outlier, signed,
)  # fmt: skip


def cells(rng: np.random.Generator) -> Interactions:
    """A pattern of entries with values still to be given: from one entry to a whole matrix."""
    n_users, n_items = rng.integers(1, 30, 2)
    filled = rng.random((n_users, n_items)) < rng.uniform(0.02, 1)
    filled[rng.integers(n_users), rng.integers(n_items)] = True
    if rng.random() < 0.1:
        filled[:] = False
        filled[-1, -1] = True
    users, columns = np.nonzero(filled)
    indptr = np.r_[0, np.cumsum(np.bincount(users, minlength=n_users))]
    rows = CompressedRows(indptr, columns.astype(np.int32), np.ones(len(users), np.float32), int(n_items))
    return Interactions.from_matrix(rows.to_scipy())


def storm(number: int) -> tuple[Model, Interactions, str]:
    """Return a model and the data to fit it to; each model comes as often, with values of each kind."""
    rng = np.random.default_rng([7, number])
    name = list(MODELS)[number % len(MODELS)]
    kind = VALUES[number // len(MODELS) % len(VALUES)]
    data = cells(rng)
    with np.errstate(over="ignore"):
        values = np.clip(kind(rng, data.nnz), -LARGEST, LARGEST).astype(np.float32)
    if rng.random() < 0.3:  # rows that are constant
        values = values[np.minimum(data.by_user.indptr[data.by_user.row_numbers], len(values) - 1)]
    known = {entry["name"] for entry in parameters.describe(MODELS[name])}
    choices = CHOICES.get(name, [{}])
    params = {**SMALL, **choices[int(rng.integers(len(choices)))], "random_state": number % 5}
    model = make(name, {key: value for key, value in params.items() if key in known})
    fitted_to = Interactions(data.by_user.with_values(values), data.user_ids, data.item_ids, "explicit", None)
    return model, fitted_to, f"storm {number}: {name}, {kind.__name__}, {params}"


def fault(model: Model, data: Interactions) -> str | None:
    """Return what is wrong with a fitted model, if anything is."""
    for name, array in model.to_arrays().items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"array {name} is not finite"
    scores = model.score_block(np.arange(data.n_users))
    if not np.isfinite(scores).all():
        return "a score is not finite"
    if model.predicts_values:
        users, items = (
            np.repeat(np.arange(data.n_users), data.n_items),
            np.tile(np.arange(data.n_items), data.n_users),
        )
        if not np.isfinite(model.predict_by_row(users, items)).all():
            return "a predicted value is not finite"
    if model.history is None:
        return None
    objective = np.array(model.history.objective)
    if not np.isfinite(objective).all():
        return "an objective is not finite"
    if model.name == "poisson-nmf" or model.get_params().get("loss") == "kl":
        # The divergence is 0 where all is explained, and the difference of sums of the values' size, which
        # poisson-nmf may read as 1 each.
        size = max(float(np.sum(data.by_user.values, dtype=np.float64)), data.nnz)
        objective = objective + size * ROUNDING / SETTLING
    rises = np.diff(objective) / np.maximum(np.abs(objective[:-1]), np.finfo(np.float64).tiny)
    if not model.is_sampled and len(rises) and rises.max() > SETTLING:
        return f"the objective rises by {rises.max():.3g} of itself, {objective.tolist()}"
    return None


def storms(numbers: Iterable[int], say: Callable[[str], object]) -> dict[str, int]:
    """Fit to storms of these numbers; count fits that are whole, those refused in one message, and faults."""
    seen = {"fitted": 0, "refused": 0, "faults": 0}
    for number in numbers:
        model, data, told = storm(number)
        try:
            with np.errstate(all="ignore"):
                model.fit(data)
                wrong = fault(model, data)
        except RecsysError:
            seen["refused"] += 1
            continue
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        seen["fitted" if wrong is None else "faults"] += 1
        if wrong is not None:
            say(f"{told}: {wrong}\n")
    return seen


def main() -> None:
    """Run them."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    with threads.use(1):
        seen = storms(range(given.first, given.first + given.n), sys.stderr.write)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"storms: {counted}, {time.perf_counter() - began:.1f} s\n")
    sys.exit(seen["faults"] > 0)


if __name__ == "__main__":
    main()
