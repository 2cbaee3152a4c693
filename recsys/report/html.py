"""The report as one self-contained HTML page: opens from disk, needs no network.

Without scripts, tables, bars and still charts remain; without the packages that draw, tables with bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from recsys.report import numbers
from recsys.report.blocks import Strong
from recsys.report.drawing import Drawing
from recsys.report.page import Page
from recsys.report.palette import DARK, LIGHT, declared
from recsys.report.panels import Panels
from recsys.report.pivot import figure_table
from recsys.report.tables import Cell, Estimate, Failure, Figure, Label, Table

_MOST_ROWS = 60
_WIDE, _LANDSCAPE = 5, 8
"""Beyond how many metrics a table of results is set closer, and printed across the paper."""


def render(page: Page, drawing: Drawing | None = None) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    page : Page
    drawing : Drawing, optional
        Draws the charts; None where the packages for it are not installed.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recsys.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    specs: Mapping[str, Any] = {} if drawing is None else drawing.specifications(page)
    stills: Mapping[str, str] = {}
    if drawing is not None:
        # Vega escapes what it writes, and a test holds it to that.
        stills = {name: Markup(drawing.still(spec)) for name, spec in specs.items()}  # noqa: S704
    environment.globals |= {
        "bar": _bar,
        "figure_table": lambda figure: _numbers(figure, specs),
        "is_a": _is_a,
        "score": numbers.score,
        "span": numbers.span,
        "specs": specs,
        "stills": stills,
        "table_class": _table_class,
        "typeset": numbers.typeset,
        "written": numbers.write,
    }
    return environment.get_template("page.html.j2").render(
        page=page,
        style=Markup(_style()),  # noqa: S704 - our own file
        locale={} if drawing is None else dict(drawing.locale),
        scripts=Markup("" if drawing is None else drawing.scripts()),  # noqa: S704
    )


def picture(panels: Panels) -> str:
    """Return a picture of panels as SVG for a file of its own, light or dark as its reader's screen is."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recsys.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.globals["written"] = numbers.write
    template = environment.get_template("panels.svg.j2")
    return template.render(block=panels, light=declared(LIGHT), dark=declared(DARK))


_CELLS = {"label": Label, "estimate": Estimate, "failure": Failure, "strong": Strong}


def _is_a(value: object, kind: str) -> bool:
    """Return whether a cell, or a part of a text, is of a kind."""
    return isinstance(value, _CELLS[kind])


def _numbers(figure: Figure, specs: Mapping[str, Any]) -> Table:
    """Return the numbers of a figure; with bars in place of a chart that is not drawn."""
    return figure_table(figure, _MOST_ROWS, has_bars=figure.name not in specs)


def _table_class(table: Table) -> str:
    if table.style != "results":
        return "numbers" if table.style == "numbers" else "numbers parameters"
    n_metrics = sum(column.kind == "score" for column in table.columns)
    return (
        "models" + (" wide" if n_metrics > _WIDE else "") + (" landscape" if n_metrics > _LANDSCAPE else "")
    )


def _bar(rows: Sequence[tuple[Cell, ...]], row: tuple[Cell, ...]) -> str:
    """Return the length of the bar of a row's last value, in per cent."""
    values = [abs(float(other[-1])) for other in rows if isinstance(other[-1], (int, float))]
    top = max(values, default=0.0)
    value = row[-1]
    return f"{100 * abs(value) / top:.1f}" if isinstance(value, (int, float)) and top else "0"


def _style() -> str:
    folder = files("recsys.report") / "templates"
    text = "".join((folder / name).read_text(encoding="utf-8") for name in ("page.css", "panels.css"))
    return text.replace("{{ light }}", declared(LIGHT)).replace("{{ dark }}", declared(DARK))
