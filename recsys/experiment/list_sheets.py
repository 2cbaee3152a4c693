"""Lists as a spreadsheet, .xlsx, written row by row."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.errors import DependencyError, InputError

MOST_ROWS = 1_048_575
"""Rows that a sheet holds below the names of the columns."""


class SheetWriter:
    """Writes a sheet; text stays text, whatever it begins with.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DependencyError
        If openpyxl is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            from openpyxl import Workbook
            from openpyxl.cell import WriteOnlyCell
            from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
        except ImportError:
            raise DependencyError(
                'writing .xlsx needs the package openpyxl; pip install "recsys[excel]".'
            ) from None
        self._path, self._n_rows, self._is_first = path, 0, True
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("lists")
        self._cell, self._illegal = WriteOnlyCell, ILLEGAL_CHARACTERS_RE

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows.

        Raises
        ------
        InputError
            If a sheet does not hold as many.
        """
        self._n_rows += len(frame)
        if self._n_rows > MOST_ROWS:
            raise InputError(
                f"a sheet holds {MOST_ROWS:,} rows, and the lists have more; write .parquet, .csv or a "
                f"database."
            )
        rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
        with self._errors_of_files():
            if self._is_first:
                self._sheet.append(list(frame.columns))
                self._is_first = False
            for row in rows:
                self._sheet.append([self._text(value) if isinstance(value, str) else value for value in row])

    def close(self) -> None:
        """Write the file."""
        content = BytesIO()
        with self._errors_of_files():
            self._book.save(content)
        self._path.write_bytes(content.getbuffer())  # openpyxl's own files complain once more when they go

    @contextmanager
    def _errors_of_files(self) -> Iterator[None]:
        """Raise what a file raised: openpyxl keeps rows in one, and lxml, if installed, renames errors."""
        try:
            yield
        except Exception as error:
            writer = getattr(self._sheet, "_writer", None)
            if writer is not None:  # it would complain once more, on standard error, when it goes
                with suppress(Exception):
                    writer.xf.close()
            if type(error).__module__ != "lxml.etree":
                raise
            number = getattr(errno, str(error).removeprefix("IO_"), errno.EIO)
            raise OSError(number, os.strerror(number)) from None

    def _text(self, value: str) -> Any:
        cell = self._cell(self._sheet, self._illegal.sub("", value))
        cell.data_type = "s"  # not a formula
        return cell
