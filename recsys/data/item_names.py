"""Names of items, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import duckdb
import numpy as np

from recsys.data import sources
from recsys.data.catalog import Entry
from recsys.data.columns import resolve_names
from recsys.data.database import quoted
from recsys.data.ids import Id, Ids
from recsys.data.log_format import LogFormat
from recsys.data.queries import Relation
from recsys.data.source import Source
from recsys.data.spellings import RULES, as_integers, respelled
from recsys.remarks import Remark, RemarkCode

ItemNames = Mapping[Id, str]


def from_file(
    path: str | Path, item_ids: Ids, log_format: LogFormat | None = None, *, n_threads: int | None = None
) -> tuple[ItemNames, Remark]:
    """Read the names of known items from a file of any format a log may have, and say how many have one.

    Ids unknown to the log and empty names are passed over; of several names for one item the most
    frequent stands, of equally frequent ones the first.

    Parameters
    ----------
    path : str or Path
    item_ids : Ids
        Of the log.
    log_format : LogFormat, optional
        Its ``item_id`` and ``item_name`` are the columns; ``encoding``, ``id_rule`` and ``null`` hold
        for this file, too. How it is split is recognised.
    n_threads : int, optional
    """
    log_format = log_format or LogFormat()
    item_id, item_name = log_format.item_id, log_format.item_name
    wanted = [name for name in (item_id, item_name) if name is not None]
    own = LogFormat(encoding=log_format.encoding, null=log_format.null)
    source = sources.open_files(path, n_threads, wanted, own)
    id_column, name_column = resolve_names(
        source.names, source=source.name, item_id=item_id, item_name=item_name
    )
    as_text = [id_column, name_column] if source.texts else []
    relation = source.relation(as_text)
    pairs = _pairs(source, relation, id_column, name_column, log_format.id_rules)
    names = _named(pairs, item_ids)
    return names, _coverage(source, pairs, names, item_ids)


def _coverage(source: Source, pairs: Sequence[tuple[str, str]], names: ItemNames, item_ids: Ids) -> Remark:
    """Say how many items of the log have a name; of few, how ids are written on both sides."""
    n_items = len(item_ids)
    text = f"{len(names):,} of {n_items:,} items ({len(names) / n_items:.0%}) have a name in {source.name}"
    if len(names) < n_items / 2 and pairs:
        text += f"; its ids are such as {pairs[0][0]!r}, those of the log such as {item_ids[0]!r}"
        rules = [rule for rule in RULES if _named(_respelled(pairs, (rule,)), item_ids)]
        text += "".join(f"; --id-rule {rule} may join them" for rule in rules[:1] if not names)
    return Remark(RemarkCode.ITEMS_NAMED, text)


def from_catalog(entry: Entry, source: Source, item_ids: Ids) -> ItemNames:
    """Read the names of known items as a catalogued data set gives them."""
    relation = source.connection.sql(entry.items_sql)
    return _named(_pairs(source, relation, "item", "name"), item_ids)


def _pairs(
    source: Source, relation: Relation, item: str, name: str, rules: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Return ids and names, the more frequent pairs first."""
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
    return _respelled(pairs, rules)


def _respelled(pairs: Sequence[tuple[str, str]], rules: Sequence[str]) -> list[tuple[str, str]]:
    texts = respelled(np.asarray([item for item, _ in pairs], dtype=object), rules)
    return list(zip(texts.tolist(), (name for _, name in pairs), strict=True))


def _named(pairs: Sequence[tuple[str, str]], item_ids: Ids) -> ItemNames:
    texts = np.asarray([item for item, _ in pairs], dtype=object)
    # Text ids are matched as they stand ("007" is not "7"); integers may be written as floats.
    rows = item_ids.rows(as_integers(texts) if item_ids.is_integer else texts)
    names: dict[Id, str] = {}
    for row, (_, text) in zip(rows.tolist(), pairs, strict=True):
        if row >= 0:
            names.setdefault(item_ids[row], text)
    return MappingProxyType(names)
