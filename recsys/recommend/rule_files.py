"""Rules as people keep them: ids in a line or a file, and categories in a table of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.data import sources
from recsys.data.columns import existing, normalised, resolve_names, usual_column
from recsys.data.ids import Id
from recsys.data.text_rows import text_rows
from recsys.errors import InputError
from recsys.recommend.rules import Rules

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson", ".gz", ".zst")
_BETWEEN = (",", ";", "\t", "|")


@dataclass(frozen=True)
class RuleItems:
    """The items that a rule names.

    Attributes
    ----------
    items : tuple of str, or None
        For everybody; None where the rule is one for single users.
    by_user : mapping of user's id to tuple of str
    """

    items: tuple[str, ...] | None = None
    by_user: Mapping[Id, tuple[str, ...]] = field(default_factory=dict)


def rule_items(text: str) -> RuleItems:
    """Read the items that a rule names.

    Parameters
    ----------
    text : str
        Ids with commas between them; or a file: one id a line, or a table with a column of items and, for
        rules for single users, one of users, under usual names.

    Raises
    ------
    InputError
        If there is no such file, it is empty, or no column of it holds items.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        if path.suffix in _TABLES or "/" in text:
            raise InputError(f"{text}: there is no such file; give a file, or ids with commas between them.")
        return RuleItems(tuple(part.strip() for part in text.split(",") if part.strip()))
    lines = _plain_lines(path)
    if lines is not None:
        if not lines:
            raise InputError(f"{path}: the file holds no id.")
        return RuleItems(tuple(lines))
    source = sources.open_files(path, None)
    item = usual_column(source.names, "item", source=source.name)
    user = usual_column(source.names, "user", source=source.name)
    if item is None:
        raise InputError(
            f"{path}: no column of a usual name for items, such as item_id; the columns are "
            f"{', '.join(source.names)}."
        )
    rows = text_rows(source, [item] if user is None else [item, user])
    if not rows:
        raise InputError(f"{path}: the file holds no id.")
    if user is None:
        return RuleItems(tuple(row[0] for row in rows))
    by_user: dict[Id, list[str]] = {}
    for item_id, user_id in rows:
        by_user.setdefault(user_id, []).append(item_id)
    return RuleItems(None, {user_id: tuple(items) for user_id, items in by_user.items()})


def _plain_lines(path: Path) -> list[str] | None:
    """Return the ids of a file with one a line, without a header; None where it is a table."""
    if path.suffix not in (".csv", ".tsv", ".txt", ""):
        return None
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the file is not UTF-8 ({error.reason} at byte {error.start}).") from error
    lines = [line for line in lines if line]
    if any(mark in line for line in lines for mark in _BETWEEN):
        return None
    is_header = bool(lines) and usual_column([normalised(lines[0])], "item", source=str(path)) is not None
    return lines[1:] if is_header else lines


def categories_of(items: str | Path, category: str, item_id: str | None = None) -> dict[Id, tuple[str, ...]]:
    """Read the categories of items from a table; several in one cell are split by ``|``.

    Parameters
    ----------
    items : str or Path
        A file of any format a log may have.
    category : str
        Column of categories.
    item_id : str, optional
        Column of ids; a usual name is recognised.

    Raises
    ------
    InputError
        If there is no such file or column.
    """
    source = sources.open_files(items, None)
    category = existing(source.names, category, source=source.name, option="item-category")
    if item_id is None:
        item_id, _ = resolve_names(source.names, source=source.name, item_name=category)
    item_id = existing(source.names, item_id, source=source.name, option="item-id")
    categories: dict[Id, dict[str, None]] = {}
    for item, texts in text_rows(source, [item_id, category]):
        of_item = categories.setdefault(item, {})
        of_item.update((text.strip(), None) for text in texts.split("|") if text.strip())
    return {item: tuple(texts) for item, texts in categories.items()}


def read_rules(
    *,
    exclude: str | None = None,
    only: str | None = None,
    items: str | Path | None = None,
    item_id: str | None = None,
    item_category: str | None = None,
    **more: Any,
) -> Rules:
    """Return rules as the flags of the commands give them.

    Parameters
    ----------
    exclude, only : str, optional
        Ids or a file; see `rule_items`.
    items, item_id, item_category : optional
        A table of items, and its columns of ids and of categories; see `categories_of`.
    **more
        The other entries of `Rules`, as they are.

    Raises
    ------
    InputError
        If a file cannot be read.
    ParameterError
        As `Rules`.
    """
    excluded = RuleItems(()) if exclude is None else rule_items(exclude)
    kept = RuleItems() if only is None else rule_items(only)
    categories = {}
    if items is not None and item_category is not None:
        categories = categories_of(items, item_category, item_id)
    return Rules(
        exclude=excluded.items or (),
        exclude_for=excluded.by_user,
        only=kept.items,
        only_for=kept.by_user,
        categories=categories,
        **more,
    )
