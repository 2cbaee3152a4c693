"""How a log is written: one description that flags, TOML, Python and the catalogue's formats fill alike.

Each field is an option of the command line, an entry of ``[log]`` in a plan or of a format in
``datasets/formats/``, and a keyword of `recsys.load_log`, all by its name: a new way to say what a
file is is a new field here, and the line that reads it.
"""

from __future__ import annotations

import difflib
import shlex
import sys
from dataclasses import dataclass, field, fields, replace
from typing import Any

from recsys.data import option_checks as checks
from recsys.data.option_checks import BLANKS as BLANKS
from recsys.data.option_checks import DELIMITER_NAMES, Check
from recsys.data.option_checks import NONE as NONE
from recsys.errors import ParameterError

COLUMNS, WRITTEN, CELLS = "Columns of the log", "How the log is written", "What cells mean"
PREPARED = "What is made of the log"
ERROR, SKIP = "error", "skip"
EVENTS, LISTS, MATRIX, SECTIONS = LAYOUTS = ("events", "lists", "matrix", "sections")
NULL_MARKERS = (
    *("NA", "N/A", "#N/A", "<NA>", r"\N", "NULL", "Null", "null", "None", "NaN", "nan"),
    *("(not set)", "(null)", "-"),
)
"""Cells that stand for a missing one, unless ``null`` holds "none"."""


def _option(help_text: str, panel: str, check: Check, *, default: str | bool = False) -> Any:
    """Return a field with its check, and with what the command line says of it."""
    return field(
        default=None,
        metadata={"help": help_text, "panel": panel, "check": check, "shown": default},
    )


