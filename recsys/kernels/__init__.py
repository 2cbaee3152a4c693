"""Numba kernels: arrays in, results written into arrays they were given.

A kernel trusts its input. Each row is written by exactly one thread and nothing is summed across
rows, so results do not depend on the number of threads. ``reassoc`` is allowed where a sum over
one row has to be vectorised; ``nnan`` and ``ninf`` never are, since callers rely on NaN showing.
"""
