"""What lists are written by, a batch at a time, whatever the file or database."""

from __future__ import annotations

from typing import Protocol

import pandas as pd


class TableWriter(Protocol):
    """Takes a table part by part."""

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; all parts have the same columns."""
