"""What `recsys.tune` returns: the settings tried, the winner, and what it is worth on the test part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from recsys._version import __version__
from recsys.errors import ParameterError
from recsys.evaluation.metrics import Metric
from recsys.evaluation.quantity import quantity_of
from recsys.evaluation.selection import selection_gain
from recsys.evaluation.significance import interval
from recsys.evaluation.uncertainty import Interval
from recsys.experiment.answers import Comparison
from recsys.experiment.settings import ModelSpec
from recsys.experiment.tuning.nested import Nested
from recsys.experiment.tuning.settings_file import write_settings
from recsys.experiment.tuning.study import Study
from recsys.experiment.tuning.trial import Trial
from recsys.files import atomic_write


@dataclass(frozen=True, eq=False)
class TunedModel:
    """The trials of one model, and the best of them.

    Attributes
    ----------
    label : str
    study : Study
        What was searched, and on which validation data.
    trials : tuple of Trial
    """

    label: str
    study: Study
    trials: tuple[Trial, ...]

    @cached_property
    def best(self) -> Trial:
        """The best on validation data; one that failed never is."""
        best = self.study.best(self.trials)
        assert best is not None  # a tuning without one is an error
        return best

    @property
    def spec(self) -> ModelSpec:
        """The winner as a model, with the parameters that differ from its defaults."""
        return self.study.space.setting(self.best.params)

    @property
    def untuned(self) -> Trial:
        """The setting that the model has without tuning."""
        return self.trials[0]

    @cached_property
    def interval(self) -> Interval | None:
        """The winner's value on validation data with its 95 % interval, luck included."""
        measured = self.best.measurements
        metric = str(self.study.metric)
        return None if measured is None else interval(measured, metric, seed=self.study.seed)

    @cached_property
    def selection_gain(self) -> float | None:
        """What the winner's value is expected to hold of luck; None for a metric of all lists together."""
        metric = str(self.study.metric)
        measured = [trial.measurements for trial in self.trials if trial.measurements is not None]
        quantities = [quantity_of(measurements, metric) for measurements in measured]
        known = [quantity for quantity in quantities if quantity is not None]
        return selection_gain(known, metric, seed=self.study.seed) if len(known) == len(measured) else None

    def count(self, state: str) -> int:
        """Return how many trials are "complete", "pruned" or "failed"."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def at_edge(self) -> tuple[str, ...]:
        """The searched parameters whose best value lies at an end of its range: search further there."""
        edges = []
        for name, where in self.study.space.searched.items():
            low, high = getattr(where, "low", None), getattr(where, "high", None)
            value = self.best.config.get(name)
            if low is None or high is None or not isinstance(value, (int, float)):
                continue
            is_measured_all_along = name == "max_iter" and len(self.best.curve) > 0  # from 1 on
            if value >= high or (value <= low and not is_measured_all_along):
                edges.append(name)
        return tuple(edges)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a trial: its parameters, state, value and seconds, the best first."""
        metric = self.study.metric
        rows = [
            {"trial": trial.number}
            | {name: trial.config.get(name, trial.params.get(name)) for name in self.study.space.searched}
            | {str(metric): trial.value, "state": trial.state, "seconds": trial.seconds, "error": trial.error}
            for trial in self.trials
        ]
        ascending = metric.higher_is_better is False
        frame = pd.DataFrame(rows).sort_values(
            str(metric), ascending=ascending, kind="stable", na_position="last"
        )
        return frame.set_index("trial")

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        span = self.interval
        return {
            "model": self.spec.name,
            "label": self.label,
            "searched": {name: str(where) for name, where in self.study.space.searched.items()},
            "best": {**self.best.to_json(), "interval": None if span is None else [span.low, span.high]},
            "untuned": self.untuned.to_json(),
            "selection_gain": self.selection_gain,
            "at_edge": list(self.at_edge),
            "n_complete": self.count("complete"),
            "n_pruned": self.count("pruned"),
            "n_failed": self.count("failed"),
            "trials": [trial.to_json() for trial in self.trials],
        }


