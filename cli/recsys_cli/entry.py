"""Where the process of a command begins and ends: signals, limits on memory, the exit code."""

from __future__ import annotations

import os
import sys
import warnings
from typing import NoReturn

from recsys_cli import address_space, signals, streams


def main() -> NoReturn:
    """Run the command line and end the process with its own exit code.

    Threads that pyarrow started can abort the interpreter while it shuts down, after all work is
    done and written; leaving without that shutdown keeps the exit code that of the command.
    """
    try:
        streams.open_closed()
        signals.install()
        streams.write_all_or_fail()
        warnings.showwarning = streams.say_warning
        code = _run()
    except KeyboardInterrupt:
        streams.say_error(f"{signals.name()}; every file is whole, old or new.")
        code = signals.exit_code()
    os._exit(code)


def _run() -> int:
    problem = address_space.fit_into()
    if problem is not None:
        streams.say_error(problem)
        return 1
    try:
        _start_again_if_portable()
        from recsys_cli.main import run  # what it imports may be interrupted, too

        return streams.flushed(run())
    except Exception as error:
        if not address_space.is_used_up(error):
            raise
        streams.say_error(address_space.MESSAGE)
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
        streams.say_error(str(error))
        os._exit(1)
