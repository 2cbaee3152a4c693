"""``recsys explain``: why an item is in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from recsys.recommend.explanation import Explanation

_MOST_LINES = 8  # of a kind of part
_WIDEST = 80  # characters of what a theme is about

_SIGNED = "Its factors may be of any sign, so parts cancel: a part by itself says little."


def explain(
    model: options.ModelFolder,
    user: Annotated[str | None, typer.Option("--user", help="A user's id.", show_default=False)] = None,
    history: options.History = None,
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item", help="An item's id; give it several times.", show_default="the items of the list"
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, max=options.MOST, help="Length of the list.")] = 10,
    reasons: Annotated[
        int, typer.Option("--reasons", min=1, max=options.MOST, help="Most past items that a reason names.")
    ] = 3,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Say why items are in a user's list: reasons, the score as a sum, and what would change the list."""
    from recsys import threads as pool
    from recsys.recommend.bundle_files import load_bundle
    from recsys_cli.inputs import history_of

    if (user is None) == (history is None):
        raise typer.BadParameter("give --user ID or --history A,B,C.")
    bundle = load_bundle(model.expanduser())
    with pool.use(threads):
        if history is not None:
            explained = bundle.explain_for(history_of(history), item, n, reasons=reasons)
        else:
            assert user is not None
            explained = bundle.explain(user, item, n, reasons=reasons)
    if json:
        say_json({"explanations": [explanation.to_json() for explanation in explained]})
        return
    if not explained:
        say("Nothing is left to recommend: the user has every item.")
    for number, explanation in enumerate(explained):
        if number:
            say()
        if item:
            _say_whole(explanation)
        else:
            _say_short(explanation, rank=number + 1)


def _named(explanation: Explanation) -> str:
    name, item = explanation.name, str(explanation.item)
    return name if name == item else f"{name} ({item})"


def _say_short(explanation: Explanation, rank: int) -> None:
    say(f"{rank}. {_named(explanation)}, score {explanation.score:.4g}")
    say(f"   {explanation.reason.text}")
    _say_counterfactual(explanation, indent="   ")


def _say_counterfactual(explanation: Explanation, indent: str) -> None:
    removal = explanation.counterfactual
    if removal is None:
        return
    fewest = "" if removal.is_fewest else " (no fewer were found)"
    without = f"Without {' and '.join(removal.names)}{fewest}"
    if len(removal.names) > 2:
        without = f"Without these {len(removal.names)}{fewest}: {'; '.join(removal.names)}"
    best = "first in the list" if removal.n == 1 else f"among the best {removal.n}"
    say(f"{indent}{without}, it would not be {best}.")


def _say_whole(explanation: Explanation) -> None:
    of = "For that history" if explanation.source == "history" else f"User {explanation.user}"
    known = " (nothing is known of this user: the most popular)" if explanation.source == "popularity" else ""
    say(f"{of}{known}, {_named(explanation)}: score {explanation.score:.6g}")
    say(f"  {explanation.reason.text}")
    _say_counterfactual(explanation, indent="  ")
    if not explanation.has_parts:
        say("  The model does not show what its scores are sums of.")
    else:
        say()
        say_table(["the score is the sum of", "adds"], _sum_lines(explanation), left=1)
        if explanation.is_signed:
            say(f"  {_SIGNED}")
    removed = [past for past in explanation.past_items if past.drop]
    if removed:
        say()
        rows = [
            [past.name, f"{past.drop:.4f}", f"{100 * (past.share or 0):.0f} %"]
            for past in removed[:_MOST_LINES]
        ]
        say_table(["without", "the score loses", "share"], rows)
        if len(removed) > _MOST_LINES:
            say(f"  ... and {len(removed) - _MOST_LINES} more of {explanation.n_history:,} past items")


def _sum_lines(explanation: Explanation) -> list[list[str]]:
    """Return the parts of a score as lines of a table; the smallest of a kind are one line."""
    if explanation.source == "popularity":
        lines = [("users who have it", explanation.item_bias)]
    else:
        lines = [
            ("what is the same for all", explanation.base),
            ("what is the user's alone", explanation.user_bias),
            ("what is the item's alone", explanation.item_bias),
        ]
    lines = [line for line in lines if line[1]]
    from recsys.recommend.reasons import short

    kind = "factor" if explanation.is_signed else "theme"
    themes = [
        (f"{kind} {part.theme}{f': {short(part.label, _WIDEST)}' if part.label else ''}", part.score)
        for part in explanation.components
    ]
    past = sorted(explanation.past_items, key=lambda past: -abs(past.score))
    neighbors = [(f"close to {past_item.name}", past_item.score) for past_item in past if past_item.score]
    lines += [*_cut(themes, f"more {kind}s"), *_cut(neighbors, "more past items")]
    if len(lines) != 1:
        lines.append(("together", explanation.total))
    return [[text, f"{score:.4f}"] for text, score in lines]


def _cut(lines: Sequence[tuple[str, float]], rest: str) -> list[tuple[str, float]]:
    """Return the first lines, and one for all others."""
    shown, others = list(lines[:_MOST_LINES]), lines[_MOST_LINES:]
    return [*shown, (f"{len(others)} {rest}", sum(score for _, score in others))] if others else shown
