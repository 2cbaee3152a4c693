"""Explanations of lists and of single items, for users of the training data and for histories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Protocol

import numpy as np

from recsys import threads
from recsys.data.ids import Id, listed_ids
from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.models.baselines.popularity import Popularity
from recsys.models.score_parts import ScoreParts
from recsys.progress import SILENT, Progress, task
from recsys.recommend.attribution import MORE_THAN_NAMED, MOST_REMOVED, Attribution, attribute
from recsys.recommend.audiences import Audience, audiences_of
from recsys.recommend.explanation import ComponentPart, Counterfactual, Explanation, PastItem
from recsys.recommend.fitted import Fitted
from recsys.recommend.lists import Segments, history_row, lists_for_histories, lists_for_users
from recsys.recommend.ranking import check_n
from recsys.recommend.reasons import Reason, Words, reason_of
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.removal import History, fewest_to_remove
from recsys.recommend.theme_items import ThemeItems
from recsys.typing import Int64Array


class Explainable(Fitted, Protocol):
    """What explanations are made from: a fitted model with its ids and training entries; see `Bundle`."""

    @property
    def has_values(self) -> bool:
        """Whether ``seen`` holds the values trained on."""

    @property
    def theme_items(self) -> ThemeItems | None:
        """What the components are about; None of a model without."""

    @property
    def theme_labels(self) -> Mapping[int, str]:
        """What people call themes, by number from 1."""


@dataclass(frozen=True, eq=False)
class Subject:
    """Somebody whose scores are explained.

    Attributes
    ----------
    fitted : Explainable
    user : id
    source : str
        As in `Explanation`.
    row : int
        Row number of the training data; -1 for others.
    history : History
    is_in_log : bool
        Whether the user is asked for by id, not by a history.
    audience : Audience, optional
        Whose popular items stand in the user's list, where the model knows nothing of the user; by default
        everybody's.
    """

    fitted: Explainable
    user: Id
    source: str
    row: int
    history: History
    is_in_log: bool = True
    audience: Audience | None = None

    @classmethod
    def of_user(cls, fitted: Explainable, user: Id) -> Subject:
        """Return a user of the training data, or one of whom nothing is known."""
        row = int(fitted.user_ids.rows([user])[0])
        columns, values = (
            fitted.seen.row(row) if row >= 0 else (np.zeros(0, np.int32), np.zeros(0, np.float32))
        )
        is_served = row >= 0 and not fitted.model.is_blank(np.array([row]))[0]
        source = "model" if is_served else "popularity"
        model = fitted.model.as_of_user(row) if row >= 0 else fitted.model
        return cls(fitted, fitted.user_ids.spelled(user), source, row, History(model, columns, values))

    @classmethod
    def of_history(cls, fitted: Explainable, history: Iterable[Id] | Mapping[Id, float]) -> Subject:
        """Return somebody known by a history alone."""
        fitted.model.check_folds_in()
        columns, values = history_row(fitted, history)
        source = "history" if len(columns) else "popularity"
        return cls(fitted, "history", source, -1, History(fitted.model, columns, values), is_in_log=False)

    @property
    def _model(self) -> Model:
        if self.is_known:
            return self.fitted.model
        if self.audience is None or not self.audience.name:
            return self.fitted.popularity
        return self.audience.model(len(self.fitted.user_ids))

    @property
    def is_known(self) -> bool:
        """Whether scores are the model's."""
        return self.source not in ("popularity", "segment")

    @cached_property
    def _row_of_history(self) -> CompressedRows:
        return self.history.without(np.zeros((1, len(self.history.items)), dtype=bool))

    def parts(self, targets: Int64Array) -> ScoreParts | None:
        """Return the scores of some items, taken apart."""
        if self.source == "history":
            return self._model.history_score_parts(self._row_of_history, targets)
        return self._model.score_parts(max(self.row, 0), targets)

    def scores(self, targets: Int64Array) -> list[float]:
        """Return the scores of some items, as they stand in a list."""
        if self.source == "history":
            scores = self._model.score_histories(self._row_of_history)
        else:
            scores = self._model.score_block(np.array([max(self.row, 0)]))
        return [float(score) for score in scores[0, targets]]

    def attribution(self, targets: Int64Array, most: int = MOST_REMOVED) -> Attribution:
        """Return what the scores of some items go back to; see `attribute`."""
        folds = self.is_known and self.fitted.model.folds_in
        folds = folds and (self.fitted.has_values or self.source == "history")
        with threads.launch_beside():  # entered once, where each of many small kernels would
            return attribute(self.history, self.parts(targets), targets, folds=folds, most=most)


