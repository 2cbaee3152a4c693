"""The themes of a model as a page of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.recommend.theme_map import ThemeMap
from recsys.recommend.theme_set import ThemeSet
from recsys.report import numbers
from recsys.report.blocks import Block, Cards, Folded, Text
from recsys.report.page import BuiltSection, Page
from recsys.report.section import Content, Section
from recsys.report.theme_blocks import family_cards, likeness, mixture_cards, theme_card


def theme_page(theme_set: ThemeSet, subtitle: str) -> Page:
    """Return a page of all the themes of a set: families, their likeness, mixtures, a tile for each theme.

    Parameters
    ----------
    theme_set : ThemeSet
        With a map.
    subtitle : str
        What the model was trained on.
    """
    mapped = theme_set.map
    assert mapped is not None
    sections = (
        _section("families", "Families of themes", _families(theme_set, mapped), mapped.to_json()),
        _section("likeness", "How alike the families are", (likeness(mapped),)),
        _section("mixtures", "What users and items are made of", _mixtures(mapped)),
        _section("themes", "All themes", _tiles(theme_set, mapped), {"themes": _records(theme_set)}),
    )
    return Page(
        title=f"The themes of {theme_set.label}",
        subtitle=subtitle,
        rows=(),
        sections=sections,
        record={"title": f"The themes of {theme_set.label}", "subtitle": subtitle},
    )


def _section(
    name: str, heading: str, blocks: tuple[Block, ...], record: Mapping[str, Any] | None = None
) -> BuiltSection:
    content = Content(blocks, record or {})
    return BuiltSection(Section(name, heading, 0, lambda _: content), content.blocks, content.record)


def _families(theme_set: ThemeSet, mapped: ThemeMap) -> tuple[Block, ...]:
    intro = (
        f"{numbers.count(len(theme_set.themes))} themes explain something, in {len(mapped.families)} "
        f"families of themes with like items. Named are the items that are particular to a family, not "
        f"bestsellers; "
        f"the per cent are its share of what all themes explain, the bars the weights of its strongest items."
    )
    return Text(intro, style="note"), family_cards(mapped)


def _mixtures(mapped: ThemeMap) -> tuple[Block, ...]:
    intro = (
        "The part of each family in what the themes add to the observed entries of a user, or of an item; "
        "bars are beside the largest."
    )
    return Text(intro, style="note"), mixture_cards(mapped, "user"), mixture_cards(mapped, "item")


def _tiles(theme_set: ThemeSet, mapped: ThemeMap) -> tuple[Block, ...]:
    by_number = {theme.number: theme for theme in theme_set.themes}
    largest = max((theme.share for theme in theme_set.themes), default=1.0) or 1.0
    return tuple(
        Folded(
            f"Family {family.number} · {family.name} ({len(family.themes)})",
            (
                Cards(
                    tuple(
                        theme_card(by_number[number], largest, is_anchored=True) for number in family.themes
                    )
                ),
            ),
        )
        for family in mapped.families
    )


def _records(theme_set: ThemeSet) -> list[dict[str, Any]]:
    return [theme.to_json() for theme in theme_set.themes]
