"""From options to logs and model specs. Imported inside commands, since it is not light."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from recsys.data.interactions import DUPLICATE_RULES, Duplicates
from recsys.data.load import LoadedLog, load_log
from recsys.data.log import Feedback
from recsys.errors import ParameterError
from recsys.experiment.settings import AUTO, ModelSpec, specs_from_flags
from recsys.progress import Progress, task


def load(
    source: str,
    listener: Progress,
    *,
    user: str | None,
    item: str | None,
    value: str | None,
    time: str | None,
    where: str | None,
    feedback: str | None,
    items: Path | None,
    threads: int | None,
) -> tuple[LoadedLog, float]:
    """Load a log and return it with the seconds it took."""
    began = clock.perf_counter()
    with task(listener, f"load {Path(source).name}"):
        loaded = load_log(
            source,
            user=user,
            item=item,
            value=value,
            time=time,
            where=where,
            feedback=cast("Feedback | None", feedback),
            items=items,
            n_threads=threads,
        )
    return loaded, clock.perf_counter() - began


def rule(duplicates: str | None) -> Duplicates | None:
    """Return a rule for repeats, or raise ParameterError."""
    if duplicates is not None and duplicates not in DUPLICATE_RULES:
        raise ParameterError(f"--duplicates {duplicates!r}: expected one of {', '.join(DUPLICATE_RULES)}.")
    return cast("Duplicates | None", duplicates)


def one_spec(model: str | None, assignments: Sequence[str] | None, config: Path | None) -> ModelSpec:
    """Return the one model that --model or --config names."""
    if model is not None and config is not None:
        raise ParameterError("both --model and --config are given; choose one.")
    if model in (None, AUTO) and config is None and assignments:
        raise ParameterError("--set needs to know the model; name it with --model.")
    return specs_from_flags(
        [] if model is None else [model],
        assignments or [],
        [] if config is None else [config],
        default=[AUTO],
    )[0]
