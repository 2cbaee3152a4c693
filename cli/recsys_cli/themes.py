"""``recsys themes``: what a non-negative model is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from recsys.recommend.families import Family
    from recsys.recommend.themes import Theme

_TOP = 20  # themes that are printed unless more are asked for


def themes(
    model: options.ModelFolder,
    theme: Annotated[
        list[int] | None,
        typer.Option(
            "--theme",
            min=1,
            max=options.MOST,
            help="A theme to show with its items; give it several times.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", min=1, max=options.MOST, help="Most themes, by share.", show_default="20 when printed"
        ),
    ] = None,
    families: Annotated[
        bool, typer.Option("--families", help="Group the themes into 10 to 30 families, and list these.")
    ] = False,
    n_items: Annotated[
        int, typer.Option("-n", min=1, max=options.MOST, help="Items to list for each theme.")
    ] = 8,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Write themes.toml into the folder of the model, to edit what themes are called."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write a page of all themes, .html or .md; or a table, .parquet, .csv or .jsonl.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(
            "--user", help="A user whose mixture the page shows; give it several times.", show_default=False
        ),
    ] = None,
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item", help="An item whose mixture the page shows; give it several times.", show_default=False
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(
            "--items", help="File with ids and categories of items, to call themes by.", show_default=False
        ),
    ] = None,
    item_id: Annotated[
        str | None,
        typer.Option("--item-id", help="Column of ids in --items.", show_default="recognised"),
    ] = None,
    item_category: Annotated[
        str | None,
        typer.Option(
            "--item-category",
            help="Column of categories in --items, several split by '|': themes go by those they have most "
            "more of than all have.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show what a non-negative model is made of: themes, named by the items that are particular to them."""
    from recsys.experiment.theme_report import PAGE_FORMS, write_theme_page
    from recsys.recommend.bundle_files import load_bundle
    from recsys.recommend.families import families as find_families
    from recsys.recommend.id_files import categories_of
    from recsys.recommend.model_pointer import model_folder
    from recsys.recommend.theme_categories import labelled_by_category, without_automatic
    from recsys.recommend.themes import themes as find_themes

    if bool(theme) + families + labels > 1:
        raise typer.BadParameter("give one of --theme, --families and --labels.")
    if (items is None) != (item_category is None) or (item_id is not None and items is None):
        raise typer.BadParameter("--items FILE and --item-category COLUMN belong together.")
    is_page = out is not None and out.suffix.lower() in PAGE_FORMS
    if (user or item) and not is_page:
        raise typer.BadParameter("--user and --item need --out FILE.html.")
    folder = model_folder(model.expanduser())
    bundle = load_bundle(folder)
    if items is not None and item_category is not None:
        named_by_hand = without_automatic(bundle)
        bundle = labelled_by_category(named_by_hand, categories_of(items, item_category, item_id))
    if is_page:
        assert out is not None
        if theme or families or labels or top is not None:
            raise typer.BadParameter("the page shows all themes and families; give --out alone.")
        write_theme_page(bundle, out, users=user or None, items=item or None)
        if json:
            say_json({"out": str(out.expanduser())})
        else:
            say(f"Wrote the themes of {bundle.model.name} to {out.expanduser()}")
        return
    if families:
        found = find_families(bundle, n_items=n_items)
        _show_families(found[:top], len(found), out, json=json)
        return
    every = find_themes(bundle, n_items=n_items)
    if labels:
        _write_labels(folder, every)
        return
    _show_themes(every, theme, top, out, json=json)


def _show_families(shown: Sequence[Family], n_found: int, out: Path | None, *, json: bool) -> None:
    if json or out is not None:
        _hand_over("families", [family.to_json() for family in shown], out, json=json)
        return
    rows = [
        [str(family.number), f"{100 * family.share:.1f} %", str(len(family.themes)), family.name]
        for family in shown
    ]
    say_table(["family", "share", "themes", "particular to it"], rows, left=0, text={"particular to it"})
    if n_found > len(shown):
        say(f"  ... and {n_found - len(shown)} more")
    say(f"  Their themes: --json names them; the largest of the first is --theme {shown[0].themes[0]}")


def _show_themes(
    every: Sequence[Theme],
    numbers: Sequence[int] | None,
    top: int | None,
    out: Path | None,
    *,
    json: bool,
) -> None:
    from recsys.errors import InputError

    shown = every if top is None else every[:top]
    if numbers:
        by_number = {theme.number: theme for theme in every}
        unknown = [number for number in numbers if number not in by_number]
        if unknown:
            raise InputError(
                f"there is no theme {unknown[0]} that explains anything; they run from 1 to {len(every)}."
            )
        shown = [by_number[number] for number in dict.fromkeys(numbers)]
    if json or out is not None:
        _hand_over("themes", [theme.to_json() for theme in shown], out, json=json)
        return
    if not every:
        say("Every factor is zero: the penalties are too strong for this log.")
        return
    if numbers:
        for theme in shown:
            _say_theme(theme)
        return
    shown = shown if top is not None else shown[:_TOP]
    rows = [
        [
            str(theme.number),
            f"{100 * theme.share:.1f} %",
            f"{theme.n_users:,}",
            f"{theme.n_items:,}",
            *([] if theme.stability is None else [f"{theme.stability:.2f}"]),
            theme.name,
        ]
        for theme in shown
    ]
    stability = [] if every[0].stability is None else ["stability"]
    columns = ["theme", "share", "users", "items", *stability, "particular to it"]
    say_table(columns, rows, left=0, text={"particular to it"})
    if len(every) > len(shown):
        say(f"  ... and {len(every) - len(shown)} more: --top {len(every)}, or --families for an overview")


def _say_theme(theme: Theme) -> None:
    alike = "" if theme.stability is None else f", {theme.stability:.2f} alike in other starts"
    say(f"Theme {theme.number}: {theme.name}")
    say(
        f"  {100 * theme.share:.1f} % of what is explained, {theme.n_users:,} users, "
        f"{theme.n_items:,} items ({100 * theme.sparsity:.0f} % have no part in it){alike}"
    )
    for _, name, weight in theme.items:
        say(f"  {weight:5.2f}  {name}")


def _hand_over(kind: str, records: Sequence[dict[str, Any]], out: Path | None, *, json: bool) -> None:
    """Print records as one object, or write a row each, lists as text with semicolons."""
    if out is not None:
        import pandas as pd

        from recsys.experiment.list_files import write_table

        out = out.expanduser()
        rows = [
            {
                **{key: value for key, value in record.items() if not isinstance(value, list)},
                **({"themes": "; ".join(map(str, record["themes"]))} if "themes" in record else {}),
                "items": "; ".join(entry["name"] for entry in record["items"]),
            }
            for record in records
        ]
        write_table(pd.DataFrame(rows), out)
    if json:
        say_json({"out": str(out)} if out is not None else {kind: list(records)})
    elif out is not None:
        say(f"Wrote {len(records):,} {kind} to {out}")


def _write_labels(folder: Path, every: Sequence[Theme]) -> None:
    """Write what themes are called, to be edited; labels that are there already stay."""
    from recsys.files import atomic_write
    from recsys.recommend.theme_labels import FILE, labels_text

    path = folder / FILE
    with atomic_write(path) as partial:
        partial.write_text(labels_text({theme.number: theme.name for theme in every}), encoding="utf-8")
    say(f"Wrote what {len(every):,} themes are called to {path}; edit it, and reasons and reports go by it.")
