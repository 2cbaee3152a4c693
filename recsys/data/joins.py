"""Columns from a second file: a row of it for each value of a column, such as orders for order lines."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from recsys.data import sources
from recsys.data.columns import existing
from recsys.data.conditions import Drop
from recsys.data.database import quoted
from recsys.data.layouts import reshaped
from recsys.data.log_format import LogFormat
from recsys.data.source import Source
from recsys.errors import LogError, ParameterError
from recsys.remarks import Remark, RemarkCode

_JOINED = "joined"
_KINDS = ("BIGINT", "DOUBLE")


def joined(source: Source, log_format: LogFormat, n_threads: int | None) -> tuple[Source, list[Drop]]:
    """Return a source with the columns of ``log_format.join``, too, and what drops rows without any.

    A column whose name is in the log already has the name of the file and an underscore before its own.
    The second file is held in memory.

    Raises
    ------
    ParameterError
        If only one of ``join`` and ``join_on`` is given.
    LogError
        If the column is not in both, or a value stands twice in the second file.
    """
    if log_format.join is None and log_format.join_on is None:
        return source, []
    if log_format.join is None or log_format.join_on is None:
        raise ParameterError(
            "join names a file and join_on the column that it shares with the log; give both."
        )
    path = _path(source, log_format.join)
    other = sources.open_files(path, n_threads, (), LogFormat(encoding=log_format.encoding))
    key = existing(source.names, log_format.join_on, source=source.name, option="join_on")
    of_other = existing(other.names, log_format.join_on, source=other.name, option="join_on")
    known = {name.lower() for name in source.names}
    stem = Path(path).name.partition(".")[0]
    names = {
        name: name if name.lower() not in known and name != of_other else f"{stem}_{name}"
        for name in other.names
    }
    listed = ", ".join(f"{quoted(name)} AS {quoted(new)}" for name, new in names.items())
    rows = other.relation(other.names if other.texts else ())
    try:
        source.connection.register(_JOINED, rows.select(listed).to_arrow_table())
    except duckdb.Error as error:
        raise other.explained(error) from error
    partner = quoted(names[of_other])
    _check_unique(source, other, partner, of_other)

    of_text = [new for name, new in names.items() if other.texts and name != of_other]
    kinds = _numbers(source, of_text) if of_text else {}
    columns = (*source.names, *names.values())

    def reshaped_with(as_text: Collection[str]) -> Source:
        parsed = [
            f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}"
            for name, kind in kinds.items()
            if name not in as_text
        ]
        of_join = f"* REPLACE ({', '.join(parsed)})" if parsed else "*"

        def select(own: str) -> str:
            return (
                f"SELECT log.*, joined.* FROM ({own}) AS log "  # noqa: S608
                f"LEFT JOIN (SELECT {of_join} FROM {_JOINED}) AS joined ON "
                f"CAST(log.{quoted(key)} AS VARCHAR) = CAST(joined.{partner} AS VARCHAR)"
            )

        return reshaped(source, select, columns, [key], is_unordered=True)

    def query(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
        return reshaped_with(columns if is_raw else as_text).query(as_text)

    text = f"columns of {Path(path).name} are joined by {log_format.join_on!r}: {', '.join(names.values())}"
    whole = reshaped_with(())
    whole = replace(whole, query=query, remarks=(*whole.remarks, Remark(RemarkCode.READ_AS, text)))
    return whole, [Drop(f"no {log_format.join_on} in {Path(path).name}", f"{partner} IS NULL")]


def _numbers(source: Source, names: Sequence[str]) -> dict[str, str]:
    """Return the types of those columns of text of the second file that hold nothing but numbers.

    Dates remain text, which sorts as they do where the year comes first.
    """
    counts = [
        f"count({column}) = count(TRY_CAST({column} AS {kind}))"
        for column in map(quoted, names)
        for kind in _KINDS
    ]
    fits = source.connection.sql(f"SELECT {', '.join(counts)} FROM {_JOINED}").fetchall()[0]  # noqa: S608
    each = [fits[first : first + len(_KINDS)] for first in range(0, len(fits), len(_KINDS))]
    return {
        name: next(kind for kind, is_kind in zip(_KINDS, of_name, strict=True) if is_kind)
        for name, of_name in zip(names, each, strict=True)
        if any(of_name)
    }


def _path(source: Source, name: str) -> str:
    """Return where the second file is: as it is named, or beside the log."""
    path = Path(name).expanduser()
    if not path.exists() and not path.is_absolute() and source.files:
        beside = source.files[0].path.parent / path
        if beside.exists():
            return glob.escape(str(beside))
    return str(path)


def _check_unique(source: Source, other: Source, partner: str, key: str) -> None:
    twice = source.connection.sql(
        f"SELECT {partner}, count(*) FROM {_JOINED} WHERE {partner} IS NOT NULL "  # noqa: S608
        f"GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()
    if twice:
        value, n_rows = twice[0]
        raise LogError(
            f"{value!r} stands {n_rows} times; expected one row for each value.",
            advice="Join by another column, or make this file the log and the other one --join.",
            source=other.name,
            column=key,
        )
