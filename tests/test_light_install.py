"""What works with a part of the dependencies, as docs/pages/how-to/service.md lists them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "pages" / "how-to" / "service.md").read_text()
BEYOND_SERVICE = ("duckdb", "implicit", "jinja2", "rich", "typer", "altair", "sklearn", "optuna")
BEYOND_ESTIMATORS = (*BEYOND_SERVICE, "pandas", "pyarrow", "safetensors")

ESTIMATORS = """
import numpy as np, recsys
X = np.array([[5, 4, np.nan], [4, np.nan, 1], [np.nan, 1, 5]])
for model in (recsys.MaskedNMF(2), recsys.WeightedNMF(2), recsys.PoissonNMF(2)):
    assert model.fit(X).transform(X).shape == (3, 2)
assert recsys.MaskedNMF(2).fit(X).complete(X).shape == (3, 3)
train, test = next(recsys.EntryKFold(3).split(entries := recsys.ObservedEntries(X)))
assert recsys.MaskedNMF(2).fit(entries[train]).score(entries[test]) < 0
try:
    recsys.load_log
except recsys.DependencyError as error:
    assert str(error).startswith("recsys.load_log needs pandas"), error
else:
    raise AssertionError
"""
SERVICE = """
import sys, recsys
bundle = recsys.load_bundle(sys.argv[1])
assert len(next(bundle.recommend(["ann"], 2).lists())["items"]) == 2
assert len(next(bundle.recommend_for({"tea": 5.0}, 2).lists())["items"]) == 2
assert bundle.predict("ann", "tea").shape == (1,)
assert bundle.recommend(["ann"], 2).to_frame().shape[0] == 2
try:
    recsys.load_log
except recsys.DependencyError as error:
    assert str(error) == "recsys.load_log needs duckdb, which is not installed here: pip install duckdb."
else:
    raise AssertionError
"""


def run_without(packages, program, *arguments):
    missing = f"import sys; sys.path[:0] = {[str(ROOT)]!r}; sys.modules.update(dict.fromkeys({packages!r}))\n"
    subprocess.run([sys.executable, "-c", missing + program, *map(str, arguments)], check=True, timeout=300)


def test_estimators_need_numpy_scipy_and_numba():
    run_without(BEYOND_ESTIMATORS, ESTIMATORS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masked-nmf", "hybrid-nmf"])
def test_a_service_needs_no_database_and_no_command_line(tmp_path, kind):
    import recsys
    from recsys.models.registry import make

    users = ["ann", "ann", "bob", "bob", "eve", "eve", "eve"]
    items = ["tea", "jam", "tea", "milk", "milk", "bread", "tea"]
    data = recsys.Interactions.from_pairs(users, items, [5, 3, 4, 2, 1, 5, 4])
    recsys.save_bundle(recsys.Bundle.of(make(kind, {}).fit(data), data), tmp_path / "model")
    run_without(BEYOND_SERVICE, SERVICE, tmp_path / "model")


def test_the_page_names_the_versions_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r'"((?:numpy|scipy|numba|threadpoolctl|pandas|pyarrow|safetensors)[>=.\d]+)"', PAGE)
    assert len(named) == 7
    assert set(named) <= set(project["dependencies"])
