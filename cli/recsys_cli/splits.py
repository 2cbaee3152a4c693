"""A split and its audit in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys_cli.output import say


def say_split(split: Mapping[str, Any], *, errors: Sequence[str] = ()) -> None:
    """Say what was split how, and what of it should be known before the numbers are read.

    Parameters
    ----------
    split : mapping
        The record of a trial; all of its audit is in the JSON output.
    errors : sequence of str
        Which errors of predicted values are measured, also of users whom training does not know.
    """
    found = split["audit"]
    of_several = f" ({split['part']} of {split['n_parts']})" if split["n_parts"] > 1 else ""
    aside = f", {split['n_repeated_pairs']:,} in both set aside" if split["n_repeated_pairs"] else ""
    aside += f", {split['n_zero_pairs']:,} of amount 0 left out" if split["n_zero_pairs"] else ""
    window = f" ({found['window'][0]} to {found['window'][1]})" if found["window"] else ""
    train, held = f"{split['n_train_pairs']:,}", f"{split['n_held_out_pairs']:,}"
    say(f"Split {split['name']}{of_several}: {train} pairs to train, {held} held out{window}{aside}")
    if found["n_history_users"] is not None:
        say(f"  {found['n_history_users']:,} users are held out as a whole; of each a part is told")
    if filters := found["filters"]:
        also = " and of the held-out part" if filters["filter_test"] else ""
        say(
            f"  too little support, left out of training{also}: {filters['n_users_removed']:,} users, "
            f"{filters['n_items_removed']:,} items, {filters['n_train_pairs_removed']:,} training pairs"
        )
    if split["n_cold_users"] or split["n_cold_items"]:
        fate = f"not ranked for; counted in {' and '.join(errors)}" if errors else "not averaged"
        say(
            f"  held out but not in training: {split['n_cold_users']:,} users ({fate}), "
            f"{split['n_cold_items']:,} items (count as missed)"
        )
    if found["n_left_out_events"]:
        say(f"  {found['n_left_out_events']:,} events that came after what is held out are left out")
    for remark in found["remarks"]:
        say(f"  {remark}")
