"""How well lists of purchases, clicks and check-ins are: weighted NMF beside its peers.

    python -m tests.benchmarks.ranking_quality --data ../shared/data --out ranking_quality.json

One table on the fixed split of Gowalla, its test file read once for each row, and one of defaults on
logs that nobody tuned for. See README.md for the protocol.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tests.benchmarks import machine, tuning
from tests.benchmarks.apart import run_apart
from tests.benchmarks.ranking_contenders import CONTENDERS, stored_per_row
from tests.benchmarks.speed_report import table
from tests.benchmarks.weighted_speed import CHOSEN, N_ITER

_GOWALLA = "recall@20,ndcg@20,precision@10"
_OURS = {
    "hybrid-nmf, config": ["--config", "gowalla-hybrid-nmf.toml"],
    "hybrid-nmf, defaults": ["--model", "hybrid-nmf"],
    "slim, defaults": ["--model", "slim"],
    "weighted-nmf, config": ["--config", "gowalla-weighted-nmf.toml"],
    "weighted-nmf, defaults": ["--model", "weighted-nmf"],
    "weighted-nmf, any sign, 256 factors": [
        *("--model", "weighted-nmf", "--set", "nonnegative=false", "--set", "n_components=256"),
    ],
}
_PEERS = (
    *(("implicit-als", rank) for rank in (64, 128, 256)),
    *(("irspack-ials", rank) for rank in (128, 256)),
    ("cmfrec-nonneg", 64),
)
_GOODS = "Quantity > 0 AND CustomerID IS NOT NULL AND regexp_matches(StockCode, '^[0-9]{5}')"
_LOGS: Mapping[str, tuple[str, list[str]]] = {
    "lastfm-2k": ("lastfm-2k/plays.parquet", ["--split", "random-user:0.2"]),
    "online-retail": ("online-retail/online_retail.csv.gz", ["--split", "time:8w", "--where", _GOODS]),
    "completejourney": ("completejourney", ["--split", "time:4w"]),
    "movietweetings": (
        "movietweetings-100k/ratings.parquet",
        ["--split", "random-user:0.2", "--feedback", "implicit"],
    ),
    "ml-100k": ("ml-100k/ratings.parquet", ["--split", "random-user:0.2", "--feedback", "implicit"]),
}
"""Path below the folder of data (or the name of a catalogued log), and how it is read and split."""
_DEFAULTS = ("hybrid-nmf", "slim", "weighted-nmf", "als", "popularity")
_LIGHT = [(weight, l2) for weight in (5.0, 20.0, 80.0) for l2 in (1.0, 10.0, 100.0, 400.0)]
"""What light tuning of ALS tries: confidence of an entry, penalty."""
_RANK = 256
"""The number of factors of tuned ALS."""


def evaluate(log: str, *arguments: str) -> dict[str, Any]:
    """Return what ``recsys evaluate --json`` says."""
    command = [sys.executable, "-m", "recsys_cli", "evaluate", log, *arguments, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SystemExit(ran.stderr)
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def _peer(name: str, folder: Path, rank: int) -> dict[str, Any]:
    """Fit a peer to the training file and measure it on the test file."""
    import time

    from recsys.data.load import load_log
    from recsys.evaluation.evaluator import evaluate as measure
    from recsys.evaluation.metrics import parse_metrics
    from recsys.experiment.prepared_split import prepare

    train, test = (load_log(str(folder / f"{part}.parquet")) for part in ("train", "test"))
    prepared = prepare(train, test=test)
    contender, settings = CONTENDERS[name], tuning.at_rank(tuning.load(CHOSEN)[name], rank)
    began = time.perf_counter()
    model = contender.train(contender.prepare(prepared.train), rank, N_ITER[name], 2, **settings)
    seconds = time.perf_counter() - began
    found = measure(model, prepared.seen, prepared.held_out, parse_metrics(_GOWALLA))
    return {
        "metrics": dict(found.metrics),
        "seconds": {"fit": seconds},
        "stored_per_row": stored_per_row(model),
    }


def gowalla(folder: Path, *, peers_alone: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a row for each model on the fixed split."""
    files = str(folder / "train.parquet"), "--test", str(folder / "test.parquet"), "--metrics", _GOWALLA
    for title, arguments in () if peers_alone else _OURS.items():
        yield {**evaluate(*files, *arguments), "model": title}
    for name, rank in _PEERS:
        if CONTENDERS[name].version:
            yield {"model": f"{name}, {rank} factors", **run_apart(2, _peer, name, folder, rank)}


