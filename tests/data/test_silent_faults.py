"""What used to be read wrongly without a word: refused with its line, or said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.load import load_log
from recsys.data.loaded_log import LoadedLog
from recsys.errors import LogError
from recsys.remarks import RemarkCode


def loaded(path: Path, text: str | bytes, **options: object) -> LoadedLog:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_log(path, **options)


def said(log: LoadedLog, code: RemarkCode) -> str:
    return "; ".join(str(remark) for remark in log.remarks if remark.code == code)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


class TestTimes:
    def span(self, path: Path, *times: str, **options: object) -> tuple[LoadedLog, object]:
        text = "user,item,time\n" + "".join(f'{n},a,"{time}"\n' for n, time in enumerate(times))
        log = loaded(path, text, **options)
        return log, log.log.span()

    def test_years_of_two_digits(self, path: Path) -> None:
        log, span = self.span(path, "31/12/23", "01/01/24", "16/01/24")
        assert span == ("2023-12-31T00:00:00", "2024-01-16T00:00:00")
        assert "times are written as %d/%m/%y: 2023-12-31 00:00:00 to 2024-01-16" in said(
            log, RemarkCode.READ_AS
        )
        assert log.read_as.time_format == "%d/%m/%y"
        _, span = self.span(path, "12/31/23 10:00", "1/16/24 09:30")
        assert span == ("2023-12-31T10:00:00", "2024-01-16T09:30:00")

    def test_years_of_two_digits_that_can_be_read_two_ways(self, path: Path) -> None:
        with pytest.raises(LogError, match=r"'01/02/24', can be read in more than one way.*--time-format"):
            self.span(path, "01/02/24", "03/04/24")
        with pytest.raises(LogError, match="more than one way"):
            self.span(path, "24-01-05", "23-12-31")
        _, span = self.span(path, "24-01-05", "23-12-31", time_format="%y-%m-%d")
        assert span == ("2023-12-31T00:00:00", "2024-01-05T00:00:00")
        with pytest.raises(LogError, match=r"line 3, .*found 'x'; expected a time written as '%y-%m-%d'"):
            self.span(path, "24-01-05", "x", time_format="%y-%m-%d")
        with pytest.raises(LogError, match="the time format '%Q' is none"):
            self.span(path, "24-01-05", time_format="%Q")

    @pytest.mark.parametrize("time", ["0001-01-24", "0031-12-23 10:00:00", "9999-12-31", "2200-01-01"])
    def test_years_that_cannot_be(self, path: Path, time: str) -> None:
        with pytest.raises(LogError, match=r"line 3, column 'time': found .*the years 1900 to 2199"):
            self.span(path, "2024-01-01", time)
        frame = pd.DataFrame({"user": [1], "item": [1], "time": pd.Series([time]).astype("datetime64[us]")})
        with pytest.raises(LogError, match="the years 1900 to 2199"):
            load_log(frame)

    @pytest.mark.parametrize(
        ("time", "expected"),
        [
            ("2024-01-05 10:00:00 +0200", "2024-01-05T08:00:00"),
            ("2024-01-05 10:00:00+0200", "2024-01-05T08:00:00"),
            ("2024-01-05T10:00:00.5-05:30", "2024-01-05T15:30:00"),
            ("2019-10-01 00:00:00 UTC", "2019-10-01T00:00:00"),
            ("05 Jan 2024", "2024-01-05T00:00:00"),
            ("January 5, 2024 3:04 PM", "2024-01-05T15:04:00"),
            ("05-JAN-2024", "2024-01-05T00:00:00"),
            ("Tue Apr 03 18:00:09 +0000 2012", "2012-04-03T18:00:09"),
            ("Tue, 03 Apr 2012 18:00:09 +0200", "2012-04-03T16:00:09"),
            ("2024/01/05 10:00", "2024-01-05T10:00:00"),
            ("20240105", "2024-01-05T00:00:00"),
            ("1704445200", "2024-01-05T09:00:00"),
            ("1704445200123", "2024-01-05T09:00:00"),
            ("1704445200123456", "2024-01-05T09:00:00"),
            ("1704445200123456789", "2024-01-05T09:00:00"),
        ],
    )
    def test_ways_of_writing(self, path: Path, time: str, expected: str) -> None:
        _, span = self.span(path, time)
        assert span == (expected, expected)

    def test_units_that_are_told(self, path: Path) -> None:
        assert self.span(path, "1704445200", time_unit="none")[0].log.time_kind == "number"
        assert self.span(path, "1000", time_unit="ms")[1] == ("1970-01-01T00:00:01",) * 2
        with pytest.raises(LogError, match="If these are seconds since 1970, add --time-unit s"):
            self.span(path, "1704445200.25")
        log, _ = self.span(path, "1704445200.25", "1704445200.5", time_unit="s")
        assert log.log.times.tolist() == [1704445200250000, 1704445200500000]
        exact, _ = self.span(path, "1704445200123456", time_unit="us")
        assert exact.log.times.tolist() == [1704445200123456]


class TestIds:
    def ids(self, path: Path, *ids: str, **options: object) -> LoadedLog:
        return loaded(path, "user,item\n" + "".join(f"{text},a\n" for text in ids), **options)

    def test_integers_written_in_two_ways_are_one(self, path: Path) -> None:
        assert self.ids(path, "17850", "17850.0").log.user_ids.values.tolist() == [17850]

    def test_an_id_of_a_float_is_found_as_it_was_written(self, path: Path) -> None:
        ids = self.ids(path, "17850.0", "13047.0").log.user_ids
        assert ids.rows(["17850.0", "17850", 17850, 17850.0, "17850.5"]).tolist() == [1, 1, 1, 1, -1]

    @pytest.mark.parametrize(
        ("rule", "ids"), [("trim", ["u1", "u1 "]), ("casefold", ["u1", "U1"]), ("integer", ["7", "7.0", "x"])]
    )
    def test_ids_that_differ_in_writing_only(self, path: Path, rule: str, ids: list[str]) -> None:
        log = self.ids(path, *ids)
        assert len(log.log.user_ids) == len(ids)
        assert f"--id-rule {rule} makes them one" in said(log, RemarkCode.IDS_SPELLED_ALIKE)
        mended = self.ids(path, *ids, id_rule=rule)
        assert len(mended.log.user_ids) == len(ids) - 1
        assert mended.log.users[0] == mended.log.users[1]
        assert not said(mended, RemarkCode.IDS_SPELLED_ALIKE)

    def test_ids_that_are_padded_or_rounded(self, path: Path) -> None:
        log = self.ids(path, " 2", "x", "7.65612E+16")
        text = said(log, RemarkCode.IDS_SPELLED_ALIKE)
        assert "1 user ids have blanks around them, such as ' 2'; --id-rule trim removes them" in text
        assert "a spreadsheet has rounded ('7.65612E+16')" in text

    def test_leading_zeros_are_kept_by_every_rule(self, path: Path) -> None:
        log = self.ids(path, "007", "7", id_rule="trim,casefold,integer")
        assert log.log.user_ids.values.tolist() == ["007", "7"]


class TestPositions:
    def test_a_header_is_no_event(self, path: Path) -> None:
        log = loaded(path, "userId,movieId,stars\n1,2,3\n4,5,6\n", user="1", item="2", value="3")
        assert log.log.user_ids.values.tolist() == [1, 4]
        assert "the first line (userId, movieId, stars) names the columns" in said(log, RemarkCode.READ_AS)
        words = loaded(path, "user,item\nann,x\n", user="1", item="2")
        assert words.log.user_ids.values.tolist() == ["ann"]
        none = loaded(path, "user,item\nann,x\n", user="1", item="2", header="none")
        assert none.log.user_ids.values.tolist() == ["ann", "user"]

    def test_numbers_may_be_names(self, path: Path) -> None:
        log = loaded(path, "user,2011\nann,x\n", user="user", item="2011", header="row")
        assert log.log.item_ids.values.tolist() == ["x"]

    def test_a_delimiter_inside_of_every_id(self, path: Path) -> None:
        log = loaded(path, "1::2::3\n4::5::3\n", user="1", item="2")
        assert log.log.user_ids.values.tolist() == [1, 4]
        log = loaded(path, "1;2,a\n3;4,b\n", user="1", item="2", delimiter=",")
        assert "every user id, such as '1;2', holds ';'" in said(log, RemarkCode.IDS_SPELLED_ALIKE)
        assert "--delimiter semicolon" in str(log.remarks[0])

    def test_one_column_for_both(self, path: Path) -> None:
        with pytest.raises(LogError, match="column '1': one column is named for user and item"):
            loaded(path, "1,2\n3,4\n", user="1", item="1")


class TestQuotes:
    def test_an_open_quote_swallows_no_rows(self, path: Path) -> None:
        rows = "".join(f"{n},i{n}\n" for n in range(2_000))
        text = "user,item\n" + rows + '5,"unclosed\n' + rows + '6,"closed\n'
        with pytest.raises(
            LogError, match=r"line 2002: (a quoted field goes on for|the quotes do not match)"
        ):
            loaded(path, text)
        assert len(loaded(path, text, quote="none").log) == 4_002

    def test_the_whole_of_a_swallowed_file_is_seen(self, path: Path) -> None:
        rows = "".join(f"{n},i{n}\n" for n in range(2_000))
        text = 'user,item\n5,"begins\n' + rows + '6,ends"\n'
        with pytest.raises(LogError, match=r"line 2: a quoted field goes on for 2,002 lines, 2,001 of them"):
            loaded(path, text)

    def test_quotes_that_are_text(self, path: Path) -> None:
        text = 'user,item\n1,"Weird Al" Yankovic\n2,7" single\n'
        with pytest.raises(LogError, match=r"line 2: the quotes do not match.*--quote none"):
            loaded(path, text)
        log = loaded(path, text, quote="none")
        assert set(log.log.item_ids) == {'"Weird Al" Yankovic', '7" single'}

    def test_texts_of_several_lines_are_texts(self, path: Path) -> None:
        text = 'user,item,review\n1,a,"good,\nbut\n\nlong, very"\n2,b,short\n'
        assert len(loaded(path, text).log) == 2


def test_a_broken_json_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    good = '{"user": 1, "item": 2}\n'
    for n in (0, 1, 7):
        with pytest.raises(LogError, match=rf"line {n + 1}: no JSON: .*Expected one JSON object a line"):
            loaded(path, good * n + '{"user": 1, "item": \n' + good * 3)


class TestNames:
    def test_how_many_items_are_named_is_said(self, path: Path, tmp_path: Path) -> None:
        items = tmp_path / "items.csv"
        items.write_text("item,title\n007,Bond\n")
        log = loaded(path, "user,item\n1,7\n1,8\n1,9\n", items=items)
        text = said(log, RemarkCode.ITEMS_NAMED)
        assert "0 of 3 items (0%) have a name in" in text
        assert "its ids are such as '007', those of the log such as 7" in text
        items.write_text("item,title\n 7,Seven\n 8,Eight\n")
        log = loaded(path, "user,item\n1,7\n1,8\n1,x9\n", items=items)
        assert "--id-rule trim may join them" in said(log, RemarkCode.ITEMS_NAMED)
        log = load_log(path, items=items, id_rule="trim")
        assert "2 of 3 items (67%) have a name" in said(log, RemarkCode.ITEMS_NAMED)


def test_ratings_of_zero_that_may_be_none(path: Path) -> None:
    text = "User-ID,ISBN,Book-Rating\n" + "".join(f"{n},b,{8 if n % 3 else 0}\n" for n in range(99))
    log = loaded(path, text)
    assert "33 of 99 ratings are 0" in said(log, RemarkCode.ZERO_RATINGS)
    where = said(log, RemarkCode.ZERO_RATINGS).split("--where ")[1].strip("'")
    assert len(load_log(path, where=where).log) == 66
    assert not load_log(path, where=where).remarks


def test_a_log_that_is_clear_has_no_remarks(path: Path) -> None:
    log = loaded(path, "user,item,rating,time\nann,x,4,2024-01-05\nbob,y,5,2024-01-06\n")
    assert log.remarks == ()
    np.testing.assert_array_equal(log.log.values, [4.0, 5.0])
