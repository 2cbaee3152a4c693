"""Names of items, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import duckdb
import numpy as np

from recsys.data import sources
from recsys.data.catalog import Entry
from recsys.data.columns import resolve_names
from recsys.data.database import quoted
from recsys.data.events import as_integers
from recsys.data.ids import Id, Ids
from recsys.data.sources import Source

ItemNames = Mapping[Id, str]


def from_file(
    path: str | Path,
    item_ids: Ids,
    *,
    item_id: str | None = None,
    item_name: str | None = None,
    n_threads: int | None = None,
) -> ItemNames:
    """Read the names of known items from a file of any format a log may have.

    Ids unknown to the log and empty names are passed over; of several names for one item the most
    frequent stands, of equally frequent ones the first.
    """
    wanted = [name for name in (item_id, item_name) if name is not None]
    source = sources.open_files(path, n_threads, wanted)
    id_column, name_column = resolve_names(
        source.names, source=source.name, item_id=item_id, item_name=item_name
    )
    as_text = [id_column, name_column] if source.texts else []
    relation = source.relation(as_text)
    return _named(source, relation, id_column, name_column, item_ids)


def from_catalog(entry: Entry, source: Source, item_ids: Ids) -> ItemNames:
    """Read the names of known items as a catalogued data set gives them."""
    relation = source.connection.sql(entry.items_sql)
    return _named(source, relation, "item", "name", item_ids)


def _named(
    source: Source, relation: duckdb.DuckDBPyRelation, item: str, name: str, item_ids: Ids
) -> ItemNames:
    selected = relation.select(
        duckdb.SQLExpression(f"CAST({quoted(item)} AS VARCHAR)").alias("item"),
        duckdb.SQLExpression(f"trim(CAST({quoted(name)} AS VARCHAR))").alias("name"),
    ).filter("item <> '' AND name <> ''")
    # A log that names items in each of its rows has slips among them: "damaged", "?".
    counted = selected.select("item, name, row_number() OVER () AS place").aggregate(
        "item, name, count(*) AS times, min(place) AS place", "item, name"
    )
    try:
        pairs = counted.order("times DESC, place").select("item, name").fetchall()
    except duckdb.Error as error:
        raise source.explained(error) from error
    texts = np.asarray([pair[0] for pair in pairs], dtype=object)
    # Text ids are matched as they stand ("007" is not "7"); integers may be written as floats.
    rows = item_ids.rows(as_integers(texts) if item_ids.is_integer else texts)
    names: dict[Id, str] = {}
    for row, (_, text) in zip(rows.tolist(), pairs, strict=True):
        if row >= 0:
            names.setdefault(item_ids[row], text)
    return MappingProxyType(names)
