"""Things by name: each is registered by a file of its own, and asked for as text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from recsys.errors import ParameterError

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Registry(Mapping[str, T]):
    """What is registered under names, in the order of presentation.

    Registering is refused where the name is another's. The same thing comes again without complaint: the
    file that defines it was read once more, as a notebook's cell is.

    Parameters
    ----------
    noun : str
        What a message calls an entry: "metric".
    source : function of an entry
        Returns the function or class that an entry was made of; by where that is defined the same thing is
        known again.
    definition : function of an entry
        Returns what a message says of it, in one line.
    reserved : mapping of str to str
        Names that no entry may have, or endings, which begin with a hyphen, each with what it stands for.
    position : function of an entry, optional
        Entries come by this, then by name.
    import_all : function, optional
        Imports every file that may register; called before names are listed, or one is not known.
    """

    def __init__(
        self,
        noun: str,
        *,
        source: Callable[[T], Any],
        definition: Callable[[T], str],
        reserved: Mapping[str, str] | None = None,
        position: Callable[[T], int] = lambda entry: 0,
        import_all: Callable[[], None] = lambda: None,
    ) -> None:
        self.noun = noun
        self._source, self._definition, self._position = source, definition, position
        self._reserved, self._import_all = dict(reserved or {}), import_all
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> None:
        """Register an entry.

        Raises
        ------
        ParameterError
            If the name cannot be written on the command line, or another entry has it.
        """
        for word, meaning in self._reserved.items():
            if name == word or (word.startswith("-") and name.endswith(word)):
                raise ParameterError(
                    f"a {self.noun} cannot be named {name!r}: {word} stands for {meaning}; choose another "
                    f"name."
                )
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"a {self.noun} cannot be named {name!r}; expected lower-case letters, digits and single "
                f"hyphens, a letter first."
            )
        holder = self._entries.get(name)
        if holder is not None and not _same(self._source(holder), self._source(entry)):
            function = f"unregister_{self.noun.replace(' ', '_')}"
            raise ParameterError(
                f"there is already a {self.noun} {name!r}: {self._definition(holder)}. Choose another name, "
                f"or call {function}({name!r}) first."
            )
        self._entries[name] = entry

    def remove(self, name: str) -> None:
        """Forget an entry, or raise ParameterError if there is none of that name."""
        self.find(name)
        del self._entries[name]

    def find(self, name: str) -> T:
        """Return an entry by its name, or raise ParameterError."""
        if name not in self:
            raise self.unknown(name, self)
        return self[name]

    def unknown(self, name: str, written: Iterable[str], *, also: str = "") -> ParameterError:
        """Return the error for a name that nobody has.

        Parameters
        ----------
        name : str
        written : iterable of str
            The names that could be meant, as they are written.
        also : str
            What else could be.
        """
        close = difflib.get_close_matches(name, self, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        *others, last = written
        listed = f"{', '.join(others)} and {last}" if others else last
        return ParameterError(f"there is no {self.noun} {name!r}; there are {listed}{also}.{hint}")

    def __getitem__(self, name: str) -> T:
        if name not in self._entries:
            self._import_all()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._import_all()
        return iter(sorted(self._entries, key=lambda name: (self._position(self._entries[name]), name)))

    def __len__(self) -> int:
        self._import_all()
        return len(self._entries)


def _same(source: Any, other: Any) -> bool:
    """Return whether two functions or classes are one, or one read twice from the same place."""
    if source is other:
        return True
    defined, elsewhere = (
        (getattr(made, "__module__", None), getattr(made, "__qualname__", "<lambda>"))
        for made in (source, other)
    )
    return defined == elsewhere and "<lambda>" not in defined[1]  # lambdas of one place share a name
