"""``recsys.tune``: the public call, and what the command line uses, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.errors import ParameterError
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.experiment.given_logs import GivenLog
from recsys.experiment.given_models import GivenModels, specs_of
from recsys.experiment.tuning.answer import Tuning
from recsys.experiment.tuning.plan import TuningPlan, parse_seconds
from recsys.experiment.tuning.space import parse_searches
from recsys.progress import SILENT, GivenProgress, listener
from recsys.splitting.support import MinSupport

Searches = Mapping[str, Any]


def tune(
    models: GivenModels | TuningPlan,
    log: GivenLog | None = None,
    search: Searches | Mapping[str, Searches] | None = None,
    *,
    metric: str | Metric | None = None,
    split: str | None = None,
    test: GivenLog | None = None,
    validation: str | None = None,
    trials: int | None = None,
    time: str | float | None = None,
    final: bool = False,
    outer: str | None = None,
    seed: int = 0,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: GivenProgress = SILENT,
    **more: Any,
) -> Tuning:
    """Choose parameters of models by their quality on validation data, which the test part is no part of.

    Parameters
    ----------
    models : model, iterable of models, mapping of label to model, or TuningPlan
        As for `recsys.compare`. Each gets the same number of trials. Parameters that a model is given
        beyond its defaults are held.
    log : str, Path, table or LoadedLog
    search : mapping, optional
        By parameter, ``"16..512"`` (a range), ``"squared,kl"`` or a list (values), or a value to hold; with
        several models by model first. By default each model's own ranges; what is given replaces those of
        the parameters it names.
    metric : str, optional
        "ndcg@10" by default, "rmse" for models that only predict ratings.
    split : str, optional
        What is held out and not read while settings are tried, e.g. "time:4w".
    test : as ``log``, optional
        Held-out events in a log of their own, instead of a split.
    validation : str, optional
        What of the rest settings are measured on; the rule of ``split`` by default, or "random:0.2". A rule
        that makes several parts measures each setting on all of them, or gives it up after the first ones.
    trials : int, optional
        Settings of each model, the one without tuning among them; 30 if no ``time`` is given.
    time : str or float, optional
        E.g. "10m"; shared equally by the models. What is tried then depends on the machine.
    final : bool
        Whether the winners and the models without tuning are measured, once, on the test part.
    outer : str, optional
        Outer folds, e.g. "folds:3", in place of ``split`` and ``test``: each is held out in turn, the models
        are tuned anew on the rest, and the winners measured on it.
    seed : int
        Of splits, starts and proposals. The same trials come out, interrupted or not.
    threads : int, optional
        Results do not depend on it.
    out : str or Path, optional
        A folder that keeps each trial; the same tuning, made again, goes on from it.
    progress : bool, callable or Progress
    **more
        ``min_user``, ``min_item``, ``filter_test`` and ``duplicates``, as for `recsys.split`.

    Returns
    -------
    Tuning

    Raises
    ------
    ParameterError
        If a model, parameter, range, metric or split is not known; before anything is read.
    InputError
        If the log cannot be used, or the folder holds the trials of something else.
    ModelError
        If no setting could be measured.
    DependencyError
        If Optuna is not installed.
    """
    if isinstance(models, TuningPlan):
        if log is not None:
            raise ParameterError("a plan names its log; give either.")
        return models.tune(listener(progress))
    if log is None:
        raise ParameterError("there is no log; give a path, a table or a loaded log.")
    specs = specs_of(models)
    support = {role: more.pop(name) for name, role in _SUPPORT.items() if name in more}
    known = {"duplicates"}
    for name in more:
        if name not in known:
            raise ParameterError(f"there is no option {name!r}; expected {', '.join([*_SUPPORT, *known])}.")
    plan = TuningPlan(
        models=specs,
        log=log,
        spaces=_by_model(search or {}, [spec.name for spec in specs]),
        test=test,
        split=split,
        validation=validation,
        metric=None if metric is None else parse_metric(str(metric)),
        trials=trials,
        seconds=None if time is None else parse_seconds(time),
        final=final,
        outer=outer,
        support=MinSupport(**support),
        seed=seed,
        threads=threads,
        out=None if out is None else Path(out).expanduser(),
        **more,
    )
    return plan.tune(listener(progress))


_SUPPORT = {"min_user": "user", "min_item": "item", "filter_test": "test"}


def _by_model(search: Searches | Mapping[str, Searches], names: list[str]) -> dict[str, Searches]:
    """Return what is searched by model, text read."""
    if not isinstance(search, Mapping):
        raise ParameterError(f"search is {search!r:.80}; expected a mapping of parameter to range or values.")
    nested = [isinstance(value, Mapping) for value in search.values()]
    if any(nested) and not all(nested):
        raise ParameterError("search mixes parameters and models; give all parameters below their models.")
    if not any(nested):
        if len(names) > 1 and search:
            raise ParameterError(
                f"there are {len(names)} models; say whose parameters are searched, e.g. "
                f"search={{{names[0]!r}: {dict(search)!r:.60}}}."
            )
        return {names[0]: _read(search)}
    return {str(name): _read(searches) for name, searches in search.items()}


def _read(searches: Searches) -> Searches:
    texts = {name: value for name, value in searches.items() if isinstance(value, str)}
    return {**searches, **parse_searches([f"{name}={value}" for name, value in texts.items()])}
