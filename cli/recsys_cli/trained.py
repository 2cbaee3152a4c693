"""What ``recsys train`` writes, and what it prints of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer

from recsys.checkpoints import Checkpoint
from recsys.experiment.settings import AUTO, ModelSpec
from recsys.experiment.training import record_of
from recsys.recommend.bundle import Bundle
from recsys_cli.output import say
from recsys_cli.versions import Destination, Written

# What ended a training, in words.
_ENDS = {
    "tol": "converged",
    "gradient": "converged",
    "validation": "best on held-out entries",
    "time": "reached time_limit",
    "interrupted": "interrupted",
}


@dataclass(frozen=True)
class Trained:
    """A model that was trained and written.

    Attributes
    ----------
    bundle : Bundle
    record : mapping
        What a program is shown of the fit; see `record_of`.
    written : Written
    checkpoint : Checkpoint or None
        Removed where the fit was not interrupted.
    """

    bundle: Bundle
    record: Mapping[str, Any]
    written: Written
    checkpoint: Checkpoint | None

    @classmethod
    def write(cls, bundle: Bundle, destination: Destination, checkpoint: Checkpoint | None) -> Trained:
        """Write a model; the checkpoint of a fit that is done goes."""
        record = record_of(bundle)
        interrupted = record["stopped"] == "interrupted"
        written = destination.write(bundle, interrupted=interrupted)
        if checkpoint is not None and not interrupted:
            checkpoint.remove()
        return cls(bundle, record, written, checkpoint)

    @property
    def is_interrupted(self) -> bool:
        """Whether what was written is the best state before an interrupt."""
        return bool(self.record["stopped"] == "interrupted")

    def say_fit(self, spec: ModelSpec) -> None:
        """Print the model, how much it learned from, and how its fit ended."""
        record = self.record
        how = " (chosen for lists; --model names another)" if spec.name == AUTO else ""
        say(
            f"Trained {record['model']}{how}: {record['n_entries']:,} pairs, {record['seconds']['fit']:.1f} s"
        )
        if record["iterations"] is not None:
            say(f"  {_end_of(record)}, objective {record['objective']:.6g}")

    def say_place(self) -> None:
        """Print where the model is, and how an interrupted fit goes on."""
        if not self.is_interrupted:
            self.written.say()
            return
        say(f"Interrupted; the best state so far is in {self.written.folder}.")
        if self.checkpoint is not None and self.checkpoint.path.exists():
            say(f"The same command with --resume goes on from {self.checkpoint.path}.")

    def exit_if_interrupted(self) -> None:
        """End the command with exit code 130 after an interrupt."""
        if self.is_interrupted:
            raise typer.Exit(130)


def say_read(log: Mapping[str, Any], columns: str) -> None:
    """Print what was read of a log, as it is described, and which columns as what."""
    say(f"Read {log['n_read']:,} rows of {log['source']}")
    for drop in log["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  {columns}")


def _end_of(record: Mapping[str, Any]) -> str:
    """Say how a training ended: a number of iterations that was planned is no failure to converge."""
    n_iter, stopped = record["iterations"], record["stopped"]
    if stopped != "max_iter":
        return f"{_ENDS[stopped]} after {n_iter} iterations"
    if record["config"].get("tol"):
        return f"{n_iter} iterations, as many as max_iter allows; --set max_iter=N for more"
    return f"{n_iter} iterations, as planned (max_iter)"
