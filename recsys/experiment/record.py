"""A whole comparison as one object, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recsys.evaluation.pair_tests import PairTests
from recsys.evaluation.significance import interval
from recsys.experiment.comparison import Result
from recsys.experiment.prepared_split import PreparedSplit
from recsys.files import atomic_write
from recsys.report.answer import sentences


def comparison_record(
    results: Sequence[Result],
    splits: Sequence[PreparedSplit],
    *,
    seed: int,
    tests: PairTests | None = None,
) -> dict[str, Any]:
    """Return what ``compare --json`` prints.

    Parameters
    ----------
    results : sequence of Result
    splits : sequence of PreparedSplit
    seed : int
        Of intervals and tests.
    tests : PairTests, optional
        Of the same results and seed, where they are made already.

    Returns
    -------
    dict
        ``results``, each with its ``intervals`` by metric; ``comparisons``, the tests of all pairs on
        all metrics of users; ``answer``, sentences; ``split``, and ``splits`` if there are several.
    """
    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    tests = tests or PairTests(measured, seed=seed)
    names = list(next(iter(measured.values())).metrics) if measured else []
    records = []
    for result in results:
        record = result.to_json()
        if (values := result.measurements) is not None:
            spans = {name: interval(values, name, seed=seed) for name in names}
            record["intervals"] = {name: [i.low, i.high] for name, i in spans.items() if i is not None}
        records.append(record)
    whole: dict[str, Any] = {
        "results": records,
        "comparisons": [asdict(test) for name in names for test in tests.on(name)],
        "answer": sentences(tests),
        "split": splits[0].split.to_json(),
    }
    if len(splits) > 1:
        whole["splits"] = [prepared.split.to_json() for prepared in splits]
    return whole


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write a record as JSON; an older file at that partial is replaced as a whole."""
    with atomic_write(path) as partial:
        partial.write_text(
            json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False, default=str), encoding="utf-8"
        )
