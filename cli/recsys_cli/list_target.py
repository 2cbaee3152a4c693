"""Options of where lists go: to the terminal, a file, a folder of Parquet files, or a table of a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli.output import say

if TYPE_CHECKING:
    from recsys.experiment.list_tables import DatabaseTable


@dataclass(frozen=True)
class ListTarget:
    """Where lists are written, as it was checked; neither where they are printed.

    Attributes
    ----------
    file : Path, DatabaseTable or None
        ``Path("-")`` stands for standard output.
    folder : Path or None
    """

    file: Path | DatabaseTable | None = None
    folder: Path | None = None

    @property
    def written(self) -> Path | DatabaseTable | None:
        """The file, table or folder; None where lists are printed."""
        return self.folder or self.file

    @property
    def is_stdout(self) -> bool:
        """Whether lists go to standard output as a file, so that nothing else may be printed there."""
        return self.file == Path("-")

    @property
    def path(self) -> Path | None:
        """What is written on a disk, and so has to be held before long work."""
        return self.folder or (self.file if isinstance(self.file, Path) and not self.is_stdout else None)

    def note(self, text: str) -> None:
        """Print a note, beside the lists where these go to standard output."""
        say(f"Note: {text}", to_errors=self.is_stdout)


@dataclass(frozen=True)
class OutputOptions:
    """Where lists go."""

    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE|FOLDER/|URI",
            help="Write to .parquet, .csv, .jsonl, .csv.gz, .jsonl.gz or .xlsx instead of printing; to a "
            "folder of Parquet files, which goes on where it was interrupted; to a table, sqlite:FILE, "
            "duckdb:FILE or postgresql://...; '-': CSV to standard output.",
            show_default=False,
        ),
    ] = None
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            help="Table of the database in --out, replaced as a whole.",
            show_default="recommendations",
        ),
    ] = None
    safe_csv: Annotated[
        bool,
        typer.Option("--safe-csv", help="Keep spreadsheets from taking text such as '=1+1' for a formula."),
    ] = False
    partition_by: Annotated[
        str | None,
        typer.Option(
            "--partition-by",
            metavar="COLUMN",
            help="Folders for each segment, source or rank in the folder of --out.",
            show_default=False,
        ),
    ] = None

    def target(self) -> ListTarget:
        """Return where lists go.

        Raises
        ------
        BadParameter
            If options do not go together.
        InputError, ParameterError
            If nothing can be written there.
        """
        from recsys.experiment.list_files import check_list_path, target_of

        if self.out is None:
            if self.safe_csv or self.table is not None:
                raise typer.BadParameter("--safe-csv and --table say how to write; give --out.")
            return ListTarget()
        named = target_of(self.out, self.table)
        if isinstance(named, Path) and (self.out.endswith("/") or named.is_dir()):
            if self.safe_csv:
                raise typer.BadParameter("a folder holds Parquet files; give --out FILE.csv with --safe-csv.")
            return ListTarget(folder=named)
        check_list_path(named, safe_csv=self.safe_csv)
        return ListTarget(named)
