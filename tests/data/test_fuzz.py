"""Damaged files: whatever bytes are changed, a log is read or one message says what is wrong."""

import os
from pathlib import Path

import numpy as np
import pytest

from recsys.data.load import load_log
from recsys.errors import LogError, RecsysError

ROWS = [f"u{n % 7},i{n % 11},{n % 5 + 1},2024-01-{n % 28 + 1:02d} 10:00:00" for n in range(30)]
SEEDS = {
    "log.csv": ("user,item,rating,time\n" + "\n".join(ROWS) + "\n").encode(),
    "quoted.csv": ('"user","item","rating"\n' + '"a b","c, d","3"\n"e ""f""",g,2\n' * 8).encode(),
    "log.jsonl": b'{"user": {"id": 1}, "item": "a", "rating": 2.5}\n{"user": {"id": 2}, "item": "b"}\n' * 6,
    "lists.txt": b"1 10 11 12\n2 10\n3 11 12\n" * 5,
}
OPTIONS = {"lists.txt": {"layout": "lists"}}
PIECES = [
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NA",
    b"-1",
    b"1e999",
    b"{",
    b"]",
    b"\\",
    b";",
    b"::",
]


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """Return content with some bytes changed, cut, doubled or put in."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 4)):
        place = int(generator.integers(0, len(data) + 1))
        kind = generator.integers(0, 4)
        if kind == 0 and place < len(data):
            data[place] = int(generator.integers(0, 256))
        elif kind == 1:
            data[place:place] = PIECES[generator.integers(0, len(PIECES))]
        elif kind == 2:
            del data[place : place + int(generator.integers(1, 20))]
        else:
            data[place:place] = data[place : place + int(generator.integers(1, 40))]
    return bytes(data)


def check(folder: Path, n_files: int, seed: int) -> tuple[int, int]:
    """Read mutated files, and return how many were read and how many refused."""
    generator = np.random.default_rng(seed)
    n_read = n_refused = 0
    for number in range(n_files):
        name = list(SEEDS)[number % len(SEEDS)]
        path = folder / name
        path.write_bytes(mutated(SEEDS[name], generator))
        problem = None
        try:
            log = load_log(path, n_threads=1, **OPTIONS.get(name, {})).log
        except RecsysError as error:
            problem = error
        if problem is not None:
            n_refused += 1
            assert str(problem)
            assert not isinstance(problem, LogError) or problem.source is not None, problem
        else:
            n_read += 1
            assert len(log) > 0
            assert np.isfinite(log.values).all()
            assert log.feedback == "explicit" or log.values.min() >= 0  # ratings may be below 0
    return n_read, n_refused


def test_a_few_damaged_files(tmp_path: Path) -> None:
    n_read, n_refused = check(tmp_path, 60, seed=0)
    assert n_read > 5
    assert n_refused > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_damaged_files(tmp_path: Path, seed: int) -> None:
    n_files = int(os.environ.get("RECSYS_FUZZ", "60"))  # of each of ten seeds; 500 for the whole of it
    n_read, n_refused = check(tmp_path, n_files, seed)
    assert n_read > n_files // 10
    assert n_refused > n_files // 10
