"""Naive twin of `recsys.kernels.head_gram`, in double precision on dense matrices."""

import numpy as np


def head_gram(matrix, head):
    """Return the inner products of some columns, one pair after the other."""
    gram = np.zeros((len(head), len(head)))
    for i, first in enumerate(head):
        for j, second in enumerate(head):
            for row in matrix:
                gram[i, j] += float(row[first]) * float(row[second])
    return gram