@dataclass(frozen=True, kw_only=True)
class LogFormat:
    """How a log is written; what is None is recognised, or has its usual meaning.

    Attributes
    ----------
    user, item, value, time : str, optional
        Columns, by name, or by position ("1", "2" ...) in a text file. "-" as value or time: none.
    where : str, optional
        Rows to keep, as an SQL expression.
    feedback : {"explicit", "implicit"}, optional
    format : str, optional
        A format of the catalogue, whose entries hold where there is none here.
    delimiter : str, optional
        What stands between fields: one character, "::", or a name (comma, tab, semicolon, pipe,
        space; "blanks": any number of blanks and tabs).
    layout : {"events", "lists", "matrix", "sections"}, optional
        One row an event; a line for each user, with all items; a row for each user and a column for
        each item, blank where there is no value; headings such as ``17:``, each over the rows that belong
        to it: the column "section", beside "1", "2" ... for the fields of a row.
    item_separator : str, optional
        What stands between items where a cell holds several; written as ``delimiter`` is.
    encoding : str, optional
        Any that Python knows. Default: UTF-8, or UTF-16 after its byte order mark.
    quote : str, optional
        The character around fields that hold delimiters, or "none". Default: ``"``.
    escape : str, optional
        The character before a quote inside a quoted field. Default: the quote itself, doubled.
    header : {"row", "none"}, optional
        Whether the first line names the columns.
    skip : int, optional
        Lines before the header, or before the first row.
    null : tuple of str, optional
        Cells that stand for missing ones, beside the usual (`NULL_MARKERS`); "none": not the usual.
    decimal, thousands : str, optional
        Characters inside numbers.
    time_format : str, optional
        As of `strftime`: ``%d/%m/%y %H:%M``.
    time_unit : {"s", "ms", "us", "ns", "none"}, optional
        Of whole numbers since 1970; "none": numbers of another kind, which only order events.
    id_rule : str, optional
        What makes two spellings one id, one or several of: trim, casefold, integer (7.0 is 7).
    table, query : str, optional
        What to read of a database; ``table`` is also the sheet of a workbook.
    join, join_on : str, optional
        Another file with one row for each value of a column, such as orders for the lines of orders, and
        that column: its other columns stand beside those of the log. A file without a folder is looked
        for beside the log, too.
    item_id, item_name : str, optional
        Columns of the file of items.
    on_bad_row : {"error", "skip"}, optional
        What becomes of rows that cannot be used. They are not skipped if they are more than half.
    bad_rows : str, optional
        A CSV file for the rows that are skipped, each with its line and what is wrong with it.
    returns : {"refuse", "drop", "net"}, optional
        What becomes of values below 0; see `recsys.data.returns.net_returns`.
    services : {"keep", "drop"}, optional
        What becomes of items that look like services, such as postage; see
        `recsys.data.suspects.services_in`.
    min_value, clip : float, optional
        Rows with a lower value are left out; values above ``clip`` become it.
    core : int, optional
        Least different items of a user and users of an item; those with fewer are left out, in turn.
    transform : {"binary", "log"}, optional
        1 for each value above 0, which makes feedback implicit; or the logarithm of 1 + value.
    half_life : str, optional
        Time after which a value counts half: a number and h, d, w or y.

    Raises
    ------
    ParameterError
        If a field holds what it cannot.

    Examples
    --------
    >>> from recsys import LogFormat
    >>> LogFormat(user="CustomerID", delimiter="semicolon").user
    'CustomerID'
    """

    user: str | None = _option("Column of users.", COLUMNS, checks.column("user_id"), default="recognised")
    item: str | None = _option("Column of items.", COLUMNS, checks.column("item_id"), default="recognised")
    value: str | None = _option(
        "Column of ratings or amounts; '-': each row counts 1.",
        COLUMNS,
        checks.column("rating"),
        default="recognised",
    )
    time: str | None = _option(
        "Column of times; '-': none.", COLUMNS, checks.column("timestamp"), default="recognised"
    )
    where: str | None = _option(
        'Rows to keep, as an SQL condition, e.g. "Quantity > 0".', COLUMNS, checks.text("rating > 0")
    )
    feedback: str | None = _option(
        "explicit (ratings) or implicit (purchases, plays, clicks).",
        COLUMNS,
        checks.choice("explicit", "implicit"),
        default="by the value column",
    )
    item_id: str | None = _option(
        "Column of ids in --items.", COLUMNS, checks.column("item_id"), default="recognised"
    )
    item_name: str | None = _option(
        "Column of names in --items.", COLUMNS, checks.column("title"), default="recognised"
    )
    format: str | None = _option(
        "A format of the catalogue, e.g. movielens-1m; 'recsys data list' names all. Other flags win.",
        WRITTEN,
        checks.text("movielens-1m"),
    )
    layout: str | None = _option(
        "events: a row each; lists: a line is a user and all items of the user; matrix: a row is a user, a "
        "column an item; sections: rows below headings such as '17:', which are the column 'section'.",
        WRITTEN,
        checks.choice(*LAYOUTS),
        default=EVENTS,
    )
    delimiter: str | None = _option(
        "Between fields: one character, '::', tab, comma, semicolon, pipe, space or blanks (any number).",
        WRITTEN,
        checks.delimiter,
        default="recognised",
    )
    item_separator: str | None = _option(
        "Between items where a cell holds several: as --delimiter; [1, 2] goes by a comma.",
        WRITTEN,
        checks.delimiter,
    )
    encoding: str | None = _option(
        "Encoding of text, e.g. latin-1, windows-1252, utf-16.", WRITTEN, checks.encoding, default="utf-8"
    )
    quote: str | None = _option(
        "Character around fields that hold delimiters; none: quotes are text.",
        WRITTEN,
        checks.character_or_none,
        default='"',
    )
    escape: str | None = _option(
        "Character before a quote inside of quotes.", WRITTEN, checks.character, default="the quote, doubled"
    )
    header: str | None = _option(
        "row: the first line names the columns; none: it is the first row.",
        WRITTEN,
        checks.choice("row", NONE),
        default="recognised",
    )
    skip: int | None = _option(
        "Lines to leave out at the top.",
        WRITTEN,
        checks.number(0, "a number of lines, 0 or more", is_whole=True),
        default="0",
    )
    table: str | None = _option(
        "Table of a database, or sheet of a workbook.",
        WRITTEN,
        checks.text("ratings"),
        default="if it has only one",
    )
    query: str | None = _option(
        "SELECT on a database, instead of --table.", WRITTEN, checks.text("SELECT * FROM ratings")
    )
    join: str | None = _option(
        "A file with more columns for each row, such as the orders of order lines.",
        WRITTEN,
        checks.text("orders.csv"),
    )
    join_on: str | None = _option(
        "The column that the log and --join have in common.", WRITTEN, checks.column("order_id")
    )
    null: tuple[str, ...] | None = _option(
        "A cell that stands for a missing one, beside NA, NULL, \\N and the like; 'none': not those. "
        "Give it several times.",
        CELLS,
        checks.markers,
    )
    decimal: str | None = _option("Decimal mark of values.", CELLS, checks.choice(".", ","), default=".")
    thousands: str | None = _option("Mark between thousands of values.", CELLS, checks.character)
    time_format: str | None = _option(
        "How times are written, e.g. '%d/%m/%y %H:%M'.",
        CELLS,
        checks.text("%d/%m/%y %H:%M"),
        default="recognised",
    )
    time_unit: str | None = _option(
        "Unit of whole numbers since 1970: s, ms, us or ns; none: numbers that only order events.",
        CELLS,
        checks.choice("s", "ms", "us", "ns", NONE),
        default="recognised",
    )
    id_rule: str | None = _option(
        "What makes two spellings one id: trim (blanks around), casefold (letter case), integer (7.0 is 7); "
        "several with commas.",
        CELLS,
        checks.id_rule,
    )
    on_bad_row: str | None = _option(
        "What becomes of rows that cannot be used: error; skip: they are left out and counted.",
        CELLS,
        checks.choice(ERROR, SKIP),
        default=ERROR,
    )
    bad_rows: str | None = _option(
        "A CSV file to write the rows to that are skipped.", CELLS, checks.text("bad-rows.csv")
    )
    returns: str | None = _option(
        "What becomes of values below 0: refuse; drop; net: taken off what was bought before.",
        PREPARED,
        checks.choice("refuse", "drop", "net"),
        default="refuse",
    )
    services: str | None = _option(
        "What becomes of items that look like services, such as postage or fees: keep; drop.",
        PREPARED,
        checks.choice("keep", "drop"),
        default="keep",
    )
    min_value: float | None = _option(
        "Leave rows with a lower value out.",
        PREPARED,
        checks.number(-sys.float_info.max, "a number", is_whole=False),
    )
    core: int | None = _option(
        "Leave out users and items, in turn, with fewer of the other kind: the k-core.",
        PREPARED,
        checks.number(1, "a whole number, 1 or more", is_whole=True),
    )
    clip: float | None = _option(
        "Largest value; what is above becomes it.",
        PREPARED,
        checks.number(0, "a number, 0 or more", is_whole=False),
    )
    transform: str | None = _option(
        "binary: every value above 0 is 1; log: the logarithm of 1 + value.",
        PREPARED,
        checks.choice("binary", "log"),
    )
    half_life: str | None = _option(
        "Time after which a value counts half, back from the last event: 12h, 30d, 4w, 1y.",
        PREPARED,
        checks.half_life,
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None:
                object.__setattr__(self, each.name, each.metadata["check"](each.name, value))

    @classmethod
    def of(cls, **options: Any) -> LogFormat:
        """Make a description of options by name.

        Raises
        ------
        ParameterError
            If there is no such option, or it holds what it cannot.
        """
        known = {each.name for each in fields(cls)}
        unknown = [name for name in options if name not in known]
        if unknown:
            close = difflib.get_close_matches(unknown[0], known, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else f" There are {', '.join(sorted(known))}."
            raise ParameterError(f"a log has no option {unknown[0]!r}.{meant}")
        return cls(**options)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are not None, by name."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}

    def over(self, other: LogFormat) -> LogFormat:
        """Return this with the fields of another where there are none here."""
        return replace(other, **self.given)

    @property
    def null_markers(self) -> tuple[str, ...]:
        """Cells that stand for a missing one."""
        own = self.null or ()
        usual = () if "none" in own else NULL_MARKERS
        return tuple(dict.fromkeys([*usual, *(marker for marker in own if marker != "none")]))

    @property
    def id_rules(self) -> tuple[str, ...]:
        """The rules by which spellings are one id."""
        return tuple(self.id_rule.split(",")) if self.id_rule else ()

    def flags(self) -> str:
        """Return the flags that say all this, as one line for a shell."""
        names = {character: name for name, character in DELIMITER_NAMES.items()}
        words: list[str] = []
        for each in fields(self):
            value = getattr(self, each.name)
            parts = [] if value is None else [*value] if isinstance(value, tuple) else [value]
            is_mark = each.metadata["check"] is checks.delimiter
            for part in map(str, parts):
                words += [f"--{each.name.replace('_', '-')}", names.get(part, part) if is_mark else part]
        return shlex.join(words)
