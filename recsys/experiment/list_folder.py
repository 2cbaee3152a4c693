"""Lists as a folder of Parquet files, one a batch of users, which goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from recsys.data.ids import Id
from recsys.errors import InputError, ParameterError
from recsys.files import atomic_write
from recsys.progress import SILENT, GivenProgress
from recsys.recommend.audiences import Audiences
from recsys.recommend.bundle import Bundle
from recsys.recommend.lists import Segments
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.recommender import Recommender
from recsys.recommend.rules import Rules

RECORD = "_lists.json"
"""What a folder of lists holds beside its parts; readers of folders of Parquet pass over such names."""
PARTITIONS = ("segment", "source", "rank")
"""Columns by which a folder may be partitioned."""
_NO_SEGMENT = "none"


class ListFolder:
    """A folder of parts: ``part-00000.parquet`` and on, and ``_lists.json``, which says what is there.

    Partitioned, it has a folder for each value of a column, ``segment=north``, which holds parts without that
    column: the layout of Hive, which readers of folders put together again.

    Parameters
    ----------
    path : Path
        Empty, not there yet, or one of an earlier run with the same settings, whose parts stay.
    settings : mapping
        What the lists depend on, ready for JSON.

    Raises
    ------
    InputError
        If the folder holds something else, or lists of other settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        record = path / RECORD
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        self._record: dict[str, Any] = {
            "settings": dict(settings), "digest": digest, "parts": [], "is_complete": False,
        }  # fmt: skip
        if record.is_file():
            try:
                before = json.loads(record.read_text(encoding="utf-8"))
                own_digest, _, _ = (before[key] for key in ("digest", "parts", "is_complete"))
            except (OSError, ValueError, KeyError, TypeError):
                raise InputError(f"{record} is no record of lists; give another folder.") from None
            if own_digest != digest:
                raise InputError(
                    f"{path} holds lists of another model, other users or other options; give another "
                    f"folder, or remove this one."
                )
            self._record = before
        elif path.is_dir() and any(path.iterdir()):
            raise InputError(f"{path} exists and holds no lists; give another folder.")
        path.mkdir(parents=True, exist_ok=True)
        self._save()

    @property
    def digest(self) -> str:
        """What tells folders of other settings from this one."""
        return str(self._record["digest"])

    @property
    def n_parts(self) -> int:
        """How many parts are there."""
        return len(self._record["parts"])

    @property
    def is_complete(self) -> bool:
        """Whether all parts are there."""
        return bool(self._record["is_complete"])

    @property
    def counts(self) -> Counter[str]:
        """What was counted of the parts that are there."""
        total = Counter[str]()
        for part in self._record["parts"]:
            total.update(part["counts"])
        return total

    def add(self, files: Iterable[str], counts: Mapping[str, int]) -> None:
        """Note that the next part is there, as `write_part` wrote it."""
        self._record["parts"].append({"files": list(files), "counts": dict(counts)})
        self._save()

    def finish(self) -> None:
        """Note that all parts are there."""
        self._record["is_complete"] = True
        self._save()

    def _save(self) -> None:
        with atomic_write(self.path / RECORD) as partial:
            partial.write_text(json.dumps(self._record, indent=1), encoding="utf-8")


def part_files(frame: pd.DataFrame, number: int, partition_by: str | None = None) -> dict[str, pd.DataFrame]:
    """Return the files of a part by their names inside the folder: one, or one for each value of a column."""
    name = f"part-{number:05}.parquet"
    if partition_by is None:
        return {name: frame}
    return {
        f"{partition_by}={quote(str(value), safe=' ')}/{name}": group.drop(columns=partition_by)
        for value, group in frame.groupby(partition_by, sort=True)
    }


def write_part(folder: Path, files: Mapping[str, pd.DataFrame]) -> None:
    """Write the files of a part; each is there as a whole or not at all."""
    for name, frame in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        with atomic_write(folder / name) as partial:
            frame.to_parquet(partial, index=False, compression="zstd")


