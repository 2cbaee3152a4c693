"""Answers to requests, as plain records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from recsys.data.ids import Id, Ids
from recsys.errors import ParameterError
from recsys.recommend.bundle import Bundle
from recsys.recommend.lists import history_row
from recsys.recommend.themes import themes
from recsys.service import theme_answers
from recsys.service.requests import ExplainRequest, History, ListRequest
from recsys.service.serving import NO_CATEGORIES, Categories, Served

_ASKED = ("user", "users", "history", "histories")
HISTORY = "history"
"""What somebody is called who is known by a history alone."""
Taken: TypeAlias = Mapping[Id, float] | list[Id]


class UnknownIdError(LookupError):
    """An id that was asked for by its address is not known to the model."""


def id_in_path(ids: Ids, text: str, kind: str) -> str:
    """Return the id that a path ends in.

    A slash at the end belongs to the id where the model knows such an id; otherwise it is one that a client
    or a proxy has added.

    Raises
    ------
    ParameterError
        If nothing is named.
    """
    if text.endswith("/") and ids.rows([text])[0] < 0:
        text = text[:-1]
    if not text:
        raise ParameterError(f"the path names no {kind}; expected an id at its end.")
    return text


def lists_of_users(
    bundle: Bundle, users: list[str], n: int, reasons: int, *, include_seen: bool
) -> list[dict[str, Any]]:
    """Return a list for each user, in their order; one who is named twice has it twice."""
    made = bundle.recommend(users, n, include_seen=include_seen, reasons=reasons)
    by_user = {answer["user"]: answer for answer in made.lists()}
    return [by_user[bundle.user_ids.spelled(user)] for user in users]


def lists_of_histories(
    bundle: Bundle, histories: list[History], n: int, *, include_seen: bool
) -> list[dict[str, Any]]:
    """Return a list for each history, in their order: those they would have alone."""
    taken: dict[Id, Taken] = {str(number): _taken(history) for number, history in enumerate(histories)}
    made = bundle.recommend_for_each(taken, n, include_seen=include_seen)
    return [{**answer, "user": HISTORY} for answer in made.lists()]


def lists(bundle: Bundle, request: ListRequest, categories: Categories = NO_CATEGORIES) -> dict[str, Any]:
    """Return the lists of a request.

    Parameters
    ----------
    bundle : Bundle
    request : ListRequest
    categories : mapping of item's id to sequence of str
        What rules on categories go by where the request brings none.

    Raises
    ------
    ParameterError
        If it asks for nobody, or for somebody in two ways.
    """
    asked = [name for name in _ASKED if getattr(request, name) is not None]
    if len(asked) != 1 and asked != ["user", "history"]:
        said = " and ".join(asked) or "nobody"
        raise ParameterError(
            f"the request names {said}; expected user, users, history, histories, or user with history."
        )
    options: dict[str, Any] = {
        "include_seen": request.include_seen,
        "rules": None if request.rules is None else request.rules.rules(categories),
        "reasons": request.reasons,
    }
    if request.histories is not None:
        taken: dict[Id, Taken] = {name: _taken(history) for name, history in request.histories.items()}
        answer = bundle.recommend_for_each(taken, request.n, **options)
    elif request.history is not None:
        history = _whole_history(bundle, request.user, request.history)
        name: Id = HISTORY if request.user is None else bundle.user_ids.spelled(request.user)
        answer = bundle.recommend_for_each({name: history}, request.n, **options)
    else:
        users = request.users if request.user is None else [request.user]
        answer = bundle.recommend(users, request.n, **options)
    return {"lists": list(answer.lists())}


def _whole_history(bundle: Bundle, user: Id | None, since: History) -> Taken:
    """Return what a user took in the training data and since; the latter counts where both say something."""
    new = _taken(since)
    columns, values = history_row(bundle, new)
    row = -1 if user is None else int(bundle.user_ids.rows([user])[0])
    if row < 0:
        return new
    pairs = (*zip(*bundle.seen.row(row), strict=True), *zip(columns, values, strict=True))
    return {bundle.item_ids[int(column)]: float(value) for column, value in pairs}


def _taken(history: History) -> Taken:
    """Return a history as the library takes it."""
    return dict(history.items()) if isinstance(history, dict) else list(history)


def explanations(bundle: Bundle, request: ExplainRequest) -> dict[str, Any]:
    """Return explanations of a request.

    Raises
    ------
    ParameterError
        If it names neither a user nor a history.
    """
    if request.user is None and request.history is None:
        raise ParameterError("the request names nobody; expected user, history, or both.")
    options: dict[str, Any] = {"reasons": request.reasons, "counterfactual": request.counterfactual}
    if request.history is None:
        assert request.user is not None
        explained = bundle.explain(request.user, request.items, request.n, **options)
    else:
        history = _whole_history(bundle, request.user, request.history)
        explained = bundle.explain_for(history, request.items, request.n, **options)
    return {"explanations": [explanation.to_json() for explanation in explained]}


def similar(bundle: Bundle, item: str, n: int, by: str | None) -> dict[str, Any]:
    """Return what is like an item."""
    row = _check_known(bundle, item, "item")
    return next(bundle.similar([bundle.item_ids[row]], n, by=by).lists())


def history_of(bundle: Bundle, user: str) -> dict[str, Any]:
    """Return what the model was trained on of a user, and what themes it is a mixture of."""
    row = _check_known(bundle, user, "user")
    columns, values = bundle.seen.row(row)
    items = [bundle.item_ids[int(column)] for column in columns]
    return {
        "user": bundle.user_ids[row],
        "themes": theme_answers.of_user(bundle, row),
        "history": [
            {"item": item, "name": bundle.name_of(item), "value": float(value)}
            for item, value in zip(items, values, strict=True)
        ],
    }


def item(bundle: Bundle, item_id: str) -> dict[str, Any]:
    """Return an item's name, how many users have it, and the themes that add most to its scores."""
    row = _check_known(bundle, item_id, "item")
    known = bundle.item_ids[row]
    return {
        "item": known,
        "name": bundle.name_of(known),
        "n_users": int(bundle.item_counts[row]),
        "themes": theme_answers.of_item(bundle, row),
    }


