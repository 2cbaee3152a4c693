"""Sections of a report: what one is, and the registry that every form of the report is written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from recsys.registry import Registry
from recsys.report import sections as _folder
from recsys.report.blocks import Block
from recsys.report.context import ReportContext


@dataclass(frozen=True)
class Content:
    """What a section shows of one comparison.

    Attributes
    ----------
    blocks : tuple of Block
        A section without blocks is left out of pages; its record is still part of JSON.
    record : mapping, optional
        Entries of ``report.json``, by key; by default the blocks themselves, under the section's name.
    """

    blocks: tuple[Block, ...]
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Section:
    """A section of every form of the report.

    Attributes
    ----------
    name : str
        Unique; lower-case letters, digits, ``-`` and ``_``. The anchor on the page, the default key in JSON.
    heading : str
        May be empty: the section is then a box without a heading.
    order : int
        Sections come by this number, then by name. The built-in ones have the tens from 0 to 80.
    build : function of a ReportContext
        Returns the section's content, or None where there is nothing to say.
    label : str
        What links to the section say; the heading by default.
    """

    name: str
    heading: str
    order: int
    build: Callable[[ReportContext], Content | None]
    label: str = ""

    @property
    def title(self) -> str:
        """What links to the section say."""
        return self.label or self.heading


def _import_sections() -> None:
    for module in iter_modules(_folder.__path__):
        import_module(f"{_folder.__name__}.{module.name}")


_sections = Registry[Section](
    "section",
    source=lambda section: section.build,
    definition=lambda section: section.title,
    position=lambda section: section.order,
    import_all=_import_sections,
)


def register_section(section: Section) -> Section:
    """Add a section to every report made from now on, in HTML, Markdown and JSON.

    Parameters
    ----------
    section : Section

    Returns
    -------
    Section
        The same one.

    Raises
    ------
    ParameterError
        If the name is not valid, or another section has it.
    """
    _sections.add(section.name, section)
    return section


def unregister_section(name: str) -> None:
    """Take a section out of the reports made from now on.

    Raises
    ------
    ParameterError
        If there is no such section.
    """
    _sections.remove(name)


def registered_sections() -> tuple[Section, ...]:
    """Return all sections in the order of the page: those of `recsys.report.sections` and registered ones."""
    return tuple(_sections.values())
