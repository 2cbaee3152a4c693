"""What several commands read of their options. Imported inside commands, since it is not light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.columns import is_rating
from recsys.data.loaded_log import LoadedLog
from recsys.data.log_format import LogFormat
from recsys.errors import ParameterError
from recsys.experiment.given_logs import LogPlan
from recsys.experiment.plan import Run, read_run
from recsys.experiment.settings import AUTO, ModelSpec, specs_from_flags
from recsys.experiment.tuning.space import parse_searches

if TYPE_CHECKING:
    from recsys.data.ids import Id, Ids
    from recsys.recommend.bundle import Bundle
    from recsys.recommend.rules import Rules
    from recsys_cli.rule_options import RuleOptions


def history_of(text: str) -> list[str] | dict[str, float]:
    """Read items, or items with values, from ``A,B,C`` or ``A=5,B=3``; an id may hold no comma."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ParameterError("--history names no item; expected e.g. A,B,C.")
    if not all("=" in part for part in parts):
        return parts
    values: dict[str, float] = {}
    for part in parts:
        item, _, value = part.rpartition("=")
        try:
            values[item] = float(value)
        except ValueError:
            raise ParameterError(f"--history {part!r}: {value!r} is no number; expected e.g. A=5.") from None
    return values


def log_plan(source: Any, read_as: LogFormat, items: Path | None) -> LogPlan:
    """Return the plan of a log whose names of items are read along."""
    if items is None and (read_as.item_id or read_as.item_name):
        raise ParameterError("--item-id and --item-name name columns of --items; give --items too.")
    return LogPlan(source, read_as, items)


def format_of(flags: Mapping[str, Any]) -> LogFormat:
    """Return how a log is to be read, from all flags of a command."""
    return LogFormat.of(**{part.name: flags[part.name] for part in fields(LogFormat)})


def run_of(flags: Mapping[str, Any], configs: Sequence[Path], *, command: str) -> tuple[Run, LogFormat]:
    """Join flags with the file of a run, and return how its log is to be read, too."""
    run = read_run(flags, configs, command=command)
    return run, format_of(run.flags)


def columns_used(loaded: LoadedLog, feedback: str | None) -> str:
    """Say which columns were read as what, and why the log is taken for ratings or for amounts."""
    columns = loaded.columns
    named = {"user": columns.user, "item": columns.item, "value": columns.value, "time": columns.time}
    used = ", ".join(f"{role} = {name}" for role, name in named.items() if name is not None)
    kind = loaded.log.feedback
    if feedback is not None:
        why = "as given"
    elif columns.value is None:
        why = "no value column: each row counts 1"
    elif kind == "explicit" and not is_rating(columns.value):
        why = "as the format says"
    elif kind == "explicit":
        why = f"{columns.value!r} is a name for ratings"
    else:
        why = f"{columns.value!r} is taken for amounts; --feedback explicit if it holds ratings"
    return f"{used}; {kind} feedback ({why})"


def one_spec(
    model: str | None,
    assignments: Sequence[str] | None,
    configs: Sequence[Path],
    planned: Sequence[ModelSpec] = (),
) -> ModelSpec:
    """Return the one model that --model or --config names, or else the one of a file of the run."""
    if model is not None and configs:
        raise ParameterError("both --model and --config are given; choose one.")
    if model is None and not configs and len(planned) > 1:
        names = ", ".join(spec.title for spec in planned)
        raise ParameterError(f"the config names {len(planned)} models ({names}); choose one by --model.")
    chosen = [spec for spec in planned if model in (None, spec.title, spec.name)][:1] if not configs else []
    specs = specs_from_flags(
        [] if model is None or chosen else [model],
        assignments or [],
        configs,
        default=[AUTO],
        planned=chosen,
    )
    if len(specs) > 1:
        raise ParameterError(
            f"--set gives {len(specs)} settings; expected one. 'recsys compare' takes several."
        )
    return specs[0]


