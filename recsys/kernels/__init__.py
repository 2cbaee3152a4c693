"""Numba kernels: arrays in, results written into arrays they were given.

A kernel trusts its input. Each row is written by exactly one thread and nothing is summed across
rows, so results do not depend on the number of threads. ``contract`` alone is allowed of the fast
mathematics: ``reassoc`` lets sums be ordered anew, and the same kernel gave other bits when it was read from
the cache than when it was compiled, so sums over a row that have to be vectorised are those of `sums`;
``nnan`` and ``ninf`` never are, since callers rely on NaN showing.
"""

from recsys import portable
from recsys.kernels.cache import ensure_cache

portable.check()
ensure_cache()
