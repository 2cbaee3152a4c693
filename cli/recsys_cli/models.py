"""``recsys train``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import held_out_options, options
from recsys_cli.groups import grouped
from recsys_cli.output import capped, fixed, progress, say, say_json, say_remarks
from recsys_cli.spark import PANEL, EngineOptions

if TYPE_CHECKING:
    from recsys.checkpoints import Checkpoint
    from recsys.data.loaded_log import LoadedLog
    from recsys.experiment.given_logs import LogPlan
    from recsys.experiment.settings import ModelSpec
    from recsys.recommend.bundle import Bundle
    from recsys_cli.versions import Destination

_MEASURE, _VERSIONS, _CHECKPOINTS = "Measure first", "Versions", "Checkpoints"
# What ended a training, in words.
_ENDS = {
    "tol": "converged",
    "gradient": "converged",
    "validation": "best on held-out entries",
    "time": "reached time_limit",
    "interrupted": "interrupted",
}


def _end_of(record: Mapping[str, Any]) -> str:
    """Say how a training ended: a number of iterations that was planned is no failure to converge."""
    n_iter, stopped = record["iterations"], record["stopped"]
    if stopped != "max_iter":
        return f"{_ENDS[stopped]} after {n_iter} iterations"
    if record["config"].get("tol"):
        return f"{n_iter} iterations, as many as max_iter allows; --set max_iter=N for more"
    return f"{n_iter} iterations, as planned (max_iter)"


@grouped
def train(
    read_as: LogFormat,
    engine: EngineOptions,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for the model, or for its versions.", show_default=False),
    ],
    log: options.LogOrConfig = None,
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    items: options.Items = None,
    duplicates: options.DuplicateRule = None,
    min_user: held_out_options.MinUser = None,
    min_item: held_out_options.MinItem = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Measure the model first on what --split holds out, and keep that with it; it is then "
            "trained on everything.",
            rich_help_panel=_MEASURE,
        ),
    ] = False,
    split: held_out_options.SplitSpec = None,
    metrics: held_out_options.Metrics = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            help="Make --out a folder of dated versions, of which so many stay; the new one comes into use.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None,
    candidate: Annotated[
        bool,
        typer.Option(
            "--candidate",
            help="Add a version without bringing it into use; 'recsys model promote' does.",
            rich_help_panel=_VERSIONS,
        ),
    ] = False,
    warm_start: Annotated[
        Path | None,
        typer.Option(
            "--warm-start",
            metavar="MODEL",
            help="Begin with the themes of an older model: fewer sweeps, and themes keep their numbers.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None,
    update: Annotated[
        list[str] | None,
        typer.Option(
            "--update",
            metavar="NEW_EVENTS",
            help="Take new events alone into the model in --out, in place of LOG; all else stays as it is.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None,
    checkpoint_every: Annotated[
        str | None,
        typer.Option(
            "--checkpoint-every",
            metavar="N|TIME",
            help="Keep where the fit stands in MODEL.checkpoint, every N iterations or every 60s, 5m, 1h.",
            rich_help_panel=_CHECKPOINTS,
            show_default="60s with --resume",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from MODEL.checkpoint after the process was killed; without one the fit begins.",
            rich_help_panel=_CHECKPOINTS,
        ),
    ] = False,
    sample_users: Annotated[
        str | None,
        typer.Option(
            "--sample-users",
            metavar="SHARE",
            help="With --engine spark: fit this share of the users on this machine, e.g. 10%, and fold in "
            "all on the cluster; of weighted-nmf (auto) or masked-nmf.",
            rich_help_panel=PANEL,
            show_default="all are fitted",
        ),
    ] = None,
    seed: options.SeedOrPlan = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Train a model on a whole log and write it to a folder."""
    import recsys
    from recsys.experiment.given_logs import loaded_of
    from recsys.experiment.training import record_of
    from recsys.files import reserved
    from recsys_cli.inputs import log_plan, one_spec, run_of
    from recsys_cli.versions import Destination

    destination = Destination.of(out, keep=keep, candidate=candidate)
    flags = options.flags(
        read_as, log=options.source_of(log), items=items, duplicates=duplicates, min_user=min_user,
        min_item=min_item, split=split, metrics=metrics, seed=seed, threads=threads,
    )  # fmt: skip
    on_spark = engine.is_spark
    if on_spark:
        engine.check(
            {
                "update": update, "measure": measure, "split": split, "metrics": metrics, "memory": memory,
                "warm-start": warm_start, "min-user": min_user, "min-item": min_item, "threads": threads,
            }
        )  # fmt: skip
    elif sample_users is not None:
        raise recsys.ParameterError("--sample-users is for --engine spark; give that, too.")
    if update:
        if log or model or set_ or config or warm_start or measure or checkpoint_every or resume:
            raise recsys.ParameterError(
                "--update takes new events into the model in --out, as that is; leave LOG, --model, --set, "
                "--config, --warm-start, --measure, --checkpoint-every and --resume out."
            )
        _update(destination, {**flags, "log": options.source_of(update)}, json=json)
        return
    if (split or metrics) and not measure:
        raise recsys.ParameterError("--split and --metrics say how to measure; give --measure too.")
    run, reading = run_of(flags, [config] if config else [], command="train")
    spec = one_spec(model, set_, run.configs, run.models)
    planned = spec.resolved().made()  # what is wrong with it is said before the log is read
    plan = log_plan(run.flags["log"], reading, run.flags["items"])
    checkpoint = None
    if checkpoint_every is not None or resume:
        checkpoint = recsys.Checkpoint(destination.checkpoint, checkpoint_every or "60s", resume)
        planned.check_checkpoint(checkpoint)
        _say_checkpoint(checkpoint)
    if on_spark:
        _train_on_spark(
            engine, spec, plan, destination, seed=run.flags["seed"] or 0, duplicates=run.flags["duplicates"],
            sample_users=sample_users, checkpoint=checkpoint, json=json,
        )  # fmt: skip
        return
    of_run = {name: run.flags[name] for name in ("duplicates", "threads")}
    with capped(memory), reserved(destination.folder, wait=0.5), progress(quiet=json) as listener:
        loaded, load_seconds = loaded_of(plan, n_threads=of_run["threads"], progress=listener)
        bundle = recsys.train(
            spec,
            loaded,
            seed=run.flags["seed"] or 0,
            min_user=run.flags["min_user"] or 0,
            min_item=run.flags["min_item"] or 0,
            warm_start=warm_start,
            measure=(run.flags["split"] or "random:0.2") if measure else None,
            metrics=run.flags["metrics"] if measure else None,
            keep_interrupted=True,
            checkpoint=checkpoint,
            progress=listener,
            **of_run,
        )
        record = record_of(bundle)
        interrupted = record["stopped"] == "interrupted"
        written = destination.write(bundle, interrupted=interrupted)
        if checkpoint is not None and not interrupted:
            checkpoint.remove()
    if json:
        seconds = {"load": load_seconds, **record["seconds"]}
        extra = {name: bundle.training[name] for name in ("quality", "warm_start") if name in bundle.training}
        say_json({**record, "seconds": seconds, "log": loaded.describe(), **extra, **written.to_json()})
        if interrupted:
            raise typer.Exit(130)
        return
    _say_training(spec, loaded, bundle, record, reading)
    if interrupted:
        _say_interrupted(written.folder, checkpoint)
        raise typer.Exit(130)
    written.say()


