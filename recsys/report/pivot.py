"""A figure's numbers as a table that people read: a row a model, a column a length or a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.report.tables import Column, Figure, Table, Value

SERIES = frozenset({"time", "long-tail", "convergence"})
"""Figures of many points, of which a page shows some."""


def pivoted(figure: Figure) -> tuple[tuple[Column, ...], Sequence[tuple[Value, ...]]]:
    """Return the columns and rows of a figure's table; all rows of a figure that is no series."""
    keys = [column.key for column in figure.columns]
    if not figure.across:
        return figure.columns, figure.rows
    across, last = keys.index(figure.across), figure.columns[-1]
    heads = list(dict.fromkeys(row[across] for row in figure.rows))
    names = list(dict.fromkeys(row[0] for row in figure.rows))
    values = {(row[0], row[across]): row[-1] for row in figure.rows}
    unit = f"{figure.columns[across].heading} = " if figure.columns[across].kind == "count" else ""
    columns = (figure.columns[0], *(Column(str(head), f"{unit}{head}", last.kind) for head in heads))
    return columns, [(name, *(values.get((name, head)) for head in heads)) for name in names]


def sampled(rows: Sequence[tuple[Value, ...]], most: int) -> Sequence[tuple[Value, ...]]:
    """Return all rows, or as many as a page has room for, evenly apart, the last among them."""
    if len(rows) <= most:
        return rows
    return [rows[round(n * (len(rows) - 1) / (most - 1))] for n in range(most)]


def figure_table(figure: Figure, most: int, *, has_bars: bool = False) -> Table:
    """Return the table of a figure's numbers; of a series, ``most`` rows.

    Parameters
    ----------
    figure : Figure
    most : int
    has_bars : bool
        Whether bars may be shown beside the last column; a figure with columns for its groups has none.
    """
    columns, rows = pivoted(figure)
    chosen = sampled(rows, most) if figure.name in SERIES else rows
    bars = has_bars and not figure.across
    return Table(figure.title, columns, tuple(chosen), has_bars=bars, n_rows=len(rows))


def parameters(
    configs: Sequence[tuple[str, Mapping[str, Any]]],
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return all models' parameters as one table: the labels, and a row of values for each parameter."""
    names = dict.fromkeys(key for _, config in configs for key in config)
    rows = [
        (str(name), [str(config[name]) if name in config else "" for _, config in configs]) for name in names
    ]
    return [label for label, _ in configs], rows
