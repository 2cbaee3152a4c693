"""``recsys recommend``: lists, printed or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_json, say_table
from recsys_cli.rule_options import RuleOptions
from recsys_cli.spark import EngineOptions

if TYPE_CHECKING:
    import pandas as pd

    from recsys.data.ids import Ids
    from recsys.experiment.list_tables import DatabaseTable
    from recsys.recommend.recommendations import Recommendations

_REASONS_SHOWN = 2  # past items that a reason names where lists are printed


@grouped
def recommend(
    model: options.ModelFolder,
    engine: EngineOptions,
    rules: RuleOptions,
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
        str | None,
        typer.Option(
            "--histories",
            metavar="FILE",
            help="What people have who are not in the log: a table with columns of users and items, and of "
            "ratings or amounts; with --engine spark any log, however many users it has.",
            show_default=False,
        ),
    ] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Lists for everyone in the log.")] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="End with an error if a user, or an item of a rule or a history, is not known to the model.",
        ),
    ] = False,
    n: Annotated[int, typer.Option("-n", min=1, max=options.MOST, help="Longest list.")] = 10,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE|FOLDER/|URI",
            help="Write to .parquet, .csv, .jsonl, .csv.gz, .jsonl.gz or .xlsx instead of printing; to a "
            "folder of Parquet files, which goes on where it was interrupted; to a table, sqlite:FILE, "
            "duckdb:FILE or postgresql://...; '-': CSV to standard output.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            help="Table of the database in --out, replaced as a whole.",
            show_default="recommendations",
        ),
    ] = None,
    safe_csv: Annotated[
        bool,
        typer.Option("--safe-csv", help="Keep spreadsheets from taking text such as '=1+1' for a formula."),
    ] = False,
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
    segments: Annotated[
        Path | None,
        typer.Option(
            "--segments",
            metavar="FILE",
            help="Users and their segments: who is not known gets what is popular in theirs.",
            show_default=False,
        ),
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option("--segment", metavar="COLUMN", help="Column of --segments.", show_default=False),
    ] = None,
    partition_by: Annotated[
        str | None,
        typer.Option(
            "--partition-by",
            metavar="COLUMN",
            help="Folders for each segment, source or rank in the folder of --out.",
            show_default=False,
        ),
    ] = None,
    reasons: Annotated[
        int | None,
        typer.Option(
            "--reasons",
            min=0,
            max=options.MOST,
            help="Say for each item why it is listed, naming at most so many past items; 0: do not.",
            show_default="2 when printed, 0 in files",
        ),
    ] = None,
    mapped: options.Mapped = False,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Rank what users have not seen."""
    from recsys import threads as pool
    from recsys.errors import InputError
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.list_files import STDOUT, write_parts
    from recsys.experiment.list_folder import write_list_folder
    from recsys.files import reserved
    from recsys.recommend.audiences import audiences_of
    from recsys.recommend.bundle_files import load_bundle
    from recsys.recommend.id_files import segments_in, user_ids_in
    from recsys.recommend.recommender import Recommender
    from recsys_cli.inputs import as_in_log, history_of, known_histories, rules_of

    asked = [bool(user), users is not None, all_users, history is not None, histories is not None]
    if asked.count(True) != 1:
        raise typer.BadParameter(
            "give one of --user ID (several times if you like), --users FILE, --all-users, --history A,B,C "
            "and --histories FILE."
        )
    on_spark = engine.is_spark
    if on_spark:
        engine.check(
            {"user": user, "history": history, "table": table, "safe-csv": safe_csv, "threads": threads}
        )
    target, folder = _target(out, table, safe_csv=safe_csv)
    if on_spark and folder is None:
        raise typer.BadParameter(
            "--engine spark writes a folder; give --out FOLDER/, with a slash at its end."
        )
    if target == STDOUT and json:
        raise typer.BadParameter("--out - prints the lists, and --json an object; give one.")
    if folder is not None and not on_spark and (history is not None or histories is not None):
        raise typer.BadParameter("a folder is for users of the log; give --out FILE for histories.")
    if partition_by is not None and folder is None:
        raise typer.BadParameter(
            "--partition-by is for a folder; give --out FOLDER/, with a slash at its end."
        )
    if partition_by == "segment" and segments is None:
        raise typer.BadParameter("--partition-by segment needs --segments FILE and --segment COLUMN.")
    if (segments is None) != (segment is None):
        raise typer.BadParameter("--segments and --segment belong together: a file and its column.")
    n_named = reasons if reasons is not None else 0 if out is not None or json else _REASONS_SHOWN
    ruled = rules_of(
        rules,
        items=items,
        item_id=item_id,
        item_category=item_category,
        include_seen=include_seen,
        bought_before=bought_before,
    )
    bundle = load_bundle(model.expanduser(), mapped=mapped)
    notes = [] if ruled is None else list(bundle.notes_on(ruled, strict=strict))
    if bundle.model.ranks_by_value and not json:
        _note(f"{bundle.model.name} {RANKS_BY_VALUE}", target)
    given = user_ids_in(users) if users is not None else user
    wanted = None if given is None else as_in_log(bundle.user_ids, given)
    if strict and wanted is not None:
        bundle.user_ids.known_rows(wanted, "user")
    new: dict[int | str, Any] | None = None if history is None else {"history": history_of(history)}
    if histories is not None and not on_spark:
        new, note = known_histories(bundle, Path(histories))
        if strict and note:
            raise InputError(f"{histories}: {note}.")
        notes += [note] if note else []
    segment_of = None
    if segments is not None and segment is not None:
        segment_of = audiences_of(bundle, segments_in(segments, segment))
    if not json:
        for note in notes:
            _note(note, target)
    if on_spark:
        assert folder is not None
        _by_spark(
            engine, model.expanduser(), folder, wanted, histories, notes, n=n, rules=ruled,
            segments=segment_of, reasons=n_named, partition_by=partition_by, strict=strict, json=json,
        )  # fmt: skip
        return
    how: dict[str, Any] = {"rules": ruled, "segments": segment_of, "reasons": n_named}
    recommender, counts = Recommender(bundle), Counter[str]()
    reserved_path = folder or (target if isinstance(target, Path) and target != STDOUT else None)
    with pool.use(threads), reserved(reserved_path, wait=0.5), progress(quiet=json) as listener:
        if folder is not None:
            counts, n_before = write_list_folder(
                recommender, folder, wanted, n, rules=ruled, segments=segment_of, reasons=n_named,
                partition_by=partition_by, progress=listener,
            )  # fmt: skip
            _note_parts(n_before, notes, json=json)
        elif new is not None:
            made = iter([bundle.recommend_for_each(new, n, **how)])
        elif target is not None:
            made = recommender.batches(wanted, n, **how, progress=listener)
        else:
            made = iter([recommender.recommend(wanted, n, **how, progress=listener)])
        if target is not None:
            write_parts((_counted(lists, counts, n_named) for lists in made), target, safe_csv=safe_csv)
        written = folder or target
        if written is not None:
            _say_written(counts, written, notes, json=json)
            return
        lists = next(made)
    if json:
        summary = {
            **lists.counts,
            "out": None,
            **({"notes": notes} if notes else {}),
        }
        say_json({**summary, "lists": list(lists.lists())})
        return
    for record in lists.lists():
        who = "For that history" if history is not None else f"User {record['user']}"
        if record["source"] != "model":
            is_new = history is not None or histories is not None
            why = "nothing is known of these items" if is_new else _not_known(bundle.user_ids, record["user"])
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


