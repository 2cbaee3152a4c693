"""The model whose lists and themes a report shows: the best of those that can give reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.data.loaded_log import LoadedLog
from recsys.evaluation.metrics import higher_is_better
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.recommend.bundle import Bundle
from recsys.recommend.examples import N_REASONS, UserExample, sample_users, user_examples
from recsys.recommend.recommender import Recommender
from recsys.recommend.theme_map import theme_map
from recsys.recommend.theme_set import ThemeSet, theme_set
from recsys.recommend.themes import has_themes
from recsys.report.context import Row

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


def example_model(
    results: Sequence[Result], main: str | None, loaded: LoadedLog, prepared: PreparedSplit, *, seed: int
) -> ExampleModel | None:
    """Return the best model with themes, with lists of a few users; None where no model has themes."""
    best = best_with_themes(results, main)
    if best is None or best.model is None:
        return None
    bundle = Bundle.of(best.model, prepared.train, item_names=loaded.item_names)
    examples = _examples(bundle, prepared, seed=seed)
    return ExampleModel(best.label, bundle, examples, "trained without what is held out")


def _examples(
    bundle: Bundle, prepared: PreparedSplit, *, seed: int, n_users: int = 3, n: int = 10
) -> tuple[UserExample, ...]:
    """Choose users whose later items are known, where the users measured are those trained on."""
    held_out = prepared.held_out if prepared.histories is None else None
    candidates = None if held_out is None else held_out.n_held_out > 0
    rows = sample_users(prepared.train, n_users, seed=seed, candidates=candidates)
    lists = Recommender(bundle).recommend(
        [prepared.train.user_ids[int(row)] for row in rows], n, reasons=N_REASONS
    )
    return user_examples(bundle, lists, held_out=held_out)


def examples_intro(example: ExampleModel | None, rows: Sequence[Row], main: str | None) -> str:
    """Return whose lists are shown, and why not those of the best."""
    if example is None or not example.examples:
        return ""
    best = next((row.label for row in rows if row.error is None), example.label)
    why = ""
    if best != example.label and main is not None:
        why = f", the best on {main} of the models that can give reasons, which {best}, ahead of it, cannot"
    return f"Lists and reasons are those of {example.label}{why}. It was {example.trained_on}."


def theme_sets(
    results: Sequence[Result], loaded: LoadedLog, prepared: PreparedSplit, example: ExampleModel | None
) -> tuple[ThemeSet, ...]:
    """Return the largest themes of each model that has some, first those of the model of the examples.

    Of the latter, the themes that an example names as a reason are among them, whatever their share.
    """
    sets = []
    if example is not None:
        reasons = [entry.reason for shown in example.examples for entry in shown.listed]
        named = {reason.theme for reason in reasons if reason is not None and reason.theme}
        largest = theme_set(example.bundle, example.label, most=_MOST_THEMES, also=named)
        sets.append(replace(largest, map=theme_map(example.bundle)) if largest.themes else largest)
    for result in results:
        is_shown = example is not None and result.label == example.label
        if result.model is not None and has_themes(result.model) and not is_shown:
            bundle = Bundle.of(result.model, prepared.train, item_names=loaded.item_names)
            sets.append(theme_set(bundle, result.label, most=_MOST_THEMES))
    return tuple(sets)
