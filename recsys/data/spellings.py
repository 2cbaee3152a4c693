"""Ids written in more than one way: what makes two spellings one id, and a remark where they may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.remarks import Remark, RemarkCode
from recsys.typing import AnyArray, Int64Array

_ANY_INTEGER = r"^(0|-?[1-9][0-9]{0,17})(\.0+)?$"
_WHOLE_FLOAT = re.compile(r"(0|-?[1-9][0-9]{0,17})\.0+")
_ROUNDED = r"^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$"
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

# What an id that a rule changes has at least.
_CHANGEABLE = {"trim": r"^[^!-~]|[^!-~]$", "casefold": r"[A-Z]|[^\x00-\x7f]", "integer": r"\.0+$"}


def respelled(texts: AnyArray, rules: Sequence[str]) -> AnyArray:
    """Return ids with rules applied in the order of `RULES`."""
    for name, rule in RULES.items():
        if name in rules:
            texts = np.asarray([rule(text) for text in texts], dtype=object)
    return texts


def integers_in(texts: pa.Array) -> Int64Array | None:
    """Return texts as integers if every one spells an integer, else None.

    "17850.0", what other tools make of an integer, is 17850; "007" and numbers beyond 18 digits
    remain text.
    """
    if not pc.all(pc.match_substring_regex(texts, _ANY_INTEGER), min_count=0).as_py():
        return None
    whole = pc.replace_substring_regex(texts, r"\.0+$", "")
    return np.asarray(whole.cast(pa.int64()).to_numpy())


def as_integers(texts: AnyArray) -> AnyArray:
    """Return an object array of str as int64 if every one spells an integer, else unchanged."""
    numbers = integers_in(pa.array(texts, pa.large_string()))
    return texts if numbers is None else numbers


def remarks_on(texts: pa.Array, role: str, delimiter: str | None = None) -> tuple[Remark, ...]:
    """Return remarks on unique ids of a text column that may be one id in several spellings.

    Parameters
    ----------
    texts : Arrow array of text
        Unique, with the rules applied.
    role : {"user", "item"}
    delimiter : str, optional
        What stands between fields; only others are looked for in ids.
    """
    said = []
    for name, rule in RULES.items():
        if not _may_change(name, texts):
            continue
        forms: dict[str, list[str]] = {}
        for text in texts.to_pylist():
            forms.setdefault(rule(text), []).append(text)
        alike = [spelled for spelled in forms.values() if len(spelled) > 1]
        if alike:
            n_ids = sum(map(len, alike))
            example = " and ".join(repr(text) for text in alike[0][:2])
            said.append(
                f"{n_ids:,} {role} ids differ from another only by {_DIFFERENCES[name]}, such as {example}; "
                f"--id-rule {name} makes them one"
            )
        elif name == "trim" and (padded := [text for form, (text,) in forms.items() if form != text]):
            said.append(
                f"{len(padded):,} {role} ids have blanks around them, such as {padded[0]!r}; --id-rule trim "
                f"removes them"
            )
    for mark, name in _DELIMITERS.items():
        if mark != delimiter and pc.all(pc.match_substring(texts, mark)).as_py():
            said.append(
                f"every {role} id, such as {texts[0].as_py()!r}, holds {mark!r}; if that stands between "
                f"fields, add --delimiter {name}"
            )
    rounded = texts.filter(pc.match_substring_regex(texts, _ROUNDED)).to_pylist()
    if rounded:
        shown = ", ".join(map(repr, rounded[:_SHOWN]))
        said.append(
            f"{len(rounded):,} {role} ids are numbers that a spreadsheet has rounded ({shown}), so that "
            f"different ids may have become one; export the column as text"
        )
    return tuple(Remark(RemarkCode.IDS_SPELLED_ALIKE, text) for text in said)


def _may_change(rule: str, texts: pa.Array) -> bool:
    """Return whether a rule may change an id; False only where it surely changes none, or joins none.

    A look at all ids at once is much cheaper than the rule itself, and mostly enough.
    """
    if rule == "casefold" and pc.all(pc.string_is_ascii(texts)).as_py():
        return int(pc.count_distinct(pc.ascii_lower(texts)).as_py()) < len(texts)
    return bool(pc.any(pc.match_substring_regex(texts, _CHANGEABLE[rule])).as_py())
