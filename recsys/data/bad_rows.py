"""Rows that cannot be used and are skipped when that is asked for: counted, and written to a file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.data.ledger import Dropped
from recsys.errors import LogError
from recsys.files import atomic_write

_MOST = 0.5
COLUMNS = ("source", "line", "problem", "row")


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used.

    Attributes
    ----------
    source : str
        The file, or what else the log is.
    line : int
        Its line, or its number from 1 in a source without lines.
    what : str
        The kind of trouble: rows of one kind are counted together.
    problem : str
        What was found, and what was expected.
    text : str
        The row as it stands in a text; of other sources the cells.
    """

    source: str
    line: int
    what: str
    problem: str
    text: str


def check_share(n_bad: int, n_rows: int, first: LogError | BadRow) -> None:
    """Raise if so many rows are bad that it is the reading rather than the rows.

    Raises
    ------
    LogError
        With what is said of the first bad row.
    """
    if n_bad > _MOST * n_rows:
        if isinstance(first, BadRow):
            first = LogError(f"{first.problem}.", source=first.source, line=first.line)
        raise LogError(
            f"{n_bad:,} of {n_rows:,} rows cannot be used, more than --on-bad-row skip leaves out (half of "
            f"them). The first: {first.problem}",
            advice=first.advice,
            source=first.source,
            line=first.line,
            column=first.column,
        )


def ledger_of(rows: Sequence[BadRow], path: str | None) -> tuple[Dropped, ...]:
    """Return an entry for each kind of trouble, with its first row."""
    where = f"all are in {path}" if path else "--bad-rows FILE writes them"
    first: dict[str, BadRow] = {}
    for row in rows:
        first.setdefault(row.what, row)
    counts = Counter(row.what for row in rows)
    return tuple(
        Dropped(
            f"{what}, the first in line {first[what].line:,}: {first[what].problem}; {where}", counts[what]
        )
        for what in first
    )


def write_bad_rows(rows: Iterable[BadRow], path: Path) -> None:
    """Write rows as a CSV with the columns of `COLUMNS`, over what was there."""
    with atomic_write(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((row.source, row.line, row.problem, row.text) for row in rows)
