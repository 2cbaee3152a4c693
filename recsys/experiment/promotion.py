"""``recsys.promote``: a new version comes into use if it is not clearly worse than the one there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys import threads as pool
from recsys.errors import ParameterError
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.evaluation.significance import PairTest
from recsys.experiment.given_logs import GivenLog
from recsys.experiment.paired_quality import quality_of_both
from recsys.progress import SILENT, GivenProgress
from recsys.recommend.bundle_files import load_bundle
from recsys.recommend.model_store import ModelStore, check_keep


@dataclass(frozen=True, eq=False)
class Promotion:
    """Whether a new version came into use, and why.

    Attributes
    ----------
    is_promoted : bool
    version : str or None
        Its name in the folder of versions; None of one that was not taken in.
    previous : str or None
        What was in use before.
    test : PairTest or None
        The gate: "new" against "old"; None without a gate, and where there was no version before.
    deleted : tuple of str
        Old versions that went.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import recsys
    >>> bundle = recsys.train("popularity", pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recsys.save_bundle(bundle, f"{folder}/new")
    ...     recsys.promote(f"{folder}/new", f"{folder}/models").reason
    'no version was in use before'
    """

    is_promoted: bool
    version: str | None
    previous: str | None
    test: PairTest | None
    deleted: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        if self.previous is None:
            return "no version was in use before"
        if self.test is None:
            return "no gate was asked for"
        sign = 1 if self.test.better == "new" else -1
        low, high = sorted((sign * self.test.low, sign * self.test.high))
        lead = f"{sign * self.test.difference:+.4f} (95 % interval {low:+.4f} to {high:+.4f})"
        return f"{self.test.metric}, new minus old: {lead}, {self.test.n_users:,} users"

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "promoted": self.is_promoted,
            "version": self.version,
            "previous": self.previous,
            "reason": self.reason,
            "test": None if self.test is None else asdict(self.test),
            "deleted": list(self.deleted),
        }


def promote(
    new: str | Path,
    store: str | Path,
    *,
    gate: str | Metric | None = None,
    log: GivenLog | None = None,
    since: str | None = None,
    keep: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> Promotion:
    """Bring a model into use, with a gate only if it is not clearly worse than the one in use.

    Clearly worse: on the same held-out events the difference is against it, and its 95 % interval, from
    users drawn with replacement, leaves out 0.

    Parameters
    ----------
    new : str or Path
        A version in ``store``, or a bundle elsewhere, of which a copy becomes one.
    store : str or Path
        The folder of versions; see `ModelStore`.
    gate : str, optional
        A metric of lists that users have, e.g. "ndcg@10".
    log : str, Path, table or LoadedLog, optional
        What the gate measures on: events of pairs that neither model was trained on.
    since : str, optional
        The first moment of them.
    keep : int, optional
        How many versions stay; all by default.
    seed, threads, progress
        As for `recsys.monitor`.

    Returns
    -------
    Promotion

    Raises
    ------
    ParameterError
        If gate and log are not given together, or the metric has no values of users.
    RecsysError
        If a model or the log cannot be used; the one in use stays.
    """
    if (gate is None) != (log is None) or (since is not None and log is None):
        raise ParameterError("a gate needs events to measure on, and they a gate; give --gate and --on.")
    if keep is not None:
        check_keep(keep)
    metric = None if gate is None else parse_metric(str(gate))
    if metric is not None and (metric.higher_is_better is None or metric.is_gap):
        raise ParameterError(f"{metric} cannot be a gate: it has no better end, or is no value of users.")
    place, versions = Path(new).expanduser(), ModelStore(Path(store))
    if place.resolve() == versions.folder.resolve():
        raise ParameterError(f"{store} is the folder of versions; name the one to promote, {store}/VERSION.")
    with pool.use(threads):
        challenger = load_bundle(place)  # whole, or it does not come into use
    previous = versions.current
    test = None
    if metric is not None and previous is not None:
        assert log is not None
        with pool.use(threads):
            quality = quality_of_both(
                load_bundle(versions.folder / previous),
                challenger,
                log,
                since=since,
                metrics=[metric],
                seed=seed,
                threads=threads,
                progress=progress,
            )
        test = quality.tests.get(str(metric))
        if test is None:
            raise ParameterError(f"{metric} is no value of users, so no gate can be made of it.")
        if quality.is_clearly_worse(str(metric)):
            return Promotion(False, None, previous, test)
    name = place.name if place.resolve().parent == versions.folder.resolve() else versions.add(place)
    versions.use(name)
    return Promotion(True, name, previous, test, () if keep is None else versions.prune(keep))
