"""Results stored as they come and loaded again: an interrupted comparison goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys._version import __version__
from recsys.data.ids import Id
from recsys.errors import InputError, RecsysError
from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.gap import GroupMean
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.experiment.settings import ModelSpec
from recsys.files import atomic_write, sha256
from recsys.models.base import Model
from recsys.models.factor_model import FactorModel
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.remarks import Remark, RemarkCode

FORMAT = 2
MOST_BYTES = 128 * 2**20
"""Largest model without factors that is stored. Factors always are: a report shows themes."""
_USERS, _ERRORS, _MODEL = "users.parquet", "errors.parquet", "model"


@dataclass(frozen=True)
class ResultStore:
    """A folder of results, one of each model and split.

    ::

        NAME.json             metrics, config, seed, split, seconds; the key; written last
        NAME.users.parquet    id, row number and values of each user measured
        NAME.errors.parquet   sums of errors of each user, where an error was asked for
        NAME.model/           the fitted model as a bundle, of the first split, if not very large

    A result is loaded only for the same key: training data, held-out pairs, model and all its
    parameters, seed, metrics and version of this package. Others stay where they are, unused.

    Attributes
    ----------
    folder : Path
    item_names : mapping of item id to str
        Names that go into the models' bundles.
    context : mapping
        What else results depend on, ready for JSON.
    """

    folder: Path
    item_names: Mapping[Id, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder} is a file; expected a folder to keep results in.")

    def save(self, result: Result, prepared: PreparedSplit, metrics: Sequence[Metric]) -> None:
        """Write a result; it counts once its JSON file, written last, is there.

        Raises
        ------
        OutputError
            If it cannot be written; then nothing of it stays.
        """
        key = self._key(result.spec, prepared, metrics, result.seed)
        stem = _stem(result, prepared, key)
        try:
            self._write(stem, key, result, prepared)
        except BaseException:
            if not (self.folder / f"{stem}.json").exists():
                for name in (_USERS, _ERRORS):
                    with suppress(OSError):  # what ended the write is what is to be said
                        (self.folder / f"{stem}.{name}").unlink()
                shutil.rmtree(self.folder / f"{stem}.{_MODEL}", ignore_errors=True)
            raise

    def _write(self, stem: str, key: str, result: Result, prepared: PreparedSplit) -> None:
        assert result.measurements is not None
        parts = {_USERS: _users_table(result.measurements, prepared)}
        if result.measurements.entry_errors is not None:
            parts[_ERRORS] = _errors_table(result.measurements.entry_errors)
        for name, table in parts.items():
            with atomic_write(self.folder / f"{stem}.{name}") as partial:
                pq.write_table(table, partial, compression="zstd")
        stored = result.model if prepared.split.part == 1 and _is_storable(result.model) else None
        if stored is not None:
            bundle = Bundle.of(stored, prepared.train, item_names=self.item_names)
            save_bundle(bundle, self.folder / f"{stem}.{_MODEL}")
        record = {
            **result.to_json(),
            "format": FORMAT,
            "key": key,
            "version": __version__,
            "split": prepared.split.to_json(),
            "remarks": [asdict(remark) for remark in result.measurements.remarks],
            "has_model": stored is not None,
            "parts": {name: sha256(self.folder / f"{stem}.{name}") for name in parts},
        }
        with atomic_write(self.folder / f"{stem}.json") as partial:
            partial.write_text(
                json.dumps(record, indent=1, ensure_ascii=False, default=str), encoding="utf-8"
            )

    def load(
        self, spec: ModelSpec, prepared: PreparedSplit, metrics: Sequence[Metric], *, seed: int
    ) -> Result | None:
        """Return a result that was stored, or None if there is none that is whole and of the same key."""
        spec = spec.resolved(metrics).seeded(seed)
        key = self._key(spec, prepared, metrics, seed)
        for path in sorted(self.folder.glob(f"*.{_short(key)}.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(record, dict) and (record.get("format"), record.get("key")) == (FORMAT, key):
                    return self._read(path.with_suffix(""), record, spec, prepared, seed)
            except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, RecsysError):
                continue  # cut off or changed: it is made again
        return None

    def _read(
        self, stem: Path, record: Mapping[str, Any], spec: ModelSpec, prepared: PreparedSplit, seed: int
    ) -> Result | None:
        tables = {}
        for name, digest in record["parts"].items():
            path = stem.with_name(f"{stem.name}.{name}")
            if sha256(path) != digest:
                return None
            tables[name] = pq.read_table(path)
        return Result(
            label=spec.title,
            spec=spec,
            seed=seed,
            model=self._model(stem) if record["has_model"] else None,
            measurements=_measurements(record, tables),
            fit_seconds=float(record["seconds"]["fit"]),
            load_seconds=prepared.load_seconds,
            config=dict(record["config"]),
            peak_memory_bytes=record["peak_memory_bytes"],
            is_reused=True,
        )

    def _model(self, stem: Path) -> Model | None:
        return load_bundle(stem.with_name(f"{stem.name}.{_MODEL}")).model

    def _key(self, spec: ModelSpec, prepared: PreparedSplit, metrics: Sequence[Metric], seed: int) -> str:
        """Return the SHA-256 of all that a result depends on."""
        split = prepared.split
        depends_on = {
            "format": FORMAT,
            "version": __version__,
            "train": prepared.train.digest,
            "histories": None if prepared.histories is None else prepared.histories.digest,
            "held_out": prepared.held_out.digest,
            "split": [split.name, split.seed, split.digest, split.part, split.n_parts],
            "model": spec.name,
            "config": spec.made().config(),
            "seed": seed,
            "metrics": [str(metric) for metric in metrics],
            "context": dict(self.context),
        }
        return hashlib.sha256(json.dumps(depends_on, sort_keys=True, default=str).encode()).hexdigest()


def _is_storable(model: Model | None) -> bool:
    return model is not None and (
        isinstance(model, FactorModel)
        or sum(array.nbytes for array in model.to_arrays().values()) <= MOST_BYTES
    )


def _short(key: str) -> str:
    return key[:12]


def _stem(result: Result, prepared: PreparedSplit, key: str) -> str:
    """Return a name that people can read and that is another for another key."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", result.label).strip("-") or "model"
    split = prepared.split
    part = f".{split.part}-of-{split.n_parts}" if split.n_parts > 1 else ""
    return f"{words[:60]}{part}.{_short(key)}"


