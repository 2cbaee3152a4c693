"""A log in, a trained bundle out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, cast

import numpy as np

from recsys.checkpoints import Checkpoint
from recsys.data.duplicates import DUPLICATE_RULES, Duplicates
from recsys.data.interactions import Interactions
from recsys.data.loaded_log import LoadedLog
from recsys.errors import ParameterError
from recsys.experiment.comparison import precompile
from recsys.experiment.settings import AUTO, ModelSpec
from recsys.experiment.training_record import training_record
from recsys.experiment.warm_start import begun_like, fit_from
from recsys.models.parameters import MOST_SEED
from recsys.progress import SILENT, Progress
from recsys.recommend.bundle import Bundle
from recsys.remarks import Remark, RemarkCode
from recsys.splitting.support import MinSupport


def train(
    loaded: LoadedLog,
    spec: ModelSpec,
    *,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    support: MinSupport | None = None,
    warm_start: Bundle | None = None,
    quality: Mapping[str, Any] | None = None,
    keep_interrupted: bool = False,
    checkpoint: Checkpoint | None = None,
    progress: Progress = SILENT,
) -> tuple[Bundle, Interactions, Mapping[str, Any]]:
    """Train a model on a whole log.

    ``support`` leaves out users and items with little data, ``warm_start`` is a model whose components
    are begun with and whose numbers of them are kept, ``quality`` what was measured of it before, and
    ``checkpoint`` keeps where the fit stands. With ``keep_interrupted``, a model interrupted
    (KeyboardInterrupt) after its first iteration is returned with the best state so far, and the record's
    ``stopped`` says "interrupted".

    Returns
    -------
    bundle : Bundle
    data : Interactions
        What it was trained on.
    record : dict
        Model, config, counts, convergence and seconds.
    """
    check_seed(seed)
    rows = support.core(loaded.log, np.arange(len(loaded.log)))[0] if support else None
    data = Interactions.from_log(loaded.log, rows, duplicates=duplicates)
    spec = spec.resolved().seeded(seed)
    if warm_start is not None:
        spec = begun_like(spec, warm_start)
    model = spec.made()
    model.check_checkpoint(checkpoint)
    kept_at: dict[str, Any] = {} if checkpoint is None else {"checkpoint": checkpoint}
    precompile(spec)
    began = time.perf_counter()
    kept = None
    try:
        if warm_start is None:
            model.fit(data, progress=progress, **kept_at)
        else:
            kept = fit_from(warm_start, model, data, asked_for=spec.params, progress=progress, **kept_at)
    except KeyboardInterrupt:
        if not (keep_interrupted and model.is_fitted):
            raise
    seconds = time.perf_counter() - began + (0.0 if checkpoint is None else checkpoint.seconds_before)
    bundle = Bundle.of(
        model,
        data,
        item_names=loaded.item_names,
        time_kind=loaded.log.time_kind,
        training={
            "source": loaded.source,
            "seed": seed,
            "seconds": seconds,
            **training_record(loaded, rows),
            "duplicates": duplicates,
            "min_user": support.user if support else 0,
            "min_item": support.item if support else 0,
            **({} if quality is None else {"quality": dict(quality)}),
            **({} if kept is None else {"warm_start": kept.to_json()}),
        },
    )
    if kept is not None:
        bundle = replace(bundle, theme_labels=kept.labels)
    return bundle, data, record_of(bundle)


def record_of(bundle: Bundle) -> dict[str, Any]:
    """Return how a model was trained: its config, counts, convergence and seconds, ready for JSON."""
    model, training, history = bundle.model, bundle.training, bundle.model.history
    return {
        "model": model.name,
        "config": model.config(),
        "seed": training["seed"],
        "n_users": training["n_users"],
        "n_items": training["n_items"],
        "n_entries": training["n_entries"],
        "feedback": training["feedback"],
        "iterations": None if history is None else history.n_iter,
        "converged": None if history is None else history.converged,
        "stopped": None if history is None else history.stopped,
        "objective": None if history is None else history.objective[-1],
        "stored_per_row": model.stored_per_row,
        "seconds": {"fit": training["seconds"]},
    }


def amounts_as_ratings(loaded: LoadedLog, specs: Sequence[ModelSpec]) -> tuple[Remark, ...]:
    """Return a remark if models that predict ratings are given amounts, on which their errors mean little."""
    if loaded.log.feedback == "explicit":
        return ()
    fitted = dict.fromkeys(
        spec.name for spec in specs if spec.name not in (AUTO, "hybrid-nmf") and spec.made().predicts_values
    )
    if not fitted:
        return ()
    text = (
        f"{', '.join(fitted)} predicts ratings, and the log is read as amounts; weighted-nmf is for amounts, "
        f"or add --feedback explicit if the values are ratings"
    )
    return (Remark(RemarkCode.AMOUNTS_AS_RATINGS, text),)


def check_duplicates(rule: str | None) -> Duplicates | None:
    """Return a rule for repeats of a pair, or raise ParameterError if there is no such rule."""
    if rule is not None and rule not in DUPLICATE_RULES:
        raise ParameterError(f"--duplicates {rule!r}: expected one of {', '.join(DUPLICATE_RULES)}.")
    return cast("Duplicates | None", rule)


def check_seed(seed: object) -> None:
    """Raise ParameterError unless a seed is a whole number from 0 to `MOST_SEED`."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) <= MOST_SEED:
        raise ParameterError(f"seed is {seed!r:.40}; expected a whole number, 0 to {MOST_SEED:,}.")
