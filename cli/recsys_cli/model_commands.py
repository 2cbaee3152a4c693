"""``recsys model show``, ``diff`` and ``promote``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import held_out_options, options
from recsys_cli.groups import grouped
from recsys_cli.output import fixed, progress, say, say_json, say_table

if TYPE_CHECKING:
    from recsys.experiment.model_diff import ModelDiff, Overlap
    from recsys.recommend.bundle import Bundle

GATE_CLOSED = 3
_SHOWN_SETTINGS = 60
_SHOWN_FILES = 5


def show(model: options.ModelFolder, json: options.Json = False) -> None:
    """Show what a model is: when it was trained, from what, with what, and how good it was found to be."""
    import recsys
    from recsys.recommend.model_pointer import is_store, model_folder
    from recsys.recommend.model_store import ModelStore

    folder = model.expanduser()
    bundle = recsys.load_bundle(folder)
    in_store = is_store(folder)
    versions = ModelStore(folder).versions() if in_store else ()
    if json:
        history = bundle.model.history
        say_json(
            {
                "folder": str(model_folder(folder)),
                "versions": list(versions),
                "model": bundle.model.name,
                "config": bundle.model.config(),
                "training": dict(bundle.training),
                "history": None if history is None else history.to_json(),
                "theme_labels": {str(number): text for number, text in bundle.theme_labels.items()},
            }
        )
        return
    say(f"{model_folder(folder)}: {bundle.model.name}")
    if in_store:
        say(f"  versions    {len(versions)}, from {versions[0]} to {versions[-1]}")
    _say_origin(bundle)
    _say_quality(bundle)
    settings = ", ".join(
        f"{name}={value}" for name, value in bundle.model.config().items() if value is not None
    )
    say(f"  settings    {settings}")


def _say_origin(bundle: Bundle) -> None:
    training = bundle.training
    log = training.get("log", {})
    made = training.get("made", "at a time that is not recorded")
    say(f"  trained     {made}, in {training.get('seconds', 0):.1f} s, seed {training.get('seed')}")
    size = "" if log.get("n_bytes") is None else f" ({log['n_bytes']:,} bytes)"
    say(f"  from        {training.get('source')}{size}")
    files = log.get("files", ())
    for file in files[:_SHOWN_FILES]:
        name = "" if len(files) == 1 else f"  {file['path']}"
        say(f"  SHA-256     {file['sha256'] or 'not known: the file was gone'}{name}")
    if len(files) > _SHOWN_FILES:
        say(f"              and {len(files) - _SHOWN_FILES:,} more files: --json names all")
    if log:
        columns = ", ".join(f"{role} = {name}" for role, name in log["columns"].items() if name is not None)
        say(f"  columns     {columns}; {training['feedback']} feedback")
        for key in ("where", "format"):
            if log["read_as"].get(key):
                say(f"  {key:<10}  {log['read_as'][key]}")
        span = "" if log["first_time"] is None else f", {log['first_time']} to {log['last_time']}"
        say(f"  events      {log['n_events']:,} of {log['n_read']:,} rows{span}")
    n_users, n_items = len(bundle.user_ids), len(bundle.item_ids)
    say(f"  learned     {n_users:,} users, {n_items:,} items, {bundle.seen.nnz:,} pairs")
    if training.get("min_user") or training.get("min_item"):
        say(f"  support     users with {training['min_user']} items, items with {training['min_item']} users")
    say(f"  digest      {training.get('digest')}")
    packages = training.get("packages", {})
    if packages:
        names = ("recsys", "python", "numpy", "numba")
        say(f"  versions of {', '.join(f'{name} {packages[name]}' for name in names)}")
    kept = training.get("warm_start")
    if kept:
        same = f"{kept['n_same']} of {kept['n_components']} are still the same"
        say(f"  begun with  the themes of the model trained on {kept['began_with'][:12]}: {same}")
    for number, update in enumerate(training.get("updates", ()), 1):
        source = update["log"]["source"]
        say(f"  update {number:<4} {update['made']}: {update['n_pairs']:,} pairs of {source}")


def _say_quality(bundle: Bundle) -> None:
    quality = bundle.training.get("quality")
    if quality is None:
        say("  quality     not measured; 'recsys train --measure' does before it trains on everything")
        return
    for number, (name, value) in enumerate(quality["metrics"].items()):
        span = quality["intervals"].get(name)
        within = "" if span is None else f" (95 % interval {fixed(span[0])} to {fixed(span[1])})"
        beside = quality["popularity"].get(name)
        floor = "" if beside is None else f"; popularity {fixed(beside)}"
        say(f"  {'quality' if number == 0 else '':<10}  {name} {fixed(value)}{within}{floor}")
    say(
        f"  measured    on {quality['split']}, {quality['n_users']:,} users, {quality['n_pairs']:,} pairs, "
        f"by the same model trained on the rest"
    )


@grouped
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A model.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another.", show_default=False)],
    read_as: LogFormat,
    on: options.On = None,
    since: options.Since = None,
    metrics: held_out_options.ListMetrics = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Length of the lists compared.")] = 10,
    top: Annotated[int, typer.Option("--top", min=0, help="Users whose lists change most to show.")] = 5,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Set two models side by side: data, settings, lists, themes, and by --on quality on the same events."""
    import recsys
    from recsys.experiment.paired_quality import DEFAULT_METRICS

    with progress(quiet=json) as listener:
        done = recsys.model_diff(
            old,
            new,
            None if on is None else recsys.LogPlan(options.source_of(on), read_as),
            since=since,
            n=n,
            n_changes=top,
            metrics=metrics or DEFAULT_METRICS,
            seed=seed,
            threads=threads,
            progress=listener,
        )
    if json:
        say_json({"old": str(old), "new": str(new), **done.to_json()})
        return
    _say_diff(done)


