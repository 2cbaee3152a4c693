"""Which models with which parameters, as flags or TOML files say."""

from __future__ import annotations

import copy
import itertools
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recsys.errors import ParameterError
from recsys.evaluation.metrics import Metric
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.registry import MODELS, make
from recsys.resources import bundled

AUTO = "auto"
MOST_SETTINGS = 100
_FOR_LISTS, _FOR_RATINGS = "hybrid-nmf", "masked-nmf"


@dataclass(frozen=True)
class ModelSpec:
    """A model by name, with the parameters that differ from its defaults.

    Attributes
    ----------
    name : str
    params : mapping
    label : str
        What tables call it; the name unless two specs share it.
    template : Model, optional
        Of a class that has no name of its own in the registry: a copy of it is trained.

    Examples
    --------
    >>> from recsys import ModelSpec
    >>> ModelSpec("masked-nmf", {"n_components": 2}).made().n_components
    2
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    template: Model | None = None

    def made(self) -> Model:
        """Return a model to train.

        Raises
        ------
        ParameterError
            If there is no such model, or it has no such parameter, or a value is out of range.
        """
        if self.template is None:
            return make(self.name, self.params)
        model = copy.deepcopy(self.template).set_params(**self.params)
        parameters.check(model, self.name)
        return model

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the model's parameters; of "auto" none, since it is no model yet."""
        cls = MODELS.get(self.name) if self.template is None else type(self.template)
        return () if cls is None else tuple(item["name"] for item in parameters.describe(cls))

    def resolved(self, metrics: Sequence[Metric] = ()) -> ModelSpec:
        """Return the spec with "auto" replaced by the model for the task, and nothing fitted in vain.

        Parameters
        ----------
        metrics : sequence of Metric
            What it will be measured by. Only errors of predicted ratings ask for masked-nmf; lists, and
            nothing in particular, for hybrid-nmf, which predicts ratings, too, where there are some. Where
            lists alone are measured, what a model learns for predicted ratings alone is left out, unless
            its parameters say otherwise; see `Model.lists_only_params`.
        """
        spec = self
        if self.name == AUTO:
            only_errors = len(metrics) > 0 and all(metric.is_error for metric in metrics)
            spec = replace(self, name=_FOR_RATINGS if only_errors else _FOR_LISTS)
        cls = MODELS.get(spec.name) if spec.template is None else None
        if cls is None or not metrics or any(metric.is_error for metric in metrics):
            return spec
        return replace(spec, params={**cls.lists_only_params, **spec.params})

    def seeded(self, seed: int) -> ModelSpec:
        """Return the spec with a seed, where the model has one and none is given."""
        if "random_state" not in self.parameter_names or "random_state" in self.params:
            return self
        return replace(self, params={**self.params, "random_state": seed})

    @property
    def title(self) -> str:
        """The label, or the name."""
        return self.label or self.name


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a name without a folder may be that of a config that travels with the package.

    Raises
    ------
    ParameterError
        If there is no such file, or it is no TOML.
    """
    text = config_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{path} is no TOML file: {error}.") from None
    except RecursionError:
        raise ParameterError(f"{path} is nested too deep to be read as TOML; expected tables.") from None


def config_text(path: Path) -> str:
    """Return the text of a config; see `read_toml`.

    Raises
    ------
    ParameterError
        If there is no such file, or it is no text.
    """
    file = path.expanduser()
    if not file.is_file() and path.name == str(path):
        file = bundled("configs") / path.name
    if not file.is_file():
        known = sorted(entry.name for entry in bundled("configs").glob("*.toml"))
        hint = f" These travel with the package: {', '.join(known)}." if known else ""
        raise ParameterError(f"there is no config {path}.{hint}")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{file} is no TOML file: {error}.") from None


def model_from_table(table: Any, where: str) -> ModelSpec:
    """Read a ``[model]`` table: ``name``, optionally ``label``, and parameters."""
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise ParameterError(f'{where}: expected a [model] table with a name, e.g. name = "masked-nmf".')
    params = {key: value for key, value in table.items() if key not in ("name", "label")}
    spec = ModelSpec(table["name"], params, str(table.get("label", "")))
    if spec.name != AUTO:
        make(spec.name, spec.params)
    return spec


def read_model(path: Path) -> ModelSpec:
    """Read a config file with one ``[model]`` table.

    Raises
    ------
    ParameterError
        If the file cannot be read, or names an unknown table, model or parameter.
    """
    content = read_toml(path)
    check_keys(content, ("model",), str(path))
    return model_from_table(content.get("model"), str(path))


def check_keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise ParameterError if a table has a key that is not known."""
    for key in table:
        if key not in known:
            raise ParameterError(f"{where}: unknown entry {key!r}; expected {', '.join(known)}.")


