"""A split and its audit in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsys_cli.output import say

if TYPE_CHECKING:
    from recsys.splitting.record import SplitRecord


def say_split(split: SplitRecord, *, errors: Sequence[str] = ()) -> None:
    """Say what was split how, and what of it should be known before the numbers are read.

    Parameters
    ----------
    split : SplitRecord
        All of its audit is in the JSON output.
    errors : sequence of str
        Which errors of predicted values are measured, also of users whom training does not know.
    """
    audit = split.audit
    of_several = f" ({split.part} of {split.n_parts})" if split.n_parts > 1 else ""
    aside = f", {split.n_repeated_pairs:,} in both set aside" if split.n_repeated_pairs else ""
    aside += f", {split.n_zero_pairs:,} of amount 0 left out" if split.n_zero_pairs else ""
    window = f" ({audit.window[0]} to {audit.window[1]})" if audit.window else ""
    train, held = f"{split.n_train_pairs:,}", f"{split.n_held_out_pairs:,}"
    say(f"Split {split.name}{of_several}: {train} pairs to train, {held} held out{window}{aside}")
    if audit.n_history_users is not None:
        say(f"  {audit.n_history_users:,} users are held out as a whole; of each a part is given")
    if filters := audit.filters:
        also = " and of the held-out part" if filters.filter_test else ""
        say(
            f"  too little support, left out of training{also}: {filters.n_users_removed:,} users, "
            f"{filters.n_items_removed:,} items, {filters.n_train_pairs_removed:,} training pairs"
        )
    if split.n_cold_users or split.n_cold_items:
        fate = f"not ranked for; counted in {' and '.join(errors)}" if errors else "not averaged"
        say(
            f"  held out but not in training: {split.n_cold_users:,} users ({fate}), "
            f"{split.n_cold_items:,} items (count as missed)"
        )
    if audit.n_left_out_events:
        say(f"  {audit.n_left_out_events:,} events that came after what is held out are left out")
    for remark in audit.remarks:
        say(f"  {remark}")
