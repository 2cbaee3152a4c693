"""``recsys``: parse, call one function, print."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from recsys._version import __version__
from recsys.errors import RecsysError
from recsys_cli import data, demo, doctor, evaluation, models

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


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Top-N recommendations by non-negative matrix factorization: train, recommend, compare, report."""


app.command("demo")(demo.demo)
app.command("train")(models.train)
app.command("recommend")(models.recommend)
app.command("themes")(models.themes)
app.command("evaluate")(evaluation.evaluate)
app.command("compare")(evaluation.compare)
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.doctor)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 input, 2 usage, 130 interrupted."""
    try:
        app(args=arguments, prog_name="recsys")
    except RecsysError as error:
        sys.stderr.write(f"recsys: {error}\n")
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe has gone: nobody is left to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        sys.stderr.write(f"recsys: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("recsys: interrupted; files are whole, old or new.\n")
        return 130
    except SystemExit as ended:
        return _code(ended.code)
    return 0


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else 1


def main() -> NoReturn:
    """Run the command line and end the process with its own exit code.

    Threads that pyarrow started can abort the interpreter while it shuts down, after all work is
    done and written; leaving without that shutdown keeps the exit code that of the command.
    """
    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
