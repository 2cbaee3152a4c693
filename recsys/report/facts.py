"""A log and a split in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.report.numbers import count, joined, number, share


def about_log(description: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a log is: source, size, density, time, terms.

    Parameters
    ----------
    description : mapping
        As `LoadedLog.describe` gives it.
    """
    dropped = [
        f"{count(drop['n_rows'])}: {drop['reason']}" for drop in description["dropped"] if drop["n_rows"]
    ]
    first, last = description["first_time"], description["last_time"]
    columns = ", ".join(
        str(name) if name == role else f"{name} as {role}"
        for role, name in description["columns"].items()
        if name
    )
    values = f"{number(description['value_min'])} to {number(description['value_max'])}"
    n_per_user = description["n_pairs"] / max(1, description["n_users"])
    return [
        ("log", Path(str(description["source"])).name),
        ("columns", columns or "not named"),
        ("rows", f"{count(description['n_read'])} read, {count(description['n_events'])} kept"),
        ("dropped", "; ".join(dropped) or "none"),
        ("users", count(description["n_users"])),
        ("items", count(description["n_items"])),
        ("pairs", f"{count(description['n_pairs'])}, {n_per_user:,.1f} a user"),
        ("density", share(description["density"])),
        ("feedback", f"{description['feedback']}, values {values}, mean {description['value_mean']:,.3g}"),
        ("time", "none" if first is None else _moments(first, last)),
        ("terms of the data", description["licence"] or "not stated"),
    ]


def about_split(split: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a log was split, and the answers to what a reader asks of it.

    Parameters
    ----------
    split : mapping
        The record of a trial; of its audit, what is there is told.
    """
    audit = split.get("audit") or {}
    seed = "" if split["seed"] is None else f", seed {split['seed']}"
    part = f", part {split['part']} of {split['n_parts']}" if split.get("n_parts", 1) > 1 else ""
    found = [
        ("split", f"{split['name']}{seed}{part}"),
        ("training", f"{count(split['n_train_events'])} events, {count(split['n_train_pairs'])} pairs"),
        ("held out", f"{count(split['n_held_out_events'])} events, {count(split['n_held_out_pairs'])} pairs"),
    ]
    for name, key in (("training time", "train_window"), ("held-out time", "window")):
        if audit.get(key):
            found.append((name, _moments(*audit[key])))
    found.append(
        ("on both sides", f"{count(split['n_repeated_pairs'])} held-out pairs also in training, set aside")
    )
    if audit.get("n_future_events") is not None:
        found.append(
            (
                "future in training",
                f"{count(audit['n_future_events'])} events later than the same user's first held-out one; "
                f"{count(audit['n_future_events_global'] or 0)} later than the first held-out event "
                "of anyone",
            )
        )
    found.append(("cold users", f"{count(split['n_cold_users'])}, not in training: not averaged"))
    pairs = audit.get("n_held_out_pairs_of_cold_items")
    of_pairs = "" if pairs is None else f" with {count(pairs)} pairs"
    found.append(
        (
            "cold items",
            f"{count(split['n_cold_items'])}{of_pairs}, held out and not in training: count as missed",
        )
    )
    if audit.get("n_users_with_held_out"):
        found.append(
            (
                "users evaluated",
                f"{count(audit['n_users_evaluated'])} of {count(audit['n_users_with_held_out'])} with "
                f"held-out items ({share(audit['share_evaluated'])})",
            )
        )
    if audit.get("n_history_users") is not None:
        found.append(
            (
                "held out as a whole",
                f"{count(audit['n_history_users'])} users, told of by "
                f"{count(audit['n_history_events'])} events",
            )
        )
    if audit.get("n_left_out_events"):
        found.append(("left out", f"{count(audit['n_left_out_events'])} events after the held-out window"))
    if audit.get("filters"):
        found.append(("support filter", _support(audit["filters"])))
    found += [("note", _sentence(remark)) for remark in audit.get("remarks", ())]
    return found


def _time(value: object) -> str:
    """Return a moment, as a date where the day is all that matters."""
    text = str(value)
    return text.partition("T")[0] if "T" in text else text


def _moments(first: object, last: object) -> str:
    """Return a stretch of time by its dates, or to the second within a day."""
    one, two = _time(first), _time(last)
    return f"{one} to {two}" if one != two else f"{first} to {last}".replace("T", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _support(filters: Mapping[str, Any]) -> str:
    """Return what a filter of least support asked for, and what it left out."""
    asked = [
        f"{filters[key]:,} {words}"
        for key, words in (("min_user", "items a user"), ("min_item", "users an item"))
        if filters.get(key)
    ]
    n_users, n_items = filters["n_users_removed"], filters["n_items_removed"]
    where = "training and of the held-out part" if filters["filter_test"] else "training"
    found = (
        f"at least {joined(asked)}: {count(n_users)} users, {count(n_items)} items and "
        f"{count(filters['n_train_pairs_removed'])} training pairs left out of {where}"
    )
    removed = filters.get("n_held_out_events_removed")
    return f"{found}, {count(removed)} held-out events with them" if removed else found
