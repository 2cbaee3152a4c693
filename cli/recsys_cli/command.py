"""A command: help with examples and short types, and no option that silently overrides itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from recsys_cli.examples import EXAMPLES

# What stands beside an option whose value has no name of its own.
_VALUES = {"int": "N", "float": "X", "Path": "PATH", "path": "PATH", "str": "TEXT"}


class Command(TyperCommand):
    """A command of ``recsys``."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        examples = EXAMPLES.get(name or "", ())
        if examples:
            self.epilog = "Examples:\n" + "\n".join(f"  {example}" for example in examples)
        for parameter in self.params:
            if isinstance(parameter, TyperOption) and parameter.metavar is None:
                parameter.metavar = _value_name(parameter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given twice where its last value would win."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        given = Counter(id(parameter) for parameter in order if isinstance(parameter, TyperOption))
        for parameter in self.params:
            if given[id(parameter)] > 1 and not parameter.multiple:
                ctx.fail(f"{parameter.opts[0]} is given {given[id(parameter)]} times; give it once.")
        return super().parse_args(ctx, args)


def _value_name(option: TyperOption) -> str | None:
    if option.is_flag:
        return ""
    described = option.type_descriptor
    return None if described.is_choice else _VALUES.get(option.bare_type().removeprefix("list[").rstrip("]"))