@dataclass(frozen=True, eq=False)
class Tuning:
    """Models tuned on validation data, each with the same budget.

    ``tuning["als"]`` is one of them; printed, it is a table.

    Attributes
    ----------
    models : tuple of TunedModel
    metric : Metric
    source : str
        The log.
    seed : int
    final : Comparison or None
        The winners, and the same models without tuning, measured once on the test part.
    nested : Nested or None
        What tuned models are worth on outer folds, tuned anew inside each.
    is_interrupted : bool
        Whether ctrl-c ended it: models not begun are not among these, and nothing final was measured.

    Examples
    --------
    >>> import pandas as pd, recsys
    >>> pairs = [(user, (3 * user + k * k) % 12) for user in range(9) for k in range(6)]
    >>> log = pd.DataFrame(pairs, columns=["user", "item"])
    >>> tuning = recsys.tune("item-knn", log, {"n_neighbors": [2, 5]}, trials=1)
    >>> [model.label for model in tuning.models]
    ['item-knn']
    """

    models: tuple[TunedModel, ...]
    metric: Metric
    source: str
    seed: int
    final: Comparison | None = None
    nested: Nested | None = None
    is_interrupted: bool = False

    def __getitem__(self, label: str) -> TunedModel:
        for model in self.models:
            if model.label == label:
                return model
        known = ", ".join(model.label for model in self.models)
        raise ParameterError(f"no model is labelled {label!r}; there are {known}.")

    @property
    def winner(self) -> TunedModel:
        """The model whose best setting is best on validation data."""
        sign = -1.0 if self.metric.higher_is_better is False else 1.0
        return max(self.models, key=lambda model: sign * (model.best.value or 0.0))

    @property
    def spec(self) -> ModelSpec:
        """The winner, to train, evaluate or compare."""
        return self.winner.spec

    @property
    def validation(self) -> str:
        """The rule that held out the validation data."""
        return self.models[0].study.parts[0].split.name

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON; what ``tune --json`` prints."""
        return {
            "source": self.source,
            "metric": str(self.metric),
            "validation": self.validation,
            "seed": self.seed,
            "winner": self.winner.label,
            "models": [model.to_json() for model in self.models],
            "final": None if self.final is None else self.final.record,
            "nested": None if self.nested is None else self.nested.to_json(),
            "interrupted": self.is_interrupted,
        }

    def provenance(self, model: TunedModel) -> dict[str, Any]:
        """Return where a model's parameters come from, in a line each."""
        untuned = "failed" if model.untuned.value is None else f"{model.untuned.value:.4f}"
        gain = "" if model.selection_gain is None else f", of which luck about {model.selection_gain:.4f}"
        split = model.study.parts[0].split
        return {
            "tuned by": f"recsys {__version__}, seed {self.seed}",
            "log": self.source,
            "validation": f"{self.validation}, {split.n_held_out_pairs:,} pairs, split {split.digest[:12]}",
            "found": f"{self.metric} {model.best.value:.4f}{gain}; without tuning {untuned}",
            "trials": f"{len(model.trials)}: {model.study.space}",
        }

    def save(self, folder: str | Path) -> list[Path]:
        """Write a config of each model, and the record of all trials as ``tuning.json``.

        Returns
        -------
        list of Path
            The configs, in the order of the models.
        """
        folder = Path(folder).expanduser()
        paths = []
        for model in self.models:
            if model.spec.template is None:
                paths.append(folder / f"{model.label}.toml")
                write_settings(model.spec, self.provenance(model), paths[-1])
        with atomic_write(folder / "tuning.json") as partial:
            text = json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False, default=str)
            partial.write_text(text, encoding="utf-8")
        return paths

    def __repr__(self) -> str:
        lines = [f"tuned by {self.metric} on {self.validation} of {self.source}"]
        for model in self.models:
            params = ", ".join(f"{name}={value}" for name, value in model.best.params.items()) or "as it is"
            lines.append(f"{model.label}: {model.best.value:.4f} ({params})")
        return "\n".join(lines)
