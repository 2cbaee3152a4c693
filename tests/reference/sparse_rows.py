"""Naive twins of `recsys.kernels.sparse_rows`."""

from itertools import pairwise


def count_nonzeros(dense):
    """Return how many entries of each row are not zero."""
    return [sum(1 for value in row if value != 0) for row in dense]


def gather_nonzeros(dense):
    """Return themes and values of the entries that are not zero, row by row."""
    found = [(f, value) for row in dense for f, value in enumerate(row) if value != 0]
    return [f for f, _ in found], [value for _, value in found]


def spread_nonzeros(indptr, themes, values, rank):
    """Return dense rows, zeros included."""
    rows = []
    for first, last in pairwise(indptr):
        row = [0.0] * rank
        for at in range(first, last):
            row[themes[at]] = values[at]
        rows.append(row)
    return rows