def specs_from_flags(
    models: Sequence[str],
    assignments: Sequence[str],
    configs: Sequence[Path],
    *,
    default: Sequence[str],
    planned: Sequence[ModelSpec] = (),
) -> list[ModelSpec]:
    """Join ``--model``, ``--set`` and ``--config`` into specs, in the order models, then configs.

    Models planned in a file come before all of them.

    With one model ``--set key=value`` is enough; with several it is ``--set MODEL.key=value``. Values
    separated by commas are a grid: one spec for each, of several parameters for each combination.

    Raises
    ------
    ParameterError
        If a name, a key or a value is not known.
    """
    specs = [*planned, *(ModelSpec(name) for name in models), *(read_model(path) for path in configs)]
    if not specs:
        specs = [ModelSpec(name) for name in default]
    known = {spec.name for spec in specs}
    per_model: dict[str, dict[str, Any]] = {}
    for key, value in parameters.parse_assignments(assignments).items():
        owner, dot, name = key.rpartition(".")
        if not dot and len(specs) > 1:
            raise ParameterError(
                f"--set {key}: there are {len(specs)} models; say which, e.g. {specs[0].name}.{key}={value}."
            )
        if dot and owner not in known:
            raise ParameterError(f"--set {key}: {owner!r} is none of the models {', '.join(sorted(known))}.")
        changes = per_model.setdefault(owner or specs[0].name, {})
        if name in changes:
            raise ParameterError(f"--set gives {name!r} of {owner or specs[0].name} twice; give it once.")
        changes[name] = value
    merged = [
        replace(spec, params={**spec.params, **changes})
        for spec in specs
        for changes in _grid(per_model.get(spec.name, {}))
    ]
    for spec in merged:
        if spec.name != AUTO:
            spec.made()
    return merged


def _grid(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each combination of values, where a text holds several, separated by commas."""
    values = [
        [parameters.literal(part.strip()) for part in value.split(",")] if isinstance(value, str) else [value]
        for value in changes.values()
    ]
    n_settings = math.prod(map(len, values))
    if n_settings > MOST_SETTINGS:
        raise ParameterError(
            f"--set makes {n_settings:,} settings of {', '.join(changes)}; expected {MOST_SETTINGS} or "
            f"fewer. 'recsys tune' searches."
        )
    return [dict(zip(changes, combination, strict=True)) for combination in itertools.product(*values)]


def labelled(specs: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Return the specs with labels made different.

    Settings of one model are labelled by what differs, "als l2=30"; what is alike in all, "als (2)".
    """
    specs = [_by_difference(spec, specs) for spec in specs]
    labels: list[str] = []
    # Titles as given have the first right to them, so that a made-up label never takes one away.
    titles = [spec.title for spec in specs]
    for title in titles:
        label, count = title, 1
        while label in labels or (count > 1 and label in titles):
            count += 1
            label = f"{title} ({count})"
        labels.append(label)
    return [replace(spec, label=label) for spec, label in zip(specs, labels, strict=True)]


def _by_difference(spec: ModelSpec, specs: Sequence[ModelSpec]) -> ModelSpec:
    """Return a spec labelled by the parameters in which it differs from others of its name."""
    if spec.label:
        return spec
    alike = [other for other in specs if other.name == spec.name and not other.label]
    names = dict.fromkeys(name for other in alike for name in other.params)
    missing = object()
    differing = [
        name for name in names if any(other.params.get(name, missing) != spec.params.get(name, missing)
                                      for other in alike)
    ]  # fmt: skip
    shown = " ".join(f"{name}={spec.params[name]}" for name in differing if name in spec.params)
    return replace(spec, label=f"{spec.name} {shown}") if shown else spec
