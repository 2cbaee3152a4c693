"""Layouts other than one event a row, made into one event a row.

Each is a query over that of the file, which carries the number of its row along, so that a message
still names the line.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from recsys.data.columns import existing
from recsys.data.database import literal, quoted
from recsys.data.log_format import BLANKS, LogFormat
from recsys.data.sections import HEADING, SECTION
from recsys.data.source import Source
from recsys.data.text_files import LINE
from recsys.errors import LogError
from recsys.remarks import Remark, RemarkCode

_ROW = quoted(f"row of the file {secrets.token_hex(8)}")  # a name that no log has
_BRACKETS = r"^\s*[\[({]|[\])}]\s*$"
_AROUND = " \t\"'"


def lists(source: Source, delimiter: str) -> Source:
    """Return lines that hold a user and then all items of the user as columns ``user`` and ``item``."""
    line = quoted(LINE)
    if delimiter == BLANKS:
        parts = f"string_split_regex(trim({line}, ' \t'), '[ \t]+')"
    else:
        parts = f"[trim(part) FOR part IN string_split({line}, {literal(delimiter)}) IF trim(part) <> '']"

    def select(rows: str) -> str:
        split = f"SELECT {_ROW}, {parts} AS parts FROM ({rows})"  # noqa: S608
        return f'SELECT {_ROW}, parts[1] AS "user", unnest(parts[2:]) AS "item" FROM ({split})'  # noqa: S608

    return reshaped(source, select, ("user", "item"), [LINE])


def of_sections(source: Source, delimiter: str, n_fields: int) -> Source:
    """Return rows below headings with columns ``section``, ``1``, ``2`` ...; headings are no rows.

    What stands behind the last field is part of it, so that a row that is too long is not cut.
    """
    line = quoted(LINE)
    split = f"string_split({line}, {literal(delimiter)})"
    if delimiter == BLANKS:
        split = f"string_split_regex(trim({line}, ' \t'), '[ \t]+')"
    fields = [f"trim(parts[{number}])" for number in range(1, n_fields)]
    fields.append(
        f"trim(array_to_string(parts[{n_fields}:], {literal(' ' if delimiter == BLANKS else delimiter)}))"
    )
    names = [str(number) for number in range(1, n_fields + 1)]
    columns = ", ".join(
        f"nullif({sql}, '') AS {quoted(name)}" for name, sql in zip(names, fields, strict=True)
    )

    def select(rows: str) -> str:
        heading = f"nullif(regexp_extract({line}, {literal(HEADING)}, 1), '')"
        headed = f"SELECT {_ROW}, {line}, {heading} AS heading FROM ({rows})"  # noqa: S608
        over = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        last = f"last_value(heading IGNORE NULLS) OVER ({over})"
        filled = f"SELECT *, {last} AS section, {split} AS parts FROM ({headed})"  # noqa: S608
        return f'SELECT {_ROW}, section AS "{SECTION}", {columns} FROM ({filled}) WHERE heading IS NULL'  # noqa: S608

    return replace(reshaped(source, select, (SECTION, *names), [LINE]), has_header=True)


def matrix(source: Source, user: str | None) -> Source:
    """Return a table with a row for each user and a column for each item as ``user``, ``item``, ``value``.

    Parameters
    ----------
    source : Source
    user : str, optional
        The column of users. Default: the first.

    Raises
    ------
    LogError
        If there is no such column, or no other.
    """
    user = (
        source.names[0] if user is None else existing(source.names, user, source=source.name, option="user")
    )
    items = [name for name in source.names if name != user]
    if not items:
        raise LogError(
            "a matrix of one column; expected a column of users and one for each item.", source=source.name
        )
    cells = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in items)
    listed = ", ".join(map(quoted, items))

    def select(rows: str) -> str:
        table = f"SELECT {_ROW}, {quoted(user)} AS {_USER}, {cells} FROM ({rows})"  # noqa: S608
        long = f"UNPIVOT ({table}) ON {listed} INTO NAME {_ITEM} VALUE {_VALUE}"
        return f'SELECT {_ROW}, {_USER} AS "user", {_ITEM} AS "item", {_VALUE} AS "value" FROM ({long})'  # noqa: S608

    return reshaped(source, select, ("user", "item", "value"), source.names)


_USER, _ITEM, _VALUE = (quoted(f"{role} of the matrix") for role in ("user", "item", "value"))


def unnested(source: Source, item: str, log_format: LogFormat) -> Source:
    """Return a source whose cells of items hold one each, where they hold lists, or texts to be split."""
    column = quoted(item)
    separator = log_format.item_separator
    # Cells of a text file are no lists; to ask for its types would read all of it.
    kinds = {} if source.texts else dict(zip(source.names, map(str, source.relation().types), strict=True))
    if kinds.get(item, "").endswith("[]"):
        parts = f"unnest({column})"
    elif separator is not None:
        text = f"regexp_replace(CAST({column} AS VARCHAR), {literal(_BRACKETS)}, '', 'g')"
        split = (
            f"string_split_regex(trim({text}), '[ \t]+')"
            if separator == BLANKS
            else f"string_split({text}, {literal(separator)})"
        )
        around = literal(_AROUND)
        parts = f"unnest([trim(part, {around}) FOR part IN {split} IF trim(part, {around}) <> ''])"
    else:
        return source

    def select(rows: str) -> str:
        return f"SELECT * REPLACE ({parts} AS {column}) FROM ({rows})"  # noqa: S608

    whole = reshaped(source, select, source.names, [item] if separator is not None else [])
    if separator is None:
        text = f"each cell of {item!r} is a list, and each item in it an event"
        whole = replace(whole, remarks=(*whole.remarks, Remark(RemarkCode.READ_AS, text)))
    return whole


def flattened(source: Source) -> Source:
    """Return a source in which the fields of nested columns are columns, too: ``user.id``."""
    if source.texts:
        return source
    relation = source.relation()
    nested = [
        pair
        for name, kind in zip(relation.columns, relation.types, strict=True)
        for pair in _fields(kind, quoted(name), name)
        if pair[0] not in relation.columns
    ]
    if not nested:
        return source
    columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in nested)

    def select(rows: str) -> str:
        return f"SELECT *, {columns} FROM ({rows})"  # noqa: S608

    return reshaped(source, select, (*source.names, *(name for name, _ in nested)), [])


def _fields(kind: Any, sql: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the SQL of each field inside of a type that has fields, or is a list of such."""
    inner = dict(kind.children)["child"] if kind.id == "list" else kind
    if inner.id != "struct":
        return
    for field, child in inner.children:
        part = f"struct_extract(each, {literal(field)})" if kind.id == "list" else None
        own = f"[{part} FOR each IN {sql}]" if part else f"struct_extract({sql}, {literal(field)})"
        yield f"{name}.{field}", own
        if kind.id != "list":
            yield from _fields(child, own, f"{name}.{field}")


