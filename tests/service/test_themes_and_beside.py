"""Themes of items and by family, rules in a request, and two bundles' lists side by side."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

import recsys
from recsys.recommend.families import families
from recsys.service.app import make_app
from recsys.service.settings import Settings
from tests.matrices import random_matrix

MATRIX = random_matrix(30, 20)
DATA = recsys.Interactions.from_matrix(MATRIX)


@pytest.fixture(scope="module")
def bundle():
    return recsys.Bundle.of(recsys.WeightedNMF(12).fit(DATA), DATA)


@pytest.fixture(scope="module")
def beside():
    known = recsys.Interactions.from_matrix(MATRIX[:25, :15])
    return recsys.Bundle.of(recsys.Popularity().fit(known), known)


@pytest.fixture(scope="module")
def client(bundle, beside, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    recsys.save_bundle(bundle, folder / "model")
    recsys.save_bundle(beside, folder / "other")
    settings = Settings(folder / "model", reload_seconds=0, timeout=120, beside=folder / "other")
    with TestClient(make_app(settings)) as made:
        yield made


def plain(value):
    return json.loads(json.dumps(value))


def test_an_item_shows_the_themes_that_make_its_scores(client, bundle):
    model, item = bundle.model.component_model, 4
    has = bundle.seen.to_scipy().toarray()[:, item] != 0
    added = model.user_rows(np.flatnonzero(has)).sum(axis=0, dtype=np.float64) * model.item_rows([item])[0]
    answer = client.get(f"/items/{item}").json()
    assert (answer["item"], answer["name"], answer["n_users"]) == (4, "4", int(has.sum()))
    shares = {theme["theme"]: theme["share"] for theme in answer["themes"]}
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert shares == {number: pytest.approx(added[number - 1] / added.sum(), rel=1e-5) for number in shares}
    assert set(shares) == {f + 1 for f in np.argsort(-added)[: len(shares)]}
    assert client.get("/items/zebra").json() == {"error": "item 'zebra' is not known to the model."}


def test_families_hold_every_theme_once_and_say_how_alike_they_are(client, bundle):
    answer, expected = client.get("/families").json(), families(bundle)
    assert [family["name"] for family in answer["families"]] == [family.name for family in expected]
    numbers = [theme["theme"] for family in answer["families"] for theme in family["themes"]]
    assert sorted(numbers) == [theme["theme"] for theme in client.get("/themes").json()["themes"]]
    likeness = np.array(answer["likeness"])
    assert likeness.shape == (len(expected), len(expected))
    np.testing.assert_allclose(np.diag(likeness), 1, atol=1e-3)
    assert ((likeness >= 0) & (likeness <= 1)).all()
    largest = max(expected, key=lambda family: len(family.themes))
    answer = client.get(f"/families/{largest.number}").json()
    assert [theme["theme"] for theme in answer["themes"]] == list(largest.themes)
    chosen = np.array(largest.themes) - 1
    alike = bundle.theme_items.similarities()[np.ix_(chosen, chosen)]
    np.testing.assert_allclose(answer["likeness"], alike, atol=6e-4)
    unknown = client.get("/families/99")
    assert (unknown.status_code, unknown.json()["error"]) == (
        404, f"there is no family 99; there are 1 to {len(expected)}."
    )  # fmt: skip


def test_rules_of_a_request_are_those_of_the_library(client, bundle):
    categories = {str(item): f"shelf {item % 3}" for item in range(20)}
    for asked in (
        {"diversity": 0.3, "popularity_discount": 0.2},
        {"bought_before": True},
        {"categories": categories, "never_categories": ["shelf 1"], "most_per_category": 2},
        {"categories": categories, "only_categories": ["shelf 1"], "calibration": 0.4},
    ):
        (found,) = client.post("/recommend", json={"user": 3, "n": 5, "rules": asked}).json()["lists"]
        assert found == plain(next(bundle.recommend([3], 5, rules=recsys.Rules(**asked)).lists()))
    answer = client.post("/recommend", json={"user": 3, "rules": {"sold_since": "60d"}})
    assert answer.status_code == 422
    assert "train it again on a log with a column of times" in answer.json()["error"]
    answer = client.post("/recommend", json={"user": 3, "rules": {"diversity": 0.7, "calibration": 0.7}})
    assert answer.status_code == 422


def test_two_bundles_lists_stand_side_by_side(client, bundle, beside):
    answer = client.get("/beside/7?n=5").json()
    assert [answer["models"][name]["model"] for name in ("here", "beside")] == ["weighted-nmf", "popularity"]
    (pair,) = answer["lists"]
    listed = {}
    for name, own in (("here", bundle), ("beside", beside)):
        expected = plain(next(own.recommend([7], 5).lists()))
        listed[name] = {row["item"] for row in expected["items"]}
        marks = [row.pop("only") for row in pair[name]["items"]]
        assert pair[name] == expected
        others = {row["item"] for row in pair["beside" if name == "here" else "here"]["items"]}
        assert marks == [row["item"] not in others for row in pair[name]["items"]]
    assert pair["n_common"] == len(listed["here"] & listed["beside"])
    model = client.get("/model").json()
    assert (model["beside"]["model"], model["beside"]["n_items"]) == ("popularity", 15)
    text = client.get("/metrics").text
    assert 'role="main"' in text
    assert 'role="beside"' in text


def test_what_one_bundle_does_not_know_is_left_out_for_it_and_named(client, bundle, beside):
    answer = client.post("/beside", json={"history": [2, 17], "n": 4}).json()
    assert [answer["models"][name]["unknown_items"] for name in ("here", "beside")] == [[], [17]]
    (pair,) = answer["lists"]
    for name, own, known in (("here", bundle, [2, 17]), ("beside", beside, [2])):
        (expected,) = own.recommend_for(known, 4).lists()
        assert [row["item"] for row in pair[name]["items"]] == [row["item"] for row in expected["items"]]
    answer = client.post("/beside", json={"users": [3, 28], "rules": {"exclude": [18, 1]}, "n": 4}).json()
    assert answer["models"]["here"]["unknown_items"] == []
    assert answer["models"]["beside"]["unknown_items"] == [18]
    assert [pair["beside"]["source"] for pair in answer["lists"]] == ["model", "popularity"]
    rules = recsys.Rules(exclude=[18, 1])
    expected = [row["item"] for row in next(bundle.recommend([3], 4, rules=rules).lists())["items"]]
    assert [row["item"] for row in answer["lists"][0]["here"]["items"]] == expected


def test_a_bundle_alone_has_none_beside(bundle, tmp_path):
    recsys.save_bundle(bundle, tmp_path / "model")
    with TestClient(make_app(Settings(tmp_path / "model", reload_seconds=0, timeout=120))) as alone:
        assert alone.get("/beside/3").status_code == 404
        assert alone.get("/model").json()["beside"] is None
