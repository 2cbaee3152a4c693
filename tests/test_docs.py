"""The pages of the documentation do what they say: their blocks run, and the site is complete."""

from __future__ import annotations

import re
import shlex
import shutil
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys_cli.main import run

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"
BLOCKS = {
    str(path.relative_to(PAGES)): re.findall(r"^```(python|sh)\n(.*?)^```", path.read_text(), re.S | re.M)
    for path in sorted(PAGES.rglob("*.md"))
}
REPRODUCE = "how-to/reproduce.md"
LONG = ("how-to/tune.md", "tutorial.md")  # some ten seconds each
WITH_BLOCKS = [name for name, blocks in BLOCKS.items() if blocks]


def retail_log(folder: Path) -> None:
    """Write a log with the columns of Online Retail, its returns and its lines without a customer."""
    generator = np.random.default_rng(0)
    n = 3_000
    users = np.r_[[17850, 13047, 12818], np.arange(12346, 12403)]
    items = np.array(["85099B", "22423", "22386", "22699", "POST", *(f"{n}" for n in range(20_000, 20_055))])
    codes = items[(generator.random(n) ** 2 * len(items)).astype(int)]
    customers = users[generator.integers(0, len(users), n)].astype(float)
    customers[generator.random(n) < 0.25] = np.nan
    pd.DataFrame(
        {
            "InvoiceNo": generator.integers(536365, 537000, n),
            "StockCode": codes,
            "Description": [f"GIFT {code}" for code in codes],
            "Quantity": generator.integers(-1, 5, n),
            "InvoiceDate": pd.Timestamp("2011-01-01") + pd.to_timedelta(generator.integers(0, 180, n), "D"),
            "UnitPrice": 2.5,
            "CustomerID": customers,
            "Country": "United Kingdom",
        }
    ).to_csv(folder / "online_retail.csv", index=False)


def ratings_logs(folder: Path) -> None:
    """Write a log of ratings, and the two halves of it."""
    generator = np.random.default_rng(0)
    cells = generator.choice(40 * 30, 500, replace=False)
    frame = pd.DataFrame(
        {"user": cells // 30 + 1, "item": cells % 30 + 1, "rating": generator.integers(1, 6, len(cells))}
    )
    frame.to_csv(folder / "ratings.csv", index=False)
    frame[::2].to_csv(folder / "train.csv", index=False)
    frame[1::2].to_csv(folder / "test.csv", index=False)


def other_layouts(folder: Path) -> None:
    """Write logs that are no table of one event a row."""
    (folder / "matrix.csv").write_text("user,101,102,103\nann,5,,3\nbob,,1,2\n")
    (folder / "baskets.csv").write_text("user,items\nann,a|b|c\nbob,b\n")
    (folder / "dirty.csv").write_text(
        "user,item,rating\nann,tea,5\nann,jam,x\nbob,tea\nbob,jam,4\ncy\ncy,tea,3\ncy,jam,1\n"
    )
    (folder / "ratings.dat").write_text("1::1193::5::978300760\n1::661::3::978302109\n")


@pytest.fixture
def logs(tmp_path, monkeypatch):
    other_layouts(tmp_path)
    retail_log(tmp_path)
    ratings_logs(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run the blocks of a page in their order; Python blocks share their names."""
    names: dict[str, object] = {}
    variables: dict[str, str] = {}
    for number, (language, text) in enumerate(BLOCKS[name], 1):
        if language == "python":
            exec(compile(text, f"{name}, block {number}", "exec"), names)
            continue
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith(("#", "pip ")):  # an installation, which test_light_install.py is about
                continue
            words = [string.Template(word).substitute(variables) for word in shlex.split(line)]
            if words[0] != "recsys":
                variables |= [words[0].split("=", 1)]
                continue
            code = run(words[1:])
            is_refused = line == "recsys data describe online_retail.csv"  # which the page says
            assert code == int(is_refused), f"{name}, {line!r}: {capsys.readouterr().err}"


def test_pages_show_both_ways_in():
    languages = {language for blocks in BLOCKS.values() for language, _ in blocks}
    assert languages == {"python", "sh"}
    assert len(WITH_BLOCKS) >= 8


# A page forks beside threads, on purpose.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in LONG else name
        for name in WITH_BLOCKS
        if name != REPRODUCE
    ],
)
def test_the_blocks_of_a_page_run(name, logs, capsys):
    run_page(name, capsys)
    if name == "tutorial.md":
        assert (logs / "report.html").is_file()
        assert len(pd.read_parquet(logs / "lists.parquet")) > 0


@pytest.mark.slow
def test_the_page_on_reproducing_finds_its_numbers(shared_data, monkeypatch, capsys):
    monkeypatch.chdir(shared_data / "ml-100k")
    for language, text in BLOCKS[REPRODUCE]:
        if language == "python":
            exec(compile(text, REPRODUCE, "exec"), {})
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert printed == {"ml-100k-masked-nmf.toml": "0.9039 0.7121", "masked-nmf": "0.9132 0.7199"}
    page = (PAGES / REPRODUCE).read_text()
    assert all(number in page for numbers in printed.values() for number in numbers.split())


def test_the_commands_on_reproducing_want_nothing_but_their_logs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for language, text in BLOCKS[REPRODUCE]:
        for line in text.splitlines() if language == "sh" else ():
            if line.startswith("recsys evaluate"):
                assert run(shlex.split(line)[1:]) == 1, line
                assert ".parquet" in capsys.readouterr().err


@pytest.mark.slow
def test_the_tutorial_runs_on_the_log_it_is_about(shared_data, tmp_path, monkeypatch, capsys):
    import gzip

    packed = shared_data / "online-retail" / "online_retail.csv.gz"
    with gzip.open(packed) as source, (tmp_path / "online_retail.csv").open("wb") as target:
        shutil.copyfileobj(source, target)
    monkeypatch.chdir(tmp_path)
    run_page("tutorial.md", capsys)


def test_the_reference_has_every_command_model_metric_and_split():
    import importlib.util

    pytest.importorskip("mkdocs")
    from recsys.evaluation.metrics import MetricDefinition, registered
    from recsys.models.registry import MODELS
    from recsys.splitting.rules import split_rules

    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    pages = reference.pages()
    assert all(f"## recsys {name}\n" in pages["commands"] for name in ("train", "compare", "data describe"))
    assert "`--history`" in pages["commands"]
    assert all(f"## {name}\n" in pages["models"] for name in MODELS)
    assert all(f"## {name}" in pages["metrics"] for name in registered(MetricDefinition))
    assert all(form.written in pages["splits"] for rule in split_rules().values() for form in rule.forms)
    assert "::: recsys.experiment.calls.compare\n" in pages["api"]
    assert "| `[split]` | `rule` | --split | text |" in pages["config"]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    import subprocess
    import sys

    pytest.importorskip("mkdocstrings")
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "-f",
            ROOT / "docs" / "mkdocs.yml",
            "-d",
            tmp_path,
        ],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "n_components" in (tmp_path / "reference" / "models" / "index.html").read_text()
