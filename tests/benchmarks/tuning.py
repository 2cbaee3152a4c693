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


def at_rank(settings: Settings, rank: int) -> Settings:
    """Return the settings of a model at a rank: of a table of its own where there is one."""
    own = settings.get(str(rank))
    return own if own is not None else {key: v for key, v in settings.items() if not isinstance(v, dict)}


def save(name: str, head: str, tables: dict[str, Settings]) -> None:
    """Write tables ``{"1m.libmf-nmf": {"l2": 0.05}}``, with a comment on top."""
    lines = [f"# {line}" for line in head.splitlines()]
    flat: dict[str, Settings] = {}
    for table, settings in tables.items():
        flat[table] = {key: value for key, value in settings.items() if not isinstance(value, dict)}
        flat |= {f"{table}.{key}": value for key, value in settings.items() if isinstance(value, dict)}
    for table, settings in sorted(flat.items()):
        lines += ["", f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    (_HERE / name).write_text("\n".join(lines) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; an absent one is empty."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
