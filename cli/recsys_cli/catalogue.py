"""``recsys models``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from recsys_cli import options
from recsys_cli.output import say, say_json, say_table


def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Show the parameters of this one.", show_default=False),
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
