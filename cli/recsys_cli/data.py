"""``recsys data``."""

from __future__ import annotations

import typer

from recsys_cli import options
from recsys_cli.command import Command
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_json, say_table

app = typer.Typer(help="Look at logs.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Look at logs."""


@app.command("list", cls=Command)
def list_(json: options.Json = False) -> None:
    """List the data sets that can be named instead of a file."""
    from recsys.data import catalog

    entries = [catalog.entry(name) for name in catalog.names()]
    if json:
        say_json({"data_sets": [{"name": e.name, "title": e.title, "licence": e.licence} for e in entries]})
        return
    say_table(["name", "title", "licence"], [[e.name, e.title, e.licence] for e in entries], left=3)


@app.command("describe", cls=Command)
@grouped
def describe(
    log: options.Log,
    columns: options.ColumnOptions,
    names: options.NameOptions,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Read a log as training would, and say what was found."""
    from recsys.experiment.given_logs import LogPlan, loaded_of
    from recsys_cli.inputs import columns_used

    plan = LogPlan(log, **options.flags(columns, names))
    with progress(quiet=json) as listener:
        loaded, seconds = loaded_of(plan, n_threads=threads, progress=listener)
    found = loaded.describe()
    if json:
        say_json({**found, "seconds": {"load": seconds}})
        return
    say(f"{found['source']}: {found['n_read']:,} rows")
    for drop in found["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  columns   {columns_used(loaded, columns.feedback)}")
    say(f"  users     {found['n_users']:,}")
    say(
        f"  items     {found['n_items']:,}"
        + (f" ({found['n_named_items']:,} with names)" if found["n_named_items"] else "")
    )
    say(f"  events    {found['n_events']:,}")
    say(f"  pairs     {found['n_pairs']:,} ({100 * found['density']:.3g} % of all)")
    say(f"  values    {found['value_min']:g} to {found['value_max']:g}, mean {found['value_mean']:.4g}")
    if found["first_time"] is not None:
        say(f"  time      {found['first_time']} to {found['last_time']}")
    if found["licence"]:
        say(f"  licence   {found['licence']}")
