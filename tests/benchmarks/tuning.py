"""Grids and chosen settings, both kept in TOML files beside this one."""

from __future__ import annotations

import itertools
import json
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

Settings: TypeAlias = dict[str, Any]
_HERE = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """Read a TOML file of this folder; an absent one is empty."""
    path = _HERE / name
    return tomllib.loads(path.read_text()) if path.exists() else {}


def combinations(grid: dict[str, list[Any]]) -> list[Settings]:
    """Return all combinations of a grid."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def save(name: str, head: str, tables: dict[str, Settings]) -> None:
    """Write tables ``{"1m.libmf-nmf": {"l2": 0.05}}``, with a comment on top."""
    lines = [f"# {line}" for line in head.splitlines()]
    for table, settings in sorted(tables.items()):
        lines += ["", f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    (_HERE / name).write_text("\n".join(lines) + "\n")
