import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data import events as events_module
from recsys.data.cells import cleaned_sql
from recsys.data.columns import Columns
from recsys.data.ledger import Dropped
from recsys.data.load import LoadedLog, load_log
from recsys.data.log_format import LogFormat
from recsys.data.sources import open_files
from recsys.errors import InputError, LogError, ParameterError

EVENTS = [("ann", "007", 2.0), ("bob", "7", 3.5), ("ann", "x y", 0.0), ("eve", "007", 1.0)]


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def csv_text(delimiter: str = ",") -> str:
    lines = [("user", "item", "rating"), *((user, item, f"{value:g}") for user, item, value in EVENTS)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def events(loaded: LoadedLog) -> list[tuple[object, object, float]]:
    log = loaded.log
    return [
        (log.user_ids[user], log.item_ids[item], value)
        for user, item, value in zip(log.users, log.items, log.values.tolist(), strict=True)
    ]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    assert events(load_log(written(tmp_path / "log.txt", csv_text(delimiter)))) == EVENTS


def test_the_delimiter_is_not_taken_from_inside_a_field(tmp_path: Path) -> None:
    text = 'user;item;rating\nann;"a,b,c|d";1\nbob;"a,b,c|e";2\n'
    assert [item for _, item, _ in events(load_log(written(tmp_path / "a.csv", text)))] == [
        "a,b,c|d",
        "a,b,c|e",
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(tmp_path: Path, ending: str) -> None:
    text = csv_text().replace("\n", ending)
    assert events(load_log(written(tmp_path / "log.csv", text.encode()))) == EVENTS


@pytest.mark.parametrize(
    "text", ["\ufeff" + csv_text(), "\n\n" + csv_text() + "\n\n", csv_text().rstrip("\n")]
)
def test_byte_order_mark_blank_lines_and_no_last_line_end(tmp_path: Path, text: str) -> None:
    assert events(load_log(written(tmp_path / "log.csv", text))) == EVENTS


@pytest.mark.parametrize("name", ["log.csv.gz", "log.csv"])
def test_gzip_is_told_by_content(tmp_path: Path, name: str) -> None:
    assert events(load_log(written(tmp_path / name, gzip.compress(csv_text().encode())))) == EVENTS


def test_zstd(tmp_path: Path) -> None:
    with pa.CompressedOutputStream(str(tmp_path / "log.tsv.zst"), "zstd") as file:
        file.write(csv_text("\t").encode())
    assert events(load_log(tmp_path / "log.tsv.zst")) == EVENTS


def test_json_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"user": user, "item": item, "rating": value}) for user, item, value in EVENTS]
    assert events(load_log(written(tmp_path / "log.jsonl", "\n".join(lines)))) == EVENTS
    packed = gzip.compress("\n".join(lines).encode())
    assert events(load_log(written(tmp_path / "log.jsonl.gz", packed))) == EVENTS


def test_tables_and_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(EVENTS, columns=["user", "item", "rating"])
    table = pa.Table.from_pandas(frame)
    pq.write_table(table, tmp_path / "log.parquet")
    for source in (frame, table, tmp_path / "log.parquet", frame.astype({"user": "category"})):
        assert events(load_log(source)) == EVENTS


def test_a_pattern_reads_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        written(tmp_path / f"part{number}.csv", f"user,item,count\nu{number},a,{number}\nu{number},b,1\n")
    loaded = load_log(str(tmp_path / "part*.csv"))
    assert [user for user, _, _ in events(loaded)] == ["u1", "u1", "u2", "u2", "u3", "u3"]
    assert loaded.source == str(tmp_path / "part*.csv")


@pytest.mark.parametrize(
    "moment",
    ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05", "2024-01-02", "02.01.2024", "03:04:05", "1704164645"],
)
def test_the_types_of_json_are_found_once(tmp_path: Path, moment: str) -> None:
    """Finding them takes as long as reading all; columns that DuckDB renames keep being found by it."""
    nested = {"a b": [[1], None], "it's": {'"': 1.5}}
    rows = [{"user": "u", "item": item, "at": moment, "tags": nested, "none": None} for item in ("7", "07")]
    path = written(tmp_path / "log.jsonl", "\n".join(map(json.dumps, rows)))
    source = open_files(path)
    looking = source.connection.sql(
        f"SELECT * FROM read_json('{path}', format = 'newline_delimited', sample_size = -1)"
    )
    assert "sample_size" not in source.query()
    assert source.relation().types == looking.types
    assert source.relation().to_arrow_table().equals(looking.to_arrow_table())
    assert "sample_size" in open_files(written(tmp_path / "two.jsonl", '{"id": 1, "ID": 2}\n')).query()


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_rows_of_text_keep_their_order(tmp_path: Path, suffix: str) -> None:
    """Markers of missing cells are looked for in a list; DuckDB would make a join of it, without an order."""
    n_rows = 60_000
    frame = pd.DataFrame({"user": [f"u{row}" for row in range(n_rows)], "item": "a"})
    path = tmp_path / f"log.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pandas(frame), path, row_group_size=1_000)
    else:
        frame.to_json(path, orient="records", lines=True)
    condition = "item IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k')"
    log = load_log(path, where=condition).log
    assert log.user_ids.values[log.users].tolist() == frame["user"].tolist()
    with open_files(path).connection as connection:
        cleaned = cleaned_sql("x", LogFormat().null_markers)
        plan = connection.sql(f"EXPLAIN SELECT {cleaned} FROM (SELECT range AS x FROM range(9))").fetchall()[
            0
        ][1]
    assert "JOIN" not in plan.upper()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_types_are_widened_to_fit_all_files_of_a_pattern(tmp_path: Path, suffix: str) -> None:
    # read by the types of the first file, 1.5 would become 2
    for number, count in enumerate([1, 1.5]):
        path = tmp_path / f"part{number}.{suffix}"
        frame = pd.DataFrame({"user": [1], "item": [1], "count": [count]})
        if suffix == "csv":
            frame.to_csv(path, index=False)
        elif suffix == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.to_parquet(path)
    assert load_log(str(tmp_path / f"part*.{suffix}")).log.values.tolist() == [1.0, 1.5]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    written(tmp_path / "o'log[1]*.csv", "user,item\nann,a\n")
    written(tmp_path / "o'log1x.csv", "user,item\nbob,b\n")
    assert events(load_log(tmp_path / "o'log[1]*.csv")) == [("ann", "a", 1.0)]


