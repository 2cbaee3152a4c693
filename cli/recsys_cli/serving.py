"""``recsys serve`` and ``recsys explore``: lists over HTTP, for programs and for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import say

if TYPE_CHECKING:
    from recsys.data.ids import Id
    from recsys.service.settings import Settings

Beside = Annotated[
    Path | None,
    typer.Option(
        "--beside",
        help="Another model's folder: its lists are shown beside, with what only one lists marked.",
    ),
]
Items = Annotated[
    Path | None,
    typer.Option("--items", help="File with ids and categories of items, for the rules on these."),
]
ItemId = Annotated[
    str | None, typer.Option("--item-id", help="Column of ids in --items.", show_default="recognised")
]
ItemCategory = Annotated[
    str | None,
    typer.Option("--item-category", help="Column of categories in --items, several split by '|'."),
]


def explore(
    model: options.ModelFolder,
    beside: Beside = None,
    items: Items = None,
    item_id: ItemId = None,
    item_category: ItemCategory = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 for any that is free.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open it in the browser.")
    ] = True,
    threads: options.Threads = None,
) -> None:
    """Look at users, lists, reasons, similar items and themes of a model on a page in the browser.

    It is answered on this machine alone, until ctrl-c. `recsys serve` shows the same page at its root.
    """
    import logging
    import webbrowser

    from recsys.service.settings import Settings

    def ready(address: str) -> None:
        say(f"The explorer is at {address}; ctrl-c ends it.")
        if browser:
            webbrowser.open(address)

    _run(
        Settings(model, beside=beside, categories=_categories(items, item_id, item_category)),
        "127.0.0.1",
        port,
        threads,
        access_log=False,
        log_level=logging.WARNING,
        when_ready=ready,
    )


def serve(
    model: options.ModelFolder,
    beside: Beside = None,
    items: Items = None,
    item_id: ItemId = None,
    item_category: ItemCategory = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; 0.0.0.0 for every network of the machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Port; 0 for any that is free.")
    ] = 8_000,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin", help="An origin whose pages may ask (CORS); several times.", show_default="none"
        ),
    ] = None,
    cache: Annotated[int, typer.Option("--cache", min=0, help="Answers kept; 0 for none.")] = 50_000,
    ahead: Annotated[
        int,
        typer.Option(
            "--ahead",
            min=0,
            help="Users whose lists of ten are computed while nobody asks, if --cache has room; 0: none.",
        ),
    ] = 50_000,
    most_waiting: Annotated[
        int, typer.Option("--most-waiting", min=1, help="Answers computed or waited for; one more gets 503.")
    ] = 64,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, help="Seconds for a request, and for its answer.")
    ] = 10.0,
    reload: Annotated[
        float, typer.Option("--reload", min=0, help="Seconds between looks for a new bundle; 0 for never.")
    ] = 2.0,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", min=1, max=256, help="Processes that answer; more than one share a mapped model."
        ),
    ] = 1,
    mapped: options.Mapped = False,
    access_log: Annotated[
        bool, typer.Option("--access-log/--no-access-log", help="Whether to log each request.")
    ] = True,
    threads: options.Threads = 1,
) -> None:
    """Answer requests for lists, reasons, similar items and themes over HTTP.

    A new bundle at the same place takes over without a request lost. RECSYS_SERVE_TOKEN in the environment is
    a token that requests then have to bear.
    """
    import logging

    from recsys.service.log_lines import begins_logged

    with begins_logged(logging.INFO, access=access_log):
        from recsys.service.settings import Settings, token_from

        settings = Settings(
            model=model,
            beside=beside,
            categories=_categories(items, item_id, item_category),
            most_waiting=most_waiting,
            timeout=timeout,
            cache_size=cache,
            ahead=ahead,
            reload_seconds=reload,
            mapped=mapped,
            origins=tuple(origin or ()),
            token=token_from(),
        )
        _run(settings, host, port, threads, access_log=access_log, n_workers=workers)


def _categories(
    items: Path | None, item_id: str | None, item_category: str | None
) -> dict[Id, tuple[str, ...]]:
    """Return the categories of items; none where no file is given."""
    from recsys.errors import ParameterError
    from recsys.recommend.id_files import categories_of

    if items is None and item_category is None and item_id is None:
        return {}
    if items is None or item_category is None:
        raise ParameterError(
            "rules on categories need a file and a column; give --items and --item-category."
        )
    return categories_of(items, item_category, item_id)


def _run(settings: Settings, host: str, port: int, threads: int | None, **how: Any) -> None:
    """Answer requests; what is needed for it is an extra."""
    from recsys import threads as pool
    from recsys.errors import DependencyError

    try:
        from recsys.service.run import serve as run
    except ImportError as error:
        raise DependencyError(
            f"this needs {error.name}, which is not installed here: pip install 'recsys[serve]'."
        ) from None
    pool.set_threads(threads)
    run(settings, host, port, **how)