def reshaped(
    source: Source,
    select: Any,
    names: Sequence[str],
    as_text: Collection[str],
    *,
    is_unordered: bool = False,
) -> Source:
    """Return a source of other rows made from those of one, each of which knows its row in the file.

    Parameters
    ----------
    source : Source
    select : callable
        Makes the query for the new rows, of that for the rows; it keeps the column of row numbers.
    names : sequence of str
        Of the new columns.
    as_text : sequence of str
        Columns that are not to be parsed, if the file is text.
    is_unordered : bool
        The query mixes the order of the rows.
    """
    always = list(as_text) if source.texts else []

    def rows_of(as_text: Collection[str]) -> str:
        known = [name for name in as_text if name in source.names]
        # Never raw: cells that are NULL give no rows, so that the rows would be others.
        inner = source.query(list(dict.fromkeys([*always, *known])))
        numbered = f"SELECT *, row_number() OVER () - 1 AS {_ROW} FROM ({inner})"  # noqa: S608
        return str(select(numbered)) + (f" ORDER BY {_ROW}" if is_unordered else "")

    def query(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
        return f"SELECT * EXCLUDE ({_ROW}) FROM ({rows_of(as_text)})"  # noqa: S608

    def locate(row: int) -> tuple[str, int]:
        sql = f"SELECT {_ROW} FROM ({rows_of(())})"  # noqa: S608
        return source.place(source.connection.sql(sql).limit(1, row).fetchall()[0][0])

    try:
        source.connection.sql(query())
    except duckdb.Error as error:
        raise source.explained(error) from error
    return replace(source, names=tuple(names), query=query, locate=locate, whole=source)
