"""``recsys demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys_cli import options
from recsys_cli.output import fixed, progress, say, say_json, say_table

if TYPE_CHECKING:
    from recsys.experiment.demo import Demo


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("recsys-demo"),
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Go the whole way on the built-in purchase log: load, compare, recommend, report."""
    from recsys import threads as pool
    from recsys.experiment.demo import run_demo
    from recsys.resources import peak_memory

    out = out.expanduser()
    with pool.use(threads), progress(quiet=json) as listener:
        done = run_demo(out, seed=seed, progress=listener)
    if json:
        say_json(done.to_json())
        return
    _print(done)
    peak = peak_memory()
    say()
    say(f"Files in {out}:")
    for path in done.files.values():
        say(f"  {path}")
    memory = "" if peak is None else f", peak memory {peak / 2**20:,.0f} MiB"
    say(f"Done in {done.seconds['total']:.1f} s{memory}. Open {done.files['report']} in a browser.")


def _print(done: Demo) -> None:
    log, split = done.loaded.describe(), done.prepared.split
    say("The log: Complete Journey, groceries; its authors call it simulated.")
    say(f"  {log['n_read']:,} lines read, {log['first_time']} to {log['last_time']}")
    for drop in log["dropped"]:
        say(f"  {drop['n_rows']:>9,} dropped: {drop['reason']}")
    say(
        f"  {log['n_events']:>9,} kept: {log['n_users']:,} households, {log['n_items']:,} products, "
        f"{log['n_pairs']:,} pairs"
    )
    say()
    say(f"Held out: the last four weeks, {split.n_held_out_pairs:,} household-product pairs, all new.")
    say(
        "hybrid-nmf, themes plus neighbors, is what recsys takes for lists (--model auto), here with "
        "settings tuned on the four weeks before."
    )
    say()
    metrics = list(done.results[0].measurements.metrics) if done.results[0].measurements else []
    rows = []
    for result in done.results:
        if result.measurements is None:
            rows.append([result.label, *("-" for _ in metrics), "-", "-"])
            say(f"  {result.label} failed: {result.error}")
            continue
        values = [fixed(result.measurements.metrics[metric]) for metric in metrics]
        rows.append([result.label, *values, f"{result.measurements.n_users:,}", f"{result.fit_seconds:.2f}"])
    say_table(["model", *metrics, "users", "fit s"], rows)
    say()
    for sentence in done.answer:
        say(f"  {sentence}")
    say()
    say("Three households:")
    for example in done.examples:
        say(f"  Household {example.user} bought {example.n_history:,} products, most of all")
        for name, value in example.history[:5]:
            say(f"      {value:>4.0f} x {name}")
        say("    and might like")
        for entry in example.listed:
            say(f"      {entry.rank:>4}. {entry.name}")
            if entry.reason is not None:
                say(f"            {entry.reason.text}")
    say()
    say("The themes of the model, by the share of purchases they explain:")
    for theme in done.themes[:12]:
        say(f"  {theme.number:>3}. {100 * theme.share:4.1f} %  {theme.name}")
    if len(done.themes) > 12:
        say(f"  ... and {len(done.themes) - 12} more: recsys themes {done.files['model']}")
    say()
    say(f"Lists for all {done.n_lists:,} households come from a model trained on the whole log.")
