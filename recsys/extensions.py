"""Code of users' own: modules that register models, metrics, split rules or report sections."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from recsys.errors import ParameterError


def import_extension(name: str) -> ModuleType:
    """Import a module by name, from the current folder where it is not installed.

    Raises
    ------
    ParameterError
        If there is no such module, or it cannot be imported.
    """
    try:
        with _current_folder_importable():
            return importlib.import_module(name)
    except (ImportError, ValueError) as error:
        raise ParameterError(
            f"the module {name!r} cannot be imported ({error}); expected a dotted name, such as "
            f"my_package.my_module, installed or in the current folder."
        ) from error


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    """Let modules of the current folder be imported, after all others: none takes a package's place."""
    folder = str(Path.cwd())
    known = folder in sys.path or "" in sys.path
    if not known:
        sys.path.append(folder)
    try:
        yield
    finally:
        if not known:
            sys.path.remove(folder)
