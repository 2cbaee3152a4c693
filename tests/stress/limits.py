"""Commands without something that they are used to: memory, cores, a home, a place to write, a terminal.

    python -m tests.stress.limits
    python -m tests.stress.limits --only "no home" --only "read-only"

Each command works, or ends with exit code 1 and one message. What root alone may set is left out elsewhere;
so is another user, where that one cannot reach the interpreter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.stress.commands import COMMANDS, READING, WRITING, ended, fault, make_inputs

WORKS, WORKS_OR_SAYS_WHY, SAYS_WHY = (0,), (0, 1), (1,)
_GROUPS = (
    Path("/sys/fs/cgroup/memory"),
    Path("/sys/fs/cgroup"),
)  # the first version of control groups, the second
_NO_PRIVILEGES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")  # modes of files hold for root, too
_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@dataclass(frozen=True)
class Limit:
    """What a command runs inside of, and how it may end.

    Attributes
    ----------
    within : sequence of str
        The command before it.
    expected : tuple of int
        Exit codes.
    unset, change : variables of the environment that are not there, or are others
    commands : mapping
    """

    within: Sequence[str] = ()
    expected: tuple[int, ...] = WORKS
    unset: Sequence[str] = ()
    change: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, list[str]] = field(default_factory=lambda: COMMANDS)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the command sees."""
        kept = {name: value for name, value in os.environ.items() if name not in self.unset}
        return {**kept, **self.change}


def shell(before: str) -> list[str]:
    """Return a command that does something in a shell and becomes the next one."""
    return ["sh", "-c", f'{before}\nexec "$@"', "sh"]


def read_only(*writable: Path) -> list[str]:
    """Return a command that sees all file systems read-only but those at some places."""
    kept = "".join(f"mount --bind {place} {place}\n" for place in writable)
    others = (
        "while read -r _ where _; do case $where in /proc*|/sys*|/dev/pts*) continue;; esac; "
        'mount -o remount,bind,ro "$where" 2>/dev/null; done < /proc/mounts'
    )
    again = "".join(f"mount -o remount,bind,rw {place}\n" for place in writable)
    return ["unshare", "-m", *shell(f"{kept}{others}\n{again}")]


def limits(folder: Path) -> dict[str, Limit]:
    """Return all limits by name; those of memory with sizes from none at all to enough."""
    home, empty = folder / "home", folder / "empty"
    for place in (home, empty):
        place.mkdir(exist_ok=True)
    os.chmod(home, 0o555)  # noqa: PTH101
    made = {f"ulimit -v {mib} MiB": Limit(shell(f"ulimit -v {mib << 10}"), SAYS_WHY) for mib in (64, 1000)}
    made["ulimit -v 2 GiB"] = Limit(shell("ulimit -v 2097152"))
    made["one core"] = Limit(["taskset", "-c", "0"])
    made["few open files"] = Limit(shell("ulimit -n 32"), WORKS_OR_SAYS_WHY)
    made["HOME unset"] = Limit(unset=["HOME"])
    made["no home"] = Limit(unset=["NUMBA_CACHE_DIR"], change={"HOME": "/nonexistent"})
    made["another user"] = Limit(_NOBODY, unset=["NUMBA_CACHE_DIR"], change={"HOME": "/nonexistent"})
    made["an empty environment"] = Limit(
        unset=[name for name in os.environ if name not in ("PATH", "NUMBA_CACHE_DIR")]
    )
    made["home that cannot be written"] = Limit(
        _NO_PRIVILEGES, change={"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    )
    made["no terminal"] = Limit(["setsid", *shell("exec <&-")], unset=["TERM", "COLUMNS", "LINES"])
    made["standard output closed"] = Limit(["setsid", *shell("exec >&- <&-")], change={"TERM": "nonsense"})
    made["everything closed"] = Limit(["setsid", *shell("exec >&- <&- 2>&-")])
    made["read-only, out to write"] = Limit(read_only(folder / "out"))
    made["read-only"] = Limit(read_only(), commands=READING)
    made["read-only, writing"] = Limit(read_only(), SAYS_WHY, commands=WRITING)
    return made


@contextmanager
def control_group(n_bytes: int) -> Iterator[Path | None]:
    """Make a control group that allows so much memory; None where this process may not."""
    group = next(filter(None, (_made(root, n_bytes) for root in _GROUPS)), None)
    try:
        yield group
    finally:
        if group is not None:
            _remove(group)


def _made(root: Path, n_bytes: int) -> Path | None:
    group = root / f"recsys-stress-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        return None
    for limit in ("memory.limit_in_bytes", "memory.max"):
        with suppress(OSError):
            if (group / limit).exists():
                (group / limit).write_text(str(n_bytes))
                return group
    group.rmdir()
    return None


def _remove(group: Path) -> None:
    for _ in range(50):
        try:
            group.rmdir()
        except OSError:  # its last process is not quite gone
            time.sleep(0.1)
        else:
            return


def can(within: Sequence[str]) -> bool:
    """Return whether this process may set a limit at all, and the interpreter can be started there."""
    try:
        return (
            subprocess.run(
                [*within, "test", "-x", sys.executable], capture_output=True, timeout=60
            ).returncode
            == 0
        )
    except OSError:
        return False


def trials(
    limit: Limit, name: str, folder: Path, say: Callable[[str], object], only: Sequence[str] | None = None
) -> dict[str, int]:
    """Run commands inside a limit; count those that worked, said why they did not, and faults."""
    seen = {"worked": 0, "refused": 0, "faults": 0}
    for command, words in limit.commands.items():
        if only and command not in only:
            continue
        out = folder / "out" / "out"
        began = time.perf_counter()
        try:
            done = ended(words, folder, out, within=limit.within, environment=limit.environment)
            wrong = fault(done, limit.expected)
            said = f"exit code {done.returncode}, {done.stderr.strip()}"
        except subprocess.TimeoutExpired:
            wrong, said = "no end", ""
        left = sorted(path.name for path in out.parent.iterdir() if path != out)
        if wrong is None and left:
            wrong = f"left behind: {left}"
        seen["faults" if wrong else "worked" if done.returncode == 0 else "refused"] += 1
        say(f"{name}: {command}: {wrong or 'as it should be'}, {time.perf_counter() - began:.1f} s: {said}\n")
        for path in out.parent.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return seen


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", help="one limit, or several")
    parser.add_argument("--command", action="append", choices=list(COMMANDS), help="one command, or several")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the control group goes all the same
    began = time.perf_counter()
    total = {"worked": 0, "refused": 0, "faults": 0, "not_allowed": 0}
    with tempfile.TemporaryDirectory() as place, control_group(1 << 30) as group:
        folder = Path(place)
        (folder / "out").mkdir()
        os.chmod(folder, 0o755)  # noqa: PTH101
        os.chmod(folder / "out", 0o777)  # noqa: PTH101
        make_inputs(folder)
        chosen = limits(folder)
        if group is not None:
            chosen["control group of 1 GiB"] = Limit(shell(f"echo $$ > {group}/cgroup.procs"))
        for name in given.only or chosen:
            if name not in chosen or not can(chosen[name].within):
                sys.stderr.write(f"{name}: this process may not\n")
                total["not_allowed"] += 1
                continue
            for kind, n in trials(chosen[name], name, folder, sys.stderr.write, given.command).items():
                total[kind] += n
    counted = ", ".join(f"{number} {name}" for name, number in total.items())
    sys.stdout.write(f"limits: {counted}, {time.perf_counter() - began:.1f} s\n")
    sys.exit(total["faults"] > 0)


if __name__ == "__main__":
    main()
