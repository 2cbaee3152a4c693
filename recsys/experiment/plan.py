"""A run written down: a TOML file in which each entry stands for the flag of its name.

One file serves ``train``, ``evaluate``, ``compare`` and ``tune``; each takes from it what it has a flag for.

::

    [log]
    source = "ratings.parquet"      # what stands after "recsys compare"; user, item, items, groups ...
    [split]
    rule = "random:0.2"             # --split; or test = "held-out.parquet"
    [metrics]
    names = ["ndcg@10", "rmse"]     # --metrics
    [[models]]                      # or [model], where there is one
    name = "als"                    # --model; the other entries are its parameters
    n_components = 64
    [[models]]
    config = "ml-100k-masked-nmf.toml"
    [report]
    path = "report.html"            # --report
    [run]
    out = "results"                 # --out; seed, threads, block_mib

Relative paths start, as those of flags, from the folder in which the command is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from recsys.data.log_format import LogFormat
from recsys.errors import ParameterError
from recsys.experiment.evaluation_plan import EvaluationPlan
from recsys.experiment.settings import (
    AUTO,
    ModelSpec,
    check_keys,
    config_text,
    model_from_table,
    read_model,
    read_toml,
    specs_from_flags,
)
from recsys.report.writing import check_report

_KINDS: Mapping[Any, type] = {int | None: int, float | None: float, tuple[str, ...] | None: tuple}
_LOG_OPTIONS = {name: (name, _KINDS.get(hint, str)) for name, hint in get_type_hints(LogFormat).items()}
# Table, entry: the flag it stands for, and its type.
_ENTRIES: Mapping[str, Mapping[str, tuple[str, type]]] = {
    "log": {
        "source": ("log", str),
        **_LOG_OPTIONS,
        "duplicates": ("duplicates", str),
        "items": ("items", Path),
        "item_category": ("item_category", str),
        "groups": ("groups", Path),
        "group": ("group", str),
        "group_id": ("group_id", str),
    },
    "split": {
        "rule": ("split", str),
        "test": ("test", str),
        "min_user": ("min_user", int),
        "min_item": ("min_item", int),
        "filter_test": ("filter_test", bool),
    },
    "metrics": {"names": ("metrics", list)},
    "report": {"path": ("report", Path)},
    "run": {
        "out": ("out", Path),
        "seed": ("seed", int),
        "threads": ("threads", int),
        "block_mib": ("block_mib", int),
    },
}
_MODEL, _MODELS = "model", "models"
_DEFAULT_MODELS = (AUTO, "als", "popularity")
_TYPES = {
    str: "text",
    Path: "text",
    int: "a whole number, 0 or more",
    bool: "true or false",
    float: "a number",
}


def plan_entries() -> list[tuple[str, str, str, str]]:
    """Return each entry of a plan: its table, its name, the flag it stands for and its type in words."""
    return [
        (
            table,
            entry,
            "LOG" if flag == "log" else f"--{flag.replace('_', '-')}",
            _TYPES.get(kind, "list of text"),
        )
        for table, entries in _ENTRIES.items()
        for entry, (flag, kind) in entries.items()
    ]


@dataclass(frozen=True)
class Plan:
    """What a file says of a run.

    Attributes
    ----------
    flags : mapping of str to value
        By the name of the flag, with ``log`` for the log; what the file does not say is not there.
    models : tuple of ModelSpec
    """

    flags: Mapping[str, Any]
    models: tuple[ModelSpec, ...]

    def filled(self, flags: Mapping[str, Any]) -> dict[str, Any]:
        """Return the flags given, and those of the plan where none is given (None or false).

        A test log given takes the place of the plan's split, and a split that of its test log.
        """
        mine = dict(self.flags)
        for source, replaced in (("test", "split"), ("split", "test")):
            if flags.get(source):
                mine.pop(replaced, None)
        return {
            name: mine.get(name, value) if value is None or value is False else value
            for name, value in flags.items()
        }


def is_plan(path: Path) -> bool:
    """Return whether a TOML file describes a run, not just one model."""
    return any(table in read_toml(path) for table in (*_ENTRIES, _MODELS))


def read_plan(path: Path) -> Plan:
    """Read a run; a name without a folder may be that of a config that travels with the package.

    Raises
    ------
    ParameterError
        If the file cannot be read, or holds an entry, model or parameter that is not known.
    """
    content = read_toml(path)
    check_keys(content, (*_ENTRIES, _MODEL, _MODELS), str(path))
    flags: dict[str, Any] = {}
    for table, known in _ENTRIES.items():
        entries = content.get(table, {})
        if not isinstance(entries, dict):
            raise ParameterError(f"{path}: {table!r} is {entries!r}; expected a table, [{table}].")
        check_keys(entries, tuple(known), f"{path}, [{table}]")
        for name, value in entries.items():
            flag, kind = known[name]
            flags[flag] = _checked(value, kind, f"{path}, [{table}]: {name}")
    if "test" in flags and "split" in flags:
        raise ParameterError(f"{path}, [split]: both rule and test are given; choose one.")
    if _MODEL in content and _MODELS in content:
        raise ParameterError(f"{path}: both [model] and [[models]] are given; choose one.")
    if _MODEL in content:
        return Plan(flags, (_model(content[_MODEL], f"{path}, [model]"),))
    return Plan(flags, _models(content.get(_MODELS, []), path))


def plans_among(configs: Sequence[Path]) -> tuple[Plan | None, list[Path]]:
    """Part the file of a run from those of models.

    Raises
    ------
    ParameterError
        If there are two of a run.
    """
    plans = [path for path in configs if is_plan(path)]
    if len(plans) > 1:
        raise ParameterError(f"{plans[0]} and {plans[1]} both describe a run; give one.")
    return (read_plan(plans[0]) if plans else None), [path for path in configs if path not in plans]


@dataclass(frozen=True)
class Run:
    """What flags and a file say together of one command.

    Attributes
    ----------
    flags : mapping of str to value
        Each flag of the command; those of the command line win.
    models : tuple of ModelSpec
        Those of the file.
    configs : tuple of Path
        Files of single models.
    texts : mapping of name to text
        All files read.
    """

    flags: Mapping[str, Any]
    models: tuple[ModelSpec, ...]
    configs: tuple[Path, ...]
    texts: Mapping[str, str]


def read_run(flags: Mapping[str, Any], configs: Sequence[Path], *, command: str) -> Run:
    """Join the flags of a command with the file that describes the run, if there is one; flags win.

    Parameters
    ----------
    flags : mapping
        By name; None or false: not given. A ``log`` that ends in ``.toml`` is such a file.
    configs : sequence of Path
        Files of models, and perhaps the one of the run.
    command : str
        Its name, for messages.

    Raises
    ------
    ParameterError
        If a file cannot be used, or there is no log.
    """
    flags, configs = dict(flags), list(configs)
    if isinstance(flags["log"], str) and flags["log"].endswith(".toml"):
        configs.insert(0, Path(flags["log"]))
        flags["log"] = None
    plan, of_models = plans_among(configs)
    plan = plan or Plan({}, ())
    flags = plan.filled(flags)
    if flags["log"] is None:
        raise ParameterError(f"there is no log: give recsys {command} LOG, or source in [log] of the config.")
    return Run(flags, plan.models, tuple(of_models), {path.name: config_text(path) for path in configs})


def read_comparison(
    flags: Mapping[str, Any], models: Sequence[str], assignments: Sequence[str], configs: Sequence[Path]
) -> tuple[EvaluationPlan, Path | None, Mapping[str, str]]:
    """Join the flags of a comparison with the file that describes it, if there is one; flags win.

    Parameters
    ----------
    flags : mapping
        By name; None or false: not given. A ``log`` that ends in ``.toml`` is such a file.
    models, assignments : sequence of str
        What ``--model`` and ``--set`` say.
    configs : sequence of Path
        Files of models, and perhaps the one of the comparison.

    Returns
    -------
    plan : EvaluationPlan
    report : Path or None
        Where the report is to be written.
    texts : mapping of name to text
        The files read.

    Raises
    ------
    ParameterError
        If a file, a flag or a model cannot be used; nothing has been trained then.
    """
    run = read_run(flags, configs, command="compare")
    flags = dict(run.flags)
    specs = specs_from_flags(models, assignments, run.configs, default=_DEFAULT_MODELS, planned=run.models)
    report = report_path(flags.pop("report"))
    return (
        EvaluationPlan.from_flags(tuple(specs), flags),
        report,
        run.texts,
    )


def report_path(report: Path | None) -> Path | None:
    """Return where a report is to be written, checked before anything is measured."""
    if report is None:
        return None
    report = report.expanduser()
    check_report(report)
    return report


def _checked(value: Any, kind: type, where: str) -> Any:
    if kind is list:
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ",".join(value)
        raise ParameterError(f'{where} is {value!r}; expected names, e.g. ["ndcg@10", "recall@10"].')
    if kind is tuple:
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return tuple(value)
        raise ParameterError(f'{where} is {value!r}; expected a list of text, e.g. ["NA", "?"].')
    if kind is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        raise ParameterError(f"{where} is {value!r}; expected a number.")
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    is_right = is_whole if kind is int else isinstance(value, str if kind is Path else kind)
    if not is_right:
        raise ParameterError(f"{where} is {value!r}; expected {_TYPES[kind]}.")
    return Path(value) if kind is Path else value


def _models(tables: Any, path: Path) -> tuple[ModelSpec, ...]:
    if not isinstance(tables, list):
        raise ParameterError(f"{path}: 'models' is no list of tables; expected one [[models]] a model.")
    return tuple(_model(table, f"{path}, [[models]] {number}") for number, table in enumerate(tables, 1))


def _model(table: Any, where: str) -> ModelSpec:
    """Read a model: a name with parameters, or a config file with parameters that override its own."""
    if not isinstance(table, dict) or "config" not in table:
        return model_from_table(table, where)
    if not isinstance(table["config"], str) or "name" in table:
        raise ParameterError(f"{where}: expected a name or the path of a config, not both.")
    base = read_model(Path(table["config"]))
    own = {key: value for key, value in table.items() if key != "config"}
    return model_from_table({"name": base.name, "label": base.label, **base.params, **own}, where)
