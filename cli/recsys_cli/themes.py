"""``recsys themes``: what a non-negative model is made of."""

from __future__ import annotations

from typing import Annotated

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json


def themes(
    model: options.ModelFolder,
    n_items: Annotated[int, typer.Option("-n", min=1, help="Items to list for each theme.")] = 8,
    json: options.Json = False,
) -> None:
    """Show what a non-negative model is made of: each theme's strongest items."""
    from recsys.recommend.bundle import load_bundle
    from recsys.recommend.themes import themes as find_themes

    found = find_themes(load_bundle(model.expanduser()), n_items=n_items)
    if json:
        say_json({"themes": [theme.to_json() for theme in found]})
        return
    if not any(theme.share for theme in found):
        say("Every factor is zero: the penalties are too strong for this log.")
    for theme in found:
        alike = "" if theme.stability is None else f", {theme.stability:.2f} alike in other starts"
        say(
            f"Theme {theme.number}: {100 * theme.share:.1f} % of what is explained, {theme.n_users:,} users, "
            f"{theme.n_items:,} items ({100 * theme.sparsity:.0f} % have no part in it){alike}"
        )
        for _, name, weight in theme.items:
            say(f"  {weight:5.2f}  {name}")
