"""Help of every command: examples that run, nothing cut off; and options that are given twice."""

import re
import shlex

import pytest
import typer.main

from recsys_cli.examples import EXAMPLES
from recsys_cli.main import app
from tests.test_docs import ratings_logs, retail_log


def commands(command=None, path=()):
    command = command or typer.main.get_command(app)
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))
    if not hasattr(command, "commands"):
        yield path


COMMANDS = list(commands())


def test_every_command_has_an_example():
    assert {path[-1] for path in COMMANDS} == set(EXAMPLES)
    for path in COMMANDS:
        assert all(example.startswith(" ".join(("recsys", *path))) for example in EXAMPLES[path[-1]])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", [80, 120])
def test_help_fits_the_terminal(recsys, monkeypatch, path, width):
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = recsys(*path, "--help")
    assert code == 0
    assert "…" not in out
    assert not re.search(r"^│[ *]+-.*list\[", out, re.MULTILINE)
    lines = out.splitlines()
    assert max(map(len, lines)) <= width
    for example in EXAMPLES[path[-1]]:
        assert example in [line.strip() for line in lines], example
    # A word that is broken ends at the border, without a space before it.
    option_lines = [line for line in lines if line.startswith("│") and len(line) == width]
    assert all(line.endswith(" │") for line in option_lines)


@pytest.mark.slow
def test_the_examples_run(recsys, tmp_path, monkeypatch):
    retail_log(tmp_path)
    (tmp_path / "online_retail.csv").rename(tmp_path / "purchases.csv")
    frame = (tmp_path / "purchases.csv").read_text().splitlines()
    # Without returns and without lines of nobody, so that the examples need no more than they show.
    header, *rows = frame
    kept = [row for row in rows if not re.search(r",,United", row) and not re.search(r",-\d", row)]
    (tmp_path / "purchases.csv").write_text("\n".join([header, *kept]) + "\n")
    ratings_logs(tmp_path)
    (tmp_path / "key.bin").write_bytes(bytes(range(32)))
    monkeypatch.chdir(tmp_path)
    for name, examples in EXAMPLES.items():
        if name in ("demo", "doctor", "explore", "fetch", "serve", "tune"):  # tests of their own run these
            continue
        for example in examples:
            code, _, err = recsys(*shlex.split(example)[1:])
            assert code == 0, (example, err)


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "log.csv", "--test", "a.csv", "--test", "b.csv"),
        ("train", "log.csv", "--out", "a", "--out", "a"),
        ("themes", "model", "-n", "3", "-n", "4"),
        ("data", "describe", "log.csv", "--user", "u", "--user", "v"),
        ("compare", "log.csv", "--split", "random:0.2", "--split", "last:1"),
    ],
)
def test_a_single_option_is_given_once(recsys, words):
    code, _, err = recsys(*words)
    assert code == 2
    assert re.search(r"is given 2 times; give it once", " ".join(err.split()))


def test_options_that_may_repeat_still_do(recsys, ratings, tmp_path):
    code, out, err = recsys(
        "compare", ratings, "--model", "popularity", "--model", "bias", "--metrics", "ndcg@5"
    )
    assert code == 0, err
    assert "bias" in out


def test_parameters_of_the_model_that_auto_chooses(recsys, as_json, ratings, tmp_path):
    trained = as_json("train", ratings, "--set", "n_components=3", "--out", tmp_path / "model")
    assert (trained["model"], trained["config"]["n_components"]) == ("hybrid-nmf", 3)
    found = as_json("evaluate", ratings, "--set", "l2=0.7", "--metrics", "rmse")
    assert (found["model"], found["config"]["l2"]) == ("masked-nmf", 0.7)
    code, _, err = recsys("train", tmp_path / "none.csv", "--set", "nothing=3", "--out", tmp_path / "m")
    assert code == 2
    assert "hybrid-nmf has no parameter 'nothing'" in err


def test_iterations_that_were_planned_are_no_failure(recsys, ratings, tmp_path):
    def end(*words):
        code, out, err = recsys("train", ratings, "--out", tmp_path / "model", *words)
        assert code == 0, err
        return next(line for line in out.splitlines() if "objective" in line)

    masked = ("--model", "masked-nmf", "--set", "max_iter=3")
    assert "3 iterations, as planned (max_iter)" in end(*masked, "--set", "tol=0")
    assert "3 iterations, as many as max_iter allows; --set max_iter=N" in end(*masked, "--set", "tol=1e-9")
    assert "converged after" in end("--model", "masked-nmf", "--set", "tol=0.5")
