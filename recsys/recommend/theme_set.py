"""The themes of a model that a report shows: the largest, and others that are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from recsys.recommend.bundle import Bundle
from recsys.recommend.theme_map import ThemeMap
from recsys.recommend.themes import Theme, themes


@dataclass(frozen=True)
class ThemeSet:
    """Themes of one model, as a report shows them.

    Attributes
    ----------
    label : str
        What the model is called.
    themes : tuple of Theme
        Those to show.
    n_themes : int
        How many there are.
    map : ThemeMap or None
        All of them in families, where these were made.
    """

    label: str
    themes: tuple[Theme, ...]
    n_themes: int
    map: ThemeMap | None = None


def theme_set(bundle: Bundle, label: str, *, most: int, also: Collection[int] = ()) -> ThemeSet:
    """Return the largest themes of a model, and others by number; items of one name bear their ids.

    Parameters
    ----------
    bundle : Bundle
        Of a non-negative factor model.
    label : str
    most : int
        Themes by share.
    also : collection of int
        Numbers of themes wanted whatever their share.

    Raises
    ------
    ModelError
        If the model has no themes.
    """
    largest = themes(bundle, n_themes=max([most, *also]))
    chosen = [theme for theme in largest if theme.number <= most or theme.number in also]
    components = bundle.model.component_model
    n_themes = 0 if components is None else len(components.shares_)
    return ThemeSet(label, tuple(_with_distinct_names(theme) for theme in chosen), n_themes)


def _with_distinct_names(theme: Theme) -> Theme:
    times = Counter(name for _, name, _ in theme.items)
    items = (
        (item, name if times[name] == 1 else f"{name} ({item})", weight) for item, name, weight in theme.items
    )
    return replace(theme, items=tuple(items))
