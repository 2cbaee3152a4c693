"""What a report needs, gathered from logs, results and bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.data.load import LoadedLog
from recsys.evaluate.significance import PairTest, compare_pairs
from recsys.experiment.looking import figures_of_models
from recsys.experiment.provenance import provenance, versions
from recsys.experiment.record import comparison_record
from recsys.experiment.result import Result
from recsys.experiment.showcase import best_with_themes, sample_users, stories, theme_sets
from recsys.experiment.trial import Trial
from recsys.factorization.history import History
from recsys.models.bundle import Bundle
from recsys.progress import SILENT, Progress
from recsys.recommend.recommender import Recommender
from recsys.report import cost_figures, log_figures
from recsys.report.answer import main_metric
from recsys.report.facts import about_log, about_split
from recsys.report.numbers import joined
from recsys.report.page import Figure, Page, Row, Story
from recsys.report.phrases import log_in_words, name_of_log, split_in_words
from recsys.report.records import per_user
from recsys.report.table import intervals, ranked, table_rows
from recsys.report.writing import check_report, write_report

# How the evaluation says of one model what a report says of several.
_NO_VALUES = "ranks items but predicts no values"


@dataclass(frozen=True, eq=False)
class Shown:
    """The model, with themes, that a page shows at work.

    Attributes
    ----------
    label : str
    bundle : Bundle
    stories : tuple of Story
        Lists of some users, made by it.
    trained_on : str
        In words, to end a sentence with.
    """

    label: str
    bundle: Bundle
    stories: tuple[Story, ...]
    trained_on: str


def make_page(
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
    shown: Shown | None = None,
    progress: Progress = SILENT,
) -> Page:
    """Gather a page.

    Parameters
    ----------
    title, subtitle, command : str
    loaded : LoadedLog
    trials : sequence of Trial
        Of several, the models at hand are those of the first, and so are the closer looks.
    results : sequence of Result
    metrics : sequence of str
    seed : int
        Of the intervals and tests.
    plan : mapping of name to text, optional
        The files that the command reads.
    shown : Shown, optional
        By default the best of the results that has themes, with some users whose later items are known.
    progress : Progress
    """
    trial = trials[0]
    record = comparison_record(results, trials, seed=seed)
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    main = main_metric(list(measured.values()))
    metrics = [*(name for name in metrics if name == main), *(name for name in metrics if name != main)]
    pairs: list[PairTest] = [
        pair for metric in metrics for pair in compare_pairs(measured, metric, seed=seed)
    ]
    shown = shown or _shown(results, main, loaded, trial, seed=seed)
    rows = table_rows(record["results"], metrics, intervals(measured, metrics, seed=seed), pairs)
    rows = ranked(rows, metrics, main)
    by_label = {result.label: result for result in results}
    description = loaded.describe()
    return Page(
        title=title,
        subtitle=subtitle,
        answer=record["answer"],
        remarks=_remarks(results, len(trials)),
        main_metric=main,
        metrics=metrics,
        rows=rows,
        pairs=pairs,
        figures={
            **figures_of_models(
                trial, [by_label[row.label] for row in rows], main, seed=seed, progress=progress
            ),
            "cost": _present(
                cost_figures.cost(rows),
                cost_figures.memory(rows),
                cost_figures.convergence(_histories(results)),
            ),
            "log": _of_log(loaded, trial),
        },
        themes=theme_sets(
            results,
            trial.train,
            loaded.item_names,
            shown=None if shown is None else shown.bundle,
            label="" if shown is None else shown.label,
            told=() if shown is None else shown.stories,
        ),
        stories=() if shown is None else shown.stories,
        told_by=_told_by(shown, rows, main),
        facts=about_log(description),
        audit=about_split(trial.split),
        configs=[(found["label"], found["config"]) for found in record["results"]],
        provenance=provenance([at.split for at in trials], trial.train.digest, seed=seed),
        versions=versions(),
        command=command,
        plan=dict(plan or {}),
        feedback=loaded.log.feedback,
        source={
            "n_users": max((at.n_users for at in measured.values()), default=0),
            "log": description,
            **record,
            "splits": [dict(at.split) for at in trials],
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
    progress: Progress = SILENT,
) -> None:
    """Write the report of a comparison in the form that the path asks for; see `check_report`."""
    check_report(path)
    n_models = len(results)
    compared = f"{n_models} models compared" if n_models > 1 else f"{results[0].label} measured"
    page = make_page(
        title=f"{name_of_log(loaded.source)}: {compared}",
        subtitle=f"{log_in_words(loaded.describe())} {split_in_words(str(trials[0].split['name']))}",
        loaded=loaded,
        trials=trials,
        results=results,
        metrics=metrics,
        seed=seed,
        command=command,
        plan=plan,
        progress=progress,
    )
    ids = trials[0].user_ids
    for trial in trials[1:]:
        ids, _ = ids.joined(trial.user_ids)
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    write_report(page, path, per_user(measured, ids))


def _shown(
    results: Sequence[Result], main: str | None, loaded: LoadedLog, trial: Trial, *, seed: int
) -> Shown | None:
    best = best_with_themes(results, main)
    if best is None or best.model is None:
        return None
    bundle = Bundle.of(best.model, trial.train, item_names=loaded.item_names)
    told = _told(bundle, trial, seed=seed)
    return Shown(best.label, bundle, told, "trained without what is held out")


def _told(bundle: Bundle, trial: Trial, *, seed: int, n_users: int = 3, n: int = 10) -> tuple[Story, ...]:
    """Tell of some users whose later items are known, where the users measured are those trained on."""
    held_out = trial.held_out if trial.told is None else None
    among = None if held_out is None else held_out.n_held_out > 0
    rows = sample_users(trial.train, n_users, seed=seed, among=among)
    lists = Recommender(bundle).recommend([trial.train.user_ids[int(row)] for row in rows], n)
    return stories(bundle, lists, held_out=held_out)


def _told_by(shown: Shown | None, rows: Sequence[Row], main: str | None) -> str:
    """Say whose lists are shown, and why not those of the best."""
    if shown is None or not shown.stories:
        return ""
    best = next((row.label for row in rows if row.error is None), shown.label)
    why = ""
    if best != shown.label and main is not None:
        why = f", the best on {main} of the models that can give reasons, which {best}, ahead of it, cannot"
    return f"Lists and reasons are those of {shown.label}{why}. It was {shown.trained_on}."


def _remarks(results: Sequence[Result], n_trials: int) -> list[str]:
    """Return what is to be said of the models, what is the same of several in one."""
    said: dict[str, list[str]] = {}
    for result in results:
        for remark in () if result.measurements is None else result.measurements.remarks:
            own = remark.removeprefix(result.label).removeprefix(result.spec.name).lstrip(" :")
            said.setdefault(_NO_VALUES if own.startswith(_NO_VALUES) else own, []).append(result.label)
    ranking = said.pop(_NO_VALUES, [])
    remarks = [f"{joined(labels)}: {remark}" for remark, labels in said.items()]
    if ranking:
        remarks.append(f"{joined(ranking)} only rank{'' if len(ranking) > 1 else 's'} items: no rmse or mae.")
    without = [r.label for r in results if r.measurements is not None and r.model is None]
    if without:
        remarks.append(
            f"Charts of lists leave out {joined(without)}: of an earlier run only what was measured is "
            f"kept, not the model."
        )
    if n_trials > 1:
        remarks.append(
            f"Values are of {n_trials} splits, pooled by user; curves, groups, lists and themes are of the "
            f"models of the first."
        )
    return remarks


def _histories(results: Sequence[Result]) -> Mapping[str, History]:
    """Return the histories of descents: the objective of a sampler wanders, and nothing is to settle."""
    models = {r.label: r.model for r in results if r.model is not None}
    found = {label: at.history for label, at in models.items() if "n_draws" not in at.get_params()}
    return {label: history for label, history in found.items() if history is not None}


def _of_log(loaded: LoadedLog, trial: Trial) -> list[Figure]:
    audit = trial.split.get("audit") or {}
    # Only a split by time holds out a stretch of it.
    window = audit.get("window") if str(trial.split["name"]).startswith("time") else None
    log = loaded.log
    over_time = None if log.times is None else log_figures.over_time(log.times, log.time_kind, window)
    tail = log_figures.long_tail(trial.train.item_counts, trial.train.by_user.counts)
    return _present(tail, over_time)


def _present(*found: Figure | None) -> list[Figure]:
    return [figure for figure in found if figure is not None]
