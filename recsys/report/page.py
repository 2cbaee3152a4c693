"""A report whose sections are built: what its forms are written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.errors import ParameterError
from recsys.report.blocks import Block, figures_of, pictures_of
from recsys.report.context import ReportContext, Row
from recsys.report.panels import Panels
from recsys.report.section import Content, Section, registered_sections
from recsys.report.tables import Figure


@dataclass(frozen=True)
class BuiltSection:
    """A section with its content.

    Attributes
    ----------
    section : Section
    blocks : tuple of Block
    record : mapping or None
        See `Content.record`.
    """

    section: Section
    blocks: tuple[Block, ...]
    record: Mapping[str, Any] | None


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes
    ----------
    title, subtitle : str
    rows : tuple of Row
        The models, the best first, for their colours.
    sections : tuple of BuiltSection
        In their order.
    record : mapping
        What JSON holds beside the sections.
    """

    title: str
    subtitle: str
    rows: tuple[Row, ...]
    sections: tuple[BuiltSection, ...]
    record: Mapping[str, Any]

    @property
    def shown(self) -> tuple[BuiltSection, ...]:
        """The sections with something to show."""
        return tuple(built for built in self.sections if built.blocks)

    @property
    def figures(self) -> list[Figure]:
        """All figures, in the order of the page."""
        return [figure for built in self.sections for figure in figures_of(built.blocks)]

    @property
    def pictures(self) -> list[Panels]:
        """All pictures of panels, in the order of the page."""
        return [picture for built in self.sections for picture in pictures_of(built.blocks)]


def build_page(context: ReportContext, sections: Sequence[Section] | None = None) -> Page:
    """Build a report.

    Parameters
    ----------
    context : ReportContext
    sections : sequence of Section, optional
        By default all registered ones.

    Raises
    ------
    ParameterError
        If a section builds something else than Content or None, or two figures share a name.
    """
    built = []
    for section in registered_sections() if sections is None else sections:
        content = section.build(context)
        if content is None:
            continue
        if not isinstance(content, Content):
            raise ParameterError(
                f"report section {section.name!r} built {type(content).__name__}; expected Content or None."
            )
        built.append(BuiltSection(section, tuple(content.blocks), content.record))
    page = Page(
        title=context.title,
        subtitle=context.subtitle,
        rows=tuple(context.rows),
        sections=tuple(built),
        record={
            "title": context.title,
            "subtitle": context.subtitle,
            "main_metric": context.main_metric,
            # A comparison's own record: results, comparisons, answer, split and splits, as it prints them.
            **context.record,
            "answer": list(context.answer),
            "remarks": list(context.remarks),
        },
    )
    name, times = next(iter(Counter(figure.name for figure in page.figures).most_common(1)), ("", 0))
    if times > 1:
        raise ParameterError(f"{times} figures of the report are named {name!r}; give each its own name.")
    return page
