"""Checkpoints: where a fit stands, kept on disk, so that one whose process ended goes on to the same bits.

A fit is made of parts: several starts, or the models that a hybrid adds. Each part keeps its state under its
name, and the file holds the newest state of all of them::

    Checkpoint     the file, how often it is written, whether a fit goes on from it
    Keeper         what a fit is handed while it is open: takes states, gives back those that were read
    FitState       where one part stands: what is ready for JSON, and named arrays
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recsys._version import __version__
from recsys.array_files import arrays_in, read_content, write_arrays
from recsys.errors import InputError, OutputError, ParameterError, RecsysError
from recsys.files import atomic_write, clear_place, reserved
from recsys.typing import AnyArray

FORMAT = 1
_RECORD = "checkpoint"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MOST = 10**9


@dataclass(frozen=True, eq=False)
class FitState:
    """Where a part of a fit stands.

    Attributes
    ----------
    record : mapping
        Ready for JSON.
    arrays : mapping of str to array
    is_final : bool
        Whether the part is done, and this is what it came to.
    """

    record: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, AnyArray] = field(default_factory=dict)
    is_final: bool = False


@dataclass
class Checkpoint:
    """A file that keeps where a fit stands, to go on from after the process was killed.

    Parameters
    ----------
    path : str or Path
        The file. A fit holds its place while it runs, and leaves the file there: `remove` it once the model
        is saved.
    every : int or str
        How often it is written: a number of iterations, or a time such as "60s", "5m" or "1h".
    resume : bool
        Whether a fit goes on from what is in the file; without a file it begins. Otherwise it begins anew,
        and its first checkpoint takes the place of an older one.

    Raises
    ------
    ParameterError
        If ``every`` is neither.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from recsys import Checkpoint, MaskedNMF
    >>> ratings = np.array([[5, 4, np.nan], [4, np.nan, 1], [np.nan, 1, 5]])
    >>> checkpoint = Checkpoint(Path(tempfile.mkdtemp()) / "fit.checkpoint", every=5, resume=True)
    >>> model = MaskedNMF(2, max_iter=12, tol=0.0).fit(ratings, checkpoint=checkpoint)
    >>> again = MaskedNMF(2, max_iter=12, tol=0.0).fit(ratings, checkpoint=checkpoint)  # its last two sweeps
    >>> bool((model.components_ == again.components_).all())
    True
    >>> checkpoint.remove()
    """

    path: Path
    every: int | str = "60s"
    resume: bool = False
    seconds_before: float = field(default=0.0, init=False)
    """How long the fit had taken before it was resumed."""

    def __post_init__(self) -> None:
        self.path = Path(self.path).expanduser()
        self._interval = _interval(self.every)

    @contextmanager
    def opened(self, fit: Mapping[str, Any]) -> Iterator[Keeper]:
        """Hold the place during a fit, and give what keeps its states.

        Parameters
        ----------
        fit : mapping
            What the fit is of, ready for JSON: a checkpoint of another one is refused.

        Raises
        ------
        InputError
            If the file is no checkpoint, is not whole, or is of another fit or version.
        OutputError
            If nothing can be written there, or another process is at it.
        """
        fit = json.loads(json.dumps(fit))  # as it comes back from the file
        with reserved(self.path, wait=0.5):
            clear_place(self.path)  # a fit that was all but done when it was killed writes no state anew
            seconds, states = 0.0, dict[str, FitState]()
            if self.resume and self.path.exists():
                seconds, states = _read(self.path, fit)
            self.seconds_before = seconds
            yield Keeper(_Store(self.path, self._interval, fit, states, seconds))

    def remove(self) -> None:
        """Delete the file, if there is one: what was fitted is kept elsewhere by now."""
        self.path.unlink(missing_ok=True)


class Keeper:
    """Takes the states of a fit's parts, and gives back those that were kept; by itself it keeps nothing."""

    def __init__(self, store: _Store | None = None, prefix: str = "") -> None:
        self._store, self._prefix = store, prefix

    def part(self, name: str) -> Keeper:
        """Return a keeper for a fit inside this one, whose parts go by names of their own."""
        return Keeper(self._store, f"{self._prefix}{name}/")

    @contextmanager
    def opened(self, fit: Mapping[str, Any]) -> Iterator[Keeper]:
        """Give itself: a fit inside another is part of what that one is of."""
        yield self

    @property
    def seconds_before(self) -> float:
        """How long the whole fit had taken before it was resumed."""
        return 0.0 if self._store is None else self._store.seconds_before

    def state_of(self, part: str) -> FitState | None:
        """Return what was kept of a part, or None."""
        return None if self._store is None else self._store.states.get(self._prefix + part)

    def keep(self, part: str, state: Callable[[], FitState]) -> None:
        """Note that a part is an iteration further; its state is asked for where it is time to write."""
        if self._store is not None and self._store.is_due():
            self._store.states[self._prefix + part] = state()
            self._store.write()

    def finish(self, part: str, state: Callable[[], FitState]) -> None:
        """Note what a part came to: it is kept from now on, whenever it is time to write."""
        if self._store is not None:
            self._store.states[self._prefix + part] = state()
            if self._store.is_due():
                self._store.write()


