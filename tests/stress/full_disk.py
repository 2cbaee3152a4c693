"""Every command that writes, on a disk that fills while it writes, or below a limit on the size of files.

    python -m tests.stress.full_disk            (as root of Linux: it mounts a small disk of its own)
    python -m tests.stress.full_disk ulimit     (anywhere: the limit of `ulimit -f`)

Each command runs once with room, then over what it wrote with none, and a little more each time: the exit
code must be 1 with one message, what was there must be whole, and nothing may be left that was not there.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import hashlib
import io
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from recsys.data import formats
from recsys.data.fetching import RemoteFile
from recsys.data.log_format import LogFormat
from recsys_cli.main import run
from tests.stress.commands import SMALL, make_inputs
from tests.web import serving

FIT = ["--model", "masked-nmf", *SMALL]
# What is written, with OUT for where, and what makes the second time write something else.
CASES: dict[str, tuple[list[str], list[str]]] = {
    "train": (["train", "LOG", *FIT, "--out", "OUT"], ["--seed", "1"]),
    "train, with checkpoints": (
        ["train", "LOG", *FIT, "--out", "OUT", "--checkpoint-every", "1"], ["--seed", "1"],
    ),
    "train, versions": (["train", "LOG", *FIT, "--out", "OUT", "--keep", "3"], ["--seed", "1"]),
    "lists .csv": (["recommend", "MODEL", "--all-users", "--out", "OUT.csv"], ["-n", "3"]),
    "lists .csv.gz": (["recommend", "MODEL", "--all-users", "--out", "OUT.csv.gz"], ["-n", "3"]),
    "lists .jsonl": (["recommend", "MODEL", "--all-users", "--out", "OUT.jsonl"], ["-n", "3"]),
    "lists .parquet": (["recommend", "MODEL", "--all-users", "--out", "OUT.parquet"], ["-n", "3"]),
    "lists .xlsx": (["recommend", "MODEL", "--all-users", "--out", "OUT.xlsx"], ["-n", "3"]),
    "lists in sqlite": (["recommend", "MODEL", "--all-users", "--out", "sqlite:OUT.db"], ["-n", "3"]),
    "lists in duckdb": (["recommend", "MODEL", "--all-users", "--out", "duckdb:OUT.db"], ["-n", "3"]),
    "lists as a folder": (["recommend", "MODEL", "--all-users", "--out", "OUT/"], []),
    "similar": (["similar", "MODEL", "--item", "i1", "--out", "OUT.csv"], ["-n", "3"]),
    "themes, a page": (["themes", "MODEL", "--out", "OUT.html"], []),
    "themes, a table": (["themes", "MODEL", "--out", "OUT.csv"], ["--top", "1"]),
    "a log's page": (["data", "describe", "LOG", "--report", "OUT.html"], ["--min-value", "2"]),
    "prepared": (["data", "prepare", "LOG", "--out", "OUT"], ["--min-value", "2"]),
    "prepared on disk": (
        ["data", "prepare", "LOG", "--memory", "1G", "--out", "OUT"], ["--where", "rating > 1"],
    ),
    "a copy in UTF-8": (["data", "describe", "UTF16"], []),
    "a copy without bad rows": (["data", "describe", "BAD", "--on-bad-row", "skip"], []),
    "a zip archive": (["data", "describe", "ZIP"], []),
    "bad rows": (
        ["data", "describe", "BAD", "--on-bad-row", "skip", "--bad-rows", "OUT.csv"], ["--min-value", "2"],
    ),
    "report .html": (["evaluate", "LOG", *FIT, "--report", "OUT.html"], ["--seed", "1"]),
    "report .md": (["evaluate", "LOG", *FIT, "--report", "OUT.md"], ["--seed", "1"]),
    "report .json": (["evaluate", "LOG", *FIT, "--report", "OUT.json"], ["--seed", "1"]),
    "report .parquet": (["evaluate", "LOG", *FIT, "--report", "OUT.parquet"], ["--seed", "1"]),
    "compare, a report": (["compare", "LOG", *FIT, "--report", "OUT.html"], ["--seed", "1"]),
    "compare": (["compare", "LOG", *FIT, "--out", "OUT"], ["--seed", "1"]),
    "fetch": (["data", "fetch", "NAME", "--out", "OUT"], []),
    "fetch, the archive": (["data", "fetch", "NAME", "--out", "OUT"], []),
    "ranks": (
        ["ranks", "LOG", "--model", "masked-nmf", "--ranks", "2,3", "--report", "OUT.html"], ["--seed", "1"],
    ),
    "tune": (["tune", "LOG", "--model", "item-knn", "--trials", "3", "--out", "OUT"], []),
    "promote": (["model", "promote", "MODEL", "OUT"], []),
    "sign": (["model", "sign", "OUT", "--key", "KEY"], []),
}  # fmt: skip
GROWS = {"compare", "tune", "lists as a folder", "train, versions", "train, with checkpoints", "promote"}
"""What adds to what is there: that must stay, whole parts may come beside it, and it goes on with room."""
TEMPORARY = {"a copy in UTF-8", "a copy without bad rows", "a zip archive", "fetch, the archive"}
"""What writes into the folder for temporary files, which is then the one without room."""
FILLER = "filler"
STEPS = (0, 4, 8, 16, 64, 256, 4096)
"""Room in KiB, until a command has enough."""


@contextlib.contextmanager
def mounted(place: Path, mib: int) -> Iterator[None]:
    """Give this process mounts of its own, and mount a small disk."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, private = 0x00020000, (1 << 18) | (1 << 14)
    if libc.unshare(new_mounts) or libc.mount(b"none", b"/", None, private, None):
        raise PermissionError("a disk can be mounted by root alone; 'ulimit' needs none")
    place.mkdir()
    if libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, f"size={mib}m".encode()):
        raise OSError(ctypes.get_errno(), "mount")
    try:
        yield
    finally:
        libc.umount2(os.fsencode(place), 2)  # once nobody has a file there open


