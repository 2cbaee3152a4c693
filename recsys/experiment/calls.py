"""The public calls from a log to a model and to what it is worth, which the command line uses, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsys import threads as pool
from recsys.checkpoints import Checkpoint
from recsys.data.duplicates import Duplicates
from recsys.errors import ParameterError
from recsys.experiment import training
from recsys.experiment.answers import Comparison, Evaluation
from recsys.experiment.evaluation_plan import EvaluationPlan, GivenMetrics
from recsys.experiment.given_logs import GivenLog, both_of, loaded_of
from recsys.experiment.given_models import GivenModel, GivenModels, spec_of, specs_of
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.experiment.settings import ModelSpec
from recsys.experiment.training import check_duplicates, check_seed
from recsys.experiment.training_record import quality_record
from recsys.experiment.warm_start import begun_like
from recsys.progress import SILENT, GivenProgress, listener
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle
from recsys.splitting.support import MinSupport


def compare(
    models: GivenModels | EvaluationPlan,
    log: GivenLog | PreparedSplit | None = None,
    *,
    split: str | None = None,
    test: GivenLog | None = None,
    metrics: GivenMetrics | None = None,
    seed: int = 0,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: GivenProgress = SILENT,
    **more: Any,
) -> Comparison:
    """Measure models on the same held-out part of a log; popularity, the floor, is always among them.

    Parameters
    ----------
    models : model, iterable of models, mapping of label to model, or EvaluationPlan
        A model is a name such as "als", the path of a TOML config, a model of this library with its
        parameters (its fit, if any, is not used), its class, or an object with ``fit(interactions)`` and
        ``score_block(users)``. With a plan nothing else but ``progress`` is given.
    log : str, Path, table, LoadedLog or PreparedSplit
        A file, the name of a data set, a table of pandas, polars or Arrow, what `recsys.load_log` gave,
        or what `recsys.split` gave.
    split : str, optional
        What is held out, e.g. "time:4w"; "random:0.2" by default.
    test : as ``log``, optional
        Held-out events in a log of their own, instead of a split.
    metrics : str or iterable, optional
        E.g. "ndcg@10,recall@10"; by default those that suit the log.
    seed : int
        Of splits, starts, intervals and tests.
    threads : int, optional
        Results do not depend on it.
    out : str or Path, optional
        A folder that keeps each result as soon as it is there; the same comparison, made again, goes on
        from it.
    progress : bool, callable or Progress
        True shows it, a function such as ``print`` is given a line a step.
    **more
        ``min_user``, ``min_item``, ``filter_test``; ``duplicates``; ``items``, ``item_id``,
        ``item_category`` for metrics of categories, ``groups``, ``group``, ``group_id`` for gaps between
        groups of users (files or tables, and their columns); ``block_mib``. As the flags of the command.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If a model, parameter, metric or split is not known; before anything is read.
    InputError
        If the log cannot be used, or a part of it would be empty.
    ModelError
        If no model has an answer.
    """
    if isinstance(models, EvaluationPlan):
        if log is not None:
            raise ParameterError("a plan names its log; give either.")
        return models.compare(listener(progress))
    plan = _plan(
        specs_of(models),
        log,
        split=split,
        test=test,
        metrics=metrics,
        seed=seed,
        threads=threads,
        out=out,
        **more,
    )
    return plan.compare(listener(progress))


def evaluate(
    model: GivenModel | EvaluationPlan,
    log: GivenLog | PreparedSplit | None = None,
    *,
    split: str | None = None,
    test: GivenLog | None = None,
    metrics: GivenMetrics | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
    **more: Any,
) -> Evaluation:
    """Train a model on one part of a log and measure it on the part held out.

    Parameters, and what is raised, as those of `compare`.

    Returns
    -------
    Evaluation
    """
    if isinstance(model, EvaluationPlan):
        if log is not None:
            raise ParameterError("a plan names its log; give either.")
        return model.evaluate(listener(progress))
    plan = _plan(
        (spec_of(model),), log, split=split, test=test, metrics=metrics, seed=seed, threads=threads, **more
    )
    return plan.evaluate(listener(progress))


def _plan(
    models: tuple[ModelSpec, ...], log: GivenLog | PreparedSplit | None, **entries: Any
) -> EvaluationPlan:
    if log is None:
        raise ParameterError("there is no log; give a path, a table or a loaded log.")
    return EvaluationPlan.of(models, log, **entries)


def split(
    log: GivenLog,
    spec: str = "random:0.2",
    *,
    test: GivenLog | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    min_user: int = 0,
    min_item: int = 0,
    filter_test: bool = False,
) -> PreparedSplit:
    """Split a log into training data and held-out pairs.

    Parameters
    ----------
    log : str, Path, table or LoadedLog
    spec : str
        E.g. "random:0.2", "last:5", "time:4w"; a rule that makes one split.
    test : as ``log``, optional
        Held-out events in a log of their own, instead of a rule.
    seed : int
    duplicates : str, optional
        How repeats of a pair become one value; see `Interactions.from_log`.
    min_user, min_item : int
        What users and items need to stay in training.
    filter_test : bool
        Whether those are left out of the held-out part, too.

    Returns
    -------
    PreparedSplit
        ``train`` is what models are fitted to; `evaluate` and `compare` take the whole in place of a log.

    Raises
    ------
    ParameterError
        If the rule is unknown, cannot be read, or makes several splits.
    InputError
        If a part would be empty.
    """
    check_seed(seed)
    loaded, held_out, seconds = both_of(log, test)
    return prepare(
        loaded,
        test=held_out,
        split=None if held_out is not None else spec,
        seed=seed,
        duplicates=check_duplicates(duplicates),
        support=MinSupport(min_user, min_item, filter_test),
        load_seconds=seconds,
    )


def train(
    model: GivenModel,
    log: GivenLog,
    *,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    min_user: int = 0,
    min_item: int = 0,
    warm_start: str | Path | Bundle | None = None,
    measure: str | None = None,
    metrics: GivenMetrics | None = None,
    threads: int | None = None,
    keep_interrupted: bool = False,
    checkpoint: Checkpoint | None = None,
    progress: GivenProgress = SILENT,
) -> Bundle:
    """Train a model on a whole log; the bundle records when, from what and with what.

    Parameters
    ----------
    model : str, Path, Model or class
        See `compare`.
    log : str, Path, table or LoadedLog
    seed : int
        Of the start, where the model is not given one.
    duplicates : str, optional
        How repeats of a pair become one value; see `Interactions.from_log`.
    min_user, min_item : int
        How many different items a user, and users an item, need to be trained on.
    warm_start : str, Path or Bundle, optional
        An older model of the same kind, whose components are begun with, with a tenth of the sweeps unless
        ``max_iter`` is given: components keep their numbers, themes that are still the same their labels.
    measure : str, optional
        A split, e.g. "time:4w": the model is first measured on what it holds out, trained on the rest, and
        then trained on everything; the bundle records what was measured. A ``warm_start`` is not measured.
    metrics : str or iterable, optional
        What is measured then; by default what suits the log.
    threads : int, optional
        Results do not depend on it.
    keep_interrupted : bool
        Whether an interrupt (ctrl-c) after the first iteration gives the best state so far, instead of
        KeyboardInterrupt; ``bundle.model.history.stopped`` is then "interrupted".
    checkpoint : Checkpoint, optional
        Keeps where the fit stands, and has it go on from there after its process was killed; the log is read
        and, with ``measure``, measured again first. To be removed once the bundle is saved.
    progress : bool, callable or Progress
        True shows it, a function such as ``print`` is given a line a step.

    Returns
    -------
    Bundle
        The fitted model with the ids of users and items and the names of items.

    Raises
    ------
    RecsysError
        If the log or the model cannot be used.
    """
    spec, progress = spec_of(model), listener(progress)
    support, rule = MinSupport(min_user, min_item), check_duplicates(duplicates)
    if checkpoint is not None:  # before the log is read
        spec.resolved().made().check_checkpoint(checkpoint)
    if metrics is not None and measure is None:
        raise ParameterError("metrics are given and nothing is measured; give measure, e.g. 'time:4w'.")
    old = warm_start if warm_start is None or isinstance(warm_start, Bundle) else load_bundle(warm_start)
    if old is not None:
        begun_like(spec.resolved(), old)
    with pool.use(threads):
        loaded, _ = loaded_of(log, n_threads=threads, progress=progress)
        quality = None
        if measure is not None:
            counts = {"min_user": min_user or None, "min_item": min_item or None}
            plan = _plan(
                (spec,), loaded, split=measure, metrics=metrics, seed=seed, duplicates=rule, **counts
            )
            quality = quality_record(plan.evaluate(progress))
        bundle, _, _ = training.train(
            loaded,
            spec,
            seed=seed,
            duplicates=rule,
            support=support,
            warm_start=old,
            quality=quality,
            keep_interrupted=keep_interrupted,
            checkpoint=checkpoint,
            progress=progress,
        )
    return bundle
