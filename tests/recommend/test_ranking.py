import numpy as np
import pytest

from recsys.errors import ModelError
from recsys.models.baselines.popularity import Popularity
from recsys.recommend.ranking import ranked_blocks


def test_a_score_that_is_not_finite_is_an_error_that_names_the_user():
    class Broken(Popularity):
        def score_block(self, users):
            scores = super().score_block(users)
            scores[np.asarray(users) == 2, 1] = np.nan
            return scores

    model = Broken().fit(np.ones((4, 3)))
    with pytest.raises(ModelError, match="popularity gave a score that is not finite for user row 2"):
        list(ranked_blocks(model, np.array([0, 3, 2, 1]), 2, None, block_bytes=1))


def test_blocks_keep_within_their_bound():
    model = Popularity().fit(np.ones((10, 3)))
    blocks = list(ranked_blocks(model, np.arange(10), 1, None, block_bytes=4 * 3 * 4))
    assert [block.users.tolist() for block in blocks] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
