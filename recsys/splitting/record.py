"""A split that was put to work, as reports and programs show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recsys.splitting.audit import SplitAudit
from recsys.splitting.split import SplitDescription


@dataclass(frozen=True, kw_only=True)
class SplitRecord:
    """A split as it was used: what trains and what is held out, in numbers, and its audit.

    Attributes
    ----------
    name : str
        The rule, as it is given on the command line.
    description : SplitDescription
    seed : int or None
        The seed, where chance was used.
    digest : str
        SHA-256 of the parts, or of the held-out pairs where they came from a log of their own.
    part, n_parts : int
        Which of how many splits of one rule this is, from 1.
    n_train_events, n_held_out_events : int
    n_train_pairs, n_held_out_pairs : int
    n_repeated_pairs : int
        Held-out pairs that are also in training, and set aside.
    n_zero_pairs : int
        Held-out pairs with an amount of 0, and left out.
    n_cold_users, n_cold_items : int
        Held out and not in training.
    n_users, n_items : int
        Of training.
    audit : SplitAudit
    """

    name: str
    description: SplitDescription
    seed: int | None
    digest: str
    part: int
    n_parts: int
    n_train_events: int
    n_held_out_events: int
    n_train_pairs: int
    n_held_out_pairs: int
    n_repeated_pairs: int
    n_zero_pairs: int
    n_cold_users: int
    n_cold_items: int
    n_users: int
    n_items: int
    audit: SplitAudit

    def to_json(self) -> dict[str, Any]:
        """Return the record that ``--json`` prints as ``split``."""
        names = [name for name in self.__dataclass_fields__ if name not in ("description", "audit")]
        return {name: getattr(self, name) for name in names} | {"audit": self.audit.to_json()}
