"""A trained model with what a list needs beside it: ids, names, and what was seen in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recsys.data.ids import Id, Ids, listed_ids
from recsys.data.interactions import Interactions
from recsys.data.log import TimeKind
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.models.base import Model
from recsys.models.baselines.popularity import Popularity
from recsys.models.item_vectors import item_vectors
from recsys.recommend.explain import Subject, explain, with_reasons
from recsys.recommend.explanation import Explanation
from recsys.recommend.last_events import LastEvents
from recsys.recommend.lists import Segments, lists_for_histories, lists_for_users, restriction_of
from recsys.recommend.pairs import rows_of_pairs
from recsys.recommend.ranking import check_n
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.rules import Rules
from recsys.recommend.similar import Similarities, similar_items, similar_users
from recsys.recommend.theme_items import ThemeItems
from recsys.typing import Float32Array, Int64Array


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted model with all that recommending needs.

    Attributes
    ----------
    model : Model
    user_ids, item_ids : Ids
    seen : CompressedRows, (n_users, n_items)
        The training entries: what a list of new items leaves out, and what explanations fold in again.
    item_counts : int64, (n_items,)
        How many users have each item: the list for users the model does not know.
    item_names : mapping of id to str
        Names to show; an item without one shows its id.
    training : dict
        Where the data came from: source, digest, counts, seconds.
    has_values : bool
        Whether ``seen`` holds the values trained on; of a bundle of an older version it holds ones.
    theme_labels : mapping of int to str
        What people call themes, by number from 1.
    last_events : LastEvents, optional
        When each item was last sold, where the log has times.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> bundle = recsys.train(recsys.MaskedNMF(1), frame)
    >>> bundle
    Bundle(masked-nmf: 4 users, 3 items, 8 pairs seen, from the data frame)
    >>> [row["item"] for row in next(bundle.recommend(1, n=1).lists())["items"]]
    ['c']
    >>> bundle.predict([1, 2], ["c", "b"]).shape
    (2,)
    """

    model: Model
    user_ids: Ids
    item_ids: Ids
    seen: CompressedRows
    item_counts: Int64Array
    item_names: Mapping[Id, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    has_values: bool = True
    theme_labels: Mapping[int, str] = field(default_factory=dict)
    last_events: LastEvents | None = None

    @classmethod
    def of(
        cls,
        model: Model,
        train: Interactions,
        *,
        item_names: Mapping[Id, str] | None = None,
        training: Mapping[str, Any] | None = None,
        time_kind: TimeKind | None = None,
    ) -> Bundle:
        """Join a fitted model and the data it was fitted to.

        Parameters
        ----------
        model : Model
        train : Interactions
        item_names, training : mapping, optional
            As in the class.
        time_kind : {"timestamp", "number"}, optional
            What the times of the data are, where it has some; without it they are not kept.

        Raises
        ------
        ModelError
            If the model was fitted to other data: of another size, of other ids, or before an update.
        """
        model.check_fitted_to(train)
        record = {
            "digest": train.digest,
            "n_users": train.n_users,
            "n_items": train.n_items,
            "n_entries": train.nnz,
            "feedback": train.feedback,
            **(training or {}),
        }
        return cls(
            model,
            train.user_ids,
            train.item_ids,
            train.by_user,
            train.item_counts,
            item_names or {},
            record,
            last_events=LastEvents.of(train, time_kind),
        )

    def __repr__(self) -> str:
        source = self.training.get("source")
        return (
            f"Bundle({self.model.name}: {len(self.user_ids):,} users, {len(self.item_ids):,} items, "
            f"{self.seen.nnz:,} pairs seen{'' if source is None else f', from {source}'})"
        )

    def predict(self, user_ids: Iterable[Id] | Id, item_ids: Iterable[Id] | Id) -> Float32Array:
        """Return predicted values of pairs, in the units of the log.

        Parameters
        ----------
        user_ids, item_ids : id or iterable of id, (n_pairs,)
            One alone is paired with all of the others.

        Returns
        -------
        float32, (n_pairs,)

        Raises
        ------
        InputError
            If an id is not known, or there are not as many users as items.
        ModelError
            If the model ranks but does not predict values.
        """
        user_rows, item_rows = rows_of_pairs(self.user_ids, self.item_ids, user_ids, item_ids)
        return self.model.predict_by_row(user_rows, item_rows)

    def recommend(
        self,
        users: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        segments: Segments = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for each user, by ids; see `Recommender.recommend`."""
        lists = lists_for_users(self, users, n, include_seen=include_seen, rules=rules, segments=segments)
        return with_reasons(self, lists, reasons, segments=segments)

    def recommend_for(
        self,
        history: Iterable[Id] | Mapping[Id, float],
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for somebody who is known by what they did alone (fold-in).

        Parameters
        ----------
        history : iterable of item id, or mapping of item id to rating or amount
            Ids alone count 1 each; a model that learns from ratings needs them.
        n : int
            Longest list, 1 or more.
        include_seen : bool
            Whether items of the history may be listed.
        rules : Rules, optional
            What else the list keeps to; those for single users name "history".
        reasons : int
            Most past items that the reason for an item names; 0 for no reasons.

        Returns
        -------
        Recommendations
            One list, of the user "history".

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` is below 1, or the model needs ratings and there are none.
        ModelError
            If the model cannot answer for users it was not trained on.
        """
        lists = lists_for_histories(self, {"history": history}, n, include_seen=include_seen, rules=rules)
        return with_reasons(self, lists, reasons, {"history": history})

    def recommend_for_each(
        self,
        histories: Mapping[Id, Iterable[Id] | Mapping[Id, float]],
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        segments: Segments = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for several people who are known by what they did alone.

        All are folded in together, which is much quicker than one after the other.

        Parameters
        ----------
        histories : mapping of name to history
            A history as by `recommend_for`; an empty one gets the popularity list, marked ``"popularity"``.
        n, include_seen, rules, reasons
            As in `recommend_for`; rules for single users go by the names.
        segments : mapping of name to str, optional
            The segment of each, and of users of the training data; see `Recommender.recommend`.

        Returns
        -------
        Recommendations
            A list for each, under its name.

        Raises
        ------
        InputError, ParameterError, ModelError
            As `recommend_for`.
        """
        if not isinstance(histories, Mapping):
            raise InputError(
                f"histories is {histories!r:.80}; expected a mapping, e.g. {{'ann': ['tea', 'milk']}}."
            )
        lists = lists_for_histories(
            self, histories, n, include_seen=include_seen, rules=rules, segments=segments
        )
        return with_reasons(self, lists, reasons, histories, segments=segments)

    def notes_on(self, rules: Rules, *, strict: bool = False) -> tuple[str, ...]:
        """Return what is to be said of rules before they are used: ids that are not known, and the like.

        Parameters
        ----------
        rules : Rules
        strict : bool
            Whether an id that is not known is an error.

        Raises
        ------
        InputError
            If they leave no item, or name nothing that is known.
        """
        restriction = restriction_of(self, rules)
        if strict and restriction.unknown:
            raise InputError(f"{restriction.unknown[0]}.")
        return restriction.notes

    def explain(
        self,
        user: Id,
        items: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        reasons: int = 3,
        counterfactual: bool = True,
    ) -> tuple[Explanation, ...]:
        """Return why items are in a user's list, or why other items have the scores they have.

        Parameters
        ----------
        user : id
            One whom the model does not know gets the popularity list, and its reason.
        items : id or iterable of id, optional
            By default the best n that the user has not.
        n : int
            Length of the list, which counterfactuals are about, too.
        reasons : int
            Most past items that a reason names.
        counterfactual : bool
            Whether to look for the fewest past items without which an item leaves the list. It takes longest.

        Returns
        -------
        tuple of Explanation
            One an item, in their order.

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` or ``reasons`` is below 1.
        """
        check_n(n)
        check_n(reasons, "reasons")
        subject = Subject.of_user(self, listed_ids(user, "user")[0])
        return explain(self, subject, items, n, n_named=reasons, counterfactual=counterfactual)

    def explain_for(
        self,
        history: Iterable[Id] | Mapping[Id, float],
        items: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        reasons: int = 3,
        counterfactual: bool = True,
    ) -> tuple[Explanation, ...]:
        """Return explanations for somebody known by a history alone; see `explain` and `recommend_for`."""
        check_n(n)
        check_n(reasons, "reasons")
        subject = Subject.of_history(self, history)
        return explain(self, subject, items, n, n_named=reasons, counterfactual=counterfactual)

    def similar(self, items: Iterable[Id] | Id, n: int = 10, *, by: str | None = None) -> Similarities:
        """Return the items most alike to some items.

        All items are compared. Equals stand in the order of their numbers.

        Parameters
        ----------
        items : id or iterable of id
        n : int
            Most for each.
        by : {"neighbors", "factors"}, optional
            ``"neighbors"``: by what having the one adds to the score of the other; the default where the
            model learns that. ``"factors"``: by the cosine of their factors.

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` is below 1, or ``by`` is none of these.
        ModelError
            If the model learns nothing to compare items by.
        """
        return similar_items(self.model, self.item_ids, self.name_of, items, n, by)

    def similar_users(self, users: Iterable[Id] | Id, n: int = 10) -> Similarities:
        """Return the users most alike to some users, by the cosine of their factors; see `similar`."""
        return similar_users(self.model, self.user_ids, users, n)

    @cached_property
    def popularity(self) -> Popularity:
        """The model of `item_counts`: what users get of whom nothing is known."""
        return Popularity.of_counts(self.item_counts, len(self.user_ids) or 1)

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """The least and the largest value of the training data, 0 and 0 where there is none."""
        values = self.seen.values
        return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)

    @cached_property
    def theme_items(self) -> ThemeItems | None:
        """What the components of the model are about; None where their factors may be of any sign."""
        components = self.model.component_model
        return None if components is None else ThemeItems.of(components, self.seen)

    @cached_property
    def item_vectors(self) -> Float32Array:
        """Vectors by which lists are made diverse, the same whatever the model, (n_items, width)."""
        return item_vectors(self.seen)

    def name_of(self, item_id: Id) -> str:
        """Return an item's name, or its id as text."""
        return self.item_names.get(item_id) or str(item_id)
