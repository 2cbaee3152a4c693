"""Naive twins of `recsys.kernels.sparse_products`, on dense rows."""

import numpy as np


def sparse_gram(dense, importance):
    """Return the upper half of ``sum_i s_i h_i h_i'``, zeros below the diagonal."""
    rank = dense.shape[1]
    gram = np.zeros((rank, rank))
    for row, weight in zip(dense, importance, strict=True):
        for f in range(rank):
            for g in range(f, rank):
                gram[f, g] += float(weight) * float(row[f]) * float(row[g])
    return gram


def mirror(square):
    """Return a square matrix whose lower half is the upper one."""
    out = square.copy()
    for row in range(len(out)):
        for column in range(row):
            out[row, column] = square[column, row]
    return out


def sum_products(observed, users, items):
    """Return ``sum w_f h_f`` over the observed entries for each theme; ``observed``: marks, dense."""
    totals = np.zeros(users.shape[1])
    for user in range(len(users)):
        for item in range(len(items)):
            if observed[user, item]:
                for f in range(len(totals)):
                    totals[f] += float(users[user, f]) * float(items[item, f])
    return totals
