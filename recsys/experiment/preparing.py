"""A log read once and written as arrays, within a limit of memory if one is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recsys._version import __version__
from recsys.data import catalog, formats
from recsys.data.databases import engine_of
from recsys.data.file import Copies
from recsys.data.load import read_log
from recsys.data.loaded_log import LoadedLog
from recsys.data.locations import STANDARD_INPUT, locate
from recsys.data.prepared import check_place, is_prepared, open_events, remove_events, save_events, save_log
from recsys.data.servers import server_of
from recsys.errors import ParameterError
from recsys.experiment.given_logs import GivenLog, LogPlan, loaded_of
from recsys.files import clear_parts, clear_scratch, reserved, scratch_folder
from recsys.memory import parse_size
from recsys.progress import SILENT, GivenProgress, Progress, listener, task

_LEAST = 1 << 28
_WAIT = 0.5  # seconds for another writer at the same place
_WHOLE_LOG = ("join", "returns", "services", "min_value", "core", "clip", "transform", "half_life")
"""Steps that look at all events at once."""


def prepare_log(
    log: GivenLog,
    folder: str | Path,
    *,
    memory: str | int | None = None,
    resume: bool = False,
    n_threads: int | None = None,
    progress: GivenProgress = SILENT,
    **options: Any,
) -> LoadedLog:
    """Read a log once and write it as a folder that every call and command takes for the log, and maps.

    Parameters
    ----------
    log : str, Path, table, LogPlan or LoadedLog
    folder : str or Path
        A prepared log that is there is replaced as a whole.
    memory : str or int, optional
        What reading may take beside the ids, as "4G", "500M" or in bytes, 256 MiB or more. Events
        are then kept on disk, and joined and sorted a range of users at a time: the log may be larger
        than memory. The files are the same. Without, all is done in memory, which is quicker.
    resume : bool
        Whether the events are kept in ``FOLDER.checkpoint`` once they are read, until all is done, and a
        preparation whose process was killed after that goes on from there. Only for files.
    n_threads : int, optional
    progress : bool, callable or Progress
    **options
        Fields of `LogFormat`, by name: user, item, where, delimiter ...

    Returns
    -------
    LoadedLog
        The log as it was written, mapped.

    Raises
    ------
    RecsysError
        As of `recsys.load_log`.
    OutputError
        If nothing can be written there, or somebody else is writing.
    ParameterError
        If a limit is given for a log that is loaded already or is a table, or beside a step that looks at
        all events at once.
    """
    limit, folder = memory_of(memory), Path(folder).expanduser()
    check_place(folder)
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    with reserved(folder, wait=_WAIT):
        clear_scratch(folder)
        clear_parts(folder.parent)
        if resume:
            plan = log if isinstance(log, LogPlan) else LogPlan(log, **options)
            loaded = _read_once(plan, folder, checkpoint, limit, n_threads, listener(progress))
            save_log(loaded, folder, memory=limit and limit // 2)
        else:
            _prepare(log, folder, limit, n_threads, listener(progress), options)
        remove_events(checkpoint)  # also those of an earlier run: the log is prepared now
    return LogPlan(folder).load()


def _read_once(
    plan: LogPlan,
    folder: Path,
    checkpoint: Path,
    limit: int | None,
    n_threads: int | None,
    shown: Progress,
) -> LoadedLog:
    """Return a log from a checkpoint, which is made by reading if there is none."""
    purpose = _purpose(plan)
    if not is_prepared(checkpoint):
        check_place(checkpoint)
        if limit is None:
            loaded, _ = loaded_of(plan, n_threads=n_threads, progress=shown)
            save_events(loaded, checkpoint, purpose)
        else:
            with _read_to_disk(plan, folder, n_threads, shown) as loaded:
                save_events(loaded, checkpoint, purpose)
    return open_events(checkpoint, purpose)


def _purpose(plan: LogPlan) -> dict[str, Any]:
    """Return what a log is read from and how, as far as it can be known before it is read."""
    source = plan.source
    names = [source] if isinstance(source, (str, Path)) else source
    if not isinstance(names, (list, tuple)) or any(str(name) == STANDARD_INPUT for name in names):
        raise ParameterError("resume is for logs in files, which can be read again; leave it out.")
    if is_prepared(source):
        raise ParameterError(f"{source} is prepared already.")
    if any(engine_of(name) is not None or server_of(name) is not None for name in names):
        raise ParameterError("resume is for logs in files, and a database may have changed; leave it out.")
    is_catalogued = isinstance(source, str) and source in catalog.names()
    files = () if is_catalogued else locate(names, Copies()).files
    paths = [file.origin or file.path for file in files] + ([Path(plan.items)] if plan.items else [])
    known = [(str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return {
        "version": __version__,
        "source": [str(name) for name in names],
        "files": known,
        "read_as": plan.read_as.given,
    }


def _prepare(
    log: GivenLog,
    folder: Path,
    limit: int | None,
    n_threads: int | None,
    shown: Progress,
    options: dict[str, Any],
) -> None:
    if isinstance(log, LoadedLog) or limit is None:
        whole = log if isinstance(log, (LoadedLog, LogPlan)) else LogPlan(log, **options)
        loaded, _ = loaded_of(whole, n_threads=n_threads, progress=shown)
        if limit is not None:
            raise ParameterError("memory is of no use for a log that is loaded already; give its file.")
        save_log(loaded, folder)
    else:
        plan = log if isinstance(log, LogPlan) else LogPlan(log, **options)
        with _read_to_disk(plan, folder, n_threads, shown) as loaded:
            save_log(loaded, folder, memory=limit // 2)


@contextmanager
def _read_to_disk(plan: LogPlan, target: Path, n_threads: int | None, shown: Progress) -> Iterator[LoadedLog]:
    """Yield a log whose events lie in a scratch folder beside a target that is `reserved`."""
    _check(plan)
    name = Path(plan.source).name if isinstance(plan.source, str) else "the log"
    with scratch_folder(target) as scratch, task(shown, f"prepare {name}"):
        log_format = formats.filled(plan.read_as)
        yield read_log(plan.source, log_format, items=plan.items, n_threads=n_threads, scratch=scratch)


def memory_of(memory: str | int | None) -> int | None:
    """Return an amount of memory in bytes.

    Raises
    ------
    ParameterError
        If it is none, or less than 256 MiB.
    """
    if memory is None:
        return None
    n_bytes = parse_size(str(memory))
    if n_bytes < _LEAST:
        raise ParameterError(f"memory is {memory!r}; expected 256MiB or more.")
    return n_bytes


def _check(plan: LogPlan) -> None:
    source = plan.source
    if not isinstance(source, (str, Path, list, tuple)):
        raise ParameterError("memory is of no use for a table, which is in memory already; give its file.")
    if is_prepared(source):
        raise ParameterError(f"{source} is prepared already.")
    needing = [name for name in _WHOLE_LOG if getattr(plan.read_as, name) not in (None, "refuse", "keep")]
    if needing:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in needing)
        raise ParameterError(
            f"{flags} looks at all events at once, which a limit of memory does not allow; rows are chosen "
            f"by --where."
        )
