"""The wheel: what travels in it, and that the command line works from it alone."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("recsys-*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_citation_is_of_this_version():
    import recsys

    assert f"\nversion: {recsys.__version__}\n" in (PROJECT / "CITATION.cff").read_text()


def test_the_wheel_holds_all_that_is_needed_and_no_tests(unpacked):
    for kind in ("configs", "datasets"):
        travelled = {file.name for file in (unpacked / "recsys" / "_bundled" / kind).iterdir()}
        assert travelled == {file.name for file in (PROJECT / kind).iterdir()}
    assert (unpacked / "recsys" / "py.typed").exists()
    assert (unpacked / "recsys_cli" / "py.typed").exists()
    for name in ("page.html.j2", "page.css"):
        assert (unpacked / "recsys" / "report" / "templates" / name).exists()
    assert not (unpacked / "tests").exists()
    (scripts,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "recsys = recsys_cli.entry:main" in scripts.read_text()


@pytest.mark.slow
def test_the_command_line_works_from_the_wheel(unpacked, tmp_path):
    def recsys(*arguments):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "recsys_cli", *map(str, arguments), "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(unpacked)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    home = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "import recsys, recsys_cli; print(recsys.__file__, recsys_cli.__file__)",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert home.stdout.count(str(unpacked)) == 2

    log = tmp_path / "log.csv"
    rows = [f"u{u},i{i},{1 + (u + i) % 5}" for u in range(20) for i in range(15) if (u * i) % 3]
    log.write_text("user,item,rating\n" + "\n".join(rows) + "\n")
    assert recsys("doctor")["ok"]
    assert recsys("train", log, "--out", "model")["model"] == "hybrid-nmf"
    assert recsys("recommend", "model", "--user", "u4", "-n", "2")["lists"][0]["source"] == "model"
    found = recsys("evaluate", log, "--config", "ml-100k-masked-nmf.toml", "--metrics", "rmse")
    assert found["config"]["n_components"] == 256  # the config that travelled
