"""Ids, histories and rules as people keep them: in a line, in a file, in a table of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.data import sources
from recsys.data.columns import Role, existing, is_rating, resolve_names, usual_column
from recsys.data.ids import Id
from recsys.data.source import Source
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
    item = _role_column(source, "item")
    user = usual_column(source.names, "user", source=source.name)
    rows = text_rows(source, [item] if user is None else [item, user])
    if not rows:
        raise InputError(f"{path}: the file holds no id.")
    if user is None:
        return RuleItems(tuple(row[0] for row in rows))
    by_user: dict[Id, list[str]] = {}
    for item_id, user_id in rows:
        by_user.setdefault(user_id, []).append(item_id)
    return RuleItems(None, {user_id: tuple(items) for user_id, items in by_user.items()})


def user_ids_in(path: str | Path) -> list[str]:
    """Read ids of users from a file: one a line, or a table with a column of users under a usual name.

    Raises
    ------
    InputError
        If there is no such file, it is empty, or no column of it holds users.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected one with a user's id a line.")
    lines = _plain_lines(path, "user")
    if lines is None:
        source = sources.open_files(path, None)
        user = _role_column(source, "user")
        lines = [row[0] for row in text_rows(source, [user])]
    if not lines:
        raise InputError(f"{path}: the file holds no id.")
    return list(dict.fromkeys(lines))


def segments_in(path: str | Path, segment: str) -> dict[Id, str]:
    """Read the segments of users from a table with a column of users under a usual name.

    Parameters
    ----------
    path : str or Path
    segment : str
        Column of segments; an empty cell is none.

    Raises
    ------
    InputError
        If there is no such file or column, or a user is in two segments.
    """
    source = sources.open_files(Path(path).expanduser(), None)
    user = _role_column(source, "user")
    segment = existing(source.names, segment, source=source.name, option="segment")
    segment_of: dict[Id, str] = {}
    for user_id, text in text_rows(source, [user, segment]):
        name = text.strip()
        if name and segment_of.setdefault(user_id, name) != name:
            raise InputError(
                f"{path}: user {user_id!r} is in the segments {segment_of[user_id]!r} and {name!r}; "
                f"expected one."
            )
    return segment_of


def histories_in(path: str | Path) -> dict[Id, dict[Id, float] | tuple[Id, ...]]:
    """Read histories from a table: columns of users and items, and of ratings or amounts where there are.

    Of repeats of a pair amounts are added up, and of ratings the last one counts.

    Returns
    -------
    dict
        By the name of each user: a mapping of item to value, or items alone.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or a value is no number.
    """
    source = sources.open_files(Path(path).expanduser(), None)
    user, item = _role_column(source, "user"), _role_column(source, "item")
    value = usual_column(source.names, "value", source=source.name)
    rows = text_rows(source, [name for name in (user, item, value) if name is not None])
    if not rows:
        raise InputError(f"{path}: the file holds no history.")
    if value is None:
        items: dict[Id, dict[Id, None]] = {}
        for user_id, item_id in rows:
            items.setdefault(user_id, {})[item_id] = None
        return {user_id: tuple(listed) for user_id, listed in items.items()}
    adds_up = not is_rating(value)
    amounts: dict[Id, dict[Id, float]] = {}
    for user_id, item_id, text in rows:
        try:
            number = float(text)
        except ValueError:
            raise InputError(f"{path}: {text!r} in column {value!r} is no number.") from None
        of_user = amounts.setdefault(user_id, {})
        of_user[item_id] = number + (of_user.get(item_id, 0.0) if adds_up else 0.0)
    return dict(amounts)


def _role_column(source: Source, role: Role) -> str:
    """Return the column of a usual name for a role, or raise InputError."""
    column = usual_column(source.names, role, source=source.name)
    if column is None:
        raise InputError(
            f"{source.name}: no column of a usual name for {role}s, such as {role}_id; the columns are "
            f"{', '.join(source.names)}."
        )
    return column


def _plain_lines(path: Path, role: Role = "item") -> list[str] | None:
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
    is_header = bool(lines) and usual_column([lines[0]], role, source=str(path)) is not None
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
