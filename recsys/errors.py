"""Everything the library raises on purpose.

::

    RecsysError
    ├── InputError          a log, a matrix or an id that cannot be used
    │   └── LogError        ... with the file, the line and the column
    ├── ParameterError      a parameter that does not exist or is out of range
    ├── ModelError          a model asked for what it cannot do
    │   ├── NotFittedError  ... because it was not trained yet
    │   └── BundleError     ... because its files on disk are not whole
    ├── OutputError         a file or a folder that cannot be written
    └── DependencyError     an optional package that is not installed

A message says what was found, what was expected, where, and what to do.
"""

from __future__ import annotations

from pathlib import Path


class RecsysError(Exception):
    """Base of all errors; catch it to catch them all.

    Examples
    --------
    >>> import recsys
    >>> try:
    ...     recsys.MaskedNMF(n_components=0).fit([[1.0]])
    ... except recsys.RecsysError as error:
    ...     print(type(error).__name__, error)
    ParameterError masked-nmf: n_components is 0; expected a whole number, 1 or more.
    """


class InputError(RecsysError, ValueError):
    """A log, a matrix or an id that cannot be used."""


class LogError(InputError):
    """A problem in a log.

    Parameters
    ----------
    found : str
        What is wrong, and what was expected.
    advice : str
        What the reader can do about it.
    source : str or Path, optional
        The file or table it was found in.
    line : int, optional
        Line of a text file, counted from 1 with the header; row of any other source.
    column : str, optional
        Name of the column.
    unit : str
        ``"line"`` for text files, ``"row"`` for tables and Parquet.
    """

    def __init__(
        self,
        found: str,
        *,
        advice: str = "",
        source: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
        unit: str = "line",
    ) -> None:
        self.problem = found
        self.advice = advice
        self.source = None if source is None else str(source)
        self.line = line
        self.column = column
        parts = [
            part
            for part in (
                self.source,
                None if line is None else f"{unit} {line}",
                None if column is None else f"column {column!r}",
            )
            if part
        ]
        where = f"{', '.join(parts)}: " if parts else ""
        super().__init__(f"{where}{found}" + (f" {advice}" if advice else ""))


class ParameterError(RecsysError, ValueError):
    """A parameter that does not exist, has the wrong type or is out of range."""


class ModelError(RecsysError):
    """A model asked for what it cannot do."""


class NotFittedError(ModelError, ValueError, AttributeError):
    """A model used before ``fit``; the bases are those scikit-learn's users catch."""


class BundleError(ModelError):
    """A model bundle whose files are missing, changed or inconsistent."""


class OutputError(RecsysError, OSError):
    """A file or a folder that cannot be written: what was there before is unchanged."""


class DependencyError(RecsysError, ImportError):
    """An optional package is needed and is not installed."""
