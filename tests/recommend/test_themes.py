import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle, load_bundle, save_bundle
from recsys.recommend.themes import themes
from tests.matrices import ABSENT, random_matrix


@pytest.fixture(scope="module")
def bundle():
    train = Interactions.from_matrix(random_matrix(15, 10))
    model = make("masked-nmf", {"n_components": 4, "l2": 0.05, "max_iter": 20}).fit(train)
    return Bundle.of(model, train, item_names={2: "Two"})


def test_themes_are_numbered_by_share_and_shares_sum_to_one(bundle):
    found = themes(bundle)
    assert [theme.number for theme in found] == [1, 2, 3, 4]
    shares = [theme.share for theme in found]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_a_theme_lists_its_strongest_items_beside_the_strongest(bundle):
    for theme in themes(bundle, n_items=3):
        users = bundle.model.user_factors_[:, theme.number - 1]
        factors = bundle.model.item_factors_[:, theme.number - 1]
        met = np.zeros(len(factors))
        for user in range(bundle.seen.n_rows):
            met[bundle.seen.row(user)[0]] += users[user]
        weights = factors * met
        best = np.argsort(-weights, kind="stable")[:3]
        assert [item for item, _, _ in theme.items] == best.tolist()
        assert [name for _, name, _ in theme.items] == ["Two" if item == 2 else str(item) for item in best]
        np.testing.assert_allclose(
            [weight for *_, weight in theme.items], weights[best] / weights[best[0]], rtol=1e-6
        )
        assert theme.n_items == np.count_nonzero(factors)
        assert theme.sparsity == pytest.approx(np.mean(factors == 0))
        assert theme.stability is None
        assert theme.n_users == np.count_nonzero(bundle.model.user_factors_[:, theme.number - 1])


def test_items_without_a_part_in_a_theme_are_not_listed():
    train = Interactions.from_matrix(np.where(np.kron(np.eye(2), np.ones((6, 4))) > 0, 1.0, ABSENT))
    model = make(
        "weighted-nmf",
        {
            "n_components": 2,
            "init": "random",
            "max_iter": 50,
            "l2": 0.01,
            "user_l1": 0.1,
            "item_l1": 0.1,
            "unobserved_weight": 1.0,
        },
    ).fit(train)
    found = themes(Bundle.of(model, train))
    assert sorted(sorted(item for item, _, _ in theme.items) for theme in found) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]


def test_themes_of_a_model_with_several_starts_say_how_stable_they_are(tmp_path):
    train = Interactions.from_matrix(random_matrix(15, 10))
    model = make("masked-nmf", {"n_components": 3, "n_init": 2, "max_iter": 10}).fit(train)
    save_bundle(Bundle.of(model, train), tmp_path / "model")
    found = themes(load_bundle(tmp_path / "model"))
    np.testing.assert_array_equal([theme.stability for theme in found], model.stability_)
    assert all(0 <= theme.stability <= 1 for theme in found)


def test_the_number_of_themes_can_be_limited(bundle):
    assert [theme.number for theme in themes(bundle, n_themes=2)] == [1, 2]


def test_a_record_is_plain_values(bundle):
    theme = themes(bundle, n_items=1)[0]
    (item, name, _), record = theme.items[0], theme.to_json()
    assert record["theme"] == 1
    assert record["items"] == [{"item": item, "name": name, "weight": 1.0}]


@pytest.mark.parametrize("name", ["als", "popularity"])
def test_models_without_themes_say_so(name):
    train = Interactions.from_matrix(random_matrix(6, 5))
    with pytest.raises(ModelError, match=f"{name} has no themes"):
        themes(Bundle.of(make(name).fit(train), train))


def test_themes_that_explain_nothing_are_not_listed():
    train = Interactions.from_matrix(np.where(np.eye(3) > 0, 1.0, ABSENT), feedback="implicit")
    model = make("weighted-nmf").fit(train)
    found = themes(Bundle.of(model, train))
    assert 3 <= len(found) < 512
    assert all(theme.share > 0 and theme.items for theme in found)
    assert len(themes(Bundle.of(model, train), n_themes=2)) == 2


def test_factors_of_any_sign_have_no_themes_and_the_message_says_what_has():
    train = Interactions.from_matrix(random_matrix(6, 5), feedback="implicit")
    model = make("weighted-nmf", {"n_components": 2, "nonnegative": False}).fit(train)
    with pytest.raises(ModelError, match=r"masked-nmf, poisson-nmf, weighted-nmf.* are"):
        themes(Bundle.of(model, train))
