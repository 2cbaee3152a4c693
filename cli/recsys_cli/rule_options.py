"""Options of what lists keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer

from recsys_cli import options

Exclude: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--exclude",
        metavar="FILE|A,B,C",
        help="Items not to list: ids, or a file with one a line or with columns of items and users.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
Only: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="FILE|A,B,C",
        help="The only items to list, given as for --exclude.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
OnlyCategory: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--only-category",
        help="List items of this category only; give it several times.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
NeverCategory: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--never-category",
        help="List no items of this category; give it several times.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
MostPerCategory: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--most-per-category",
        min=1,
        max=options.MOST,
        help="Most items of one category in a list.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
LeastUsers: TypeAlias = Annotated[
    int,
    typer.Option(
        "--least-users",
        min=0,
        max=options.MOST,
        help="How many users an item needs to be listed.",
        rich_help_panel=options.RULES,
    ),
]
SoldSince: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--sold-since",
        metavar="60d|DATE",
        help="Leave out items not sold for 60d (or 8w) before the end of the log, or since a date.",
        rich_help_panel=options.RULES,
        show_default=False,
    ),
]
Diversity: TypeAlias = Annotated[
    float,
    typer.Option(
        "--diversity",
        min=0,
        max=1,
        help="Weight of being unlike the items before it in the list; moves diversity@k.",
        rich_help_panel=options.RULES,
    ),
]
Calibration: TypeAlias = Annotated[
    float,
    typer.Option(
        "--calibration",
        min=0,
        max=1,
        help="Weight of keeping a user's own mix of --item-category; moves calibration@k.",
        rich_help_panel=options.RULES,
    ),
]
PopularityDiscount: TypeAlias = Annotated[
    float,
    typer.Option(
        "--popularity-discount",
        min=0,
        max=1,
        help="Weight of being taken by few; moves novelty@k and popularity-lift@k.",
        rich_help_panel=options.RULES,
    ),
]
Pool: TypeAlias = Annotated[
    int,
    typer.Option(
        "--pool",
        min=1,
        help="How many of a user's best items these weights choose among; the score has the rest of 1.",
        rich_help_panel=options.RULES,
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
