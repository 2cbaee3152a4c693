"""Two bundles' lists for the same people, side by side."""

from __future__ import annotations

from typing import Any

from recsys.data.ids import Id
from recsys.recommend.bundle import Bundle
from recsys.service import answers
from recsys.service.requests import AnyId, History, ListRequest
from recsys.service.serving import Served

MODELS = ("here", "beside")


def side_by_side(here: Served, beside: Served, request: ListRequest) -> dict[str, Any]:
    """Return the lists of both bundles, and for each item whether the other lists it, too.

    Items of histories and rules that one of the bundles does not know are left out for that one, and named.

    Returns
    -------
    dict
        ``models``: name and digest of each; ``lists``: a record for each person, with a list of each
        bundle, whose items say ``only``: the other does not list them.
    """
    made, unknown = [], []
    for served in (here, beside):
        asked, left_out = _known_part(served.bundle, request)
        made.append(answers.lists(served.bundle, asked, served.categories)["lists"])
        unknown.append(left_out)
    return {
        "models": {
            name: {"model": served.bundle.model.name, "digest": served.digest, "unknown_items": left_out}
            for name, served, left_out in zip(MODELS, (here, beside), unknown, strict=True)
        },
        "lists": [_marked(*pair) for pair in zip(*made, strict=True)],
    }


def _marked(here: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    # "7" and 7 are one item where the bundles spell ids differently.
    listed = [{str(row["item"]) for row in found["items"]} for found in (here, beside)]
    for found, others in zip((here, beside), reversed(listed), strict=True):
        for row in found["items"]:
            row["only"] = str(row["item"]) not in others
    return {"user": here["user"], "n_common": len(listed[0] & listed[1]), "here": here, "beside": beside}


def _known_part(bundle: Bundle, request: ListRequest) -> tuple[ListRequest, list[Id]]:
    """Return what of a request a bundle can answer, and the items it does not know."""
    unknown: dict[Id, None] = {}

    def is_known(item: AnyId) -> bool:
        row = int(bundle.item_ids.rows([item])[0])
        if row < 0:
            unknown[item] = None
        return row >= 0

    def known(history: History) -> History:
        if isinstance(history, dict):
            return {item: value for item, value in history.items() if is_known(item)}
        return [item for item in history if is_known(item)]

    changed: dict[str, Any] = {}
    if request.history is not None:
        changed["history"] = known(request.history)
    if request.histories is not None:
        changed["histories"] = {name: known(history) for name, history in request.histories.items()}
    if request.rules is not None:
        kept = [item for item in request.rules.exclude if is_known(item)]
        changed["rules"] = request.rules.model_copy(update={"exclude": kept})
    return request.model_copy(update=changed), list(unknown)
