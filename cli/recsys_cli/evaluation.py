"""``recsys evaluate`` and ``recsys compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli import options
from recsys_cli.output import fixed, progress, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recsys.data.load import LoadedLog
    from recsys.experiment.comparison import Result
    from recsys.experiment.settings import ModelSpec
    from recsys.experiment.trial import Trial


def evaluate(
    log: options.Log,
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    test: options.Test = None,
    split: options.SplitSpec = None,
    metrics: options.Metrics = None,
    user: options.User = None,
    item: options.Item = None,
    value: options.Value = None,
    time: options.Time = None,
    where: options.Where = None,
    feedback: options.FeedbackKind = None,
    duplicates: options.DuplicateRule = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Train on one part of a log and measure on the part held out."""
    from recsys import threads as pool
    from recsys.errors import ModelError
    from recsys.evaluate.metrics import parse_metrics
    from recsys.experiment.comparison import run
    from recsys.experiment.trial import default_metrics
    from recsys_cli.inputs import load_trial, one_spec

    spec = one_spec(model, set_, config)
    asked = None if metrics is None else parse_metrics(metrics)
    reading = options.Reading(user, item, value, time, where, feedback, threads=threads)
    with pool.use(threads), progress(quiet=json) as listener:
        loaded, trial = load_trial(
            log, reading, listener, test=test, split=split, duplicates=duplicates, seed=seed
        )
        asked = asked or parse_metrics(default_metrics(loaded.log.feedback))
        result = run(spec, trial, asked, seed=seed, progress=listener)
    measured = result.measurements
    assert measured is not None
    if all(number is None for number in measured.metrics.values()):
        raise ModelError(measured.remarks[0])
    if json:
        say_json({**result.to_json(), "split": dict(trial.split)})
        return
    _say_choice(spec, result, loaded)
    _say_results([result], trial)


def compare(
    log: options.Log,
    model: options.Models = None,
    set_: options.Set = None,
    config: options.Configs = None,
    test: options.Test = None,
    split: options.SplitSpec = None,
    metrics: options.Metrics = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a report page (HTML) here.", show_default=False)
    ] = None,
    user: options.User = None,
    item: options.Item = None,
    value: options.Value = None,
    time: options.Time = None,
    where: options.Where = None,
    feedback: options.FeedbackKind = None,
    duplicates: options.DuplicateRule = None,
    items: options.Items = None,
    item_id: options.ItemId = None,
    item_name: options.ItemName = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Measure several models on the same held-out part of a log."""
    from recsys import threads as pool
    from recsys.errors import ModelError
    from recsys.evaluate.metrics import parse_metrics
    from recsys.experiment.comparison import STOPPED
    from recsys.experiment.comparison import compare as compare_models
    from recsys.experiment.reporting import write_comparison
    from recsys.experiment.settings import AUTO, specs_from_flags
    from recsys.experiment.trial import default_metrics
    from recsys.report.answer import sentences
    from recsys_cli.inputs import load_trial

    specs = specs_from_flags(model or [], set_ or [], config or [], default=[AUTO, "als", "popularity"])
    asked = None if metrics is None else parse_metrics(metrics)
    reading = options.Reading(user, item, value, time, where, feedback, items, item_id, item_name, threads)
    with pool.use(threads), progress(quiet=json) as listener:
        loaded, trial = load_trial(
            log, reading, listener, test=test, split=split, duplicates=duplicates, seed=seed
        )
        asked = asked or parse_metrics(default_metrics(loaded.log.feedback))
        results = compare_models(specs, trial, asked, seed=seed, progress=listener)
        measured = {r.label: r.measurements for r in results if r.measurements is not None}
        if all(value is None for at in measured.values() for value in at.metrics.values()):
            troubles = [f"{r.label}: {r.error}" for r in results if r.error]
            raise ModelError("; ".join([*troubles, *(at.remarks[0] for at in measured.values())]))
        if report is not None:
            report = report.expanduser()
            names = [str(metric) for metric in asked]
            write_comparison(report, loaded, trial, results, names, seed=seed, command=_command())
    answer = sentences(measured, seed=seed)
    if json:
        record = {"results": [r.to_json() for r in results], "split": dict(trial.split), "answer": answer}
        say_json({**record, "report": None if report is None else str(report)})
    else:
        _say_choice(specs[0], results[0], loaded)
        _say_results(results, trial)
        say()
        for sentence in answer:
            say(f"  {sentence}")
        if report is not None:
            say(f"Report in {report}")
    if results[-1].error == STOPPED:
        raise typer.Exit(130)


def _say_choice(spec: ModelSpec, result: Result, loaded: LoadedLog) -> None:
    """Say which model "auto" took, and why."""
    if spec.name == "auto":
        say(f"Model {result.spec.name}, for {loaded.log.feedback} feedback; --model names another.")


def _command() -> str:
    """Return the command line as it was given, quoted for a shell."""
    import shlex
    import sys

    return shlex.join(["recsys", *sys.argv[1:]])


def _say_results(results: Sequence[Result], trial: Trial) -> None:
    split = trial.split
    aside = f", {split['n_repeated_pairs']:,} in both set aside" if split["n_repeated_pairs"] else ""
    train, held = f"{split['n_train_pairs']:,}", f"{split['n_held_out_pairs']:,}"
    say(f"Split {split['name']}: {train} pairs to train, {held} held out{aside}")
    if split["n_cold_users"] or split["n_cold_items"]:
        say(
            f"  held out but not in training: {split['n_cold_users']:,} users (not averaged), "
            f"{split['n_cold_items']:,} items (count as missed)"
        )
    names = next(list(r.measurements.metrics) for r in results if r.measurements is not None)
    rows = []
    for result in results:
        if result.measurements is None:
            rows.append([result.label, *("-" for _ in names), "-", "-", "-"])
            continue
        at = result.measurements
        rows.append(
            [
                result.label,
                *(fixed(at.metrics[name]) for name in names),
                f"{at.n_users:,}",
                f"{result.fit_seconds:.2f}",
                f"{at.seconds:.2f}",
            ]
        )
    say_table(["model", *names, "users", "fit s", "score s"], rows)
    for result in results:
        if result.error:
            say(f"  {result.label} failed: {result.error}")
        for remark in result.measurements.remarks if result.measurements else ():
            say(f"  {remark}")
