"""All that the sections of a report are built from: measurements, never work still to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.data.rows import CompressedRows
from recsys.evaluation.list_profile import ListProfile
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.significance import PairTest
from recsys.factorization.history import History
from recsys.recommend.examples import UserExample
from recsys.recommend.theme_set import ThemeSet
from recsys.report.tables import Estimate


@dataclass(frozen=True)
class Row:
    """What was measured of one model.

    Attributes
    ----------
    label : str
    colour : int
        Number of its colour in the charts, 0 for the baseline.
    cells : tuple of Estimate
        One a metric.
    fit_seconds, score_seconds : float or None
    peak_bytes : int or None
    error : str or None
    model : str
        Its name on the command line.
    """

    label: str
    colour: int
    cells: tuple[Estimate, ...]
    fit_seconds: float | None
    score_seconds: float | None
    peak_bytes: int | None = None
    error: str | None = None
    model: str = ""


@dataclass(frozen=True, eq=False)
class ReportContext:
    """What is known of a comparison.

    Attributes
    ----------
    title, subtitle : str
    command : str
        What makes the report again.
    seed : int
        Of intervals and tests.
    answer : sequence of str
        Plain sentences, the most important first.
    remarks : sequence of str
    main_metric : str or None
        The one that puts the models in order.
    metrics : sequence of str
    rows : sequence of Row
        The models, the best first.
    pairs : sequence of PairTest
    measured : mapping of label to Measurements
        The models measured, the best first; on the first split, where there are several.
    log : Log
    train : Interactions
        Of the first split, as are the following.
    seen : CompressedRows, (n_measured_users, n_items)
        What is known of the users who are measured.
    held_out : HeldOut
    window : (first, last), optional
        The stretch of time that is held out, where one is.
    list_profiles : mapping of label to ListProfile
        Of the models at hand whose main metric has a curve.
    list_length : int
        Length of these lists.
    histories : mapping of label to History
        Of models that descend an objective.
    theme_sets : sequence of ThemeSet
        The first is that of the model behind the examples.
    examples : sequence of UserExample
    examples_intro : str
        Whose lists the examples are, and what that model was trained on.
    log_facts, split_facts : sequence of (name, value)
    configs : sequence of (label, mapping)
        Each model's parameters.
    provenance : sequence of (name, value)
        Time, machine, seeds, digests; each name once.
    versions : mapping of name to version
    plan : mapping of name to text
        The files that the command reads its settings from.
    record : mapping
        The comparison's record, which is part of JSON as it is.
    """

    title: str
    subtitle: str
    command: str
    seed: int
    answer: Sequence[str]
    remarks: Sequence[str]
    main_metric: str | None
    metrics: Sequence[str]
    rows: Sequence[Row]
    pairs: Sequence[PairTest]
    measured: Mapping[str, Measurements]
    log: Log
    train: Interactions
    seen: CompressedRows
    held_out: HeldOut
    window: Sequence[str | int] | None = None
    list_profiles: Mapping[str, ListProfile] = field(default_factory=dict)
    list_length: int = 0
    histories: Mapping[str, History] = field(default_factory=dict)
    theme_sets: Sequence[ThemeSet] = ()
    examples: Sequence[UserExample] = ()
    examples_intro: str = ""
    log_facts: Sequence[tuple[str, str]] = ()
    split_facts: Sequence[tuple[str, str]] = ()
    configs: Sequence[tuple[str, Mapping[str, Any]]] = ()
    provenance: Sequence[tuple[str, str]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