def _say_diff(done: ModelDiff) -> None:
    rows = [
        _counts(name, of)
        for name, of in (("users", done.users), ("items", done.items), ("pairs", done.pairs))
    ]
    say_table(["trained on", "in both", "only old", "only new"], rows)
    _say_files(done)
    if done.settings:
        say("Settings that differ:")
        for name, (before, after) in done.settings.items():
            say(f"  {name}: {_short(before)} -> {_short(after)}")
    else:
        say("Settings: the same")
    if done.mean_overlap is not None:
        say(f"Lists of {done.n}: {100 * done.mean_overlap:.1f} % stays, over {done.n_users:,} users of both")
        for change in done.changes:
            entered = ", ".join(map(str, change.entered[:4])) + (", ..." if len(change.entered) > 4 else "")
            say(f"  {change.user}: {change.n_same} stay; new: {entered}")
    if done.themes:
        same = sum(pair.is_same for pair in done.themes)
        say(
            f"Themes: {same} of {len(done.themes)} are found again (cosine of 0.7 or more), "
            f"{len(done.moved)} of them under another number"
        )
        for pair in [*done.moved[:5], *done.lost[:5]]:
            other = "nothing" if pair.new is None else f"theme {pair.new}"
            what = "is" if pair.is_same else "is gone; most alike is"
            say(f"  theme {pair.old} {what} {other} ({pair.cosine:.2f})")
    _say_both(done)


def _say_both(done: ModelDiff) -> None:
    quality = done.quality
    if quality is None:
        say("Quality: give --on NEWLOG to measure both on events of pairs that are new to both.")
        return
    measured = quality.measurements
    n_users = next(iter(measured.values())).n_users
    say(f"Quality on {quality.n_pairs:,} pairs that are new to both, {n_users:,} users:")
    rows = [[label, *(fixed(value) for value in of.metrics.values())] for label, of in measured.items()]
    say_table(["model", *measured["old"].metrics], rows)
    for test in quality.tests.values():
        say(f"  {test.sentence}")


def _say_files(done: ModelDiff) -> None:
    files = done.files
    if files is None:
        say("Files: one of the models has recorded none")
        return
    say(f"Files: {files.n_same} with the same content (SHA-256)" + ("" if files.are_same else "; besides"))
    for paths, what in (
        (files.changed, "has changed"),
        (files.only_old, "is of the old model alone"),
        (files.only_new, "is of the new model alone"),
    ):
        for path in paths[:_SHOWN_FILES]:
            say(f"  {path} {what}")
        if len(paths) > _SHOWN_FILES:
            say(f"  ... and {len(paths) - _SHOWN_FILES:,} more: --json names all")


def _counts(name: str, overlap: Overlap) -> list[str]:
    return [name, f"{overlap.n_both:,}", f"{overlap.n_only_old:,}", f"{overlap.n_only_new:,}"]


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHOWN_SETTINGS else f"{text[:_SHOWN_SETTINGS]}..."


@grouped
def promote(
    new: Annotated[
        Path,
        typer.Argument(
            metavar="NEW",
            help="A version in STORE, or a model elsewhere: a copy becomes one.",
            show_default=False,
        ),
    ],
    store: Annotated[
        Path, typer.Argument(metavar="STORE", help="The folder of versions.", show_default=False)
    ],
    read_as: LogFormat,
    gate: Annotated[
        str | None,
        typer.Option(
            "--gate",
            metavar="METRIC",
            help="Only if it is not clearly worse by this, e.g. ndcg@10; needs --on. Exit code 3 if it is.",
            show_default=False,
        ),
    ] = None,
    on: options.On = None,
    since: options.Since = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="How many versions stay.", show_default="all")
    ] = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Bring a model into use: who loads STORE gets it from then on; with --gate only if it is not worse.

    Exit codes: 0 it is in use, 3 the gate stayed closed and the old one stays, 1 something could not be read.
    """
    import recsys

    with progress(quiet=json) as listener:
        done = recsys.promote(
            new,
            store,
            gate=gate,
            log=None if on is None else recsys.LogPlan(options.source_of(on), read_as),
            since=since,
            keep=keep,
            seed=seed,
            threads=threads,
            progress=listener,
        )
    if json:
        say_json(done.to_json())
    elif done.is_promoted:
        say(f"In use: {store / str(done.version)} ({done.reason})")
        if done.deleted:
            say(f"Deleted older versions: {', '.join(done.deleted)}")
    else:
        say(f"Not promoted, {store / str(done.previous)} stays in use: {done.reason}")
    if not done.is_promoted:
        raise typer.Exit(GATE_CLOSED)
