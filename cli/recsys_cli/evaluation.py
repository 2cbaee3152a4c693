"""``recsys evaluate`` and ``recsys compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.held_out_options import HeldOutOptions, LabelOptions
from recsys_cli.output import capped, given_command, progress, say, say_json, say_remarks
from recsys_cli.results import say_results
from recsys_cli.rule_options import RuleOptions
from recsys_cli.spark import EngineOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from recsys.experiment.answers import Comparison
    from recsys.experiment.result import Result
    from recsys.experiment.settings import ModelSpec
    from recsys.recommend.rules import Rules

_TRAINED = "A trained model"


@grouped
def evaluate(
    read_as: LogFormat,
    held_out: HeldOutOptions,
    labels: LabelOptions,
    rules: RuleOptions,
    engine: EngineOptions,
    log: options.LogOrConfig = None,
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help="Train nothing: measure the lists of a model, whose folder stands before LOG, on events "
            "from then on; 'training' stands for what came after its training.",
            rich_help_panel=_TRAINED,
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option("--by", help="With --since: day, week or month (30 days).", rich_help_panel=_TRAINED),
    ] = "week",
    report: options.Report = None,
    items: options.Items = None,
    duplicates: options.DuplicateRule = None,
    seed: options.SeedOrPlan = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Train on one part of a log and measure on the part held out; or measure a trained model by --since.

    With --since DATE it is: recsys evaluate MODEL NEWLOG --since DATE.
    """
    import recsys
    from recsys.experiment.plan import report_path
    from recsys.experiment.training import amounts_as_ratings
    from recsys_cli.inputs import one_spec, rules_of, run_of
    from recsys_cli.monitoring import measure_model

    on_spark = engine.is_spark
    if on_spark:
        engine.check({"since": since, "memory": memory, "threads": threads})
    if since is not None:
        unused = options.given(
            held_out, labels, rules, model=model, set=set_, config=config, report=report, items=items,
            duplicates=duplicates,
        )  # fmt: skip
        unused.pop("metrics", None)
        measure_model(
            log or [],
            read_as,
            since,
            by,
            held_out.metrics,
            unused=unused,
            seed=seed,
            threads=threads,
            json=json,
        )
        return
    ruled = rules_of(rules, items=items, item_id=read_as.item_id, item_category=labels.item_category)
    flags = options.flags(
        read_as, held_out, labels,
        log=options.source_of(log), items=items, report=report, duplicates=duplicates, seed=seed,
        threads=threads, rules=ruled,
    )  # fmt: skip
    run, _ = run_of(flags, [config] if config else [], command="evaluate")
    spec = one_spec(model, set_, run.configs, run.models)
    flags = dict(run.flags)
    page = report_path(flags.pop("report"))
    if flags["item_name"] is None:  # --items is read for its categories here; names are not shown
        del flags["item_name"]
    plan = recsys.EvaluationPlan.from_flags((spec,), flags)
    with capped(memory), progress(quiet=json) as listener:
        if on_spark:
            import recsys.spark

            done = recsys.spark.evaluate(plan, progress=listener, **engine.cluster)
        else:
            done = recsys.evaluate(plan, progress=listener)
        if page is not None:
            done.report(page, command=given_command(), plan=run.texts, progress=listener)
    if json:
        splits = [prepared.split.to_json() for prepared in done.splits]
        beside = {
            floor.label: dict(floor.measurements.metrics) for floor in done.beside if floor.measurements
        }
        several = {"splits": splits} if len(splits) > 1 else {}
        paths = {} if page is None else {"report": str(page)}
        record = {**done.result.to_json(), "split": splits[0], "beside": beside, **several, **paths}
        say_json({**record, "log": done.loaded.describe()})
        return
    _say_choice(spec, done.result)
    say_remarks([*done.loaded.remarks, *amounts_as_ratings(done.loaded, [done.result.spec])])
    _say_rules(ruled)
    say_results(done.results, done.splits)
    if page is not None:
        say(f"Report in {page}")


