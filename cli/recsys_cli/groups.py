"""Options that travel together: a class of them in a command's signature stands for one option each."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

_Command = TypeVar("_Command", bound=Callable[..., None])


def grouped(command: _Command) -> _Command:
    """Let a command take options in groups: each field of a dataclass in its signature is an option.

    Fields are annotated as parameters of commands are, or say of themselves (in their metadata) what
    `_annotation` needs.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type] = {}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if not is_dataclass(kind):
            flat.append(parameter.replace(annotation=kind))
            continue
        assert isinstance(kind, type)
        groups[name] = kind
        of_field = get_type_hints(kind, include_extras=True)
        flat += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=_annotation(field, of_field[field.name]),
            )
            for field in fields(kind)
        ]
    ordered = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in flat]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        whole = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        command(**values, **whole)

    run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    del run.__wrapped__
    return run  # type: ignore[return-value]


def _annotation(field: Field[Any], hint: Any) -> Any:
    """Return how a command takes a field: as it is annotated, or by what the field says of itself."""
    if "help" not in field.metadata:
        return hint
    if hint == tuple[str, ...] | None:
        hint = list[str] | None
    option = typer.Option(
        f"--{field.name.replace('_', '-')}",
        help=field.metadata["help"],
        rich_help_panel=field.metadata["panel"],
        show_default=field.metadata["shown"],
    )
    return Annotated[hint, option]
