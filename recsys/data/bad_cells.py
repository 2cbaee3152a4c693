"""Cells of a log that cannot be used, and what is said of the first of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import get_args

import duckdb
import numpy as np
import pyarrow as pa

from recsys.data.bad_rows import BadRow
from recsys.data.columns import Columns, Role, are_ratings
from recsys.data.database import as_written, quoted
from recsys.data.log_format import LogFormat
from recsys.data.source import Source
from recsys.data.times import FIRST_YEAR, LAST_YEAR
from recsys.errors import LogError
from recsys.typing import BoolArray, Float64Array, Int64Array

_COMMA = re.compile(r"\s*[-+]?[0-9.]*,[0-9]+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?\s*")
_YEAR_FIRST = re.compile(r"\s*[0-9]{4}\b")


@dataclass(frozen=True)
class _BadCell:
    """A cell that cannot be used: its row, whose it is, and what was read of it."""

    row: int
    role: Role
    read: float | int | str | None


class Checker:
    """Looks at kept rows in batches for what cannot be used.

    All rows are looked at before an error is made: a missing id is then named before a negative
    value of an earlier row, and how many rows are concerned can be said.

    Parameters
    ----------
    source : Source
    columns : Columns
    as_text : sequence of str
        The columns read as text.
    conditions : sequence of str
        The user's own, so that advice adds to them.
    log_format : LogFormat
    keeps_returns : bool
        Whether amounts below 0 are taken, too; ratings below 0 always are.
    """

    def __init__(
        self,
        source: Source,
        columns: Columns,
        as_text: Sequence[str],
        conditions: Sequence[str],
        log_format: LogFormat,
        *,
        keeps_returns: bool = False,
    ) -> None:
        self.source = source
        self.columns = columns
        self.as_text = as_text
        self.conditions = conditions
        self.log_format = log_format
        self._allows_negative = (
            keeps_returns
            or log_format.returns in ("drop", "net")
            or are_ratings(columns, log_format.feedback)
        )
        self._first: dict[str, _BadCell] = {}
        self._n_bad: Counter[str] = Counter()
        self._skipped: list[_BadCell] = []

    @property
    def is_clean(self) -> bool:
        """Whether nothing bad was seen so far."""
        return not self._first

    @property
    def n_skipped(self) -> int:
        """Number of rows that `usable` left out."""
        return len(self._skipped)

    def look(self, batch: pa.RecordBatch, rows: Int64Array) -> BoolArray:
        """Look at a batch, and return which rows cannot be used.

        Parameters
        ----------
        batch : RecordBatch
        rows : int64, shape (n,)
            The numbers of its rows in the source.
        """
        is_bad = np.zeros(batch.num_rows, dtype=bool)
        for role in get_args(Role):
            if role in batch.schema.names:
                bad = np.flatnonzero(_is_bad(role, batch.column(role), allows_negative=self._allows_negative))
                self._n_bad[role] += len(bad)
                is_bad[bad] = True
                if len(bad):
                    first = int(bad[np.argmin(rows[bad])])
                    if role not in self._first or rows[first] < self._first[role].row:
                        self._first[role] = _BadCell(
                            int(rows[first]), role, batch.column(role)[first].as_py()
                        )
        return is_bad

    def usable(self, batch: pa.RecordBatch, rows: Int64Array) -> tuple[pa.RecordBatch, Int64Array]:
        """Look at a batch, and return what can be used of it; the rest is kept for `skipped`."""
        is_bad = self.look(batch, rows)
        if not is_bad.any():
            return batch, rows
        bad = np.flatnonzero(is_bad)
        part = batch.take(pa.array(bad))
        roles = [role for role in get_args(Role) if role in part.schema.names]
        of_role = np.stack(
            [_is_bad(role, part.column(role), allows_negative=self._allows_negative) for role in roles]
        )
        for row, number, which in zip(
            rows[bad].tolist(), range(len(bad)), of_role.argmax(axis=0), strict=True
        ):
            role = roles[which]
            self._skipped.append(_BadCell(row, role, part.column(role)[number].as_py()))
        kept = ~is_bad
        return batch.filter(pa.array(kept)), rows[kept]

    def skipped(self) -> list[BadRow]:
        """Return the rows left out, with what is wrong; the source must be at rest."""
        cells = sorted(self._skipped, key=lambda cell: cell.row)
        texts = self._cells([cell.row for cell in cells]) if cells else []
        places = self.source.places([cell.row for cell in cells])
        listed = []
        for bad, of_row, (source, line, raw) in zip(cells, texts, places, strict=True):
            name = getattr(self.columns, bad.role)
            problem, _ = self._said(bad.role, name, of_row[name], bad.read)
            text = raw if raw is not None else json.dumps(of_row, ensure_ascii=False)
            listed.append(BadRow(source, line, f"rows whose {bad.role} cannot be used", problem, text))
        return listed

    def _cells(self, rows: Sequence[int]) -> list[dict[str, str | None]]:
        """Return the cells of some rows, in ascending order, as text, by the names of their columns."""
        relation = self.source.relation(self.as_text, is_raw=True)
        texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in relation.columns)
        wanted, before = np.asarray(rows), 0
        listed: list[dict[str, str | None]] = []
        with closing(relation.select(texts).batches()) as batches:
            for batch in batches:
                first, last = np.searchsorted(wanted, [before, before + batch.num_rows])
                listed += batch.take(pa.array(wanted[first:last] - before)).to_pylist()
                before += batch.num_rows
        return listed

    def error(self) -> LogError:
        """Return what is to be said; the cell is looked up in the source, which must be at rest."""
        role = next(role for role in get_args(Role) if role in self._first)
        row, read = self._first[role].row, self._first[role].read
        name = getattr(self.columns, role)
        cell = self._cell(name, row)
        problem, advice = self._said(role, name, cell, read)
        if self._n_bad[role] > 1:
            problem += f" (1 of {self._n_bad[role]:,} rows whose {role} cannot be used)"
        source, line = self.source.place(row)
        return LogError(
            f"{problem}.", advice=advice, source=source, line=line, column=name, unit=self.source.unit
        )

    def _said(
        self, role: str, name: str, cell: str | None, read: float | int | str | None
    ) -> tuple[str, str]:
        """Return what is wrong with a cell, and what to do."""
        column = as_written(name)
        is_id = role in ("user", "item")
        ignore = "" if is_id else f", or ignore the column with --{role} -"
        if cell is None or cell in self.log_format.null_markers or (cell == "" and is_id):
            what = f"{role} id" if is_id else role
            is_there = f"{column} <> ''" if cell == "" else f"{column} IS NOT NULL"
            marker = f", the cell is {cell!r}" if cell else ""
            kept = " If it is an id, add --null none." if cell and is_id else ""
            return f"the {what} is missing{marker}", self._filter(is_there, ignore) + kept
        if is_id:
            return f"found {cell!r}; expected an id that is an integer (of 64 bits) or text", ""
        if role == "time":
            return self._said_of_time(cell, ignore)
        if read is None:
            return f"found {cell!r}; expected a number", self._advice_on_number(column, cell, ignore)
        if not np.isfinite(float(read)):
            return (
                f"found {cell!r}; expected a finite number",
                self._filter(f"isfinite({column}::DOUBLE)", ignore),
            )
        return (
            f"found {cell!r}; expected an amount of 0 or more",
            self._filter(
                f"{column} > 0",
                "",
                "If these are ratings, add --feedback explicit; if returns, take them off by --returns net, "
                "or leave them out with",
            ),
        )

    def _said_of_time(self, cell: str, ignore: str) -> tuple[str, str]:
        time_format = self.log_format.time_format
        if time_format is not None:
            return (
                f"found {cell!r}; expected a time written as {time_format!r}",
                "Correct --time-format" + ignore + ".",
            )
        if _YEAR_FIRST.match(cell) and not FIRST_YEAR <= int(cell.split()[0][:4]) <= LAST_YEAR:
            return (
                f"found {cell!r}; expected a time in the years {FIRST_YEAR} to {LAST_YEAR}",
                "Correct such times, leave their rows out with --where" + ignore + ".",
            )
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", cell):
            return (
                f"found {cell!r}; expected a date, a timestamp or a whole number",
                "If these are seconds since 1970, add --time-unit s" + ignore + ".",
            )
        return (
            f"found {cell!r}; expected a date, a timestamp or a whole number",
            "Say how times are written, as in --time-format '%d.%m.%Y %H:%M'" + ignore + ".",
        )

    def _advice_on_number(self, column: str, cell: str, ignore: str) -> str:
        if self.log_format.decimal is None and self.log_format.thousands is None:
            if _THOUSANDS.fullmatch(cell):
                return (
                    "If the comma is between thousands, add --thousands ,; if before decimals, --decimal ,."
                )
            if _COMMA.fullmatch(cell):
                return "If the comma is a decimal mark, add --decimal ,."
        return self._filter(f"TRY_CAST({column} AS DOUBLE) IS NOT NULL", ignore)

    def _filter(self, condition: str, other: str, lead: str = "Leave such rows out with") -> str:
        whole = " AND ".join([*(f"({own})" for own in self.conditions), condition])
        mark = "'" if '"' in whole else '"'
        return f"{lead} --where {mark}{whole}{mark}{other}."

    def _cell(self, name: str, row: int) -> str | None:
        # Read as text to show it as it stands in the file: 1e999 is not "inf" there.
        as_text = {*self.as_text, name} if self.source.texts else set()
        relation = self.source.relation(as_text, is_raw=True).select(
            duckdb.SQLExpression(f"CAST({quoted(name)} AS VARCHAR)")
        )
        text = relation.limit(1, row).fetchall()[0][0]
        return None if text is None else str(text)


def _is_bad(role: str, column: pa.Array, *, allows_negative: bool) -> BoolArray:
    if role != "value":
        return np.asarray(column.is_null().to_numpy(zero_copy_only=False))
    values: Float64Array = column.to_numpy(zero_copy_only=False)  # a NULL becomes NaN
    return ~(np.isfinite(values) & (allows_negative | (values >= 0)))