def check_partition(partition_by: str | None, segments: Segments) -> None:
    """Raise ParameterError unless lists can be partitioned by a column."""
    if partition_by is not None and partition_by not in PARTITIONS:
        raise ParameterError(
            f"partition_by is {partition_by!r:.40}; expected one of {', '.join(PARTITIONS)}."
        )
    if partition_by == "segment" and segments is None:
        raise ParameterError("lists are to be partitioned by segment, and no segments are given.")


def part_frame(
    lists: Recommendations,
    reasons: int,
    segment_of: Mapping[str, str] | None = None,
    partition_by: str | None = None,
) -> pd.DataFrame:
    """Return lists as the table of a part; partitioned by segment, it has that of each user."""
    frame = lists.to_frame(reasons)
    if partition_by == "segment" and segment_of is not None:
        frame["segment"] = [segment_of.get(str(user)) or _NO_SEGMENT for user in frame["user"]]
    return frame


def write_list_folder(
    recommender: Recommender,
    path: Path,
    users: Iterable[Id] | None = None,
    n: int = 10,
    *,
    rules: Rules | None = None,
    segments: Segments = None,
    reasons: int = 0,
    batch_size: int | None = None,
    partition_by: str | None = None,
    progress: GivenProgress = SILENT,
) -> tuple[Counter[str], int]:
    """Write the lists of users as a folder of parts; what an interrupted run has made is not made again.

    Parameters
    ----------
    recommender : Recommender
    path : Path
        See `ListFolder`.
    users, n, rules, segments, reasons, batch_size, progress
        As in `Recommender.batches`.
    partition_by : {"segment", "source", "rank"}, optional
        Column whose values get a folder each. By segment: that of the user, "none" for those without one,
        whatever their list is made of.

    Returns
    -------
    counts : Counter
        Of all parts, see `Recommendations.counts`.
    n_before : int
        Parts that were there from an earlier run.

    Raises
    ------
    InputError, ParameterError
        As `ListFolder` and `Recommender.batches`; if there are no segments to partition by, or the column is
        another.
    """
    wanted = None if users is None else list(users)
    check_partition(partition_by, segments)
    segment_of = texts_of(segments)
    settings = settings_of(
        recommender.bundle, wanted, n, rules, segment_of, reasons, batch_size, partition_by
    )
    folder = ListFolder(path, settings)
    n_before, counts = folder.n_parts, folder.counts
    if folder.is_complete:
        return counts, n_before
    for lists in recommender.batches(
        wanted, n, rules=rules, segments=segments, reasons=reasons, batch_size=batch_size,
        first_batch=n_before, progress=progress,
    ):  # fmt: skip
        frame = part_frame(lists, reasons, segment_of, partition_by)
        files = part_files(frame, folder.n_parts, partition_by)
        write_part(path, files)
        folder.add(files, lists.counts)
        counts.update(lists.counts)
    folder.finish()
    return counts, n_before


def settings_of(
    bundle: Bundle,
    users: list[Id] | None,
    n: int,
    rules: Rules | None,
    segment_of: Mapping[str, str] | None,
    reasons: int,
    batch_size: int | None,
    partition_by: str | None,
) -> dict[str, Any]:
    """Return what lists depend on, ready for JSON, as a digest of what is long."""
    model = hashlib.sha256()
    for name, array in sorted(bundle.model.to_arrays().items()):
        model.update(name.encode())
        model.update(np.ascontiguousarray(array).tobytes())
    for ids in (bundle.user_ids, bundle.item_ids):
        ids.update_digest(model)
    pairs = None if segment_of is None else [f"{user}={name}" for user, name in segment_of.items()]
    return {
        "model": model.hexdigest(),
        "users": None if users is None else _digest(map(str, users)),
        "n": int(n),
        "rules": None if rules is None else rules.digest,
        "segments": None if pairs is None else _digest(pairs),
        "reasons": int(reasons),
        "batch_size": batch_size,
        "partition_by": partition_by,
    }


def texts_of(segments: Segments) -> dict[str, str] | None:
    """Return segments by the text of users' ids."""
    if segments is None:
        return None
    pairs = segments.segment_of if isinstance(segments, Audiences) else segments
    return {str(user): name for user, name in pairs.items()}


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
