"""The same bits on every x86-64 processor: ``RECSYS_PORTABLE=1``.

Compilers and libraries choose code by the processor they find, and another code rounds otherwise. Each of
them has a variable that fixes its choice, but all are read when a process starts:

- Numba compiles for x86-64 in general, without fused multiply-add;
- OpenBLAS takes its code for Nehalem, which every processor runs that NumPy runs on;
- NumPy takes what all processors have in common, and so does Arrow;
- the C library (glibc) takes its exp, log, cos ... without fused multiply-add.

So the command line starts itself again with these variables, and ``python -m recsys.portable script.py`` runs
a script with them. Where they are asked for and missing, kernels refuse to work.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from recsys.errors import ParameterError

VARIABLE = "RECSYS_PORTABLE"
CORE = "Nehalem"
_WITHOUT = ("AVX", "AVX2", "FMA", "FMA4", "AVX512F")
_SETTINGS = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NUMBA_DISABLE_INTEL_SVML": "1",
    "OPENBLAS_CORETYPE": CORE,
    "ARROW_USER_SIMD_LEVEL": "NONE",
    # Both ways in which versions of glibc spell it; names that are not known to one are passed over.
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps="
    + ",".join(f"-{name}{usable}" for usable in ("", "_Usable") for name in _WITHOUT),
}


def is_asked() -> bool:
    """Return whether the environment asks for the same bits on every processor.

    Raises
    ------
    ParameterError
        If the variable is neither 0 nor 1.
    """
    text = os.environ.get(VARIABLE, "")
    if text not in ("", "0", "1"):
        raise ParameterError(f"{VARIABLE} is {text!r:.40}; expected 1 (the same bits on every x86-64) or 0.")
    return text == "1"


def settings() -> dict[str, str]:
    """Return the variables that a process has to be started with.

    Raises
    ------
    ParameterError
        On machines for which this was not made.
    """
    libc = platform.libc_ver()[0]
    if platform.machine().lower() not in ("x86_64", "amd64") or libc != "glibc":
        raise ParameterError(
            f"{VARIABLE}=1 is for x86-64 and Linux with glibc; this is {platform.machine()} with "
            f"{libc or platform.system()}. Leave it out: here, too, the same processor gives the same bits."
        )
    return {**_SETTINGS, "NPY_DISABLE_CPU_FEATURES": " ".join(_numpy_features())}


def _numpy_features() -> list[str]:
    """Return the kinds of processors for which this NumPy has further code."""
    import numpy as np

    has = np.show_config(mode="dicts")
    assert isinstance(has, dict)
    simd = has["SIMD Extensions"]
    return sorted({*simd.get("found", ()), *simd.get("not found", ())})


def missing() -> dict[str, str]:
    """Return the variables that this process was not started with."""
    started_with = _started_with()
    return {name: value for name, value in settings().items() if started_with.get(name) != value}


def _started_with() -> Mapping[str, str]:
    """Return the environment that this process was started with: a change since then comes too late."""
    entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(entry).split("=", 1) for entry in entries if b"=" in entry)


def check() -> None:
    """Raise ParameterError if the same bits on every processor are asked for and cannot be had."""
    if not is_asked():
        return
    if lacking := missing():
        lines = "\n".join(f"  {name}={value!r}" for name, value in lacking.items())
        raise ParameterError(
            f"{VARIABLE}=1 has to be known when Python starts; run the script by 'python -m recsys.portable "
            f"SCRIPT', or start Python with these variables:\n{lines}"
        )
    from threadpoolctl import threadpool_info

    for library in threadpool_info():
        name, core = library["internal_api"], library.get("architecture")
        if library["user_api"] == "blas" and (name != "openblas" or core != CORE):
            raise ParameterError(
                f"{VARIABLE}=1 needs NumPy and SciPy with OpenBLAS, running as {CORE}; there is {name} "
                f"{core or ''} in {library['filepath']}. Install them from PyPI."
            )


def start_again(command: list[str]) -> None:
    """Replace this process by one with the variables, if they are asked for and one is missing.

    Parameters
    ----------
    command : list of str
        Arguments of Python.
    """
    if is_asked() and (lacking := missing()):
        os.execve(sys.executable, [sys.executable, *command], {**os.environ, **lacking})  # noqa: S606 - itself


def main() -> NoReturn:
    """Run a script with the variables; ``python -m recsys.portable SCRIPT ARGUMENT ...``."""
    command = sys.argv[1:]
    if not command:
        sys.exit("python -m recsys.portable: name a script, or -m and a module, as for python itself.")
    environment = {**os.environ, **settings(), VARIABLE: "1"}
    os.execve(sys.executable, [sys.executable, *command], environment)  # noqa: S606 - itself


if __name__ == "__main__":
    main()
