"""Options of what is held out, and of what is measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from recsys_cli import options

Test: TypeAlias = Annotated[
    str | None,
    options.run_option("--test", help="Held-out events in a log of their own."),
]
SplitSpec: TypeAlias = Annotated[
    str | None,
    options.run_option(
        "--split",
        help="What to hold out, e.g. random:0.2 (of all pairs), last:5 (items of each user), time:4w, "
        "folds:5, users:0.2 (whole users); 'recsys splits' lists all rules. random:0.2x3 repeats.",
        show_default="random:0.2",
    ),
]
MinUser: TypeAlias = Annotated[
    int | None,
    options.run_option(
        "--min-user", min=0, max=options.MOST, help="Leave users with fewer different items out of training."
    ),
]
MinItem: TypeAlias = Annotated[
    int | None,
    options.run_option(
        "--min-item",
        min=0,
        max=options.MOST,
        help="Leave items with fewer different users out of training; with --min-user, in turn: the core.",
    ),
]
FilterTest: TypeAlias = Annotated[
    bool,
    options.run_option(
        "--filter-test", help="Leave those users and items out of the held-out part, too.", show_default=True
    ),
]
Metrics: TypeAlias = Annotated[
    str | None,
    options.run_option(
        "--metrics",
        help="Metrics, those of lists with @k, as ndcg@10,coverage@10,auc,rmse; 'recsys metrics' lists them "
        "all. With -gap, as ndcg-gap@10: the gap between groups of users.",
        show_default="ndcg, recall, precision and coverage @10; rmse and mae for ratings",
    ),
]
ListMetrics: TypeAlias = Annotated[
    str | None,
    options.run_option(
        "--metrics",
        help="Metrics of lists, with @k.",
        show_default="ndcg, recall, precision and coverage @10",
    ),
]


@dataclass(frozen=True)
class HeldOutOptions:
    """What is held out, and what is measured on it."""

    test: Test = None
    split: SplitSpec = None
    min_user: MinUser = None
    min_item: MinItem = None
    filter_test: FilterTest = False
    metrics: Metrics = None


ItemCategory: TypeAlias = Annotated[
    str | None,
    options.column_option(
        "--item-category",
        help="Column of categories in --items, several split by '|': for calibration@k and diversity@k.",
    ),
]
Groups: TypeAlias = Annotated[
    Path | None,
    options.column_option(
        "--groups",
        help="File with ids of users and the group of each: for gaps, as ndcg-gap@10.",
        show_default="quarters by activity",
    ),
]
Group: TypeAlias = Annotated[
    str | None,
    options.column_option("--group", help="Column of groups in --groups."),
]
GroupId: TypeAlias = Annotated[
    str | None,
    options.column_option("--group-id", help="Column of users in --groups.", show_default="as in the log"),
]


@dataclass(frozen=True)
class LabelOptions:
    """Categories of items and groups of users."""

    item_category: ItemCategory = None
    groups: Groups = None
    group: Group = None
    group_id: GroupId = None
    block_mib: options.BlockMib = None
