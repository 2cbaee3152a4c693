"""The reference pages, written from the code when the site is built, so that they cannot differ from it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import recsys
from recsys.data.duplicates import Duplicates
from recsys.evaluation.metrics import MetricDefinition, registered
from recsys.experiment.plan import plan_entries
from recsys.models.registry import MODELS
from recsys.splitting.rules import split_rules

_INHERITED_BY_NMF = (
    *("objective", "objective_of_fit", "training_", "score", "n_iter_", "n_features_in_"),
    *("get_feature_names_out", "set_output"),
)
"""What `NMF` has of its bases and other models do not."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages; mkdocs calls this."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def pages() -> dict[str, str]:
    """Return each generated page, as Markdown, by its name."""
    makers = {
        "commands": commands,
        "config": config_keys,
        "models": models,
        "metrics": metrics,
        "splits": splits,
        "api": api,
    }
    return {name: "\n".join(make()) + "\n" for name, make in makers.items()}


def row(*cells: object) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def header(*names: str) -> list[str]:
    """Return the head of a table."""
    return [row(*names), row(*("---" for _ in names))]


def commands() -> Iterator[str]:
    """Yield every command with its arguments, options and defaults."""
    import typer.main

    from recsys_cli.examples import EXAMPLES
    from recsys_cli.main import app

    yield "# Commands\n"
    yield "Every command has `--help`. Exit codes: 0 done, 1 a problem with input or model, 2 wrong usage,"
    yield "3 the gate of `recsys model promote` stayed closed, 130 interrupted.\n"
    root: Any = typer.main.get_command(app)
    for path, command in leaves(root, ("recsys",)):
        yield f"## {' '.join(path)}\n"
        yield inspect.cleandoc(command.help or "") + "\n"
        if command.params:
            yield from header("argument or option", "default", "meaning")
        for parameter in command.params:
            if getattr(parameter, "hidden", False) or "--help" in parameter.opts:
                continue
            names = [*parameter.opts, *parameter.secondary_opts]
            is_option = parameter.param_type_name == "option"
            shown = (
                ", ".join(f"`{name}`" for name in names)
                if is_option
                else f"`{parameter.metavar or parameter.name.upper()}`"
            )
            yield row(shown, default_of(parameter), getattr(parameter, "help", None) or "")
        yield "\n```sh"
        yield from EXAMPLES[path[-1]]
        yield "```\n"


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command that does something, with the words that call it."""
    for name, child in getattr(command, "commands", {}).items():
        yield from leaves(child, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


def default_of(parameter: Any) -> str:
    """Return an option's default as one would write it; nothing where it has none."""
    shown = parameter.default
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    is_empty = shown is None or shown is False or shown == [] or shown == ()
    return "" if callable(shown) or is_empty else f"`{shown}`"


def config_keys() -> Iterator[str]:
    """Yield the tables and entries of plans and of the configs of models."""
    yield "# Plans and config files\n"
    yield "A **plan** is a TOML file that describes a run; `recsys train`, `evaluate`, `compare` and"
    yield "`tune` take it in place of LOG, and from it what they have a flag for. Each entry stands for the"
    yield "flag of its name, and a flag that is given wins.\n"
    yield from header("table", "entry", "flag", "type")
    for table, entry, flag, kind in plan_entries():
        yield row(f"`[{table}]`", f"`{entry}`", flag, kind)
    yield "\nA `[model]` table is the one model, each `[[models]]` one of several: it holds `name` and the"
    yield "parameters of a model, or `config`, the path of a config.\n"
    yield "A **config** describes one model: `--config FILE`. Its `[model]` table holds `name` and the"
    yield "parameters listed under [models](models.md). Those that come with the package are found by their"
    yield "name alone.\n"
    yield "`where` is an expression in DuckDB's dialect of SQL over the columns of the log.\n"
    yield f"`duplicates` is one of {', '.join(f'`{name}`' for name in get_args(Duplicates))}.\n"


def models() -> Iterator[str]:
    """Yield each model with its class."""
    yield "# Models\n"
    yield "By the name that `--model`, configs and `recsys.compare` take.\n"
    for name, model in MODELS.items():
        yield f"## {name}\n"
        yield f"::: {model.__module__}.{model.__qualname__}"
        yield "    options: {heading_level: 3, members: false}\n"
    yield "## What NMF models answer\n"
    yield "Besides what [every model](api.md#recsys.models.base.Model) does.\n"
    yield "::: recsys.models.nmf.NMF"
    yield f"    options: {{heading_level: 3, inherited_members: [{', '.join(_INHERITED_BY_NMF)}]}}\n"


def metrics() -> Iterator[str]:
    """Yield each metric with its definition and the docstring of what computes it."""
    yield "# Metrics\n"
    yield "All unseen items are ranked; none are sampled. Those with `@k` take a length of the list, as"
    yield "`ndcg@10`; with `-gap`, as `ndcg-gap@10`, it is how far the means of groups of users lie apart.\n"
    for name, metric in registered(MetricDefinition).items():
        yield f"## {name}{'@k' if metric.takes_k else ''}\n"
        yield f"{metric.definition[:1].upper()}{metric.definition[1:]}.\n"
        text = inspect.getdoc(getattr(metric, "function", None)) if hasattr(metric, "function") else None
        if text:
            yield text.partition("\nParameters\n")[0].strip() + "\n"


def splits() -> Iterator[str]:
    """Yield each form of each split rule."""
    yield "# Splits\n"
    yield "What `--split` and `recsys.split` take. Rules that draw repeat with `xN` at the end.\n"
    yield from header("form", "example", "what is held out", "can repeat")
    for rule in split_rules().values():
        for form in rule.forms:
            yield row(
                f"`{form.written}`", f"`{form.example}`", form.definition, "yes" if rule.can_repeat else ""
            )


def api() -> Iterator[str]:
    """Yield all that can be imported from `recsys`, models aside."""
    yield "# Python API\n"
    yield "Everything here is imported from `recsys`, when it is first used. Models have a [page](models.md)"
    yield "of their own.\n"
    classes = set(MODELS.values())
    for name in sorted(set(recsys.__all__) - {"__version__"}, key=str.lower):
        value = getattr(recsys, name)
        if value not in classes:
            yield f"::: {value.__module__}.{value.__qualname__}"
            yield "    options: {inherited_members: true}\n" if value is recsys.Model else ""
