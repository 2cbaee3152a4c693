"""Versions of a model on the command line, its quality since, and one config for all commands."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from recsys.recommend.model_store import ModelStore
from recsys_cli.main import run

SETTINGS = ("--model", "weighted-nmf", "--set", "n_components=3", "--set", "max_iter=3")


@pytest.fixture
def purchases(tmp_path):
    """Three tastes; every third event comes late."""
    rows = [
        (f"u{user:02d}", f"i{item:02d}", 1, f"2024-0{1 + (user // 3 + item // 3) % 3}-{1 + item:02d}")
        for user in range(27)
        for item in range(18)
        if item % 3 == user % 3 or (user * 7 + item * 5) % 9 == 0
    ]
    path = tmp_path / "purchases.csv"
    pd.DataFrame(rows, columns=["customer", "product", "quantity", "date"]).to_csv(path, index=False)
    return path


def early(purchases, month=3):
    return ("--where", f"date < '2024-0{month}-01'")


def test_versions_are_kept_pruned_and_followed(recsys, as_json, purchases, tmp_path):
    models = tmp_path / "models"
    made = [
        as_json("train", purchases, *SETTINGS, "--out", models, "--keep", "2", *warm)["version"]
        for warm in ((), ("--warm-start", models), ("--warm-start", models))
    ]
    store = ModelStore(models)
    assert store.versions() == tuple(made[1:])
    assert store.current == made[-1]
    for command in (("recommend", "--user", "u01"), ("themes",), ("explain", "--user", "u01"),
                    ("similar", "--item", "i01"), ("model", "show"), ("model", "verify")):  # fmt: skip
        words = command[:2] if command[0] == "model" else command[:1]
        code, _, error = recsys(*words, models, *command[len(words) :])
        assert code == 0, error
    assert as_json("recommend", models, "--user", "u01") == as_json(
        "recommend", models / made[-1], "--user", "u01"
    )
    # Without --keep a folder of versions gets one more, and a candidate is not in use.
    candidate = as_json("train", purchases, *SETTINGS, "--out", models, "--candidate")
    assert candidate["current"] == made[-1] != candidate["version"]
    code, out, _ = recsys("model", "promote", models / candidate["version"], models)
    assert code == 0
    assert store.current == candidate["version"]
    assert "no gate was asked for" in out


def test_labels_are_written_to_the_version_in_use(recsys, purchases, tmp_path):
    models = tmp_path / "models"
    assert recsys("train", purchases, *SETTINGS, "--out", models, "--keep", "2")[0] == 0
    assert recsys("themes", models, "--labels")[0] == 0
    assert (models / ModelStore(models).current / "themes.toml").is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nothing", "names 'nothing', which is no version"),
        ("../model", "is no version"),
        ("", "is no version"),
    ],
)
def test_a_pointer_to_nothing_is_said(recsys, purchases, tmp_path, content, message):
    models = tmp_path / "models"
    assert recsys("train", purchases, *SETTINGS, "--out", models, "--keep", "2")[0] == 0
    assert recsys("train", purchases, *SETTINGS, "--out", tmp_path / "model")[0] == 0
    (models / "current").write_text(content)
    code, _, error = recsys("model", "show", models)
    assert code == 1
    assert message in error
    assert error.count("\n") == 1


def test_places_that_are_no_folder_of_versions(recsys, purchases, tmp_path):
    single, other, file = tmp_path / "model", tmp_path / "other", tmp_path / "file"
    assert recsys("train", purchases, *SETTINGS, "--out", single)[0] == 0
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    file.write_text("mine")
    for place, more, message in (
        (single, ("--keep", "2"), "is a single model; versions are kept in a folder of their own"),
        (single, ("--candidate",), "is a single model; give a folder of versions"),
        (other, ("--keep", "2"), "holds other things than versions"),
        (file, ("--keep", "2"), "is a file; expected a folder"),
    ):
        code, _, error = recsys("train", purchases, *SETTINGS, "--out", place, *more)
        assert code in (1, 2)
        assert message in error
        assert error.count("\n") == 1


def test_a_gate_has_an_exit_code_of_its_own(recsys, as_json, purchases, tmp_path):
    models, late = tmp_path / "models", ("--where", "date >= '2024-03-01'")
    assert recsys("train", purchases, *early(purchases), *SETTINGS, "--out", models, "--keep", "3")[0] == 0
    gate = ("--gate", "ndcg@5", "--on", purchases, *late)
    bad = ("--model", "weighted-nmf", "--set", "n_components=1", "--set", "l2=100000")
    assert recsys("train", purchases, *early(purchases), *bad, "--out", tmp_path / "bad")[0] == 0
    code, out, _ = recsys("model", "promote", tmp_path / "bad", models, *gate)
    assert code == 3
    assert "Not promoted" in out
    assert "ndcg@5, new minus old: -" in out
    record = as_json("model", "promote", models / ModelStore(models).current, models, *gate)
    assert record["promoted"]
    assert record["test"]["difference"] == 0
    assert recsys("model", "promote", tmp_path / "nothing", models, *gate)[0] == 1
    assert recsys("model", "promote", models, models)[0] == 2


def test_show_and_diff_name_data_settings_quality_and_themes(recsys, as_json, purchases, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    measured = ("--measure", "--split", "random-user:0.2", "--metrics", "ndcg@5")
    assert recsys("train", purchases, *early(purchases), *SETTINGS, "--out", old, *measured)[0] == 0
    more = ("--min-user", "2", "--warm-start", old)
    assert recsys("train", purchases, *early(purchases, 4), *SETTINGS, "--out", new, *more)[0] == 0
    code, out, _ = recsys("model", "show", old)
    assert code == 0
    for part in (
        "weighted-nmf",
        "user = customer",
        "date < '2024-03-01'",
        "ndcg@5",
        "random-user:0.2",
        "2024-01-01",
    ):
        assert part in out
    assert "begun with" in recsys("model", "show", new)[1]
    record = as_json("model", "show", old)
    assert record["training"]["log"]["read_as"]["where"] == "date < '2024-03-01'"
    code, out, _ = recsys("model", "diff", old, new)
    assert code == 0
    for part in ("only new", "Themes:", "Lists of 10:", "give --on NEWLOG"):
        assert part in out
    code, out, _ = recsys("model", "diff", old, old, "--on", purchases)
    assert code == 0
    assert "that are new to both" in out
    same = as_json("model", "diff", old, old)
    assert same["lists"]["mean_overlap"] == 1.0
    assert same["themes"]["n_same"] == 3
    code, _, error = recsys("model", "diff", old, new, "--on", purchases, *early(purchases, 2))
    assert code == 1
    assert "no event of a pair that is new to both models" in error


def test_new_events_are_taken_in(recsys, as_json, purchases, tmp_path):
    model = tmp_path / "model"
    assert recsys("train", purchases, *early(purchases), *SETTINGS, "--out", model)[0] == 0
    new = tmp_path / "new.csv"
    new.write_text("customer,product,quantity,date\nu99,i00,1,2024-04-01\nu01,i77,2,2024-04-02\n")
    code, out, _ = recsys("train", "--update", new, "--out", model)
    assert code == 0
    assert "2 pairs, 1 new users, 1 new items" in out
    assert as_json("recommend", model, "--user", "u99")["lists"][0]["source"] == "model"
    assert "update 1" in recsys("model", "show", model)[1]
    for flags, message in (
        ((purchases, "--update", new), "leave LOG"),
        (("--update", new, "--warm-start", model), "leave LOG"),
    ):
        code, _, error = recsys("train", *flags, "--out", model)
        assert code == 2
        assert message in error
    assert recsys("train", purchases, "--model", "popularity", "--out", tmp_path / "pop")[0] == 0
    code, _, error = recsys("train", "--update", new, "--out", tmp_path / "pop")
    assert code == 1
    assert "cannot take new events" in error


def test_a_model_is_measured_on_what_came_after_it(recsys, as_json, purchases, tmp_path):
    model = tmp_path / "model"
    assert recsys("train", purchases, *early(purchases), *SETTINGS, "--out", model)[0] == 0
    record = as_json("evaluate", model, purchases, "--since", "2024-03-01", "--metrics", "recall@5")
    assert record["trained_until"].startswith("2024-02")
    assert [period["begins"] for period in record["periods"]] == ["2024-03-01", "2024-03-08", "2024-03-15"]
    assert record == as_json(
        "evaluate", model, purchases, "--since", "2024-03-01", "--metrics", "recall@5", "--threads", "1"
    )
    after = as_json("evaluate", model, purchases, "--since", "training", "--metrics", "recall@5")
    assert after["metrics"] == record["metrics"]
    code, out, _ = recsys("evaluate", model, purchases, "--since", "2024-03-01")
    assert code == 0
    assert "week from" in out
    for flags, code_wanted, message in (
        ((model, "--since", "2024-03-01"), 2, "recsys evaluate MODEL NEWLOG --since DATE"),
        ((model, purchases, "--since", "2024-03-01", "--model", "als"), 2, "leave --model out"),
        ((model, purchases, "--since", "2024-03-01", "--min-item", "2"), 2, "leave --min-item out"),
        ((model, purchases, "--since", "2024-03-01", "--exclude", "i01"), 2, "leave --exclude out"),
        ((model, purchases, "--since", "2025-01-01"), 1, "no event since 2025-01-01"),
        ((purchases, purchases, "--since", "2024-03-01"), 1, "no model bundle"),
    ):
        code, _, error = recsys("evaluate", *flags)
        assert (code, error.count("\n")) == (code_wanted, 1)
        assert message in error


# -- one config for all ----------------------------------------------------------------------------
def written(tmp_path, purchases, model='[model]\nname = "item-knn"\nn_neighbors = 7\n', more=""):
    path = tmp_path / "run.toml"
    path.write_text(
        f'[log]\nsource = "{purchases}"\nwhere = "quantity > 0"\n[split]\nrule = "random-user:0.3"\n'
        f'min_user = 2\n{model}[report]\npath = "{tmp_path / "page.md"}"\n[run]\nseed = 3\n{more}'
    )
    return path


def test_one_file_serves_four_commands(recsys, as_json, purchases, tmp_path):
    config = written(tmp_path, purchases)
    flags = (
        purchases,
        "--where",
        "quantity > 0",
        "--split",
        "random-user:0.3",
        "--min-user",
        "2",
        "--seed",
        "3",
    )
    knn = ("--model", "item-knn", "--set", "n_neighbors=7")
    evaluated = as_json("evaluate", config)
    assert evaluated["metrics"] == as_json("evaluate", *flags, *knn)["metrics"]
    assert (tmp_path / "page.md").is_file()
    assert as_json("compare", config)["results"][0]["metrics"] == evaluated["metrics"]
    trained = as_json("train", "--config", config, "--out", tmp_path / "model")
    assert trained["config"]["n_neighbors"] == 7
    assert "quality" not in trained
    measured = as_json("train", config, "--measure", "--out", tmp_path / "model")
    assert measured["quality"]["metrics"] == evaluated["metrics"]
    training = json.loads((tmp_path / "model" / "model.json").read_text())["training"]
    assert (training["min_user"], training["seed"]) == (2, 3)
    # Flags win over the file.
    assert (
        as_json("train", config, "--set", "n_neighbors=4", "--out", tmp_path / "m")["config"]["n_neighbors"]
        == 4
    )
    assert as_json("evaluate", config, "--split", "random-user:0.2")["split"]["name"] == "random-user:0.2"


def test_one_file_is_tuned(as_json, purchases, tmp_path):
    pytest.importorskip("optuna")
    config = written(tmp_path, purchases)
    record = as_json("tune", config, "--trials", "2", "--final")
    assert record["validation"] == "random-user:0.3"
    assert record["models"][0]["untuned"]["config"]["n_neighbors"] == 7


def test_of_several_models_of_a_file_one_is_chosen(recsys, as_json, purchases, tmp_path):
    models = '[[models]]\nname = "item-knn"\nn_neighbors = 7\n[[models]]\nname = "popularity"\n'
    config = written(tmp_path, purchases, models)
    code, _, error = recsys("evaluate", config)
    assert code == 2
    assert "names 2 models (item-knn, popularity); choose one by --model" in error
    assert as_json("evaluate", config, "--model", "item-knn")["config"]["n_neighbors"] == 7


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ('[model]\nname = "slim"\n[[models]]\nname = "als"\n', "", "both [model] and [[models]] are given"),
        ('[model]\nname = "slim"\nspeed = 3\n', "", "slim has no parameter 'speed'"),
        ('[model]\nname = "slim"\n', "colour = 1\n", "unknown entry 'colour'; expected out, seed"),
        ('[model]\nname = "slim"\n', "[colours]\nred = 1\n", "unknown entry 'colours'"),
    ],
)
@pytest.mark.parametrize("command", ["train", "evaluate", "compare", "tune"])
def test_a_config_with_what_is_not_known(purchases, tmp_path, command, model, more, message, capsys):
    config = written(tmp_path, purchases, model, more)
    out = ["--out", str(tmp_path / "model")] if command == "train" else []
    assert run([command, str(config), *out]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_measuring_is_asked_for(recsys, purchases, tmp_path):
    code, _, error = recsys("train", purchases, "--split", "time:4w", "--out", tmp_path / "model")
    assert code == 2
    assert "give --measure too" in error
    code, _, error = recsys("train", "--out", tmp_path / "model")
    assert code == 2
    assert "there is no log: give recsys train LOG" in error
