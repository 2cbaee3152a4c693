"""A log and a split in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.report.numbers import count, in_words, number, share
from recsys.splitting.record import SplitRecord
from recsys.splitting.support import FilterCounts


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


def about_split(split: SplitRecord) -> list[tuple[str, str]]:
    """Return how a log was split, and the answers to what a reader asks of it.

    Parameters
    ----------
    split : SplitRecord
    """
    audit = split.audit
    seed = "" if split.seed is None else f", seed {split.seed}"
    part = f", part {split.part} of {split.n_parts}" if split.n_parts > 1 else ""
    facts = [
        ("split", f"{split.name}{seed}{part}"),
        ("training", f"{count(split.n_train_events)} events, {count(split.n_train_pairs)} pairs"),
        ("held out", f"{count(split.n_held_out_events)} events, {count(split.n_held_out_pairs)} pairs"),
    ]
    for name, window in (("training time", audit.train_window), ("held-out time", audit.window)):
        if window is not None:
            facts.append((name, _moments(*window)))
    facts.append(
        ("on both sides", f"{count(split.n_repeated_pairs)} held-out pairs also in training, set aside")
    )
    if audit.n_future_events is not None:
        facts.append(
            (
                "future in training",
                f"{count(audit.n_future_events)} events later than the same user's first held-out one; "
                f"{count(audit.n_future_events_global or 0)} later than the first held-out event "
                "of anyone",
            )
        )
    facts.append(("cold users", f"{count(split.n_cold_users)}, not in training: not averaged"))
    of_pairs = f" with {count(audit.n_held_out_pairs_of_cold_items)} pairs"
    facts.append(
        (
            "cold items",
            f"{count(split.n_cold_items)}{of_pairs}, held out and not in training: count as missed",
        )
    )
    if audit.n_users_with_held_out:
        facts.append(
            (
                "users evaluated",
                f"{count(audit.n_users_evaluated)} of {count(audit.n_users_with_held_out)} with "
                f"held-out items ({share(audit.share_evaluated)})",
            )
        )
    if audit.n_history_users is not None and audit.n_history_events is not None:
        facts.append(
            (
                "held out as a whole",
                f"{count(audit.n_history_users)} users, described by {count(audit.n_history_events)} events",
            )
        )
    if audit.n_left_out_events:
        facts.append(("left out", f"{count(audit.n_left_out_events)} events after the held-out window"))
    if audit.filters:
        facts.append(("support filter", _support(audit.filters)))
    facts += [("note", _sentence(str(remark))) for remark in audit.remarks]
    return facts


def _time(value: object) -> str:
    """Return a moment, as a date where the day is all that matters."""
    text = str(value)
    return text.partition("T")[0] if "T" in text else text


def _moments(first: object, last: object) -> str:
    """Return a stretch of time by its dates, or to the second within a day."""
    start, end = _time(first), _time(last)
    return f"{start} to {end}" if start != end else f"{first} to {last}".replace("T", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _support(filters: FilterCounts) -> str:
    """Return what a filter of least support asked for, and what it left out."""
    asked = [
        f"{least:,} {words}"
        for least, words in ((filters.min_user, "items a user"), (filters.min_item, "users an item"))
        if least
    ]
    n_users, n_items = filters.n_users_removed, filters.n_items_removed
    where = "training and of the held-out part" if filters.filter_test else "training"
    removed_pairs = (
        f"at least {in_words(asked)}: {count(n_users)} users, {count(n_items)} items and "
        f"{count(filters.n_train_pairs_removed)} training pairs left out of {where}"
    )
    removed = filters.n_held_out_events_removed
    return f"{removed_pairs}, {count(removed)} held-out events with them" if removed else removed_pairs
