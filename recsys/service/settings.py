"""How a service runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from recsys.data.ids import Id
from recsys.errors import ParameterError

TOKEN_VARIABLE = "RECSYS_SERVE_TOKEN"  # noqa: S105 - the name of a variable
_LEAST_TOKEN = 16


@dataclass(frozen=True)
class Settings:
    """How a service runs.

    Attributes
    ----------
    model : Path
        Folder of the bundle.
    beside : Path, optional
        Folder of another bundle, whose lists are shown beside.
    categories : mapping of item's id to sequence of str
        What rules on categories go by where a request brings no categories of its own.
    most_waiting : int
        Requests that may be computed or wait to be; one more is answered 503 at once.
    timeout : float
        Seconds that a request may take to arrive, and its answer to be computed.
    most_bytes : int
        Bytes of a request's body.
    most_items, most_users : int
        Longest list, and most users or histories, of one request.
    cache_size : int
        Answers kept; 0 for none.
    ahead : int
        Users whose lists are computed before they are asked for, while nobody asks for anything, as far as
        the cache has room; 0 for none.
    reload_seconds : float
        How often the folder is looked at for a new bundle; 0 for never.
    mapped : bool
        Whether the arrays of the bundle are mapped, and so shared between processes that serve it.
    origins : tuple of str
        Origins whose pages may ask (CORS); none by default.
    token : str, optional
        What a request has to bear; without one, everybody is answered.

    Raises
    ------
    ParameterError
        If a number is out of range, or the token can be guessed.
    """

    model: Path
    most_waiting: int = 64
    timeout: float = 10.0
    most_bytes: int = 2**20
    most_items: int = 1_000
    most_users: int = 1_000
    cache_size: int = 50_000
    ahead: int = 0
    reload_seconds: float = 2.0
    mapped: bool = False
    origins: tuple[str, ...] = ()
    token: str | None = None
    beside: Path | None = None
    categories: Mapping[Id, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = {"most_waiting": 1, "most_bytes": 1_024, "most_items": 1, "most_users": 1}
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, (int, float)) and not least.get(setting.name, 0) <= value < float("inf"):
                raise ParameterError(
                    f"{setting.name} is {value!r}; expected {least.get(setting.name, 0):,} or more."
                )
        if self.timeout == 0:
            raise ParameterError("timeout is 0; expected seconds above 0.")
        if self.token is not None and len(self.token) < _LEAST_TOKEN:
            raise ParameterError(
                f"the token in {TOKEN_VARIABLE} has {len(self.token)} characters; expected {_LEAST_TOKEN} or "
                f"more, as 'openssl rand -hex 32' writes them."
            )


def token_from(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token that requests have to bear, from the environment; None where there is none."""
    return environment.get(TOKEN_VARIABLE)
