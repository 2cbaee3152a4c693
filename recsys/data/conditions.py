"""Conditions under which rows of a log are dropped, and what is said of one that cannot be evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from recsys.data.database import first_line, quoted
from recsys.data.queries import Relation
from recsys.data.source import Source
from recsys.errors import LogError

_EXPECTED = "Expected one SQL expression on the columns, such as: Quantity > 0."


@dataclass(frozen=True)
class Drop:
    """A condition for dropping rows; a kept row is one where none is true.

    Attributes
    ----------
    reason : str
    where : str
        SQL expression.
    keeps : bool
        The expression says which rows stay, so that others go (also those where it is NULL).
    """

    reason: str
    where: str
    keeps: bool = False

    def expression(self) -> duckdb.Expression:
        """Return the condition that is true for a dropped row."""
        test = duckdb.SQLExpression(self.where)
        # Composed, not pasted: a comment or a bracket in the expression stays inside it.
        is_true = duckdb.CaseExpression(test, duckdb.ConstantExpression(True)).otherwise(
            duckdb.ConstantExpression(False)
        )
        return ~is_true if self.keeps else is_true


def as_expression(source: Source, relation: Relation, drop: Drop) -> duckdb.Expression:
    """Return the condition as an expression; as a filter first, which refuses what sees other rows."""
    try:
        expression = drop.expression()
        relation.filter(expression)
        n_values = len(relation.select(expression).columns)
    except duckdb.Error as error:
        raise condition_error(source, relation, drop.where, error) from error
    if n_values > 1:
        raise LogError(
            f"the condition {drop.where!r} has several values for a row.",
            advice=_EXPECTED,
            source=source.name,
        )
    for name in _session_names(drop.where):
        if name not in map(str.lower, relation.columns):
            raise LogError(
                f"the condition {drop.where!r} names {name}, which is no column.",
                advice=f"Columns: {', '.join(source.names)}.",
                source=source.name,
            )
    return expression


def _session_names(where: str) -> list[str]:
    """Return words of a condition that SQL reads as the name of the session's user: a column was meant."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", " ", where)
    return [
        word.lower() for word in re.findall(r"(?<![\w.])(?:current_|session_)?user(?![\w.(])", bare, re.I)
    ]


def condition_error(source: Source, relation: Relation, where: str, error: Exception) -> LogError:
    """Return what is to be said of a condition that cannot be evaluated."""
    return LogError(
        f"the condition {where!r} cannot be evaluated: {first_line(error)}.",
        advice=_advice(relation, where, str(error)),
        source=source.name,
    )


def _advice(relation: Relation, where: str, said: str) -> str:
    unknown = re.search(r'Referenced column "(.*?)" not found', said)
    if unknown and f'"{unknown[1]}"' in where:
        return f"Text stands in single quotes, names of columns in double ones: '{unknown[1]}'."
    if "explicit cast" not in said and "Could not convert" not in said:
        return _EXPECTED
    texts = [
        name
        for name, kind in zip(relation.columns, map(str, relation.types), strict=True)
        if kind == "VARCHAR" and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", where)
    ]
    for name in texts:
        column = quoted(name)
        is_no_number = duckdb.SQLExpression(f"{column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL")
        rows = relation.filter(is_no_number).select(duckdb.SQLExpression(column)).limit(1).fetchall()
        if not rows:
            return f"Ids of a text file are text here; compare CAST({name} AS BIGINT)."
        if re.fullmatch(r"\s*[-+]?[0-9][0-9.,' ]*", rows[0][0]):
            return (
                f"Column {name!r} is text, since it holds {rows[0][0]!r}; say what its marks are by "
                f"--thousands or --decimal, if it is the value, or compare TRY_CAST({name} AS DOUBLE)."
            )
        return f"Column {name!r} is text, such as {rows[0][0]!r}; text stands in single quotes."
    return _EXPECTED
