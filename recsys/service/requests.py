"""What a request may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from recsys.data.ids import Id
from recsys.recommend.rules import Rules

AnyId = StrictInt | StrictStr
History = dict[StrictStr, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | list[AnyId]


class AskedRules(BaseModel):
    """Rules that a list keeps to."""

    model_config = ConfigDict(extra="forbid")

    exclude: list[AnyId] = Field(default=[], description="Items that are not listed.")
    only: list[AnyId] | None = Field(default=None, description="The items that may be listed.")
    least_users: int = Field(
        default=0, ge=0, description="How many users an item needs in the training data."
    )

    categories: dict[StrictStr, StrictStr | list[StrictStr]] = Field(
        default={},
        description="Category of an item, or several, for rules on categories; by default the service's own.",
    )
    only_categories: list[StrictStr] = Field(default=[], description="Categories that may be listed.")
    never_categories: list[StrictStr] = Field(default=[], description="Categories that are not listed.")
    most_per_category: int | None = Field(
        default=None, ge=1, description="Most items of one category in a list."
    )
    bought_before: StrictBool = Field(
        default=False, description="Whether a list holds what somebody has, and nothing else."
    )
    sold_since: StrictStr | None = Field(
        default=None, description="Leaves out what was not sold since: 60d, 8w, or a date."
    )
    diversity: float = Field(
        default=0, ge=0, le=1, description="Weight of items being unlike those before them in the list."
    )
    calibration: float = Field(
        default=0, ge=0, le=1, description="Weight of keeping the history's mix of categories."
    )
    popularity_discount: float = Field(
        default=0, ge=0, le=1, description="Weight of an item being taken by few."
    )

    def rules(self, categories: Mapping[Id, Sequence[str]]) -> Rules:
        """Return them as the library takes them.

        Parameters
        ----------
        categories : mapping of item's id to sequence of str
            Those of the service, for rules on categories that bring none.
        """
        given = self.model_dump()
        uses = self.only_categories, self.never_categories, self.most_per_category, self.calibration
        if any(uses) and not self.categories:
            given["categories"] = categories
        return Rules(**given)


class ListRequest(BaseModel):
    """Somebody to be recommended to: a user, a history, or a user with what happened since training."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"user": 17850, "n": 5},
                {"history": ["85123A", "71053"], "n": 5, "reasons": 2},
                {"user": 17850, "history": ["84029G"], "rules": {"exclude": ["22423"]}},
                {"users": [17850, 13047], "n": 3},
            ]
        },
    )

    user: AnyId | None = Field(default=None, description="A user's id.")
    users: list[AnyId] | None = Field(
        default=None, description="Several users, each with a list of their own."
    )
    history: History | None = Field(
        default=None,
        description="Items taken, or item to rating or amount. With a user: what came since training.",
    )
    histories: dict[StrictStr, History] | None = Field(
        default=None, description="Histories of several people, by any name."
    )
    n: int = Field(default=10, ge=1, description="Longest list.")
    reasons: int = Field(
        default=0, ge=0, le=10, description="Most past items that a reason names; 0: no reasons."
    )
    include_seen: StrictBool = Field(default=False, description="Whether items of the history may be listed.")
    rules: AskedRules | None = None

    @property
    def is_of_one_history(self) -> bool:
        """Whether it asks for somebody who is known by a history alone, without rules."""
        others = self.user, self.users, self.histories, self.rules
        return self.history is not None and all(other is None for other in others)


class ExplainRequest(BaseModel):
    """An item, or the best ones, to be explained for a user or a history."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"history": ["85123A", "71053"], "items": ["84029G"]}]},
    )

    user: AnyId | None = None
    history: History | None = None
    items: list[AnyId] | None = Field(default=None, description="By default the best n.")
    n: int = Field(default=10, ge=1)
    reasons: int = Field(default=3, ge=1, le=10)
    counterfactual: StrictBool = Field(
        default=False,
        description="Whether to look for the fewest past items without which an item leaves the list.",
    )
