"""Two folders that change places in one step, where the system can do that (Linux: renameat2)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Any

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM}


def _renameat2() -> Any:
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return None


_call = _renameat2() if sys.platform == "linux" else None


def exchange(first: Path, second: Path) -> bool:
    """Let two folders change places, so that either name leads to a folder at every moment.

    Parameters
    ----------
    first, second : Path
        Of the same file system.

    Returns
    -------
    bool
        False where system or file system cannot, and nothing was done.

    Raises
    ------
    OSError
        If it fails.
    """
    if _call is None:
        return False
    sys.audit("os.rename", str(first), str(second), -1, -1)
    if _call(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(first), None, str(second))
