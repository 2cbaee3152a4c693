"""Where a trained model goes: a folder of its own, or one of versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recsys.errors import OutputError, ParameterError
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import check_place, rescued, save_bundle
from recsys.recommend.model_pointer import is_store
from recsys.recommend.model_store import ModelStore
from recsys_cli.output import say


@dataclass(frozen=True)
class Written:
    """Where a model was written.

    Attributes
    ----------
    folder : Path
    store : ModelStore or None
        Where it is a version.
    deleted : tuple of str
        Versions that went.
    """

    folder: Path
    store: ModelStore | None = None
    deleted: tuple[str, ...] = ()

    @property
    def is_in_use(self) -> bool:
        """Whether who loads the folder of versions gets this one."""
        return self.store is None or self.store.current == self.folder.name

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        record: dict[str, Any] = {"out": str(self.folder)}
        if self.store is not None:
            record |= {"version": self.folder.name, "current": self.store.current, "deleted": self.deleted}
        return record

    def say(self) -> None:
        """Print where it is, and what may come next."""
        if self.deleted:
            say(f"Deleted older versions: {', '.join(self.deleted)}")
        if self.is_in_use:
            whole = self.folder if self.store is None else self.store.folder
            say(f"Model in {self.folder}. Next: recsys recommend {whole} --all-users --out lists.csv")
            return
        assert self.store is not None
        say(
            f"Candidate in {self.folder}, not in use. Next: recsys model promote {self.folder} "
            f"{self.store.folder} --gate ndcg@10 --on NEWLOG"
        )


@dataclass(frozen=True)
class Destination:
    """Where a model is to be written.

    Attributes
    ----------
    folder : Path
    store : ModelStore or None
        Where it is to be a version.
    keep : int or None
        How many versions stay.
    candidate : bool
        Whether it does not come into use.
    """

    folder: Path
    store: ModelStore | None
    keep: int | None
    candidate: bool

    @classmethod
    def of(cls, folder: Path, *, keep: int | None, candidate: bool) -> Destination:
        """Check a place before anything is trained.

        Raises
        ------
        BundleError
            If something else is there.
        """
        folder = folder.expanduser()
        if is_store(folder) or keep is not None or (candidate and not (folder / "model.json").exists()):
            return cls(folder, ModelStore(folder), keep, candidate)
        if candidate:
            raise ParameterError(
                f"--candidate adds a version, and {folder} is a single model; give a folder of versions."
            )
        check_place(folder)
        return cls(folder, None, keep, candidate)

    @property
    def checkpoint(self) -> Path:
        """Where a fit keeps where it stands: beside the model."""
        place = self.folder if self.folder.name not in ("", "..") else self.folder.resolve()
        return place.with_name(f"{place.name}.checkpoint")

    def write(self, bundle: Bundle, *, interrupted: bool = False) -> Written:
        """Write a bundle; one whose training was interrupted takes no whole model's place."""
        store = self.store
        if store is None:
            place = self.folder
            if interrupted and (place / "model.json").exists():
                place = place.resolve()
                place = place.with_name(f"{place.name}.interrupted")
            _kept(bundle, place, lambda: save_bundle(bundle, place))
            return Written(place)
        version = _kept(bundle, self.folder, lambda: store.add(bundle))
        if not (self.candidate or interrupted):
            store.use(version)
        deleted = () if self.keep is None else store.prune(self.keep)
        return Written(store.folder / version, store, deleted)


_Value = TypeVar("_Value")


def _kept(bundle: Bundle, folder: Path, write: Callable[[], _Value]) -> _Value:
    """Write a model; where that fails, keep it elsewhere and say where."""
    try:
        return write()
    except OutputError as error:
        kept = rescued(bundle, folder)
        where = (
            "There is no room for it elsewhere either: the trained model is lost."
            if kept is None
            else f"The trained model is whole in {kept}: move it from there."
        )
        raise OutputError(f"{error} {where}") from error
