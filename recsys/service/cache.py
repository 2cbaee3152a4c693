"""The answers given last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, MutableMapping
from typing import Any, NamedTuple, TypeAlias

Target: TypeAlias = tuple[str, bytes]
"""Path of a request as routes read it, and its query as it was sent."""


class KeptAnswer(NamedTuple):
    """An answer, and which route gave it."""

    route: str
    body: bytes


def target_of(scope: MutableMapping[str, Any]) -> Target:
    """Return path and query of a request."""
    return scope["path"], scope["query_string"]


class AnswerCache:
    """Answers by what was asked; the one not used for longest makes room for a new one.

    A bundle does not change, so neither do its answers: each bundle has a cache of its own. Requests whose
    queries spell the same thing in two ways are kept twice, and are found without being read.

    Parameters
    ----------
    size : int
        Most answers kept; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[Target, KeptAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def room(self) -> int:
        """How many answers can be kept in addition, before one takes the place of another."""
        return max(self._size - len(self._answers), 0)

    def get(self, target: Target) -> KeptAnswer | None:
        """Return an answer, or None."""
        answer = self._answers.get(target)
        if answer is not None:
            self._answers.move_to_end(target)
        return answer

    def put(self, target: Target, answer: KeptAnswer) -> None:
        """Keep an answer."""
        if self._size == 0:
            return
        self._answers[target] = answer
        self._answers.move_to_end(target)
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)

    def put_new(self, answers: Iterable[tuple[Target, KeptAnswer]]) -> None:
        """Keep answers that nobody asked for yet, as far as there is room; the last is the first to go."""
        for target, answer in answers:
            if self.room and target not in self._answers:
                self._answers[target] = answer
                self._answers.move_to_end(target, last=False)
