"""``recsys data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import options
from recsys_cli.command import Command
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_histogram, say_json, say_remarks, say_table

app = typer.Typer(help="Look at logs.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Look at logs."""


@app.command("list", cls=Command)
def list_(json: options.Json = False) -> None:
    """List the data sets that can be named instead of a file, and the formats that --format names."""
    from recsys.data import catalog, formats

    entries = [catalog.entry(name) for name in catalog.names()]
    known = [formats.named(name) for name in formats.names()]
    if json:
        say_json(
            {
                "data_sets": [{"name": e.name, "title": e.title, "licence": e.licence} for e in entries],
                "formats": [
                    {
                        "name": each.name,
                        "title": each.title,
                        "address": each.address,
                        "licence": each.licence,
                        "can_be_fetched": each.remote is not None,
                        "flags": each.log_format.flags(),
                    }
                    for each in known
                ],
            }
        )
        return
    say("Data sets, by name instead of LOG:")
    say_table(["name", "title", "licence"], [[e.name, e.title, e.licence] for e in entries], left=3)
    say()
    say("Formats of files that you have, by --format; those with * are fetched by 'recsys data fetch':")
    marked = [each.name + " *" * (each.remote is not None) for each in known]
    rows = [[name, each.title, each.address] for name, each in zip(marked, known, strict=True)]
    say_table(["format", "files", "address"], rows, left=3)


@app.command("fetch", cls=Command)
def fetch_(
    name: Annotated[str, typer.Argument(metavar="FORMAT", help="A format of 'recsys data list'.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files.", show_default="the format's name")
    ] = None,
    json: options.Json = False,
) -> None:
    """Fetch a public log from where it is published, check its hash, and unpack what is needed."""
    from recsys.data import formats
    from recsys.data.fetching import fetch
    from recsys.errors import ParameterError
    from recsys.progress import task

    known = formats.named(name)
    if known.remote is None:
        raise ParameterError(
            f"{name} cannot be fetched by a program; get it from {known.address} and name its file, with "
            f"--format {name}."
        )
    with progress(quiet=json) as listener, task(listener, f"fetch {known.remote.url}"):
        files = fetch(known.remote, out or Path(name))
    items = f" --items {files[1]}" if len(files) > 1 else ""
    command = f"recsys data describe {files[0]} --format {name}{items}"
    if json:
        say_json({"files": [str(path) for path in files], "licence": known.licence, "next": command})
        return
    say(f"Fetched {', '.join(map(str, files))}; terms: {known.licence}")
    say(f"Next: {command}")


@app.command("prepare", cls=Command)
@grouped
def prepare(
    log: options.Log,
    read_as: LogFormat,
    out: Annotated[Path, typer.Option("--out", help="Folder for the prepared log.", show_default=False)],
    items: options.Items = None,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            help="What reading may take, e.g. 4GiB: events stay on disk, so that a log may be larger than "
            "memory.",
            show_default="all that is there",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Keep what was read in OUT.checkpoint until all is done, and go on from it after the "
            "process was killed.",
        ),
    ] = False,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Read a log once and write it as a folder, which every command takes for LOG and maps at once."""
    from time import perf_counter

    from recsys.experiment.preparing import prepare_log
    from recsys_cli.inputs import columns_used, log_plan

    began = perf_counter()
    with progress(quiet=json) as listener:
        loaded = prepare_log(
            log_plan(options.source_of(log), read_as, items),
            out,
            memory=memory,
            resume=resume,
            n_threads=threads,
            progress=listener,
        )
    if json:
        say_json({**loaded.describe(), "seconds": {"prepare": perf_counter() - began}, "out": str(out)})
        return
    say(f"Read {loaded.n_read:,} rows of {loaded.source}")
    for drop in loaded.dropped:
        say(f"  {drop.n_rows:,} dropped: {drop.reason}")
    say(f"  {columns_used(loaded, read_as.feedback)}")
    say_remarks(loaded.remarks)
    say(f"Prepared {len(loaded.log):,} events in {out}. Next: recsys train {out} --out MODEL")


@app.command("describe", cls=Command)
@grouped
def describe(
    log: options.Log,
    read_as: LogFormat,
    items: options.Items = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="A page on the log: .html, .md or .json.", show_default=False),
    ] = None,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Read a log as training would, and say what was found, amounts below 0 among it."""
    from recsys.data.profile import gaps, histograms, profile_of
    from recsys.experiment.given_logs import loaded_of
    from recsys_cli.inputs import columns_used, log_plan

    if report is not None:
        from recsys.report.log_page import log_page
        from recsys.report.writing import check_report, write_report

        check_report(report)
    plan = log_plan(options.source_of(log), read_as, items)
    with progress(quiet=json) as listener:
        loaded, seconds = loaded_of(plan, n_threads=threads, progress=listener, looks=True)
    found = loaded.describe()
    if report is not None:
        write_report(log_page(loaded), report)
    if json:
        page = None if report is None else str(report)
        say_json({**found, **profile_of(loaded.log), "seconds": {"load": seconds}, "report": page})
        return
    say(f"{found['source']}: {found['n_read']:,} rows")
    for drop in found["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  columns   {columns_used(loaded, read_as.feedback)}")
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
    for gap in gaps(loaded.log):
        say(f"            no event for {gap.days:.1f} days, from {gap.last} to {gap.first}")
    for histogram in histograms(loaded.log):
        say_histogram(histogram.title, histogram.what, histogram.bins)
    say_remarks(loaded.remarks)
    if report is not None:
        say(f"Report in {report}")
    say(f"To read it so without guessing: {found['flags']}")
