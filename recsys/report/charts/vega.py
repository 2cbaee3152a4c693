"""Charts by Vega-Altair, with scripts, as SVG and as PNG.

Colours are the page's own variables, so that light, dark and paper each have theirs; a file of its
own has the light ones. Words from logs are part of the data alone, never of an expression.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import vl_convert

from recsys.report.charts import bars, lines
from recsys.report.charts.parts import FONT, Looks, looks
from recsys.report.page import Page
from recsys.report.palette import LIGHT
from recsys.report.tables import Figure

_WIDTH = 560
LOCALE = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "percent": "\u00a0%"}
"""How charts write numbers: as the page does."""

_CHARTS: Mapping[str, Callable[[Figure, Looks], Any]] = {
    "curve": lines.curve,
    "trade-off": lines.trade_off,
    "by-group": lines.by_group,
    "places": bars.places,
    "cost": bars.cost,
    "memory": bars.memory,
    "convergence": lines.convergence,
    "long-tail": lines.long_tail,
    "time": bars.over_time,
}


class Charts:
    """Draws the charts of a page; see `recsys.report.drawing.Drawing`."""

    locale: Mapping[str, Any] = LOCALE

    def specifications(self, page: Page) -> dict[str, Any]:
        """Return each chart as a Vega-Lite specification that fills its container.

        A figure of numbers alone has none.
        """
        look = looks(page.rows)
        specifications = {}
        for figure in page.figures:
            draw = _CHARTS.get(figure.chart or figure.name)
            if draw is None:
                continue
            chart = draw(figure, look).properties(width="container")
            specifications[figure.name] = {
                **chart.to_dict(),
                "config": _config(),
                "description": f"{figure.title}. {figure.caption}",
            }
        return specifications

    def scripts(self) -> str:
        """Return Vega, Vega-Lite and Vega-Embed as one script that needs no network."""
        wanted = ".".join(alt.VEGALITE_VERSION.lstrip("v").split(".")[:2])
        known = vl_convert.get_vegalite_versions()
        # Its types ask for a snippet; with an empty one the bundle comes out empty.
        bundle = vl_convert.javascript_bundle(vl_version=wanted if wanted in known else None)  # type: ignore[call-arg]
        return str(bundle).replace("</script", "<\\/script").replace("<!--", "<\\!--")

    def still(self, spec: Mapping[str, Any]) -> str:
        """Return a chart as SVG with the page's colours."""
        return _svg(_fixed(spec, None))

    def svg(self, spec: Mapping[str, Any]) -> str:
        """Return a chart as SVG for a file of its own."""
        return _svg(_fixed(spec, LIGHT))

    def png(self, spec: Mapping[str, Any]) -> bytes:
        """Return a chart as PNG, two dots a pixel."""
        fixed = _fixed(spec, LIGHT)
        return bytes(vl_convert.vegalite_to_png(fixed, scale=2, allowed_base_urls=[], format_locale=LOCALE))


def _svg(spec: dict[str, Any]) -> str:
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[], format_locale=LOCALE))


def _fixed(spec: Mapping[str, Any], palette: Mapping[str, str] | None) -> dict[str, Any]:
    """Return a specification of a fixed width, its variables replaced by colours if a palette is given."""
    text = json.dumps({**spec, "width": _WIDTH})
    if palette is not None:
        text = re.sub(r'"var\(--(\w+)\)"', lambda match: json.dumps(palette.get(match[1], match[0])), text)
    fixed: dict[str, Any] = json.loads(text)
    if palette is not None:
        fixed["background"], fixed["padding"] = palette["paper"], 12
    return fixed


def _config() -> dict[str, Any]:
    axis = {
        "labelColor": "var(--soft)", "labelFontSize": 12, "labelFont": FONT, "titleFont": FONT,
        "titleColor": "var(--soft)", "titleFontSize": 12, "titleFontWeight": 400, "gridColor": "var(--line)",
        "domainColor": "var(--line)", "tickColor": "var(--line)", "labelPadding": 6, "titlePadding": 8,
    }  # fmt: skip
    title = {"anchor": "start", "color": "var(--soft)", "font": FONT, "fontSize": 12, "fontWeight": 400}
    return {
        "axis": axis,
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "background": None,
        "font": FONT,
        "legend": {"labelColor": "var(--soft)", "labelFontSize": 12, "title": None, "orient": "top"},
        "title": {**title, "offset": 10, "frame": "bounds"},
        "view": {"stroke": None},
    }
