"""Lists as files: every form, part by part as in one go, safe for spreadsheets."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from recsys.errors import ParameterError
from recsys.experiment.list_files import STDOUT, check_list_path, write_parts
from recsys.recommend.recommender import Recommender
from recsys.recommend.rules import Rules
from tests.recommend.test_explain import IMPLICIT, fitted_bundle

FORMS = [".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz"]


@pytest.fixture(scope="module")
def recommender():
    return Recommender(fitted_bundle("hybrid-nmf", IMPLICIT))


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path) if ".csv" in path.suffixes else pd.read_json(path, lines=True)


@pytest.mark.parametrize("ending", FORMS)
def test_parts_make_the_file_that_one_go_makes(recommender, tmp_path, ending):
    whole = recommender.recommend(n=3, reasons=2).to_frame(2)
    paths = [tmp_path / f"{name}{ending}" for name in ("whole", "parts")]
    assert write_parts([whole], paths[0]) == len(whole)
    parts = recommender.batches(n=3, reasons=2, batch_size=7)
    assert write_parts((part.to_frame(2) for part in parts), paths[1]) == len(whole)
    if ending != ".parquet":
        assert paths[0].read_bytes() == paths[1].read_bytes()
    pd.testing.assert_frame_equal(read(paths[0]), read(paths[1]))
    assert read(paths[0])["item"].tolist() == whole["item"].tolist()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_batches_joined_are_the_lists(recommender, size):
    rules = Rules(exclude=[3], exclude_for={5: [1]})
    wanted = [5, "nobody", 3, "5", 9, "nobody", *range(20)]
    expected = list(recommender.recommend(wanted, 4, rules=rules).lists())
    batches = list(recommender.batches(wanted, 4, rules=rules, batch_size=size))
    assert [record for batch in batches for record in batch.lists()] == expected
    assert max(map(len, batches)) <= size


def test_nobody_makes_a_file_with_its_columns(recommender, tmp_path):
    (batch,) = recommender.batches([], 4)
    assert write_parts([batch.to_frame()], tmp_path / "none.csv") == 0
    assert "user" in pd.read_csv(tmp_path / "none.csv")
    with pytest.raises(ParameterError, match="batch_size is 0"):
        list(recommender.batches(batch_size=0))


def test_a_file_is_whole_or_not_there(recommender, tmp_path):
    def parts():
        yield recommender.recommend([1], 2).to_frame()
        raise RuntimeError("out of power")

    for ending in FORMS:
        with pytest.raises(RuntimeError):
            write_parts(parts(), tmp_path / f"lists{ending}")
    assert not list(tmp_path.iterdir())


def test_equal_tables_are_equal_files_and_what_is_packed_is_the_text(recommender, tmp_path):
    frame = recommender.recommend(n=2).to_frame()
    for name in ("one.csv.gz", "two.csv.gz", "plain.csv"):
        write_parts([frame], tmp_path / name)
    packed = [(tmp_path / name).read_bytes() for name in ("one.csv.gz", "two.csv.gz")]
    assert packed[0] == packed[1]
    assert gzip.decompress(packed[0]) == (tmp_path / "plain.csv").read_bytes()


def test_formulas_are_text_to_a_spreadsheet_where_asked(tmp_path):
    frame = pd.DataFrame({"name": ["=1+1", "@x", "-5 %", "tea", None], "score": [-1.0, 2.0, 3.0, 4.0, 5.0]})
    write_parts([frame], tmp_path / "safe.csv", safe_csv=True)
    safe = pd.read_csv(tmp_path / "safe.csv")
    assert safe.name.tolist()[:4] == ["'=1+1", "'@x", "'-5 %", "tea"]
    assert safe.name.isna().tolist()[4]
    assert safe.score.tolist() == frame.score.tolist()
    write_parts([frame], tmp_path / "plain.csv")
    assert pd.read_csv(tmp_path / "plain.csv").name.tolist()[0] == "=1+1"


def test_standard_output_gets_csv(recommender, capsys):
    frame = recommender.recommend([1], n=2).to_frame()
    write_parts([frame], STDOUT)
    assert capsys.readouterr().out == frame.to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize(
    ("name", "safe", "message"),
    [
        ("lists.txt", False, "the ending is '.txt'; expected .parquet, .csv, .csv.gz"),
        ("lists.txt.gz", False, r"the ending is '.txt.gz'"),
        ("lists", False, "the ending is ''"),
        ("lists.parquet", True, "spreadsheets are a matter of CSV files"),
    ],
)
def test_paths_that_are_refused(name, safe, message):
    with pytest.raises(ParameterError, match=message):
        check_list_path(Path(name), safe_csv=safe)
