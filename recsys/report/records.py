"""The report for programs: one JSON object, and a table of every user's values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, assert_never

import pandas as pd

from recsys.data.ids import Ids
from recsys.errors import ParameterError
from recsys.evaluation.measurements import Measurements
from recsys.report import blocks, panels, tables
from recsys.report.page import Page

FORMAT = 2


def record(page: Page) -> dict[str, Any]:
    """Return a page as plain values, ready for JSON; what is not a number is null.

    Raises
    ------
    ParameterError
        If two sections, or a section and the comparison's own record, write the same key.
    """
    whole: dict[str, Any] = {"format": FORMAT, **page.record}
    whole["figures"] = {
        figure.name: {"title": figure.title, "caption": figure.caption, "rows": figure.records()}
        for figure in page.figures
    }
    for built in page.sections:
        own = built.record
        if own is None:
            heading = {"heading": built.section.heading} if built.section.heading else {}
            own = {built.section.name: {**heading, "blocks": _block_records(built.blocks)}}
        taken = sorted(whole.keys() & own.keys())
        if taken:
            raise ParameterError(
                f"report section {built.section.name!r} writes {taken[0]!r} into JSON, which is there "
                f"already; give the section another name, or its record other keys."
            )
        whole |= own
    plain_record: dict[str, Any] = plain(whole)
    return plain_record


def _block_records(contents: Sequence[blocks.Block]) -> list[dict[str, Any]]:
    return [entry for block in contents for entry in _block_record(block)]


def _block_record(block: blocks.Block) -> list[dict[str, Any]]:
    """Return a block as plain records; blocks inside others stand on their own."""
    match block:
        case blocks.Text():
            content: dict[str, Any] = {"text": block.plain}
        case blocks.Lead():
            content = {"sentences": block.sentences}
        case blocks.Notes():
            content = {"lines": block.lines}
        case blocks.Facts():
            content = {"facts": dict(block.pairs)}
        case tables.Table():
            content = {"title": block.title, "rows": [_row_record(block, row) for row in block.rows]}
        case blocks.Figures():
            content = {"names": [figure.name for figure in block.figures]}
        case blocks.IntervalPlot():
            content = {"title": block.title, "values": {line.label: line.text for line in block.lines}}
        case blocks.HeatMap():
            content = {"title": block.title, "labels": list(block.labels), "values": list(block.values)}
        case panels.Panels():
            content = {"title": block.title, "positions": list(block.labels)} | {
                "panels": [{"title": panel.title, "values": list(panel.values)} for panel in block.panels]
            }
        case blocks.Cards():
            content = {"cards": [asdict(card) for card in block.cards]}
        case blocks.Code():
            content = {"name": block.name, "text": block.text}
        case blocks.Heading():
            content = {"text": block.text}
        case blocks.Folded():
            return _block_records(block.blocks)
        case blocks.SideBySide():
            return [
                entry
                for title, contents in block.parts
                for entry in _block_records((blocks.Heading(title), *contents))
            ]
        case blocks.Only():
            return _block_records(block.blocks) if block.form == "json" else []
        case _:
            assert_never(block)
    return [{"kind": block.kind, **content}]


def _row_record(table: tables.Table, row: Sequence[tables.Cell]) -> dict[str, Any]:
    """Return a row by the keys of its columns; a failed row has an error in place of values."""
    values: dict[str, Any] = {}
    for column, cell in zip(table.columns, row, strict=False):
        match cell:
            case tables.Label():
                values[column.key] = cell.text
            case tables.Failure():
                values["error"] = cell.text
            case tables.Estimate():
                values[column.key] = {"value": cell.value, "low": cell.low, "high": cell.high}
            case _:
                values[column.key] = cell
    return values


def to_json(page: Page) -> str:
    """Return a page as JSON text."""
    return json.dumps(record(page), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def per_user(measured: Mapping[str, Measurements], user_ids: Ids | None) -> pd.DataFrame:
    """Return the columns model, user and one a metric: every user's values.

    Parameters
    ----------
    measured : mapping of label to Measurements
    user_ids : Ids
        The ids behind the measurements' row numbers.
    """
    tables = []
    for label, measurements in measured.items():
        rows = measurements.users
        columns = {name: values for name, values in measurements.per_user.items() if len(values) == len(rows)}
        users = rows if user_ids is None else user_ids.values[rows]
        tables.append(pd.DataFrame({"model": [label] * len(users), "user": users, **columns}))
    if not tables:
        return pd.DataFrame({"model": [], "user": []})
    return pd.concat(tables, ignore_index=True)


def plain(value: Any) -> Any:
    """Return a value with its mappings, sequences and numbers as JSON knows them."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
