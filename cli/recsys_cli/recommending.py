"""``recsys recommend``: lists, printed or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_json, say_table

if TYPE_CHECKING:
    from recsys.data.ids import Ids

_REASONS_SHOWN = 2  # past items that a reason names where lists are printed


@grouped
def recommend(
    model: options.ModelFolder,
    rules: options.RuleOptions,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", help="A user's id; give it several times.", show_default=False),
    ] = None,
    users: Annotated[
        Path | None,
        typer.Option(
            "--users",
            metavar="FILE",
            help="Users' ids: one a line, or a table with a column of users.",
            show_default=False,
        ),
    ] = None,
    history: options.History = None,
    histories: Annotated[
        Path | None,
        typer.Option(
            "--histories",
            metavar="FILE",
            help="What people have who are not in the log: a table with columns of users and items, and of "
            "ratings or amounts.",
            show_default=False,
        ),
    ] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Lists for everyone in the log.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with an error if a user is not known to the model.")
    ] = False,
    n: Annotated[int, typer.Option("-n", min=1, help="Longest list.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write to .parquet, .csv or .jsonl instead of printing.", show_default=False
        ),
    ] = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Also list what a user has.")] = False,
    bought_before: Annotated[
        bool, typer.Option("--bought-before", help="List only what a user has: what to order again.")
    ] = False,
    items: Annotated[
        Path | None,
        typer.Option(
            "--items",
            help="File with ids and categories of items, for the rules on these.",
            rich_help_panel=options.RULES,
            show_default=False,
        ),
    ] = None,
    item_id: Annotated[
        str | None,
        typer.Option(
            "--item-id",
            help="Column of ids in --items.",
            rich_help_panel=options.RULES,
            show_default="recognised",
        ),
    ] = None,
    item_category: Annotated[
        str | None,
        typer.Option(
            "--item-category",
            help="Column of categories in --items, several split by '|'.",
            rich_help_panel=options.RULES,
            show_default=False,
        ),
    ] = None,
    reasons: Annotated[
        int | None,
        typer.Option(
            "--reasons",
            min=0,
            help="Say for each item why it is listed, naming at most so many past items; 0: do not.",
            show_default="2 when printed, 0 in files",
        ),
    ] = None,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Rank what users have not seen."""
    from recsys import threads as pool
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.training import check_list_path, write_lists
    from recsys.recommend.bundle import load_bundle
    from recsys.recommend.id_files import user_ids_in
    from recsys.recommend.recommender import Recommender
    from recsys_cli.inputs import as_in_log, history_of, known_histories, rules_of

    asked = [bool(user), users is not None, all_users, history is not None, histories is not None]
    if asked.count(True) != 1:
        raise typer.BadParameter(
            "give one of --user ID (several times if you like), --users FILE, --all-users, --history A,B,C "
            "and --histories FILE."
        )
    if out is not None:
        out = out.expanduser()
        check_list_path(out)
    n_named = reasons if reasons is not None else 0 if out is not None or json else _REASONS_SHOWN
    ruled = rules_of(
        rules,
        items=items,
        item_id=item_id,
        item_category=item_category,
        include_seen=include_seen,
        bought_before=bought_before,
    )
    bundle = load_bundle(model.expanduser())
    notes = [] if ruled is None else list(bundle.notes_on(ruled))
    if bundle.model.ranks_by_value and not json:
        say(f"Note: {bundle.model.name} {RANKS_BY_VALUE}")
    with pool.use(threads), progress(quiet=json) as listener:
        if history is not None:
            lists = bundle.recommend_for(history_of(history), n, rules=ruled, reasons=n_named)
        elif histories is not None:
            known, note = known_histories(bundle, histories)
            notes += [note] if note else []
            lists = bundle.recommend_for_each(known, n, rules=ruled, reasons=n_named)
        else:
            wanted = None if all_users else as_in_log(bundle.user_ids, user or user_ids_in(users or ""))
            if strict and wanted is not None:
                bundle.user_ids.known_rows(wanted, "user")
            lists = Recommender(bundle).recommend(
                wanted,
                n,
                rules=ruled,
                reasons=n_named,
                progress=listener,
            )
        if out is not None:
            write_lists(lists, out)
    unknown = lists.sources.count("popularity")
    if not json:
        for note in notes:
            say(f"Note: {note}")
    if json:
        summary = {
            "n_users": len(lists),
            "n_rows": len(lists.items),
            "n_by_popularity": unknown,
            "out": None if out is None else str(out),
            **({"notes": notes} if notes else {}),
        }
        say_json(summary if out is not None else {**summary, "lists": list(lists.lists())})
        return
    if out is not None:
        say(f"Wrote {len(lists.items):,} rows for {len(lists):,} users to {out}")
        if unknown:
            say(
                f"  {unknown:,} of them the model knows nothing of: the most popular items, their source is "
                f"'popularity'"
            )
        return
    for record in lists.lists():
        who = "For that history" if history is not None else f"User {record['user']}"
        if record["source"] != "model":
            is_new = history is not None or histories is not None
            why = "nothing is known of these items" if is_new else _not_known(bundle.user_ids, record["user"])
            who += f" ({why}: the most popular)"
        say(who)
        if record["items"]:
            _say_items(record["items"])
        if record["why_short"]:
            say(f"  {record['why_short']}")


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
