"""Entries and rows beyond 2**31: kernels find them, and make the same bits of them.

Launches of real fits, lists and measurements are made once more with all entries moved behind 2**31 others
that nobody looks at. The room for these is promised by the system and never taken.
"""

from __future__ import annotations

import importlib
import inspect
import mmap
import pkgutil
import sys

import numpy as np
import pytest

import recsys.kernels
from recsys.data.interactions import Interactions
from recsys.data.labels import Labels
from recsys.evaluation import from_lists
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.factorization.scoring import compile_kernels
from recsys.kernels import scoring
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.rules import Rules
from tests.held_out import held_out_of
from tests.matrices import random_matrix

FAR = 2**31 + 3
OF_ROWS = {
    "indptr",
    "own_indptr",
    "own",
    "own_bias",
    "ridge",
    "bias_ridge",
    "objective",
    "row_target",
    "unobserved",
    "out",
}
OF_COLUMNS = {"other", "other_bias", "column_target", "other_indptr"}
ENTRIES = ("columns", "values", "weights", "rows", "items", "users", "components", "entries")
FITS = {
    "masked-nmf": {"n_components": 3, "max_iter": 2},
    "weighted-nmf": {"n_components": 6, "max_iter": 3},
    "weighted-nmf of any sign": {"n_components": 3, "max_iter": 2, "nonnegative": False},
    "poisson-nmf": {"n_components": 3, "max_iter": 2},
    "bayesian-nmf": {"n_components": 3, "n_burn_in": 1, "n_draws": 2, "n_kept": 2},
    "hybrid-nmf": {"n_components": 4},
}
METRICS = [
    "ndcg@3",
    "graded-ndcg@3",
    "popularity-lift@3",
    "auc",
    "diversity@3",
    "novelty@3",
    "serendipity@3",
    "calibration@3",
]
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or sys.maxsize < 2**33, reason="promises of memory are Linux's"
)


for _module in pkgutil.iter_modules(recsys.kernels.__path__, "recsys.kernels."):
    importlib.import_module(_module.name)


def parameters(kernel):
    return inspect.signature(kernel).parameters