def test_a_folder_with_an_equals_sign_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "user_id=5"
    folder.mkdir()
    pd.DataFrame({"user": [1], "item": [2]}).to_parquet(folder / "log.parquet")
    assert load_log(folder / "log.parquet").columns == Columns("user", "item")


def test_describe_is_ready_for_json(tmp_path: Path) -> None:
    text = "user,item,count,date\n1,a,2,2020-01-02\n1,a,3,2020-01-01\n2,b,0,2020-01-03\n2,b,-1,2020-01-04\n"
    loaded = load_log(written(tmp_path / "log.csv", text), where="count >= 0")
    assert loaded.dropped == (Dropped("where count >= 0", 1),)
    described = loaded.describe()
    assert json.loads(json.dumps(described)) == described
    assert described == {
        "source": str(tmp_path / "log.csv"),
        "columns": {"user": "user", "item": "item", "value": "count", "time": "date"},
        "feedback": "implicit",
        "n_read": 4,
        "dropped": [{"reason": "where count >= 0", "n_rows": 1}],
        "n_events": 3,
        "n_users": 2,
        "n_items": 2,
        "n_pairs": 2,
        "density": 0.5,
        "value_min": 0.0,
        "value_max": 3.0,
        "value_mean": 5 / 3,
        "time_kind": "timestamp",
        "first_time": "2020-01-01T00:00:00",
        "last_time": "2020-01-03T00:00:00",
        "n_named_items": 0,
        "licence": None,
        "flags": "--user user --item item --value count --time date --where 'count >= 0' --feedback implicit "
        "--delimiter comma --header row",
        "remarks": [],
    }


def test_order_and_bits_do_not_depend_on_threads(tmp_path: Path) -> None:
    n_events = 320_000
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "user": generator.integers(0, 5_000, n_events),
            "item": [f"i{item}" for item in generator.integers(0, 20_000, n_events)],
            "count": generator.random(n_events),
            "timestamp": np.arange(n_events),
        }
    )
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet", row_group_size=20_000)
    chosen = [f"i{item}" for item in range(0, 20_000, 50)]
    # A list and a query become joins, which in several threads mix the rows.
    listed, unlisted = (
        f"item IN ({', '.join(map(repr, chosen))})",
        "item NOT IN (SELECT 'i' || range FROM range(100))",
    )
    is_unlisted = ~frame["item"].isin([f"i{n}" for n in range(100)])
    for where, is_kept, source in (
        ("count > 0.1", frame["count"] > 0.1, tmp_path / "log.csv"),
        (listed, frame["item"].isin(chosen), tmp_path / "log.parquet"),
        (unlisted, is_unlisted, tmp_path / "log.csv"),
        (unlisted, is_unlisted, frame),
    ):
        kept = frame[is_kept]
        users, user_ids = pd.factorize(kept["user"], sort=True)
        items, item_ids = pd.factorize(kept["item"], sort=True)
        for n_threads in (4,) if source is frame else (1, 4):
            log = load_log(source, where=where, n_threads=n_threads).log
            assert log.times is not None
            np.testing.assert_array_equal(log.times, kept["timestamp"])
            np.testing.assert_array_equal(log.values, kept["count"])
            np.testing.assert_array_equal(log.users, users)
            np.testing.assert_array_equal(log.items, items)
            assert log.user_ids.values.tolist() == user_ids.tolist()
            assert log.item_ids.values.tolist() == item_ids.tolist()


def test_batches_may_come_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    n_events = 300_000
    frame = pd.DataFrame({"user": np.arange(n_events) % 7, "item": "a", "timestamp": np.arange(n_events)})
    in_order = events_module._batches

    def reversed_batches(*arguments: Any) -> Iterator[pa.RecordBatch]:
        yield from reversed(list(in_order(*arguments)))

    monkeypatch.setattr(events_module, "_batches", reversed_batches)
    log = load_log(frame, where="user >= 0").log
    assert log.times is not None
    np.testing.assert_array_equal(log.times, frame["timestamp"])
    np.testing.assert_array_equal(log.users, frame["user"])
    frame["count"] = np.where(frame["timestamp"] % 100_000 == 5, -1, 1)
    with pytest.raises(LogError, match=r"row 6, column 'count': .*1 of 3 rows"):
        load_log(frame, where="user >= 0")


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(InputError, match="a log of type list"):
        load_log([1, 2])  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="threads is 0"):
        load_log(pd.DataFrame({"user": [1], "item": [1]}), n_threads=0)
    with pytest.raises(LogError, match="the data frame: the log has no rows"):
        load_log(pd.DataFrame({"user": [], "item": []}, dtype="int64"))
