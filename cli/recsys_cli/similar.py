"""``recsys similar``: what is like an item or a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json, say_table


def similar(
    model: options.ModelFolder,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", help="An item's id; give it several times.", show_default=False),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", help="A user's id; give it several times.", show_default=False),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, max=options.MOST, help="Most for each.")] = 10,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="neighbors (what having the one adds to the score of the other) or factors (their cosine).",
            show_default="neighbors of items where the model has them, else factors",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write to .parquet, .csv or .jsonl instead of printing.", show_default=False
        ),
    ] = None,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """List the items most alike to an item, or the users most alike to a user."""
    from recsys import threads as pool
    from recsys.experiment.list_files import check_list_path, write_table
    from recsys.recommend.bundle_files import load_bundle

    if bool(item) == bool(user):
        raise typer.BadParameter("give --item ID or --user ID, several times if you like.")
    if user and by == "neighbors":
        raise typer.BadParameter("users have no neighbors; they are compared by factors.")
    if out is not None:
        out = out.expanduser()
        check_list_path(out)
    bundle = load_bundle(model.expanduser())
    with pool.use(threads):
        alike = bundle.similar(item, n, by=by) if item else bundle.similar_users(user or [], n)
    if out is not None:
        write_table(alike.to_frame(), out)
    if json:
        summary = {"n_asked": len(alike), "n_rows": len(alike.ids), "out": None if out is None else str(out)}
        say_json(summary if out is not None else {**summary, "lists": list(alike.lists())})
        return
    if out is not None:
        say(f"Wrote {len(alike.ids):,} rows for {len(alike):,} {alike.kind}s to {out}")
        return
    for record in alike.lists():
        _say_alike(record, alike.kind, alike.value_name, bundle.name_of if item else str)


def _say_alike(
    record: Mapping[str, Any], kind: str, value_name: str, name_of: Callable[[int | str], str]
) -> None:
    """Print what is like one item or user."""
    asked = record[kind]
    name = name_of(asked)
    say(f"Like {kind} {asked}{f', {name}' if name != str(asked) else ''}")
    names = {entry[kind]: entry["name"] for entry in record["similar"] if entry["name"] != str(entry[kind])}
    rows = [
        [
            str(entry["rank"]),
            str(entry[kind]),
            *([names.get(entry[kind], "")] if names else []),
            f"{entry[value_name]:.4f}",
        ]
        for entry in record["similar"]
    ]
    if rows:
        say_table(["rank", kind, *(["name"] if names else []), value_name], rows, text={kind, "name"})
    if record["why_short"]:
        say(f"  {record['why_short']}")
