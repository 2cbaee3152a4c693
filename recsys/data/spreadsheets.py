"""Sheets of Excel workbooks (.xlsx) as sources of events."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.data.columns import listed
from recsys.data.log_format import NONE, LogFormat
from recsys.data.source import Source
from recsys.data.tables import open_table, typed_column
from recsys.errors import DependencyError, LogError


def is_spreadsheet(source: object) -> bool:
    """Return whether a source is the path of a workbook."""
    return isinstance(source, (str, Path)) and Path(source).suffix.lower() in (".xlsx", ".xlsm")


def open_spreadsheet(path: Path, log_format: LogFormat, n_threads: int | None = None) -> Source:
    """Read one sheet; cells hold what was computed when the workbook was last saved.

    Parameters
    ----------
    path : Path
    log_format : LogFormat
        Its ``table`` names the sheet; a workbook of one sheet needs none.
    n_threads : int, optional

    Raises
    ------
    LogError
        If there is no such file or sheet, or the sheet has no rows.
    DependencyError
        If openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError:
        raise DependencyError(
            "workbooks are read by openpyxl, which is not installed. "
            'Install it with: pip install "recsys[excel]"'
        ) from None
    if not path.is_file():
        raise LogError("no such file.", source=path)
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        OSError,
        openpyxl.utils.exceptions.InvalidFileException,
    ) as error:
        raise LogError(
            f"no workbook that can be read ({error}).",
            advice="Save it anew, or export it as CSV.",
            source=path,
        ) from error
    try:
        sheet = _chosen(path, workbook.sheetnames, log_format.table)
        titles, columns, first = _cells(path, workbook[sheet].iter_rows(values_only=True), log_format)
    finally:
        workbook.close()
    arrays = [typed_column(cells, path, title) for title, cells in zip(titles, columns, strict=True)]
    opened = open_table(pa.table(arrays, names=titles), n_threads, name=f"{path}, sheet {sheet}")
    return replace(
        opened,
        origins=(path,),
        has_header=log_format.header != NONE,
        locate=lambda row: (f"{path}, sheet {sheet}", row + first),
        read_as=LogFormat(table=sheet),
    )


def _chosen(path: Path, sheets: list[str], name: str | None) -> str:
    if name is None and len(sheets) != 1:
        raise LogError(
            f"a workbook of the sheets {listed(sheets)}.", advice="Name one by --table.", source=path
        )
    if name is not None and name not in sheets:
        raise LogError(f"there is no sheet {name!r}; there are {listed(sheets)}.", source=path)
    return name or sheets[0]


def _cells(
    path: Path, rows: Iterator[tuple[Any, ...]], log_format: LogFormat
) -> tuple[list[str], list[list[Any]], int]:
    """Return the names and the cells of the columns, and the row of the sheet at which they begin."""
    skip = log_format.skip or 0
    table = list(islice(rows, skip, None))
    while table and not any(cell is not None for cell in table[0]):
        skip += 1
        table.pop(0)
    if not table:
        raise LogError("the sheet is empty.", source=path)
    width = max(len(row) for row in table)
    titles = [str(position) for position in range(1, width + 1)]
    has_header = log_format.header != NONE
    if has_header:
        titles = [
            position if cell is None else str(cell).strip()
            for position, cell in zip(titles, (*table[0], *[None] * (width - len(table[0]))), strict=True)
        ]
    body = table[has_header:]
    while body and not any(cell is not None for cell in body[-1]):
        body.pop()
    columns = [[row[number] if number < len(row) else None for row in body] for number in range(width)]
    return titles, columns, skip + has_header + 1
