"""Short forms of the long checks in `tests/stress`, which name the commands for those."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCALE = int(os.environ.get("RECSYS_STRESS", "1"))
"""How many times as long as in the suite: 50 or more makes the long forms."""


def stress(module, *arguments):
    """Run one of them in a process of its own and return the numbers that it counts, by name."""
    memory = Path("/dev/shm")  # syncs are many
    folder = {"TMPDIR": str(memory)} if os.access(memory, os.W_OK) else {}
    done = subprocess.run(
        [sys.executable, "-m", f"tests.stress.{module}", *map(str, arguments)],
        env={**os.environ, **folder},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=600 * SCALE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", done.stdout)}


@pytest.mark.slow
def test_a_killed_save_leaves_the_old_model_or_the_new_one():
    seen = stress("saves", "kills", 4 * SCALE)
    assert seen["old"] + seen["new"] == 4 * SCALE


@pytest.mark.slow
def test_writers_and_readers_of_one_place_never_meet_half_a_model():
    seen = stress("saves", "crowd", 20 * SCALE)
    assert seen["failed"] == 0
    assert seen["reads"] >= 10


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits():
    seen = stress("checkpoints", 2 * SCALE)
    assert seen["kills"] >= 2 * SCALE
    assert seen["equal"] == seen["ends"]
    assert seen["leftovers"] == 0


@pytest.mark.slow
def test_changed_bundles_are_refused_or_answer_as_before():
    seen = stress("bundles", 60 * SCALE)
    assert seen["refused"] + seen["loaded"] == 60 * SCALE
    assert seen.get("refused_by_signature", 0) == seen["different"]


@pytest.mark.slow
def test_killed_commands_come_to_what_they_come_to_otherwise():
    seen = stress("kills", 2 * SCALE, "--only", "prepare", "--only", "lists")
    assert seen["kills"] >= 2 * SCALE
    assert seen["equal"] == seen["ends"]
    assert seen["leftovers"] == 0


@pytest.mark.slow
def test_a_disk_that_fills_is_one_message_and_changes_nothing():
    some = ("lists in duckdb", "lists .xlsx", "prepared")
    chosen = [] if SCALE > 1 else [word for name in some for word in ("--only", name)]
    seen = stress(
        "full_disk", "ulimit", "--steps", "0,16,4096" if SCALE == 1 else "0,4,8,16,64,256,4096", *chosen
    )
    assert seen["failures"] >= len(some)
    assert seen["faults"] == 0


@pytest.mark.slow
def test_a_command_works_without_what_it_is_used_to():
    chosen = ("--only", "everything closed", "--command", "train") if SCALE == 1 else ()
    seen = stress("limits", *chosen)
    assert seen["worked"] >= 1
    assert seen["faults"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("what", ["configs", "conditions"])
def test_mutated_plans_and_conditions_are_one_message_or_an_answer(what):
    seen = stress("plans", what, 10 * SCALE)
    assert seen["answers"] + seen["messages"] == 10 * SCALE


@pytest.mark.slow
def test_one_process_for_a_long_time_keeps_its_memory_and_its_answers():
    assert stress("soak", "rounds", 6 * SCALE)["grown_mib"] < 20
    seen = stress("soak", "answers", 500 * SCALE)
    assert seen["wrong"] == 0
    assert seen["grown_mib"] < 20


@pytest.mark.slow
@pytest.mark.parametrize(("what", "n"), [("requests", 2_000), ("reloads", 20)])
def test_a_service_under_load_answers_all_and_keeps_its_memory(what, n):
    seen = stress("service", what, n * SCALE)
    assert seen[what] == n * SCALE
    assert seen["failed"] == 0
    # The allocator's arenas grow a little at first; what every request or bundle left behind would show.
    assert seen["memory_at_last"] < 1.1 * seen["memory_midway"] + 8_192
