"""Where the real logs are that some tests read: they are not part of the project (see tests/README.md)."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

VARIABLE = "RECSYS_DATA"
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class RealLogs:
    """A folder of real logs; a test that asks for one that is not there is skipped."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        """Return the folder of one log."""
        if not (self.folder / name).is_dir():
            pytest.skip(f"{self.folder / name} is absent; tests/README.md says how to fill {VARIABLE}")
        return self.folder / name


def real_logs() -> RealLogs:
    """Return the folder that RECSYS_DATA names, or the one beside the project.

    A name that leads nowhere is an error: tests that somebody wants to run must not be skipped in silence.
    """
    named = os.environ.get(VARIABLE)
    if named and not Path(named).is_dir():
        pytest.fail(f"{VARIABLE} is {named!r}, which is no folder; name the folder of the real logs.")
    return RealLogs(Path(named) if named else DEFAULT)
