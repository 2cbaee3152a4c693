"""The report as one self-contained HTML page: opens from disk, needs no network.

Without scripts, tables, bars and still charts remain; without the packages that draw, tables with bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from recsys.evaluate.metrics import definitions, higher_is_better
from recsys.report import numbers
from recsys.report.drawing import Drawing
from recsys.report.headline import ends, strip, tiles
from recsys.report.page import Page, Value
from recsys.report.palette import DARK, LIGHT, declared
from recsys.report.phrases import measured_as, stability, theme_names, verdict, versions_line
from recsys.report.pivot import parameters, shown

_MOST_ROWS = 60
_MOST_PAIRS = 100
_SENTENCES = 5


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
    environment.globals |= {
        "arrow": lambda metric: " ↓" if higher_is_better(metric) is False else "",
        "bar": _bar,
        "count": numbers.count,
        "number": numbers.number,
        "probability": numbers.probability,
        "joined": numbers.joined,
        "score": numbers.score,
        "share": numbers.share,
        "shown": lambda figure: shown(figure, _MOST_ROWS),
        "span": numbers.span,
        "typeset": numbers.typeset,
        "verdict": verdict,
        "written": numbers.write,
    }
    specs: Mapping[str, Any] = {} if drawing is None else drawing.specifications(page)
    return environment.get_template(
        "page.html.j2"
    ).render(
        page=page,
        style=Markup(_style()),  # noqa: S704 - our own file
        strip=strip(page),
        strip_ends=ends(page),
        tiles=tiles(page),
        definitions=definitions(page.metrics),
        measured_as=measured_as(page),
        pairs=[pair for pair in page.pairs if pair.metric == page.main_metric] or page.pairs[:_MOST_PAIRS],
        parameters=parameters(page.configs),
        stability=stability(page),
        theme_names=theme_names(page),
        versions=versions_line(page),
        n_sentences=_SENTENCES,
        has_memory=any(row.peak_bytes is not None for row in page.rows),
        largest_theme=max((theme.share for found in page.themes for theme in found.themes), default=1) or 1,
        drawn=bool(specs),
        locale={} if drawing is None else dict(drawing.locale),
        specs=specs,
        # Vega escapes what it writes, and a test holds it to that.
        stills={} if drawing is None else {name: Markup(drawing.still(spec)) for name, spec in specs.items()},  # noqa: S704
        scripts=Markup("" if drawing is None else drawing.scripts()),  # noqa: S704
    )


def _bar(rows: Sequence[tuple[Value, ...]], row: tuple[Value, ...]) -> str:
    """Return the length of the bar of a row's last value, in per cent."""
    values = [abs(float(at[-1])) for at in rows if isinstance(at[-1], (int, float))]
    top = max(values, default=0.0)
    value = row[-1]
    return f"{100 * abs(value) / top:.1f}" if isinstance(value, (int, float)) and top else "0"


def _style() -> str:
    text = (files("recsys.report") / "templates" / "page.css").read_text(encoding="utf-8")
    return text.replace("{{ light }}", declared(LIGHT)).replace("{{ dark }}", declared(DARK))
