"""``recsys tune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import held_out_options, options
from recsys_cli.groups import grouped
from recsys_cli.output import fixed, progress, say, say_json, say_table
from recsys_cli.results import say_results

if TYPE_CHECKING:
    from recsys.experiment.tuning.answer import TunedModel, Tuning
    from recsys.experiment.tuning.trial import Trial

_SHOWN = 5
_MOST_COLUMNS = 5
_SEARCH = "Search"


@grouped
def tune(
    read_as: LogFormat,
    log: options.LogOrConfig = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="A model to tune, see 'recsys models'; several get the same budget each.",
            rich_help_panel="Model",
            show_default="auto",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=WHERE",
            help="Where to search: n_components=16..512, loss=squared,kl, or a value to hold; with several "
            "models MODEL.KEY=WHERE. By default each model's own ranges.",
            rich_help_panel=_SEARCH,
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            help="TOML file with a table called model, whose values are held; or of the whole run.",
            rich_help_panel="Model",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="What to tune by.",
            rich_help_panel=_SEARCH,
            show_default="ndcg@10, or rmse for models that only predict ratings",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            max=options.MOST,
            help="Settings to try of each model, the one without tuning among them.",
            rich_help_panel=_SEARCH,
            show_default="30, or as many as --time allows",
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            help="Begin no setting after so long, e.g. 90s, 10m, 2h; models share it.",
            rich_help_panel=_SEARCH,
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(
            "--validation",
            help="What settings are measured on, of what --split leaves; folds:3 measures each three times.",
            rich_help_panel=_SEARCH,
            show_default="the rule of --split, or random:0.2",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="The test part, e.g. time:4w: held out, and not read while settings are tried.",
            rich_help_panel="Test",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            "--test",
            help="The test part as a log of its own.",
            rich_help_panel="Test",
            show_default=False,
        ),
    ] = None,
    final: Annotated[
        bool,
        typer.Option(
            "--final",
            help="Measure the winners, and the models without tuning, once on the test part.",
            rich_help_panel="Test",
        ),
    ] = False,
    outer: Annotated[
        str | None,
        typer.Option(
            "--outer",
            metavar="FOLDS",
            help="Nested cross-validation, e.g. folds:3: tune anew on what a fold leaves, measure on it.",
            rich_help_panel="Test",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder that keeps each trial, and gets a config of each winner; the same command, given "
            "again, goes on from it.",
            show_default=False,
        ),
    ] = None,
    duplicates: options.DuplicateRule = None,
    min_user: held_out_options.MinUser = None,
    min_item: held_out_options.MinItem = None,
    seed: options.SeedOrPlan = None,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Choose a model's parameters on validation data; the test part is not read while settings are tried."""
    import recsys
    from recsys.evaluation.metrics import parse_metric
    from recsys.experiment.given_logs import LogPlan
    from recsys.experiment.settings import AUTO, ModelSpec, read_model
    from recsys.experiment.tuning.plan import TuningPlan, parse_seconds
    from recsys.splitting.support import MinSupport
    from recsys_cli.inputs import run_of, searches_of

    flags = options.flags(
        read_as, log=options.source_of(log), split=split, test=test, duplicates=duplicates, min_user=min_user,
        min_item=min_item, seed=seed, threads=threads,
    )  # fmt: skip
    run, reading = run_of(flags, config or [], command="tune")
    flags = dict(run.flags)
    models = [*(ModelSpec(name) for name in model or []), *map(read_model, run.configs)]
    models = models or list(run.models) or [ModelSpec(AUTO)]
    plan = TuningPlan(
        models=tuple(models),
        log=LogPlan(flags["log"], reading),
        spaces=searches_of(set_ or [], [spec.name for spec in models]),
        test=None if outer and not test else flags["test"],
        split=None if outer and not split else flags["split"],
        validation=validation,
        metric=None if metric is None else parse_metric(metric),
        trials=trials,
        seconds=None if time_limit is None else parse_seconds(time_limit),
        final=final,
        outer=outer,
        support=MinSupport(flags["min_user"] or 0, flags["min_item"] or 0),
        duplicates=flags["duplicates"],
        seed=flags["seed"] or 0,
        threads=flags["threads"],
        out=None if out is None else out.expanduser(),
    )
    with progress(quiet=json) as listener:
        tuning = recsys.tune(plan, progress=listener)
    configs = [] if plan.out is None else tuning.save(plan.out)
    if json:
        say_json({**tuning.to_json(), "configs": [str(path) for path in configs]})
        if tuning.is_interrupted:
            raise KeyboardInterrupt
        return
    _say_tuning(tuning)
    if tuning.final is not None:
        say()
        say("On the test part, measured once:")
        say_results(tuning.final.results, tuning.final.splits)
        for sentence in tuning.final.answer:
            say(f"  {sentence}")
    if tuning.nested is not None:
        say()
        say(f"On outer folds ({outer}), tuned anew inside each:")
        say_results(tuning.nested.comparison.results, tuning.nested.comparison.splits)
        for sentence in tuning.nested.comparison.answer:
            say(f"  {sentence}")
    for path in configs:
        say(f"Config in {path}: recsys train {' '.join(log or ['LOG'])} --config {path} --out model")
    if plan.out is None:
        say("With --out FOLDER trials are kept, and each winner is written as a config.")
    if tuning.is_interrupted:
        say("Interrupted; the same command goes on from here." if plan.out else "Interrupted.")
        raise KeyboardInterrupt