@grouped
def compare(
    read_as: LogFormat,
    held_out: HeldOutOptions,
    labels: LabelOptions,
    rules: RuleOptions,
    log: options.LogOrConfig = None,
    model: options.Models = None,
    set_: options.Set = None,
    config: options.Configs = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder in which each result is kept as soon as it is there; the same comparison, "
            "given again, goes on from what it holds.",
            show_default=False,
        ),
    ] = None,
    report: options.Report = None,
    items: options.Items = None,
    duplicates: options.DuplicateRule = None,
    seed: options.SeedOrPlan = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Measure several models on the same held-out part of a log; popularity, the floor, is always among them.

    Every pair of models is tested on every metric of users.
    """
    import recsys
    from recsys.experiment.plan import read_comparison
    from recsys.experiment.training import amounts_as_ratings
    from recsys.files import reserved
    from recsys_cli.inputs import rules_of

    ruled = rules_of(rules, items=items, item_id=read_as.item_id, item_category=labels.item_category)
    flags = options.flags(
        read_as, held_out, labels,
        log=options.source_of(log), items=items, out=out, report=report, duplicates=duplicates, seed=seed,
        threads=threads, rules=ruled,
    )  # fmt: skip
    plan, page, files = read_comparison(flags, model or [], set_ or [], config or [])
    with capped(memory), reserved(page, wait=0.5), progress(quiet=json) as listener:
        done = recsys.compare(plan, progress=listener)
    # What took the time comes first: a file that cannot be written takes no numbers with it.
    trouble = next((result.not_stored for result in done.results if result.not_stored), None)
    if plan.out is not None and trouble is None:
        try:
            done.write_record(plan.out / "comparison.json")
        except OSError as failure:
            trouble = str(failure)
    if trouble is not None:
        trouble = f"results stand, but not all are kept: {trouble}"
    if not json:
        _say_choice(plan.models[0], done.results[0])
        asked = [result.spec for result in done.results[: len(plan.models)]]
        say_remarks([*done.loaded.remarks, *amounts_as_ratings(done.loaded, asked)])
        _say_rules(ruled)
        say_results(done.results, done.splits)
        _say_answer(done.record)
        _say_stored(done, plan.out, is_kept=trouble is None)
    if page is not None:
        try:
            with progress(quiet=json) as listener:
                done.report(page, command=given_command(), plan=files, progress=listener)
        except Exception as failure:  # whatever it is, the numbers are there
            kind = "" if isinstance(failure, recsys.RecsysError) else f"{type(failure).__name__}: "
            unwritten = f"the report could not be written: {kind}{failure}"
            trouble = f"results stand; {unwritten}" if trouble is None else f"{trouble} And {unwritten}"
            page = None
    if json:
        paths = {"report": page, "out": plan.out}
        written = {name: None if path is None else str(path) for name, path in paths.items()}
        say_json({**done.record, **written, "log": done.loaded.describe()})
    elif page is not None:
        say(f"Report in {page}")
    if trouble is not None:
        raise recsys.RecsysError(trouble)
    if done.is_stopped:
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


def _say_stored(done: Comparison, folder: Path | None, *, is_kept: bool) -> None:
    if folder is None:
        if done.is_stopped:
            say("Interrupted. With --out FOLDER results are kept, and the next run goes on from them.")
        return
    reused = [result.label for result in done.results if result.is_reused]
    if reused:
        say(f"Taken from {folder}, as made before: {', '.join(reused)}")
    where = f"Results in {folder}"
    if not is_kept:
        return
    say(f"Interrupted. {where}; the same command goes on from them." if done.is_stopped else where)


def _say_rules(rules: Rules | None) -> None:
    """Say that lists keep to rules, so that nobody takes the numbers for those of free lists."""
    if rules is not None:
        say("Lists keep to the rules given; a held-out item that may not be listed counts as missed.")


def _say_choice(spec: ModelSpec, result: Result) -> None:
    """Say which model "auto" took, and why."""
    if spec.name == "auto":
        task = "predicted ratings" if result.spec.name == "masked-nmf" else "lists"
        say(f"Model {result.spec.name}, for {task}; --model names another.")
