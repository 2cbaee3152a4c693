"""What is refused of the parameters of an NMF before anything is fitted."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from recsys.errors import ParameterError


def check_start(name: str, init: str, n_init: int, *, n_given: int) -> None:
    """Raise ParameterError if a start does not go with the number of starts, or of W and H given."""
    if n_init > 1 and init in ("nndsvd", "custom"):
        raise ParameterError(
            f"{name}: n_init is {n_init}, but init {init!r} gives one start only; "
            f"set n_init=1 or init='random'."
        )
    if n_given != (2 if init == "custom" else 0):
        raise ParameterError(
            f"{name}: init is {init!r} and {n_given} of W and H are given; "
            f"give both with init='custom', and neither otherwise."
        )


def check_passes(name: str, passes: int, reach: str) -> None:
    """Raise ParameterError if an update is not well asked for."""
    if not isinstance(passes, numbers.Integral) or isinstance(passes, bool) or passes < 1:
        raise ParameterError(f"{name}: passes is {passes!r}; expected a whole number, 1 or more.")
    if reach not in ("touched", "all"):
        raise ParameterError(f"{name}: reach is {reach!r}; expected touched or all.")


def check_unchanged(name: str, fitted: Mapping[str, Any], today: Mapping[str, Any]) -> None:
    """Raise ParameterError if a parameter is not that of the fit; those a stored model lacks are let pass."""
    for key, value in today.items():
        if fitted.get(key) is not None and fitted[key] != value:
            raise ParameterError(
                f"{name}: {key} is {value!r}, but the model was fitted with {fitted[key]!r}; fit it anew."
            )