def _say_interrupted(folder: Path, checkpoint: Checkpoint | None) -> None:
    say(f"Interrupted; the best state so far is in {folder}.")
    if checkpoint is not None and checkpoint.path.exists():
        say(f"The same command with --resume goes on from {checkpoint.path}.")


def _say_checkpoint(checkpoint: Checkpoint) -> None:
    """Say on standard error what a fit begins with, where that may be another thing than was meant."""
    if checkpoint.resume and not checkpoint.path.exists():
        say(f"There is no {checkpoint.path}: the fit begins.", to_errors=True)
    elif checkpoint.path.exists() and not checkpoint.resume:
        say(
            f"{checkpoint.path} is of a fit that did not end; it is replaced, for --resume is not given.",
            to_errors=True,
        )


def _say_training(
    spec: ModelSpec, loaded: LoadedLog, bundle: Bundle, record: Mapping[str, Any], reading: LogFormat
) -> None:
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.settings import AUTO
    from recsys.experiment.training import amounts_as_ratings
    from recsys_cli.inputs import columns_used

    description = loaded.describe()
    say(f"Read {description['n_read']:,} rows of {description['source']}")
    for drop in description["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  {columns_used(loaded, reading.feedback)}")
    chosen = "" if spec.name != AUTO else " (chosen for lists; --model names another)"
    say_remarks([*loaded.remarks, *amounts_as_ratings(loaded, [spec])])
    quality = bundle.training.get("quality")
    if quality is not None:
        values = ", ".join(f"{name} {fixed(value)}" for name, value in quality["metrics"].items())
        say(f"Measured on {quality['split']}: {values} ({quality['n_users']:,} users)")
    say(f"Trained {record['model']}{chosen}: {record['n_entries']:,} pairs, {record['seconds']['fit']:.1f} s")
    if record["iterations"] is not None:
        say(f"  {_end_of(record)}, objective {record['objective']:.6g}")
    kept = bundle.training.get("warm_start")
    if kept is not None:
        say(
            f"  begun with {kept['n_components']} themes, of which {kept['n_same']} are still the same; "
            f"{kept['n_new_users']:,} users and {kept['n_new_items']:,} items are new"
        )
    if bundle.model.ranks_by_value:
        say(f"Note: {bundle.model.name} {RANKS_BY_VALUE}")


