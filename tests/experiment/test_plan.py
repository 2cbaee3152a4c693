from __future__ import annotations

from pathlib import Path

import pytest

from recsys.errors import ParameterError
from recsys.experiment.plan import is_plan, plans_among, read_plan
from recsys.experiment.settings import ModelSpec, labelled, specs_from_flags
from recsys.resources import bundled


@pytest.fixture
def plan_of(tmp_path):
    def read(text):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return read_plan(path)

    return read


def test_each_entry_stands_for_a_flag(plan_of):
    plan = plan_of("""
        [log]
        source = "log.csv"
        user = "who"
        items = "names.csv"
        [split]
        rule = "last:2"
        min_user = 3
        [metrics]
        names = ["ndcg@5", "rmse"]
        [[models]]
        name = "als"
        label = "ours"
        n_components = 4
        [[models]]
        name = "popularity"
        [report]
        path = "page.html"
        [run]
        seed = 7
        out = "kept"
    """)
    assert plan.flags == {
        "log": "log.csv", "user": "who", "items": Path("names.csv"), "split": "last:2", "min_user": 3,
        "metrics": "ndcg@5,rmse", "report": Path("page.html"), "seed": 7, "out": Path("kept"),
    }  # fmt: skip
    assert [(spec.name, spec.label, dict(spec.params)) for spec in plan.models] == [
        ("als", "ours", {"n_components": 4}),
        ("popularity", "", {}),
    ]


def test_flags_given_win(plan_of):
    plan = plan_of('[log]\nsource = "a.csv"\n[split]\nrule = "last:2"\n[run]\nseed = 7\n')
    given = {"log": "b.csv", "test": None, "split": None, "seed": 0, "filter_test": False, "threads": None}
    assert plan.filled(given) == {**given, "log": "b.csv", "split": "last:2"}
    assert plan.filled({**given, "log": None, "seed": None})["log"] == "a.csv"
    assert plan.filled({**given, "seed": None})["seed"] == 7
    assert plan.filled({**given, "test": "t.csv"})["split"] is None


def test_a_model_may_be_a_config_with_changes(plan_of, tmp_path):
    config = tmp_path / "als.toml"
    config.write_text('[model]\nname = "als"\nn_components = 4\nl2 = 2.0\n')
    (spec,) = plan_of(f'[[models]]\nconfig = "{config}"\nl2 = 3.0\nlabel = "ours"\n').models
    assert (spec.name, spec.label, dict(spec.params)) == ("als", "ours", {"n_components": 4, "l2": 3.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[logs]\n", r"unknown entry 'logs'; expected log, split"),
        ("[log]\nsorce = 'a'\n", r"\[log\]: unknown entry 'sorce'; expected source, user"),
        ("[log]\nuser = 3\n", r"\[log\]: user is 3; expected text"),
        ("log = 'a.csv'\n", r"'log' is 'a.csv'; expected a table, \[log\]"),
        ("[split]\nmin_user = -1\n", r"min_user is -1; expected a whole number, 0 or more"),
        ("[split]\nmin_user = true\n", r"min_user is True; expected a whole number"),
        ("[split]\nfilter_test = 1\n", r"filter_test is 1; expected true or false"),
        ("[split]\nrule = 'last:1'\ntest = 'a'\n", r"both rule and test"),
        ("[metrics]\nnames = [1]\n", r"expected names"),
        ("[models]\nname = 'als'\n", r"one \[\[models\]\] a model"),
        ("[[models]]\nname = 'asl'\n", r"Did you mean 'als'"),
        ("[[models]]\nname = 'als'\nrank = 3\n", r"als has no parameter 'rank'"),
        ("[[models]]\nn_components = 3\n", r"\[\[models\]\] 1: expected"),
        ("[[models]]\nname = 'als'\nconfig = 'a.toml'\n", r"not both"),
        ("[log\n", r"is no TOML file"),
    ],
)
def test_what_a_plan_cannot_say_is_one_message(plan_of, text, message):
    with pytest.raises(ParameterError, match=message):
        plan_of(text)


def test_there_is_one_plan_at_most(tmp_path):
    model, one, two = (tmp_path / name for name in ("model.toml", "one.toml", "two.toml"))
    model.write_text('[model]\nname = "als"\n')
    one.write_text('[log]\nsource = "a.csv"\n')
    two.write_text('[[models]]\nname = "als"\n')
    plan, configs = plans_among([model, one])
    assert plan is not None
    assert plan.flags == {"log": "a.csv"}
    assert configs == [model]
    assert plans_among([model]) == (None, [model])
    with pytest.raises(ParameterError, match="both describe a run"):
        plans_among([one, two])


def test_the_plans_that_travel_with_the_package_can_be_read():
    plans = [path for path in bundled("configs").glob("*.toml") if is_plan(path)]
    assert len(plans) >= 3
    for path in plans:
        plan = read_plan(path)
        assert "popularity" in [spec.name for spec in plan.models]
        assert plan.flags["split"]


def test_a_label_that_is_made_up_takes_no_others():
    titles = ["popularity", "popularity (2)", "popularity (2)", "popularity"]
    labels = [spec.title for spec in labelled([ModelSpec("popularity", label=title) for title in titles])]
    assert labels == ["popularity", "popularity (2)", "popularity (2) (2)", "popularity (3)"]
    assert [spec.title for spec in labelled([ModelSpec("als"), ModelSpec("als")])] == ["als", "als (2)"]


def test_values_separated_by_commas_are_a_grid_labelled_by_what_differs():
    specs = specs_from_flags(
        ["als", "popularity"], ["als.n_components=8,32", "als.l2=0.1,1", "als.max_iter=3"], [], default=[]
    )
    assert [dict(spec.params) for spec in specs[:4]] == [
        {"n_components": rank, "l2": l2, "max_iter": 3} for rank in (8, 32) for l2 in (0.1, 1)
    ]
    assert [spec.title for spec in labelled(specs)] == [
        "als n_components=8 l2=0.1",
        "als n_components=8 l2=1",
        "als n_components=32 l2=0.1",
        "als n_components=32 l2=1",
        "popularity",
    ]


def test_settings_given_in_python_are_labelled_by_what_differs():
    specs = [ModelSpec("als"), ModelSpec("als", {"l2": 3.0}), ModelSpec("als", {"l2": 5.0}, "mine")]
    assert [spec.title for spec in labelled(specs)] == ["als", "als l2=3.0", "mine"]


def test_a_grid_that_nobody_means_is_refused():
    with pytest.raises(
        ParameterError, match=r"makes 125 settings of l2, alpha, weight; expected 100 or fewer"
    ):
        specs_from_flags(["als"], [f"{name}=1,2,3,4,5" for name in ("l2", "alpha", "weight")], [], default=[])
    with pytest.raises(ParameterError, match=r"n_components is 'x'"):
        specs_from_flags(["als"], ["n_components=8,x"], [], default=[])
