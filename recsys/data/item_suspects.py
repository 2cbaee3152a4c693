"""Items that are suspect by what stands beside them in the log: prices and descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from recsys.data.columns import Columns, description_column, price_column
from recsys.data.conditions import Drop, as_expression
from recsys.data.database import as_written, literal, quoted
from recsys.data.source import Source
from recsys.remarks import Remark, RemarkCode
from recsys.typing import Float64Array, Int64Array

_USUAL_ITEMS, _TIMES_USUAL, _LEAST_ITEMS = 0.99, 20, 20
_FEW_LETTERS = 3
_SHOWN = 8


@dataclass(frozen=True)
class _Items:
    """What the rows of each item say, items with more rows first.

    Attributes
    ----------
    ids : tuple of str
    n_rows : float64, shape (n_items,)
    lowest, median, highest : float64, shape (n_items,)
        Prices; NaN where there are none.
    n_letters : float64, shape (n_items,)
        Of the description with most letters; NaN where no row has any.
    """

    ids: tuple[str, ...]
    n_rows: Float64Array
    lowest: Float64Array
    median: Float64Array
    highest: Float64Array
    n_letters: Float64Array


def remarks_on_items(source: Source, columns: Columns, drops: Sequence[Drop]) -> tuple[Remark, ...]:
    """Return remarks on items with prices below 0 or far above all others, and without a description.

    Parameters
    ----------
    source : Source
    columns : Columns
    drops : sequence of Drop
        What leaves rows out of the log; those are not looked at.

    Notes
    -----
    A price is far above all others where it is twenty times what 99 of 100 items cost, by their
    median prices. Fewer than twenty items say nothing of what is usual.
    """
    price, description = price_column(source.names, columns), description_column(source.names, columns)
    if price is None and description is None:
        return ()
    items = _read(source, columns, price, description, drops)
    said = []
    if price is not None:
        said += _on_prices(items, as_written(price), as_written(columns.item))
    if description is not None:
        said += _on_descriptions(items, as_written(description), as_written(columns.item))
    return tuple(Remark(RemarkCode.SUSPECT_ITEMS, text) for text in said)


def _read(
    source: Source, columns: Columns, price: str | None, description: str | None, drops: Sequence[Drop]
) -> _Items:
    names = [name for name in (columns.user, columns.item, description) if name is not None]
    relation = source.relation(names if source.texts else ())
    try:
        for expression in [as_expression(source, relation, drop) for drop in drops]:
            relation = relation.filter(~expression)
        amount = "NULL" if price is None else f"TRY_CAST(CAST({quoted(price)} AS VARCHAR) AS DOUBLE)"
        text = "NULL" if description is None else f"CAST({quoted(description)} AS VARCHAR)"
        letters = f"length(regexp_replace(nullif(trim({text}), ''), '[^\\p{{L}}]', '', 'g'))"
        rows = relation.select(
            duckdb.SQLExpression(f"CAST({quoted(columns.item)} AS VARCHAR)").alias("item"),
            duckdb.SQLExpression(f"CAST({amount} AS DOUBLE)").alias("price"),
            duckdb.SQLExpression(f"CAST({letters} AS DOUBLE)").alias("letters"),
        )
        found = rows.filter("item IS NOT NULL").aggregate(
            "item, count(*) AS n, min(price) AS low, median(price) AS middle, max(price) AS high, "
            "max(letters) AS letters",
            "item",
        )
        table = found.order("n DESC, item").to_arrow_table()
    except duckdb.Error as error:
        raise source.explained(error) from error
    columns_of = [
        table.column(name).to_numpy().astype(np.float64) for name in ("n", "low", "middle", "high", "letters")
    ]
    return _Items(tuple(table.column("item").to_pylist()), *columns_of)


def _on_prices(items: _Items, price: str, item: str) -> list[str]:
    said = []
    below = np.flatnonzero(items.lowest < 0)
    if len(below):
        said.append(
            f"{_counted(items, below)} prices below 0, down to {items.lowest[below].min():,g} "
            f'({_named(items, below)}); leave such rows out with --where "{price} >= 0"'
        )
    priced = items.median[~np.isnan(items.median)]
    if len(priced) < _LEAST_ITEMS:
        return said
    usual = float(np.quantile(priced, _USUAL_ITEMS, method="lower"))
    extreme = np.flatnonzero(items.highest > _TIMES_USUAL * usual)
    if usual > 0 and len(extreme):
        said.append(
            f"{_counted(items, extreme)} prices up to {items.highest[extreme].max():,g}, where 99 of 100 "
            f"items cost at most {usual:,g} ({_named(items, extreme)}); if they are no goods, leave them out "
            f'with --where "{_not_among(items, extreme, item)}"'
        )
    return said


def _on_descriptions(items: _Items, description: str, item: str) -> list[str]:
    said = []
    without = np.flatnonzero(np.isnan(items.n_letters))
    if len(without) and len(without) < len(items.ids):
        said.append(
            f"{_counted(items, without)} no description ({_named(items, without)}); leave rows without one "
            f'out with --where "{description} IS NOT NULL"'
        )
    few = np.flatnonzero(items.n_letters < _FEW_LETTERS)
    if len(few) and len(few) < len(items.ids) / 2:  # else descriptions are codes
        said.append(
            f"{_counted(items, few)} a description of fewer than {_FEW_LETTERS} letters "
            f"({_named(items, few)}); "
            f'if they are no goods, leave them out with --where "{_not_among(items, few, item)}"'
        )
    return said


def _counted(items: _Items, which: Int64Array) -> str:
    n_rows = int(items.n_rows[which].sum())
    verb = "has" if len(which) == 1 else "have"
    return f"{len(which):,} item{'s' * (len(which) > 1)} with {n_rows:,} row{'s' * (n_rows > 1)} {verb}"


def _named(items: _Items, which: Int64Array) -> str:
    few = ", ".join(items.ids[number] for number in which[:_SHOWN])
    return few + ", ..." * (len(which) > _SHOWN)


def _not_among(items: _Items, which: Int64Array, item: str) -> str:
    listed = ", ".join(literal(items.ids[number]) for number in which[:_SHOWN])
    return f"CAST({item} AS VARCHAR) NOT IN ({listed})"
