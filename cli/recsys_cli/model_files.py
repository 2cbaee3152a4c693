"""``recsys model``: what concerns the files of a trained model."""

from __future__ import annotations

import typer

from recsys_cli import model_commands, options
from recsys_cli.command import Command
from recsys_cli.output import say, say_json

app = typer.Typer(help="Look after trained models.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Look after trained models."""


app.command("show", cls=Command)(model_commands.show)
app.command("diff", cls=Command)(model_commands.diff)
app.command("promote", cls=Command)(model_commands.promote)


@app.command("verify", cls=Command)
def verify(model: options.ModelFolder, json: options.Json = False) -> None:
    """Check that a model on disk is whole: hashes, shapes, ranges, ids and parameters."""
    from recsys.recommend.verification import verify_bundle

    verified = verify_bundle(model.expanduser())
    if json:
        say_json(verified.to_json())
        return
    size = sum(verified.files.values())
    say(f"{verified.folder} is whole: {len(verified.files)} files, {size:,} bytes")
    say(f"  model     {verified.model}, format {verified.format}, written by recsys {verified.written_by}")
    say(f"  users     {verified.n_users:,}")
    say(f"  items     {verified.n_items:,}")
    say(f"  pairs     {verified.n_entries:,}")
    if verified.source is not None:
        say(f"  trained on {verified.source}")
    say(f"  digest    {verified.digest}")
