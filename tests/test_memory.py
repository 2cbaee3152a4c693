"""How much memory there is: by machine, container, shell and caller; and what fits take of it."""

from __future__ import annotations

import pytest

from recsys import memory
from recsys.data.interactions import Interactions
from recsys.errors import ModelError, ParameterError
from recsys.models.registry import make
from tests.matrices import random_matrix

GIB = 2**30


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Stand for the files of a kernel: 8 GiB are free, and this process is in the group /a/b."""
    process, groups = tmp_path / "self", tmp_path / "groups"
    (groups / "a" / "b").mkdir(parents=True)
    process.mkdir()
    (process / "cgroup").write_text("0::/a/b\n")
    (process / "status").write_text("VmSize:\t1048576 kB\n")
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\nMemAvailable: 8388608 kB\n")
    monkeypatch.setattr(memory, "_PROCESS", process)
    monkeypatch.setattr(memory, "_GROUPS", groups)
    monkeypatch.setattr(memory, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_of_shell", lambda: None)
    return tmp_path


def group(folder, limit, used, cached=0, *, old=False):
    folder.mkdir(parents=True, exist_ok=True)
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file") if old else (
        "memory.max", "memory.current", "inactive_file")  # fmt: skip
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cached}\n")


def test_without_limits_it_is_what_the_machine_has_free(machine):
    assert memory.free_memory() == (8 * GIB, "the machine has free")


def test_the_tightest_of_nested_groups_counts(machine):
    group(machine / "groups", "max", 0)
    group(machine / "groups" / "a", 3 * GIB, 2 * GIB)
    group(machine / "groups" / "a" / "b", 6 * GIB, 1 * GIB)
    assert memory.free_memory() == (GIB, "the container allows further")


def test_what_only_files_take_can_be_had(machine):
    group(machine / "groups" / "a" / "b", 3 * GIB, 2 * GIB, cached=GIB)
    assert memory.free_memory()[0] == 2 * GIB


def test_a_container_whose_own_group_is_the_root(machine):
    (machine / "self" / "cgroup").write_text("0::/\n")
    group(machine / "groups", 2 * GIB, GIB)
    assert memory.free_memory()[0] == GIB


def test_the_first_version_of_control_groups(machine):
    (machine / "self" / "cgroup").write_text("5:cpu,cpuacct:/x\n4:memory:/a/b\n0::/\n")
    group(machine / "groups" / "memory", 2**63 - 4096, 0, old=True)
    group(machine / "groups" / "memory" / "a" / "b", 3 * GIB, 2 * GIB, cached=GIB // 2, old=True)
    assert memory.free_memory() == (GIB + GIB // 2, "the container allows further")


def test_a_system_without_these_files(monkeypatch, tmp_path):
    for name in ("_PROCESS", "_GROUPS", "_MACHINE"):
        monkeypatch.setattr(memory, name, tmp_path / "nowhere")
    assert memory.free_memory()[0] is None
    memory.check(10**18, "anything", "take less")


def test_ulimit_counts(machine, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr("resource.getrlimit", lambda _: (10**12, 10**12))
    assert 0 < memory._of_shell() < 10**12


def test_a_cap_holds_inside_its_body(machine):
    with memory.use(GIB), memory.use(None):
        assert memory.free_memory() == (GIB, "--memory allows")
    assert memory.free_memory()[0] == 8 * GIB


@pytest.mark.parametrize(
    ("text", "size"),
    [("4G", 4 * GIB), ("1.5GiB", 3 * GIB // 2), ("500m", 500 * 2**20), ("2097152", 2**21), ("1 TB", 2**40)],
)
def test_sizes(text, size):
    assert memory.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "4X", "-1G", "0", "1K", "1e9", "99999999T", "nan"])
def test_what_is_no_size(text):
    with pytest.raises(ParameterError, match="expected a size from 1M to 1000T"):
        memory.parse_size(text)


@pytest.mark.parametrize("name", ["masked-nmf", "weighted-nmf", "poisson-nmf", "bayesian-nmf", "als", "ease"])
def test_a_fit_that_would_take_too_much_is_refused_before_it_begins(name):
    data = Interactions.from_matrix(random_matrix(60, 40))
    with (
        memory.use(100),
        pytest.raises(ModelError, match=f"{name}: 60 users, .* need about .* --memory allows 0 MiB"),
    ):
        make(name).fit(data)
