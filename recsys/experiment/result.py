"""The result of one model in a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recsys.evaluation.measurements import Measurements
from recsys.experiment.settings import ModelSpec
from recsys.models.base import Model


@dataclass(frozen=True, eq=False)
class Result:
    """The result of one model: measurements, cost, the fitted model, or an error.

    Attributes
    ----------
    label : str
    spec : ModelSpec
    seed : int
    model : Model or None
        Fitted; None after an error.
    measurements : Measurements or None
    fit_seconds : float
        Compilation of the kernels is done before and not counted.
    load_seconds : float
    error : str or None
    config : mapping or None
        The parameters of the fit, defaults filled in.
    peak_memory_bytes : int or None
        Most memory of the fit beyond what the process held before; see `recsys.experiment.memory`.
    is_reused : bool
        Whether it was loaded from a `ResultStore` and not computed now.
    not_stored : str or None
        Why a `ResultStore` could not keep it.
    parts : tuple of Result
        One a split, where there are several. The model is then that of the first; measurements are
        pooled by user, seconds are means and memory is the most over splits.
    """

    label: str
    spec: ModelSpec
    seed: int
    model: Model | None
    measurements: Measurements | None
    fit_seconds: float
    load_seconds: float
    error: str | None = None
    config: Mapping[str, Any] | None = None
    peak_memory_bytes: int | None = None
    is_reused: bool = False
    not_stored: str | None = None
    parts: tuple[Result, ...] = ()

    @property
    def on_first_split(self) -> Measurements | None:
        """What was measured on the first split alone, which is also the one of the model."""
        return self.parts[0].measurements if self.parts else self.measurements

    def to_json(self) -> dict[str, Any]:
        """Return the record that ``evaluate --json`` prints."""
        record: dict[str, Any] = {
            "model": self.spec.name,
            "label": self.label,
            "config": dict(self.spec.params if self.config is None else self.config),
            "seed": self.seed,
        }
        if self.measurements is None:
            return {**record, "metrics": {}, "n_users": 0, "error": self.error}
        record |= {
            "metrics": dict(self.measurements.metrics),
            "n_users": self.measurements.n_users,
            "n_pairs": self.measurements.n_pairs,
            "seconds": {
                "load": self.load_seconds,
                "fit": self.fit_seconds,
                "score": self.measurements.seconds,
            },
            "peak_memory_bytes": self.peak_memory_bytes,
            "stored_per_row": None if self.model is None else self.model.stored_per_row,
            "is_reused": self.is_reused,
            "remarks": [str(remark) for remark in self.measurements.remarks],
            "groups": {
                name: [asdict(group) for group in groups] for name, groups in self.measurements.groups.items()
            },
        }
        if self.parts:
            record["trials"] = [part.to_json() for part in self.parts]
        return record
