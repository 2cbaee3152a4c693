"""Who draws the charts: Vega-Altair, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Protocol

from recsys.report.page import Page

PACKAGES = ("altair", "vl_convert")


class Drawing(Protocol):
    """What draws charts.

    Attributes
    ----------
    locale : mapping
        How charts write numbers.
    """

    locale: Mapping[str, Any]

    def specifications(self, page: Page) -> Mapping[str, Any]:
        """Return the specification of each chart of a page, by name."""

    def scripts(self) -> str:
        """Return the scripts that draw specifications in a browser."""

    def still(self, spec: Mapping[str, Any]) -> str:
        """Return a chart as SVG with the page's colours."""

    def svg(self, spec: Mapping[str, Any]) -> str:
        """Return a chart as SVG for a file of its own."""

    def png(self, spec: Mapping[str, Any]) -> bytes:
        """Return a chart as PNG."""


def installed() -> Drawing | None:
    """Return what draws charts, or None if its packages are not installed."""
    if any(find_spec(package) is None for package in PACKAGES):
        return None
    from recsys.report.charts.vega import Charts

    return Charts()
