"""What commands print: tables for people, one JSON object for programs, progress on a terminal."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from recsys.errors import OutputError
from recsys_cli.streams import cannot_print

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task as Bar
    from rich.progress import TaskID

    from recsys.progress import Progress
    from recsys.remarks import Remark


# Control characters, and those that change the direction of what follows: names come from outside, and a
# terminal would obey them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def given_command() -> str:
    """Return the command line as it was given, quoted for a shell."""
    return shlex.join(["recsys", *sys.argv[1:]])


def shown(text: str) -> str:
    r"""Return text for a terminal: what would control it is written out, as ``\x1b``."""
    return _CONTROL.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def say(text: str = "", *, to_errors: bool = False) -> None:
    """Print a line, of the result or beside it; control characters of names in it are shown, not obeyed."""
    _write(shown(text), sys.stderr if to_errors else sys.stdout)


def say_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=str)
    _write(_CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text), sys.stdout)


def _write(line: str, stream: TextIO) -> None:
    try:
        stream.write(line + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(cannot_print(error)) from error


def say_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, text: Collection[str] = ()
) -> None:
    """Print rows under their column names.

    The first ``left`` columns are text, and those whose names stand in ``text``; the rest are numbers.
    """
    columns, rows = [shown(name) for name in columns], [[shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    is_text = [number < left or name in text for number, name in enumerate(columns)]
    for cells in (columns, ["-" * width for width in widths], *rows):
        line = [
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(cells, widths, is_text, strict=True)
        ]
        say("  " + "  ".join(line).rstrip())


_BAR, _EIGHTHS = 40, " ▏▎▍▌▋▊▉"


def say_histogram(title: str, what: str, bins: Sequence[tuple[str, int]]) -> None:
    """Print counts of bins as bars, those of ``what`` under a title."""
    most = max((count for _, count in bins), default=0) or 1
    names = [len(title), *(len(name) for name, _ in bins)]
    counts = [len(what), *(len(f"{count:,}") for _, count in bins)]
    say(f"  {title:<{max(names)}}  {what:>{max(counts)}}")
    for name, count in bins:
        eighths = max(round(8 * _BAR * count / most), 1 if count else 0)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        say(f"  {name:<{max(names)}}  {count:>{max(counts)},}  {bar}".rstrip())


def say_remarks(remarks: Iterable[Remark]) -> None:
    """Print what readers should know beside a result, a line each."""
    for remark in remarks:
        text = str(remark)
        say(f"Note: {text}.")


class _Terminal:
    """Progress as bars on standard error."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._open: list[TaskID] = []

    def start(self, task: str, total: int | None) -> None:
        """Begin a bar."""
        self._open.append(self._bars.add_task(task, total=total, note="", pace=""))

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the newest bar."""
        self._bars.update(self._open[-1], advance=steps, note=note)
        bar = self._bar(self._open[-1])
        self._bars.update(self._open[-1], pace=_pace(bar.completed, bar.total, bar.elapsed))

    def finish(self) -> None:
        """End the newest bar: a task that stopped early is done, too."""
        task = self._open.pop()
        n_done = max(self._bar(task).completed, 1)
        self._bars.update(task, total=n_done, completed=n_done)

    def _bar(self, task: TaskID) -> Bar:
        return next(bar for bar in self._bars.tasks if bar.id == task)


def _pace(n_done: float, total: float | None, seconds: float | None) -> str:
    """Return steps a second and the time left, as far as they are known."""
    if not seconds or not n_done:
        return ""
    rate = f"{n_done / seconds:.3g}/s"
    if total is None or n_done >= total:
        return rate
    left = round(seconds / n_done * (total - n_done))
    return f"{rate}, {left // 60}:{left % 60:02d} left"


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Yield a listener that draws on a terminal; silent in pipes and for programs."""
    from recsys.progress import SILENT

    if quiet or not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    with RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("[dim]{task.fields[note]}"),
        console=Console(stderr=True),
    ) as bars:
        yield _Terminal(bars)


@contextmanager
def capped(size: str | None) -> Iterator[None]:
    """Let fits inside the body take no more memory than --memory says."""
    from recsys import memory

    with memory.use(None if size is None else memory.parse_size(size)):
        yield


def fixed(value: float | None, digits: int = 4) -> str:
    """Return a number with so many digits after the point, a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"
