"""Parts of a folder of lists, made on workers: by the worker where it sees the folder, else by the driver."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from recsys.data.ids import Id
from recsys.experiment.list_folder import (
    RECORD,
    ListFolder,
    part_files,
    part_frame,
    texts_of,
    write_part,
)
from recsys.files import atomic_write
from recsys.recommend.audiences import Audiences, audiences_of
from recsys.recommend.lists import Segments
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.rules import Rules
from recsys.spark.shipping import ShippedBundle

PART_SCHEMA = "number long, file string, counts string, content binary"
"""A row for each file of a part; ``content`` is empty where the worker wrote it."""
WAVE = 4
"""Parts a task slot whose lists are made before the folder notes them, and which an interrupt may lose."""


@dataclass(frozen=True, eq=False)
class ListsOptions:
    """What lists are to be like; see `recsys.recommend.recommender.Recommender.recommend`."""

    n: int
    rules: Rules | None
    segment_of: Mapping[Id, str] | None
    reasons: int
    partition_by: str | None


@dataclass(frozen=True)
class PartsFolder:
    """The folder that parts are for.

    Attributes
    ----------
    folder : str
    digest : str
        Of its record, by which a worker knows that it sees the same folder.
    """

    folder: str
    digest: str

    @property
    def is_seen(self) -> bool:
        """Whether this process sees the folder."""
        try:
            record = json.loads((Path(self.folder) / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(record, dict) and record.get("digest") == self.digest


@lru_cache(maxsize=1)
def _audiences(shipped: ShippedBundle, options: ListsOptions) -> Audiences | None:
    return None if options.segment_of is None else audiences_of(shipped.opened(), options.segment_of)


def audiences_on_worker(shipped: ShippedBundle, options: ListsOptions) -> Audiences | None:
    """Return the segments of users, counted once for all tasks of a process that broadcast options."""
    return _audiences(shipped, options)


def written_part(
    parts_folder: PartsFolder, options: ListsOptions, number: int, made: Sequence[Recommendations]
) -> pa.RecordBatch:
    """Write a part where this process sees the folder, and return its rows of `PART_SCHEMA`."""
    counts = Counter[str]()
    for lists in made:
        counts.update(lists.counts)
    segment_of = texts_of(options.segment_of)
    frames = [part_frame(lists, options.reasons, segment_of, options.partition_by) for lists in made]
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    files = part_files(frame, number, options.partition_by)
    if parts_folder.is_seen:
        write_part(Path(parts_folder.folder), files)
        contents: list[bytes | None] = [None] * len(files)
    else:
        contents = [_parquet(group) for group in files.values()]
    return pa.RecordBatch.from_pydict(
        {
            "number": pa.array([number] * len(files), pa.int64()),
            "file": pa.array(list(files), pa.string()),
            "counts": pa.array([json.dumps(counts)] * len(files), pa.string()),
            "content": pa.array(contents, pa.binary()),
        }
    )


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def mapping_of(segments: Segments) -> Mapping[Id, str] | None:
    """Return segments as they were given, by users' ids."""
    return segments.segment_of if isinstance(segments, Audiences) else segments


def note_parts(folder: ListFolder, parts: pa.Table, numbers: Sequence[int]) -> Counter[str]:
    """Note the parts of a wave in the folder, in their order, and write what workers could not.

    A number of which nothing came is a part without users.
    """
    files: defaultdict[int, list[str]] = defaultdict(list)
    counts_of: dict[int, dict[str, int]] = {}
    for row in _rows(parts):
        if row["content"] is not None:
            (folder.path / row["file"]).parent.mkdir(exist_ok=True)
            with atomic_write(folder.path / row["file"]) as partial:
                partial.write_bytes(row["content"])
        files[row["number"]].append(row["file"])
        counts_of[row["number"]] = json.loads(row["counts"])
    total = Counter[str]()
    for number in numbers:
        folder.add(files[number], counts_of.get(number, {}))
        total.update(counts_of.get(number, {}))
    return total


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches():
        for row in range(batch.num_rows):
            yield {name: batch.column(name)[row].as_py() for name in table.column_names}


def waves(numbers: Iterable[int], n_tasks: int) -> Iterator[list[int]]:
    """Yield numbers of parts, as many at a time as a job makes."""
    listed = list(numbers)
    for start in range(0, len(listed), WAVE * n_tasks):
        yield listed[start : start + WAVE * n_tasks]
