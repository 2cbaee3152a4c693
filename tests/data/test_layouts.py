"""Files as people have them, each with the options that read it."""

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data import formats
from recsys.data.load import load_log
from recsys.data.log_format import LogFormat
from recsys.errors import LogError, ParameterError
from recsys_cli.main import run

Event = tuple[object, object, float]


def events(log: Any) -> list[Event]:
    log = log.log
    return [
        (log.user_ids[user], log.item_ids[item], value)
        for user, item, value in zip(log.users, log.items, log.values.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Layout:
    """A small file and what it holds; ``first`` and ``last`` are the times, where it has some."""

    name: str
    content: str | bytes
    flags: str
    events: tuple[Event, ...]
    first: str = ""


ANN_BOB = (("ann", "x", 4.0), ("bob", "y", 2.5))
ONES = ((1, 10, 1.0), (1, 11, 1.0), (2, 10, 1.0))
PLAIN = "user,item,rating\nann,x,4\nbob,y,2.5\n"
LAYOUTS = [
    Layout("comma.csv", PLAIN, "", ANN_BOB),
    Layout("tab.tsv", PLAIN.replace(",", "\t"), "", ANN_BOB),
    Layout("semicolon.csv", PLAIN.replace(",", ";"), "", ANN_BOB),
    Layout("pipe.txt", PLAIN.replace(",", "|"), "", ANN_BOB),
    Layout("colons.dat", "ann::x::4\nbob::y::2.5\n", "--user 1 --item 2 --value 3", ANN_BOB),
    Layout("blanks.txt", "ann   x 4\nbob \t y  2.5 \n", "--user 1 --item 2 --value 3", ANN_BOB),
    Layout("caret.txt", PLAIN.replace(",", "^"), "--delimiter ^", ANN_BOB),
    Layout("headless.csv", "ann,x,4\nbob,y,2.5\n", "--header none --user 1 --item 2 --value 3", ANN_BOB),
    Layout("title.csv", "Export of June\n\n" + PLAIN, "--skip 2", ANN_BOB),
    Layout("spreadsheet.csv", "sep=;\n" + PLAIN.replace(",", ";"), "", ANN_BOB),
    Layout(
        "ml-100k.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t1.0\t1704445200.0\n",
        "",
        ((1, 10, 1.0),),
        "2024-01-05T09:00:00",
    ),
    Layout("latin.csv", "user,item\nJosé,x\n".encode("latin-1"), "--encoding latin-1", (("José", "x", 1.0),)),
    Layout(
        "windows.csv", "user,item\nann,“x”\n".encode("cp1252"), "--encoding cp1252", (("ann", "“x”", 1.0),)
    ),
    Layout("utf16.csv", PLAIN.encode("utf-16"), "", ANN_BOB),
    Layout("utf16le.csv", PLAIN.encode("utf-16-le"), "--encoding utf-16-le", ANN_BOB),
    Layout("bom.csv", "\ufeff" + PLAIN, "", ANN_BOB),
    Layout(
        "shift.csv",
        "user,item\n花子,本\n".encode("shift_jis"),
        "--encoding shift_jis",
        (("花子", "本", 1.0),),
    ),
    Layout("single.csv", "user,item\n'a,b',x\n", '--quote "\'"', (("a,b", "x", 1.0),)),
    Layout("escaped.csv", 'user,item\n"a\\"b",x\n', "--escape '\\'", (('a"b', "x", 1.0),)),
    Layout("inches.csv", 'user,item\nann,7" single\n', "--quote none", (("ann", '7" single', 1.0),)),
    Layout("comma-decimal.csv", "user;item;rating\nann;x;4\nbob;y;2,5\n", "--decimal ,", ANN_BOB),
    Layout(
        "thousands.csv",
        'user;item;count\nann;x;"1.200,5"\n',
        "--decimal , --thousands .",
        (("ann", "x", 1200.5),),
    ),
    Layout(
        "english-thousands.csv",
        'user,item,count\nann,x,"1,200"\nbob,y,5\n',
        "--thousands ,",
        (("ann", "x", 1200.0), ("bob", "y", 5.0)),
    ),
    Layout("null.csv", PLAIN + "?,x,1\n", "--null '?' --where 'user IS NOT NULL'", ANN_BOB),
    Layout("seconds.csv", "user,item,ts\n1,10,1704445200\n", "", ((1, 10, 1.0),), "2024-01-05T09:00:00"),
    Layout("days.csv", "user,item,date\n1,10,31/12/23\n", "", ((1, 10, 1.0),), "2023-12-31T00:00:00"),
    Layout(
        "told-days.csv",
        "user,item,date\n1,10,01/02/24\n",
        "--time-format '%m/%d/%y'",
        ((1, 10, 1.0),),
        "2024-01-02T00:00:00",
    ),
    Layout("lists.txt", "1 10 11\n2 10\n3\n", "--layout lists", ONES),
    Layout("lists.csv", "1,10,11\n2,10\n", "--layout lists", ONES),
    Layout(
        "matrix.csv",
        "user,10,11\nann,5,\nbob,NA,3\n",
        "--layout matrix",
        (("ann", 10, 5.0), ("bob", 11, 3.0)),
    ),
    Layout(
        "sections.txt",
        "ann:\nx,4\n\nbob:\ny,2.5\n",
        "--layout sections --user section --item 1 --value 2",
        ANN_BOB,
    ),
    Layout("basket.csv", "user,items\n1,10|11\n2,10\n", "--item-separator pipe", ONES),
    Layout("brackets.csv", 'user,items\n1,"[10, 11]"\n2,[10]\n', "--item-separator ,", ONES),
    Layout("lines.jsonl", '{"user": 1, "items": [10, 11]}\n{"user": 2, "items": [10]}\n', "", ONES),
    Layout(
        "array.json",
        '[{"user": 1, "item": 10},\n {"user": 1, "item": 11}, {"user": 2, "item": 10}]',
        "",
        ONES,
    ),
    Layout(
        "nested.jsonl",
        '{"user": {"id": 1}, "basket": [{"sku": 10}, {"sku": 11}]}\n'
        '{"user": {"id": 2}, "basket": [{"sku": 10}]}\n',
        "--item basket.sku",
        ONES,
    ),
    Layout("spaced-names.csv", "User ID,  Item Id ,Rating\nann,x,4\nbob,y,2.5\n", "", ANN_BOB),
    Layout("words.csv", "order,select\nann,x\n", "--user order --item select", (("ann", "x", 1.0),)),
    Layout("index.csv", ",user,item,rating\n0,ann,x,4\n1,bob,y,2.5\n", "", ANN_BOB),
]


def flags_of(text: str) -> dict[str, Any]:
    """Return flags as keywords of `load_log`."""
    import shlex

    words = shlex.split(text)
    told: dict[str, Any] = {}
    for flag, value in zip(words[::2], words[1::2], strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        told[name] = int(value) if name == "skip" else value
    return told


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_and_its_flags(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / layout.name
    content = layout.content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    log = load_log(path, **flags_of(layout.flags))
    assert tuple(events(log)) == layout.events
    if layout.first:
        assert log.log.span()[0] == layout.first
    # The flags that describe prints read the same log, and leave nothing to be recognised.
    again = load_log(path, **flags_of(log.read_as.flags()))
    assert events(again) == events(log)
    assert again.log.span() == log.log.span()
    assert again.read_as == log.read_as
    assert not [remark for remark in again.remarks if "--" in str(remark)]


@pytest.mark.parametrize("layout", LAYOUTS[::4], ids=lambda layout: layout.name)
def test_a_layout_on_the_command_line(
    tmp_path: Path, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    path = tmp_path / layout.name
    path.write_bytes(layout.content.encode() if isinstance(layout.content, str) else layout.content)
    assert run(["data", "describe", str(path), *shlex.split(layout.flags), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_events"] == len(layout.events)


SAMPLES: dict[str, tuple[str, Event]] = {
    "amazon-2018": (
        '{"reviewerID": "A1", "asin": "B0", "overall": 5.0, "unixReviewTime": 1514764800}\n',
        ("A1", "B0", 5.0),
    ),
    "amazon-2023": (
        '{"rating": 5.0, "asin": "B1", "parent_asin": "B0", "user_id": "A1", "timestamp": 1588687728923}\n',
        ("A1", "B0", 5.0),
    ),
    "anime": ("user_id,anime_id,rating\n1,20,8\n1,24,-1\n", (1, 20, 8.0)),
    "bookcrossing": (
        '"User-ID";"ISBN";"Book-Rating"\n"276725";"034545104X";"5"\n"276726";"0155061224";"0"\n',
        (276725, "034545104X", 5.0),
    ),
    "diginetica": (
        "sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n",
        (1, 81766, 1.0),
    ),
    "gowalla": ("0\t2010-10-19T23:55:27Z\t30.2359\t-97.7951\t22847\n", (0, 22847, 1.0)),
    "hm": (
        "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,000058a1,0663713001,0.05,2\n",
        ("000058a1", "0663713001", 1.0),
    ),
    "instacart": ("order_id,product_id,add_to_cart_order,reordered\n9,196,1,0\n", (2, 196, 1.0)),
    "lastfm-1k": (
        "user_1\t2009-05-04T23:08:57Z\t\tDeep Dish\t\tFuck Me Im Famous\n",
        ("user_1", "Deep Dish", 1.0),
    ),
    "lastfm-360k": ('00000c2\t3bd73256\t"weird al"\t2137\n', ("00000c2", '"weird al"', 2137.0)),
    "lightgcn": ("7 3\n", (7, 3, 1.0)),
    "movielens-100k": ("196\t242\t3\t881250949\n", (196, 242, 3.0)),
    "movielens-10m": ("1::122::5::838985046\n", (1, 122, 5.0)),
    "movielens-1m": ("1::1193::5::978300760\n", (1, 1193, 5.0)),
    "movielens-csv": ("userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n", (1, 31, 2.5)),
    "netflix": ("17:\n1488844,3,2005-09-06\n", (1488844, 17, 3.0)),
    "online-retail": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,LIGHT,6,12/13/2010 8:26,2.55,17850,UK\n"
        "536379,D,Discount,-1,12/14/2010 9:41,27.5,14527,UK\n",
        (17850, "85123A", 6.0),
    ),
    "retailrocket": (
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n",
        (257597, 355908, 1.0),
    ),
    "steam-200k": ("15,Skyrim,purchase,1.0,0\n15,Skyrim,play,273.0,0\n", (15, "Skyrim", 273.0)),
    "yelp": (
        '{"user_id": "u", "business_id": "b", "stars": 3.0, "date": "2018-07-07 22:09:11"}\n',
        ("u", "b", 3.0),
    ),
    "yoochoose": ("1,2014-04-07T10:51:09.277Z,214536502,0\n", (1, 214536502, 1.0)),
}


def test_every_format_of_the_catalogue_has_a_sample() -> None:
    assert set(SAMPLES) == set(formats.names())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_format_reads_a_sample_and_overridden_fields_win(tmp_path: Path, name: str) -> None:
    text, event = SAMPLES[name]
    path = tmp_path / ("log.jsonl" if text.startswith("{") else "log.txt")
    path.write_text(text)
    (tmp_path / "orders.csv").write_text("order_id,user_id,eval_set,order_number\n8,1,prior,1\n9,2,prior,3\n")
    log = load_log(path, format=name)
    assert events(log) == [event]
    kind = "number" if name == "instacart" else "timestamp"  # there orders are counted
    assert log.log.time_kind == (kind if log.columns.time is not None else None)
    other = {"explicit": "implicit", "implicit": "explicit"}[log.log.feedback]
    assert load_log(path, format=name, feedback=other).log.feedback == other


def test_a_format_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"format is 'movielens-1'; there are .*Did you mean 'movielens-1"
    ):
        load_log(tmp_path / "log.csv", format="movielens-1")
    with pytest.raises(ParameterError, match=r"a log has no option 'delimeter'\. Did you mean 'delimiter'\?"):
        load_log(tmp_path / "log.csv", delimeter=",")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("delimiter", "", "delimiter is ''; expected one character"),
        ("encoding", "klingon", "encoding is 'klingon', which is not known"),
        ("quote", "ab", "quote is 'ab'; expected one character, or none"),
        ("header", "first", "header is 'first'; expected one of row, none"),
        ("skip", -1, "skip is -1"),
        ("decimal", ";", "decimal is ';'; expected one of"),
        ("time_unit", "h", "time_unit is 'h'; expected one of s, ms, us, ns, none"),
        ("id_rule", "upper", "id_rule is 'upper'; expected one or several of trim, casefold, integer"),
        ("layout", "wide", "layout is 'wide'; expected one of events, lists, matrix, sections"),
        ("null", [1], "null is"),
    ],
)
def test_an_option_that_cannot_be(option: str, value: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        LogFormat.of(**{option: value})


class TestPlaces:
    def test_lines_of_other_layouts(self, tmp_path: Path) -> None:
        path = tmp_path / "log.txt"
        path.write_text("user,10,11\nann,5,\n\nbob,NA,-3\n")
        with pytest.raises(LogError, match=r"log\.txt, line 4, column 'value': found '-3'"):
            load_log(path, layout="matrix")
        path.write_text("1 10 11\n\n2 NA\n")
        with pytest.raises(LogError, match=r"log\.txt, line 3, column 'item': the item id is missing"):
            load_log(path, layout="lists")
        path.write_text("user,items\n1,a|b\n2,b|NA\n")
        with pytest.raises(LogError, match=r"log\.txt, line 3, column 'items': the item id is missing"):
            load_log(path, item_separator="|")

    def test_lines_of_copies_are_those_of_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "log.txt"
        path.write_bytes("user item count\n1 é 2\n\n1 ö x\n".encode("latin-1"))
        with pytest.raises(LogError, match=r"log\.txt, line 4, column 'count': found 'x'"):
            load_log(path, encoding="latin-1")
        path.write_bytes(b"user,item\n1,2\n1,\x81\n")
        with pytest.raises(LogError, match=r"log\.txt(, line 3)?: not windows-1252"):
            load_log(path, encoding="windows-1252")

    def test_sections(self, tmp_path: Path) -> None:
        path = tmp_path / "films.txt"
        told = {"layout": "sections", "item": "section", "user": "1", "delimiter": "blanks"}
        path.write_text("17:\n1 5 2005-01-02\n2 4 2005-02-03\n\n18:\n1  3 2005-02-04\n2 3 2005-02-05 x\n")
        with pytest.raises(LogError, match=r"films\.txt, line 7, column '3': found '2005-02-05 x'"):
            load_log(path, value="2", time="3", **told)
        assert events(load_log(path, value="2", **told))[2:] == [(1, 18, 3.0), (2, 18, 3.0)]
        path.write_text("1,5\n17:\n1,4\n")
        with pytest.raises(LogError, match=r"films\.txt, line 1: found '1,5'; expected a heading that ends"):
            load_log(path, **told)
        assert len(load_log(path, skip=1, **told).log) == 1
        path.write_text("17:\n18:\n")
        with pytest.raises(LogError, match=r"films\.txt: headings, and no row below them"):
            load_log(path, **told)
        path.write_text("17:\n1,4\n")
        with pytest.raises(LogError, match=r"the columns are 'section', '1', '2'"):
            load_log(path, layout="sections")

    def test_ragged_lists_are_told_the_flag(self, tmp_path: Path) -> None:
        path = tmp_path / "log.txt"
        path.write_text("1 10 11\n2 10 12\n3 7 8 9\n")
        with pytest.raises(LogError, match=r"one column only.*--layout lists"):
            load_log(path, user="1", item="2")

    def test_columns_that_a_layout_has_not(self, tmp_path: Path) -> None:
        path = tmp_path / "log.txt"
        path.write_text("1 10 11\n")
        with pytest.raises(
            ParameterError, match="item names a column, but in the layout 'lists' there is none"
        ):
            load_log(path, layout="lists", item="2")


class TestSeveralFiles:
    def test_a_list_of_files_keeps_its_order(self, tmp_path: Path) -> None:
        for name, user in (("b.csv", "b"), ("a.csv", "a")):
            (tmp_path / name).write_text(f"user,item\n{user},x\n")
        log = load_log([tmp_path / "b.csv", tmp_path / "a.csv"])
        assert [user for user, _, _ in events(log)] == ["b", "a"]

    def test_columns_in_another_order_or_more_of_them(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("user,item,rating\nann,x,4\n")
        (tmp_path / "b.csv").write_text("rating;user;shop;item\n2.5;bob;1;y\n")
        assert events(load_log(str(tmp_path / "?.csv"))) == list(ANN_BOB)
        (tmp_path / "b.csv").write_text("rating,user,item\n2,bob,y\nbad,bob,x\n")
        with pytest.raises(LogError, match=r"b\.csv, line 3, column 'rating': found 'bad'"):
            load_log(str(tmp_path / "?.csv"))

    def test_parquet_with_more_columns(self, tmp_path: Path) -> None:
        pd.DataFrame({"user": [1], "item": [2]}).to_parquet(tmp_path / "a.parquet")
        pd.DataFrame({"item": [3], "shop": ["s"], "user": [1]}).to_parquet(tmp_path / "b.parquet")
        assert events(load_log(str(tmp_path / "*.parquet"))) == [(1, 2, 1.0), (1, 3, 1.0)]

    @pytest.mark.parametrize("ending", ["parquet", "csv"])
    def test_partitions_are_columns(self, tmp_path: Path, ending: str) -> None:
        for shop in ("north", "south"):
            folder = tmp_path / "log" / f"shop={shop}"
            folder.mkdir(parents=True)
            frame = pd.DataFrame({"user": [shop], "item": ["x"]})
            frame.to_parquet(folder / "p.parquet") if ending == "parquet" else frame.to_csv(
                folder / "p.csv", index=False
            )
        log = load_log(tmp_path / "log", where="shop = 'south'")
        assert events(log) == [("south", "x", 1.0)]
        assert log.n_read == 2

    def test_zip_archives(self, tmp_path: Path) -> None:
        path = tmp_path / "log.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ml/ratings.csv", PLAIN)
        assert events(load_log(path)) == list(ANN_BOB)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("ml/movies.csv", "item,title\nx,The X\n")
        with pytest.raises(
            LogError, match=r"an archive of 2 files .*Name one of them, e\.g\. '.*/ml/ratings\.csv'"
        ):
            load_log(path)
        log = load_log(f"{path}/ml/ratings.csv", items=f"{path}/ml/movies.csv")
        assert (events(log), dict(log.item_names)) == (list(ANN_BOB), {"x": "The X"})
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("r.csv", PLAIN + "x,y,bad\n")
        with pytest.raises(LogError, match=r"log\.zip/r\.csv, line 4, column 'rating'"):
            load_log(path)
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(LogError, match=r"log\.zip: could not be unpacked"):
            load_log(path)

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for content in (PLAIN.encode(), gzip.compress(PLAIN.encode())):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
            log = load_log("-")
            assert (events(log), log.source) == (list(ANN_BOB), "standard input")
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"user": 1, "item": 10}')))
        assert events(load_log("-")) == [(1, 10, 1.0)]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
        with pytest.raises(LogError, match="standard input: the file is empty"):
            load_log("-")

    def test_several_files_on_the_command_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("a", "b"):
            (tmp_path / f"{name}.csv").write_text(f"user,item\n{name},x\n")
        assert run(["data", "describe", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["n_users"] == 2


class TestTypes:
    """Columns of tables and Parquet as other tools write them."""

    def test_decimals_uuids_dictionaries_and_zones(self, tmp_path: Path) -> None:
        moment = datetime(2024, 1, 5, 10, tzinfo=UTC)
        table = pa.table(
            {
                "user": pa.array([Decimal(7), Decimal(8)], pa.decimal128(38, 0)),
                "item": pa.array(["x", "y"]).dictionary_encode(),
                "rating": pa.array([Decimal("4.0"), Decimal("2.5")], pa.decimal128(9, 1)),
                "timestamp": pa.array([moment, moment], pa.timestamp("ms", "Asia/Tokyo")),
            }
        )
        pq.write_table(table, tmp_path / "log.parquet")
        for source in (table, tmp_path / "log.parquet"):
            log = load_log(source)
            assert events(log) == [(7, "x", 4.0), (8, "y", 2.5)]
            assert log.log.span()[0] == "2024-01-05T10:00:00"

    def test_pandas_columns_of_every_kind(self) -> None:
        frame = pd.DataFrame(
            {
                "user": pd.array([1, 2], dtype="Int32"),
                "item": pd.Categorical(["x", "y"]),
                "rating": pd.array([4.0, 2.5], dtype="Float32"),
            }
        )
        assert events(load_log(frame)) == [(1, "x", 4.0), (2, "y", 2.5)]
        sparse = frame.assign(rating=pd.arrays.SparseArray([4.0, 2.5]))
        assert events(load_log(sparse)) == [(1, "x", 4.0), (2, "y", 2.5)]
        half = frame.assign(rating=frame["rating"].astype("float16"))
        assert events(load_log(half)) == [(1, "x", 4.0), (2, "y", 2.5)]

    def test_a_matrix_in_a_frame(self) -> None:
        frame = pd.DataFrame({"who": ["ann", "bob"], "x": [4.0, None], "y": [None, 2.5]})
        assert events(load_log(frame, layout="matrix")) == list(ANN_BOB)

    def test_polars(self) -> None:
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({"user": ["ann", "bob"], "items": [["x"], ["y", "z"]]})
        assert events(load_log(frame)) == [("ann", "x", 1.0), ("bob", "y", 1.0), ("bob", "z", 1.0)]
