"""The log and the split: their facts, the long tail, and events over time."""

from __future__ import annotations

from recsys.report import log_figures
from recsys.report.blocks import Facts, Figures, SideBySide
from recsys.report.context import ReportContext
from recsys.report.section import Content, Section, register_section


def build(context: ReportContext) -> Content:
    """Return the facts side by side, and the figures below."""
    log, train = context.log, context.train
    long_tail = log_figures.long_tail(train.item_counts, train.by_user.counts)
    over_time = None if log.times is None else log_figures.over_time(log.times, log.time_kind, context.window)
    figures = (long_tail,) if over_time is None else (long_tail, over_time)
    facts = SideBySide(
        (
            ("The log", (Facts(tuple(context.log_facts)),)),
            ("The split, audited", (Facts(tuple(context.split_facts)),)),
        )
    )
    return Content((facts, Figures(figures)), record={})


register_section(Section("log", "The log and the split", order=70, build=build, label="Log and split"))
