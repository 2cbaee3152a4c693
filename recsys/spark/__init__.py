"""The engine on Apache Spark: training, lists and evaluation where the data lies.

::

    train          a log in, the bundle of `recsys.train` out, bit for bit
    recommend      the lists of all users as a folder of parts
    recommend_log  the lists of the users of another log, folded in
    evaluate       the measurements of `recsys.evaluate`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.spark.evaluating import evaluate
    from recsys.spark.new_users import recommend_log
    from recsys.spark.recommending import recommend
    from recsys.spark.training import train

__all__ = ["evaluate", "recommend", "recommend_log", "train"]
_MODULES = {
    "train": "training",
    "recommend": "recommending",
    "recommend_log": "new_users",
    "evaluate": "evaluating",
}


def __getattr__(name: str) -> Any:
    """Return a public call; its module is imported when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
