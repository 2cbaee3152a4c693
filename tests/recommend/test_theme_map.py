"""Families as a map, mixtures of users and items, labels from categories, and the page of all that."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.experiment.theme_report import write_theme_page
from recsys.recommend.theme_categories import labelled_by_category, theme_categories, without_automatic
from recsys.recommend.theme_map import theme_map
from recsys.recommend.themes import themes
from tests.recommend.test_explain import IMPLICIT, fitted_bundle, groups_of_taste

SHELVES = {item: "abc"[item % 3] for item in range(24)}


@pytest.fixture(scope="module")
def bundle():
    return fitted_bundle("weighted-nmf", IMPLICIT, n_components=5, max_iter=30)


def test_a_mixture_is_what_components_add_to_observed_entries(bundle):
    mapped = theme_map(bundle, users=[4], items=[7, 2])
    added = {}
    for user in range(bundle.seen.n_rows):
        for item in bundle.seen.row(user)[0].tolist():
            added[user, item] = bundle.model.contributions(np.array([user]), np.array([item]))[0].astype(
                float
            )
    for mixture in mapped.mixtures:
        place = 0 if mixture.kind == "user" else 1
        entries = [parts for pair, parts in added.items() if pair[place] == mixture.id]
        total = np.sum(entries, axis=0)
        assert mixture.n_entries == len(entries)
        expected = {
            family.number: sum(total[number - 1] for number in family.themes) / total.sum()
            for family in mapped.families
        }
        assert dict(mixture.shares) == pytest.approx(
            {key: v for key, v in expected.items() if v > 0}, rel=1e-5
        )
        assert [share for _, share in mixture.shares] == sorted(dict(mixture.shares).values(), reverse=True)


def test_the_likeness_of_families_is_a_cosine(bundle):
    likeness = np.array(theme_map(bundle).likeness)
    np.testing.assert_allclose(np.diag(likeness), 1)
    np.testing.assert_allclose(likeness, likeness.T)
    assert likeness.min() >= 0


def test_users_and_items_are_chosen_where_none_are_asked_for(bundle):
    mapped = theme_map(bundle)
    users = [mixture for mixture in mapped.mixtures if mixture.kind == "user"]
    assert [mixture.n_entries for mixture in users] == sorted(mixture.n_entries for mixture in users)
    items = [mixture.n_entries for mixture in mapped.mixtures if mixture.kind == "item"]
    assert items == sorted(bundle.item_counts.tolist(), reverse=True)[:3]
    json.dumps(mapped.to_json())


def test_the_mass_of_ten_items_is_the_concentration(bundle):
    for theme in themes(bundle):
        mass = np.sort(bundle.theme_items.masses[theme.number - 1])[::-1]
        assert theme.concentration == pytest.approx(mass[:10].sum() / mass.sum())
        assert theme.user_share == pytest.approx(theme.n_users / 60)


def test_themes_of_one_shelf_go_by_it():
    train = Interactions.from_matrix(
        np.where(np.isnan(groups_of_taste(seed=2)), np.nan, 1), feedback="implicit"
    )
    bundle = fitted_bundle("weighted-nmf", train, n_components=3, max_iter=60)
    shares = theme_categories(bundle, SHELVES)
    about = bundle.theme_items
    of_shelf = np.array([[SHELVES[item] == shelf for item in range(24)] for shelf in "abc"])
    for number, parts in shares.items():
        mass = np.zeros(24)
        mass[about.items[number - 1]] = about.masses[number - 1]
        for part in parts:
            shelf = "abc".index(part.category)
            share = mass[of_shelf[shelf]].sum() / mass.sum()
            assert part.share == pytest.approx(share)
            assert part.lift == pytest.approx(
                share / (about.totals[of_shelf[shelf]].sum() / about.totals.sum())
            )
            assert part.lift >= 1.5
    assert {parts[0].category for parts in shares.values()} == {"a", "b", "c"}
    labelled = labelled_by_category(bundle, SHELVES)
    first = shares[1][0]
    assert themes(labelled)[0].name.startswith(f"{first.category} ({first.lift:.1f} times)")


def test_what_people_called_a_theme_stays(bundle):
    written = replace(bundle, theme_labels={1: "Adventure", 2: themes(bundle)[1].name})
    assert labelled_by_category(written, SHELVES).theme_labels[1] == "Adventure"
    assert without_automatic(written).theme_labels == {1: "Adventure"}


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_page_holds_every_theme_and_family(bundle, tmp_path, form):
    path = tmp_path / f"page.{form}"
    write_theme_page(bundle, path, users=[3], items=[5])
    text = path.read_text()
    for theme in themes(bundle):
        assert f"Theme {theme.number} · " in text
    assert "Family 1 · " in text
    assert "User 3" in text
    assert "item 5" in text
    assert "http" not in text.replace("http://www.w3.org", "").replace("http-equiv", "")


def test_what_cannot_be_is_refused(bundle, tmp_path):
    with pytest.raises(ParameterError, match=r"the ending is '\.pdf'; expected \.html"):
        write_theme_page(bundle, tmp_path / "page.pdf")
    with pytest.raises(InputError, match="user 99 is not known"):
        theme_map(bundle, users=[99])
    with pytest.raises(InputError, match="no item of the model has a category"):
        theme_categories(bundle, {99: "a"})
    with pytest.raises(ModelError, match="has no themes"):
        theme_categories(fitted_bundle("slim", IMPLICIT), SHELVES)
