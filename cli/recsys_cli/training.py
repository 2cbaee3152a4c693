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
from recsys_cli.train_options import CheckpointOptions, VersionOptions

if TYPE_CHECKING:
    from recsys.checkpoints import Checkpoint
    from recsys.data.loaded_log import LoadedLog
    from recsys.experiment.given_logs import LogPlan
    from recsys.experiment.settings import ModelSpec
    from recsys_cli.trained import Trained
    from recsys_cli.versions import Destination

_MEASURE = "Measure first"


@grouped
def train(
    *,
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
    versions: VersionOptions,
    checkpoints: CheckpointOptions,
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
    from recsys.files import reserved
    from recsys_cli.inputs import log_plan, one_spec, run_of
    from recsys_cli.trained import Trained
    from recsys_cli.versions import Destination

    warm_start = versions.warm_start
    destination = Destination.of(out, keep=versions.keep, candidate=versions.candidate)
    flags = options.flags(
        read_as, log=options.source_of(log), items=items, duplicates=duplicates, min_user=min_user,
        min_item=min_item, split=split, metrics=metrics, seed=seed, threads=threads,
    )  # fmt: skip
    on_spark = engine.is_spark
    if on_spark:
        engine.check(
            {
                "update": versions.update, "measure": measure, "split": split, "metrics": metrics,
                "memory": memory, "warm-start": warm_start, "min-user": min_user, "min-item": min_item,
                "threads": threads,
            }
        )  # fmt: skip
    elif sample_users is not None:
        raise recsys.ParameterError("--sample-users is for --engine spark; give that, too.")
    if versions.update:
        if log or model or set_ or config or warm_start or measure or checkpoints.are_given:
            raise recsys.ParameterError(
                "--update takes new events into the model in --out, as that is; leave LOG, --model, --set, "
                "--config, --warm-start, --measure, --checkpoint-every and --resume out."
            )
        _update(destination, {**flags, "log": options.source_of(versions.update)}, json=json)
        return
    if (split or metrics) and not measure:
        raise recsys.ParameterError("--split and --metrics say how to measure; give --measure too.")
    run, reading = run_of(flags, [config] if config else [], command="train")
    spec = one_spec(model, set_, run.configs, run.models)
    planned = spec.resolved().made()  # what is wrong with it is said before the log is read
    plan = log_plan(run.flags["log"], reading, run.flags["items"])
    checkpoint = checkpoints.checkpoint(destination.checkpoint, planned)
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
        trained = Trained.write(bundle, destination, checkpoint)
    if json:
        seconds = {"load": load_seconds, **trained.record["seconds"]}
        extra = {name: bundle.training[name] for name in ("quality", "warm_start") if name in bundle.training}
        record = {**trained.record, "seconds": seconds, "log": loaded.describe(), **extra}
        say_json({**record, **trained.written.to_json()})
    else:
        _say_training(spec, loaded, trained, reading)
        trained.say_place()
    trained.exit_if_interrupted()


def _say_training(spec: ModelSpec, loaded: LoadedLog, trained: Trained, reading: LogFormat) -> None:
    """Print what was read, what was measured, and what the model is."""
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.training import amounts_as_ratings
    from recsys_cli.inputs import columns_used
    from recsys_cli.trained import say_read

    bundle = trained.bundle
    say_read(loaded.describe(), columns_used(loaded, reading.feedback))
    say_remarks([*loaded.remarks, *amounts_as_ratings(loaded, [spec])])
    quality = bundle.training.get("quality")
    if quality is not None:
        values = ", ".join(f"{name} {fixed(value)}" for name, value in quality["metrics"].items())
        say(f"Measured on {quality['split']}: {values} ({quality['n_users']:,} users)")
    trained.say_fit(spec)
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
    from recsys.files import reserved
    from recsys.spark.sampling import read_share
    from recsys_cli.trained import Trained, say_read

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
        trained = Trained.write(bundle, destination, checkpoint)
    log = bundle.training["log"]
    if json:
        say_json({**trained.record, "log": log, "engine": "spark", **trained.written.to_json()})
    else:
        used = ", ".join(f"{role} = {name}" for role, name in log["columns"].items() if name is not None)
        say_read(log, f"{used}; {trained.record['feedback']} feedback")
        trained.say_fit(spec)
        trained.say_place()
    trained.exit_if_interrupted()


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
