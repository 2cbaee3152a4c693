"""``recsys evaluate`` and ``recsys compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import fixed, progress, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recsys.experiment.trial import Result, Trial


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
    from recsys.experiment.trial import run
    from recsys_cli.inputs import one_spec

    spec = one_spec(model, set_, config)
    with pool.use(threads), progress(quiet=json) as listener:
        trial, asked, _ = _trial(
            log,
            test,
            split,
            metrics,
            listener,
            duplicates=duplicates,
            seed=seed,
            threads=threads,
            columns={
                "user": user,
                "item": item,
                "value": value,
                "time": time,
                "where": where,
                "feedback": feedback,
            },
        )
        result = run(spec, trial, asked, seed=seed, progress=listener)
    measured = result.measurements
    assert measured is not None
    if all(number is None for number in measured.metrics.values()):
        raise ModelError(measured.remarks[0])
    if json:
        say_json({**result.to_json(), "split": dict(trial.split)})
        return
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
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Measure several models on the same held-out part of a log."""
    from recsys import threads as pool
    from recsys.errors import ModelError
    from recsys.experiment.reporting import write_comparison
    from recsys.experiment.settings import AUTO, specs_from_flags
    from recsys.experiment.trial import compare as compare_models
    from recsys.report.answer import sentences

    specs = specs_from_flags(model or [], set_ or [], config or [], default=[AUTO, "als", "popularity"])
    with pool.use(threads), progress(quiet=json) as listener:
        trial, asked, loaded = _trial(
            log,
            test,
            split,
            metrics,
            listener,
            duplicates=duplicates,
            seed=seed,
            threads=threads,
            items=items,
            columns={
                "user": user,
                "item": item,
                "value": value,
                "time": time,
                "where": where,
                "feedback": feedback,
            },
        )
        results = compare_models(specs, trial, asked, seed=seed, progress=listener)
        if report is not None:
            write_comparison(
                report,
                loaded,
                trial,
                results,
                [str(metric) for metric in asked],
                seed=seed,
                command=_command(),
            )
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    if not measured:
        raise ModelError("; ".join(f"{r.label}: {r.error}" for r in results))
    answer = sentences(measured, seed=seed)
    if json:
        record = {"results": [r.to_json() for r in results], "split": dict(trial.split), "answer": answer}
        say_json({**record, "report": None if report is None else str(report)})
        return
    _say_results(results, trial)
    say()
    for sentence in answer:
        say(f"  {sentence}")
    if report is not None:
        say(f"Report in {report}")


def _command() -> str:
    """Return the command line as it was given, quoted for a shell."""
    import shlex
    import sys

    return shlex.join(["recsys", *sys.argv[1:]])


def _trial(
    log: str,
    test: str | None,
    split: str | None,
    metrics: str | None,
    listener: Any,
    *,
    duplicates: str | None,
    seed: int,
    threads: int | None,
    columns: dict[str, str | None],
    items: Path | None = None,
) -> tuple[Trial, Any, Any]:
    """Read the logs, split, and read the metrics."""
    from recsys.errors import ParameterError
    from recsys.evaluate.metrics import parse_metrics
    from recsys.experiment.trial import default_metrics, prepare
    from recsys_cli.inputs import load, rule

    if test is not None and split is not None:
        raise ParameterError("both --test and --split are given; choose one.")
    asked = None if metrics is None else parse_metrics(metrics)
    repeats = rule(duplicates)
    loaded, seconds = load(log, listener, threads=threads, items=items, **columns)
    held = None
    if test is not None:
        # The held-out part is read as the training part was: same columns, same kind of feedback.
        used = loaded.columns
        same = {
            "user": used.user,
            "item": used.item,
            "value": used.value or "-",
            "time": columns["time"],
            "where": columns["where"],
            "feedback": loaded.log.feedback,
        }
        held, more = load(test, listener, threads=threads, items=None, **same)
        seconds += more
    trial = prepare(loaded, test=held, split=split, seed=seed, duplicates=repeats, load_seconds=seconds)
    return trial, asked or parse_metrics(default_metrics(loaded.log.feedback)), loaded


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
