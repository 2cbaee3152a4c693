"""Remarks: what readers should know beside a result, with a code for programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RemarkCode(StrEnum):
    """What a remark is about. Programs compare codes; texts may change."""

    NO_TIMES = "no-times"
    """A log without times: the order of its lines took their place."""
    EQUAL_TIMES = "equal-times"
    """More is held out than asked for, since many events happened at the same time."""
    TIMES_OF_TWO_KINDS = "times-of-two-kinds"
    """Times of training and held-out part cannot be compared."""
    FUTURE_OF_SAME_USERS = "future-of-same-users"
    """Training holds events later than the same user's first held-out one."""
    FUTURE_OF_OTHER_USERS = "future-of-other-users"
    """Training holds events later than the first held-out one, none of them the same user's."""
    FEW_USERS_EVALUATED = "few-users-evaluated"
    """Most users with held-out items have nothing in training."""
    PREDICTS_NO_VALUES = "predicts-no-values"
    """A model ranks items but predicts no values, so that errors of values have none."""
    RANKS_BY_VALUE = "ranks-by-value"
    """Lists in the order of predicted values, which are poor ones."""
    BELOW_POPULARITY = "below-popularity"
    """Lists that are clearly worse than those of popularity."""
    METRIC_WITHOUT_VALUE = "metric-without-value"
    """A metric has no value: it lacks what it needs, or is not defined for anybody."""
    PARTLY_DEFINED = "partly-defined"
    """A metric is averaged over those users for whom it is defined."""
    LONGER_THAN_CATALOGUE = "longer-than-catalogue"
    """More positions are asked for than there are items."""
    READ_AS = "read-as"
    """Something about how a log is written was recognised, which an option may set otherwise."""
    IDS_SPELLED_ALIKE = "ids-spelled-alike"
    """Ids that differ only in how they are written, or that a spreadsheet rounded."""
    ITEMS_NAMED = "items-named"
    """How many items have a name in the table of items."""
    SERVICE_CODES = "service-codes"
    """Items that look like services, such as postage, rather than goods."""
    SUSPECT_ITEMS = "suspect-items"
    """Items with prices below 0 or far above all others, or without a description."""
    ACTIVE_ACCOUNTS = "active-accounts"
    """Users with so many events that they may be programs, or several people."""
    ZERO_RATINGS = "zero-ratings"
    """Many ratings are 0, which often stands for none."""
    NEGATIVE_AMOUNTS = "negative-amounts"
    """Amounts below 0, such as returns, in a log that is only looked at."""
    AMOUNTS_AS_RATINGS = "amounts-as-ratings"
    """A model of ratings is given amounts."""
    ABOUT_LISTS = "about-lists"
    """Something about lists that were made elsewhere."""
    OTHER = "other"
    """Anything else, e.g. what a split rule from outside this package remarks."""


@dataclass(frozen=True)
class Remark:
    """A sentence or part of one, and its code.

    Attributes
    ----------
    code : RemarkCode
    text : str
    subject : str
        What the text is said of, e.g. a model's name, where it does not stand for itself.
    """

    code: RemarkCode
    text: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.subject} {self.text}" if self.subject else self.text
