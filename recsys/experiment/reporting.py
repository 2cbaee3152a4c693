"""What a report needs, gathered from logs, results and bundles."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from recsys._version import __version__
from recsys.data.load import LoadedLog
from recsys.evaluate.measurements import Measurements
from recsys.evaluate.significance import PairTest, compare_pairs
from recsys.experiment.result import Result
from recsys.experiment.showcase import best_with_themes, sample_users, stories, theme_sets
from recsys.experiment.trial import Trial
from recsys.factorization.history import History
from recsys.models.bundle import Bundle
from recsys.progress import SILENT, Progress
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.recommender import Recommender
from recsys.report import figures
from recsys.report.answer import main_metric, sentences
from recsys.report.closeup import Closeup, held_out_shares, look_closer
from recsys.report.facts import about_log, about_split
from recsys.report.groups import by_activity, by_popularity
from recsys.report.page import Figure, Page, Story
from recsys.report.records import per_user
from recsys.report.table import intervals, ranked, table_rows
from recsys.report.writing import check_report, write_report

_PACKAGES = ("numpy", "scipy", "pandas", "numba", "implicit", "duckdb", "pyarrow", "safetensors")
# Metrics whose value grows, or falls, with the list in a way that is worth a curve.
_WITH_CURVES = ("ndcg", "recall", "precision", "capped-recall", "f1", "hit-rate", "mrr", "map", "graded-ndcg")


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a number."""
    found = {"recsys": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def make_page(
    *,
    title: str,
    subtitle: str,
    loaded: LoadedLog,
    trials: Trial | Sequence[Trial],
    results: Sequence[Result],
    metrics: Sequence[str],
    seed: int,
    command: str,
    showcase: Bundle | None = None,
    recommended: Recommendations | None = None,
    progress: Progress = SILENT,
) -> Page:
    """Gather a page.

    Parameters
    ----------
    title, subtitle, command : str
    loaded : LoadedLog
    trials : Trial or sequence of Trial
        Of several, the models at hand are those of the first, and so are the closer looks.
    results : sequence of Result
    metrics : sequence of str
    seed : int
        Of the intervals and tests.
    showcase : Bundle, optional
        The model, with themes, that is shown with its lists; by default the first result's that has
        themes, trained without what is held out.
    recommended : Recommendations, optional
        Lists of the users to tell of, by ``showcase``.
    progress : Progress
    """
    every = [trials] if isinstance(trials, Trial) else list(trials)
    trial = every[0]
    records = [result.to_json() for result in results]
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    main = main_metric(list(measured.values()))
    pairs: list[PairTest] = [
        pair for metric in metrics for pair in compare_pairs(measured, metric, seed=seed)
    ]
    told: tuple[Story, ...] = ()
    shown = best_with_themes(results, main)
    if showcase is not None and recommended is not None:
        told = stories(showcase, recommended)
    elif shown is not None and shown.model is not None:
        showcase = Bundle.of(shown.model, trial.train, item_names=loaded.item_names)
        told = _told(showcase, trial, seed=seed)
    rows = table_rows(records, metrics, intervals(measured, metrics, seed=seed), pairs)
    rows = ranked(rows, metrics, main)
    by_label = {result.label: result for result in results}
    best_first = [by_label[row.label] for row in rows]
    description = loaded.describe()
    remarks = _remarks(measured)
    without = [r.label for r in results if r.measurements is not None and r.model is None]
    if without:
        remarks.append(
            f"Charts of lists leave out {_joined(without)}: of an earlier run only what was measured is "
            f"kept, not the model."
        )
    if len(every) > 1:
        remarks.append(
            f"Values are of {len(every)} splits, pooled by user; curves, groups, lists and themes are of the "
            f"models of the first."
        )
    return Page(
        title=title,
        subtitle=subtitle,
        answer=sentences(measured, seed=seed),
        remarks=remarks,
        main_metric=main,
        metrics=list(metrics),
        rows=rows,
        pairs=pairs,
        figures={
            **_quality(trial, best_first, main, seed=seed, progress=progress),
            "cost": _present(figures.cost(rows), figures.convergence(_histories(results))),
            "log": _of_log(loaded, trial),
        },
        themes=theme_sets(
            results,
            trial.train,
            loaded.item_names,
            shown=showcase,
            label="" if shown is None else shown.label,
            told=told,
        ),
        stories=told,
        facts=about_log(description),
        audit=about_split(trial.split),
        configs=[(record["label"], record["config"]) for record in records],
        provenance=[
            ("seed", str(seed)),
            ("training data", f"SHA-256 {trial.train.digest}"),
            *(("split", f"SHA-256 {at.split['digest']}") for at in every if at.split["digest"]),
            *versions().items(),
        ],
        command=command,
        feedback=loaded.log.feedback,
        source={
            "n_users": max((at.n_users for at in measured.values()), default=0),
            "log": description,
            "splits": [dict(at.split) for at in every],
            "results": records,
        },
    )


def write_comparison(
    path: Path,
    loaded: LoadedLog,
    trials: Trial | Sequence[Trial],
    results: Sequence[Result],
    metrics: Sequence[str],
    *,
    seed: int,
    command: str,
    progress: Progress = SILENT,
) -> None:
    """Write the report of a comparison in the form that the path asks for; see `check_report`."""
    check_report(path)
    every = [trials] if isinstance(trials, Trial) else list(trials)
    split = every[0].split["name"]
    several = f", {len(every)} parts" if len(every) > 1 else ""
    page = make_page(
        title=f"{Path(loaded.source).name}: {_number(len(results))} compared",
        subtitle=f"{_joined([result.label for result in results])} on the same held-out data; "
        f"split {split}{several}.",
        loaded=loaded,
        trials=every,
        results=results,
        metrics=metrics,
        seed=seed,
        command=command,
        progress=progress,
    )
    ids = every[0].user_ids
    for trial in every[1:]:
        ids, _ = ids.joined(trial.user_ids)
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    write_report(page, path, per_user(measured, ids))


def _told(bundle: Bundle, trial: Trial, *, seed: int, n_users: int = 3, n: int = 10) -> tuple[Story, ...]:
    """Tell of some users whose later items are known, where the users measured are those trained on."""
    held_out = trial.held_out if trial.told is None else None
    among = None if held_out is None else held_out.n_held_out > 0
    rows = sample_users(trial.train, n_users, seed=seed, among=among)
    lists = Recommender(bundle).recommend([trial.train.user_ids[int(row)] for row in rows], n)
    return stories(bundle, lists, held_out=held_out)


def _quality(
    trial: Trial, results: Sequence[Result], main: str | None, *, seed: int, progress: Progress
) -> dict[str, list[Figure]]:
    """Return the figures for which models rank once more."""
    family, _, length = (main or "").partition("@")
    if main is None or family not in _WITH_CURVES:
        return {}
    k = min(int(length), trial.train.n_items)
    items = by_popularity(trial.train.item_counts)
    closeups: dict[str, Closeup] = {}
    values: dict[str, float] = {}
    measured: dict[str, Measurements] = {}
    for result in results:
        at = result.parts[0].measurements if result.parts else result.measurements
        value = None if at is None else at.metrics[main]
        if at is None or value is None:
            continue
        measured[result.label] = at
        if result.model is None:
            continue
        values[result.label] = value
        closeups[result.label] = look_closer(
            trial.answering(result.model),
            trial.seen,
            trial.held_out,
            metric=family,
            k=k,
            catalogue=trial.catalogue,
            items=items,
            progress=progress,
        )
    users = next(iter(measured.values())).users if measured else np.zeros(0, dtype=np.int64)
    groups = by_activity(trial.seen.counts[users])
    found = {"groups": _present(figures.by_activity(measured, main, groups, seed=seed))}
    if closeups:
        shares = held_out_shares(trial.held_out, items)
        found["groups"] += _present(
            figures.by_popularity(closeups, items, k), figures.places(closeups, shares, items, k)
        )
        found["quality"] = [
            figures.curve(closeups, family),
            *figures.trade_offs(closeups, main, values, k),
        ]
    return {name: found[name] for name in ("quality", "groups") if found.get(name)}


def _remarks(measured: Mapping[str, Measurements]) -> list[str]:
    """Return what is to be said of the models, what is the same of several in one."""
    said: dict[str, list[str]] = {}
    for label, at in measured.items():
        for remark in at.remarks:
            said.setdefault(remark.removeprefix(label).lstrip(" :"), []).append(label)
    return [f"{_joined(labels)}: {remark}" for remark, labels in said.items()]


def _histories(results: Sequence[Result]) -> Mapping[str, History]:
    found = {r.label: r.model.history for r in results if r.model is not None}
    return {label: history for label, history in found.items() if history is not None}


def _of_log(loaded: LoadedLog, trial: Trial) -> list[Figure]:
    audit = trial.split.get("audit") or {}
    # Only a split by time holds out a stretch of it.
    window = audit.get("window") if str(trial.split["name"]).startswith("time") else None
    log = loaded.log
    over_time = None if log.times is None else figures.over_time(log.times, log.time_kind, window)
    tail = figures.long_tail(trial.train.item_counts, trial.train.by_user.counts)
    return _present(tail, over_time)


def _present(*found: Figure | None) -> list[Figure]:
    return [figure for figure in found if figure is not None]


def _joined(labels: Sequence[str]) -> str:
    return f"{', '.join(labels[:-1])} and {labels[-1]}" if len(labels) > 1 else labels[0]


def _number(n: int) -> str:
    return "1 model" if n == 1 else f"{n} models"
