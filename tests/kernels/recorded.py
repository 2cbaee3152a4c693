"""Runs the tests of kernels and writes down which bits each kernel made of which.

`python -m tests.kernels.recorded FILE`
"""

import hashlib
import json
import sys
from functools import wraps
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from recsys.kernels import launching

LAUNCHES = 300
NOT_OF_KERNELS = ("test_bounds_check.py", "test_cache.py", "test_first_run.py", "test_launching.py")
TOO_FAR_TO_READ = ("test_far_entries.py",)  # promised arrays of many GiB, which a digest would read


def digest(arguments):
    """Return the types, shapes and bits of a kernel's arguments as a text."""
    bits = hashlib.sha256()
    for argument in arguments:
        array = np.ascontiguousarray(argument)
        bits.update(f"{array.dtype} {array.shape} ".encode())
        bits.update(array.tobytes())
    return bits.hexdigest()


def record_launches():
    """Return what every kernel declared from now on makes: arguments after a launch by those before it."""
    recorded = {}
    declare = launching.kernel

    def kernel(**options):
        def compiled(function):
            launch = declare(**options)(function)
            launches = recorded.setdefault(f"{function.__module__}.{function.__name__}", {})

            @wraps(launch)
            def launched(*arguments):
                before = digest(arguments) if len(launches) < LAUNCHES else None
                launch(*arguments)
                if before is not None:
                    launches[before] = digest(arguments)

            return launched

        return compiled

    launching.kernel = kernel
    return recorded


def main(path):
    recorded = record_launches()
    settings.register_profile("recorded", deadline=None, max_examples=15, derandomize=True)
    folder = Path(__file__).parent
    options = ["-n0", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-profile=recorded"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is imported above
    options += [f"--ignore={folder / name}" for name in (*NOT_OF_KERNELS, *TOO_FAR_TO_READ)]
    code = pytest.main([*options, str(folder)])
    Path(path).write_text(json.dumps(recorded))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