def searches_of(assignments: Sequence[str], models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return where parameters are searched, by model, from ``KEY=WHERE`` or ``MODEL.KEY=WHERE``."""
    by_model: dict[str, dict[str, Any]] = {}
    for key, where in parse_searches(assignments).items():
        owner, dot, name = key.rpartition(".")
        if not dot and len(models) > 1:
            raise ParameterError(
                f"--set {key}: there are {len(models)} models; say which, e.g. {models[0]}.{key}=..."
            )
        by_model.setdefault(owner or models[0], {})[name] = where
    return by_model


def rules_of(
    rule_options: RuleOptions,
    *,
    items: Path | None,
    item_id: str | None,
    item_category: str | None,
    include_seen: bool = False,
    bought_before: bool = False,
) -> Rules | None:
    """Return the rules that flags give, None where they give none."""
    from recsys.recommend.id_files import read_rules
    from recsys.recommend.rules import Rules

    by_category = [
        flag
        for flag, value in (
            ("--only-category", rule_options.only_category),
            ("--never-category", rule_options.never_category),
            ("--most-per-category", rule_options.most_per_category),
            ("--calibration", rule_options.calibration),
        )
        if value
    ]
    if by_category and (items is None or item_category is None):
        raise ParameterError(
            f"{by_category[0]} needs the categories of items; give --items FILE and --item-category COLUMN."
        )
    rules = read_rules(
        exclude=rule_options.exclude,
        only=rule_options.only,
        items=items if by_category else None,
        item_id=item_id,
        item_category=item_category,
        only_categories=tuple(rule_options.only_category or ()),
        never_categories=tuple(rule_options.never_category or ()),
        most_per_category=rule_options.most_per_category,
        least_users=rule_options.least_users,
        sold_since=rule_options.sold_since,
        diversity=rule_options.diversity,
        calibration=rule_options.calibration,
        popularity_discount=rule_options.popularity_discount,
        pool=rule_options.pool,
        include_seen=include_seen,
        bought_before=bought_before,
    )
    return None if replace(rules, pool=Rules.pool) == Rules() else rules


_MOST_COMPARED = 200_000  # ids that are looked through for one that may be meant


def as_in_log(ids: Ids, users: Sequence[str]) -> list[str]:
    """Return ids of users as they stand in the log, where blanks around them or ".0" is all that differs."""
    spelled = list(users)
    for number, row in enumerate(ids.rows(spelled).tolist()):
        if row >= 0:
            continue
        bare = spelled[number].strip()
        forms = [bare, bare.removesuffix(".0"), f"{bare}.0"]
        known = [form for form, own in zip(forms, ids.rows(forms).tolist(), strict=True) if own >= 0]
        if known:
            spelled[number] = known[0]
    return spelled


def close_to(ids: Ids, user: Id) -> list[str]:
    """Return at most two ids that may be meant by one that is not known."""
    import difflib

    if len(ids) > _MOST_COMPARED:
        return []
    return difflib.get_close_matches(str(user), [str(known) for known in ids], n=2, cutoff=0.8)


def known_histories(bundle: Bundle, path: Path) -> tuple[dict[Id, Any], str]:
    """Read histories from a file, and leave out items that the model does not know; return what to note."""
    from recsys.recommend.id_files import histories_in

    histories = histories_in(path)
    listed = list(dict.fromkeys(item for history in histories.values() for item in history))
    rows = bundle.item_ids.rows(listed).tolist()
    unknown = {item for item, row in zip(listed, rows, strict=True) if row < 0}
    if not unknown:
        return dict(histories), ""
    known: dict[Id, Any] = {
        user: {item: value for item, value in history.items() if item not in unknown}
        if isinstance(history, dict)
        else tuple(item for item in history if item not in unknown)
        for user, history in histories.items()
    }
    few = ", ".join(map(str, sorted(map(str, unknown))[:3])) + (", ..." if len(unknown) > 3 else "")
    return known, f"{len(unknown):,} of {len(listed):,} items are not known to the model ({few})"
