"""Top-N recommendations by non-negative matrix factorization."""

from recsys._version import __version__

__all__ = ["__version__"]
