"""How a log is written: one description that flags, TOML, Python and the catalogue's formats fill alike.

Each field is an option of the command line, an entry of ``[log]`` in a plan or of a format in
``datasets/``, and a keyword of `recsys.load_log`, all by its name: a new way to say what a file is
is a new field here, and the line that reads it.
"""

from __future__ import annotations

import codecs
import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from recsys.errors import ParameterError

COLUMNS, WRITTEN, CELLS = "Columns of the log", "How the log is written", "What cells mean"

NO_QUOTE = "none"
BLANKS = "blanks"
NO_UNIT = "none"
EVENTS, LISTS, MATRIX = LAYOUTS = ("events", "lists", "matrix")
NULL_MARKERS = (
    *("NA", "N/A", "#N/A", "<NA>", r"\N", "NULL", "Null", "null", "None", "NaN", "nan"),
    *("(not set)", "(null)", "-"),
)
"""Cells that stand for a missing one, unless ``null`` holds "none"."""

_NAMED = {
    "comma": ",",
    "tab": "\t",
    r"\t": "\t",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
    "colon": ":",
}
_ENCODINGS = {"latin1": "latin-1", "ansi": "windows-1252", "cp1252": "windows-1252"}


def _option(
    help_text: str,
    panel: str,
    *,
    choices: tuple[str, ...] = (),
    default: str | bool = False,
    metavar: str = "",
) -> Any:
    """Return a field with what the command line says of it; ``choices`` are all that it may hold."""
    return field(
        default=None,
        metadata={
            "help": help_text,
            "panel": panel,
            "choices": choices,
            "shown": default,
        },
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
    layout : {"events", "lists", "matrix"}, optional
        One row an event; a line for each user, with all items; a row for each user and a column for
        each item, blank where there is no value.
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
    item_id, item_name : str, optional
        Columns of the file of items.

    Raises
    ------
    ParameterError
        If a field holds what it cannot.
    """

    user: str | None = _option("Column of users.", COLUMNS, default="recognised")
    item: str | None = _option("Column of items.", COLUMNS, default="recognised")
    value: str | None = _option(
        "Column of ratings or amounts; '-': each row counts 1.", COLUMNS, default="recognised"
    )
    time: str | None = _option("Column of times; '-': none.", COLUMNS, default="recognised")
    where: str | None = _option('Rows to keep, as an SQL condition, e.g. "Quantity > 0".', COLUMNS)
    feedback: str | None = _option(
        "explicit (ratings) or implicit (purchases, plays, clicks).",
        COLUMNS,
        choices=("explicit", "implicit"),
        default="by the value column",
    )
    item_id: str | None = _option("Column of ids in --items.", COLUMNS, default="recognised")
    item_name: str | None = _option("Column of names in --items.", COLUMNS, default="recognised")
    format: str | None = _option(
        "A format of the catalogue, e.g. movielens-1m; 'recsys data list' names all. Other flags win.",
        WRITTEN,
    )
    delimiter: str | None = _option(
        "Between fields: one character, '::', tab, comma, semicolon, pipe, space or blanks (any number).",
        WRITTEN,
        default="recognised",
    )
    encoding: str | None = _option(
        "Encoding of text, e.g. latin-1, windows-1252, utf-16.", WRITTEN, default="utf-8"
    )
    layout: str | None = _option(
        "events: a row each; lists: a line is a user and all items of the user; matrix: a row is a user, a "
        "column an item.",
        WRITTEN,
        choices=LAYOUTS,
        default="events",
    )
    item_separator: str | None = _option(
        "Between items where a cell holds several: as --delimiter; [1, 2] goes by a comma.", WRITTEN
    )
    quote: str | None = _option(
        "Character around fields that hold delimiters; none: quotes are text.", WRITTEN, default='"'
    )
    escape: str | None = _option(
        "Character before a quote inside of quotes.", WRITTEN, default="the quote, doubled"
    )
    header: str | None = _option(
        "row: the first line names the columns; none: it is the first row.",
        WRITTEN,
        choices=("row", "none"),
        default="recognised",
    )
    skip: int | None = _option("Lines to leave out at the top.", WRITTEN, default="0")
    null: tuple[str, ...] | None = _option(
        "A cell that stands for a missing one, beside NA, NULL, \\N and the like; 'none': not those. "
        "Give it several times.",
        CELLS,
    )
    decimal: str | None = _option("Decimal mark of values.", CELLS, choices=(".", ","), default=".")
    thousands: str | None = _option("Mark between thousands of values.", CELLS)
    time_format: str | None = _option(
        "How times are written, e.g. '%d/%m/%y %H:%M'.", CELLS, default="recognised"
    )
    time_unit: str | None = _option(
        "Unit of whole numbers since 1970: s, ms, us or ns; none: numbers that only order events.",
        CELLS,
        choices=("s", "ms", "us", "ns", NO_UNIT),
        default="recognised",
    )
    id_rule: str | None = _option(
        "What makes two spellings one id: trim (blanks around), casefold (letter case), integer (7.0 is 7); "
        "several with commas.",
        CELLS,
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None:
                object.__setattr__(self, each.name, self._checked(each.name, value, each.metadata["choices"]))

    def _checked(self, name: str, value: Any, choices: tuple[str, ...]) -> Any:
        if name == "skip":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ParameterError(f"skip is {value!r}; expected a number of lines, 0 or more.")
            return value
        if name == "null":
            markers = (value,) if isinstance(value, str) else tuple(value)
            if not all(isinstance(marker, str) for marker in markers):
                raise ParameterError(f"null is {value!r:.80}; expected text, or several.")
            return markers or None
        if isinstance(value, int) and not isinstance(value, bool) and name in _ROLES:
            return str(value)  # a table may have numbers for names
        if not isinstance(value, str):
            raise ParameterError(f"{name} is {value!r:.80}; expected text, e.g. {name}={_EXAMPLES[name]!r}.")
        if choices and value not in choices:
            raise ParameterError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
        check = {
            "delimiter": lambda text: _delimiter(name, text),
            "item_separator": lambda text: _delimiter(name, text),
            "quote": lambda text: text if text == NO_QUOTE else _character("quote", text),
            "escape": lambda text: _character("escape", text),
            "thousands": lambda text: _character("thousands", text),
            "encoding": _encoding,
            "id_rule": _id_rule,
        }.get(name)
        return value if check is None else check(value)

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
        words: list[str] = []
        names = {character: name for name, character in reversed(_NAMED.items()) if name != r"\t"}
        for name, value in self.given.items():
            for one in value if isinstance(value, tuple) else (value,):
                text = names.get(str(one), str(one)) if name in _SEPARATORS else str(one)
                words.extend((f"--{name.replace('_', '-')}", text))
        return shlex.join(words)


_SEPARATORS = ("delimiter", "item_separator")
_ROLES = ("user", "item", "value", "time", "item_id", "item_name")
_EXAMPLES: Mapping[str, str] = {
    **{role: f"{role}_id" for role in ("user", "item")},
    **{"value": "rating", "time": "timestamp", "where": "rating > 0", "feedback": "explicit"},
    **{
        "item_id": "item_id",
        "item_name": "title",
        "delimiter": ";",
        "item_separator": "|",
        "layout": "lists",
        "encoding": "latin-1",
        "quote": "none",
    },
    **{"escape": "\\", "header": "none", "decimal": ",", "thousands": ".", "time_format": "%d/%m/%y"},
    **{"time_unit": "s", "id_rule": "trim", "format": "movielens-1m"},
}
ID_RULES = ("trim", "casefold", "integer")


def _delimiter(option: str, text: str) -> str:
    text = _NAMED.get(text, text)
    if text != BLANKS and not ((1 <= len(text) <= 4 and text.isprintable()) or text == "\t"):
        raise ParameterError(
            f"{option} is {text!r}; expected one character, up to four such as '::', or one of "
            f"{', '.join(name for name in _NAMED if name.isalpha())}, {BLANKS}."
        )
    return text


def _character(name: str, text: str) -> str:
    if len(text) != 1 or not text.isprintable() or len(text.encode()) > 1:
        more = ", or none" if name == "quote" else ""
        raise ParameterError(f"{name} is {text!r}; expected one character{more}.")
    return text


def _encoding(text: str) -> str:
    try:
        known = codecs.lookup(text)
        b"".decode(text)  # codecs of bytes, such as base64, decode no text
    except (LookupError, ValueError):
        raise ParameterError(
            f"encoding is {text!r}, which is not known; there are utf-8, latin-1, windows-1252, utf-16, "
            f"cp1250, shift_jis, gb18030 and others."
        ) from None
    name = known.name.replace("iso8859-1", "latin1").replace("_", "-")
    return _ENCODINGS.get(name, name)


def _id_rule(text: str) -> str:
    rules = [rule.strip() for rule in text.split(",")]
    wrong = [rule for rule in rules if rule not in ID_RULES]
    if wrong:
        raise ParameterError(f"id_rule is {text!r}; expected one or several of {', '.join(ID_RULES)}.")
    return ",".join(rule for rule in ID_RULES if rule in rules)
