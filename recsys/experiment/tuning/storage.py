"""The trials of a study as they are kept: by Optuna, in SQLite, with all that they depend on."""

from __future__ import annotations

import hashlib
import importlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import rng
from recsys._version import __version__
from recsys.errors import DependencyError, InputError, OutputError
from recsys.experiment.tuning.measuring import Measuring
from recsys.experiment.tuning.trial import Trial
from recsys.models.search import Range

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

N_RANDOM = 8
"""Settings that are drawn at random before the sampler goes by what it has seen."""
_FAR_AHEAD = 5
"""Settings that are measured whole before one is given up early."""
_WARM_UP = 2
"""Iterations after which a setting is not given up yet, where each is measured."""


@dataclass(frozen=True, eq=False)
class TrialStorage:
    """Where trials are kept as they come.

    Attributes
    ----------
    measuring : Measuring
        How settings are measured; its folder gets ``study.sqlite``, which Optuna's tools read.
    """

    measuring: Measuring

    def open(self) -> optuna.Study:
        """Return the study of the folder, made where there is none; without a folder one in memory.

        Raises
        ------
        InputError
            If the folder holds a study of something else, or cannot be used.
        """
        library = optuna_library()
        library.logging.set_verbosity(library.logging.ERROR)
        path = None if self.measuring.folder is None else self.measuring.folder / "study.sqlite"
        direction = "maximize" if self.measuring.metric.higher_is_better is not False else "minimize"
        warm_up = 0 if self.measuring.most_sweeps is None else _WARM_UP
        pruner = library.pruners.MedianPruner(n_startup_trials=_FAR_AHEAD, n_warmup_steps=warm_up)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            opened: optuna.Study = library.create_study(
                direction=direction,
                pruner=pruner,
                storage=None if path is None else _storage_in(path),
                study_name="recsys",
                load_if_exists=True,
            )
            known = opened.user_attrs.get("key")
            if known is None and not opened.trials:
                opened.set_user_attr("key", self.key)
                opened.set_user_attr("of", self.description)
        except OSError as failure:
            raise InputError(f"{self.measuring.folder} cannot be written to: {failure}.") from None
        except Exception as failure:  # the storage speaks through SQLAlchemy's errors
            reason = _reason(failure)
            if path is not None and reason in _NO_ROOM:
                raise OutputError(
                    f"{path} cannot be written: {reason}; make room on the disk or give another place."
                ) from failure
            raise InputError(
                f"{path} cannot be used ({reason}); is another program at it? Expected the file of an "
                f"earlier 'recsys tune', or none."
            ) from failure
        if opened.user_attrs.get("key") != self.key:
            other = opened.user_attrs.get("of", "it is not known of what")
            raise InputError(
                f"{self.measuring.folder} holds other trials ({other}), not those of {self.description}; "
                f"choose another folder, or delete that one."
            )
        return opened

    def propose(self, opened: optuna.Study, number: int) -> optuna.Trial:
        """Return the next setting, by a sampler whose seed is made of the seed and the number of trials."""
        measuring = self.measuring
        stream = rng.stream(measuring.seed, "tuning", measuring.space.spec.name, number)
        opened.sampler = optuna_library().samplers.TPESampler(
            n_startup_trials=N_RANDOM, seed=int(stream.integers(2**31))
        )
        return opened.ask(self.distributions())

    def keep(self, opened: optuna.Study, proposed: optuna.Trial, trial: Trial) -> None:
        """Keep a setting that was proposed with what became of it."""
        for key, value in self.attributes(trial).items():
            proposed.set_user_attr(key, value)
        values = trial.value if trial.is_complete else None
        opened.tell(proposed, values, state=optuna_library().trial.TrialState[_STATES[trial.state]])

    def give_up(self, opened: optuna.Study, proposed: optuna.Trial) -> None:
        """Note that a setting was interrupted; it will be tried again."""
        proposed.set_user_attr("interrupted", True)
        opened.tell(proposed, state=optuna_library().trial.TrialState.FAIL)

    @property
    def description(self) -> str:
        """What is tuned on what, in a line."""
        measuring = self.measuring
        split = measuring.parts[0].split
        return (
            f"{measuring.space.spec.name} by {measuring.metric} on {split.name}, seed {measuring.seed}, "
            f"{split.n_train_pairs:,} pairs to train; searched: {measuring.space}"
        )

    @property
    def key(self) -> str:
        """SHA-256 of all that trials depend on."""
        depends_on = {
            "version": __version__,
            "model": self.measuring.space.spec.name,
            "held": dict(self.measuring.space.spec.params),
            "searched": str(self.measuring.space),
            "metric": str(self.measuring.metric),
            "seed": self.measuring.seed,
            "most sweeps": self.measuring.most_sweeps,
            "parts": [
                [prepared.train.digest, prepared.held_out.digest, prepared.split.name, prepared.split.seed]
                for prepared in self.measuring.parts
            ],
        }
        return hashlib.sha256(json.dumps(depends_on, sort_keys=True, default=str).encode()).hexdigest()

    def earlier(self, opened: optuna.Study) -> list[Trial]:
        """Return the trials of earlier runs; one that was cut off is no trial and will be made again.

        A process may have been killed between any two things that it kept of a trial.
        """
        optuna = optuna_library()
        trials: list[Trial] = []
        for stored in opened.get_trials(deepcopy=False):
            attributes, is_kept = stored.user_attrs, stored.user_attrs.keys() >= set(_KEPT)
            if stored.state == optuna.trial.TrialState.RUNNING:  # its process was killed
                state = _STATES[attributes["state"]] if is_kept else "FAIL"
                values = attributes["value"] if state == "COMPLETE" else None
                opened.tell(stored.number, values, state=optuna.trial.TrialState[state])
            if not is_kept:
                continue  # interrupted, or killed before all of it was kept
            trial = Trial(
                number=len(trials),
                params=_params(stored) if trials else {},
                state=attributes["state"],
                value=attributes["value"],
                seconds=attributes["seconds"],
                config=attributes["config"],
                error=attributes["error"],
                curve=tuple(attributes["curve"]),
            )
            trials.append(self._with_measurements(trial) if trial.is_complete else trial)
        return trials

    def _with_measurements(self, trial: Trial) -> Trial:
        """Return a complete trial with users' values, measured again where the folder lost them."""
        again = self.measuring.measure(trial.number, trial.params, None)
        return replace(trial, measurements=again.measurements)

    def add_first(self, opened: optuna.Study, trial: Trial) -> None:
        """Give the sampler the setting without tuning, as far as it lies where is searched."""
        optuna, known = optuna_library(), self.distributions()
        within = {
            name: trial.config[name]
            for name, where in self.measuring.space.searched.items()
            if name in known and name in trial.config and trial.config[name] in where
        }
        distributions = {name: known[name] for name in within}
        is_complete = trial.is_complete
        opened.add_trial(
            optuna.trial.create_trial(
                params=within,
                distributions=distributions,
                value=trial.value if is_complete else None,
                state=optuna.trial.TrialState.COMPLETE if is_complete else optuna.trial.TrialState.FAIL,
                user_attrs=self.attributes(trial),
            )
        )

    def attributes(self, trial: Trial) -> dict[str, Any]:
        """Return what the storage keeps of a trial beside its parameters, as JSON has it."""
        record = trial.to_json()
        kept = {name: record[name] for name in _KEPT}
        result: dict[str, Any] = json.loads(json.dumps(kept, default=str))
        return result

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return where the sampler searches each parameter."""
        distributions = optuna_library().distributions
        by_name: dict[str, BaseDistribution] = {}
        for name, where in self.measuring.space.searched.items():
            if name == "max_iter" and self.measuring.most_sweeps is not None:
                continue  # each fit finds it
            if not isinstance(where, Range):
                by_name[name] = distributions.CategoricalDistribution(where.values)
            elif where.is_whole:
                by_name[name] = distributions.IntDistribution(int(where.low), int(where.high), log=where.log)
            else:
                by_name[name] = distributions.FloatDistribution(where.low, where.high, log=where.log)
        return by_name

    @contextmanager
    def writing(self, n_kept: int) -> Iterator[None]:
        """Say in one message that the storage cannot be written to, as while another program holds it."""
        try:
            yield
        except optuna_library().exceptions.StorageInternalError as failure:
            reason = _reason(failure.__cause__ or failure)
            if reason in _NO_ROOM:
                raise OutputError(
                    f"{self.measuring.folder} cannot be written: {reason}; make room on the disk, and the "
                    f"same command goes on from the {n_kept:,} trials that are kept."
                ) from failure
            raise InputError(
                f"{self.measuring.folder} cannot be written to ({reason}); is another program at it? The "
                f"{n_kept:,} trials that were done are kept, and the same command goes on from them."
            ) from failure


_NO_ROOM = ("database or disk is full", "disk I/O error")
"""What SQLite says on a full disk, and below a limit on the size of files."""
_KEPT = ("value", "seconds", "config", "error", "curve", "state")
_STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


def _reason(failure: BaseException) -> str:
    """Return what SQLite says: SQLAlchemy puts the kind of the error before it, in brackets."""
    return str(failure).splitlines()[0].removeprefix("(sqlite3.OperationalError) ")


def _params(stored: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """Return the parameters of a stored trial, the number of iterations that was best among them."""
    config = stored.user_attrs["config"]
    return {**stored.params, **({"max_iter": config["max_iter"]} if stored.user_attrs["curve"] else {})}


def _storage_in(path: Path) -> Any:
    """Return Optuna's storage in a file; an address would read ``?`` and ``%`` of a path as its own."""
    connect = partial(sqlite3.connect, path, check_same_thread=False)
    return optuna_library().storages.RDBStorage("sqlite://", engine_kwargs={"creator": connect})


def optuna_library() -> Any:
    """Return Optuna, or raise DependencyError if it is not installed."""
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise DependencyError(
            'tuning needs Optuna, which is not installed; pip install "recsys[tune]" brings it.'
        ) from None