def _users_table(measured: Measurements, prepared: PreparedSplit) -> pa.Table:
    ids = prepared.user_ids.select(measured.users)
    columns = {
        "user": pa.array(ids.values, pa.int64() if ids.is_integer else pa.string()),
        "row": pa.array(measured.users, pa.int64()),
    }
    return pa.table(columns | {name: pa.array(values) for name, values in measured.per_user.items()})


def _errors_table(errors: EntryErrors) -> pa.Table:
    # A metric's name holds no underscore, so that it is never that of another column.
    columns = {"user_row": errors.users, "n_entries": errors.n_entries, **errors.sums}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _measurements(record: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> Measurements:
    users = tables[_USERS]
    errors = None
    if _ERRORS in tables:
        table = tables[_ERRORS]
        sums = {name: table.column(name).to_numpy() for name in table.column_names}
        errors = EntryErrors(sums.pop("user_row"), sums.pop("n_entries"), sums)
    return Measurements(
        metrics=dict(record["metrics"]),
        per_user={
            name: users.column(name).to_numpy() for name in users.column_names if name not in ("user", "row")
        },
        users=np.asarray(users.column("row").to_numpy(), dtype=np.int64),
        n_users=int(record["n_users"]),
        n_pairs=int(record["n_pairs"]),
        seconds=float(record["seconds"]["score"]),
        remarks=tuple(
            Remark(**{**remark, "code": RemarkCode(remark["code"])}) for remark in record["remarks"]
        ),
        groups={
            name: tuple(GroupMean(**group) for group in groups) for name, groups in record["groups"].items()
        },
        entry_errors=errors,
    )
