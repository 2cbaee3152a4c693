"""``recsys evaluate`` and ``recsys compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli import options
from recsys_cli.output import progress, say, say_json
from recsys_cli.results import say_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from recsys.experiment.comparison import Result
    from recsys.experiment.settings import ModelSpec


def evaluate(
    log: options.Log,
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    test: options.Test = None,
    split: options.SplitSpec = None,
    min_user: options.MinUser = 0,
    min_item: options.MinItem = 0,
    filter_test: options.FilterTest = False,
    metrics: options.Metrics = None,
    user: options.User = None,
    item: options.Item = None,
    value: options.Value = None,
    time: options.Time = None,
    where: options.Where = None,
    feedback: options.FeedbackKind = None,
    duplicates: options.DuplicateRule = None,
    items: options.Items = None,
    item_id: options.ItemId = None,
    item_category: options.ItemCategory = None,
    groups: options.Groups = None,
    group: options.Group = None,
    group_id: options.GroupId = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    block_mib: options.BlockMib = None,
    json: options.Json = False,
) -> None:
    """Train on one part of a log and measure on the part held out."""
    from recsys import threads as pool
    from recsys.errors import ModelError
    from recsys.evaluation.metrics import parse_metrics
    from recsys.experiment.comparison import run_beside_floor
    from recsys_cli.evaluation_inputs import check_options, default_metrics_for, read_inputs
    from recsys_cli.inputs import load_splits, one_spec

    spec = one_spec(model, set_, config)
    asked = None if metrics is None else parse_metrics(metrics)
    extra = options.EvaluationOptions(items, item_id, item_category, groups, group, group_id, block_mib)
    check_options(extra, asked, names_are_shown=False)
    reading = options.Reading(user, item, value, time, where, feedback, threads=threads)
    with pool.use(threads), progress(quiet=json) as listener:
        loaded, splits = load_splits(
            log, reading, listener, test=test, split=split, duplicates=duplicates, seed=seed,
            min_user=min_user, min_item=min_item, filter_test=filter_test,
        )  # fmt: skip
        asked = asked or default_metrics_for(extra, loaded)
        inputs = read_inputs(extra, loaded, threads)
        results = run_beside_floor(
            spec, splits, asked, seed=seed, measuring=inputs.measuring, progress=listener
        )
    result, measured = results[0], results[0].measurements
    assert measured is not None
    if all(number is None for number in measured.metrics.values()):
        raise ModelError(" ".join(map(str, measured.remarks)))
    if json:
        several = {"splits": [prepared.split.to_json() for prepared in splits]} if len(splits) > 1 else {}
        beside = {
            floor.label: dict(floor.measurements.metrics) for floor in results[1:] if floor.measurements
        }
        say_json({**result.to_json(), "split": splits[0].split.to_json(), "beside": beside, **several})
        return
    _say_choice(spec, result)
    say_results(results, splits)


def compare(
    log: Annotated[
        str | None,
        typer.Argument(
            metavar="LOG|CONFIG.toml",
            help="The log, or a TOML file that describes the comparison: tables log, split, metrics, "
            "models, report, run, each entry as the flag of its name.",
            show_default=False,
        ),
    ] = None,
    model: options.Models = None,
    set_: options.Set = None,
    config: options.Configs = None,
    test: options.Test = None,
    split: options.SplitSpec = None,
    min_user: options.MinUser = 0,
    min_item: options.MinItem = 0,
    filter_test: options.FilterTest = False,
    metrics: options.Metrics = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder in which each result is kept as soon as it is there; the same comparison, "
            "given again, goes on from what it holds.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Write a report: .html, .md, .json, .parquet (users' values) or a folder with all of them.",
            show_default=False,
        ),
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
    item_category: options.ItemCategory = None,
    groups: options.Groups = None,
    group: options.Group = None,
    group_id: options.GroupId = None,
    seed: options.SeedOrPlan = None,
    threads: options.Threads = None,
    block_mib: options.BlockMib = None,
    json: options.Json = False,
) -> None:
    """Measure several models on the same held-out part of a log; popularity, the floor, is always among them.

    Every pair of models is tested on every metric of users.
    """
    from recsys import threads as pool
    from recsys.errors import ModelError, ParameterError, RecsysError
    from recsys.evaluation.metrics import parse_metrics
    from recsys.evaluation.pair_tests import PairTests
    from recsys.experiment.comparison import STOPPED
    from recsys.experiment.comparison import compare as compare_models
    from recsys.experiment.plan import Plan, plans_among
    from recsys.experiment.record import comparison_record, write_record
    from recsys.experiment.reporting import write_comparison
    from recsys.experiment.result_store import ResultStore
    from recsys.experiment.settings import AUTO, specs_from_flags
    from recsys.report.writing import check_report
    from recsys_cli.evaluation_inputs import check_options, default_metrics_for, read_inputs
    from recsys_cli.inputs import load_splits

    if log is not None and log.endswith(".toml"):
        config = [Path(log), *(config or [])]
        log = None
    plan, configs = plans_among(config or [])
    given = {
        "log": log, "test": test, "split": split, "min_user": min_user or None,
        "min_item": min_item or None,
        "filter_test": filter_test, "metrics": metrics, "out": out, "report": report, "user": user,
        "item": item, "value": value, "time": time, "where": where, "feedback": feedback,
        "duplicates": duplicates, "items": items, "item_id": item_id, "item_name": item_name, "seed": seed,
        "threads": threads, "item_category": item_category, "groups": groups, "group": group,
        "group_id": group_id, "block_mib": block_mib,
    }  # fmt: skip
    plan = plan or Plan({}, ())
    flags = plan.filled(given)
    flags |= {name: flags[name] or 0 for name in ("seed", "min_user", "min_item")}
    if flags["log"] is None:
        raise ParameterError("there is no log: give recsys compare LOG, or source in [log] of the config.")
    default = [AUTO, "als", "popularity"]
    specs = specs_from_flags(model or [], set_ or [], configs, default=default, planned=plan.models)
    asked = None if flags["metrics"] is None else parse_metrics(flags["metrics"])
    if flags["report"] is not None:
        check_report(flags["report"].expanduser())
    reading = options.Reading(**{name: flags[name] for name in options.Reading.__dataclass_fields__})
    extra = options.EvaluationOptions(
        **{name: flags[name] for name in options.EvaluationOptions.__dataclass_fields__}
    )
    check_options(extra, asked)
    splitting = ("test", "split", "duplicates", "seed", "min_user", "min_item", "filter_test")
    seed, folder, page = flags["seed"], flags["out"], flags["report"]
    with pool.use(flags["threads"]), progress(quiet=json) as listener:
        loaded, splits = load_splits(
            flags["log"], reading, listener, **{name: flags[name] for name in splitting}
        )
        asked = asked or default_metrics_for(extra, loaded)
        inputs = read_inputs(extra, loaded, flags["threads"])
        store = (
            None if folder is None else ResultStore(folder.expanduser(), loaded.item_names, inputs.context)
        )
        results = compare_models(
            specs,
            splits,
            asked,
            seed=seed,
            measuring=inputs.measuring,
            store=store,
            progress=listener,
        )
        measured = {r.label: r.measurements for r in results if r.measurements is not None}
        is_stopped = results[-1].error == STOPPED
        if is_stopped and not measured:
            raise KeyboardInterrupt
        if all(number is None for at in measured.values() for number in at.metrics.values()):
            troubles = [f"{r.label}: {r.error}" for r in results if r.error]
            said = dict.fromkeys(str(remark) for at in measured.values() for remark in at.remarks)
            raise ModelError(" ".join([*troubles, *said]))
    # What took the time comes first: a page that cannot be written takes no numbers with it.
    tests = PairTests(measured, seed=seed)
    record = comparison_record(results, splits, seed=seed, tests=tests)
    if store is not None:
        write_record(record, store.folder / "comparison.json")
    if not json:
        _say_choice(specs[0], results[0])
        say_results(results, splits)
        _say_answer(record)
        if store is not None:
            _say_stored(results, store.folder, is_stopped)
        elif is_stopped:
            say("Interrupted. With --out FOLDER results are kept, and the next run goes on from them.")
    trouble = None
    if page is not None:
        page = page.expanduser()
        names = [str(metric) for metric in asked]
        try:
            with pool.use(flags["threads"]), progress(quiet=json) as listener:
                write_comparison(
                    page, loaded, splits, results, names,
                    seed=seed, command=_command(), plan=_plan_text(config or []), tests=tests,
                    progress=listener,
                )  # fmt: skip
        except Exception as failure:  # whatever it is, the numbers are there
            trouble = f"results stand; the report could not be written: {type(failure).__name__}: {failure}"
            page = None
    if json:
        paths = {"report": page, "out": None if store is None else store.folder}
        say_json({**record, **{name: None if path is None else str(path) for name, path in paths.items()}})
    elif page is not None:
        say(f"Report in {page}")
    if trouble is not None:
        raise RecsysError(trouble)
    if is_stopped:
        raise typer.Exit(130)


def _say_answer(record: Mapping[str, Any]) -> None:
    say()
    for sentence in record["answer"]:
        say(f"  {sentence}")
    n_models = sum("error" not in result for result in record["results"])
    n_pairs = n_models * (n_models - 1) // 2
    if n_pairs > 0 and record["answer"]:
        say(
            f"  (in brackets 95 % intervals; significant by a paired randomisation test over users, "
            f"adjusted for {n_pairs:,} pair{'s' if n_pairs > 1 else ''} of models by Holm)"
        )


def _say_stored(results: Sequence[Result], folder: Path, is_stopped: bool) -> None:
    reused = [result.label for result in results if result.is_reused]
    if reused:
        say(f"Taken from {folder}, as made before: {', '.join(reused)}")
    done = f"Results in {folder}"
    say(f"Interrupted. {done}; the same command goes on from them." if is_stopped else done)


def _say_choice(spec: ModelSpec, result: Result) -> None:
    """Say which model "auto" took, and why."""
    if spec.name == "auto":
        task = "predicted ratings" if result.spec.name == "masked-nmf" else "lists"
        say(f"Model {result.spec.name}, for {task}; --model names another.")


def _command() -> str:
    """Return the command line as it was given, quoted for a shell."""
    import shlex
    import sys

    return shlex.join(["recsys", *sys.argv[1:]])


def _plan_text(configs: Sequence[Path]) -> dict[str, str]:
    """Return the text of each config file given, by its name."""
    from recsys.experiment.settings import config_text

    return {path.name: config_text(path) for path in configs}
