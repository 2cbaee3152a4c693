"""The table of models, what its metrics mean, and the tests of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recsys.evaluation.metrics import definitions, higher_is_better
from recsys.evaluation.significance import PairTest
from recsys.report.blocks import Block, Facts, Folded, Heading, Notes, Only, Strong, Text
from recsys.report.context import ReportContext
from recsys.report.phrases import measured_as, verdict
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Cell, Column, Failure, Label, Table

_HEADING = "How the models compare"
_MOST_PAIRS = 100
_PAIRS = "Every pair of models"
_TESTS = (
    "Paired over users: intervals by bootstrap, p by randomisation, adjusted for the number of pairs of a "
    "metric (Holm). Effect size is the mean difference over the standard deviation of the users' differences."
)


def build(context: ReportContext) -> Content:
    """Return the table of results, its key, the metrics' definitions, remarks and tests."""
    measured = measured_as(context)
    blocks: list[Block] = [
        _results(context),
        Only("html", (Text(_html_key(measured), style="key"),)),
        Only(
            "markdown",
            (
                Text(
                    "Best of each column in bold; ≈ marks what is not clearly worse than the best; in "
                    f"brackets 95 % intervals over users; ↓ says that less is better. {measured}"
                ),
            ),
        ),
        Facts(tuple(definitions(context.metrics)), layout="run-in"),
        Notes(tuple(context.remarks)),
    ]
    if context.pairs:
        blocks += _tests(context)
    return Content(
        tuple(blocks),
        record={
            "ranking": [row.label for row in context.rows],
            "best": _marked(context, "is_best"),
            "not_clearly_worse": _marked(context, "is_level"),
        },
    )


def _results(context: ReportContext) -> Table:
    has_memory = any(row.peak_bytes is not None for row in context.rows)
    columns = [
        Column("model", "model"),
        *(
            Column(metric, metric + _arrow(metric), "score", is_main=metric == context.main_metric)
            for metric in context.metrics
        ),
        Column("fit", "time to fit", "seconds"),
        Column("score", "time to score", "seconds"),
        *([Column("memory", "peak memory", "bytes")] if has_memory else []),
    ]
    rows: list[tuple[Cell, ...]] = []
    for row in context.rows:
        label = Label(row.label, row.colour)
        if row.error is not None:
            rows.append((label, Failure(row.error)))
            continue
        memory = (row.peak_bytes,) if has_memory else ()
        rows.append((label, *row.cells, row.fit_seconds, row.score_seconds, *memory))
    return Table(_HEADING, tuple(columns), tuple(rows), style="results")


def _arrow(metric: str) -> str:
    return " ↓" if higher_is_better(metric) is False else ""


def _html_key(measured: str) -> tuple[str | Strong, ...]:
    return (
        "Best of each column in bold; ",
        Strong("≈"),
        " marks what is not clearly worse than the best. Small figures are 95 % intervals over users. A mark "
        f"↓ says that less is better. {measured}",
    )


def _tests(context: ReportContext) -> tuple[Block, ...]:
    """Return the tests: on a page those of the main metric, in Markdown all."""
    pairs = [pair for pair in context.pairs if pair.metric == context.main_metric]
    pairs = pairs or list(context.pairs[:_MOST_PAIRS])
    is_part = len(pairs) < len(context.pairs)
    of_metric = f" on {pairs[0].metric}" if is_part else ""
    elsewhere = (
        "Pairs on the other metrics are in the JSON and Markdown forms of this report. " if is_part else ""
    )
    return (
        Only(
            "html",
            (
                Folded(
                    f"{_PAIRS}{of_metric}, {len(pairs)} comparisons",
                    (_pair_table(pairs), Text(elsewhere + _TESTS, style="note")),
                ),
            ),
        ),
        Only("markdown", (Heading(_PAIRS), _pair_table(context.pairs))),
    )


def _pair_table(pairs: Sequence[PairTest]) -> Table:
    columns = (
        Column("metric", "metric"),
        Column("better", "ahead"),
        Column("other", "other"),
        Column("difference", "difference", "score"),
        Column("interval", "95 % interval", "interval"),
        Column("p_adjusted", "p, adjusted", "probability"),
        Column("effect_size", "effect size", "ratio"),
        Column("verdict", "verdict"),
    )
    rows = tuple(
        (
            pair.metric,
            pair.better,
            pair.other,
            pair.difference,
            (pair.low, pair.high),
            pair.p_adjusted,
            pair.effect_size,
            verdict(pair),
        )
        for pair in pairs
    )
    return Table(_PAIRS, columns, rows)


def _marked(context: ReportContext, mark: str) -> dict[str, Any]:
    """Return for each metric the models whose cell bears a mark."""
    return {
        metric: [row.label for row in context.rows if row.error is None and getattr(row.cells[column], mark)]
        for column, metric in enumerate(context.metrics)
    }


register_section(Section("models", _HEADING, order=10, build=build, label="Models"))
