"""``recsys doctor``."""

from __future__ import annotations

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json


def doctor(json: options.Json = False) -> None:
    """Check the installation: versions, threads, kernels, optional packages."""
    from recsys.experiment.installation import check_installation

    found = check_installation()
    if json:
        say_json(found)
    else:
        for check in found["checks"]:
            say(f"  {'ok ' if check['ok'] else 'BAD'}  {check['name']}: {check['found']}")
            if not check["ok"]:
                say(f"       {check['advice']}")
    if not found["ok"]:
        raise typer.Exit(1)
