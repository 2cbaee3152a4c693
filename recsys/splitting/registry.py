"""Split rules by name: registered by their files, asked for as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.registry import Registry
from recsys.splitting.split import Split

Splitter: TypeAlias = Callable[[Log, int, int], Sequence[Split]]
"""Splits a log, with a seed, for a repeat (from 0): one split, or one for each fold or window."""


@dataclass(frozen=True)
class Form:
    """A way to write a rule.

    Attributes
    ----------
    written : str
        With the arguments in capitals: "random:SHARE".
    example : str
        "random:0.2".
    definition : str
        What is held out, in one line.
    """

    written: str
    example: str
    definition: str


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """A rule that holds out a part of a log.

    Attributes
    ----------
    name : str
        What stands before the colon: lower-case letters, digits and hyphens.
    forms : tuple of Form
        How the rule is written.
    parse : function of str
        Reads what stands after the colon, "" if there is nothing, and returns what splits a log.
    can_repeat : bool
        Whether the rule draws, so that ``xN`` after its argument draws N times.

    Examples
    --------
    >>> from recsys import SplitRule
    >>> from recsys.splitting.registry import Form
    >>> form = Form("none:N", "none:1", "nothing")
    >>> SplitRule(name="none", forms=(form,), parse=lambda argument: None).can_repeat
    False
    """

    name: str
    forms: tuple[Form, ...]
    parse: Callable[[str], Splitter]
    can_repeat: bool = False


_rules = Registry[SplitRule](
    "split rule",
    source=lambda rule: rule.parse,
    definition=lambda rule: rule.forms[0].definition,
    reserved={"file": "held-out events in a log of their own"},
)


def register_split_rule(rule: SplitRule) -> None:
    """Make a rule known by its name to ``--split``, plans and the functions that split.

    Raises
    ------
    ParameterError
        If the name cannot be written on the command line or is taken, or no form is given.
    """
    if not rule.forms:
        raise ParameterError(f"split rule {rule.name!r} has no form; state how it is written.")
    _rules.add(rule.name, rule)


def unregister_split_rule(name: str) -> None:
    """Forget a rule, e.g. to register a changed one in its place.

    Raises
    ------
    ParameterError
        If there is no such rule.
    """
    _rules.remove(name)


def split_rules() -> dict[str, SplitRule]:
    """Return the rules by name, in the order of the names: no rule has to know the others."""
    return dict(_rules)


def find_split_rule(spec: str) -> SplitRule:
    """Return the rule of a split as written, e.g. ``"random:0.2"``, or raise ParameterError."""
    name = spec.partition(":")[0]
    if name not in _rules:
        raise ParameterError(f"there is no split {spec!r}; expected {_alternatives(*split_rules())}.")
    return _rules[name]


def forms_of(name: str) -> str:
    """Return how a rule is written, in words: "last:N or last:SHARE"."""
    return _alternatives(name)


def _alternatives(*names: str) -> str:
    written = [form.written for name in names for form in _rules[name].forms]
    return " or ".join(part for part in (", ".join(written[:-1]), written[-1]) if part)
