"""Database servers of one's own, on the loopback address: the programs that a system's packages bring."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "no-secret"


def programs(name: str) -> Path | None:
    """Return the newest program of PostgreSQL of a name, or one on the path."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    on_path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return of_debian[-1] if of_debian else Path(on_path) if on_path else None


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _as_user(name: str) -> dict[str, Any]:
    """Return what lets a program run as another user, since servers refuse to run as root."""
    return {"user": name, "group": name, "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def postgresql() -> Iterator[int]:
    """Yield the port of a server with a user ``reader`` and a database ``shop``."""
    initdb, server = programs("initdb"), programs("postgres")
    assert initdb is not None
    assert server is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data, secret = Path(folder) / "data", Path(folder) / "secret"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            for path in (Path(folder), secret):
                shutil.chown(path, "postgres", "postgres")
        about = {"cwd": folder, **_as_user("postgres")}
        subprocess.run(
            [
                initdb,
                "-D",
                data,
                "-U",
                "reader",
                "-A",
                "scram-sha-256",
                "--pwfile",
                secret,
                "-N",
                "-E",
                "UTF8",
            ],
            check=True,
            capture_output=True,
            **about,
        )
        command = [
            str(server),
            "-D",
            str(data),
            "-p",
            str(port),
            "-k",
            folder,
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        with _running([*command, "-c", "fsync=off"], port, **about):
            yield port


@contextmanager
def mysql() -> Iterator[int]:
    """Yield the port of a server that anybody may use, with a database ``shop``."""
    server = programs("mariadbd")
    assert server is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (data / "mysql").mkdir(parents=True)
        (data / "shop").mkdir()
        command = [
            str(server),
            "--no-defaults",
            f"--datadir={data}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
        ]
        command += [f"--socket={folder}/socket", "--skip-grant-tables", "--skip-networking=0"]
        if os.getuid() == 0:
            command.append("--user=root")
        with _running(command, port):
            yield port


@contextmanager
def _running(command: list[str], port: int, **about: Any) -> Iterator[None]:
    """Run a server until the body is done, from the moment that it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **about)
    try:
        _wait(port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], most: float = 60.0) -> None:
    until = time.monotonic() + most
    while time.monotonic() < until:
        assert process.poll() is None, "the server has ended"
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")
