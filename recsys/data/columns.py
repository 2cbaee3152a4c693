"""Which column of a log is the user, the item, the value and the time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from recsys.errors import LogError, ParameterError

Role = Literal["user", "item", "value", "time"]
IGNORE = "-"
"""Given as a column name, it says that the log's value or time column is not to be used."""

_TYPE = re.compile(r":(token|float)(_seq)?$")  # of RecBole's files: user_id:token
_RATINGS = ("rating", "ratings", "score", "stars", "overall", "bookrating", "userrating", "ratingvalue")

# Usual names, normalised, in tiers: a name of an earlier tier wins over those of later ones, and
# two names of one tier are a question for the caller.
_USUAL: dict[Role, tuple[tuple[str, ...], ...]] = {
    "user": (
        ("userid", "uid", "useridx"),
        ("user", "users"),
        (
            *("customerid", "custid", "householdid", "visitorid", "memberid", "clientid", "buyerid"),
            *("reviewerid", "listenerid", "subscriberid", "accountid", "personid", "readerid", "customerno"),
        ),
        (
            *("customer", "household", "householdkey", "visitor", "member", "client", "buyer"),
            *("reviewer", "listener", "subscriber", "account", "person", "reader", "username"),
        ),
    ),
    "item": (
        ("itemid", "iid", "itemidx"),
        ("item", "items"),
        (
            *("productid", "movieid", "stockcode", "artistid", "trackid", "songid", "isbn", "sku", "asin"),
            *("bookid", "articleid", "contentid", "videoid", "gameid", "showid", "animeid", "venueid"),
            *("locationid", "recipeid", "courseid", "jobid", "newsid", "parentasin", "businessid", "poiid"),
        ),
        (
            *("product", "movie", "artist", "track", "song", "book", "article", "content", "video", "game"),
            *("show", "anime", "venue", "location", "recipe", "course", "productcode", "itemcode", "ean"),
        ),
    ),
    "value": (
        (
            *_RATINGS,
            *("count", "counts", "quantity", "qty", "plays", "playcount", "purchases", "clicks", "views"),
            *("listens", "playcounts", "numplays", "frequency"),
        ),
        ("weight", "amount", "value"),
    ),
    "time": (
        (
            *("timestamp", "transactiontimestamp", "datetime", "unixtime", "unixtimestamp", "eventtime"),
            *("unix", "unixreviewtime", "createdat", "invoicedate", "orderdate", "transactiondate", "ts"),
            *("purchasedate", "orderedat", "eventtimestamp", "checkintime", "utctime"),
        ),
        ("time", "date"),
    ),
}

_ITEM_NAMES: tuple[tuple[str, ...], ...] = (
    ("itemname", "productname", "movietitle", "itemtitle", "booktitle", "artistname", "trackname"),
    ("title", "name", "description", "productdescription", "itemdescription"),
)

_PRICES = (
    *("unitprice", "price", "saleprice", "salesprice", "itemprice", "productprice", "listprice"),
    *("pricepaid", "unitcost"),
)
_DESCRIPTIONS = ("description", "productdescription", "itemdescription", *_ITEM_NAMES[0], *_ITEM_NAMES[1])


@dataclass(frozen=True)
class Columns:
    """The columns of a log as they are called there.

    Attributes
    ----------
    user, item : str
    value, time : str or None
        None where the log has no such column or is to ignore it.
    """

    user: str
    item: str
    value: str | None = None
    time: str | None = None


def normalised(name: str) -> str:
    """Return a column name without case, ``_``, ``-``, points, spaces and a type after a colon."""
    return "".join(char for char in _TYPE.sub("", name).casefold() if char not in "_-. \t\ufeff")


def is_usual(name: str) -> bool:
    """Return whether a name is one that columns of logs usually have."""
    form = normalised(name)
    return bool(form) and any(form in tier for tiers in _USUAL.values() for tier in tiers)


def look_like_a_log(names: Iterable[str]) -> bool:
    """Return whether there are usual names for users and for items among those of a table."""
    shown = {normalised(name) for name in names}
    return all(any(shown & set(tier) for tier in _USUAL[role]) for role in ("user", "item"))


def is_rating(name: str) -> bool:
    """Return whether a column of this name holds ratings rather than counts or sums."""
    return normalised(name) in _RATINGS


def are_ratings(columns: Columns, feedback: str | None) -> bool:
    """Return whether values are ratings, by what was said of the feedback or by the column's name."""
    if feedback is not None:
        return feedback == "explicit"
    return columns.value is not None and is_rating(columns.value)