KEEPS_NOTHING = Keeper()
GivenCheckpoint: TypeAlias = Checkpoint | Keeper | None
"""What a fit is given: a file, or its part of the fit that it is inside of."""


def opened(
    checkpoint: GivenCheckpoint, fit: Callable[[], Mapping[str, Any]]
) -> AbstractContextManager[Keeper]:
    """Open what a fit was given; None gives what keeps nothing, and ``fit`` is then not asked for."""
    if checkpoint is None:
        return nullcontext(KEEPS_NOTHING)
    return checkpoint.opened({} if isinstance(checkpoint, Keeper) else fit())


class _Store:
    """The states of a fit in memory, and when they are written."""

    def __init__(
        self,
        path: Path,
        interval: tuple[float, float],
        fit: Mapping[str, Any],
        states: dict[str, FitState],
        seconds_before: float,
    ) -> None:
        self.states, self.seconds_before = states, seconds_before
        self._path, self._fit = path, fit
        self._iterations, self._seconds = interval
        self._n_since, self._began = 0, time.monotonic()
        self._written = self._began

    def is_due(self) -> bool:
        """Count an iteration, and return whether it is time to write."""
        self._n_since += 1
        return self._n_since >= self._iterations or time.monotonic() - self._written >= self._seconds

    def write(self) -> None:
        """Write all states; where that fails the fit goes on, and an older file stays as it was."""
        seconds = self.seconds_before + time.monotonic() - self._began
        try:
            _write(self._path, self._fit, self.states, seconds)
        except OutputError as error:
            warnings.warn(f"no checkpoint: {error}", RuntimeWarning, stacklevel=2)
        self._n_since, self._written = 0, time.monotonic()


def _interval(every: object) -> tuple[float, float]:
    """Return the iterations and the seconds after which to write, one of them infinite."""
    if isinstance(every, int | np.integer) and not isinstance(every, bool) and 1 <= every <= _MOST:
        return float(every), np.inf
    text = every.strip() if isinstance(every, str) else ""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smh]?)", text)
    if match and match[2] and float(match[1]) > 0:
        return np.inf, float(match[1]) * _SECONDS[match[2]]
    if match and match[1].isdigit() and int(match[1]) >= 1:
        return float(match[1]), np.inf
    raise ParameterError(
        f"a checkpoint every {every!r:.40}; expected a number of iterations, 1 or more, or a time such as "
        f"60s, 5m or 1h."
    )


def _write(path: Path, fit: Mapping[str, Any], states: Mapping[str, FitState], seconds: float) -> None:
    arrays = {f"{part}:{name}": array for part, kept in states.items() for name, array in kept.arrays.items()}
    record = {
        "format": FORMAT,
        "version": __version__,
        "fit": fit,
        "seconds": seconds,
        "parts": {
            part: {"record": kept.record, "is_final": kept.is_final, "arrays": list(kept.arrays)}
            for part, kept in states.items()
        },
    }
    record["digest"] = _digest(record, arrays)
    with atomic_write(path) as place:
        write_arrays(arrays, place, {_RECORD: json.dumps(record)})


def _digest(record: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> str:
    """Return the SHA-256 of all that a checkpoint holds: against damage, not against forgers."""
    content = {key: value for key, value in record.items() if key != "digest"}
    state = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in sorted(arrays):
        state.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        state.update(np.ascontiguousarray(arrays[name]).tobytes())
    return state.hexdigest()


def _read(path: Path, fit: Mapping[str, Any]) -> tuple[float, dict[str, FitState]]:
    """Return the seconds and the states in a file, or raise InputError if it is not one of this fit."""
    advice = "to begin anew, delete it or do not resume"
    try:
        arrays, metadata = arrays_in(read_content(path), path.name)
        record = json.loads(metadata[_RECORD])
        is_whole = record["digest"] == _digest(record, arrays)
        version, of_other = (record["format"], record["version"]), record["fit"]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (RecsysError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no checkpoint, or it is damaged; {advice}.") from error
    if not is_whole:
        raise InputError(f"{path} is damaged: it is not what was written; {advice}.")
    if version != (FORMAT, __version__):
        raise InputError(
            f"{path} is a checkpoint of recsys {version[1]}, this is {__version__}; go on with that version; "
            f"{advice}."
        )
    if (other := _difference(of_other, fit)) is not None:
        raise InputError(f"{path} is the checkpoint of another fit: {other}; {advice}.")
    states = {
        part: FitState(
            kept["record"],
            {name: arrays[f"{part}:{name}"] for name in kept["arrays"]},
            kept["is_final"],
        )
        for part, kept in record["parts"].items()
    }
    return float(record["seconds"]), states


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return in words the first thing by which two fits differ, or None."""
    for name in dict.fromkeys([*now, *before]):
        was, asked = before.get(name), now.get(name)
        if was == asked:
            continue
        if isinstance(was, Mapping) and isinstance(asked, Mapping):
            key = next(key for key in [*asked, *was] if was.get(key) != asked.get(key))
            return f"{key} was {was.get(key)!r:.40} and is {asked.get(key)!r:.40}"
        if name == "model":
            return f"the model was {was} and is {asked}"
        return f"it has other {name}"
    return None
