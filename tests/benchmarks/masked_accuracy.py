"""Errors on the five official folds of MovieLens 100K: ours beside its peers.

    python -m tests.benchmarks.masked_accuracy --data ../shared/data/ml-100k --out accuracy.json

Predictions are clipped to 1..5. Ours is run by the very command that the README names, peers with
the settings of accuracy_settings.toml, chosen by ``--tune`` inside the first fold's training part.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from tests.benchmarks import machine, tuning
from tests.benchmarks.apart import run_apart
from tests.benchmarks.contenders import CONTENDERS, PEERS, libmf_vectors, missing
from tests.benchmarks.ratings import Ratings, errors
from tests.benchmarks.speed_report import table
from tests.benchmarks.tuning import Settings

FoldResult: TypeAlias = dict[str, float]
"""``rmse``, ``mae`` and ``seconds`` of training."""

_OURS = {
    "masked-nmf, defaults": ["--model", "masked-nmf"],
    "masked-nmf, config": ["--config", "ml-100k-masked-nmf.toml"],
    "bayesian-nmf, config": ["--config", "ml-100k-bayesian-nmf.toml"],
}
_FOLDS = range(1, 6)
_N_INNER_SPLITS = 2
_CHOSEN, _GRIDS = "accuracy_settings.toml", "accuracy_grids.toml"


def _path(data: Path, fold: int, part: str) -> Path:
    return data / f"u{fold}_{part}.parquet"


def _read(data: Path, fold: int) -> tuple[Ratings, Ratings]:
    """Return a fold's training and test ratings, rows numbered over both."""
    parts = [pd.read_parquet(_path(data, fold, part)) for part in ("train", "test")]
    both = pd.concat(parts)
    users, items = np.unique(both["user"]), np.unique(both["item"])
    train, test = (
        Ratings(
            np.searchsorted(users, part["user"]).astype(np.int32),
            np.searchsorted(items, part["item"]).astype(np.int32),
            part["rating"].to_numpy(np.float32),
            len(users),
            len(items),
        )
        for part in parts
    )
    return train, test


def _ours(data: Path, fold: int, arguments: list[str]) -> FoldResult:
    command = ["evaluate", _path(data, fold, "train"), "--test", _path(data, fold, "test"), *arguments]
    command = [sys.executable, "-m", "recsys_cli", *map(str, command), "--metrics", "rmse,mae", "--json"]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {
        "rmse": answer["metrics"]["rmse"],
        "mae": answer["metrics"]["mae"],
        "seconds": answer["seconds"]["fit"],
    }


def _fit(name: str, train: Ratings, test: Ratings, settings: Settings, n_threads: int) -> FoldResult:
    contender = CONTENDERS[name]
    prepared = contender.prepare(train)
    began = time.perf_counter()
    predict = contender.train(prepared, n_threads=n_threads, **settings)
    seconds = time.perf_counter() - began
    rmse, mae = errors(predict, test)
    return {"rmse": rmse, "mae": mae, "seconds": seconds}


def _peer(name: str, data: Path, settings: Settings, n_threads: int) -> list[FoldResult]:
    return [_fit(name, *_read(data, fold), settings, n_threads) for fold in _FOLDS]


def _tune(name: str, data: Path, grid: list[Settings], cap: float) -> list[tuple[float, Settings]]:
    """Return the mean rmse over inner splits for as many settings as the seconds allow."""
    train, _ = _read(data, 1)
    splits = [train.split(0.1, "accuracy", number) for number in range(_N_INNER_SPLITS)]
    # In an order of chance, so that a cap leaves a fair part of the grid.
    order = np.random.default_rng(0).permutation(len(grid))
    began, tried = time.process_time(), []
    for at in order:
        found = [_fit(name, *split, grid[at], 1)["rmse"] for split in splits]
        tried.append((float(np.mean(found)), grid[at]))
        if time.process_time() - began > cap:
            break
    return tried


def tune(data: Path, names: list[str], cap: float) -> None:
    """Choose each peer's settings and write them to the settings file."""
    grids, chosen = tuning.load(_GRIDS), tuning.load(_CHOSEN)
    for name in names:
        grid = tuning.combinations(grids[name])
        tried = run_apart(1, _tune, name, data, grid, cap)
        rmse, settings = min(tried, key=lambda one: one[0])
        chosen[name] = settings
        print(f"{name}: {settings}, inner rmse {rmse:.4f}, {len(tried)} of {len(grid)} tried", flush=True)
        tuning.save(_CHOSEN, f"Written by `masked_accuracy --tune`; the grids are in {_GRIDS}.", chosen)


def measure(data: Path, names: list[str], n_threads: int) -> Iterator[dict[str, Any]]:
    """Yield one record for each contender."""
    chosen = tuning.load(_CHOSEN)
    for name in names:
        if name in _OURS:
            arguments = [*_OURS[name], "--threads", str(n_threads)]
            folds, settings = [_ours(data, fold, arguments) for fold in _FOLDS], {}
        elif name in chosen:
            settings = chosen[name]
            folds = run_apart(n_threads, _peer, name, data, settings, n_threads)
        else:
            print(f"{name} is skipped: it has no settings in {_CHOSEN}; run --tune first.", file=sys.stderr)
            continue
        version = CONTENDERS[name].version if name in CONTENDERS else CONTENDERS["masked-nmf"].version
        yield {"name": name, "version": version, "settings": settings, "folds": folds}


def _row(record: dict[str, Any]) -> list[str]:
    means = {key: np.mean([fold[key] for fold in record["folds"]]) for key in ("rmse", "mae", "seconds")}
    settings = ", ".join(f"{key} {value}" for key, value in record["settings"].items())
    return [
        record["name"],
        record["version"],
        settings,
        *(f"{fold['rmse']:.4f}" for fold in record["folds"]),
        f"{means['rmse']:.4f}",
        f"{means['mae']:.4f}",
        f"{means['seconds']:.2f}",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with u1_train.parquet ...")
    parser.add_argument("--contenders", nargs="+", choices=[*_OURS, *PEERS], default=[*_OURS, *PEERS])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tune", action="store_true", help=f"choose settings and write {_CHOSEN}")
    parser.add_argument(
        "--cap", type=float, default=600.0, help="with --tune: processor seconds for each peer"
    )
    parser.add_argument("--out", type=Path, help="JSON file for all that was measured")
    return parser.parse_args()


def main() -> None:
    """Measure, print Markdown, and write JSON."""
    options = _options()
    names = []
    for name in options.contenders:
        reason = missing(name) if name in PEERS else None
        if reason:
            print(f"{name} is skipped: {reason}.\n")
        else:
            names.append(name)
    if options.tune:
        tune(options.data, [name for name in names if name in PEERS], options.cap)
        return
    date = datetime.now(UTC).isoformat(timespec="seconds")
    print(f"{date}, {machine.processor()}, {options.threads} threads; LibMF's vectors: {libmf_vectors()}.\n")
    records = []
    for record in measure(options.data, names, options.threads):
        records.append(record)
        print(" ".join(_row(record)), file=sys.stderr, flush=True)
    folds = [f"fold {fold}" for fold in _FOLDS]
    header = ["model", "version", "settings", *folds, "mean rmse", "mean mae", "seconds a fold"]
    print(table(header, sorted(map(_row, records), key=lambda row: row[-3])))
    if options.out:
        options.out.write_text(json.dumps({"date": date, "results": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
