"""Numbers that are absurd, and names that are in the way, are refused at once in one sentence."""

from __future__ import annotations

import pytest

import recsys as library
from recsys import threads
from recsys.errors import InputError, ParameterError
from recsys.models import parameters
from recsys.models.registry import MODELS, make

LOG = "user_id,item,rating\n" + "".join(f"u{n % 9},i{n % 7},{1 + n % 5}\n" for n in range(63))


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG)
    return "log.csv"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate log.csv --threads 100000", "less than or equal to 1024"),
        ("evaluate log.csv --threads 1000000000", "less than or equal to 1024"),
        ("evaluate log.csv --seed 99999999999999999999", "less than or equal to 4294967295"),
        ("evaluate log.csv --metrics ndcg@1000000000", "list length of 1 to 999,999"),
        ("evaluate log.csv --min-user 99999999999999", "less than or equal to 1000000"),
        ("evaluate log.csv --block-mib 99999999999", "less than or equal to 1000000"),
        ("train log.csv --model bayesian-nmf --set n_chains=1000000000 --out m", "1,000 or less"),
        ("train log.csv --model masked-nmf --set n_components=20000 --out m", "16,384 or less"),
        ("train log.csv --model masked-nmf --set max_iter=1000000000000 --out m", "1,000,000 or less"),
        ("train log.csv --model masked-nmf --set random_state=99999999999 --out m", "4,294,967,295 or less"),
        ("recommend m --all-users -n 1000000000", "less than or equal to 1000000"),
        ("train log.csv --config deep.toml --out m", "nested too deep"),
        ("compare deep.toml", "nested too deep"),
    ],
)
def test_absurd_numbers_are_wrong_usage(recsys, log, tmp_path, arguments, message):
    (tmp_path / "deep.toml").write_text("x = " + "[" * 3000 + "]" * 3000)
    code, out, err = recsys(*arguments.split())
    assert code == 2
    assert out == ""
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("user IS NOT NULL", "names user, which is no column. Columns: user_id, item, rating."),
        ("COLUMNS(*) IS NOT NULL", "has several values for a row"),
        ("rowid >= 0 AND nothing > 1", "cannot be evaluated"),
    ],
)
def test_conditions_that_are_none(recsys, log, where, message):
    code, _, err = recsys("data", "describe", log, "--where", where)
    assert code == 1
    assert err.count("\n") == 1
    assert message in err


def test_a_column_called_user_may_stand_in_a_condition(recsys, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG.replace("user_id", "user"))
    code, out, _ = recsys("data", "describe", path, "--where", "user <> 'u0' AND rating > 1")
    assert code == 0
    assert "users     8" in out


def test_no_column_has_the_name_of_one_of_ours(tmp_path):
    rows = [(f"u{n % 9}", f"i{n % 7}", 1 + n % 5) for n in range(63)]
    names = ["row of the source", "row of the file", "row", "drop", "value", "time"]
    path = tmp_path / "log.csv"
    plain, crowded = "user,item,rating\n", f"user,item,rating,{','.join(names)}\n"
    for number, (user, item, rating) in enumerate(rows):
        plain += f"{user},{item},{rating}\n"
        crowded += f"{user},{item},{rating},{','.join([str(len(rows) - number)] * len(names))}\n"
    path.write_text(plain)
    told = {"user": "user", "item": "item", "value": "rating", "time": "-"}
    expected = library.load_log(path, **told).log
    path.write_text(crowded)
    found = library.load_log(path, **told).log
    assert found.users.tolist() == expected.users.tolist()
    assert found.items.tolist() == expected.items.tolist()
    assert found.values.tolist() == expected.values.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_every_whole_number_has_a_range(name):
    for parameter in parameters.describe(MODELS[name]):
        if parameter["type"] == "int":
            assert parameter["maximum"] is not None
            with pytest.raises(ParameterError, match="expected a whole number"):
                make(name, {parameter["name"]: 10**12})


@pytest.mark.parametrize("n", [0, 1025, 10**9, True, 1.5, "2"])
def test_threads_have_a_range_wherever_they_are_given(log, n):
    with pytest.raises(ParameterError, match=r"threads is .*1 to 1,024"):
        library.set_threads(n)
    with pytest.raises((ParameterError, InputError), match=r"threads is .*1 to 1,024"):
        library.load_log(log, n_threads=n)


def test_no_more_threads_are_started_than_there_are_cores():
    assert threads.started(None) == threads.available()
    assert threads.started(1000) == threads.available()
    assert threads.started(1) == 1
