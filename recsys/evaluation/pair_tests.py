"""The tests of all pairs of models of one comparison, made once and shared by all that show them."""

from __future__ import annotations

from collections.abc import Mapping

from recsys.evaluation.measurements import Measurements
from recsys.evaluation.significance import PairTest, compare_pairs


class PairTests:
    """Tests every pair of models on a metric when it is first asked for it, and keeps the result.

    Parameters
    ----------
    measured : mapping of label to Measurements
        All of the same users.
    seed : int
        Of the resamples and the exchanges.
    """

    def __init__(self, measured: Mapping[str, Measurements], *, seed: int) -> None:
        self.measured, self.seed = dict(measured), seed
        self._by_metric: dict[str, tuple[PairTest, ...]] = {}

    def on(self, metric: str) -> tuple[PairTest, ...]:
        """Return the tests on a metric, the best model first; see `compare_pairs`."""
        if metric not in self._by_metric:
            self._by_metric[metric] = compare_pairs(self.measured, metric, seed=self.seed)
        return self._by_metric[metric]
