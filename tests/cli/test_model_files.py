"""``recsys model``: what concerns the files of a trained model."""

from __future__ import annotations

import pytest


@pytest.fixture
def model(recsys, ratings, tmp_path):
    assert recsys("train", ratings, "--model", "popularity", "--out", tmp_path / "model")[0] == 0
    return tmp_path / "model"


def test_a_whole_model_is_said_to_be_whole(recsys, as_json, model):
    code, out, _ = recsys("model", "verify", model)
    assert code == 0
    size = sum(file.stat().st_size for file in model.iterdir())
    assert out.startswith(f"{model} is whole: 4 files, {size:,} bytes\n")
    assert "popularity, format 1, written by recsys" in out
    found = as_json("model", "verify", model)
    assert (found["n_users"], found["n_items"], found["model"]) == (27, 18, "popularity")
    assert set(found["files"]) == {file.name for file in model.iterdir()}


@pytest.mark.parametrize("part", ["model.json", "arrays.safetensors", "users.parquet", "items.parquet"])
def test_a_damaged_model_is_exit_code_1_and_the_file_is_named(recsys, model, part):
    content = bytearray((model / part).read_bytes())
    content[len(content) // 2] ^= 1
    (model / part).write_bytes(content)
    code, out, err = recsys("model", "verify", model)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert part in err or "cannot be read" in err
