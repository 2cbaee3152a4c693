"""How good the lists are: metrics by list length, and what accuracy costs in variety."""

from __future__ import annotations

from recsys.report import figures
from recsys.report.blocks import Figures
from recsys.report.context import ReportContext
from recsys.report.section import Content, Section, register_section


def build(context: ReportContext) -> Content | None:
    """Return the curves and, of several models, the trade-offs."""
    profiles, metric = context.list_profiles, context.main_metric
    if not profiles or metric is None:
        return None
    values = {label: context.measured[label].metrics[metric] or 0.0 for label in profiles}
    # One point is no trade-off.
    trade_offs = (
        figures.trade_offs(profiles, metric, values, context.list_length) if len(profiles) > 1 else ()
    )
    return Content((Figures((*figures.curves(profiles), *trade_offs)),), record={})


register_section(Section("quality", "Quality of the lists", order=20, build=build, label="Quality"))
