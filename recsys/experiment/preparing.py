"""A log read once and written as arrays, within a limit of memory if one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsys.data import formats
from recsys.data.load import read_log
from recsys.data.loaded_log import LoadedLog
from recsys.data.prepared import check_place, is_prepared, save_log
from recsys.errors import ParameterError
from recsys.experiment.given_logs import GivenLog, LogPlan, loaded_of
from recsys.files import clear_scratch, reserved, scratch_folder
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
        If a limit is told for a log that is loaded already or is a table, or beside a step that looks at
        all events at once.
    """
    limit, folder = memory_of(memory), Path(folder).expanduser()
    check_place(folder)
    with reserved(folder, wait=_WAIT):
        clear_scratch(folder)
        _prepare(log, folder, limit, n_threads, listener(progress), options)
    return LogPlan(folder).load()


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
        _check(plan)
        with (
            scratch_folder(folder) as scratch,
            task(shown, f"prepare {Path(plan.source).name if isinstance(plan.source, str) else 'the log'}"),
        ):
            told = formats.filled(plan.read_as)
            loaded = read_log(plan.source, told, items=plan.items, n_threads=n_threads, scratch=scratch)
            save_log(loaded, folder, memory=limit // 2)
            del loaded


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
    told = [name for name in _WHOLE_LOG if getattr(plan.read_as, name) not in (None, "refuse", "keep")]
    if told:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in told)
        raise ParameterError(
            f"{flags} looks at all events at once, which a limit of memory does not allow; rows are chosen "
            f"by --where."
        )
