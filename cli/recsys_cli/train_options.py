"""Options of ``recsys train`` that travel together: versions of a model, and checkpoints of its fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli.output import say

if TYPE_CHECKING:
    from recsys.checkpoints import Checkpoint
    from recsys.models.base import Model

_VERSIONS, _CHECKPOINTS = "Versions", "Checkpoints"


@dataclass(frozen=True)
class VersionOptions:
    """What a model is to older versions of it."""

    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            help="Make --out a folder of dated versions, of which so many stay; the new one comes into use.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None
    candidate: Annotated[
        bool,
        typer.Option(
            "--candidate",
            help="Add a version without bringing it into use; 'recsys model promote' does.",
            rich_help_panel=_VERSIONS,
        ),
    ] = False
    warm_start: Annotated[
        Path | None,
        typer.Option(
            "--warm-start",
            metavar="MODEL",
            help="Begin with the themes of an older model: fewer sweeps, and themes keep their numbers.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None
    update: Annotated[
        list[str] | None,
        typer.Option(
            "--update",
            metavar="NEW_EVENTS",
            help="Take new events alone into the model in --out, in place of LOG; all else stays as it is.",
            rich_help_panel=_VERSIONS,
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True)
class CheckpointOptions:
    """Whether a fit keeps where it stands, and goes on from there."""

    checkpoint_every: Annotated[
        str | None,
        typer.Option(
            "--checkpoint-every",
            metavar="N|TIME",
            help="Keep where the fit stands in MODEL.checkpoint, every N iterations or every 60s, 5m, 1h.",
            rich_help_panel=_CHECKPOINTS,
            show_default="60s with --resume",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from MODEL.checkpoint after the process was killed; without one the fit begins.",
            rich_help_panel=_CHECKPOINTS,
        ),
    ] = False

    @property
    def are_given(self) -> bool:
        """Whether a checkpoint is to be kept, or gone on from."""
        return self.checkpoint_every is not None or self.resume

    def checkpoint(self, path: Path, model: Model) -> Checkpoint | None:
        """Return the checkpoint of a fit, and say on standard error what is done with one that is there.

        Parameters
        ----------
        path : Path
            Where it is kept.
        model : Model
            What is to be fitted.

        Raises
        ------
        ParameterError
            If the model keeps no checkpoints, or the interval cannot be read.
        """
        import recsys

        if not self.are_given:
            return None
        checkpoint = recsys.Checkpoint(path, self.checkpoint_every or "60s", self.resume)
        model.check_checkpoint(checkpoint)
        if checkpoint.resume and not path.exists():
            say(f"There is no {path}: the fit begins.", to_errors=True)
        elif path.exists() and not checkpoint.resume:
            say(
                f"{path} is of a fit that did not end; it is replaced, for --resume is not given.",
                to_errors=True,
            )
        return checkpoint
