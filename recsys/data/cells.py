"""How a cell of a log is read, by the type of its column; of times, see `recsys.data.times`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from recsys.data.database import literal, quoted
from recsys.data.log_format import LogFormat
from recsys.data.source import Source
from recsys.data.times import FLOATS, INTEGERS
from recsys.errors import LogError

IdKind = Literal["integer", "float", "text"]

_EXACT = 2**53  # the largest number up to which a float64 tells all integers apart


def is_text(kind: str) -> bool:
    """Return whether a type of the database holds text."""
    return kind == "VARCHAR" or kind.startswith("ENUM")


def cleaned_sql(name: str, markers: Sequence[str]) -> str:
    """Return a column of text in which cells that stand for a missing one are NULL."""
    text = f"CAST({quoted(name)} AS VARCHAR)"
    # One by one: of a list the database makes a join, which does not keep the order of rows.
    is_none = " AND ".join(f"{text} <> {literal(marker)}" for marker in markers)
    return f"CASE WHEN {is_none} THEN {text} END"


def number_sql(name: str, log_format: LogFormat) -> str:
    """Return a column of text as numbers with the marks that a format names; NULL where it is none."""
    decimal, thousands = log_format.decimal or ".", log_format.thousands
    column = f"trim({quoted(name)})"
    whole = "[0-9]+"
    if thousands is not None:
        whole = f"([0-9]+|[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+)"
    look = f"^[-+]?({whole})?({re.escape(decimal)}[0-9]*)?([eE][-+]?[0-9]+)?$"
    plain = column if thousands is None else f"replace({column}, {literal(thousands)}, '')"
    if decimal != ".":
        plain = f"replace({plain}, {literal(decimal)}, '.')"
    return f"CASE WHEN regexp_matches({column}, {literal(look)}) THEN TRY_CAST({plain} AS DOUBLE) END"


def id_sql(source: Source, name: str, kind: str) -> tuple[IdKind, str]:
    """Return how an id column is read: exact text or integers, nothing else."""
    column = quoted(name)
    if kind in INTEGERS or re.fullmatch(r"DECIMAL\(\d+,0\)", kind):
        return "integer", f"TRY_CAST({column} AS BIGINT)"
    if kind in FLOATS:
        return "float", (
            f"CASE WHEN {column} = floor({column}) AND abs({column}) <= {_EXACT} "
            f"THEN CAST({column} AS BIGINT) END"
        )
    if is_text(kind) or kind == "UUID":
        return "text", f"nullif(CAST({column} AS VARCHAR), '')"
    raise LogError(
        f"the column holds {kind}; expected ids that are integers or text.",
        advice="Name another column, or cast this one in the log.",
        source=source.name,
        column=name,
    )


def value_sql(source: Source, name: str, kind: str) -> str:
    """Return how a value column is read: as DOUBLE, NULL where it is missing or no number."""
    column = quoted(name)
    if kind in (*INTEGERS, *FLOATS) or kind.startswith("DECIMAL"):
        return f"CAST({column} AS DOUBLE)"
    if is_text(kind):
        return f"TRY_CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
    raise LogError(
        f"the column holds {kind}; expected numbers.",
        advice="Name another value column, or ignore this one with --value -.",
        source=source.name,
        column=name,
    )
