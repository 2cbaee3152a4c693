"""The forms of a report: a page, Markdown, JSON, every user's values, or a folder with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.errors import ParameterError
from recsys.files import atomic_write, atomic_write_folder
from recsys.report import html, markdown, records
from recsys.report.drawing import Drawing, installed
from recsys.report.page import Page

FORMS = (".html", ".htm", ".md", ".json", ".parquet")
_MARK = "report.json"


def check_report(path: Path) -> None:
    """Raise ParameterError, before anything is computed, if no report can be written to a partial.

    ``.html``, ``.md``, ``.json`` and ``.parquet`` (every user's values) are one file of that form; a
    name without a suffix, or a folder, becomes a folder with all of them and the charts as files.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or not suffix:
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / _MARK).is_file()):
            raise ParameterError(
                f"{path} exists and is no folder of a report; give a new one, or a file such as report.html."
            )
    elif suffix not in FORMS:
        raise ParameterError(
            f"a report {path.name!r} has no known form; expected .html, .md, .json, .parquet, or a name "
            f"without a suffix for a folder with all of them."
        )


def write_report(page: Page, path: Path, users: pd.DataFrame | None = None) -> None:
    """Write a report in the form its name asks for; an older one there is replaced as a whole.

    Parameters
    ----------
    page : Page
    path : Path
        See `check_report`.
    users : DataFrame, optional
        Every user's values; see `recsys.report.records.per_user`.
    """
    check_report(path)
    suffix = path.suffix.lower()
    if path.is_dir() or not suffix:
        with atomic_write_folder(path) as folder:
            _write_all(page, folder, users)
        return
    drawing = installed() if suffix.startswith(".htm") else None
    with atomic_write(path) as partial:
        if suffix == ".parquet":
            _table(users).to_parquet(partial, index=False)
        elif suffix == ".json":
            partial.write_text(records.to_json(page), encoding="utf-8")
        elif suffix == ".md":
            partial.write_text(markdown.render(page), encoding="utf-8")
        else:
            partial.write_text(html.render(page, drawing), encoding="utf-8")


def _write_all(page: Page, folder: Path, users: pd.DataFrame | None) -> None:
    drawing = installed()
    images = {} if drawing is None else _draw(page, folder, drawing)
    images |= _pictures(page, folder)
    (folder / "report.html").write_text(html.render(page, drawing), encoding="utf-8")
    (folder / "report.md").write_text(markdown.render(page, images), encoding="utf-8")
    (folder / _MARK).write_text(records.to_json(page), encoding="utf-8")
    if users is not None or page.rows:
        _table(users).to_parquet(folder / "per-user.parquet", index=False)


def _pictures(page: Page, folder: Path) -> dict[str, str]:
    """Write every picture of panels as SVG; return the names."""
    names = {}
    for drawn in page.pictures:
        names[drawn.name] = f"chart-{drawn.name}.svg"
        (folder / names[drawn.name]).write_text(html.picture(drawn), encoding="utf-8")
    return names


def _draw(page: Page, folder: Path, drawing: Drawing) -> dict[str, str]:
    """Write every chart as SVG and PNG; return the names of the former."""
    names = {}
    specs: Mapping[str, Any] = drawing.specifications(page)
    for name, spec in specs.items():
        names[name] = f"chart-{name}.svg"
        (folder / names[name]).write_text(drawing.svg(spec), encoding="utf-8")
        (folder / f"chart-{name}.png").write_bytes(drawing.png(spec))
    return names


def _table(users: pd.DataFrame | None) -> pd.DataFrame:
    return records.per_user({}, None) if users is None else users
