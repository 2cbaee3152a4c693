"""Where the process of a command begins and ends: signals, standard output, the exit code."""

from __future__ import annotations

import io
import os
import re
import sys
import warnings
from contextlib import suppress
from typing import NoReturn, TextIO

from recsys_cli import address_space, signals


def main() -> NoReturn:
    """Run the command line and end the process with its own exit code.

    Threads that pyarrow started can abort the interpreter while it shuts down, after all work is
    done and written; leaving without that shutdown keeps the exit code that of the command.
    """
    try:
        _open_closed_streams()
        signals.install()
        _mend_output()
        warnings.showwarning = _warn
        code = _run()
    except KeyboardInterrupt:
        _tell(f"{signals.name()}; every file is whole, old or new.")
        code = signals.exit_code()
    os._exit(code)


def _run() -> int:
    problem = address_space.fit_into()
    if problem is not None:
        _tell(problem)
        return 1
    try:
        _start_again_if_portable()
        from recsys_cli.main import run  # what it imports may be interrupted, too

        return _flushed(run())
    except Exception as error:
        if not address_space.is_used_up(error):
            raise
        _tell(address_space.MESSAGE)
        return 1


def _start_again_if_portable() -> None:
    """Begin anew with what libraries read when a process starts, where RECSYS_PORTABLE asks for it."""
    if not os.environ.get("RECSYS_PORTABLE"):
        return
    from recsys import portable
    from recsys.errors import ParameterError

    try:
        portable.start_again(sys.orig_argv[1:])
    except ParameterError as error:
        _tell(str(error))
        os._exit(1)


def _open_closed_streams() -> None:
    """Let what a caller closed lead nowhere: the next file would get its number, and what libraries print."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _mend_output() -> None:
    """Make standard output one that writes all of what it is given, or fails."""
    if isinstance(sys.stdout.buffer, io.RawIOBase):  # unbuffered: what the disk did not take would be lost
        buffer = io.BufferedWriter(io.FileIO(sys.stdout.fileno(), "w", closefd=False))
        sys.stdout = io.TextIOWrapper(buffer, sys.stdout.encoding, line_buffering=True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that does not know a letter


def _flushed(code: int) -> int:
    """Flush standard output and return the exit code: 1 if it could not take all."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return code or 1
    except OSError as error:
        if code == 0:  # else the message is there
            _tell(cannot_print(error))
        return code or 1
    return code


def cannot_print(error: OSError) -> str:
    """Return what is to be said where standard output does not take what is printed."""
    return f"standard output cannot be written: {error.strerror or error}; what was printed is not whole."


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """Say what a library warns of in a line, without that of its source and without colors."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(message))
    _tell(f"warning: {' '.join(text.split())}")


def _tell(text: str) -> None:
    stream: TextIO | None = sys.stderr
    if stream is not None:
        with suppress(OSError):
            stream.write(f"recsys: {text}\n")
            stream.flush()
