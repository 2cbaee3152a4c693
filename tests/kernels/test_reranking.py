import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.reranking import pick_in_turn
from tests.kernels.blocks import N_ITEMS, compressed
from tests.matrices import frozen
from tests.reference import reranking as reference

N_LABELS, N = 4, 5
WEIGHTS = st.sampled_from([(0, 0, 0), (0.4, 0, 0), (0, 0.5, 0), (0, 0, 0.3), (0.3, 0.3, 0.2), (0.5, 0.5, 0)])


@given(st.integers(0, 999), WEIGHTS, st.integers(0, 2), st.sampled_from([1, 3, 40]))
def test_pick_in_turn_equals_its_naive_twin(seed, weights, most, n_block):
    generator = np.random.default_rng(seed)
    candidates = np.array([generator.permutation(N_ITEMS)[:8] for _ in range(n_block)], dtype=np.int32)
    scores = -np.sort(-generator.normal(size=candidates.shape).round(1), axis=1).astype(np.float32)
    n_candidates = generator.integers(0, 9, n_block)
    histories = [set(np.flatnonzero(generator.random(N_ITEMS) < 0.4)) for _ in range(n_block)]
    labels_of = [set(np.flatnonzero(generator.random(N_LABELS) < 0.4)) for _ in range(N_ITEMS)]
    vectors = generator.normal(size=(N_ITEMS, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    popularity = generator.random(N_ITEMS)
    chosen, n_chosen = np.full((n_block, N), -7, dtype=np.int32), np.full(n_block, -7)
    arguments = (
        candidates, scores, n_candidates, *compressed(histories), *compressed(labels_of), N_LABELS, most,
        frozen(vectors), frozen(popularity), np.array(weights, dtype=np.float64), 0.01,
    )  # fmt: skip
    pick_in_turn(*arguments, chosen, n_chosen)
    again, n_again = np.full_like(chosen, -7), np.full_like(n_chosen, -7)
    with threads.use(2):
        pick_in_turn(*arguments, again, n_again)
    np.testing.assert_array_equal(chosen, again)
    np.testing.assert_array_equal(n_chosen, n_again)
    for row in range(n_block):
        length = n_candidates[row]
        expected, closest = reference.pick_in_turn(
            candidates[row, :length], scores[row, :length].astype(float), histories[row], labels_of, most,
            vectors.astype(float), popularity, weights, 0.01, N,
        )  # fmt: skip
        found = chosen[row, : n_chosen[row]].tolist()
        # After a tie that rounding decides, other labels are taken up, and with them the length is another.
        assert found == expected or closest < 1e-9
        assert len(set(found)) == len(found)
        assert set(found) <= set(range(length))
