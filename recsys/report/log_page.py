"""A log as a page of its own: what it holds, how it is distributed, and what is strange about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.array_files import counts_of
from recsys.data.loaded_log import LoadedLog
from recsys.data.profile import Histogram, gaps, histograms, profile_of
from recsys.report import log_figures, numbers
from recsys.report.blocks import Block, Facts, Figures, Notes, Text
from recsys.report.facts import about_log
from recsys.report.page import BuiltSection, Page
from recsys.report.section import Content, Section
from recsys.report.tables import Column, Table


def log_page(loaded: LoadedLog) -> Page:
    """Return a page on a log: facts, histograms, the long tail, events over time, gaps and remarks.

    Parameters
    ----------
    loaded : LoadedLog
    """
    log, description = loaded.log, loaded.describe()
    long_tail = log_figures.long_tail(
        counts_of(log.items, len(log.item_ids)), counts_of(log.users, len(log.user_ids))
    )
    long_tail = replace(
        long_tail,
        caption="Share of all events that the most taken items, and the most active users, have together.",
        columns=(*long_tail.columns[:-1], Column("value", "have of all events", "share")),
    )
    over_time = (
        None if log.times is None else log_figures.over_time(np.asarray(log.times), log.time_kind, None)
    )
    figures = (long_tail,) if over_time is None else (long_tail, over_time)
    remarks = tuple(f"{remark}." for remark in loaded.remarks)
    flags = Text(("To read it so without guessing: ", description["flags"]), style="body")
    sections = (
        _section("facts", "The log", (Facts(tuple(about_log(description))),)),
        _section("remarks", "What to look at", (Notes(remarks), flags) if remarks else (flags,)),
        _section("distributions", "How it is distributed", (*map(_table, histograms(log)), Figures(figures))),
        _section("gaps", "Times without an event", _gaps(loaded)),
    )
    subtitle = f"{numbers.count(len(log))} events of {description['source']}"
    profile = {"log": description, **profile_of(log)}
    record = {"title": "A log", "subtitle": subtitle, **profile}
    return Page(title="A log", subtitle=subtitle, rows=(), sections=sections, record=record)


def _section(name: str, heading: str, blocks: tuple[Block, ...]) -> BuiltSection:
    content = Content(blocks, {})
    return BuiltSection(Section(name, heading, 0, lambda _: content), content.blocks, content.record)


def _table(histogram: Histogram) -> Table:
    return Table(
        title=histogram.title,
        columns=(Column("bin", histogram.title.lower()), Column("value", histogram.what, "count")),
        rows=histogram.bins,
        has_bars=True,
    )


def _gaps(loaded: LoadedLog) -> tuple[Block, ...]:
    gaps_found = gaps(loaded.log)
    if not gaps_found:
        return ()
    return (Facts(tuple((f"{gap.days:.1f} days", f"{gap.last} to {gap.first}") for gap in gaps_found)),)
