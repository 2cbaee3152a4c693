"""The winner of a tuning as a config that ``train``, ``evaluate`` and ``compare`` take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.experiment.settings import ModelSpec
from recsys.files import atomic_write


def write_settings(spec: ModelSpec, provenance: Mapping[str, Any], path: Path) -> None:
    """Write a model as TOML: a ``[model]`` table, and above it in a comment where its values come from.

    Parameters
    ----------
    spec : ModelSpec
        A model that has a name, with the parameters that differ from its defaults.
    provenance : mapping of str to value
        A line each.
    path : Path
        An older file is replaced as a whole.
    """
    lines = [f"# {key}: {' '.join(str(value).split())}" for key, value in provenance.items()]
    lines += ["", "[model]", f"name = {_toml(spec.name)}"]
    lines += [f"{key} = {_toml(value)}" for key, value in spec.params.items() if value is not None]
    with atomic_write(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    """Return a value as TOML writes it; text is written as in JSON, which TOML reads alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True)
    return repr(value)
