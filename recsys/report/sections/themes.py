"""The themes (components) of the models that have some, each with its strongest items."""

from __future__ import annotations

from recsys.recommend.theme_map import ThemeMap
from recsys.recommend.theme_set import ThemeSet
from recsys.report.blocks import Block, Cards, Folded, Heading, Only, Text
from recsys.report.context import ReportContext
from recsys.report.phrases import stability
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Column, Table
from recsys.report.theme_blocks import likeness, map_blocks, theme_card

_N_SHOWN = 6
_COLUMNS = (
    Column("theme", "theme", "count"),
    Column("share", "share", "share"),
    Column("stability", "stability", "ratio"),
    Column("name", "particular to it"),
    Column("items", "strongest items"),
)

_FAMILY_COLUMNS = (
    Column("family", "family", "count"),
    Column("share", "share", "share"),
    Column("n_themes", "themes", "count"),
    Column("stability", "stability", "ratio"),
    Column("name", "particular to it"),
)


def build(context: ReportContext) -> Content:
    """Return a card a theme, or in Markdown a table a model; cards beyond the first few fold away."""
    sets = context.theme_sets
    record = {
        "themes": [
            {
                "label": theme_set.label,
                "n_themes": theme_set.n_themes,
                "themes": [theme.to_json() for theme in theme_set.themes],
                **({} if theme_set.map is None else theme_set.map.to_json()),
            }
            for theme_set in sets
        ]
    }
    if not sets:
        return Content((), record)
    largest = max((theme.share for theme_set in sets for theme in theme_set.themes), default=1) or 1
    first, *others = sets
    cards = tuple(theme_card(theme, largest, is_anchored=True) for theme in first.themes)
    html: list[Block] = [
        Text(
            f"{_counted(first)}, by the share of what they explain, each with its strongest items; bars are "
            f"their weights beside the first. {stability(context)}",
            style="note",
        ),
        Cards(cards[:_N_SHOWN]),
    ]
    if len(cards) > _N_SHOWN:
        summary = f"{len(cards) - _N_SHOWN} more themes of {first.label}"
        html.append(Folded(summary, (Cards(cards[_N_SHOWN:]),)))
    if first.map is not None:
        families = f"{len(first.map.families)} families of {first.label}, how alike they are, and mixtures"
        html.append(Folded(families, map_blocks(first.map)))
    for theme_set in others:
        folded = Cards(tuple(theme_card(theme, largest) for theme in theme_set.themes))
        html.append(Folded(_counted(theme_set), (folded,)))
    markdown: list[Block] = [Text(stability(context))]
    for theme_set in sets:
        markdown += [Text(f"{_counted(theme_set)}:"), _table(theme_set)]
        if theme_set.map is not None:
            markdown += [
                Heading(f"Families of {theme_set.label}"),
                _family_table(theme_set.map),
                likeness(theme_set.map),
            ]
    return Content((Only("html", tuple(html)), Only("markdown", tuple(markdown))), record)


def _counted(theme_set: ThemeSet) -> str:
    return f"{len(theme_set.themes)} of {theme_set.n_themes} themes of {theme_set.label}"


def _family_table(mapped: ThemeMap) -> Table:
    rows = tuple(
        (family.number, family.share, len(family.themes), family.stability, family.name)
        for family in mapped.families
    )
    return Table("Families of themes", _FAMILY_COLUMNS, rows)


def _table(theme_set: ThemeSet) -> Table:
    rows = tuple(
        (
            theme.number,
            theme.share,
            theme.stability,
            theme.name,
            "; ".join(name for _, name, _ in theme.items),
        )
        for theme in theme_set.themes
    )
    return Table(f"Themes of {theme_set.label}", _COLUMNS, rows)


register_section(Section("themes", "The themes of the model", order=60, build=build, label="Themes"))
