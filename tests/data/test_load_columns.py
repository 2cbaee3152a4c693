"""Each column of a log by itself: ids, values, times, names of items."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.columns import Columns
from recsys.data.load import load_log
from recsys.data.loaded_log import LoadedLog
from recsys.errors import LogError, ParameterError


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def events(loaded: LoadedLog) -> list[tuple[object, object, float]]:
    log = loaded.log
    return [
        (log.user_ids[user], log.item_ids[item], value)
        for user, item, value in zip(log.users, log.items, log.values.tolist(), strict=True)
    ]


class TestIds:
    def loaded(self, tmp_path: Path, *ids: str) -> list[object]:
        text = "user,item\n" + "".join(f"{text},a\n" for text in ids)
        loaded = load_log(written(tmp_path / "ids.csv", text))
        return [loaded.log.user_ids[row] for row in loaded.log.users]

    def test_leading_zeros_keep_a_column_text(self, tmp_path: Path) -> None:
        assert self.loaded(tmp_path, "007", "7", "10") == ["007", "7", "10"]

    def test_integers_are_integers(self, tmp_path: Path) -> None:
        assert self.loaded(tmp_path, "0", "-7", "999999999999999999") == [0, -7, 999999999999999999]

    @pytest.mark.parametrize("other", ["1e3", "+5", "-0", " 5", "5 ", "9999999999999999999", "0x1F"])
    def test_what_only_resembles_an_integer_keeps_all_text(self, tmp_path: Path, other: str) -> None:
        assert self.loaded(tmp_path, "5", other) == ["5", other]

    def test_integers_written_as_floats_are_integers(self, tmp_path: Path) -> None:
        assert self.loaded(tmp_path, "17850.0", "0.0", "-3.0") == [17850, 0, -3]
        assert self.loaded(tmp_path, "17850", "17850.0", "17850.00") == [17850] * 3
        assert self.loaded(tmp_path, "17850.0", "1.50") == ["17850.0", "1.50"]
        assert self.loaded(tmp_path, "17850.0", "01.0") == ["17850.0", "01.0"]

    def test_only_rows_that_are_kept_decide(self, tmp_path: Path) -> None:
        path = written(tmp_path / "ids.csv", "user,item,count\n5,a,1\nx5,a,0\n")
        assert load_log(path).log.user_ids.values.tolist() == ["5", "x5"]
        assert load_log(path, where="count > 0").log.user_ids.values.tolist() == [5]

    def test_integer_columns_of_any_width(self) -> None:
        for dtype in (np.int8, np.uint16, np.int32, np.uint64):
            frame = pd.DataFrame({"user": np.array([3, 1], dtype=dtype), "item": ["a", "b"]})
            assert load_log(frame).log.user_ids.values.tolist() == [1, 3]

    def test_whole_floats_are_integers(self) -> None:
        frame = pd.DataFrame({"user": [3.0, 1.0, -2.0], "item": ["a", "b", "c"]})
        assert load_log(frame).log.user_ids.values.tolist() == [-2, 1, 3]

    @pytest.mark.parametrize("marker", ["NA", r"\N", "null", "None", "nan", "(not set)", "-"])
    def test_words_for_nothing_are_missing_ids(self, tmp_path: Path, marker: str) -> None:
        with pytest.raises(LogError, match=r"line 3, .*the user id is missing, the cell is") as caught:
            self.loaded(tmp_path, "5", marker)
        assert "--null none" in str(caught.value)
        path = tmp_path / "ids.csv"
        assert load_log(path, null="none").log.user_ids.values.tolist() == sorted(["5", marker])
        assert load_log(path, where="user IS NOT NULL").log.user_ids.values.tolist() == [5]
        frame = pd.DataFrame({"user": ["5", marker], "item": ["a", "a"]})
        assert load_log(frame, where="user IS NOT NULL").dropped[0].n_rows == 1

    def test_words_for_nothing_of_ones_own(self, tmp_path: Path) -> None:
        assert self.loaded(tmp_path, "5", "?") == ["5", "?"]
        with pytest.raises(LogError, match="the cell is '\\?'"):
            load_log(tmp_path / "ids.csv", null="?")
        path = written(tmp_path / "values.csv", "user,item,count\n1,a,?\n2,a,3\n")
        loaded = load_log(path, null=["?"], where="count > 2")
        assert loaded.log.values.tolist() == [3.0]


class TestHeaders:
    def test_a_file_without_header_goes_by_position(self, tmp_path: Path) -> None:
        path = written(tmp_path / "u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
        loaded = load_log(path, user="1", item="2", value="3", time="4", feedback="explicit")
        assert events(loaded) == [(196, 242, 3.0), (186, 302, 3.0)]
        assert loaded.log.times is not None
        assert loaded.log.times.tolist() == [881250949_000_000, 891717742_000_000]
        assert loaded.log.time_kind == "timestamp"
        assert loaded.n_read == 2

    def test_positions_make_a_file_of_words_headerless(self, tmp_path: Path) -> None:
        path = written(tmp_path / "words.csv", "ann,x\nbob,y\n")
        assert events(load_log(path, user="1", item="2")) == [("ann", "x", 1.0), ("bob", "y", 1.0)]

    def test_numbers_as_names_of_a_header(self, tmp_path: Path) -> None:
        frame = pd.DataFrame([[10, 20]], columns=[0, 1])
        assert events(load_log(frame, user="0", item="1")) == [(10, 20, 1.0)]

    def test_an_unnamed_index_column_is_named_by_its_position(self, tmp_path: Path) -> None:
        path = written(tmp_path / "log.csv", ",user,item\n0,ann,x\n1,bob,y\n")
        assert load_log(path).columns == Columns("user", "item")
        assert events(load_log(path, user="user", item="1")) == [("ann", 0, 1.0), ("bob", 1, 1.0)]

    def test_names_with_quotes_and_blanks(self, tmp_path: Path) -> None:
        path = written(tmp_path / "log.csv", '"my ""user"", ok",item,"a b"\n1,2,3\n')
        loaded = load_log(path, user='my "user", ok', value="a b", where='"a b" = 3')
        assert events(loaded) == [(1, 2, 3.0)]


class TestValues:
    def test_feedback_follows_the_name_of_the_value(self, tmp_path: Path) -> None:
        for name, expected in (("rating", "explicit"), ("plays", "implicit"), ("note", "implicit")):
            path = written(tmp_path / "log.csv", f"user,item,{name}\n1,2,3\n")
            assert load_log(path).log.feedback == expected
        assert load_log(path, value="note", feedback="explicit").log.feedback == "explicit"
        with pytest.raises(ParameterError, match="feedback is 'stars'"):
            load_log(path, feedback="stars")  # type: ignore[arg-type]

    def test_without_values_each_event_counts_one(self, tmp_path: Path) -> None:
        log = load_log(written(tmp_path / "log.csv", "user,item\n1,2\n1,2\n")).log
        assert log.values.tolist() == [1.0, 1.0]
        assert log.feedback == "implicit"

    def test_numbers_are_read_to_the_last_bit(self, tmp_path: Path) -> None:
        numbers = ["0.1", "1e-300", "123456789.123456789", "2.5E+3", "0", "1e22", "4.35"]
        path = written(tmp_path / "log.csv", "user,item,count\n" + "".join(f"1,2,{n}\n" for n in numbers))
        assert load_log(path).log.values.tolist() == [float(number) for number in numbers]


class TestTimes:
    def times(self, tmp_path: Path, *texts: str) -> tuple[list[int], str | None]:
        text = "user,item,time\n" + "".join(f"1,2,{time}\n" for time in texts)
        log = load_log(written(tmp_path / "times.csv", text)).log
        assert log.times is not None
        return log.times.tolist(), log.time_kind

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1970-01-01 00:00:01", 1_000_000),
            ("1969-12-31 23:59:59.999999", -1),
            ("2010-12-01", 1_291_161_600_000_000),
            ("2010-12-01T08:26:00Z", 1_291_191_960_000_000),
            ("2010-12-01T10:26:00+02:00", 1_291_191_960_000_000),
            ("12/31/2010 8:26", 1_293_783_960_000_000),
            ("12/31/2010 8:26 PM", 1_293_827_160_000_000),
            ("31.12.2010", 1_293_753_600_000_000),
        ],
    )
    def test_written_times_become_microseconds(self, tmp_path: Path, text: str, expected: int) -> None:
        assert self.times(tmp_path, text) == ([expected], "timestamp")

    def test_offsets_and_none_in_one_column(self, tmp_path: Path) -> None:
        times, _ = self.times(tmp_path, "2010-12-01T10:26:00+02:00", "2010-12-01 08:26:00")
        assert times == [1_291_191_960_000_000] * 2

    def test_one_clear_date_decides_for_the_others(self, tmp_path: Path) -> None:
        day_first, _ = self.times(tmp_path, "1/2/2010", "25/2/2010")
        assert day_first[0] == pd.Timestamp("2010-02-01").value // 1000
        month_first, _ = self.times(tmp_path, "1/2/2010", "2/25/2010")
        assert month_first[0] == pd.Timestamp("2010-01-02").value // 1000

    def test_whole_numbers_that_are_no_times_stay_as_they_are(self, tmp_path: Path) -> None:
        assert self.times(tmp_path, "881250949", "5") == ([881250949, 5], "number")
        assert self.times(tmp_path, "881250949.0", "5.0") == ([881250949, 5], "number")

    def test_typed_columns(self) -> None:
        stamps = pd.to_datetime(["2020-01-01 12:00", "2021-06-01 00:00"])
        frame = pd.DataFrame({"user": [1, 2], "item": [1, 2]})
        expected = (stamps.as_unit("us").astype("int64")).tolist()
        local = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert("Asia/Tokyo")
        for column in (stamps, stamps.as_unit("s"), stamps.as_unit("ns"), local):
            log = load_log(frame.assign(date=column)).log
            assert log.times is not None
            assert log.times.tolist() == expected


class TestItemNames:
    def test_names_of_items_in_the_log(self, tmp_path: Path) -> None:
        log = written(tmp_path / "log.csv", "user,item\n1,007\n1,8\n2,9\n")
        names = written(
            tmp_path / "items.csv",
            "item,title,genre\n7,Seven,x\n007,Bond,x\n8,,x\n007,Other,x\n5,Five,x\n",
        )
        loaded = load_log(log, items=names)
        assert dict(loaded.item_names) == {"007": "Bond"}
        assert loaded.item_names.get("8", "-") == "-"

    def test_integer_ids_meet_text_and_floats(self, tmp_path: Path) -> None:
        log = written(tmp_path / "log.csv", "user,item\n1,7\n1,8\n")
        for ids in (["7", "8"], [7, 8], [7.0, 8.0]):
            pd.DataFrame({"item": ids, "title": ["Seven", "Eight"]}).to_parquet(tmp_path / "items.parquet")
            assert dict(load_log(log, items=tmp_path / "items.parquet").item_names) == {
                7: "Seven",
                8: "Eight",
            }

    def test_of_several_names_the_most_frequent_stands(self, tmp_path: Path) -> None:
        text = "user,item,label\na,x,?\na,x,soup\nb,x,soup\nb,y,tea\nc,y,coffee\nc,z,\n"
        log = written(tmp_path / "log.csv", text)
        loaded = load_log(log, user="user", item="item", items=log, item_id="item", item_name="label")
        assert dict(loaded.item_names) == {"x": "soup", "y": "tea"}  # of equals the first

    def test_named_columns(self, tmp_path: Path) -> None:
        log = written(tmp_path / "log.csv", "user,item\n1,7\n")
        items = written(tmp_path / "items.txt", "7|Seven|x\n")
        loaded = load_log(log, items=items, item_id="1", item_name="2")
        assert dict(loaded.item_names) == {7: "Seven"}
        with pytest.raises(ParameterError, match="give items too"):
            load_log(log, item_name="2")
