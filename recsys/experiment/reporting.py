"""What a report needs, gathered from logs, results and bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.data.loaded_log import LoadedLog
from recsys.evaluation.metrics import parse_metric
from recsys.evaluation.pair_tests import PairTests
from recsys.experiment.example_model import ExampleModel, example_model, examples_intro, theme_sets
from recsys.experiment.list_profiles import list_length, profile_models
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.provenance import provenance, versions
from recsys.experiment.record import comparison_record
from recsys.experiment.result import Result
from recsys.factorization.history import History
from recsys.progress import SILENT, Progress
from recsys.remarks import RemarkCode
from recsys.report.answer import main_metric
from recsys.report.context import ReportContext
from recsys.report.facts import about_log, about_split
from recsys.report.numbers import in_words
from recsys.report.page import build_page
from recsys.report.phrases import log_in_words, name_of_log
from recsys.report.records import per_user
from recsys.report.table import intervals, ranked, table_rows
from recsys.report.writing import check_report, write_report


def make_context(
    *,
    title: str,
    subtitle: str,
    loaded: LoadedLog,
    splits: Sequence[PreparedSplit],
    results: Sequence[Result],
    metrics: Sequence[str],
    seed: int,
    command: str,
    plan: Mapping[str, str] | None = None,
    example: ExampleModel | None = None,
    tests: PairTests | None = None,
    progress: Progress = SILENT,
) -> ReportContext:
    """Gather what the sections of a report are built from.

    Parameters
    ----------
    title, subtitle, command : str
    loaded : LoadedLog
    splits : sequence of PreparedSplit
        Of several, the models at hand are those of the first, and so are the profiles of their lists.
    results : sequence of Result
    metrics : sequence of str
    seed : int
        Of the intervals and tests.
    plan : mapping of name to text, optional
        The files that the command reads.
    example : ExampleModel, optional
        By default the best of the results that has themes, with some users whose later items are known.
    tests : PairTests, optional
        Of the same results and seed, where they are made already.
    progress : Progress
    """
    prepared = splits[0]
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    tests = tests or PairTests(measured, seed=seed)
    record = comparison_record(results, splits, seed=seed, tests=tests)
    main = main_metric(list(measured.values()))
    metrics = [*(name for name in metrics if name == main), *(name for name in metrics if name != main)]
    pairs = [pair for metric in metrics for pair in tests.on(metric)]
    example = example or example_model(results, main, loaded, prepared, seed=seed)
    examples = () if example is None else example.examples
    rows = table_rows(record["results"], metrics, intervals(measured, metrics, seed=seed), pairs)
    rows = ranked(rows, metrics, main)
    by_label = {result.label: result for result in results}
    in_order = [by_label[row.label] for row in rows]
    on_first = {result.label: result.on_first_split for result in in_order}
    description = loaded.describe()
    return ReportContext(
        title=title,
        subtitle=subtitle,
        command=command,
        seed=seed,
        answer=record["answer"],
        remarks=_remarks(results, len(splits)),
        main_metric=main,
        metrics=metrics,
        rows=rows,
        pairs=pairs,
        measured={label: values for label, values in on_first.items() if values is not None},
        log=loaded.log,
        train=prepared.train,
        seen=prepared.seen,
        held_out=prepared.held_out,
        window=_window(prepared),
        list_profiles=profile_models(prepared, in_order, main, progress=progress),
        list_length=list_length(main, prepared.train.n_items) or 0,
        histories=_histories(results),
        theme_sets=theme_sets(results, loaded, prepared, example),
        examples=examples,
        examples_intro=examples_intro(example, rows, main),
        log_facts=about_log(description),
        split_facts=about_split(prepared.split),
        configs=[(model["label"], model["config"]) for model in record["results"]],
        provenance=provenance([part.split for part in splits], prepared.train.digest, seed=seed),
        versions=versions(),
        plan=dict(plan or {}),
        record={
            "n_users": max((values.n_users for values in measured.values()), default=0),
            "log": description,
            **record,
            "splits": [part.split.to_json() for part in splits],
        },
    )


def write_comparison(
    path: Path,
    loaded: LoadedLog,
    splits: Sequence[PreparedSplit],
    results: Sequence[Result],
    metrics: Sequence[str],
    *,
    seed: int,
    command: str,
    plan: Mapping[str, str] | None = None,
    tests: PairTests | None = None,
    progress: Progress = SILENT,
) -> None:
    """Write the report of a comparison in the form that the path asks for; see `check_report`.

    Parameters as in `make_context`.
    """
    check_report(path)
    n_models = len(results)
    compared = f"{n_models} models compared" if n_models > 1 else f"{results[0].label} measured"
    context = make_context(
        title=f"{name_of_log(loaded.source)}: {compared}",
        subtitle=f"{log_in_words(loaded.describe())} {splits[0].split.description.text}",
        loaded=loaded,
        splits=splits,
        results=results,
        metrics=metrics,
        seed=seed,
        command=command,
        plan=plan,
        tests=tests,
        progress=progress,
    )
    ids = splits[0].user_ids
    for prepared in splits[1:]:
        ids, _ = ids.union(prepared.user_ids)
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    write_report(build_page(context), path, per_user(measured, ids))


def _remarks(results: Sequence[Result], n_splits: int) -> list[str]:
    """Return remarks on the models; one that applies to several names them all."""
    said: dict[str, list[str]] = {}
    ranking: list[str] = []
    errors: list[str] = []
    for result in results:
        if result.measurements is None:
            continue
        for remark in result.measurements.remarks:
            if remark.code is RemarkCode.PREDICTS_NO_VALUES:
                ranking.append(result.label)
                errors = [name for name in result.measurements.metrics if parse_metric(name).is_error]
            else:
                said.setdefault(remark.text, []).append(result.label)
    remarks = [f"{in_words(labels)}: {text}" for text, labels in said.items()]
    if ranking:
        rank = "rank" if len(ranking) > 1 else "ranks"
        remarks.append(f"{in_words(ranking)} only {rank} items: no {' or '.join(errors)}.")
    without = [r.label for r in results if r.measurements is not None and r.model is None]
    if without:
        remarks.append(
            f"Charts of lists leave out {in_words(without)}: of an earlier run only what was measured is "
            f"kept, not the model."
        )
    if n_splits > 1:
        remarks.append(
            f"Values are of {n_splits} splits, pooled by user; curves, groups, lists and themes are of the "
            f"models of the first."
        )
    return remarks


def _histories(results: Sequence[Result]) -> Mapping[str, History]:
    """Return the histories of descents: the objective of a sampler wanders, and does not converge."""
    models = {r.label: r.model for r in results if r.model is not None}
    histories = {label: model.history for label, model in models.items() if not model.is_sampled}
    return {label: history for label, history in histories.items() if history is not None}


def _window(prepared: PreparedSplit) -> Sequence[str | int] | None:
    """Return the stretch of time that is held out; only a split by time holds out one."""
    return prepared.split.audit.window if prepared.split.description.is_by_time else None