def defaults(data: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each log: models with their defaults, and ALS lightly tuned.

    ALS is tuned on a tenth of each user's entries of the training part alone, which the command line
    sees as a log of its own.
    """
    for name, (path, arguments) in _LOGS.items():
        log = str(data / path) if (data / path).exists() else path
        asked = (*arguments, "--metrics", "ndcg@10")
        row = {model: evaluate(log, "--model", model, *asked) for model in _DEFAULTS}
        tried = run_apart(2, _tune_als, log, arguments, _RANK)
        best = max(tried, key=lambda one: float(one["ndcg@10"]))
        settings = [f"n_components={_RANK}", f"weight={best['weight']}", f"l2={best['l2']}"]
        sets = [word for setting in settings for word in ("--set", setting)]
        tuned = evaluate(log, "--model", "als", *sets, *asked)
        yield {"log": name, **row, "tried": tried, "tuned": tuned}


def _tune_als(log: str, arguments: list[str], rank: int) -> list[dict[str, Any]]:
    """Return NDCG@10 of ALS by its settings on a tenth of the training part."""
    from recsys.data.load import load_log
    from recsys.evaluation.evaluator import evaluate as measure
    from recsys.evaluation.metrics import parse_metrics
    from recsys.experiment.prepared_split import prepare
    from recsys.models.baselines.als import ALS

    flags = dict(zip(arguments[::2], arguments[1::2], strict=True))
    loaded = load_log(log, where=flags.get("--where"), feedback=flags.get("--feedback"))
    train = prepare(loaded, split=flags["--split"]).train
    rows = train.by_user.to_scipy().tocoo()
    frame = {
        "user": train.user_ids.values[rows.row],
        "item": train.item_ids.values[rows.col],
        "value": rows.data,
    }
    inner = prepare(load_log(pd.DataFrame(frame), feedback="implicit"), split="random-user:0.1")
    tried: list[dict[str, Any]] = []
    for weight, l2 in _LIGHT:
        model = ALS(n_components=rank, weight=weight, l2=l2).fit(inner.train)
        found = measure(model, inner.seen, inner.held_out, parse_metrics("ndcg@10")).metrics
        tried.append({"weight": weight, "l2": l2, "ndcg@10": found["ndcg@10"]})
    return tried


def _gowalla_table(rows: list[dict[str, Any]]) -> str:
    header = ["model", "recall@20", "ndcg@20", "precision@10", "stored a row", "seconds of fit"]
    lines = []
    for row in rows:
        found = [f"{row['metrics'][name]:.4f}" for name in ("recall@20", "ndcg@20", "precision@10")]
        lines.append([row["model"], *found, f"{row['stored_per_row']:.0f}", f"{row['seconds']['fit']:.1f}"])
    return table(header, lines)


def _defaults_table(rows: list[dict[str, Any]]) -> str:
    header = ["log", *_DEFAULTS, f"als, {_RANK} factors, tuned ({len(_LIGHT)} tries)", "its settings"]
    lines = []
    for row in rows:
        cells = [
            f"{row[name]['metrics']['ndcg@10']:.4f} ({row[name]['seconds']['fit']:.1f} s)"
            for name in (*_DEFAULTS, "tuned")
        ]
        config = row["tuned"]["config"]
        settings = ", ".join(f"{key} {config[key]:g}" for key in ("weight", "l2"))
        lines.append([row["log"], *cells, settings])
    return table(header, lines)


def main() -> None:
    """Measure, print Markdown, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with gowalla, lastfm-2k ...")
    parser.add_argument("--part", nargs="+", choices=("gowalla", "defaults"), default=("gowalla", "defaults"))
    parser.add_argument("--peers", action="store_true", help="on gowalla the peers alone")
    parser.add_argument("--out", type=Path, help="JSON file for all that was measured")
    options = parser.parse_args()
    versions = {at.package: at.version for at in CONTENDERS.values()}
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.processor(),
        "python": platform.python_version(),
        "versions": versions,
        "settings": tuning.load(CHOSEN),
    }
    print(f"{record['date']}, Python {record['python']}, {versions}; {record['machine']}.\n", flush=True)
    parts = {
        "gowalla": lambda: gowalla(options.data / "gowalla", peers_alone=options.peers),
        "defaults": lambda: defaults(options.data),
    }
    tables = {"gowalla": _gowalla_table, "defaults": _defaults_table}
    for part in options.part:
        record[part] = []
        for row in parts[part]():
            record[part].append(row)
            print(row.get("model") or row.get("log"), file=sys.stderr, flush=True)
            if options.out:
                options.out.write_text(json.dumps(record, indent=1) + "\n")
        print(tables[part](record[part]), flush=True)


if __name__ == "__main__":
    main()