def _by_spark(
    engine: EngineOptions,
    model: Path,
    folder: Path,
    users: Sequence[Any] | None,
    histories: str | None,
    notes: list[str],
    *,
    strict: bool,
    json: bool,
    **how: Any,
) -> None:
    """Write the lists of users, or of those of a log, by a cluster, and say so."""
    import recsys.spark

    with progress(quiet=json) as listener:
        if histories is None:
            counts, n_before = recsys.spark.recommend(
                model, folder, users, progress=listener, **how, **engine.cluster
            )
        else:
            counts, n_before, of_log = recsys.spark.recommend_log(
                model, histories, folder, strict=strict, progress=listener, **how, **engine.cluster
            )
            notes += of_log
            for note in of_log:
                if not json:
                    _note(note, None)
    _note_parts(n_before, notes, json=json)
    _say_written(counts, folder, notes, json=json)


def _note_parts(n_before: int, notes: list[str], *, json: bool) -> None:
    """Note how many parts of a folder an earlier run has made."""
    if n_before:
        notes.append(f"{n_before:,} parts were there from an earlier run")
        if not json:
            _note(notes[-1], None)


def _target(
    out: str | None, table: str | None, *, safe_csv: bool
) -> tuple[Path | DatabaseTable | None, Path | None]:
    """Return the file or table that --out names, or the folder: one of them, or neither."""
    from recsys.experiment.list_files import check_list_path, target_of

    if out is None:
        if safe_csv or table is not None:
            raise typer.BadParameter("--safe-csv and --table say how to write; give --out.")
        return None, None
    target = target_of(out, table)
    if isinstance(target, Path) and (out.endswith("/") or target.is_dir()):
        if safe_csv:
            raise typer.BadParameter("a folder holds Parquet files; give --out FILE.csv with --safe-csv.")
        return None, target
    check_list_path(target, safe_csv=safe_csv)
    return target, None


def _note(text: str, target: Path | DatabaseTable | None) -> None:
    """Print a note, beside the lists where these go to standard output."""
    say(f"Note: {text}", to_errors=target == Path("-"))


def _counted(lists: Recommendations, counts: Counter[str], n_named: int) -> pd.DataFrame:
    """Return lists as a table, and count what stands in it."""
    counts.update(lists.counts)
    return lists.to_frame(n_named)


def _say_written(
    counts: Mapping[str, int], out: Path | DatabaseTable, notes: Sequence[str], *, json: bool
) -> None:
    if json:
        numbers = {key: counts[key] for key in ("n_users", "n_rows", "n_by_popularity")}
        say_json({**numbers, "out": str(out), **({"notes": list(notes)} if notes else {})})
        return
    if out == Path("-"):
        return
    say(f"Wrote {counts['n_rows']:,} rows for {counts['n_users']:,} users to {out}")
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
