"""What people call the themes of a model: a TOML file in the folder of the model, to be edited by hand."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from recsys.errors import BundleError

FILE = "themes.toml"
_HEAD = "# What the themes of this model are called. Edit the texts; leave out what needs no name.\n"


def read_labels(folder: Path, n_themes: int) -> dict[int, str]:
    """Return labels by number of the theme, from 1; none where the folder has no such file.

    Raises
    ------
    BundleError
        If the file is no TOML, or names something that is no theme.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: {error}; correct the file, or delete it.") from error
    unknown = [key for key in content if key != "themes"]
    entries = content.get("themes", {})
    if unknown or not isinstance(entries, dict):
        raise BundleError(f"{path}: expected one table, [themes]; found {', '.join(unknown) or 'a value'}.")
    labels = {}
    for key, text in entries.items():
        if not key.isdecimal() or not 1 <= int(key) <= n_themes:
            raise BundleError(f"{path}: there is no theme {key!r}; they run from 1 to {n_themes}.")
        if not isinstance(text, str):
            raise BundleError(f"{path}: theme {key} is called {text!r}; expected text.")
        if text.strip():
            labels[int(key)] = text.strip()
    return labels


def labels_text(names: Mapping[int, str]) -> str:
    """Return the file that names themes so."""
    lines = [f"{number} = {json.dumps(name, ensure_ascii=False)}" for number, name in sorted(names.items())]
    return _HEAD + "\n[themes]\n" + "\n".join(lines) + "\n"
