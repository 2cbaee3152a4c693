"""``recsys recommend``: lists, printed or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.list_target import ListTarget, OutputOptions
from recsys_cli.output import progress, say_json
from recsys_cli.people_options import PeopleOptions
from recsys_cli.rule_options import RuleOptions
from recsys_cli.spark import EngineOptions

if TYPE_CHECKING:
    import pandas as pd

    from recsys.recommend.recommendations import Recommendations

_REASONS_SHOWN = 2  # past items that a reason names where lists are printed


@grouped
def recommend(
    *,
    model: options.ModelFolder,
    engine: EngineOptions,
    rules: RuleOptions,
    people: PeopleOptions,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="End with an error if a user, or an item of a rule or a history, is not known to the model.",
        ),
    ] = False,
    n: Annotated[int, typer.Option("-n", min=1, max=options.MOST, help="Longest list.")] = 10,
    output: OutputOptions,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Also list what a user has.")] = False,
    bought_before: Annotated[
        bool, typer.Option("--bought-before", help="List only what a user has: what to order again.")
    ] = False,
    items: Annotated[
        Path | None,
        options.rule_option("--items", help="File with ids and categories of items, for the rules on these."),
    ] = None,
    item_id: Annotated[
        str | None,
        options.rule_option("--item-id", help="Column of ids in --items.", show_default="recognised"),
    ] = None,
    item_category: Annotated[
        str | None,
        options.rule_option("--item-category", help="Column of categories in --items, several split by '|'."),
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
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.list_files import write_parts
    from recsys.experiment.list_folder import write_list_folder
    from recsys.files import reserved
    from recsys.recommend.audiences import audiences_of
    from recsys.recommend.bundle_files import load_bundle
    from recsys.recommend.id_files import segments_in
    from recsys.recommend.recommender import Recommender
    from recsys_cli.inputs import rules_of
    from recsys_cli.list_printing import say_lists, say_written

    people.check()
    on_spark = engine.is_spark
    if on_spark:
        engine.check(
            {
                "user": people.user, "history": people.history, "table": output.table,
                "safe-csv": output.safe_csv, "threads": threads,
            }
        )  # fmt: skip
    target = output.target()
    _check_together(people, output, target, segments, segment, on_spark=on_spark, json=json)
    is_printed = target.written is None and not json
    n_named = reasons if reasons is not None else _REASONS_SHOWN if is_printed else 0
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
        target.note(f"{bundle.model.name} {RANKS_BY_VALUE}")
    users = people.in_log(bundle, strict=strict)
    histories = None
    if not on_spark:
        histories, of_histories = people.read_histories(bundle, strict=strict)
        notes += of_histories
    segment_of = None
    if segments is not None and segment is not None:
        segment_of = audiences_of(bundle, segments_in(segments, segment))
    if not json:
        for note in notes:
            target.note(note)
    how: dict[str, Any] = {"rules": ruled, "segments": segment_of, "reasons": n_named}
    if on_spark:
        _by_spark(
            engine, model.expanduser(), target, users, people.histories, notes, n=n, **how,
            partition_by=output.partition_by, strict=strict, json=json,
        )  # fmt: skip
        return
    recommender, counts = Recommender(bundle), Counter[str]()
    with pool.use(threads), reserved(target.path, wait=0.5), progress(quiet=json) as listener:
        if target.folder is not None:
            counts, n_before = write_list_folder(
                recommender, target.folder, users, n, **how, partition_by=output.partition_by,
                progress=listener,
            )  # fmt: skip
            _note_parts(target, n_before, notes, json=json)
        elif histories is not None:
            made = iter([bundle.recommend_for_each(histories, n, **how)])
        elif target.file is not None:
            made = recommender.batches(users, n, **how, progress=listener)
        else:
            made = iter([recommender.recommend(users, n, **how, progress=listener)])
        if target.file is not None:
            tables = (_counted(lists, counts, n_named) for lists in made)
            write_parts(tables, target.file, safe_csv=output.safe_csv)
        if target.written is not None:
            say_written(counts, target, notes, json=json)
            return
        lists = next(made)
    if json:
        of_notes = {"notes": notes} if notes else {}
        say_json({**lists.counts, "out": None, **of_notes, "lists": list(lists.lists())})
        return
    say_lists(lists, bundle.user_ids, are_new=people.are_new, has_names=people.history is None)


def _check_together(
    people: PeopleOptions,
    output: OutputOptions,
    target: ListTarget,
    segments: Path | None,
    segment: str | None,
    *,
    on_spark: bool,
    json: bool,
) -> None:
    """Raise BadParameter if options of different groups contradict each other."""
    if on_spark and target.folder is None:
        raise typer.BadParameter(
            "--engine spark writes a folder; give --out FOLDER/, with a slash at its end."
        )
    if target.is_stdout and json:
        raise typer.BadParameter("--out - prints the lists, and --json an object; give one.")
    if target.folder is not None and not on_spark and people.are_new:
        raise typer.BadParameter("a folder is for users of the log; give --out FILE for histories.")
    if output.partition_by is not None and target.folder is None:
        raise typer.BadParameter(
            "--partition-by is for a folder; give --out FOLDER/, with a slash at its end."
        )
    if output.partition_by == "segment" and segments is None:
        raise typer.BadParameter("--partition-by segment needs --segments FILE and --segment COLUMN.")
    if (segments is None) != (segment is None):
        raise typer.BadParameter("--segments and --segment belong together: a file and its column.")


def _by_spark(
    engine: EngineOptions,
    model: Path,
    target: ListTarget,
    users: Sequence[Any] | None,
    histories: str | None,
    notes: list[str],
    *,
    strict: bool,
    json: bool,
    **how: Any,
) -> None:
    """Write the lists of users, or of those of a log, by a cluster, and print what was written."""
    import recsys.spark
    from recsys_cli.list_printing import say_written

    assert target.folder is not None  # as was checked
    with progress(quiet=json) as listener:
        if histories is None:
            counts, n_before = recsys.spark.recommend(
                model, target.folder, users, progress=listener, **how, **engine.cluster
            )
        else:
            counts, n_before, of_log = recsys.spark.recommend_log(
                model, histories, target.folder, strict=strict, progress=listener, **how, **engine.cluster
            )
            notes += of_log
            for note in of_log:
                if not json:
                    target.note(note)
    _note_parts(target, n_before, notes, json=json)
    say_written(counts, target, notes, json=json)


def _note_parts(target: ListTarget, n_before: int, notes: list[str], *, json: bool) -> None:
    """Note how many parts of a folder an earlier run has made."""
    if n_before:
        notes.append(f"{n_before:,} parts were there from an earlier run")
        if not json:
            target.note(notes[-1])


def _counted(lists: Recommendations, counts: Counter[str], n_named: int) -> pd.DataFrame:
    """Return lists as a table, and count what stands in it."""
    counts.update(lists.counts)
    return lists.to_frame(n_named)
