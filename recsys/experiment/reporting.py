"""What a report needs, gathered from logs, results and bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.data.load import LoadedLog
from recsys.evaluate.metrics import higher_is_better, parse_metric
from recsys.evaluate.pair_tests import PairTests
from recsys.experiment.list_profiles import list_length, profile_models
from recsys.experiment.provenance import provenance, versions
from recsys.experiment.record import comparison_record
from recsys.experiment.result import Result
from recsys.experiment.trial import Trial
from recsys.factorization.history import History
from recsys.models.bundle import Bundle
from recsys.progress import SILENT, Progress
from recsys.recommend.examples import UserExample, sample_users, user_examples
from recsys.recommend.recommender import Recommender
from recsys.recommend.themes import ThemeSet, has_themes, theme_set
from recsys.remarks import RemarkCode
from recsys.report.answer import main_metric
from recsys.report.context import ReportContext, Row
from recsys.report.facts import about_log, about_split
from recsys.report.numbers import in_words
from recsys.report.page import build_page
from recsys.report.phrases import log_in_words, name_of_log
from recsys.report.records import per_user
from recsys.report.table import intervals, ranked, table_rows
from recsys.report.writing import check_report, write_report

_MOST_THEMES = 12


@dataclass(frozen=True, eq=False)
class ExampleModel:
    """The model whose lists and themes a report shows.

    Attributes
    ----------
    label : str
    bundle : Bundle
    examples : tuple of UserExample
        Lists of some users, made by it.
    trained_on : str
        In words, to end a sentence with.
    """

    label: str
    bundle: Bundle
    examples: tuple[UserExample, ...]
    trained_on: str


def make_context(
    *,
    title: str,
    subtitle: str,
    loaded: LoadedLog,
    trials: Sequence[Trial],
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
    trials : sequence of Trial
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
    trial = trials[0]
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    tests = tests or PairTests(measured, seed=seed)
    record = comparison_record(results, trials, seed=seed, tests=tests)
    main = main_metric(list(measured.values()))
    metrics = [*(name for name in metrics if name == main), *(name for name in metrics if name != main)]
    pairs = [pair for metric in metrics for pair in tests.on(metric)]
    example = example or _example_model(results, main, loaded, trial, seed=seed)
    examples = () if example is None else example.examples
    rows = table_rows(record["results"], metrics, intervals(measured, metrics, seed=seed), pairs)
    rows = ranked(rows, metrics, main)
    by_label = {result.label: result for result in results}
    in_order = [by_label[row.label] for row in rows]
    on_first = {result.label: result.on_first_trial for result in in_order}
    description = loaded.describe()
    return ReportContext(
        title=title,
        subtitle=subtitle,
        command=command,
        seed=seed,
        answer=record["answer"],
        remarks=_remarks(results, len(trials)),
        main_metric=main,
        metrics=metrics,
        rows=rows,
        pairs=pairs,
        measured={label: values for label, values in on_first.items() if values is not None},
        log=loaded.log,
        train=trial.train,
        seen=trial.seen,
        held_out=trial.held_out,
        window=_window(trial),
        list_profiles=profile_models(trial, in_order, main, progress=progress),
        list_length=list_length(main, trial.train.n_items) or 0,
        histories=_histories(results),
        theme_sets=_theme_sets(results, loaded, trial, example),
        examples=examples,
        examples_intro=_examples_intro(example, rows, main),
        log_facts=about_log(description),
        split_facts=about_split(trial.split),
        configs=[(model["label"], model["config"]) for model in record["results"]],
        provenance=provenance([part.split for part in trials], trial.train.digest, seed=seed),
        versions=versions(),
        plan=dict(plan or {}),
        record={
            "n_users": max((values.n_users for values in measured.values()), default=0),
            "log": description,
            **record,
            "splits": [part.split.to_json() for part in trials],
        },
    )


def write_comparison(
    path: Path,
    loaded: LoadedLog,
    trials: Sequence[Trial],
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
        subtitle=f"{log_in_words(loaded.describe())} {trials[0].split.description.text}",
        loaded=loaded,
        trials=trials,
        results=results,
        metrics=metrics,
        seed=seed,
        command=command,
        plan=plan,
        tests=tests,
        progress=progress,
    )
    ids = trials[0].user_ids
    for trial in trials[1:]:
        ids, _ = ids.union(trial.user_ids)
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    write_report(build_page(context), path, per_user(measured, ids))


def best_with_themes(results: Sequence[Result], metric: str | None) -> Result | None:
    """Return the best of the models that can say why they list what they list."""
    able = [result for result in results if has_themes(result.model)]
    if not able or metric is None:
        return able[0] if able else None
    sign = -1.0 if higher_is_better(metric) is False else 1.0

    def value(result: Result) -> float:
        measured = None if result.measurements is None else result.measurements.metrics.get(metric)
        return -np.inf if measured is None else sign * measured

    return max(able, key=value)


def _example_model(
    results: Sequence[Result], main: str | None, loaded: LoadedLog, trial: Trial, *, seed: int
) -> ExampleModel | None:
    best = best_with_themes(results, main)
    if best is None or best.model is None:
        return None
    bundle = Bundle.of(best.model, trial.train, item_names=loaded.item_names)
    examples = _examples(bundle, trial, seed=seed)
    return ExampleModel(best.label, bundle, examples, "trained without what is held out")


def _examples(
    bundle: Bundle, trial: Trial, *, seed: int, n_users: int = 3, n: int = 10
) -> tuple[UserExample, ...]:
    """Choose users whose later items are known, where the users measured are those trained on."""
    held_out = trial.held_out if trial.histories is None else None
    candidates = None if held_out is None else held_out.n_held_out > 0
    rows = sample_users(trial.train, n_users, seed=seed, candidates=candidates)
    lists = Recommender(bundle).recommend([trial.train.user_ids[int(row)] for row in rows], n)
    return user_examples(bundle, lists, held_out=held_out)


def _examples_intro(example: ExampleModel | None, rows: Sequence[Row], main: str | None) -> str:
    """Return whose lists are shown, and why not those of the best."""
    if example is None or not example.examples:
        return ""
    best = next((row.label for row in rows if row.error is None), example.label)
    why = ""
    if best != example.label and main is not None:
        why = f", the best on {main} of the models that can give reasons, which {best}, ahead of it, cannot"
    return f"Lists and reasons are those of {example.label}{why}. It was {example.trained_on}."


def _theme_sets(
    results: Sequence[Result], loaded: LoadedLog, trial: Trial, example: ExampleModel | None
) -> tuple[ThemeSet, ...]:
    """Return the largest themes of each model that has some, first those of the model of the examples.

    Of the latter, the themes that an example names as a reason are among them, whatever their share.
    """
    sets = []
    if example is not None:
        named = {theme for shown in example.examples for _, _, _, theme, _ in shown.listed}
        sets.append(theme_set(example.bundle, example.label, most=_MOST_THEMES, also=named))
    for result in results:
        is_shown = example is not None and result.label == example.label
        if result.model is not None and has_themes(result.model) and not is_shown:
            bundle = Bundle.of(result.model, trial.train, item_names=loaded.item_names)
            sets.append(theme_set(bundle, result.label, most=_MOST_THEMES))
    return tuple(sets)


def _remarks(results: Sequence[Result], n_trials: int) -> list[str]:
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
    if n_trials > 1:
        remarks.append(
            f"Values are of {n_trials} splits, pooled by user; curves, groups, lists and themes are of the "
            f"models of the first."
        )
    return remarks


def _histories(results: Sequence[Result]) -> Mapping[str, History]:
    """Return the histories of descents: the objective of a sampler wanders, and does not converge."""
    models = {r.label: r.model for r in results if r.model is not None}
    histories = {label: model.history for label, model in models.items() if not model.is_sampled}
    return {label: history for label, history in histories.items() if history is not None}


def _window(trial: Trial) -> Sequence[str | int] | None:
    """Return the stretch of time that is held out; only a split by time holds out one."""
    return trial.split.audit.window if trial.split.description.is_by_time else None
