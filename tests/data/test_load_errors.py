"""Whatever is wrong with a log, one message says what, where and what to do."""

import gzip
import os
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recsys.data.load import load_log
from recsys.errors import InputError, LogError

HEADER = "user,item,count,time\n"
GOOD = "1,2,3,2020-01-01\n"


def failure(path: Path, content: str | bytes, **options: str) -> LogError:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(LogError) as caught:
        load_log(path, **options)  # type: ignore[arg-type]
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("row", "line", "column", "message"),
    [
        (",2,3,2020-01-01", 3, "user", r"the user id is missing\. .*--where \"user IS NOT NULL\"\."),
        ('"",2,3,2020-01-01', 3, "user", "the user id is missing"),
        ("1,,3,2020-01-01", 3, "item", r"the item id is missing\. .*--where \"item IS NOT NULL\"\."),
        ("1,2,,2020-01-01", 3, "count", r"the value is missing.*count IS NOT NULL\", or ignore.*--value -\."),
        ("1,2,nan,2020-01-01", 3, "count", "the value is missing, the cell is 'nan'"),
        ("1,2,-inf,2020-01-01", 3, "count", "found '-inf'; expected a finite number"),
        ("1,2,1e999,2020-01-01", 3, "count", "found '1e999'; expected a"),
        (
            "1,2,-0.5,2020-01-01",
            3,
            "count",
            r"found '-0\.5'; expected an amount of 0 or more.*--feedback explicit; .*--where \"count > 0\"\.",
        ),
        ("1,2,three,2020-01-01", 3, "count", "found 'three'; expected a number"),
        (
            '1,2,"3,5",2020-01-01',
            3,
            "count",
            r"found '3,5'; expected a number\. If the comma is a decimal mark, add --decimal ,\.",
        ),
        ("1,2,3,", 3, "time", r"the time is missing.*ignore the column with --time -\."),
        ("1,2,3,yesterday", 3, "time", "found 'yesterday'; expected a date"),
        ("1,2,3,2020-13-01", 3, "time", "found '2020-13-01'; expected a date"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: str, line: int, column: str, message: str) -> None:
    error = failure(tmp_path / "log.csv", HEADER + GOOD + row + "\n" + GOOD)
    assert (error.line, error.column) == (line, column)
    assert f"log.csv, line {line}, column {column!r}: " in str(error)
    assert re.search(message, str(error)), str(error)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = '\n"user","item\nid",count\n1,"a\n\nb",1\n\n\r\n'.replace("\r\n", "\n") + '2,"c ""\n""",-1\n'
    error = failure(tmp_path / "log.csv", text, item="item\nid")
    assert error.line == text[: text.index("2,")].count("\n") + 1 == 9


def test_a_missing_id_is_named_before_a_bad_value_of_an_earlier_row(tmp_path: Path) -> None:
    error = failure(tmp_path / "log.csv", HEADER + "1,2,-3,2020-01-01\n" + ",2,3,2020-01-01\n" * 1200)
    assert (error.line, error.column) == (3, "user")
    assert "1 of 1,200 rows whose user cannot be used" in str(error)


def test_advice_adds_to_the_condition_given(tmp_path: Path) -> None:
    error = failure(tmp_path / "log.csv", HEADER + ",2,3,2020-01-01\n1,2,-3,2020-01-01\n", where="user > ''")
    assert """--where "(user > '') AND count > 0".""" in str(error)


def test_the_advice_works(tmp_path: Path) -> None:
    text = 'user,item,"order",time\n,2,1,2020-01-01\n1,2,-3,2020-01-01\n1,2,,2020-01-01\n7,2,5,2020-01-01\n'
    path = tmp_path / "log.csv"
    path.write_text(text)
    where = None
    for _ in range(4):
        try:
            loaded = load_log(path, value="order", where=where)
            break
        except LogError as error:
            advice = str(error).split("--where ")[1]
            where = advice[1 : advice.index(advice[0], 1)]
    assert loaded.log.user_ids.values.tolist() == [7]


@pytest.mark.parametrize("n_files", [2, 3])
def test_a_bad_row_of_a_pattern_names_its_file(tmp_path: Path, n_files: int) -> None:
    for number in range(n_files):
        text = "user,item,count\n1,2,3\n1,2,3\n" + ("1,2,-1\n" if number == 1 else "")
        (tmp_path / f"part{number}.csv").write_text(text)
        frame = pd.DataFrame({"user": [1, 1], "item": [1, 1], "count": [1, -1 if number == 1 else 1]})
        frame.to_parquet(tmp_path / f"part{number}.parquet")
        frame.to_json(tmp_path / f"part{number}.jsonl", orient="records", lines=True)
    for suffix, place in (("csv", "line 4"), ("parquet", "row 2"), ("jsonl", "line 2")):
        with pytest.raises(LogError, match=rf"part1\.{suffix}, {place}, column 'count': found '-1"):
            load_log(str(tmp_path / f"part*.{suffix}"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode(), "a header and no rows"),
        (
            b"user\n1\n",
            r"line 1: one column only.*\(comma, tab, semicolon, pipe, double colon\).*first line, 'user'",
        ),
        (b"1:2:3\n", r"one column only.*'1:2:3'.*name another delimiter by --delimiter"),
        (b"user,item,User\n1,2,3\n", r"line 1: column name 'user' stands more than once"),
        (HEADER.encode() + b"1,2,3\n", r"line 2: 3 fields where the header has 4"),
        (HEADER.encode() + b'1,"2\n",3,4\n1,2,3,4,5\n', r"line 4: 5 fields where the header has 4"),
        (HEADER.encode() + b'1,"2"3,3,4\n', r"line 2: the quotes do not match"),
        (HEADER.encode() + b'1,2,3,4\n1,"2,3,4\n', r"line 3: the quotes do not match"),
        (b"user,item\r\n1,2\r\n3,4\n5,6\r\n", r"line 3: the line ends in '\\n', those before in '\\r\\n'"),
        (
            "user,item\n1,2\n1,é\n".encode("latin1"),
            r"line 3: not UTF-8: byte 0xe9 in '1,é'.*--encoding latin-1",
        ),
        (b"user,item\n" + b"1,2\n" * 99_999 + b"1,\xff\n", r"line 100001: not UTF-8: byte 0xff"),
        (bytes(range(256)), "the file is binary"),
        (b"user,item\n1,2\n1,\x00x\n" + b"2,4\n" * 9, "line 3: a NUL byte, which stands in no text"),
        (b"PK\x03\x04\0\0\0", "could not be unpacked"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
    ],
)
def test_a_text_file_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(LogError, match=rf"log\.csv.*{message}"):
        load_log(path)


def test_compressed_files_must_be_whole(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row * 7919 % 10007},1\n" for row in range(30_000))
    packed = gzip.compress(b"user,item,count\n" + rows.encode())
    again = "Download or write it again"
    assert again in str(failure(tmp_path / "cut.csv.gz", packed[:-50]))
    # DuckDB reads both of these without a word
    damaged = packed[:9000] + bytes(20) + packed[9020:]
    assert again in str(failure(tmp_path / "damaged.csv.gz", damaged))
    assert again in str(failure(tmp_path / "sum.csv.gz", packed[:-8] + bytes(4) + packed[-4:]))
    assert "is not gzip" in str(failure(tmp_path / "plain.csv.gz", "user,item\n1,2\n"))
    assert "is not zstd" in str(failure(tmp_path / "plain.csv.zst", "user,item\n1,2\n"))
    with pa.CompressedOutputStream(str(tmp_path / "whole.zst"), "zstd") as file:
        file.write(b"user,item,count\n" + rows.encode())
    cut = (tmp_path / "whole.zst").read_bytes()[:-3]
    assert again in str(failure(tmp_path / "cut.csv.zst", cut))


def test_parquet_that_is_none(tmp_path: Path) -> None:
    assert "not a Parquet file, though named so" in str(failure(tmp_path / "a.parquet", "user,item\n1,2\n"))
    assert "damaged Parquet file" in str(failure(tmp_path / "b.parquet", b"PAR1" + b"x" * 100))
    assert "the file is empty" in str(failure(tmp_path / "c.parquet", b""))


def test_json_that_is_none(tmp_path: Path) -> None:
    error = failure(tmp_path / "a.jsonl", '{"user": 1, "item": 2}\n\n{"user": 1,\n')
    assert "line 3" in str(error)
    assert "one JSON object a line" in str(error)
    assert "no JSON objects" in str(failure(tmp_path / "b.jsonl", "1\n2\n"))
    error = failure(tmp_path / "c.jsonl", '{"user": 1, "item": 2}\n\n{"user": 1}\n')
    assert (error.line, error.column) == (3, "item")


def test_places_where_no_file_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'nowhere' is neither a file nor a data set.*completejourney"):
        load_log("nowhere")
    with pytest.raises(InputError, match=r"Did you mean 'completejourney'\?"):
        load_log("completejurney")
    with pytest.raises(LogError, match=r"gone\.csv: no such file"):
        load_log(tmp_path / "gone.csv")
    with pytest.raises(LogError, match=r"a folder; expected a file\. For all files in it: '.*\*\.csv'"):
        load_log(tmp_path)
    with pytest.raises(LogError, match="a folder"):
        load_log(str(tmp_path))
    with pytest.raises(LogError, match=r"\*\.csv: no file matches this pattern"):
        load_log(str(tmp_path / "*.csv"))
    with pytest.raises(LogError, match="no regular file"):
        load_log("/dev/null")


def test_a_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item\n1,2\n")
    if os.geteuid() == 0:  # root may read everything

        def refused(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refused)
    else:
        path.chmod(0)
    with pytest.raises(LogError, match=r"log\.csv: no permission to read it"):
        load_log(path)


def test_files_of_a_pattern_must_be_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n1,2\n")
    (tmp_path / "b.csv").write_text("user,product\n1,2\n")
    with pytest.raises(
        LogError, match=r"b\.csv: its columns are 'user', 'product'.*a\.csv are 'user', 'item'"
    ):
        load_log(str(tmp_path / "*.csv"))
    pd.DataFrame({"user": [1], "item": [2]}).to_parquet(tmp_path / "b.csv")
    with pytest.raises(LogError, match="different formats"):
        load_log(str(tmp_path / "*.csv"))


FRAME = pd.DataFrame({"user": [1, 2], "item": ["a", "b"], "count": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("user", [1.0, np.nan], "row 2, column 'user': the user id is missing"),
        ("user", [1.0, 2.5], r"row 2, column 'user': found '2\.5'; expected an id"),
        ("user", [1.0, np.inf], "row 2, column 'user': found 'inf'; expected an id"),
        ("user", [1.0, 2.0**60], "row 2, column 'user': found .*; expected an id"),
        ("user", np.array([1, 2**63], dtype=np.uint64), "row 2, column 'user': found '9223372036854775808'"),
        ("user", [True, False], "column 'user': the column holds BOOLEAN; expected ids"),
        ("user", pd.to_datetime(["2020", "2021"]), "column 'user': the column holds TIMESTAMP"),
        ("user", [Decimal("1.5"), Decimal("2.5")], "column 'user': the column holds DECIMAL"),
        ("item", [{"a": 1}, {"a": 2}], r"column 'item': the column holds STRUCT"),
        ("item", ["a", None], "row 2, column 'item': the item id is missing"),
        ("item", ["a", ""], "row 2, column 'item': the item id is missing.*--where \"item <> ''\""),
        ("item", ["a", 5], "values of more than one kind.*column item"),
        ("count", [1.0, np.nan], "row 2, column 'count': the value is missing"),
        ("count", [1.0, np.inf], "row 2, column 'count': found 'inf'"),
        ("count", [1, -2], "row 2, column 'count': found '-2'"),
        ("count", [True, False], "column 'count': the column holds BOOLEAN; expected numbers"),
    ],
)
def test_tables_with_bad_columns(column: str, values: list[object], message: str) -> None:
    with pytest.raises(LogError, match=f"the data frame.*{message}"):
        load_log(FRAME.assign(**{column: values}))


def test_tables_with_bad_times() -> None:
    dates = pd.to_datetime(["2020-01-01", None])
    with pytest.raises(LogError, match="row 2, column 'date': the time is missing"):
        load_log(FRAME.assign(date=dates))
    with pytest.raises(LogError, match=r"row 2, column 'date': found '1\.5'; expected a date"):
        load_log(FRAME.assign(date=[1.0, 1.5]))
    assert load_log(FRAME.assign(date=dates), time="-").log.times is None


def test_columns_named_twice() -> None:
    with pytest.raises(LogError, match="the data frame: column name 'user' stands more than once"):
        load_log(pd.concat([FRAME, FRAME], axis=1))
    with pytest.raises(LogError, match="the Arrow table: column name 'user' stands more than once"):
        load_log(pa.table([[1], [2]], names=["user", "user"]))


def test_dates_that_can_be_read_two_ways(tmp_path: Path) -> None:
    text = "user,item,date\n1,2,1/2/2010\n1,2,3/4/2010\n"
    error = failure(tmp_path / "log.csv", text)
    assert "with the day or with the month first" in str(error)
    assert error.column == "date"
    error = failure(tmp_path / "log.csv", "user,item,date\n1,2,31/1/2010\n1,2,31/2/2010\n")
    assert (error.line, error.column) == (3, "date")


def test_times_that_are_none(tmp_path: Path) -> None:
    assert "found '08:30:00'" in str(failure(tmp_path / "log.csv", "user,item,time\n1,2,08:30:00\n"))
    error = failure(tmp_path / "log.csv", "user,item,time\n1,2,1.5\n")
    assert "found '1.5'; expected a date, a timestamp or a whole number" in str(error)