def resolve(
    names: Sequence[str],
    *,
    source: str,
    has_header: bool = True,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
) -> Columns:
    """Find the columns of a log, by the names given or else by usual names.

    Parameters
    ----------
    names : sequence of str
        All columns of the log.
    source : str
        What messages call the log.
    has_header : bool
        Whether ``names`` are names or only positions.
    user, item, value, time : str, optional
        Names given by the caller; "-" for ``value`` or ``time`` leaves that column unused.

    Raises
    ------
    LogError
        If a given name does not exist, none is recognised for user or item, two are equally
        likely, or one column is named for two roles.
    """
    named: dict[Role, str | None] = {"user": user, "item": item, "value": value, "time": time}
    columns: dict[Role, str | None] = {}
    for role in get_args(Role):
        name = named[role]
        if name == IGNORE and role in ("user", "item"):
            raise ParameterError(
                f"{role} is '-'; a log needs users and items, only value and time may be ignored."
            )
        if name == IGNORE:
            columns[role] = None
        elif name is not None:
            columns[role] = existing(names, name, source=source, option=role)
        else:
            taken = [other for other in named.values() if other is not None]
            columns[role] = _recognised(
                [name for name in names if name not in taken], _USUAL[role], source=source, option=role
            )
    missing = [role for role in ("user", "item") if columns[role] is None]
    if missing:
        raise LogError(
            _no_column(missing, names, has_header), advice=_advice(names, has_header), source=source
        )
    chosen = [name for name in columns.values() if name is not None]
    for name in chosen:
        if chosen.count(name) > 1:
            roles = " and ".join(role for role, other in columns.items() if other == name)
            raise LogError(f"one column is named for {roles}.", source=source, column=name)
    assert columns["user"] is not None
    assert columns["item"] is not None
    return Columns(columns["user"], columns["item"], columns["value"], columns["time"])


def resolve_names(
    names: Sequence[str],
    *,
    source: str,
    item_id: str | None = None,
    item_name: str | None = None,
) -> tuple[str, str]:
    """Find the id column and the name column of a table of items; see `resolve`."""
    if item_id is not None:
        item_id = existing(names, item_id, source=source, option="item-id")
    if item_name is not None:
        item_name = existing(names, item_name, source=source, option="item-name")
    if item_id is None:
        rest = [name for name in names if name != item_name]
        tiers = (*_USUAL["item"], ("id",))
        item_id = _recognised(rest, tiers, source=source, option="item-id")
    if item_name is None:
        rest = [name for name in names if name != item_id]
        item_name = _recognised(rest, _ITEM_NAMES, source=source, option="item-name")
    for option, found in (("item-id", item_id), ("item-name", item_name)):
        if found is None:
            raise LogError(
                f"no column of a usual name for the {option.removeprefix('item-')} of an item; "
                f"the columns are {listed(names)}.",
                advice=f"Name it with --{option}.",
                source=source,
            )
    assert item_id is not None
    assert item_name is not None
    return item_id, item_name


def usual_column(names: Sequence[str], role: Role, *, source: str) -> str | None:
    """Return the column of a usual name for a role, None where there is none; several are an error."""
    return _recognised(names, _USUAL[role], source=source, option=role)


def price_column(names: Sequence[str], columns: Columns) -> str | None:
    """Return the column of prices beside those of the log, None where no name is usual for one."""
    return _beside(names, columns, _PRICES)


def description_column(names: Sequence[str], columns: Columns) -> str | None:
    """Return the column of descriptions of items beside those of the log, None where no name is usual."""
    return _beside(names, columns, _DESCRIPTIONS)


def _beside(names: Sequence[str], columns: Columns, usual: Sequence[str]) -> str | None:
    taken = (columns.user, columns.item, columns.value, columns.time)
    by_form = {normalised(name): name for name in names if name not in taken}
    return next((by_form[form] for form in usual if form in by_form), None)


def existing(names: Sequence[str], name: str, *, source: str, option: str) -> str:
    """Return ``name`` if the log has such a column, or raise with the names it has."""
    if name in names:
        return name
    by_form = {normalised(other): other for other in names}
    close = difflib.get_close_matches(normalised(name), by_form, n=2)
    meant = f" Did you mean {' or '.join(repr(by_form[form]) for form in close)}?" if close else ""
    raise LogError(
        f"no column {name!r} (given as {option}); the columns are {listed(names)}.{meant}", source=source
    )


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return column names for a message, cut to a readable number."""
    text = ", ".join(repr(name) for name in names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def _recognised(
    names: Sequence[str], tiers: tuple[tuple[str, ...], ...], *, source: str, option: str
) -> str | None:
    for tier in tiers:
        candidates = [name for name in names if normalised(name) in tier]
        if len(candidates) > 1:
            raise LogError(
                f"columns {listed(candidates)} could each be the {option.removeprefix('item-')}.",
                advice=f"Name one with --{option}.",
                source=source,
            )
        if candidates:
            return candidates[0]
    return None


def _no_column(missing: Sequence[str], names: Sequence[str], has_header: bool) -> str:
    roles = " and no ".join(missing)
    if has_header:
        return f"no {roles} column of a usual name; the columns are {listed(names)}."
    return f"no header was found (its first line holds numbers), so there is no {roles} column by name."


def _advice(names: Sequence[str], has_header: bool) -> str:
    if has_header:
        return (
            "Name them, as in --user COLUMN --item COLUMN; if the file has no header, give positions: "
            "--header none --user 1 --item 2."
        )
    example = " ".join(
        f"--{role} {position}"
        for role, position in zip(get_args(Role), range(1, len(names) + 1), strict=False)
    )
    return f"Name the columns by position, from 1 to {len(names)}, as in {example}."
