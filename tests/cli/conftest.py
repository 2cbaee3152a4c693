"""A small log, and the command line to run on it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from recsys_cli.main import run


@pytest.fixture
def recsys(capsys):
    """Run a command line; return its exit code, standard output and standard error."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def as_json(recsys):
    """Run a command line with --json and return the object it prints."""

    def call(*arguments):
        code, out, err = recsys(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def ratings(tmp_path):
    """Three tastes, nine users each, as CSV with names of columns that are recognised."""
    rows = [
        (f"u{user:02d}", f"i{item:02d}", 5 if item % 3 == user % 3 else 2, 1_000 + 20 * user + item)
        for user in range(27)
        for item in range(18)
        if (user * 7 + item * 5) % 4
    ]
    path = tmp_path / "ratings.csv"
    pd.DataFrame(rows, columns=["user_id", "movieId", "rating", "timestamp"]).to_csv(path, index=False)
    return path


@pytest.fixture
def model(recsys, ratings, tmp_path):
    """Train a small model of components and neighbors on the ratings, and return its folder."""
    folder = tmp_path / "model"
    code, _, err = recsys(
        "train", ratings, "--out", folder, "--model", "hybrid-nmf", "--set", "n_components=3"
    )
    assert code == 0, err
    return folder