def explain(
    fitted: Explainable,
    subject: Subject,
    items: Iterable[Id] | Id | None,
    n: int,
    *,
    n_named: int = 3,
    counterfactual: bool = True,
) -> tuple[Explanation, ...]:
    """Return an explanation of each item; see `Bundle.explain`."""
    if items is None:
        targets = fitted.item_ids.rows(_list_of(fitted, subject, n).items)
    else:
        targets = fitted.item_ids.known_rows(listed_ids(items, "items"), "item")
    if len(targets) == 0:
        return ()
    attribution, scores = subject.attribution(targets), subject.scores(targets)
    explained = []
    for number, target in enumerate(targets.tolist()):
        removal = None
        if counterfactual and attribution.drops is not None and subject.fitted.model.folds_in:
            removal = _counterfactual(fitted, attribution, number, target, n)
        explained.append(
            _explanation(fitted, subject, attribution, number, target, scores[number], n_named, removal)
        )
    return tuple(explained)


def _list_of(fitted: Explainable, subject: Subject, n: int) -> Recommendations:
    if subject.is_in_log:
        return lists_for_users(fitted, [subject.user], n)
    history = subject.history
    values = dict(zip((fitted.item_ids[int(i)] for i in history.items), history.values.tolist(), strict=True))
    return lists_for_histories(fitted, {"history": values}, n)


def _explanation(
    fitted: Explainable,
    subject: Subject,
    attribution: Attribution,
    number: int,
    target: int,
    score: float,
    n_named: int,
    removal: Counterfactual | None,
) -> Explanation:
    parts, item = attribution.parts, fitted.item_ids[target]
    return Explanation(
        user=subject.user,
        item=item,
        name=fitted.name_of(item),
        source=subject.source,
        score=score,
        base=0.0 if parts is None else parts.base,
        user_bias=0.0 if parts is None else parts.user_bias,
        item_bias=0.0 if parts is None else float(parts.item_bias[number]),
        components=_component_parts(fitted, parts, number),
        past_items=_past_items(fitted, attribution, number),
        n_history=len(subject.history.items),
        has_parts=parts is not None,
        is_signed=parts is not None and parts.is_signed,
        reason=reason_of(
            attribution, number, words_of(fitted), n_named, fitted.name_of(item), source=subject.source
        ),
        counterfactual=removal,
    )


def _component_parts(fitted: Explainable, parts: ScoreParts | None, number: int) -> tuple[ComponentPart, ...]:
    if parts is None or parts.components is None:
        return ()
    added = parts.components[number]
    order = np.argsort(-np.abs(added), kind="stable")
    return tuple(
        ComponentPart(int(f) + 1, float(added[f]), ", ".join(theme_label(fitted, int(f))))
        for f in order
        if added[f]
    )


def _past_items(fitted: Explainable, attribution: Attribution, number: int) -> tuple[PastItem, ...]:
    history, parts = attribution.history, attribution.parts
    n_past = len(history.items)
    own = np.zeros(n_past)
    if parts is not None and parts.from_past is not None:
        own[np.searchsorted(history.items, parts.past_items)] = parts.from_past[number]
    drops: list[float | None] = [None] * n_past
    if attribution.drops is not None:
        for position, drop in zip(attribution.candidates.tolist(), attribution.drops[:, number], strict=True):
            drops[position] = float(drop)
    elif not own.any():
        return ()
    order = sorted(range(n_past), key=lambda position: -(drops[position] or own[position]))
    past = []
    for position in order:
        item, drop = fitted.item_ids[int(history.items[position])], drops[position]
        share = None if drop is None else attribution.share_of(drop, number)
        value = float(history.values[position])
        past.append(PastItem(item, fitted.name_of(item), value, float(own[position]), drop, share))
    return tuple(past)


