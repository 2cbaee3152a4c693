"""From options to logs and model specs. Imported inside commands, since it is not light."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from recsys.data.columns import IGNORE
from recsys.data.interactions import DUPLICATE_RULES, Duplicates
from recsys.data.load import LoadedLog, load_log
from recsys.data.log import Feedback
from recsys.errors import ParameterError
from recsys.experiment.prepared_split import PreparedSplit, check_source, prepare_all
from recsys.experiment.settings import AUTO, ModelSpec, specs_from_flags
from recsys.progress import Progress, task
from recsys.splitting.support import MinSupport
from recsys_cli.options import Reading


def load(source: str, reading: Reading, listener: Progress) -> tuple[LoadedLog, float]:
    """Load a log and return it with the seconds it took."""
    began = clock.perf_counter()
    with task(listener, f"load {Path(source).name}"):
        loaded = load_log(
            source,
            user=reading.user,
            item=reading.item,
            value=reading.value,
            time=reading.time,
            where=reading.where,
            feedback=cast("Feedback | None", reading.feedback),
            items=reading.items,
            item_id=reading.item_id,
            item_name=reading.item_name,
            n_threads=reading.threads,
        )
    return loaded, clock.perf_counter() - began


def load_splits(
    log: str,
    reading: Reading,
    listener: Progress,
    *,
    test: str | None,
    split: str | None,
    duplicates: str | None,
    seed: int,
    min_user: int = 0,
    min_item: int = 0,
    filter_test: bool = False,
) -> tuple[LoadedLog, tuple[PreparedSplit, ...]]:
    """Load a log and split it, or load what is held out from a second one."""
    check_source(test, split)
    if filter_test and not (min_user or min_item):
        raise ParameterError("--filter-test needs --min-user or --min-item.")
    repeats = rule(duplicates)
    loaded, seconds = load(log, reading, listener)
    held_out = None
    if test is not None:
        # The held-out part is read as the training part was: same columns, same kind of feedback.
        used = loaded.columns
        same = replace(
            reading,
            user=used.user,
            item=used.item,
            value=used.value or IGNORE,
            feedback=loaded.log.feedback,
            items=None,
            item_id=None,
            item_name=None,
        )
        held_out, more = load(test, same, listener)
        seconds += more
    splits = prepare_all(
        loaded,
        test=held_out,
        split=split,
        seed=seed,
        duplicates=repeats,
        support=MinSupport(min_user, min_item, filter_test),
        load_seconds=seconds,
    )
    return loaded, splits


def columns_used(loaded: LoadedLog, feedback: str | None) -> str:
    """Say which columns were read as what, and why the log is taken for ratings or for amounts."""
    columns = loaded.columns
    named = {"user": columns.user, "item": columns.item, "value": columns.value, "time": columns.time}
    used = ", ".join(f"{role} = {name}" for role, name in named.items() if name is not None)
    kind = loaded.log.feedback
    if feedback is not None:
        why = "as told"
    elif columns.value is None:
        why = "no value column: each row counts 1"
    elif kind == "explicit":
        why = f"{columns.value!r} is a name for ratings"
    else:
        why = f"{columns.value!r} is taken for amounts; --feedback explicit if it holds ratings"
    return f"{used}; {kind} feedback ({why})"


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
