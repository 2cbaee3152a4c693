"""The answer first: sentences, the models' intervals, and the figures to remember."""

from __future__ import annotations

from recsys.report.blocks import Block, Facts, IntervalPlot, Lead, Only
from recsys.report.context import ReportContext
from recsys.report.headline import ends, strip, tiles
from recsys.report.section import Content, Section, register_section


def build(context: ReportContext) -> Content | None:
    """Return the answer's sentences; on a page also the intervals and the figures."""
    if not context.answer:
        return None
    blocks: list[Block] = []
    lines, scale = strip(context), ends(context)
    if lines and scale is not None:
        metric = context.main_metric
        title = f"{metric} of each model with its 95 % interval"
        caption = f"{metric} of each model, with its 95 % interval."
        blocks.append(IntervalPlot(title, tuple(lines), scale, caption))
    figures = tiles(context)
    if figures:
        blocks.append(Facts(tuple((words, value) for value, words in figures), layout="tiles"))
    return Content((Lead(tuple(context.answer)), Only("html", tuple(blocks))), record={})


register_section(Section("answer", "", order=0, build=build, label="The answer"))
