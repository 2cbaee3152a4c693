"""Bundles that were changed: each must be refused by one message, or answer as the one that was saved.

    python -m tests.stress.bundles 20000

Half of the changes are made to files as they lie there, half below hashes that are made anew, as somebody
would who knows the format. Against the latter only a signature is proof: of those, what loads and answers
differently is counted without a key, and must be nothing with one.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open
from safetensors.numpy import save_file

from recsys.data.interactions import Interactions
from recsys.errors import RecsysError
from recsys.files import sha256
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.signing import sign_bundle
from tests.matrices import random_matrix

PARTS = ("arrays.safetensors", "users.parquet", "items.parquet")
NAMES = (
    "masked-nmf",
    "weighted-nmf",
    "poisson-nmf",
    "bayesian-nmf",
    "slim",
    "als",
    "item-knn",
    "popularity",
    "bias",
)
SHORT = {"n_components": 2, "max_iter": 2, "n_burn_in": 2, "n_draws": 2, "n_kept": 2, "n_chains": 2}
VALUES = [None, True, -1, 0, 1, 2, 3, 1e300, float("nan"), "x", "", [], {}, 10**20, -0.5]


def write(folder: Path, name: str, seed: int) -> None:
    """Save a small bundle of a model."""
    data = Interactions.from_matrix(random_matrix(12, 9, density=0.6, seed=seed))
    model = make(name)
    model.set_params(**{key: value for key, value in SHORT.items() if key in model.get_params()})
    save_bundle(Bundle.of(model.fit(data), data), folder)


def answers(bundle: Bundle) -> bytes:
    """Return what a bundle answers, by ids."""
    lists = bundle.recommend(n=5, include_seen=True)
    parts = [
        lists.items.tobytes(),
        lists.scores.tobytes(),
        json.dumps(list(lists.lists()), default=str).encode(),
    ]
    if bundle.model.folds_in:
        history = dict.fromkeys([bundle.item_ids[0], bundle.item_ids[3]], 2.0)
        parts.append(bundle.recommend_for(history, 5).scores.tobytes())
    if bundle.model.predicts_values:
        parts.append(bundle.predict(bundle.user_ids[1], list(bundle.item_ids)).tobytes())
    return hashlib.sha256(b"".join(parts)).digest()


def seal(folder: Path, record: dict[str, Any]) -> None:
    """Write a record whose hashes are right."""
    record["parts"] = {part: sha256(folder / part) for part in PARTS}
    record.pop("digest", None)
    record["digest"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    (folder / "model.json").write_text(json.dumps(record))


def damage(folder: Path, rng: random.Random) -> str:
    """Change the bytes of one file."""
    path = folder / rng.choice([*PARTS, "model.json"])
    content = bytearray(path.read_bytes())
    kind = rng.choice(["flip", "cut", "insert", "delete", "empty", "zero"])
    at = rng.randrange(len(content))
    if kind == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del content[at:]
    elif kind == "insert":
        content[at:at] = rng.randbytes(rng.randrange(1, 20))
    elif kind == "delete":
        del content[at : at + rng.randrange(1, 20)]
    elif kind == "empty":
        content.clear()
    else:
        content[at : at + 8] = bytes(len(content[at : at + 8]))
    path.write_bytes(content)
    return f"bytes: {kind}"


def forge(folder: Path, others: list[Path], rng: random.Random) -> str:
    """Change what stands in the files, and make the hashes fit."""
    record = json.loads((folder / "model.json").read_text())
    kind = rng.choice(["record", "config", "array", "array", "ids", "swap", "bytes"])
    if kind == "record":
        place: Any = record
        while True:
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and rng.random() < 0.7:
                place = inner
                continue
            if rng.random() < 0.5:
                del place[key]
            else:
                place[key] = copy.deepcopy(rng.choice(VALUES))
            break
    elif kind == "config":
        key = rng.choice(list(record["config"])) if record["config"] else "x"
        if rng.random() < 0.5:
            record["config"].pop(key, None)
        else:
            record["config"][key] = copy.deepcopy(rng.choice(VALUES))
    elif kind == "array":
        with safe_open(folder / PARTS[0], "numpy") as file:
            arrays, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
        name = rng.choice(list(arrays))
        array = arrays[name]
        change = rng.choice(["drop", "roll", "cut", "nan", "negative", "huge", "type", "shape", "twice"])
        if change == "drop":
            del arrays[name]
        elif change == "roll":
            arrays[name] = np.roll(array, 1, axis=0)
        elif change == "cut":
            arrays[name] = array[:-1]
        elif change in ("nan", "negative", "huge"):
            array = array.copy()
            number = {"nan": np.nan, "negative": -1, "huge": 1e30}[change]
            if array.size:
                info = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
                array.flat[rng.randrange(array.size)] = (
                    number if info is None else (info.max if change == "huge" else info.min)
                )
            arrays[name] = array
        elif change == "type":
            arrays[name] = array.astype(rng.choice([np.float64, np.float32, np.int64, np.int32]))
        elif change == "shape":
            arrays[name] = array[None]
        else:
            arrays[name] = np.concatenate([array, array])
        save_file(
            {key: np.ascontiguousarray(value) for key, value in arrays.items()}, folder / PARTS[0], metadata
        )
        kind = f"array: {change}"
    elif kind == "ids":
        path = folder / rng.choice(PARTS[1:])
        table = pq.read_table(path)
        order = list(range(table.num_rows))
        rng.shuffle(order)
        pq.write_table(table.take(pa.array(order)), path)
    elif kind == "swap":
        part = rng.choice(PARTS)
        shutil.copy(rng.choice(others) / part, folder / part)
    else:
        damage(folder, rng)
        try:
            record = json.loads((folder / "model.json").read_text())
        except ValueError:
            return kind
        if not isinstance(record, dict):
            return kind
    seal(folder, record)
    return kind


def run(n: int, folder: Path, *, seed: int = 0) -> dict[str, int]:
    """Change bundles ``n`` times and count what came of it."""
    rng = random.Random(seed)
    originals = []
    key = folder / "key"
    key.write_bytes(bytes(range(32)))
    for name in NAMES:
        for of_seed in (0, 1):
            path = folder / f"{name}-{of_seed}"
            write(path, name, of_seed)
            sign_bundle(path, key)
            originals.append(path)
    expected = {path: answers(load_bundle(path)) for path in originals}
    counts: Counter[str] = Counter()
    different: Counter[str] = Counter()
    for number in range(n):
        original = rng.choice(originals)
        place = folder / "changed"
        shutil.copytree(original, place)
        is_forged = number % 2 == 1
        kind = forge(place, originals, rng) if is_forged else damage(place, rng)
        try:
            bundle = load_bundle(place)
        except RecsysError as error:
            counts["refused"] += 1
            counts["of_several_lines"] += "\n" in str(error)
        else:
            counts["loaded"] += 1
            try:
                is_same = answers(bundle) == expected[original]
            except RecsysError:  # numbers that are right in form, and of which no list can be made
                is_same = False
            if not is_same:
                assert is_forged, f"{original.name}: {kind}: answers differently"
                different[kind] += 1
                try:
                    load_bundle(place, key=key)
                except RecsysError:
                    counts["refused_by_signature"] += 1
                else:
                    raise AssertionError(f"{original.name}: {kind}: loaded though it is signed")
        shutil.rmtree(place)
    assert not counts["of_several_lines"]
    counts["different"] = sum(different.values())
    sys.stderr.write(f"answered differently without a key: {dict(different)}\n")
    return dict(counts)


def main() -> None:
    """Run it from the command line."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        seen = run(given.n, Path(folder), seed=given.seed)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"{counted}, {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
