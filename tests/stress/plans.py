"""Plans and conditions that were mutated: each is one message or an answer, never a traceback.

python -m tests.stress.plans configs 2000
python -m tests.stress.plans conditions 500
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import io
import os
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import typer.main

from recsys_cli.main import run

PLAN = """[log]
source = "log.csv"
where = "rating > 1"
user = "user"
item = "item"
value = "rating"
feedback = "explicit"
min_value = 1.5
[split]
rule = "random:0.2"
min_user = 2
min_item = 1
[metrics]
names = ["ndcg@5", "rmse"]
[model]
name = "masked-nmf"
n_components = 2
max_iter = 2
l2 = 0.1
biases = true
init = "random"
[report]
path = "report.json"
[run]
seed = 3
threads = 1
"""
WILD = (
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "true",
    "[]",
    "{}",
    "[[1]]",
    '""',
    '"\\u0000"',
    '"../../x"',
    "99999999999999999999",
    '"ndcg@1000000000"',
    '"random:2"',
    '"folds:0"',
    '"time:99w"',
    '"als"',
    '"a.b:C"',
    "1979-05-27",
    '"' + "x" * 3000 + '"',
    "[" * 300 + "]" * 300,
    '"\\u202e"',
    "0x10",
    "1.5",
    '"rating"',
    '"\'; DROP TABLE log; --"',
)
TAME = (
    "2",
    "3",
    "0.5",
    "true",
    "false",
    '"random:0.5"',
    '"last:1"',
    '"users:0.3"',
    '"implicit"',
    '"als"',
    '"slim"',
)
"""What may stand in a place, so that more than the reading of plans is tried."""
PIECES = (
    "user",
    "item",
    "rating",
    "time",
    "missing",
    '"user"',
    "'u1'",
    "1",
    "-1",
    "NULL",
    "1e400",
    "''",
    "'%'",
    "=",
    "<",
    ">",
    "IN",
    "NOT",
    "AND",
    "OR",
    "LIKE",
    "BETWEEN",
    "IS",
    "(",
    ")",
    ",",
    "*",
    "COLUMNS(*)",
    "count(*)",
    "sum(rating)",
    "random()",
    "1/0",
    "CAST(item AS INT)",
    "regexp_matches(item, '(((')",
    "(SELECT 1)",
    "(SELECT * FROM log)",
    "EXISTS",
    "read_csv('log.csv')",
    "read_text('secret.csv')",
    "(SELECT max(item) FROM 'secret.csv')",
    "(SELECT count(*) FROM glob('*'))",
    "'log.csv'",
    "FROM 'log.csv'",
    ";",
    "--",
    "/*",
    "*/",
    "\\",
    "DROP TABLE log",
    "ATTACH 'x.db'",
    "COPY",
    "pragma_version()",
    "getenv('HOME')",
    "CASE WHEN",
    "THEN",
    "END",
    "::INT",
    "[1]",
    "{'a': 1}",
    "\u202e",
    "\x00",
    "\x1b[2J",
    "list_sort([rating])",
    "rating > 2",
    "item <> 'i3'",
    "user IS NOT NULL",
    "generate_series(1, 10)",
    "lower(user)",
    "epoch(now())",
)


def write_log(path: Path) -> None:
    """Write a small log."""
    rows = [
        f"u{user},i{item},{1 + (user * item) % 5}\n"
        for user in range(12)
        for item in range(9)
        if (user + item) % 3
    ]
    path.write_text("user,item,rating\n" + "".join(rows))


def mutated_plan(rng: random.Random) -> str:
    """Return a plan in which values, lines or letters were changed."""
    lines = PLAN.splitlines()
    for _ in range(rng.choice((1, 1, 2, 3))):
        number = rng.randrange(len(lines))
        name, is_pair, _ = lines[number].partition(" = ")
        kind = rng.randrange(6)
        if kind <= 1 and is_pair:
            lines[number] = f"{name} = {rng.choice(TAME if rng.random() < 0.4 else WILD)}"
        elif kind == 2:
            del lines[number]
        elif kind == 3:
            lines.insert(rng.randrange(len(lines)), lines[number])
        elif kind == 4 and is_pair:
            lines[number] = f"{name[::-1]} = 1"
        elif lines[number]:
            place = rng.randrange(len(lines[number]))
            letter = chr(rng.choice((rng.randrange(32, 127), rng.randrange(32), 0x202E, 0xE4)))
            lines[number] = lines[number][:place] + letter + lines[number][place + 1 :]
    return "\n".join(lines)


def condition(rng: random.Random) -> str:
    """Return pieces of SQL in any order."""
    return " ".join(rng.choice(PIECES) for _ in range(rng.randint(1, 7)))


def tried(arguments: list[str]) -> tuple[int, str]:
    """Run a command; return its exit code and what it said on standard error; its output has to be there."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return code, err.getvalue()


