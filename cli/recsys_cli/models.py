"""``recsys train``, ``recommend`` and ``themes``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_json, say_table

Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder made by 'recsys train'.", show_default=False)
]

# What ended a training, in words.
_ENDS = {
    "tol": "converged",
    "gradient": "converged",
    "validation": "best on held-out entries",
    "max_iter": "reached max_iter",
    "time": "reached time_limit",
    "interrupted": "interrupted",
}


@grouped
def train(
    log: options.Log,
    columns: options.ColumnOptions,
    names: options.NameOptions,
    out: Annotated[Path, typer.Option("--out", help="Folder for the model.", show_default=False)],
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    duplicates: options.DuplicateRule = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Train a model on a whole log and write it to a folder."""
    import recsys
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.given_logs import LogPlan, loaded_of
    from recsys.experiment.settings import AUTO
    from recsys.experiment.training import check_duplicates, record_of
    from recsys.recommend.bundle import check_place
    from recsys_cli.inputs import columns_used, one_spec

    out = out.expanduser()
    check_place(out)
    spec = one_spec(model, set_, config)
    rule = check_duplicates(duplicates)
    plan = LogPlan(log, **options.flags(columns, names))
    with progress(quiet=json) as listener:
        loaded, load_seconds = loaded_of(plan, n_threads=threads, progress=listener)
        bundle = recsys.train(
            spec,
            loaded,
            seed=seed,
            duplicates=rule,
            threads=threads,
            keep_interrupted=True,
            progress=listener,
        )
        record = record_of(bundle)
        interrupted = record["stopped"] == "interrupted"
        if interrupted and (out / "model.json").exists():
            out = out.resolve()
            out = out.with_name(f"{out.name}.interrupted")  # a whole model is worth more than a part of one
        recsys.save_bundle(bundle, out)
    description = loaded.describe()
    if json:
        seconds = {"load": load_seconds, **record["seconds"]}
        say_json({**record, "seconds": seconds, "log": description, "out": str(out)})
        if interrupted:
            raise typer.Exit(130)
        return
    say(f"Read {description['n_read']:,} rows of {description['source']}")
    for drop in description["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  {columns_used(loaded, columns.feedback)}")
    chosen = "" if spec.name != AUTO else " (chosen for lists; --model names another)"
    say(f"Trained {record['model']}{chosen}: {record['n_entries']:,} pairs, {record['seconds']['fit']:.1f} s")
    if record["iterations"] is not None:
        ended = _ENDS[record["stopped"]]
        say(f"  {ended} after {record['iterations']} iterations, objective {record['objective']:.6g}")
    if interrupted:
        say(f"Interrupted; the best state so far is in {out}.")
        raise typer.Exit(130)
    if bundle.model.ranks_by_value:
        say(f"Note: {bundle.model.name} {RANKS_BY_VALUE}")
    say(f"Model in {out}. Next: recsys recommend {out} --all-users --out lists.csv")


def recommend(
    model: Model,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", help="A user's id; give it several times.", show_default=False),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history",
            metavar="A,B,C",
            help="Items somebody has who is not in the log, or A=5,B=3 with ratings or amounts.",
            show_default=False,
        ),
    ] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Lists for everyone in the log.")] = False,
    n: Annotated[int, typer.Option("-n", min=1, help="Longest list.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write to .parquet, .csv or .jsonl instead of printing.", show_default=False
        ),
    ] = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Also list what a user has.")] = False,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Rank what users have not seen."""
    from recsys import threads as pool
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.training import check_list_path, write_lists
    from recsys.recommend.bundle import load_bundle
    from recsys.recommend.recommender import Recommender
    from recsys_cli.inputs import history_of

    if [bool(user), all_users, history is not None].count(True) != 1:
        raise typer.BadParameter(
            "give --user ID (several times if you like), --history A,B,C or --all-users."
        )
    if out is not None:
        out = out.expanduser()
        check_list_path(out)
    bundle = load_bundle(model.expanduser())
    if bundle.model.ranks_by_value and not json:
        say(f"Note: {bundle.model.name} {RANKS_BY_VALUE}")
    with pool.use(threads), progress(quiet=json) as listener:
        if history is not None:
            lists = bundle.recommend_for(history_of(history), n, include_seen=include_seen)
        else:
            lists = Recommender(bundle).recommend(
                None if all_users else user, n, include_seen=include_seen, progress=listener
            )
        if out is not None:
            write_lists(lists, out)
    if json:
        record = {"n_users": len(lists), "n_rows": len(lists.items), "out": None if out is None else str(out)}
        say_json(record if out is not None else {**record, "lists": list(lists.lists())})
        return
    if out is not None:
        say(f"Wrote {len(lists.items):,} rows for {len(lists):,} users to {out}")
        return
    has_ratings = lists.predicted is not None
    for one in lists.lists():
        known = "" if one["source"] == "model" else " (not known to the model: the most popular)"
        say(f"User {one['user']}{known}" if history is None else "For that history")
        if one["items"]:
            say_table(
                ["rank", "item", "name", "theme", "score", *(["predicted"] if has_ratings else [])],
                [
                    [
                        str(row["rank"]),
                        str(row["item"]),
                        row["name"] if row["name"] != str(row["item"]) else "",
                        f"{row['theme']} ({100 * row['theme_share']:.0f} %)" if row["theme"] else "",
                        f"{row['score']:.4g}",
                        *([f"{row['predicted']:.2f}"] if has_ratings else []),
                    ]
                    for row in one["items"]
                ],
                left=4,
            )
        if one["reason"]:
            say(f"  {one['reason']}")


def themes(
    model: Model,
    n_items: Annotated[int, typer.Option("--items", min=1, help="Items to list for each theme.")] = 8,
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