@contextlib.contextmanager
def room_on_disk(place: Path, kib: int) -> Iterator[None]:
    """Leave so much of a small disk."""
    filler = place / FILLER
    status = os.statvfs(place)
    with filler.open("wb") as file:
        file.write(bytes(max(status.f_bavail * status.f_frsize - kib * 1024, 0)))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def room_in_files(place: Path, kib: int) -> Iterator[None]:
    """Let no file get longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def fetchable() -> Iterator[None]:
    """Let every name of a format be that of an archive of 300 KiB on a server of this process."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("log.csv", os.urandom(300 * 1024))
    content = packed.getvalue()
    with serving(content) as address:
        remote = RemoteFile(address, hashlib.sha256(content).hexdigest(), len(content), ("log.csv",))
        known = formats.NamedFormat("fetchable", "", "", "", LogFormat(), remote)
        with mock.patch.object(formats, "named", return_value=known):
            yield


def listing(place: Path) -> dict[str, str]:
    """Return a digest of each file below a place but the filler."""
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(place.rglob("*"))
        if path.name != FILLER
    }


def tried(arguments: list[str]) -> tuple[int, str]:
    """Run a command; return its exit code and what it said on standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(arguments)
        except BaseException as error:
            return -1, f"Traceback: {type(error).__name__}: {error}"
    return code, err.getvalue()


class Disk:
    """A place that can get full, and what commands are given beside it."""

    def __init__(
        self, inputs: Path, place: Path, room: Callable[[Path, int], contextlib.AbstractContextManager[None]]
    ) -> None:
        self.place, self._inputs, self._room = place, inputs, room
        self._elsewhere = inputs / "elsewhere"
        self._elsewhere.mkdir()
        tempfile.tempdir = str(self._elsewhere)
        (inputs / "key").write_bytes(bytes(range(32)))
        good = (inputs / "log.csv").read_text()
        (inputs / "bad.csv").write_text(good + "u1,i1,many\n" * 400)
        (inputs / "utf16.csv").write_text(good, encoding="utf-16")
        with zipfile.ZipFile(inputs / "log.zip", "w") as archive:
            archive.writestr("log.csv", good)

    def arguments(self, words: list[str]) -> list[str]:
        """Return a command line with its places filled in."""
        places = {name: self._inputs / file for name, file in _INPUTS.items()}
        return [str(places.get(word, word)).replace("OUT", str(self.place / "out")) for word in words]

    def clear(self) -> None:
        """Remove all that is in the place, and what was kept elsewhere."""
        for folder in (self.place, self._elsewhere):
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def begin(self, name: str) -> None:
        """Bring the place to where it is before the command that has no room."""
        self.clear()
        words, change = CASES[name]
        if name == "sign":
            shutil.copytree(self._inputs / "model", self.place / "out")
        elif change:
            code, said = tried(self.arguments(words))
            assert code == 0, f"{name}, with room: {said}"

    def faults(self, name: str, kib: int) -> tuple[bool, list[str], str]:
        """Run a command with so much room; return whether it worked, what is wrong, and what it said."""
        words, change = CASES[name]
        before = listing(self.place)
        if name in TEMPORARY:
            tempfile.tempdir = str(self.place)
        with self._room(self.place, kib):
            code, said = tried(self.arguments([*words, *change]))
        tempfile.tempdir = str(self._elsewhere)
        gc.collect()
        after, wrong = listing(self.place), []
        if code == 0:
            return True, [], said
        if code != 1:
            wrong.append(f"exit code {code}")
        if [line.startswith("recsys: ") for line in said.splitlines()] != [True]:
            wrong.append("not one message")
        changed = sorted(file for file in before if before[file] != after.get(file))
        if changed:
            wrong.append(f"changed: {', '.join(changed)}")
        more = sorted(after.keys() - before.keys())
        if name in GROWS:
            code, again = tried(self.arguments([*words, *change]))
            if code != 0:
                wrong.append(f"with room it does not go on: {again}")
            more = [file for file in more if "/." in f"/{file}"]
        if more:
            wrong.append(f"left behind: {', '.join(more)}")
        if "is whole in" in said and not any(self._elsewhere.rglob("model.json")):
            wrong.append("the model is not where it is said to be")
        return False, wrong, said


_INPUTS = {
    "LOG": "log.csv", "BAD": "bad.csv", "UTF16": "utf16.csv", "ZIP": "log.zip",
    "MODEL": "model", "KEY": "key",
}  # fmt: skip


def walk(
    disk: Disk, names: list[str], steps: tuple[int, ...], say: Callable[[str], object]
) -> dict[str, int]:
    """Run commands with more and more room until each works; count them, their failures, and faults."""
    seen = {"commands": 0, "failures": 0, "faults": 0}
    for name in names:
        is_done = False
        for kib in steps:
            disk.begin(name)
            is_done, wrong, said = disk.faults(name, kib)
            seen["failures"] += not is_done
            seen["faults"] += bool(wrong)
            judged = "done" if is_done else "; ".join(wrong) or "as it should be"
            say(f"{name}, {kib} KiB: {judged}\n  {said}\n")
            if is_done or "exit code 2" in wrong:
                break
        seen["commands"] += 1
    disk.clear()
    return seen


def main() -> None:
    """Run all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["disk", "ulimit"], nargs="?", default="disk")
    parser.add_argument("--only", action="append", choices=list(CASES), help="one command, or several")
    parser.add_argument(
        "--steps", type=lambda text: tuple(map(int, text.split(","))), default=STEPS, help="KiB"
    )
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        place = Path(folder, "place")
        if given.what == "disk":
            stack.enter_context(mounted(place, 8))
        else:
            place.mkdir()
        inputs = Path(folder, "inputs")
        inputs.mkdir()
        make_inputs(inputs)
        gc.freeze()
        stack.enter_context(fetchable())
        disk = Disk(inputs, place, room_on_disk if given.what == "disk" else room_in_files)
        seen = walk(disk, given.only or list(CASES), given.steps, sys.stderr.write)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"{given.what}: {counted}, {time.perf_counter() - began:.1f} s\n")
    sys.exit(seen["faults"] > 0)


if __name__ == "__main__":
    main()
