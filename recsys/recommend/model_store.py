"""A folder with versions of one model, of which one is in use."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Integral
from pathlib import Path

from recsys.errors import BundleError, ParameterError
from recsys.files import atomic_write, atomic_write_folder, clear_parts
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import save_bundle
from recsys.recommend.model_pointer import POINTER, is_store, model_folder


@dataclass(frozen=True)
class ModelStore:
    """A folder with versions of one model, named by when they were made, and a pointer to the one in use.

    ::

        models/current                 the name of the version in use
        models/2026-11-26T10-40-12Z/   a bundle

    The pointer is a file that is replaced as a whole: who loads ``models`` gets the old version or the new
    one, at every moment.

    Attributes
    ----------
    folder : Path

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import recsys
    >>> bundle = recsys.train("popularity", pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = recsys.ModelStore(folder)
    ...     store.use(store.add(bundle))
    ...     len(store.versions()), recsys.load_bundle(folder).model.name
    (1, 'popularity')
    """

    folder: Path

    def __post_init__(self) -> None:
        folder = Path(self.folder).expanduser()
        object.__setattr__(self, "folder", folder)
        if (folder / "model.json").exists():
            raise BundleError(
                f"{folder} is a single model; versions are kept in a folder of their own, give another one."
            )
        if folder.exists() and not folder.is_dir():
            raise BundleError(f"{folder} is a file; expected a folder for versions of a model.")
        if folder.is_dir() and not is_store(folder) and any(folder.iterdir()) and not self.versions():
            raise BundleError(f"{folder} holds other things than versions of a model; give another folder.")

    def versions(self) -> tuple[str, ...]:
        """Return the names of the versions, oldest first."""
        if not self.folder.is_dir():
            return ()
        return tuple(
            sorted(
                entry.name
                for entry in self.folder.iterdir()
                if not entry.name.startswith(".") and (entry / "model.json").is_file()
            )
        )

    @property
    def current(self) -> str | None:
        """The version in use; None where none was chosen yet."""
        return model_folder(self.folder).name if is_store(self.folder) else None

    def add(self, bundle: Bundle | Path) -> str:
        """Write a bundle, or copy the folder of one, as a new version, and return its name.

        It is not in use yet; see `use`.
        """
        clear_parts(self.folder)
        name = self._new_name()
        if isinstance(bundle, Bundle):
            save_bundle(bundle, self.folder / name)
        else:
            with atomic_write_folder(self.folder / name) as partial:
                for file in bundle.iterdir():
                    if file.is_file():
                        shutil.copyfile(file, partial / file.name)
        return name

    def use(self, version: str) -> None:
        """Let the pointer name a version.

        Raises
        ------
        BundleError
            If there is none of that name.
        """
        if version not in self.versions():
            there = ", ".join(self.versions()) or "none"
            raise BundleError(f"{self.folder} has no version {version!r}; there are {there}.")
        with atomic_write(self.folder / POINTER) as partial:
            partial.write_text(f"{version}\n", encoding="utf-8")

    def prune(self, keep: int) -> tuple[str, ...]:
        """Delete the oldest versions beyond so many, never the one in use; return their names.

        Raises
        ------
        ParameterError
            If ``keep`` is below 1.
        """
        check_keep(keep)
        for half_deleted in self.folder.glob(".*.deleted"):
            shutil.rmtree(half_deleted, ignore_errors=True)
        current = self.current
        superfluous = [name for name in self.versions()[:-keep] if name != current]
        for name in superfluous:
            # Renamed first: a version that is half deleted is no longer found.
            doomed = self.folder / f".{name}.deleted"
            (self.folder / name).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        return tuple(superfluous)

    def _new_name(self) -> str:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        known, name, count = set(self.versions()), now, 1
        while name in known:
            count += 1
            name = f"{now}-{count}"
        return name


def check_keep(keep: object) -> None:
    """Raise ParameterError unless ``keep`` is a number of versions."""
    if isinstance(keep, bool) or not isinstance(keep, Integral) or keep < 1:
        raise ParameterError(f"keep is {keep!r:.80}; expected a number of versions, 1 or more.")
