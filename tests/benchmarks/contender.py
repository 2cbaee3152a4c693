"""One library's model in a race: what its data is made into, and what is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Generic, TypeVar

Data = TypeVar("Data")
Fitted = TypeVar("Fitted")


@dataclass(frozen=True)
class Contender(Generic[Data, Fitted]):
    """One library's model.

    Attributes
    ----------
    package : str
        The distribution whose version is reported.
    prepare : callable
        Training data to what the library's fit takes: not timed.
    train : callable
        ``train(prepared, rank, n_iter, n_threads, **settings)``: timed; gives what was fitted.
    """

    package: str
    prepare: Callable[[Data], Any]
    train: Callable[..., Fitted]

    @property
    def version(self) -> str | None:
        """The installed version, or None."""
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return None
