"""What the options of a log may hold: a check returns an option as it is kept, or says what was expected."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from recsys.errors import ParameterError

Check: TypeAlias = Callable[[str, Any], Any]
"""Takes the name of an option and what it is to hold."""

BLANKS = "blanks"
NONE = "none"
DELIMITER_NAMES: Mapping[str, str] = {
    "comma": ",",
    "tab": "\t",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
    "colon": ":",
}
HALF_LIFE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([hdwy])")
ID_RULES = ("trim", "casefold", "integer")

_ENCODINGS = {"latin1": "latin-1", "ansi": "windows-1252", "cp1252": "windows-1252"}


def text(example: str) -> Check:
    """Return a check for any text; the example is shown where something else is given."""

    def check(name: str, value: Any) -> str:
        return _text(name, value, example)

    return check


def column(example: str) -> Check:
    """Return a check for the name of a column; a table may have numbers for names."""

    def check(name: str, value: Any) -> str:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if is_number else _text(name, value, example)

    return check


def choice(*choices: str) -> Check:
    """Return a check for one of several words."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ParameterError(f"{name} is {value!r:.80}; expected one of {', '.join(choices)}.")
        return value

    return check


def number(least: float, what: str, *, is_whole: bool) -> Check:
    """Return a check for a finite number from ``least`` on."""

    def check(name: str, value: Any) -> Any:
        is_number = isinstance(value, int if is_whole else (int, float)) and not isinstance(value, bool)
        if not is_number or not least <= value < math.inf:
            raise ParameterError(f"{name} is {value!r}; expected {what}.")
        return value

    return check


def markers(name: str, value: Any) -> tuple[str, ...] | None:
    """Check one text or several."""
    whole = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(marker, str) for marker in whole):
        raise ParameterError(f"{name} is {value!r:.80}; expected text, or several.")
    return whole or None


def delimiter(name: str, value: Any) -> str:
    """Check what stands between fields, which may be given by its name."""
    text = _text(name, value, ";")
    mark = DELIMITER_NAMES.get(text, "\t" if text == r"\t" else text)
    if mark != BLANKS and not ((1 <= len(mark) <= 4 and mark.isprintable()) or mark == "\t"):
        raise ParameterError(
            f"{name} is {mark!r}; expected one character, up to four such as '::', or one of "
            f"{', '.join(DELIMITER_NAMES)}, {BLANKS}."
        )
    return mark


def character(name: str, value: Any) -> str:
    """Check one character of ASCII."""
    if not isinstance(value, str) or len(value) != 1 or not value.isprintable() or not value.isascii():
        raise ParameterError(f"{name} is {value!r:.80}; expected one character.")
    return value


def character_or_none(name: str, value: Any) -> str:
    """Check one character of ASCII, or "none"."""
    if value == NONE:
        return NONE
    try:
        return character(name, value)
    except ParameterError:
        raise ParameterError(f"{name} is {value!r:.80}; expected one character, or none.") from None


def encoding(name: str, value: Any) -> str:
    """Check the name of an encoding of text, and return the usual one of its names."""
    value = _text(name, value, "latin-1")
    try:
        known = codecs.lookup(value)
        b"".decode(value)  # codecs of bytes, such as base64, decode no text
    except (LookupError, ValueError):
        raise ParameterError(
            f"{name} is {value!r}, which is not known; there are utf-8, latin-1, windows-1252, utf-16, "
            f"cp1250, shift_jis, gb18030 and others."
        ) from None
    usual = known.name.replace("iso8859-1", "latin1").replace("_", "-")
    return _ENCODINGS.get(usual, usual)


def id_rule(name: str, value: Any) -> str:
    """Check one or several rules, and return them in their order."""
    rules = [rule.strip() for rule in _text(name, value, "trim").split(",")]
    if not set(rules) <= set(ID_RULES):
        raise ParameterError(f"{name} is {value!r}; expected one or several of {', '.join(ID_RULES)}.")
    return ",".join(rule for rule in ID_RULES if rule in rules)


def half_life(name: str, value: Any) -> str:
    """Check a length of time: a number and h, d, w or y."""
    text = _text(name, value, "30d")
    match = HALF_LIFE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ParameterError(f"{name} is {text!r}; expected a number and h, d, w or y, e.g. 30d.")
    return text


def _text(name: str, value: Any, example: str) -> str:
    if not isinstance(value, str):
        raise ParameterError(f"{name} is {value!r:.80}; expected text, e.g. {name}={example!r}.")
    return value
