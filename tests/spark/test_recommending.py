"""Lists by Spark are those of one machine: the same folder, byte for byte, gone on with by either."""

import json
from pathlib import Path

import pandas as pd
import pytest

import recsys
from recsys.errors import InputError
from recsys.experiment.list_folder import write_list_folder
from recsys.spark import recommend, recommend_log


@pytest.fixture(scope="module")
def bundle(purchases: Path) -> recsys.Bundle:
    return recsys.train(recsys.ModelSpec("hybrid-nmf", {"n_components": 6, "max_iter": 2}), purchases)


def content_of(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, by name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_folder_of_lists_is_that_of_one_machine(spark, bundle: recsys.Bundle, tmp_path: Path):
    rules = recsys.Rules(exclude=(7,), least_users=2)
    segments = dict.fromkeys(list(bundle.user_ids)[::2], "north") | {"nobody": "north", "no one": ""}
    how = {"rules": rules, "segments": segments, "batch_size": 20, "reasons": 1, "partition_by": "segment"}
    users = [*list(bundle.user_ids)[:90], "nobody", "no one"]
    recommender = recsys.Recommender(bundle)
    counts, _ = write_list_folder(recommender, tmp_path / "here", users, 5, **how)
    recsys.save_bundle(bundle, tmp_path / "model")
    assert recommend(tmp_path / "model", tmp_path / "there", users, 5, **how) == (counts, 0)
    expected = content_of(tmp_path / "here")
    assert content_of(tmp_path / "there") == expected
    assert recommend(bundle, tmp_path / "here", users, 5, **how) == (counts, 5)
    # Where two of the parts are there, the others are made.
    record = json.loads((tmp_path / "there" / "_lists.json").read_text())
    record |= {"parts": record["parts"][:2], "is_complete": False}
    (tmp_path / "there" / "_lists.json").write_text(json.dumps(record))
    for file in (tmp_path / "there").rglob("part-0000[234].parquet"):
        file.unlink()
    assert recommend(tmp_path / "model", tmp_path / "there", users, 5, **how) == (counts, 2)
    assert content_of(tmp_path / "there") == expected


def test_parts_of_workers_that_do_not_see_the_folder_come_by_the_driver(
    spark, bundle: recsys.Bundle, tmp_path: Path, monkeypatch
):
    from recsys.spark import recommending
    from recsys.spark.list_parts import PartsFolder

    # As on another machine: the record that a worker looks for is not there.
    monkeypatch.setattr(recommending, "PartsFolder", lambda folder, digest: PartsFolder("/not/here", digest))
    recommend(bundle, tmp_path / "there", n=3, partition_by="rank", batch_size=50)
    write_list_folder(recsys.Recommender(bundle), tmp_path / "here", n=3, partition_by="rank", batch_size=50)
    assert content_of(tmp_path / "there") == content_of(tmp_path / "here")


def test_everyone_gets_a_list(spark, bundle: recsys.Bundle, tmp_path: Path):
    counts, _ = recommend(bundle, tmp_path / "lists", n=3)
    expected = bundle.recommend(n=3).to_frame()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "lists"), expected)
    assert counts["n_users"] == len(bundle.user_ids)
    with pytest.raises(InputError, match="holds lists of another model"):
        recommend(bundle, tmp_path / "lists", n=4)


def test_users_of_another_log_are_folded_in(spark, bundle: recsys.Bundle, tmp_path: Path):
    rows = [(f"new {number % 40}", (7 * number) % 95, number % 4) for number in range(400)]
    frame = pd.DataFrame(rows, columns=["user", "item", "amount"])
    frame.to_parquet(tmp_path / "new.parquet")
    counts, n_before, notes = recommend_log(
        bundle, tmp_path / "new.parquet", tmp_path / "lists", n=4, partitions=3
    )
    amounts = frame.groupby(["user", "item"], sort=False)["amount"].sum()
    known = set(bundle.item_ids)
    histories = {
        user: {item: float(amounts[user, item]) for item in group["item"].unique() if item in known}
        for user, group in frame.groupby("user", sort=False)
    }
    expected = bundle.recommend_for_each(histories, n=4).to_frame()
    lists = pd.read_parquet(tmp_path / "lists")
    order = ["user", "rank"]
    pd.testing.assert_frame_equal(
        lists.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True)
    )
    assert (counts["n_users"], n_before) == (40, 0)
    assert "items are not known to the model" in notes[0]
    again = recommend_log(bundle, tmp_path / "new.parquet", tmp_path / "lists", n=4, partitions=3)
    assert again == (counts, 3, notes)
    table = spark.createDataFrame(frame.head(30))
    of_frame, _, _ = recommend_log(bundle, table, tmp_path / "frame", n=2)
    assert of_frame["n_users"] == 30
    with pytest.raises(InputError, match="items are not known to the model"):
        recommend_log(bundle, table, tmp_path / "strict", strict=True)
