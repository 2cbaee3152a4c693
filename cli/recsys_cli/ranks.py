"""``recsys ranks``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.data.log_format import LogFormat
from recsys_cli import held_out_options, options
from recsys_cli.groups import grouped
from recsys_cli.output import fixed, given_command, progress, say, say_json, say_table

if TYPE_CHECKING:
    from recsys.experiment.tuning.rank_evidence import Ranks

_BAR = 20
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@grouped
def ranks(
    log: options.Log,
    read_as: LogFormat,
    model: options.Model = None,
    set_: options.Set = None,
    config: options.Config = None,
    numbers: Annotated[
        str,
        typer.Option("--ranks", metavar="N,N,...", help="Numbers of components to try."),
    ] = "8,16,32,64,128",
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="What they are measured by.",
            show_default="ndcg@10, or rmse for models that only predict ratings",
        ),
    ] = None,
    validation: Annotated[
        str,
        typer.Option("--validation", help="What is held out to measure them on."),
    ] = "random:0.2",
    starts: Annotated[
        int,
        typer.Option("--starts", min=1, max=100, help="Fits of each number, each from another start."),
    ] = 3,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Write picture and table: .html, .md, .json, or a folder with all of them.",
            show_default=False,
        ),
    ] = None,
    duplicates: options.DuplicateRule = None,
    min_user: held_out_options.MinUser = None,
    min_item: held_out_options.MinItem = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    json: options.Json = False,
) -> None:
    """Show the evidence for numbers of components: held-out quality, stability, size and time of each."""
    import recsys
    from recsys.errors import ParameterError
    from recsys.experiment.given_logs import LogPlan
    from recsys_cli.inputs import one_spec

    if report is not None:
        from recsys.experiment.tuning.rank_report import check_rank_report

        report = report.expanduser()
        check_rank_report(report)
    try:
        tried = [int(number) for number in numbers.split(",")]
    except ValueError:
        raise ParameterError(f"--ranks {numbers!r}: expected whole numbers, e.g. 8,16,32.") from None
    with progress(quiet=json) as listener:
        evidence = recsys.ranks(
            one_spec(model, set_, [] if config is None else [config]),
            LogPlan(options.source_of(log), read_as),
            tried,
            metric=metric,
            validation=validation,
            n_starts=starts,
            duplicates=duplicates,
            min_user=min_user or 0,
            min_item=min_item or 0,
            seed=seed,
            threads=threads,
            progress=listener,
        )
    if report is not None:
        evidence.report(report, command=given_command())
    if json:
        say_json({**evidence.to_json(), "report": None if report is None else str(report)})
        return
    _say(evidence)
    if report is not None:
        say(f"Report in {report}")


def _say(evidence: Ranks) -> None:
    from recsys.evaluation.metrics import parse_metric

    say(
        f"{evidence.model} by {evidence.metric} on {evidence.validation}, {evidence.n_starts} "
        f"start{'s' if evidence.n_starts > 1 else ''} of each"
    )
    upward = parse_metric(evidence.metric).higher_is_better is not False
    values = [row.value for row in evidence.rows]
    worst, best = (min(values), max(values)) if upward else (max(values), min(values))
    rows = [
        [
            str(row.n_components) + ("  <" if row is evidence.chosen else ""),
            _bar((row.value - worst) / (best - worst) if best != worst else 1.0),
            fixed(row.value),
            f"{row.low:.4f} to {row.high:.4f}",
            fixed(row.behind),
            fixed(row.behind_error),
            fixed(row.spread),
            fixed(row.objective, 3),
            fixed(row.stability, 2),
            fixed(row.stored_per_row, 0),
            f"{row.fit_seconds:.2f}",
        ]
        for row in evidence.rows
    ]
    names = [
        "components", "", evidence.metric, "95 % interval", "behind", "error", "starts", "objective",
        "stability", "stored", "fit s",
    ]  # fmt: skip
    say_table(names, rows, left=2)
    say(f"  {evidence.answer}")
    if evidence.is_at_edge:
        say("  The best is the largest number tried: try larger ones.")
    say("  behind, error: distance from the best, and its standard error; starts: spread of the value over")
    say("  starts; objective: what a fit minimises, as a part of the first row's; stability: components that")
    say("  another start finds, too (1: the same); stored: numbers a user or item.")


def _bar(share: float) -> str:
    whole, eighth = divmod(round(share * _BAR * 8), 8)
    return ("█" * whole + (_EIGHTHS[eighth] if eighth else "")) or "▏"
