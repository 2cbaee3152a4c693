"""Themes as blocks of a page: families, tiles, how alike they are, mixtures."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.recommend.theme_map import Mixture, ThemeMap
from recsys.recommend.themes import Theme
from recsys.report import numbers
from recsys.report.blocks import Block, Card, CardEntry, CardList, Cards, HeatMap

_N_OF_MIXTURE = 6  # families that a mixture names
_N_NAMED = 12  # themes of a family that are listed by number


def theme_card(theme: Theme, largest: float, *, is_anchored: bool = False) -> Card:
    """Return a tile of a theme: its items as bars, who has a part in it, how concentrated it is.

    Parameters
    ----------
    theme : Theme
    largest : float
        The share at which the meter below the title is full.
    is_anchored : bool
        Whether links lead to it.
    """
    users = f"{numbers.count(theme.n_users)} users"
    if theme.user_share is not None:
        users += f" ({numbers.share(theme.user_share)})"
    note = f"{users}, {numbers.count(theme.n_items)} items"
    if theme.concentration is not None:
        note += f"; ten items make {numbers.share(theme.concentration)} of it"
    if theme.stability is not None:
        note += f"; stability {theme.stability:.2f}"
    return Card(
        f"Theme {theme.number}{f' · {theme.name}' if theme.name else ''}",
        (_items(theme.items),),
        tag=numbers.share(theme.share),
        meter=theme.share / largest,
        note=note,
        anchor=f"theme-{theme.number}" if is_anchored else "",
    )


def _items(items: Sequence[tuple[object, str, float]]) -> CardList:
    return CardList(tuple(CardEntry(name, weight=weight) for _, name, weight in items), is_ordered=True)


def family_cards(mapped: ThemeMap) -> Cards:
    """Return a card for each family of themes."""
    largest = max((family.share for family in mapped.families), default=1.0) or 1.0
    cards = []
    for family in mapped.families:
        listed = ", ".join(map(str, family.themes[:_N_NAMED]))
        more = ", …" if len(family.themes) > _N_NAMED else ""
        n_themes = f"{len(family.themes)} theme{'' if len(family.themes) == 1 else 's'}"
        stability = "" if family.stability is None else f"; stability {family.stability:.2f}"
        cards.append(
            Card(
                f"Family {family.number} · {family.name}",
                (_items(family.items),),
                tag=numbers.share(family.share),
                meter=family.share / largest,
                note=f"{n_themes}: {listed}{more}{stability}",
                anchor=f"family-{family.number}",
            )
        )
    return Cards(tuple(cards))


def likeness(mapped: ThemeMap) -> HeatMap:
    """Return how alike the families are, as a picture."""
    return HeatMap(
        title="How alike the families are",
        caption="Cosine of their items, 0 to 1: what belongs together is dark; the diagonal is 1.",
        labels=tuple(f"{family.number} {family.name}" for family in mapped.families),
        values=mapped.likeness,
    )


def mixture_cards(mapped: ThemeMap, kind: str) -> Cards:
    """Return what users, or items, are made of, a card each."""
    return Cards(tuple(_mixture_card(mapped, mixture) for mixture in mapped.mixtures if mixture.kind == kind))


def _mixture_card(mapped: ThemeMap, mixture: Mixture) -> Card:
    names = {family.number: f"{family.about[0]} and the like" for family in mapped.families}
    shown = mixture.shares[:_N_OF_MIXTURE]
    first = shown[0][1] if shown else 1.0
    entries = [
        CardEntry(names[number], tag=f"{numbers.share(share)}, family {number}", link=f"family-{number}",
                  weight=share / first)
        for number, share in shown
    ]  # fmt: skip
    rest = sum(share for _, share in mixture.shares[_N_OF_MIXTURE:])
    note = f"{numbers.share(rest)} in {len(mixture.shares) - len(shown)} more" if rest else ""
    counted = "item" if mixture.kind == "user" else "user"
    n_entries = f"{numbers.count(mixture.n_entries)} {counted}{'' if mixture.n_entries == 1 else 's'}"
    title = f"User {mixture.name}" if mixture.kind == "user" else mixture.name
    if not entries:
        note = "The themes explain nothing of it."
    return Card(title, (CardList(tuple(entries)),), tag=n_entries, note=note)


def map_blocks(mapped: ThemeMap) -> tuple[Block, ...]:
    """Return families, likeness and mixtures as blocks that follow each other, without headings."""
    return (
        family_cards(mapped),
        likeness(mapped),
        mixture_cards(mapped, "user"),
        mixture_cards(mapped, "item"),
    )
