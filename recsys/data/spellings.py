"""Ids written in more than one way: what makes two spellings one id, and a remark where they may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from recsys.remarks import Remark, RemarkCode
from recsys.typing import AnyArray

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WHOLE_FLOAT = re.compile(r"(0|-?[1-9][0-9]{0,17})\.0+")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]+")
_SHOWN = 3
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "::": "::"}


def _as_integer(text: str) -> str:
    match = _WHOLE_FLOAT.fullmatch(text)
    return match[1] if match else text


RULES: Mapping[str, Callable[[str], str]] = {
    "trim": str.strip,
    "casefold": str.casefold,
    "integer": _as_integer,
}
"""What each rule of ``id_rule`` makes of a text."""

_DIFFERENCES = {
    "trim": "blanks around them",
    "casefold": "letter case",
    "integer": "a point and zeros at the end",
}


def respelled(texts: AnyArray, rules: Sequence[str]) -> AnyArray:
    """Return ids with rules applied in the order of `RULES`."""
    for name, rule in RULES.items():
        if name in rules:
            texts = np.asarray([rule(text) for text in texts], dtype=object)
    return texts


def as_integers(texts: AnyArray) -> AnyArray:
    """Return the ids of a text column as int64 if every one spells an integer, else unchanged.

    "17850.0", what other tools make of an integer, is 17850; "007" and numbers beyond 18 digits
    remain text.
    """
    if all(_INTEGER.fullmatch(text) or _WHOLE_FLOAT.fullmatch(text) for text in texts):
        return np.asarray([int(text.partition(".")[0]) for text in texts], dtype=np.int64)
    return texts


def remarks_on(texts: AnyArray, role: str, delimiter: str | None = None) -> tuple[Remark, ...]:
    """Return remarks on unique ids of a text column that may be one id in several spellings.

    Parameters
    ----------
    texts : object array of str
        Unique, with the rules applied.
    role : {"user", "item"}
    delimiter : str, optional
        What stands between fields; only others are looked for in ids.
    """
    said = []
    for name, rule in RULES.items():
        forms: dict[str, list[str]] = {}
        for text in texts:
            forms.setdefault(rule(text), []).append(text)
        alike = [spelled for spelled in forms.values() if len(spelled) > 1]
        if alike:
            n_ids = sum(map(len, alike))
            example = " and ".join(repr(text) for text in alike[0][:2])
            said.append(
                f"{n_ids:,} {role} ids differ from another only by {_DIFFERENCES[name]}, such as {example}; "
                f"--id-rule {name} makes them one"
            )
        elif name == "trim" and (padded := [text for text in texts if rule(text) != text]):
            said.append(
                f"{len(padded):,} {role} ids have blanks around them, such as {padded[0]!r}; --id-rule trim "
                f"removes them"
            )
    for mark, name in _DELIMITERS.items():
        if mark != delimiter and len(texts) and all(mark in text for text in texts):
            said.append(
                f"every {role} id, such as {texts[0]!r}, holds {mark!r}; if that stands between fields, "
                f"add --delimiter {name}"
            )
    rounded = [text for text in texts if _ROUNDED.fullmatch(text)]
    if rounded:
        shown = ", ".join(map(repr, rounded[:_SHOWN]))
        said.append(
            f"{len(rounded):,} {role} ids are numbers that a spreadsheet has rounded ({shown}), so that "
            f"different ids may have become one; export the column as text"
        )
    return tuple(Remark(RemarkCode.IDS_SPELLED_ALIKE, text) for text in said)
