"""``recsys train``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import options
from recsys_cli.groups import grouped
from recsys_cli.output import progress, say, say_json, say_remarks

if TYPE_CHECKING:
    from recsys.recommend.bundle import Bundle

# What ended a training, in words.
_ENDS = {
    "tol": "converged",
    "gradient": "converged",
    "validation": "best on held-out entries",
    "time": "reached time_limit",
    "interrupted": "interrupted",
}


def _end_of(record: Mapping[str, Any]) -> str:
    """Say how a training ended: a number of iterations that was planned is no failure to converge."""
    n_iter, stopped = record["iterations"], record["stopped"]
    if stopped != "max_iter":
        return f"{_ENDS[stopped]} after {n_iter} iterations"
    if record["config"].get("tol"):
        return f"{n_iter} iterations, as many as max_iter allows; --set max_iter=N for more"
    return f"{n_iter} iterations, as planned (max_iter)"


def _save(bundle: Bundle, out: Path) -> None:
    """Save a model; where that fails, keep it elsewhere and say where."""
    from recsys.errors import OutputError
    from recsys.recommend.bundle_files import rescued, save_bundle

    try:
        save_bundle(bundle, out)
    except OutputError as error:
        kept = rescued(bundle, out)
        told = (
            "There is no room for it elsewhere either: the trained model is lost."
            if kept is None
            else f"The trained model is whole in {kept}: move it from there."
        )
        raise OutputError(f"{error} {told}") from error


@grouped
def train(
    log: options.Log,
    read_as: LogFormat,
    out: Annotated[Path, typer.Option("--out", help="Folder for the model.", show_default=False)],
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    items: options.Items = None,
    duplicates: options.DuplicateRule = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Train a model on a whole log and write it to a folder."""
    import recsys
    from recsys.evaluation.evaluator import RANKS_BY_VALUE
    from recsys.experiment.given_logs import loaded_of
    from recsys.experiment.settings import AUTO
    from recsys.experiment.training import amounts_as_ratings, check_duplicates, record_of
    from recsys.files import reserved
    from recsys.recommend.bundle_files import check_place
    from recsys_cli.inputs import columns_used, log_plan, one_spec

    out = out.expanduser()
    check_place(out)
    spec = one_spec(model, set_, config)
    spec.resolved().made()  # what is wrong with it is said before the log is read
    rule = check_duplicates(duplicates)
    plan = log_plan(log, read_as, items)
    with reserved(out, wait=0.5), progress(quiet=json) as listener:
        loaded, load_seconds = loaded_of(plan, n_threads=threads, progress=listener)
        bundle = recsys.train(
            spec,
            loaded,
            seed=seed,
            duplicates=rule,
            threads=threads,
            keep_interrupted=True,
            progress=listener,
        )
        record = record_of(bundle)
        interrupted = record["stopped"] == "interrupted"
        if interrupted and (out / "model.json").exists():
            out = out.resolve()
            out = out.with_name(f"{out.name}.interrupted")  # a whole model is worth more than a part of one
        _save(bundle, out)
    description = loaded.describe()
    if json:
        seconds = {"load": load_seconds, **record["seconds"]}
        say_json({**record, "seconds": seconds, "log": description, "out": str(out)})
        if interrupted:
            raise typer.Exit(130)
        return
    say(f"Read {description['n_read']:,} rows of {description['source']}")
    for drop in description["dropped"]:
        say(f"  {drop['n_rows']:,} dropped: {drop['reason']}")
    say(f"  {columns_used(loaded, read_as.feedback)}")
    chosen = "" if spec.name != AUTO else " (chosen for lists; --model names another)"
    say_remarks([*loaded.remarks, *amounts_as_ratings(loaded, [spec])])
    say(f"Trained {record['model']}{chosen}: {record['n_entries']:,} pairs, {record['seconds']['fit']:.1f} s")
    if record["iterations"] is not None:
        say(f"  {_end_of(record)}, objective {record['objective']:.6g}")
    if interrupted:
        say(f"Interrupted; the best state so far is in {out}.")
        raise typer.Exit(130)
    if bundle.model.ranks_by_value:
        say(f"Note: {bundle.model.name} {RANKS_BY_VALUE}")
    say(f"Model in {out}. Next: recsys recommend {out} --all-users --out lists.csv")
