"""The process of a command: its standard output, its signals, and what it shows on a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsys.data.load import load_log
from recsys.recommend.bundle_files import load_bundle
from recsys_cli import signals
from recsys_cli.output import say, say_json, say_table, shown

COMMAND = [sys.executable, "-m", "recsys_cli"]
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\r\n\x7f"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_is_full_is_exit_code_1_and_one_message(unbuffered):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [*COMMAND, "metrics", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "recsys: standard output cannot be written: No space left on device; what was printed is not whole.\n"
    )


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_stop_nothing(tmp_path, closed):
    log = tmp_path / "log.csv"
    log.write_text("user,item\n" + "".join(f"u{n % 5},i{n % 3}\n" for n in range(15)))
    out = tmp_path / "prepared"
    command = " ".join(["exec", *COMMAND, "data", "prepare", str(log), "--out", str(out), closed])
    done = subprocess.run(command, shell=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(load_log(out).log) == 15


def test_a_terminal_that_knows_ascii_alone():
    done = subprocess.run(
        [*COMMAND, "models", "masked-nmf", "--json"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert done.stdout.isascii()


def test_control_characters_are_shown_and_not_obeyed(capsys):
    say(EVIL)
    say_table(["name"], [[EVIL], ["plain"]])
    say_json({"name": EVIL})
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.split("\n")), out
    assert out.startswith(r"\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\x0d\x0a\x7f" + "\n")
    assert json.loads(out.split("\n")[-2])["name"] == EVIL
    assert shown("Käse \N{GRINNING FACE}") == "Käse \N{GRINNING FACE}"


def test_names_in_a_log_reach_no_terminal_as_they_are(recsys, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("item,name\n" + "".join(f'i{n},"\x1b[2J{n}=1+1\u202e"\n' for n in range(7)))
    log = tmp_path / "log.csv"
    log.write_text("user,item\n" + "".join(f"u\x1b[31m{n % 9},i{n % 7}\n" for n in range(40)))
    model = tmp_path / "model"
    assert recsys("train", log, "--items", names, "--model", "popularity", "--out", model)[0] == 0
    for arguments in (
        ("recommend", model, "--all-users"),
        ("recommend", model, "--all-users", "--json"),
        ("recommend", model, "--user", "\x1b[2J"),
        ("model", "verify", model),
        ("data", "describe", log),
        ("train", tmp_path / "no\x1b[2J.csv", "--out", model),
    ):
        _, out, err = recsys(*arguments)
        assert all(line.isprintable() for line in (out + err).split("\n")), (arguments, out, err)


@pytest.fixture
def training(tmp_path):
    """Start a training that does not end by itself, and wait until it is under way."""
    log = tmp_path / "log.csv"
    log.write_text("user,item,rating\n" + "".join(f"u{n % 37},i{n % 23},{1 + n % 5}\n" for n in range(700)))
    started = []

    def start(*more):
        command = ["train", log, "--out", tmp_path / "model", *more]
        process = subprocess.Popen(
            [*COMMAND, *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["cli", "."])},
        )
        started.append(process)
        until = time.monotonic() + 120
        while not (tmp_path / ".model.recsys-lock").exists() and time.monotonic() < until:
            time.sleep(0.02)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
def test_a_signal_saves_what_is_done(training, tmp_path, number, word):
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("a shell runs this in its background, deaf to interrupts")
    process = training("--model", "masked-nmf", "--set", "max_iter=1000000", "--set", "tol=0")
    time.sleep(6)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err == f"recsys: {word}; every file is whole, old or new.\n"
    assert f"the best state so far is in {tmp_path / 'model'}" in out
    assert load_bundle(tmp_path / "model").model.history.stopped == "interrupted"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "model"]


@pytest.mark.slow
def test_a_signal_at_any_moment_of_the_start_is_one_line(tmp_path):
    for delay in [0.05, 0.1, 0.2, 0.4, 0.8]:
        process = subprocess.Popen(
            [*COMMAND, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 143, -signal.SIGTERM), (out, err)
        assert "Traceback" not in err


def test_a_second_signal_stops_at_once(monkeypatch):
    ended = []
    monkeypatch.setattr(signals, "received", [])
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(signals.Terminated):
        signals._handle(signal.SIGTERM, None)
    assert (signals.exit_code(), signals.name()) == (143, "terminated")
    with pytest.raises(KeyboardInterrupt):
        signals._handle(signal.SIGINT, None)
    assert ended == [130]
