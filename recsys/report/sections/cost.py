"""What the models cost: time, memory, and how training converged."""

from __future__ import annotations

from recsys.report import cost_figures
from recsys.report.blocks import Figures
from recsys.report.context import ReportContext
from recsys.report.section import Content, Section, register_section


def build(context: ReportContext) -> Content | None:
    """Return the figures of what was measured."""
    shown = (
        cost_figures.cost(context.rows),
        cost_figures.memory(context.rows),
        cost_figures.convergence(context.histories),
    )
    present = tuple(figure for figure in shown if figure is not None)
    return Content((Figures(present),), record={}) if present else None


register_section(Section("cost", "Time, memory and convergence", order=40, build=build, label="Cost"))
