"""The bundle that answers, and the change to a new one without a request lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from recsys.data.ids import Id
from recsys.errors import BundleError, RecsysError
from recsys.files import current_folder
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle
from recsys.recommend.model_pointer import model_folder
from recsys.recommend.rules import Rules
from recsys.recommend.theme_map import ThemeMap, theme_map
from recsys.recommend.themes import Theme, themes
from recsys.service.cache import AnswerCache
from recsys.service.item_search import ItemSearch
from recsys.service.metrics import Metrics
from recsys.typing import Float64Array

Categories: TypeAlias = Mapping[Id, Sequence[str]]
_N_ACTIVE = 5
NO_CATEGORIES: Categories = MappingProxyType({})
_log = logging.getLogger("recsys.service")


@dataclass(frozen=True, eq=False)
class Served:
    """A bundle that answers, with what was answered before.

    Attributes
    ----------
    bundle : Bundle
    answers : AnswerCache
    categories : mapping of item's id to sequence of str
        What rules on categories go by where a request brings none.
    since : str
        When it was loaded, UTC.
    """

    bundle: Bundle
    answers: AnswerCache
    categories: Categories = field(default_factory=dict)
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def digest(self) -> str:
        """Digest of the data it was trained on, shortened."""
        return str(self.bundle.training.get("digest", ""))[:12]

    @cached_property
    def most_active(self) -> list[Id]:
        """The users with most entries, a handful: some to look at first."""
        return users_by_activity(self.bundle, _N_ACTIVE)

    @cached_property
    def themes(self) -> list[Theme]:
        """All themes with their strongest items; see `recsys.recommend.themes.themes`."""
        return themes(self.bundle)

    @cached_property
    def theme_map(self) -> ThemeMap:
        """Families of themes and how alike they are."""
        return theme_map(self.bundle, users=[], items=[])

    @cached_property
    def theme_likeness(self) -> Float64Array:
        """Cosine of every two themes' items, (n_components, n_components)."""
        assert self.bundle.theme_items is not None
        return self.bundle.theme_items.similarities().clip(0, 1)

    @cached_property
    def search(self) -> ItemSearch:
        """Items by name."""
        return ItemSearch.of(self.bundle)


def users_by_activity(bundle: Bundle, most: int) -> list[Id]:
    """Return users by their number of entries, most first; ties fall to the lower row."""
    order = np.argsort(-bundle.seen.counts, kind="stable")[:most]
    return [bundle.user_ids[row] for row in order.tolist()]


class Serving:
    """The bundle in use; a new one at its place is checked, tried and then takes over.

    Requests that began with the old bundle end with it. One that cannot be loaded is told of in the log and
    in the metrics, and the old one goes on.

    Parameters
    ----------
    folder : Path
    cache_size : int
        Answers kept of each bundle.
    metrics : Metrics
    role : {"main", "beside"}
        Which of the bundles of a service it is, for the metrics.
    mapped : bool
        Whether arrays are mapped; see `recsys.load_bundle`.
    categories : mapping of item's id to sequence of str
        See `Served`.

    Raises
    ------
    BundleError
        If the first one cannot be loaded.
    """

    def __init__(
        self,
        folder: Path,
        cache_size: int,
        metrics: Metrics,
        role: str = "main",
        *,
        mapped: bool = False,
        categories: Categories = NO_CATEGORIES,
    ) -> None:
        self._role = role
        self._folder, self._cache_size, self._metrics = folder.expanduser(), cache_size, metrics
        self._mapped, self._categories = mapped, categories
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None
        self._stamp = _stamp(self._folder)
        self.now = self._loaded()

    def _loaded(self) -> Served:
        bundle = load_bundle(self._folder, mapped=self._mapped)
        _warm_up(bundle)
        served = Served(bundle, AnswerCache(self._cache_size), self._categories)
        _ = served.search
        self._metrics.model_loaded(self._role, bundle.model.name, served.digest)
        return served

    def look(self) -> bool:
        """Take over a new bundle if there is one, and return whether there was one that could be loaded."""
        stamp = _stamp(self._folder)
        if stamp == self._stamp or stamp is None:
            return False
        self._stamp = stamp
        try:
            served = self._loaded()
        except (RecsysError, OSError, MemoryError) as error:
            self._metrics.reloads.labels("refused").inc()
            _log.error("the new bundle is refused, the old one goes on: %s", error)
            return False
        self.now = served
        self._metrics.reloads.labels("done").inc()
        _log.info("a new bundle answers: %r", served.bundle)
        return True

    def watch(self, seconds: float) -> None:
        """Look for a new bundle every so many seconds, in a thread of its own, until `end`."""

        def run() -> None:
            while not self._ended.wait(seconds):
                self.look()

        self._watcher = threading.Thread(target=run, name="recsys-reload", daemon=True)
        self._watcher.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        if self._watcher is not None:
            self._watcher.join(timeout=10)


def _warm_up(bundle: Bundle) -> None:
    """Ask for what requests ask for: kernels are compiled, and caches made, before anybody waits."""
    if not len(bundle.user_ids):
        return
    user, categories = [bundle.user_ids[0]], {bundle.item_ids[0]: "any"}
    bundle.recommend(user, reasons=1)
    rules = Rules(
        categories=categories, most_per_category=1, diversity=0.1, calibration=0.1, popularity_discount=0.1
    )
    bundle.recommend(user, rules=rules)
    columns, values = bundle.seen.row(0)
    if bundle.model.folds_in and len(columns):
        history = {bundle.item_ids[int(columns[0])]: float(values[0])}
        bundle.recommend_for_each({"": history}, reasons=1)


def _stamp(folder: Path) -> tuple[int, int, int] | None:
    """Return what tells one bundle at a place from the next; None while there is none."""
    try:
        status = (current_folder(model_folder(folder.resolve())) / "model.json").stat()
    except (OSError, BundleError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
