"""``recsys``: parse, call one function, print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from recsys._version import __version__
from recsys.errors import ParameterError, RecsysError
from recsys_cli import (
    address_space,
    catalogue,
    data,
    demo,
    doctor,
    evaluation,
    explaining,
    model_files,
    ranks,
    recommending,
    serving,
    signals,
    similar,
    themes,
    training,
    tuning,
)
from recsys_cli.command import Command
from recsys_cli.output import shown

INTERRUPTED, TERMINATED = 130, 143

app = typer.Typer(
    name="recsys",
    help="Top-N recommendations by non-negative matrix factorization: train, recommend, compare, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recsys {__version__}")
        raise typer.Exit


def _import(names: list[str]) -> None:
    from recsys.extensions import import_extension

    for name in names:
        import_extension(name)


@app.callback()
def _root(
    modules: Annotated[
        list[str],
        typer.Option(
            "--import",
            metavar="MODULE",
            help="Import a module of your own first, which registers models, metrics, splits or sections.",
        ),
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Top-N recommendations by non-negative matrix factorization: train, recommend, compare, report."""
    _import(modules)


_COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "train": training.train,
    "recommend": recommending.recommend,
    "explain": explaining.explain,
    "similar": similar.similar,
    "themes": themes.themes,
    "models": catalogue.models,
    "metrics": catalogue.metrics,
    "splits": catalogue.splits,
    "evaluate": evaluation.evaluate,
    "compare": evaluation.compare,
    "tune": tuning.tune,
    "ranks": ranks.ranks,
    "explore": serving.explore,
    "serve": serving.serve,
    "doctor": doctor.doctor,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, cls=Command)(_command)
app.add_typer(data.app, name="data")
app.add_typer(model_files.app, name="model")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 input, 2 usage, 130 or 143 by a signal."""
    try:
        app(args=arguments, prog_name="recsys")
    except ParameterError as error:
        return _say(f"{error}", 2)
    except (RecsysError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe has gone: nobody is left to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return _say(f"{error}", 1)
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as ended:
        code = _code(ended.code)
        return _interrupted() if code in (INTERRUPTED, TERMINATED) else code  # typer's own answer to ctrl-c
    except Exception as error:
        if not address_space.is_used_up(error):
            raise
        return _say(address_space.MESSAGE, 1)
    return 0


def _say(text: str, code: int) -> int:
    with suppress(OSError):
        sys.stderr.write(f"recsys: {shown(text)}\n")
    return code


def _interrupted() -> int:
    return _say(f"{signals.name()}; every file is whole, old or new.", signals.exit_code())


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else 1
