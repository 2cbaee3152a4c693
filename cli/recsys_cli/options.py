"""Options that several commands share. Nothing heavy is imported here: help has to be quick."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

_COLUMNS = "Columns of the log"
_MODEL = "Model"
_RUN = "Run"
RULES = "Rules"
MOST = 1_000_000
"""Largest number of items, users or rows that an option takes."""
MOST_SEED = 2**32 - 1

Log: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="LOG...",
        help="Files: text, JSON, Parquet (also .gz, .zst, .zip), globs, '-'; or a data set, completejourney.",
        show_default=False,
    ),
]
LogOrConfig: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="LOG...|CONFIG.toml",
        help="Files: text, JSON, Parquet (also .gz, .zst, .zip), globs, '-'; or a data set, completejourney; "
        "or a TOML file that describes the run: tables log, split, metrics, model or models, report, run, "
        "each entry as the flag of its name.",
        show_default=False,
    ),
]
ModelFolder: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="Folder made by 'recsys train'; of versions the one in use.", show_default=False
    ),
]
History: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="A,B,C",
        help="Items somebody has who is not in the log, or A=5,B=3 with ratings or amounts.",
        show_default=False,
    ),
]
DuplicateRule: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        help="How repeats of a pair become one value: last, sum, mean, max, count or error.",
        rich_help_panel=_COLUMNS,
        show_default="last for ratings, sum otherwise",
    ),
]
Items: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--items", help="File with ids and names of items.", rich_help_panel=_COLUMNS, show_default=False
    ),
]
ItemCategory: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--item-category",
        help="Column of categories in --items, several split by '|': for calibration@k and diversity@k.",
        rich_help_panel=_COLUMNS,
        show_default=False,
    ),
]
Groups: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--groups",
        help="File with ids of users and the group of each: for gaps, as ndcg-gap@10.",
        rich_help_panel=_COLUMNS,
        show_default="quarters by activity",
    ),
]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--group", help="Column of groups in --groups.", rich_help_panel=_COLUMNS, show_default=False
    ),
]
GroupId: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--group-id",
        help="Column of users in --groups.",
        rich_help_panel=_COLUMNS,
        show_default="as in the log",
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="hybrid-nmf (lists), masked-nmf (ratings), als, ...: see 'recsys models'; or auto, by the task.",
        rich_help_panel=_MODEL,
        show_default="auto",
    ),
]
Models: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="A model to compare, see 'recsys models'; give it several times.",
        rich_help_panel=_MODEL,
        show_default="auto, als, popularity",
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the model, e.g. n_components=32; with several models MODEL.KEY=VALUE.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="TOML file with a table called model, instead of --model; or of the whole run.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Configs: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        help="TOML file with a table called model; give it several times. One may describe the whole "
        "run instead; flags override what it says.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Test: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--test", help="Held-out events in a log of their own.", rich_help_panel=_RUN, show_default=False
    ),
]
SplitSpec: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="What to hold out, e.g. random:0.2 (of all pairs), last:5 (items of each user), time:4w, "
        "folds:5, users:0.2 (whole users); 'recsys splits' lists all rules. random:0.2x3 repeats.",
        rich_help_panel=_RUN,
        show_default="random:0.2",
    ),
]
MinUser: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--min-user",
        min=0,
        max=MOST,
        help="Leave users with fewer different items out of training.",
        rich_help_panel=_RUN,
        show_default=False,
    ),
]
MinItem: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--min-item",
        min=0,
        max=MOST,
        help="Leave items with fewer different users out of training; with --min-user, in turn: the core.",
        rich_help_panel=_RUN,
        show_default=False,
    ),
]
FilterTest: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--filter-test",
        help="Leave those users and items out of the held-out part, too.",
        rich_help_panel=_RUN,
    ),
]
Metrics: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        help="Metrics, those of lists with @k, as ndcg@10,coverage@10,auc,rmse; 'recsys metrics' lists them "
        "all. With -gap, as ndcg-gap@10: the gap between groups of users.",
        rich_help_panel=_RUN,
        show_default="ndcg, recall, precision and coverage @10; rmse and mae for ratings",
    ),
]
Seed: TypeAlias = Annotated[
    int, typer.Option("--seed", min=0, max=MOST_SEED, help="Seed of splits and starts.", rich_help_panel=_RUN)
]
SeedOrPlan: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=MOST_SEED,
        help="Seed of splits and starts.",
        rich_help_panel=_RUN,
        show_default="0",
    ),
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=1024,
        help="Most threads; results do not depend on it.",
        rich_help_panel=_RUN,
        show_default="all cores",
    ),
]
On: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="NEWLOG",
        help="Events to measure both models on: those of pairs that neither was trained on.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Since: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DATE",
        help="The first moment of --on that counts, e.g. 2011-11-01.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
ListMetrics: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        help="Metrics of lists, with @k.",
        rich_help_panel=_RUN,
        show_default="ndcg, recall, precision and coverage @10",
    ),
]
Report: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="Write a report: .html, .md, .json, .parquet (users' values) or a folder with all of them.",
        show_default=False,
    ),
]
Memory: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Most memory that a fit may take, by its estimate, e.g. 4G.",
        rich_help_panel=_RUN,
        show_default="what machine and container allow",
    ),
]
BlockMib: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--block-mib",
        min=1,
        max=1_000_000,
        help="Most MiB of scores and lists held at a time; results do not depend on it.",
        rich_help_panel=_RUN,
        show_default="16",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, for programs.", rich_help_panel=_RUN)
]


Exclude: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--exclude",
        metavar="FILE|A,B,C",
        help="Items not to list: ids, or a file with one a line or with columns of items and users.",
        rich_help_panel=RULES,
        show_default=False,
    ),
]
Only: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="FILE|A,B,C",
        help="The only items to list, given as for --exclude.",
        rich_help_panel=RULES,
        show_default=False,
    ),
]
OnlyCategory: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--only-category",
        help="List items of this category only; give it several times.",
        rich_help_panel=RULES,
        show_default=False,
    ),
]
NeverCategory: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--never-category",
        help="List no items of this category; give it several times.",
        rich_help_panel=RULES,
        show_default=False,
    ),
]
MostPerCategory: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--most-per-category",
        min=1,
        max=MOST,
        help="Most items of one category in a list.",
        rich_help_panel=RULES,
        show_default=False,
    ),
]
LeastUsers: TypeAlias = Annotated[
    int,
    typer.Option(
        "--least-users",
        min=0,
        max=MOST,
        help="How many users an item needs to be listed.",
        rich_help_panel=RULES,
    ),
]


SoldSince: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--sold-since",
        metavar="60d|DATE",
        help="Leave out items not sold for 60d (or 8w) before the end of the log, or since a date.",
        rich_help_panel=RULES,
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
        rich_help_panel=RULES,
    ),
]
Calibration: TypeAlias = Annotated[
    float,
    typer.Option(
        "--calibration",
        min=0,
        max=1,
        help="Weight of keeping a user's own mix of --item-category; moves calibration@k.",
        rich_help_panel=RULES,
    ),
]
PopularityDiscount: TypeAlias = Annotated[
    float,
    typer.Option(
        "--popularity-discount",
        min=0,
        max=1,
        help="Weight of being taken by few; moves novelty@k and popularity-lift@k.",
        rich_help_panel=RULES,
    ),
]
Pool: TypeAlias = Annotated[
    int,
    typer.Option(
        "--pool",
        min=1,
        help="How many of a user's best items these weights choose among; the score has the rest of 1.",
        rich_help_panel=RULES,
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


def source_of(logs: list[str] | None) -> Any:
    """Return the one log named, or the list of several, or None."""
    return logs[0] if logs and len(logs) == 1 else logs or None


@dataclass(frozen=True)
class HeldOutOptions:
    """What is held out, and what is measured on it."""

    test: Test = None
    split: SplitSpec = None
    min_user: MinUser = None
    min_item: MinItem = None
    filter_test: FilterTest = False
    metrics: Metrics = None


@dataclass(frozen=True)
class LabelOptions:
    """Categories of items and groups of users."""

    item_category: ItemCategory = None
    groups: Groups = None
    group: Group = None
    group_id: GroupId = None
    block_mib: BlockMib = None


def flags(*groups: Any, **more: Any) -> dict[str, Any]:
    """Return options by name, those of groups and others."""
    by_name: dict[str, Any] = {}
    for group in groups:
        by_name |= vars(group)
    return by_name | more


def given(*groups: Any, **more: Any) -> dict[str, Any]:
    """Return the options that are not what they are by default; of others than groups, those not None."""
    usual = {part.name: part.default for group in groups for part in fields(group)}
    return {name: value for name, value in flags(*groups, **more).items() if value != usual.get(name)}
