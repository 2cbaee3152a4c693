"""``recsys themes``: a line a theme, one with its items, families, labels, tables."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def model(recsys, ratings, tmp_path):
    folder = tmp_path / "model"
    code, _, err = recsys(
        "train", ratings, "--out", folder, "--model", "masked-nmf", "--set", "n_components=4"
    )
    assert code == 0, err
    return folder


def test_themes_are_lines_and_one_has_its_items(recsys, as_json, model):
    every = as_json("themes", model)["themes"]
    code, out, _ = recsys("themes", model, "--top", "2")
    assert code == 0
    assert f"and {len(every) - 2} more" in out
    assert every[0]["name"] in out
    _, out, _ = recsys("themes", model, "--theme", "2", "-n", "3")
    assert out.startswith(f"Theme 2: {every[1]['name']}")
    assert len(out.splitlines()) == 5
    (found,) = as_json("themes", model, "--theme", "2")["themes"]
    assert found == every[1]


def test_families_and_tables(recsys, as_json, model, tmp_path):
    found = as_json("themes", model, "--families")["families"]
    assert sum(family["share"] for family in found) == pytest.approx(1)
    _, out, _ = recsys("themes", model, "--families")
    assert found[0]["name"] in out
    for kind, arguments in (("themes", ()), ("families", ("--families",))):
        path = tmp_path / f"{kind}.csv"
        code, out, _ = recsys("themes", model, *arguments, "--out", path)
        assert code == 0
        assert str(path) in out
        assert {"name", "share", "items"} <= set(pd.read_csv(path))


def test_labels_are_written_edited_and_shown(recsys, as_json, model):
    code, out, _ = recsys("themes", model, "--labels")
    assert code == 0
    path = model / "themes.toml"
    name = as_json("themes", model, "--theme", "1")["themes"][0]["name"]
    path.write_text(path.read_text().replace(f'1 = "{name}"', '1 = "Adventure"'))
    _, out, _ = recsys("themes", model, "--theme", "1")
    assert out.startswith("Theme 1: Adventure")
    recsys("themes", model, "--labels")  # what was edited stays
    assert '1 = "Adventure"' in path.read_text()
    path.write_text("[themes]\n99 = 'x'\n")
    code, _, err = recsys("themes", model)
    assert code == 1
    assert "there is no theme '99'" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--theme", "9"), 1, "there is no theme 9 that explains anything"),
        (("--theme", "1", "--families"), 2, "give one of --theme, --families and --labels"),
        (("--out", "themes.txt"), 2, "the ending is '.txt'"),
    ],
)
def test_what_themes_refuses(recsys, model, arguments, code, message):
    ended, _, err = recsys("themes", model, *arguments)
    assert ended == code
    assert message in err


def test_a_page_of_all_themes(recsys, as_json, model, tmp_path):
    path = tmp_path / "page.html"
    code, out, _ = recsys("themes", model, "--out", path, "--user", "u03", "--item", "i05")
    assert code == 0
    assert out == f"Wrote the themes of masked-nmf to {path}\n"
    text = path.read_text()
    assert "User u03" in text
    assert text.count('id="theme-') == len(as_json("themes", model)["themes"])
    code, _, err = recsys("themes", model, "--user", "u03")
    assert code == 2
    assert "--user and --item need --out FILE.html" in err


def test_themes_go_by_categories(recsys, as_json, model, tmp_path):
    table = tmp_path / "items.csv"
    kinds = [(f"i{item:02d}", "abc"[item % 3]) for item in range(18)]
    pd.DataFrame(kinds, columns=["movieId", "kind"]).to_csv(table, index=False)
    side = ("--items", table, "--item-id", "movieId", "--item-category", "kind")
    names = [theme["name"] for theme in as_json("themes", model, *side)["themes"]]
    recsys("themes", model, "--labels")  # written by themselves, they do not stand in the way
    recsys("themes", model, "--labels", *side)
    assert [theme["name"] for theme in as_json("themes", model)["themes"]] == names
    code, _, err = recsys("themes", model, "--items", table)
    assert code == 2
    assert "--items FILE and --item-category COLUMN belong together" in err
