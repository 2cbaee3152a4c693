"""Listeners of a fit that end it in the middle."""

from recsys.progress import Silent


class RaisingAt(Silent):
    """Raises an error at a step, counted from 1."""

    def __init__(self, step, error):
        self.left, self.error = step, error

    def advance(self, steps=1, note=""):
        self.left -= 1
        if self.left == 0:
            raise self.error
