"""What is refused of an update of an NMF before anything is fitted."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from recsys.errors import ParameterError


def check_passes(name: str, passes: int, reach: str) -> None:
    """Raise ParameterError if an update is not well asked for."""
    if not isinstance(passes, numbers.Integral) or isinstance(passes, bool) or passes < 1:
        raise ParameterError(f"{name}: passes is {passes!r}; expected a whole number, 1 or more.")
    if reach not in ("touched", "all"):
        raise ParameterError(f"{name}: reach is {reach!r}; expected touched or all.")


def check_unchanged(name: str, fitted: Mapping[str, Any], today: Mapping[str, Any]) -> None:
    """Raise ParameterError if a parameter is not that of the fit.

    Those that a stored model lacks, and those left to a rule, are let pass.
    """
    for key, value in today.items():
        if value is not None and fitted.get(key) is not None and fitted[key] != value:
            raise ParameterError(
                f"{name}: {key} is {value!r}, but the model was fitted with {fitted[key]!r}; fit it anew."
            )
