"""``recsys models``, ``recsys metrics`` and ``recsys splits``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from recsys.evaluation.metrics import MetricDefinition


def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show the parameters of this one.", show_default=False),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the models, or the parameters of one with their defaults."""
    from recsys.models.registry import MODELS, about

    if name is None:
        known = [about(each) for each in MODELS]
        if json:
            say_json({"models": known})
            return
        say_table(["model", "what it is"], [[model["name"], model["summary"]] for model in known], left=2)
        say("Parameters of one: recsys models NAME")
        return
    model = about(name)
    if json:
        say_json(model)
        return
    say(f"{model['name']}: {model['summary']}")
    able = {
        "predicts_values": ("predicts ratings (rmse, mae)", "ranks, but predicts no ratings"),
        "has_themes": ("has themes that explain its lists", "has no themes"),
        "folds_in": ("takes in users it was not trained on", "knows only the users it was trained on"),
    }
    for key, (yes, no) in able.items():
        say(f"  {yes if model[key] else no}")
    if model["parameters"]:
        say_table(
            ["parameter", "default", "what it does"],
            [[one["name"], _plain(one["default"]), _help(one)] for one in model["parameters"]],
            left=3,
        )
        say(f"Set one: --model {name} --set {model['parameters'][0]['name']}=VALUE")
    else:
        say("  has no parameters")


def _plain(value: Any) -> str:
    """Return a value as --set takes it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _help(parameter: dict[str, Any]) -> str:
    """Return what a parameter does and, if it is a choice, among what."""
    choices = parameter["choices"]
    return f"{parameter['help']} ({', '.join(choices)})" if choices else str(parameter["help"])


def metrics(json: options.Json = False) -> None:
    """List the metrics with what they mean; those with @k take a length of the list, as ndcg@10."""
    from recsys.evaluation.metrics import MetricDefinition, registered

    known = registered(MetricDefinition)
    if json:
        say_json({"metrics": [_about_metric(metric) for metric in known.values()]})
        return
    better = {True: "more", False: "less", None: "-"}
    say_table(
        ["metric", "better", "what it is"],
        [
            [f"{name}@k" if metric.takes_k else name, better[metric.higher_is_better], metric.definition]
            for name, metric in known.items()
        ],
        left=3,
    )
    say("With -gap, as ndcg-gap@10 or auc-gap: how far the means of groups of users lie apart.")


def _about_metric(metric: MetricDefinition) -> dict[str, Any]:
    return {
        "name": metric.name,
        "definition": metric.definition,
        "higher_is_better": metric.higher_is_better,
        "takes_k": metric.takes_k,
        "has_gap": metric.is_of_users,
    }


def splits(json: options.Json = False) -> None:
    """List the rules that hold out a part of a log, as --split takes them."""
    from recsys.splitting.rules import split_rules

    forms = [(rule, form) for rule in split_rules().values() for form in rule.forms]
    if json:
        say_json({"splits": [{"rule": rule.name, **asdict(form)} for rule, form in forms]})
        return
    say_table(["split", "what it holds out"], [[form.written, form.definition] for _, form in forms], left=2)
    drawn = ", ".join(rule.name for rule in split_rules().values() if rule.can_repeat)
    say(f"Rules that draw ({drawn}) repeat with xN at the end, as random:0.2x3.")
