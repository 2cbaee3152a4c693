"""Popular items within a segment, for users of whom the model knows nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import InputError
from recsys.recommend.audiences import audiences_of
from recsys.recommend.id_files import segments_in
from tests.recommend.test_explain import IMPLICIT, fitted_bundle

N_USERS, N_ITEMS = 60, 24
SEGMENTS = {user: "abc"[user % 3] for user in range(N_USERS)} | {"new a": "a", "new b": "b", "new z": "z"}


@pytest.fixture(scope="module")
def bundle():
    return fitted_bundle("hybrid-nmf", IMPLICIT)


def plain_list(bundle, segment, n):
    """Return the items that most users of a segment have, ties by what everybody has."""
    members = [user for user in range(N_USERS) if SEGMENTS[user] == segment]
    of_segment = np.zeros(N_ITEMS)
    for user in members:
        of_segment[bundle.seen.row(user)[0]] += 1
    order = sorted(range(N_ITEMS), key=lambda item: (-of_segment[item], -bundle.item_counts[item], item))
    return order[:n], of_segment, len(members)


@pytest.mark.parametrize("segment", ["a", "b"])
def test_a_new_user_gets_what_the_segment_has(bundle, segment):
    lists = bundle.recommend([f"new {segment}"], 5, segments=SEGMENTS, reasons=1)
    expected, counts, n_members = plain_list(bundle, segment, 5)
    assert lists.items.tolist() == expected
    assert (lists.sources, lists.segments) == (("segment",), (segment,))
    texts = [f"Popular in {segment}: {counts[item]:.0f} of {n_members} users have it." for item in expected]
    assert [reason.text for reason in lists.reasons] == texts
    assert next(lists.lists())["segment"] == segment
    assert lists.to_frame()["segment"].tolist() == [segment] * 5


def test_everybody_else_is_served_as_without_segments(bundle):
    users = [0, 7, "new z", "nobody"]
    lists, free = bundle.recommend(users, 5, segments=SEGMENTS), bundle.recommend(users, 5)
    assert lists.items.tolist() == free.items.tolist()
    assert lists.sources == free.sources == ("model", "model", "popularity", "popularity")
    assert lists.segments == ("", "", "", "")
    assert free.segments is None
    assert "segment" not in next(free.lists())


def test_batches_joined_are_the_whole(bundle):
    recommender, users = recsys.Recommender(bundle), [0, "new a", 5, "new b", "nobody"]
    whole = recommender.recommend(users, 4, segments=SEGMENTS, reasons=1)
    parts = list(recommender.batches(users, 4, segments=SEGMENTS, reasons=1, batch_size=2))
    assert [record for part in parts for record in part.lists()] == list(whole.lists())


def test_an_empty_history_gets_what_its_segment_has(bundle):
    lists = bundle.recommend_for_each({"new a": [], "ann": [0, 3], "new b": []}, 5, segments=SEGMENTS)
    assert lists.sources == ("segment", "model", "segment")
    assert lists.select(["new b"]).items.tolist() == plain_list(bundle, "b", 5)[0]


def test_segments_from_a_table(tmp_path):
    path = tmp_path / "users.csv"
    pd.DataFrame({"user_id": ["1", "2", "3"], "region": ["north", " ", "south"]}).to_csv(path, index=False)
    assert segments_in(path, "region") == {"1": "north", "3": "south"}
    with pytest.raises(InputError, match="no column 'land'"):
        segments_in(path, "land")
    pd.DataFrame({"user_id": ["1", "1"], "region": ["north", "south"]}).to_csv(path, index=False)
    with pytest.raises(InputError, match="user '1' is in the segments 'north' and 'south'"):
        segments_in(path, "region")


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ({"ann": "north"}, "no user of the training data is in a segment"),
        ({0: 7}, "expected a mapping of user to text"),
        (["north"], "expected a mapping of user to text"),
    ],
)
def test_what_is_no_segment_is_refused(bundle, segments, message):
    with pytest.raises(InputError, match=message):
        bundle.recommend("new a", segments=segments)


def test_without_segments_no_entry_of_the_log_is_looked_at(bundle, monkeypatch):
    def looked(_):
        raise AssertionError("a list for one user would take as long as the log is")

    monkeypatch.setattr("recsys.recommend.audiences.positives", looked)
    monkeypatch.setattr("recsys.data.rows.CompressedRows.select", looked)
    assert audiences_of(bundle, None).of("nobody").source == "popularity"
