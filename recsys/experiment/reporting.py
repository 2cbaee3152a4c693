"""What a report needs, gathered from logs, results and bundles."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from recsys._version import __version__
from recsys.data.interactions import Interactions
from recsys.data.load import LoadedLog
from recsys.experiment.comparison import Result
from recsys.experiment.trial import Trial
from recsys.models.bundle import Bundle
from recsys.models.factor_model import FactorModel
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.recommender import Recommender
from recsys.recommend.themes import Theme, themes
from recsys.report.answer import sentences
from recsys.report.page import Page, Story, table_rows, write_page
from recsys.rng import stream
from recsys.typing import Int64Array

_PACKAGES = ("numpy", "scipy", "pandas", "numba", "implicit", "duckdb", "pyarrow", "safetensors")


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a number."""
    found = {"recsys": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def sample_users(train: Interactions, n: int, *, seed: int) -> Int64Array:
    """Draw users of middling activity: neither the few who buy everything nor those with next to nothing."""
    counts = train.by_user.counts
    low, high = np.quantile(counts, [0.25, 0.75])
    typical = np.flatnonzero((counts >= low) & (counts <= high))
    return np.sort(stream(seed, "sample-users").permutation(typical)[:n]).astype(np.int64)


def stories(bundle: Bundle, recommended: Recommendations, *, n_history: int = 8) -> tuple[Story, ...]:
    """Set each user's strongest items of the log beside their list."""
    rows = bundle.user_ids.rows(list(recommended.users))
    told = []
    ranks = recommended.ranks
    for at, (user, row) in enumerate(zip(recommended.users, rows.tolist(), strict=True)):
        columns, values = bundle.seen.row(row)
        strongest = np.argsort(-values, kind="stable")[:n_history]
        listed = tuple(
            (
                int(ranks[i]),
                recommended.names[i],
                float(recommended.scores[i]),
                int(recommended.themes[i]),
                float(recommended.theme_shares[i]),
            )
            for i in range(int(recommended.indptr[at]), int(recommended.indptr[at + 1]))
        )
        history = tuple(
            (bundle.name_of(bundle.item_ids[int(columns[i])]), float(values[i])) for i in strongest
        )
        told.append(Story(user, history, len(columns), listed))
    return tuple(told)


def facts(
    description: Mapping[str, Any], split: Mapping[str, Any], n_evaluated: int
) -> list[tuple[str, str]]:
    """Return the log and the split in words and numbers."""
    drops = "; ".join(f"{drop['n_rows']:,} {drop['reason']}" for drop in description["dropped"]) or "none"
    span = (
        f"{description['first_time']} to {description['last_time']}"
        if description["first_time"] is not None
        else "no times"
    )
    return [
        ("log", str(description["source"])),
        ("rows read", f"{description['n_read']:,}"),
        ("rows dropped", drops),
        (
            "users, items, pairs",
            f"{description['n_users']:,}, {description['n_items']:,}, {description['n_pairs']:,} "
            f"(density {100 * description['density']:.3g} %)",
        ),
        ("time", span),
        ("split", f"{split['name']}" + ("" if split["seed"] is None else f", seed {split['seed']}")),
        ("training", f"{split['n_train_events']:,} events, {split['n_train_pairs']:,} pairs"),
        (
            "held out",
            f"{split['n_held_out_events']:,} events; {split['n_held_out_pairs']:,} pairs not in training, "
            f"{split['n_repeated_pairs']:,} pairs already in training set aside",
        ),
        (
            "cold start",
            f"{split['n_cold_users']:,} users and {split['n_cold_items']:,} items are held out but not in "
            f"training: such users are not averaged, such items count as missed",
        ),
        ("users evaluated", f"{n_evaluated:,}"),
        ("terms of the data", description["licence"] or "not stated"),
    ]


def make_page(
    *,
    title: str,
    subtitle: str,
    loaded: LoadedLog,
    trial: Trial,
    results: Sequence[Result],
    metrics: Sequence[str],
    seed: int,
    command: str,
    showcase: Bundle | None = None,
    recommended: Recommendations | None = None,
) -> Page:
    """Gather a page.

    Parameters
    ----------
    title, subtitle, command : str
    loaded : LoadedLog
    trial : Trial
    results : sequence of Result
    metrics : sequence of str
    seed : int
        Of the intervals.
    showcase : Bundle, optional
        The model, with themes, that is shown with its lists.
    recommended : Recommendations, optional
        Lists of the users to tell of.
    """
    records = [result.to_json() for result in results]
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    n_users = max((m.n_users for m in measured.values()), default=0)
    told: tuple[Story, ...] = ()
    if showcase is not None and recommended is not None:
        told = stories(showcase, recommended)
    provenance = [
        (f"config of {r.label}", _plain(record["config"])) for r, record in zip(results, records, strict=True)
    ]
    provenance += [
        ("seed", str(seed)),
        ("training data", f"SHA-256 {trial.train.digest}"),
        ("split", f"SHA-256 {trial.split['digest']}" if trial.split["digest"] else trial.split["name"]),
        ("versions", _plain(versions())),
    ]
    return Page(
        title=title,
        subtitle=subtitle,
        answer=sentences(measured, seed=seed),
        remarks=[
            f"{r.label}: {remark}" for r in results if r.measurements for remark in r.measurements.remarks
        ],
        facts=facts(loaded.describe(), trial.split, n_users),
        metrics=list(metrics),
        rows=table_rows(records, metrics),
        themes=() if showcase is None else _themes_to_show(showcase, told),
        stories=told,
        provenance=provenance,
        command=command,
    )


def _themes_to_show(bundle: Bundle, told: Sequence[Story], most: int = 12) -> tuple[Theme, ...]:
    """Return the largest themes and those that a story names as a reason."""
    named = {number for story in told for _, _, _, number, _ in story.listed}
    return tuple(theme for theme in themes(bundle) if theme.number <= most or theme.number in named)


def write_comparison(
    path: Path,
    loaded: LoadedLog,
    trial: Trial,
    results: Sequence[Result],
    metrics: Sequence[str],
    *,
    seed: int,
    command: str,
    n_users: int = 3,
    n: int = 10,
) -> None:
    """Write the report of a comparison; themes and lists are those of the first model that has themes."""
    shown = next((r for r in results if isinstance(r.model, FactorModel) and r.model.has_themes), None)
    bundle, lists = None, None
    if shown is not None and shown.model is not None:
        bundle = Bundle.of(shown.model, trial.train, item_names=loaded.item_names)
        rows = sample_users(trial.train, n_users, seed=seed)
        lists = Recommender(bundle).recommend([trial.train.user_ids[int(row)] for row in rows], n)
    page = make_page(
        title=f"{Path(loaded.source).name}: {', '.join(result.label for result in results)}",
        subtitle=f"Offline comparison on the same held-out data, split {trial.split['name']}.",
        loaded=loaded,
        trial=trial,
        results=results,
        metrics=metrics,
        seed=seed,
        command=command,
        showcase=bundle,
        recommended=lists,
    )
    write_page(page, path)


def _plain(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "no parameters"
