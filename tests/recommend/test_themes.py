import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ModelError, ParameterError
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.families import families
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


# -- names, families, labels --------------------------------------------------------------------


def planted(n_kinds=3, per_kind=4, n_users=90, seed=0):
    """Return a bundle in which items come in kinds, and one item that nearly everybody has."""
    generator = np.random.default_rng(seed)
    n_items = n_kinds * per_kind
    of_user = generator.integers(0, n_kinds, n_users)
    likely = np.where(of_user[:, None] == np.arange(n_items) // per_kind, 0.9, 0.03)
    taken = generator.random((n_users, n_items)) < likely
    everywhere = generator.random((n_users, 1)) < 0.95
    matrix = np.where(np.hstack([taken, everywhere]), 1.0, ABSENT)
    train = Interactions.from_matrix(matrix, feedback="implicit")
    model = make("weighted-nmf", {"n_components": n_kinds, "unobserved_weight": 0.3, "l2": 1.0}).fit(train)
    return Bundle.of(
        model, train, item_names={item: f"kind {item // per_kind}, {item}" for item in train.item_ids}
    )


def test_a_theme_is_named_by_what_is_particular_to_it_and_not_by_the_bestseller():
    found = themes(planted())
    assert len(found) == 3
    for theme in found:
        kinds = {name.split(",")[0] for name in theme.about}
        assert len(theme.about) == 3
        assert len(kinds) == 1
        assert "kind 3" not in theme.name  # what nearly everybody has
    assert len({theme.name for theme in found}) == 3


def test_relevance_is_that_of_a_plain_formula():
    bundle = planted()
    about = bundle.theme_items
    for number in range(3):
        mass = dict(zip(about.items[number].tolist(), about.masses[number].tolist(), strict=True))
        inside, everything = sum(mass.values()), float(about.totals.sum())
        relevance = {
            item: 0.5 * np.log(value / inside)
            + 0.5 * np.log((value / inside) / (float(about.totals[item]) / everything))
            for item, value in mass.items()
            if value >= 0.05 * max(mass.values())
        }
        order = sorted(relevance, key=lambda item: (-relevance[item], item))
        assert about.particular(number, 5).tolist() == order[:5]


def test_names_that_several_items_have_stand_once():
    bundle = planted()
    named = Bundle.of(bundle.model, training_of(bundle), item_names=dict.fromkeys(range(12), "soup"))
    assert all(theme.about in (("soup",), ("soup", "12")) for theme in themes(named))


def training_of(bundle):
    return Interactions(bundle.seen, bundle.user_ids, bundle.item_ids, "implicit")


def test_every_theme_is_in_one_family_and_alike_ones_are_together():
    bundle = planted(n_kinds=4)
    model = make("weighted-nmf", {"n_components": 12, "unobserved_weight": 0.3, "l2": 0.1}).fit(
        training_of(bundle)
    )
    many = Bundle.of(model, training_of(bundle), item_names=bundle.item_names)
    every = themes(many)
    found = families(many, 4)
    assert [family.number for family in found] == list(range(1, len(found) + 1))
    assert len(found) <= 4
    assert sorted(number for family in found for number in family.themes) == [theme.number for theme in every]
    assert sum(family.share for family in found) == pytest.approx(1)
    shares = [family.share for family in found]
    assert shares == sorted(shares, reverse=True)
    alike = many.theme_items.similarities()
    np.testing.assert_allclose(np.diag(alike)[[theme.number - 1 for theme in every]], 1)
    inside = [alike[a - 1, b - 1] for family in found for a in family.themes for b in family.themes if a < b]
    across = [
        alike[a - 1, b - 1]
        for one in found
        for other in found
        for a in one.themes
        for b in other.themes
        if one.number < other.number
    ]
    if inside:
        assert np.mean(inside) > np.mean(across)
    assert families(many, 4) == found


def test_families_are_as_many_as_asked_for_and_never_more_than_themes():
    bundle = planted()
    assert [len(families(bundle, n)) for n in (1, 2, 3, 50)] == [1, 2, 3, 3]
    assert len(families(bundle)) == 3
    assert families(bundle, 1)[0].themes == tuple(theme.number for theme in themes(bundle))
    with pytest.raises(ParameterError, match="number of families is 0"):
        families(bundle, 0)
    train = Interactions.from_matrix(random_matrix(6, 5))
    with pytest.raises(ModelError, match="als has no themes"):
        families(Bundle.of(make("als").fit(train), train))


def test_labels_travel_with_the_model_and_reasons_go_by_them(tmp_path):
    bundle = planted()
    save_bundle(bundle, tmp_path / "model")
    assert not (tmp_path / "model" / "themes.toml").exists()
    (tmp_path / "model" / "themes.toml").write_text('[themes]\n2 = "Tea \\"time\\""\n3 = ""\n')
    loaded = load_bundle(tmp_path / "model")
    assert [theme.label for theme in themes(loaded)] == ["", 'Tea "time"', ""]
    assert themes(loaded)[1].name == 'Tea "time"'
    parts = loaded.explain(0, n=1)[0].components
    assert 'Tea "time"' in {part.label for part in parts} or all(part.theme != 2 for part in parts)
    save_bundle(loaded, tmp_path / "copy")
    assert load_bundle(tmp_path / "copy").theme_labels == {2: 'Tea "time"'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[themes]\n9 = 'x'\n", "there is no theme '9'; they run from 1 to 3"),
        ("[themes]\nfirst = 'x'\n", "there is no theme 'first'"),
        ("[themes]\n1 = 5\n", "theme 1 is called 5; expected text"),
        ("[labels]\n1 = 'x'\n", r"expected one table, \[themes\]; found labels"),
        ("themes = 3\n", "expected one table"),
        ("[themes\n", "correct the file, or delete it"),
    ],
)
def test_labels_that_cannot_be_read(tmp_path, text, message):
    save_bundle(planted(), tmp_path / "model")
    (tmp_path / "model" / "themes.toml").write_text(text)
    with pytest.raises(BundleError, match=message):
        load_bundle(tmp_path / "model")
