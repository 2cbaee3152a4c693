"""What the csv module writes is read back exactly, and lines are those the csv module counts."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recsys.data.load import load_log
from recsys.data.log_format import NULL_MARKERS
from recsys.errors import LogError

FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)

# NUL makes a file binary.
characters = st.one_of(
    st.sampled_from("\"',;|\t\n 0017.-+e#\\/"),
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)),
)
ids = st.text(characters, min_size=1, max_size=8).filter(lambda text: text not in NULL_MARKERS)
delimiters = st.sampled_from(",\t;|")
rows = st.lists(st.tuples(ids, ids, st.integers(0, 10**6)), min_size=1, max_size=12)


def written(
    header: tuple[str, ...], records: list[tuple[object, ...]], delimiter: str, quoting: int, ending: str
) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=ending)  # type: ignore[arg-type]
    writer.writerows([header, *records])
    return file.getvalue()


@FIXTURE
@given(
    records=rows,
    delimiter=delimiters,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_odd_ids_come_back_exactly(
    tmp_path: Path, records: list[tuple[str, str, int]], delimiter: str, quoting: int, ending: str
) -> None:
    # Python's csv module leaves a lone carriage return unquoted here, which is a line end to all others.
    assume(quoting != csv.QUOTE_MINIMAL or not any("\r" in field for row in records for field in row[:2]))
    text = written(("user", "item", "count"), [*records], delimiter, quoting, ending)
    (tmp_path / "log.csv").write_bytes(text.encode())
    log = load_log(tmp_path / "log.csv").log
    expected_users = [user for user, _, _ in records]
    assert [str(log.user_ids[row]) for row in log.users] == [
        user.partition(".")[0] if log.user_ids.is_integer else user for user in expected_users
    ]
    assert [str(log.item_ids[row]) for row in log.items] == [
        item.partition(".")[0] if log.item_ids.is_integer else item for _, item, _ in records
    ]
    assert log.values.tolist() == [count for _, _, count in records]


@FIXTURE
@given(
    before=rows,
    after=rows,
    delimiter=delimiters,
    kind=st.sampled_from(["user", "item", "count"]),
    blank=st.lists(st.integers(0, 12), max_size=3),
)
def test_the_line_of_a_bad_row_is_that_of_the_csv_module(
    tmp_path: Path,
    before: list[tuple[str, str, int]],
    after: list[tuple[str, str, int]],
    delimiter: str,
    kind: str,
    blank: list[int],
) -> None:
    bad = {"user": ("", "a", 1), "item": ("a", "", 1), "count": ("a", "b", -1)}[kind]
    records = [("user", "item", "count"), *before, bad, *after]
    text = ""
    line = 0
    for number, record in enumerate(records):
        text += "\n" * (number in blank and number > 0)  # empty lines are no rows
        if record is bad:
            line = sum(1 for _ in io.StringIO(text, newline="")) + 1
        text += written(tuple(map(str, record)), [], delimiter, csv.QUOTE_ALL, "\n")
    (tmp_path / "log.csv").write_bytes(text.encode())
    with pytest.raises(LogError) as caught:
        load_log(tmp_path / "log.csv")
    assert (caught.value.line, caught.value.column) == (line, kind)