def trials(what: str, n: int, folder: Path, say: Callable[[str], object], seed: int = 0) -> dict[str, int]:
    """Try ``n`` of them; count answers, messages and faults."""
    rng = random.Random(seed)
    seen = {"answers": 0, "messages": 0, "faults": 0}
    before = Path.cwd()
    os.chdir(folder)
    try:
        write_log(folder / "log.csv")
        (folder / "plan.toml").write_text(PLAN)
        assert tried(["evaluate", "plan.toml"])[0] == 0, "the plan itself is not one that works"
        canary = Canary(folder / "secret.csv")
        with _quick():
            for number in range(n):
                if what == "configs":
                    text = mutated_plan(rng)
                    Path("plan.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
                    arguments = ["evaluate", "plan.toml", "--json"]
                else:
                    text = condition(rng)
                    arguments = ["data", "describe", "log.csv", "--where", text, "--json"]
                kind, wrong = _trial(arguments, canary)
                seen[kind] += 1
                if wrong:
                    say(f"{what} {number}: {wrong}\n{text[:2000]}\n\n")
    finally:
        os.chdir(before)
    return seen


class Canary:
    """A file that nothing has to do with: that it was read is seen by its time of access and its content."""

    CONTENT = "user,item\ncanary,canary\n"

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text(self.CONTENT)
        self._set()
        path.read_text()
        self._notes_reads = path.stat().st_atime_ns != 0
        self._set()

    def _set(self) -> None:
        os.utime(self._path, ns=(0, time.time_ns()))

    def was_read(self, told: str) -> bool:
        """Return whether the file was read, as far as the file system notes it, or what was said shows it."""
        return "canary" in told or (self._notes_reads and self._path.stat().st_atime_ns != 0)


@contextlib.contextmanager
def _quick() -> Iterator[None]:
    """Do but once what is the same in each trial: define the commands, and scan what was loaded before."""
    built = typer.main.get_command
    typer.main.get_command = functools.cache(built)  # type: ignore[assignment]
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        typer.main.get_command = built
        gc.unfreeze()


def _trial(arguments: list[str], canary: Canary) -> tuple[str, str | None]:
    """Return what came of a command, and what is wrong with that."""
    began = time.perf_counter()
    try:
        code, said = tried(arguments)
        wrong = _fault(code, said)
    except BaseException as error:
        return "faults", f"{type(error).__name__}: {str(error)[:300]}"
    if wrong is None and time.perf_counter() - began > 60:
        wrong = "it took a minute"
    if wrong is None and canary.was_read(said):
        wrong = "another file was read"
    return ("faults" if wrong else "answers" if code == 0 else "messages"), wrong


def _fault(code: int, told: str) -> str | None:
    """Return what is wrong with what a command said, if anything is."""
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if "Traceback" in told:
        return "a traceback"
    if code and not told.strip():
        return "no message"
    if not all(character.isprintable() for line in told.split("\n") for character in line):
        return "control characters in the message"
    return None


def main() -> None:
    """Run them."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["configs", "conditions"])
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        seen = trials(given.what, given.n, Path(folder), sys.__stderr__.write, given.seed)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"{given.what}: {counted}, {time.perf_counter() - began:.1f} s\n")
    sys.exit(seen["faults"] > 0)


if __name__ == "__main__":
    main()
