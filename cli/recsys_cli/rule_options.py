"""Options of what lists keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from recsys_cli import options

Exclude: TypeAlias = Annotated[
    str | None,
    options.rule_option(
        "--exclude",
        metavar="FILE|A,B,C",
        help="Items not to list: ids, or a file with one a line or with columns of items and users.",
    ),
]
Only: TypeAlias = Annotated[
    str | None,
    options.rule_option(
        "--only", metavar="FILE|A,B,C", help="The only items to list, given as for --exclude."
    ),
]
OnlyCategory: TypeAlias = Annotated[
    list[str] | None,
    options.rule_option("--only-category", help="List items of this category only; give it several times."),
]
NeverCategory: TypeAlias = Annotated[
    list[str] | None,
    options.rule_option("--never-category", help="List no items of this category; give it several times."),
]
MostPerCategory: TypeAlias = Annotated[
    int | None,
    options.rule_option(
        "--most-per-category", min=1, max=options.MOST, help="Most items of one category in a list."
    ),
]
LeastUsers: TypeAlias = Annotated[
    int,
    options.rule_option(
        "--least-users",
        min=0,
        max=options.MOST,
        help="How many users an item needs to be listed.",
        show_default=True,
    ),
]
SoldSince: TypeAlias = Annotated[
    str | None,
    options.rule_option(
        "--sold-since",
        metavar="60d|DATE",
        help="Leave out items not sold for 60d (or 8w) before the end of the log, or since a date.",
    ),
]
Diversity: TypeAlias = Annotated[
    float,
    options.rule_option(
        "--diversity",
        min=0,
        max=1,
        help="Weight of being unlike the items before it in the list; moves diversity@k.",
        show_default=True,
    ),
]
Calibration: TypeAlias = Annotated[
    float,
    options.rule_option(
        "--calibration",
        min=0,
        max=1,
        help="Weight of keeping a user's own mix of --item-category; moves calibration@k.",
        show_default=True,
    ),
]
PopularityDiscount: TypeAlias = Annotated[
    float,
    options.rule_option(
        "--popularity-discount",
        min=0,
        max=1,
        help="Weight of being taken by few; moves novelty@k and popularity-lift@k.",
        show_default=True,
    ),
]
Pool: TypeAlias = Annotated[
    int,
    options.rule_option(
        "--pool",
        min=1,
        help="How many of a user's best items these weights choose among; the score has the rest of 1.",
        show_default=True,
    ),
]


@dataclass(frozen=True)
class RuleOptions:
    """What lists keep to."""

    exclude: Exclude = None
    only: Only = None
    only_category: OnlyCategory = None
    never_category: NeverCategory = None
    most_per_category: MostPerCategory = None
    least_users: LeastUsers = 0
    sold_since: SoldSince = None
    diversity: Diversity = 0.0
    calibration: Calibration = 0.0
    popularity_discount: PopularityDiscount = 0.0
    pool: Pool = 100
