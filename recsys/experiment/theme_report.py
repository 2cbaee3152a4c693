"""A page of a model's themes, from a bundle to a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from recsys.data.ids import Id
from recsys.errors import ParameterError
from recsys.recommend.bundle import Bundle
from recsys.recommend.theme_map import theme_map
from recsys.recommend.theme_set import theme_set
from recsys.report.theme_page import theme_page
from recsys.report.writing import write_report

PAGE_FORMS = (".html", ".htm", ".md")


def write_theme_page(
    bundle: Bundle,
    path: str | Path,
    *,
    users: Iterable[Id] | Id | None = None,
    items: Iterable[Id] | Id | None = None,
) -> None:
    """Write all the themes of a model as one self-contained page.

    Parameters
    ----------
    bundle : Bundle
        Of a model with themes.
    path : str or Path
        Ending in .html or .md.
    users, items : id or iterable of id, optional
        Whose mixtures the page shows; see `theme_map`.

    Raises
    ------
    ParameterError
        If the file has another ending.
    ModelError
        If the model has no themes, or they explain nothing.
    InputError
        If an id is not known.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() not in PAGE_FORMS:
        raise ParameterError(f"{path}: the ending is {path.suffix!r}; expected {', '.join(PAGE_FORMS)}.")
    mapped = theme_map(bundle, users=users, items=items)
    components = bundle.model.component_model
    assert components is not None
    label = str(bundle.training.get("label", bundle.model.name))
    every = replace(theme_set(bundle, label, most=len(components.shares_)), map=mapped)
    source = bundle.training.get("source")
    subtitle = (
        f"{'' if source is None else f'{Path(str(source)).name}: '}{len(bundle.user_ids):,} users, "
        f"{len(bundle.item_ids):,} items, {bundle.seen.nnz:,} pairs"
    )
    write_report(theme_page(every, subtitle), path)