def _train_on_spark(
    engine: EngineOptions,
    spec: ModelSpec,
    plan: LogPlan,
    destination: Destination,
    *,
    sample_users: str | None,
    checkpoint: Checkpoint | None,
    json: bool,
    **of_run: Any,
) -> None:
    """Train by a cluster, write the model and say so."""
    import recsys.spark
    from recsys.experiment.settings import AUTO
    from recsys.experiment.training import record_of
    from recsys.files import reserved
    from recsys.spark.sampling import read_share

    share = None if sample_users is None else read_share(sample_users)
    with reserved(destination.folder, wait=0.5), progress(quiet=json) as listener:
        bundle = recsys.spark.train(
            spec,
            plan,
            sample_users=share,
            checkpoint=checkpoint,
            keep_interrupted=True,
            progress=listener,
            **engine.cluster,
            **of_run,
        )
        record, log = record_of(bundle), bundle.training["log"]
        interrupted = record["stopped"] == "interrupted"
        written = destination.write(bundle, interrupted=interrupted)
        if checkpoint is not None and not interrupted:
            checkpoint.remove()
    if json:
        say_json({**record, "log": log, "engine": "spark", **written.to_json()})
    else:
        chosen = "" if spec.name != AUTO else " (chosen for lists; --model names another)"
        say(f"Read {log['n_read']:,} rows of {log['source']}")
        for drop in log["dropped"]:
            say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
        used = ", ".join(f"{role} = {name}" for role, name in log["columns"].items() if name is not None)
        say(f"  {used}; {record['feedback']} feedback")
        seconds = record["seconds"]["fit"]
        say(f"Trained {record['model']}{chosen}: {record['n_entries']:,} pairs, {seconds:.1f} s")
        if record["iterations"] is not None:
            say(f"  {_end_of(record)}, objective {record['objective']:.6g}")
        if interrupted:
            _say_interrupted(written.folder, checkpoint)
        else:
            written.say()
    if interrupted:
        raise typer.Exit(130)


def _update(destination: Destination, flags: Mapping[str, Any], *, json: bool) -> None:
    """Take new events into the model that is there."""
    import recsys
    from recsys_cli.inputs import format_of, log_plan

    plan = log_plan(flags["log"], format_of(flags), flags["items"])
    with progress(quiet=json) as listener:
        old = recsys.load_bundle(destination.folder)
        bundle = recsys.update(
            old, plan, duplicates=flags["duplicates"], threads=flags["threads"], progress=listener
        )
        written = destination.write(bundle)
    latest = bundle.training["updates"][-1]
    if json:
        say_json({"model": bundle.model.name, **latest, **written.to_json()})
        return
    new_users, new_items = len(bundle.user_ids) - len(old.user_ids), len(bundle.item_ids) - len(old.item_ids)
    say(f"Read {latest['log']['n_read']:,} rows of {latest['log']['source']}")
    say(
        f"Updated {bundle.model.name}: {latest['n_pairs']:,} pairs, {new_users:,} new users, {new_items:,} "
        f"new items, {latest['seconds']:.1f} s"
    )
    written.say()