def _counterfactual(
    fitted: Explainable, attribution: Attribution, number: int, target: int, n: int
) -> Counterfactual | None:
    history = attribution.history
    if target in history.items:
        return None  # it is not in the list, since the user has it
    order = attribution.candidates[attribution.ordered(number)].tolist()
    removal = fewest_to_remove(history, target, n, order)
    if removal is None:
        return None
    items = tuple(fitted.item_ids[int(history.items[position])] for position in removal.positions)
    return Counterfactual(items, tuple(map(fitted.name_of, items)), n, removal.is_fewest)


def theme_label(fitted: Explainable, number: int) -> tuple[str, ...]:
    """Return names of the items that are particular to a component; none for factors of any sign."""
    about = fitted.theme_items
    if about is None:
        return ()
    if number + 1 in fitted.theme_labels:
        return (fitted.theme_labels[number + 1],)
    return about.names(number, lambda row: fitted.name_of(fitted.item_ids[row]))


def words_of(fitted: Explainable) -> Words:
    """Return how reasons speak of a log: names, and what its entries are called."""
    return Words(
        is_rating=fitted.training.get("feedback") == "explicit",
        id_of=lambda row: fitted.item_ids[row],
        name_of=fitted.name_of,
        label_of=cache(lambda number: theme_label(fitted, number)),
        audience=audiences_of(fitted, None).everybody,
        counts_users=isinstance(fitted.model, Popularity),
    )


def with_reasons(
    fitted: Explainable,
    lists: Recommendations,
    n_named: int,
    histories: Mapping[Id, Iterable[Id] | Mapping[Id, float]] | None = None,
    *,
    segments: Segments = None,
    progress: Progress = SILENT,
) -> Recommendations:
    """Return lists with a reason for each item.

    Parameters
    ----------
    fitted : Explainable
    lists : Recommendations
    n_named : int
        Most past items that a reason names; with 0 the lists stay without reasons.
    histories : mapping of name to history, optional
        Of the users of the lists, where they are known by these alone.
    segments : mapping of user's id to str, optional
        Those by which the lists were made.
    progress : Progress

    Raises
    ------
    ParameterError
        If ``n_named`` is below 0.
    """
    check_n(n_named, "reasons", least=0)
    if n_named == 0:
        return lists
    words, reasons, audiences = words_of(fitted), [], audiences_of(fitted, segments)
    rows, names, sources = fitted.item_ids.rows(lists.items), lists.names, lists.row_sources
    with task(progress, "reasons", len(lists)) as running:
        for number, user in enumerate(lists.users):
            targets = rows[lists.indptr[number] : lists.indptr[number + 1]]
            if histories is None:
                subject = Subject.of_user(fitted, user)
            else:
                subject = Subject.of_history(fitted, histories[user])
            span = slice(int(lists.indptr[number]), int(lists.indptr[number + 1]))
            of_list: dict[int, Reason] = {}
            for source in dict.fromkeys(sources[span]):
                positions = np.flatnonzero(sources[span] == source)
                own = subject
                if source != "model":
                    own = replace(subject, source=source, audience=audiences.of(user))
                attribution = own.attribution(targets[positions], n_named + MORE_THAN_NAMED)
                called = words if own.audience is None else replace(words, audience=own.audience)
                for target, position in enumerate(positions.tolist()):
                    name = names[span][position]
                    of_list[position] = reason_of(
                        attribution, target, called, n_named, name, source=own.source
                    )
            reasons += [of_list[position] for position in range(len(targets))]
            running.advance(1)
    return replace(lists, reasons=tuple(reasons))
