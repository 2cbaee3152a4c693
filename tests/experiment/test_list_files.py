"""Lists as files: every form, part by part as in one go, safe for spreadsheets."""

from __future__ import annotations

import gzip
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from recsys.data.database import quoted
from recsys.errors import InputError, ParameterError
from recsys.experiment.list_files import STDOUT, check_list_path, target_of, write_parts
from recsys.experiment.list_folder import ListFolder, write_list_folder
from recsys.experiment.list_tables import DatabaseTable
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


def test_batches_with_reasons_are_smaller_by_default(recommender, monkeypatch):
    monkeypatch.setattr("recsys.recommend.recommender._LEAST_WITH_REASONS", 25)
    assert [len(batch) for batch in recommender.batches(n=2, reasons=1)] == [25, 25, 10]
    assert [len(batch) for batch in recommender.batches(n=2)] == [60]


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


# -- spreadsheets, databases, folders -------------------------------------------------------------


def test_a_sheet_holds_what_a_table_holds_and_no_formula(recommender, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    frame = recommender.recommend(n=2, reasons=1).to_frame(1)
    frame.loc[0, "name"] = "=1+1"
    frame.loc[1, "name"] = "bell\x07"
    write_parts([frame[:30], frame[30:]], tmp_path / "lists.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "lists.xlsx").active.iter_rows(values_only=False))
    assert [cell.value for cell in rows[0]] == list(frame.columns)
    assert len(rows) == len(frame) + 1
    named = list(frame.columns).index("name")
    assert (rows[1][named].value, rows[1][named].data_type) == ("=1+1", "s")
    assert rows[2][named].value == "bell"
    assert [row[2].value for row in rows[1:]] == frame["item"].tolist()


def test_a_sheet_does_not_hold_more_than_it_can(recommender, tmp_path, monkeypatch):
    pytest.importorskip("openpyxl")
    monkeypatch.setattr("recsys.experiment.list_sheets.MOST_ROWS", 10)
    frame = recommender.recommend(n=2).to_frame()
    with pytest.raises(InputError, match="a sheet holds 10 rows, and the lists have more"):
        write_parts([frame], tmp_path / "lists.xlsx")
    assert not (tmp_path / "lists.xlsx").exists()


def rows_in(target, query="SELECT * FROM {} ORDER BY user, rank"):
    module = {"sqlite": sqlite3, "duckdb": duckdb}[target.engine]
    with closing(module.connect(target.location)) as connection:
        return connection.execute(query.format(quoted(target.table))).fetchall()


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
@pytest.mark.parametrize("table", [None, 'a "table" of lists'])
def test_a_table_of_a_database_is_replaced_as_a_whole(recommender, tmp_path, engine, table):
    target = target_of(f"{engine}:{tmp_path / 'shop.db'}", table)
    frame = recommender.recommend(n=3, reasons=2).to_frame(2)
    parts = [part.to_frame(2) for part in recommender.batches(n=3, reasons=2, batch_size=7)]
    assert write_parts(parts, target) == len(frame)
    expected = frame.sort_values(["user", "rank"]).astype(object).where(frame.notna(), None)
    found = pd.DataFrame(rows_in(target), columns=frame.columns).astype(object)
    pd.testing.assert_frame_equal(
        found.where(found.notna(), None), expected.reset_index(drop=True), check_dtype=False
    )

    def broken():
        yield parts[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts(broken(), target)
    assert len(rows_in(target)) == len(frame)  # the old table is there
    write_parts(parts[:1], target)
    assert len(rows_in(target)) == len(parts[0])


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_database_that_cannot_be_written_says_so(recommender, tmp_path, engine):
    frame = recommender.recommend(n=1).to_frame()
    (tmp_path / "shop.db").write_text(
        "no database, but a text that is long enough to be taken for one\n" * 40
    )
    with pytest.raises(InputError, match="Nothing was changed"):
        write_parts([frame], target_of(f"{engine}:{tmp_path / 'shop.db'}"))
    with pytest.raises(InputError, match="there is no folder"):
        write_parts([frame], target_of(f"{engine}:{tmp_path / 'gone' / 'shop.db'}"))


def test_what_a_target_is():
    assert target_of("lists.csv") == Path("lists.csv")
    assert target_of("sqlite:///tmp/shop.db") == DatabaseTable("sqlite", "/tmp/shop.db")
    table = target_of("postgresql://ann:secret@host/shop", "lists")
    assert (table.engine, table.location, table.table) == (
        "postgresql", "postgresql://ann:secret@host/shop", "lists",
    )  # fmt: skip
    assert "secret" not in str(table)
    with pytest.raises(ParameterError, match="--table names a table of a database"):
        target_of("lists.csv", "lists")
    with pytest.raises(ParameterError, match="--table is empty"):
        target_of("sqlite:shop.db", " ")


def test_a_folder_goes_on_where_it_was_interrupted(recommender, tmp_path, monkeypatch):
    expected = recommender.recommend(n=3).to_frame()
    counts, n_before = write_list_folder(recommender, tmp_path / "whole", None, 3, batch_size=25)
    assert (counts, n_before) == (Counter(n_users=60, n_rows=len(expected), n_by_popularity=0), 0)

    made, add = [], ListFolder.add

    def interrupted(folder, files, of_part):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(files)
        add(folder, files, of_part)

    with monkeypatch.context() as patch:
        patch.setattr(ListFolder, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_list_folder(recommender, tmp_path / "parts", None, 3, batch_size=25)
    asked = []
    monkeypatch.setattr(
        Recommender, "recommend", lambda self, users, *_, **__: asked.append(len(users)) or plain(self, users)
    )
    assert write_list_folder(recommender, tmp_path / "parts", None, 3, batch_size=25) == (counts, 2)
    assert asked == [10]  # the parts that were there are not made again
    assert write_list_folder(recommender, tmp_path / "parts", None, 3, batch_size=25) == (counts, 3)
    assert asked == [10]
    for name in ("whole", "parts"):
        files = sorted((tmp_path / name).glob("*.parquet"))
        joined = pd.concat(map(pd.read_parquet, files), ignore_index=True)
        assert joined["item"].tolist() == expected["item"].tolist()
        assert len(files) == 3


def test_a_folder_is_read_as_one_table(recommender, tmp_path):
    write_list_folder(recommender, tmp_path / "lists", None, 3, batch_size=25)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "lists"), recommender.recommend(n=3).to_frame(), check_dtype=False
    )


def test_a_folder_is_partitioned_by_the_segments_of_users(recommender, tmp_path):
    segments = {user: ("north/west" if user % 3 else "süd & ost") for user in range(50)}
    write_list_folder(
        recommender, tmp_path / "lists", None, 3, segments=segments, batch_size=25, partition_by="segment"
    )
    lists = pd.read_parquet(tmp_path / "lists")
    assert lists["segment"].tolist() == [segments.get(user, "none") for user in lists["user"]]
    expected = recommender.recommend(n=3).to_frame()[["user", "rank", "item", "score"]]
    sorted_lists = lists.sort_values(["user", "rank"], ignore_index=True)[list(expected.columns)]
    pd.testing.assert_frame_equal(sorted_lists, expected, check_dtype=False)
    assert len(list((tmp_path / "lists").iterdir())) == 4  # three segments and the record
    with pytest.raises(InputError, match="other options"):
        write_list_folder(recommender, tmp_path / "lists", None, 3, segments=segments, batch_size=25)


@pytest.mark.parametrize(
    ("partition_by", "message"), [("user", "expected one of segment, source"), ("segment", "no segments")]
)
def test_a_column_that_a_folder_cannot_be_partitioned_by_is_refused(
    recommender, tmp_path, partition_by, message
):
    with pytest.raises(ParameterError, match=message):
        write_list_folder(recommender, tmp_path / "lists", [1], 3, partition_by=partition_by)
    assert not (tmp_path / "lists").exists()


def plain(recommender, users):
    return recommender.bundle.recommend(users, 3)


def test_a_folder_of_something_else_is_refused(recommender, tmp_path):
    write_list_folder(recommender, tmp_path / "lists", [1, 2], 3)
    for changed in ({"n": 4}, {"users": [1]}, {"reasons": 1}, {"rules": Rules(exclude=[1])}):
        with pytest.raises(InputError, match="holds lists of another model, other users or other options"):
            write_list_folder(recommender, tmp_path / "lists", **{"users": [1, 2], "n": 3, **changed})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and holds no lists"):
        write_list_folder(recommender, tmp_path / "other")
    (tmp_path / "lists" / "_lists.json").write_text("{}")
    with pytest.raises(InputError, match="is no record of lists"):
        write_list_folder(recommender, tmp_path / "lists", [1, 2], 3)