def _say_tuning(tuning: Tuning) -> None:
    from recsys.evaluation.wording import counted

    for model in tuning.models:
        pruned, failed = model.count("pruned"), model.count("failed")
        others = [f"{pruned} given up early"] * bool(pruned) + [f"{failed} failed"] * bool(failed)
        tried = counted(len(model.trials), "setting", "settings") + (
            f" ({', '.join(others)})" if others else ""
        )
        say(f"{model.label}: {tried}, measured by {tuning.metric} on {tuning.validation}")
        _say_trials(model, tuning)
        _say_remarks(model)
    if len(tuning.models) > 1:
        say(f"Best on validation data: {tuning.winner.label}")


def _say_trials(model: TunedModel, tuning: Tuning) -> None:
    frame = model.to_frame()
    measured = frame[frame["state"] == "complete"].head(_SHOWN)
    shown = list(measured.index)
    if 0 not in shown:
        shown.append(0)
    searched = list(model.study.space.searched)
    in_columns = searched if len(searched) <= _MOST_COLUMNS else []
    rows = []
    for number in shown:
        trial = model.trials[number]
        values = [_text(_value(trial, name)) for name in in_columns]
        note = "without tuning" if number == 0 else ""
        rows.append([str(number), fixed(trial.value), f"{trial.seconds:.1f}", *values, note])
    say_table(["trial", str(tuning.metric), "seconds", *in_columns, ""], rows)
    if not in_columns:
        for trial in {model.best.number: model.best, 0: model.untuned}.values():
            settings = ", ".join(f"{name}={_text(_value(trial, name))}" for name in searched)
            say(f"  trial {trial.number}: {settings}")


def _say_remarks(model: TunedModel) -> None:
    if len(model.trials) == 1:
        say(
            f"  nothing was tuned: measuring the model as it is, {model.untuned.seconds:.1f} s, took the "
            f"whole budget; give more --trials or a longer --time-limit"
        )
    span, gain = model.interval, model.selection_gain
    if span is not None:
        say(f"  best: {fixed(span.mean)} (95 % interval {fixed(span.low)} to {fixed(span.high)})")
    if gain is not None and len(model.trials) > 1:
        say(f"  choosing the best of {model.count('complete')} gains about {gain:.4f} by luck alone")
    for name in model.at_edge:
        where = model.study.space.searched[name]
        say(f"  {name} is best at an end of {where}: search further there")
    for trial in model.trials:
        if trial.state == "failed":
            say(f"  trial {trial.number} failed: {trial.error}")


def _value(trial: Trial, name: str) -> Any:
    """Return the value of a parameter, rules filled in, or as proposed where the fit failed."""
    return trial.config.get(name, trial.params.get(name))


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
