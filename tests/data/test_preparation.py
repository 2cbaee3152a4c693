"""What is made of a log before anything is learned, each step told by its rows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys
from recsys.data.ledger import Dropped
from recsys.data.load import load_log
from recsys.data.preparation import core_of
from recsys.data.returns import net_returns
from recsys.errors import InputError, LogError, ParameterError
from recsys.remarks import RemarkCode
from recsys_cli.main import run
from tests.logs import log_of


def naive_net(pairs, values, times):
    """Take returns off, by single units where values are whole."""
    order = sorted(range(len(pairs)), key=lambda event: (times[event], event))
    left = dict(enumerate(values))
    for event in order:
        for _ in range(-values[event] if values[event] < 0 else 0):
            before = [
                other
                for other in order[: order.index(event)]
                if pairs[other] == pairs[event] and values[other] > 0 and left[other] > 0
            ]
            if before:
                left[before[-1]] -= 1
    return [left[event] if values[event] >= 0 else None for event in range(len(pairs))]


class TestReturns:
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(-4, 4), st.integers(0, 5)), min_size=1, max_size=25)
    )
    def test_as_the_twin(self, events) -> None:
        pairs, values, times = map(list, zip(*events, strict=True))
        netted = net_returns(np.array(pairs), np.array(values, float), np.array(times))
        expected = naive_net(pairs, values, times)
        for event, left in enumerate(expected):
            is_kept = left is not None and not (values[event] > 0 and left == 0)
            assert netted.kept[event] == is_kept
            if is_kept:
                assert netted.values[event] == left
        assert netted.n_returns == sum(value < 0 for value in values)

    def test_in_a_log(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_text(
            "user,item,quantity,date\n1,a,3,2024-01-01\n1,a,-2,2024-01-02\n1,b,1,2024-01-01\n1,b,-1,2024-01-03\n"
            "2,a,-5,2024-01-01\n2,a,4,2024-01-02\n"
        )
        with pytest.raises(LogError, match=r"take them off by --returns net, or leave them out with --where"):
            load_log(path)
        log = load_log(path, returns="net")
        assert log.log.values.tolist() == [1.0, 4.0]
        assert log.dropped == (
            Dropped("returns, taken off what was bought before, 1 of them of more than was bought before", 3),
            Dropped("purchases that were returned", 1),
        )
        assert log.n_read == 6 == len(log.log) + sum(drop.n_rows for drop in log.dropped)
        assert log.log.item_ids.values.tolist() == ["a"]
        assert load_log(path, returns="drop").log.values.tolist() == [3.0, 1.0, 4.0]
        assert "--returns net" in log.read_as.flags()

    def test_a_value_that_is_no_number_is_still_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_text("user,item,quantity\n1,a,2\n1,a,-inf\n")
        with pytest.raises(LogError, match="expected a finite number"):
            load_log(path, returns="net")


class TestSteps:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "log.csv"
        rows = ["ann,x,5,2024-01-01", "ann,y,1,2024-01-11", "bob,x,4,2024-01-21", "bob,y,0,2024-01-21"]
        path.write_text("\n".join(["user,item,rating,date", *rows, "eve,z,3,2024-01-21"]) + "\n")
        return path

    def test_least_value(self, path: Path) -> None:
        log = load_log(path, min_value=4)
        assert log.log.values.tolist() == [5.0, 4.0]
        assert log.dropped == (Dropped("values below 4", 3),)
        assert log.log.item_ids.values.tolist() == ["x"]

    def test_least_value_of_ratings_below_zero(self, tmp_path: Path, capsys) -> None:
        (tmp_path / "jokes.csv").write_text("user,item,rating\n1,7,-9.5\n1,8,-2\n2,7,4\n")
        command = ["data", "describe", str(tmp_path / "jokes.csv"), "--min-value", "-3", "--json"]
        assert run(command) == 0
        assert json.loads(capsys.readouterr().out)["dropped"] == [{"reason": "values below -3", "n_rows": 1}]

    def test_core(self, path: Path) -> None:
        log = load_log(path, core=2)
        assert (len(log.log.user_ids), len(log.log.item_ids), len(log.log)) == (2, 2, 4)
        assert log.dropped == (Dropped("users or items with fewer than 2 of the other kind", 1),)
        with pytest.raises(InputError, match="no events are left: all of the 5 are dropped"):
            load_log(path, core=3)

    def test_values(self, path: Path) -> None:
        assert load_log(path, clip=3).log.values.tolist() == [3.0, 1.0, 3.0, 0.0, 3.0]
        binary = load_log(path, transform="binary", min_value=3)
        assert (binary.log.values.tolist(), binary.log.feedback) == ([1.0, 1.0, 1.0], "implicit")
        assert load_log(path, transform="binary", feedback="explicit").log.feedback == "explicit"
        np.testing.assert_allclose(load_log(path, transform="log").log.values, np.log1p([5, 1, 4, 0, 3]))

    def test_logarithms_of_ratings_below_zero_are_refused(self) -> None:
        table = pd.DataFrame({"user": [1, 2], "item": [1, 2], "rating": [3.0, -4.0]})
        assert load_log(table, transform="binary").log.values.tolist() == [1, 0]
        with pytest.raises(InputError, match="'log' needs values of 0 or more; the least is -4"):
            load_log(table, transform="log")

    def test_half_life(self, path: Path) -> None:
        np.testing.assert_allclose(load_log(path, half_life="10d").log.values, [1.25, 0.5, 4, 0, 3])
        np.testing.assert_allclose(load_log(path, half_life="240h").log.values, [1.25, 0.5, 4, 0, 3])
        with pytest.raises(InputError, match="half_life needs times"):
            load_log(path, time="-", half_life="10d")
        with pytest.raises(ParameterError, match="half_life is 'soon'; expected a number and h, d, w or y"):
            load_log(path, half_life="soon")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40), st.integers(1, 4))
def test_the_core_is_what_is_left_when_none_can_go(events, least) -> None:
    log = log_of(events)
    kept = core_of(log, least)
    left = set(events)
    while True:
        small = {
            (user, item)
            for user, item in left
            if sum(other == user for other, _ in left) < least
            or sum(other == item for _, other in left) < least
        }
        if not small:
            break
        left -= small
    assert [event in left for event in events] == kept.tolist()


def test_service_codes_are_suspects(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    goods = [f"1,{20_000 + n}A,1" for n in range(60)]
    path.write_text("\n".join(["user,item,quantity", *goods, "1,POST,1", "2,POST,3", "2,M,1"]) + "\n")
    log = load_log(path)
    (remark,) = [remark for remark in log.remarks if remark.code == RemarkCode.SERVICE_CODES]
    assert "2 items with 3 events look like services rather than goods (POST, M)" in str(remark)
    assert "--services drop" in str(remark)
    cleaned = load_log(path, services="drop")
    assert len(cleaned.log.item_ids) == 60
    assert list(cleaned.log.user_ids) == [1]
    assert cleaned.dropped == (Dropped("items that look like services rather than goods (POST, M)", 3),)
    assert not cleaned.remarks


def test_services_are_known_by_their_names(tmp_path: Path) -> None:
    goods = [20_000 + n for n in range(60)]
    (tmp_path / "log.csv").write_text("user,item,quantity\n" + "".join(f"1,{item}A,1\n" for item in goods))
    names = {f"{item}A": "a good" for item in goods} | {"20007A": "Postage", "20008A": "BANK CHARGES"}
    titles = "".join(f"{item},{name}\n" for item, name in names.items())
    (tmp_path / "items.csv").write_text(f"item,title\n{titles}")
    told = {"items": tmp_path / "items.csv", "services": "drop"}
    log = load_log(tmp_path / "log.csv", **told).log
    assert {"20007A", "20008A"}.isdisjoint(log.item_ids)
    assert len(log.item_ids) == 58


def test_users_who_may_be_no_people_are_remarked_on(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"u{user},i{item}\n" for user in range(300) for item in range(user % 7 + 1)]
    path.write_text("user,item\n" + "".join(lines) + "".join(f"bot,i{item}\n" for item in range(1_200)))
    (remark,) = load_log(path).remarks
    assert remark.code == RemarkCode.ACTIVE_ACCOUNTS
    assert "1 users with 1,200 events are so active" in str(remark)
    assert "99 of 100 users have at most 7" in str(remark)
    assert not load_log(path, where="user NOT IN ('bot')").remarks


def test_a_bundle_holds_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,quantity\n1,a,2\n1,b,1\n2,a,1\n2,b,0\n1,b,-1\n3,b,0\n")
    bundle = recsys.train("popularity", recsys.LogPlan(path, returns="net", where="user < '3'"))
    recsys.save_bundle(bundle, tmp_path / "model")
    ledger = recsys.load_bundle(tmp_path / "model").training["log"]
    assert ledger["n_read"] == 6
    assert ledger["n_events"] == 3  # an amount of 0 among them
    assert [drop["n_rows"] for drop in ledger["dropped"]] == [1, 1, 1]


def test_titles_are_no_service_codes(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "".join(f"1,song {'x' * n}\n" for n in range(1, 40)) + "1,M\n")
    assert not load_log(path).remarks
