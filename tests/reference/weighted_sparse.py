"""Naive twins of `recsys.kernels.weighted_sparse` and `.weighted_support`: dense, one row at a time."""

import numpy as np

from tests.reference.weighted import sweep_weighted

_OF_ROWS = ("row_target", "absent", "ridge")


def _one_row(confidence, case, u, own, other):
    part = {**case, **{name: case[name][u : u + 1] for name in _OF_ROWS}, "own": own[None], "other": other}
    factors, objective = sweep_weighted(confidence[u : u + 1], **part)
    return factors[0], objective[0]


def sweep_weighted_sparse(confidence, **case):
    """Return what a sweep makes of rows in which themes that no entry has are zero to begin with."""
    W, other = np.array(case["own"], dtype=float), case["other"]
    objective = np.zeros(len(W))
    for u in range(len(W)):
        observed = ~np.isnan(confidence[u])
        W[u, ~(other[observed] != 0).any(axis=0)] = 0
        W[u], objective[u] = _one_row(confidence, case, u, W[u], other)
    return W, objective


def sweep_weighted_support(confidence, **case):
    """Return what a sweep makes of rows whose zeros stay as they are."""
    W, other = np.array(case["own"], dtype=float), case["other"]
    objective = np.zeros(len(W))
    for u in range(len(W)):
        taken = W[u] != 0
        W[u, taken], objective[u] = _one_row(confidence, case, u, W[u, taken], other[:, taken])
    return W, objective
