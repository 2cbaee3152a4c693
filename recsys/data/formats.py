"""Formats known by name: one TOML file each, in ``datasets/formats/``.

An entry holds options of a log, as flags would: adding a format is adding a file.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.data.fetching import RemoteFile
from recsys.data.log_format import LogFormat
from recsys.errors import ParameterError
from recsys.resources import bundled

_FOLDER = "datasets"
_TEXTS = ("title", "address", "licence")


@dataclass(frozen=True)
class NamedFormat:
    """A format of the catalogue.

    Attributes
    ----------
    name, title : str
    address, licence : str
        Where files of this format come from, and under which terms; empty where they may come from anywhere.
    log_format : LogFormat
    remote : RemoteFile or None
        What is fetched; None where everybody must fetch it by hand, e.g. after agreeing to terms.
    """

    name: str
    title: str
    address: str
    licence: str
    log_format: LogFormat
    remote: RemoteFile | None = None


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def named(name: str) -> NamedFormat:
    """Return a format.

    Raises
    ------
    ParameterError
        If there is none of that name, or its file is not as expected.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise ParameterError(f"format is {name!r}; there are {', '.join(names())}.{meant}")
    path = _folder() / f"{name}.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = content.keys() - {*_TEXTS, "log", "file"}
    if unknown or "title" not in content or not isinstance(content.get("log"), dict):
        raise ParameterError(f"{path}: expected {', '.join(_TEXTS)} and a table [log].")
    return NamedFormat(
        name,
        content["title"],
        content.get("address", ""),
        content.get("licence", ""),
        LogFormat.of(**content["log"]),
        RemoteFile.of(content["file"], str(path)) if "file" in content else None,
    )


def filled(log_format: LogFormat) -> LogFormat:
    """Return a description whose named format is written out."""
    if log_format.format is None:
        return log_format
    return replace(log_format, format=None).over(named(log_format.format).log_format)


def _folder() -> Path:
    return bundled(_FOLDER) / "formats"
