"""What ``recsys recommend`` prints: lists, or what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recsys_cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from recsys.data.ids import Ids
    from recsys.recommend.recommendations import Recommendations
    from recsys_cli.list_target import ListTarget


def say_lists(lists: Recommendations, user_ids: Ids, *, are_new: bool, has_names: bool) -> None:
    """Print lists with their reasons.

    Parameters
    ----------
    lists : Recommendations
    user_ids : Ids
        Users of the training data: one of them may be meant by an id that is not known.
    are_new : bool
        Whether lists are for people who are not in the log.
    has_names : bool
        Whether people have ids; else there is one list, for a history.
    """
    for record in lists.lists():
        who = f"User {record['user']}" if has_names else "For that history"
        if record["source"] != "model":
            why = "nothing is known of these items" if are_new else _not_known(user_ids, record["user"])
            where = f" in {record['segment']}" if record["source"] == "segment" else ""
            who += f" ({why}: the most popular{where})"
        say(who)
        if record["items"]:
            _say_items(record["items"])
            n_filled = sum("source" in item for item in record["items"])
            if n_filled:
                places = "place" if n_filled == 1 else f"{n_filled} places"
                say(f"  the last {places}: what is popular, for nothing speaks for any other item")
        if record["why_short"]:
            say(f"  {record['why_short']}")


def say_written(counts: Mapping[str, int], target: ListTarget, notes: Sequence[str], *, json: bool) -> None:
    """Print how much was written and where, or nothing where lists went to standard output."""
    if json:
        numbers = {key: counts[key] for key in ("n_users", "n_rows", "n_by_popularity")}
        say_json({**numbers, "out": str(target.written), **({"notes": list(notes)} if notes else {})})
        return
    if target.is_stdout:
        return
    say(f"Wrote {counts['n_rows']:,} rows for {counts['n_users']:,} users to {target.written}")
    if counts["n_by_popularity"]:
        say(
            f"  {counts['n_by_popularity']:,} of them the model knows nothing of: the most popular items, "
            f"their source is 'popularity', or 'segment' for those of a segment"
        )


def _not_known(ids: Ids, user: int | str) -> str:
    """Say that a user is not known, and which one may be meant."""
    from recsys_cli.inputs import close_to

    close = close_to(ids, user)
    return "not known to the model" + (f"; did you mean {' or '.join(close)}?" if close else "")


def _say_items(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print a list, with predicted ratings and reasons where there are some."""
    has_ratings, has_reasons = ("predicted" in entries[0]), ("reason" in entries[0])
    say_table(
        [
            "rank",
            "item",
            "name",
            "score",
            *(["predicted"] if has_ratings else []),
            *(["reason"] if has_reasons else []),
        ],
        [
            [
                str(entry["rank"]),
                str(entry["item"]),
                entry["name"] if entry["name"] != str(entry["item"]) else "",
                f"{entry['score']:.4g}",
                *([f"{entry['predicted']:.2f}"] if has_ratings else []),
                *([entry["reason"]["text"]] if has_reasons else []),
            ]
            for entry in entries
        ],
        text={"rank", "item", "name", "reason"},
    )