def theme_list(bundle: Bundle, n: int, n_items: int) -> dict[str, Any]:
    """Return the largest themes."""
    return {"themes": [theme.to_json() for theme in themes(bundle, n_items=n_items, n_themes=n)]}


def categories(served: Served) -> dict[str, Any]:
    """Return the categories that rules may name, and how many items of the model each has."""
    pairs = [(item, name) for item, names in served.categories.items() for name in names]
    rows = served.bundle.item_ids.rows([item for item, _ in pairs])
    counts = Counter(name for (_, name), row in zip(pairs, rows.tolist(), strict=True) if row >= 0)
    return {"categories": [{"category": name, "n_items": counts[name]} for name in sorted(counts)]}


def about(served: Served) -> dict[str, Any]:
    """Return what answers."""
    bundle = served.bundle
    return {
        "model": bundle.model.name,
        "n_users": len(bundle.user_ids),
        "n_items": len(bundle.item_ids),
        "n_entries": bundle.seen.nnz,
        "trained_on": {"digest": served.digest, "feedback": bundle.training.get("feedback")},
        "loaded": served.since,
        "most_active": served.most_active,
        "has_themes": bundle.model.component_model is not None,
        "has_times": bundle.last_events is not None,
        "has_categories": bool(served.categories),
    }


def _check_known(bundle: Bundle, text: str, kind: str) -> int:
    """Return the row of a user or an item that a path ends in, or raise UnknownIdError."""
    ids = bundle.user_ids if kind == "user" else bundle.item_ids
    id_ = id_in_path(ids, text, kind)
    row = int(ids.rows([id_])[0])
    if row < 0:
        raise UnknownIdError(f"{kind} {id_!r} is not known to the model.")
    return row
