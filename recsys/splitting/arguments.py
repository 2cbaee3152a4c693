"""What stands after the colon of a split, as numbers."""

from __future__ import annotations

import re

from recsys.errors import ParameterError
from recsys.splitting.registry import forms_of

MOST_PARTS = 100
"""Most splits that one rule makes: each is a model trained."""


def read_number(rule: str, text: str, argument: str) -> float:
    """Return a number that is a part of a rule's argument, or raise ParameterError."""
    try:
        return float(text)
    except ValueError:
        raise ParameterError(
            f"split '{rule}:{argument}': {text!r} is no number; expected {forms_of(rule)}."
        ) from None


def read_whole(rule: str, text: str, argument: str) -> int:
    """Return a whole number that is a part of a rule's argument, or raise ParameterError."""
    try:
        return int(text)
    except ValueError:
        raise ParameterError(
            f"split '{rule}:{argument}': {text!r} is no whole number; expected {forms_of(rule)}."
        ) from None


def read_n_folds(rule: str, text: str, argument: str) -> int:
    """Return a number of folds, not more than anybody would train, or raise ParameterError."""
    n = read_whole(rule, text, argument)
    check_parts(f"{rule}:{argument}", n)
    return n


def read_repeats(argument: str, spec: str) -> tuple[str, int | None]:
    """Part ``ARGUMENTxN`` into the argument and N, which is None where it is not given.

    Raises
    ------
    ParameterError
        If N is out of range.
    """
    parts = re.fullmatch(r"(.*)x(\d{1,9})", argument)
    if parts is None:
        return argument, None
    n = int(parts[2])
    if not 1 <= n <= MOST_PARTS:
        raise ParameterError(f"split {spec!r}: {n} repeats; expected 1 to {MOST_PARTS}.")
    return parts[1], n


def check_parts(spec: str, n: int) -> None:
    """Raise ParameterError if a rule makes more parts than anybody would train."""
    if n > MOST_PARTS:
        raise ParameterError(f"split {spec!r} makes more than {MOST_PARTS} parts; ask for fewer.")


def check_share(rule: str, share: float) -> None:
    """Raise ParameterError unless a share is between 0 and 1."""
    if not 0 < share < 1:
        raise ParameterError(f"split {rule}:{share:g}: the share is expected between 0 and 1.")


def check_folds(rule: str, n: int) -> None:
    """Raise ParameterError unless there are 2 folds or more."""
    if n < 2:
        raise ParameterError(f"split {rule}:{n}: the number of folds is expected to be 2 or more.")


def percent(share: float) -> str:
    """Return a share in words: "20 %"."""
    return f"{100 * share:.4g} %"
