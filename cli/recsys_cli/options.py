"""Options that several commands share. Nothing heavy is imported here: help has to be quick."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

COLUMNS = "Columns of the log"
MODEL = "Model"
RUN = "Run"
RULES = "Rules"
"""Panels of help in which options stand."""
MOST = 1_000_000
"""Largest number of items, users or rows that an option takes."""
MOST_SEED = 2**32 - 1

column_option = partial(typer.Option, rich_help_panel=COLUMNS, show_default=False)
model_option = partial(typer.Option, rich_help_panel=MODEL, show_default=False)
run_option = partial(typer.Option, rich_help_panel=RUN, show_default=False)
rule_option = partial(typer.Option, rich_help_panel=RULES, show_default=False)
"""An option in a panel of help, which shows a default only if ``show_default`` says so or which."""

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
    column_option(
        "--duplicates",
        help="How repeats of a pair become one value: last, sum, mean, max, count or error.",
        show_default="last for ratings, sum otherwise",
    ),
]
Items: TypeAlias = Annotated[
    Path | None,
    column_option("--items", help="File with ids and names of items."),
]
Model: TypeAlias = Annotated[
    str | None,
    model_option(
        "--model",
        help="hybrid-nmf (lists), masked-nmf (ratings), als, ...: see 'recsys models'; or auto, by the task.",
        show_default="auto",
    ),
]
Models: TypeAlias = Annotated[
    list[str] | None,
    model_option(
        "--model",
        help="A model to compare, see 'recsys models'; give it several times.",
        show_default="auto, als, popularity",
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    model_option(
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the model, e.g. n_components=32; with several models MODEL.KEY=VALUE.",
    ),
]
Config: TypeAlias = Annotated[
    Path | None,
    model_option(
        "--config", help="TOML file with a table called model, instead of --model; or of the whole run."
    ),
]
Configs: TypeAlias = Annotated[
    list[Path] | None,
    model_option(
        "--config",
        help="TOML file with a table called model; give it several times. One may describe the whole "
        "run instead; flags override what it says.",
    ),
]
Seed: TypeAlias = Annotated[
    int, run_option("--seed", min=0, max=MOST_SEED, help="Seed of splits and starts.", show_default=True)
]
SeedOrPlan: TypeAlias = Annotated[
    int | None,
    run_option("--seed", min=0, max=MOST_SEED, help="Seed of splits and starts.", show_default="0"),
]
Mapped: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--mapped",
        help="Map the model's files: one that was checked before opens at once, and processes share it.",
    ),
]
Threads: TypeAlias = Annotated[
    int | None,
    run_option(
        "--threads",
        min=1,
        max=1024,
        help="Most threads; results do not depend on it.",
        show_default="all cores",
    ),
]
On: TypeAlias = Annotated[
    list[str] | None,
    model_option(
        "--on",
        metavar="NEWLOG",
        help="Events to measure both models on: those of pairs that neither was trained on.",
    ),
]
Since: TypeAlias = Annotated[
    str | None,
    model_option("--since", metavar="DATE", help="The first moment of --on that counts, e.g. 2011-11-01."),
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
    run_option(
        "--memory",
        metavar="SIZE",
        help="Most memory that a fit may take, by its estimate, e.g. 4G.",
        show_default="what machine and container allow",
    ),
]
BlockMib: TypeAlias = Annotated[
    int | None,
    run_option(
        "--block-mib",
        min=1,
        max=1_000_000,
        help="Most MiB of scores and lists held at a time; results do not depend on it.",
        show_default="16",
    ),
]
Json: TypeAlias = Annotated[
    bool, run_option("--json", help="Print one JSON object, for programs.", show_default=True)
]


def source_of(logs: list[str] | None) -> Any:
    """Return the one log named, or the list of several, or None."""
    return logs[0] if logs and len(logs) == 1 else logs or None


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
