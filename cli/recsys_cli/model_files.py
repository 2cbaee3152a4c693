"""``recsys model``: what concerns the files of a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from recsys_cli import model_commands, options
from recsys_cli.command import Command
from recsys_cli.output import say, say_json

_UNCHECKED = "there is one; --key FILE checks it"
Key: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="Key that the model must be signed by: the shared secret, or the public key as PEM.",
        show_default="RECSYS_MODEL_KEY, if set",
    ),
]

app = typer.Typer(help="Look after trained models.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Look after trained models."""


app.command("show", cls=Command)(model_commands.show)
app.command("diff", cls=Command)(model_commands.diff)
app.command("promote", cls=Command)(model_commands.promote)


@app.command("verify", cls=Command)
def verify(model: options.ModelFolder, key: Key = None, json: options.Json = False) -> None:
    """Check that a model on disk is whole, and with a key that it is the one that was signed.

    Hashes, shapes, ranges, ids and parameters are checked against each other, as whenever a model is loaded.
    """
    from recsys.recommend.verification import verify_bundle

    verified = verify_bundle(model.expanduser(), key=key)
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
    signed = (
        "there is none" if not verified.is_signed else "right" if verified.signature_checked else _UNCHECKED
    )
    say(f"  signature {signed}")


@app.command("sign", cls=Command)
def sign(
    model: options.ModelFolder,
    key: Annotated[
        Path,
        typer.Option(
            "--key",
            metavar="FILE",
            help="A secret of 32 bytes or more, or a private Ed25519 key as PEM.",
            show_default=False,
        ),
    ],
) -> None:
    """Sign a model, so that whoever has the key can check that it is this one.

    A service that loads models made elsewhere sets RECSYS_MODEL_KEY to the file of the key (the public one of
    a pair): no command and no call then loads a model that is not signed by it.
    """
    from recsys.recommend.signing import sign_bundle

    sign_bundle(model.expanduser(), key)
    say(f"Signed {model}. To check it: recsys model verify {model} --key FILE")
