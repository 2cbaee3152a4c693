"""Standard streams of a process: open, written as a whole or not at all, and what libraries warn of."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from typing import TextIO


def open_closed() -> None:
    """Let what a caller closed lead nowhere: the next file would get its number, and what libraries print."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def write_all_or_fail() -> None:
    """Make standard output one that writes all of what it is given, or fails."""
    if isinstance(sys.stdout.buffer, io.RawIOBase):  # unbuffered: what the disk did not take would be lost
        buffer = io.BufferedWriter(io.FileIO(sys.stdout.fileno(), "w", closefd=False))
        sys.stdout = io.TextIOWrapper(buffer, sys.stdout.encoding, line_buffering=True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that does not know a letter


def flushed(code: int) -> int:
    """Flush standard output and return the exit code: 1 if it could not take all."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return code or 1
    except OSError as error:
        if code == 0:  # else the message is there
            say_error(cannot_print(error))
        return code or 1
    return code


def cannot_print(error: OSError) -> str:
    """Return what is to be said where standard output does not take what is printed."""
    return f"standard output cannot be written: {error.strerror or error}; what was printed is not whole."


def say_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Say what a library warns of in a line, without that of its source and without colors."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(message))
    say_error(f"warning: {' '.join(text.split())}")


def say_error(text: str) -> None:
    """Print a line of the command on standard error, as far as that takes it."""
    stream: TextIO | None = sys.stderr
    if stream is not None:
        with suppress(OSError):
            stream.write(f"recsys: {text}\n")
            stream.flush()