def kernels():
    """Return every kernel that is imported, by name."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("recsys.kernels."):
            found |= {key: value for key, value in vars(module).items() if hasattr(value, "dispatcher")}
    return found


SWEEPS = [
    name
    for name, kernel in kernels().items()
    if {"blocks", "columns"} <= set(parameters(kernel)) and "key" not in parameters(kernel)
]
"""Kernels of rows and their entries, without the one that draws a row by its number."""


def promised(array, offset):
    """Return an array that ends with the given one, behind as many numbers as ``offset`` says, all 0."""
    shape = (offset + len(array), *array.shape[1:])
    n_bytes = int(np.prod(shape, dtype=object)) * array.itemsize
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)
    whole = np.frombuffer(mmap.mmap(-1, n_bytes, flags=flags), array.dtype).reshape(shape)
    whole[offset:] = array
    whole.flags.writeable = array.flags.writeable
    return whole


def pointers(arguments):
    """Return the names of row pointers, each with those of the entries that it points to."""
    of = {}
    for name, pointer in arguments.items():
        if name.endswith("indptr"):
            prefix = name.removesuffix("indptr")
            entries = [prefix + entry for entry in ENTRIES if prefix + entry in arguments]
            of[name] = [
                entry
                for entry in entries
                if arguments[entry].ndim == 1 and len(arguments[entry]) == pointer[-1] > 0
            ]
    return of


def moved_like(array, changed):
    """Return what a kernel takes in place of an array: of its type, and closed to writing as it is."""
    changed = changed.astype(array.dtype)
    changed.flags.writeable = array.flags.writeable
    return changed


def with_far_entries(arguments):
    """Return the arguments of a launch with all entries moved."""
    moved = dict(arguments)
    for pointer, entries in pointers(arguments).items():
        if entries:
            moved[pointer] = moved_like(arguments[pointer], arguments[pointer] + FAR)
            moved |= {name: promised(arguments[name], FAR) for name in entries}
    return moved


def copied(arguments):
    copies = {}
    for name, value in arguments.items():
        copies[name] = value
        if isinstance(value, np.ndarray) and value.flags.writeable:
            copies[name] = value.copy()
    return copies


@pytest.fixture(scope="module")
def launches():
    """Return a launch of each kernel: its arguments before it, by name."""
    recorded = {}

    def recording(name, kernel):
        names = list(parameters(kernel))

        def launched(*arguments):
            given = dict(zip(names, arguments, strict=True))
            if name not in recorded or not any(pointers(recorded[name]).values()):
                recorded[name] = copied(given)
            kernel(*arguments)

        return launched

    with pytest.MonkeyPatch.context() as patch:
        originals = {id(kernel): (name, kernel) for name, kernel in kernels().items()}
        for module_name, module in list(sys.modules.items()):
            if module_name.startswith("recsys."):
                for key, value in list(vars(module).items()):
                    if id(value) in originals:
                        patch.setattr(module, key, recording(*originals[id(value)]))
        data = Interactions.from_matrix(random_matrix(14, 9))
        labels = Labels.from_pairs(np.arange(9), np.array(list("aabbccdda")), 9)
        held_out = held_out_of(
            [set(np.setdiff1d(np.arange(9), data.by_user.row(u)[0])[:2].tolist()) for u in range(14)], 9
        )
        for name, params in FITS.items():
            model = make(name.split()[0], params).fit(data)
            Bundle.of(model, data).recommend([0, 1], 3, rules=Rules(diversity=0.2))
            Bundle.of(model, data).recommend([0, 1], 3)
            evaluate(
                model,
                data.by_user,
                held_out,
                parse_metrics(METRICS),
                catalogue=Catalogue(data.by_user, labels),
            )
        compile_kernels()
        nothing = np.zeros((2, 3), np.int32), np.zeros(2, np.int64), np.zeros(2, np.int64)
        from_lists.lay_out(np.array([0, 1]), data.by_user.indptr, data.by_user.columns, *nothing)
    return recorded


def test_no_kernel_loses_entries_beyond_two_to_the_31(launches):
    moved = set()
    for name, arguments in launches.items():
        if not any(pointers(arguments).values()):
            continue
        near, far = copied(arguments), with_far_entries(copied(arguments))
        kernel = kernels()[name]
        kernel(*near.values())
        kernel(*far.values())
        for key, value in near.items():
            if isinstance(value, np.ndarray) and value.flags.writeable and not key.endswith("indptr"):
                made = far[key][len(far[key]) - len(value) :]
                if (name, key) == ("find_hits", "entries"):  # which are numbers of entries
                    made = np.where(made < 0, made, made - FAR)
                np.testing.assert_array_equal(made, value, err_msg=f"{name}: {key}")
        moved.add(name)
    have_entries = {
        name for name, kernel in kernels().items() if any("indptr" in p for p in parameters(kernel))
    }
    assert have_entries == moved


@pytest.mark.parametrize("name", SWEEPS)
def test_no_kernel_loses_rows_whose_factors_are_beyond_two_to_the_31(launches, name):
    arguments = copied(launches[name])

    rank = next(arguments[key].shape[1] for key in ("other", "own", "gram", "sums") if key in arguments)
    rows = FAR // rank  # so that rows times components are beyond, and row numbers are not
    far = copied(arguments)
    far["blocks"] = arguments["blocks"] + rows
    far["columns"] = moved_like(arguments["columns"], arguments["columns"] + np.int32(rows))
    for key in OF_ROWS & far.keys():
        if len(far[key]):
            far[key] = promised(arguments[key], rows)
    for key in OF_COLUMNS & far.keys():
        far[key] = promised(arguments[key], rows)
    kernel = kernels()[name]
    kernel(*arguments.values())
    kernel(*far.values())
    for key, value in arguments.items():
        if (
            isinstance(value, np.ndarray)
            and value.flags.writeable
            and key in OF_ROWS | {"own_values", "sums"}
        ):
            np.testing.assert_array_equal(far[key][len(far[key]) - len(value) :], value, err_msg=key)


def test_pairs_are_scored_of_rows_whose_factors_are_beyond_two_to_the_31():
    generator = np.random.default_rng(0)
    users, items = np.array([0, 2, -1, 1]), np.array([1, 0, 1, -1])
    sides = [generator.random((n, 4), dtype=np.float32) for n in (3, 2)]
    offsets = [generator.random(n, dtype=np.float32) for n in (3, 2)]
    near, far = np.empty(4, np.float32), np.empty(4, np.float32)
    scoring.score_pairs(users, items, *sides, *offsets, near)
    rows = FAR // 4
    far_users, far_items = (np.where(numbers < 0, numbers, numbers + rows) for numbers in (users, items))
    far_sides = [promised(array, rows) for array in (*sides, *offsets)]
    scoring.score_pairs(far_users, far_items, *far_sides, far)
    np.testing.assert_array_equal(far, near)
