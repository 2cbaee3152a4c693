import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranx import evaluate as ranx_evaluate
from sklearn.metrics import dcg_score, ndcg_score, roc_auc_score

from recsys.data.labels import UserGroups
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.entry_errors import errors_of
from recsys.evaluation.gap import GroupMean, gap, group_means
from recsys.evaluation.list_block import ListBlock, descending_values
from recsys.evaluation.metrics import Metric, higher_is_better, parse_metrics
from recsys.evaluation.metrics.coverage import coverage
from recsys.evaluation.metrics.gini import gini
from tests.held_out import held_out_of
from tests.reference import metrics as reference
from tests.registered import CATALOGUE, ERRORS, PER_USER, SCORED

N_ITEMS = 12


@st.composite
def user_lists(draw):
    """Lists without repeats, some empty, and held-out items of which some can never be listed."""
    n_users = draw(st.integers(1, 5))
    lists = [draw(st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=8)) for _ in range(n_users)]
    held_out = [draw(st.sets(st.integers(0, N_ITEMS + 3), min_size=1, max_size=8)) for _ in range(n_users)]
    return lists, held_out


def block_of(lists, held_out, *, scores=None):
    """Return a block of given lists; held-out items from N_ITEMS on are unknown to training."""
    width = max(1, *map(len, lists)) if lists else 1
    items = np.full((len(lists), width), -1, dtype=np.int32)
    for user, listed in enumerate(lists):
        items[user, : len(listed)] = listed
    held = held_out_of(held_out, N_ITEMS)
    nothing = CompressedRows(np.zeros(len(lists) + 1), [], [], N_ITEMS)
    return ListBlock(
        users=np.arange(len(lists)),
        items=items,
        n_listed=np.array([len(listed) for listed in lists]),
        held_out=held,
        catalogue=Catalogue(nothing),
        scores=scores,
        largest=descending_values(held),
    )


@pytest.mark.parametrize("name", reference.PER_USER)
@given(case=user_lists(), k=st.integers(1, 10))
def test_a_metric_of_lists_equals_its_definition(name, case, k):
    lists, held_out = case
    found = PER_USER[name].function(block_of(lists, held_out), k)
    expected = [reference.PER_USER[name](*one, k) for one in zip(lists, held_out, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.dtype == np.float64


@given(case=user_lists(), k=st.integers(1, 10), seed=st.integers(0, 99))
def test_graded_ndcg_equals_its_definition(case, k, seed):
    lists, held_out = case
    generator = np.random.default_rng(seed)
    values = [{item: float(generator.integers(0, 4)) for item in sorted(held)} for held in held_out]
    found = PER_USER["graded-ndcg"].function(block_of(lists, values), k)
    expected = [reference.graded_ndcg(*one, k) for one in zip(lists, values, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


RANX_NAMES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "ndcg": "ndcg",
    "graded-ndcg": "ndcg",
    "map": "map",
    "mrr": "mrr",
    "hit-rate": "hit_rate",
}
N_CASES, CUTS = 3000, (1, 3, 10)


@pytest.fixture(scope="module")
def many_cases():
    """Lists of 0 to 8 items beside held-out items of values 1 to 5, some of which cannot be listed."""
    generator = np.random.default_rng(0)
    lists = [generator.permutation(N_ITEMS)[: generator.integers(0, 9)].tolist() for _ in range(N_CASES)]
    held_out = []
    for _ in range(N_CASES):
        items = generator.permutation(N_ITEMS + 4)[: generator.integers(1, 9)].tolist()
        held_out.append({item: float(generator.integers(1, 6)) for item in items})
    return lists, held_out


def in_ranx(lists, held_out, names, *, graded):
    """Return {metric: values of users} by ranx."""
    qrels = {
        f"{user:05}": {str(item): int(value) if graded else 1 for item, value in held.items()}
        for user, held in enumerate(held_out)
    }
    # ranx reads the order of a list off its scores, and needs one item at least.
    run = {
        f"{user:05}": {str(item): 100.0 - place for place, item in enumerate(listed)} or {"nothing": 0.0}
        for user, listed in enumerate(lists)
    }
    # As plain dictionaries: its own Qrels and Run take long to compile.
    return ranx_evaluate(qrels, run, [f"{name}@{k}" for name in names for k in CUTS], return_mean=False)


@pytest.mark.slow
# ranx casts unsafely in kernels of its own, which compile here; Numba says so.
@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaTypeSafetyWarning")
def test_metrics_of_lists_equal_those_of_ranx(many_cases):
    lists, held_out = many_cases
    block = block_of(lists, held_out)
    plain = in_ranx(lists, held_out, dict.fromkeys(RANX_NAMES.values()), graded=False)
    graded = in_ranx(lists, held_out, ["ndcg"], graded=True)
    for name, known_as in RANX_NAMES.items():
        for k in CUTS:
            expected = (graded if name.startswith("graded") else plain)[f"{known_as}@{k}"]
            if name == "map":  # ranx divides by the held-out items, however short the list
                expected = expected * block.n_held_out / np.minimum(k, block.n_held_out)
            np.testing.assert_allclose(
                PER_USER[name].function(block, k), expected, atol=1e-9, rtol=0, err_msg=f"{name}@{k}"
            )


def test_ndcg_equals_that_of_scikit_learn(many_cases):
    """On whole rankings, where its ideal list, made of the listed items only, is the same as ours."""
    lists, held_out = (cases[:600] for cases in many_cases)
    generator = np.random.default_rng(1)
    whole = [generator.permutation(N_ITEMS).tolist() for _ in lists]
    known = [{item: value for item, value in held.items() if item < N_ITEMS} for held in held_out]
    whole, known = zip(*[pair for pair in zip(whole, known, strict=True) if pair[1]], strict=True)
    values = np.array([[held.get(item, 0.0) for item in range(N_ITEMS)] for held in known])
    scores = -np.argsort(np.array(whole), axis=1).astype(float)
    block = block_of(list(whole), list(known))
    for k in CUTS:
        for name, relevance in (("ndcg", (values > 0).astype(float)), ("graded-ndcg", values)):
            best = dcg_score(relevance, relevance, k=k)
            assert best > 0
            assert np.mean(PER_USER[name].function(block, k)) == pytest.approx(
                ndcg_score(relevance, scores, k=k), abs=1e-9
            )
            some = range(0, len(whole), 40)
            np.testing.assert_allclose(
                PER_USER[name].function(block, k)[::40],
                [ndcg_score(relevance[[at]], scores[[at]], k=k) for at in some],
                atol=1e-9,
            )


def test_auc_equals_that_of_scikit_learn(many_cases):
    """With ties, seen items, and users for whom it is not defined."""
    _, held_out = many_cases
    held_out = held_out[:150]
    generator = np.random.default_rng(2)
    scores = generator.integers(0, 6, (len(held_out), N_ITEMS)).astype(np.float32)
    expected = np.full(len(held_out), np.nan)
    for user, held in enumerate(held_out):
        is_held = np.array([item in held for item in range(N_ITEMS)])
        scores[user, (generator.random(N_ITEMS) < 0.3) & ~is_held] = -np.inf
        unseen = scores[user] > -np.inf
        if is_held.any() and not is_held[unseen].all():
            expected[user] = roc_auc_score(is_held[unseen], scores[user, unseen])
    found = SCORED["auc"].function(block_of([[]] * len(held_out), held_out, scores=scores))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.isnan(found).any()


def exposure_of(lists, k):
    return np.bincount([item for listed in lists for item in listed[:k]], minlength=N_ITEMS)


@given(user_lists(), st.integers(1, 10))
def test_coverage_and_gini_equal_their_definitions(case, k):
    lists, _ = case
    exposure = exposure_of(lists, k)
    assert coverage(exposure) == pytest.approx(reference.coverage(lists, N_ITEMS, k))
    assert gini(exposure) == pytest.approx(reference.gini(lists, N_ITEMS, k), nan_ok=True)


def test_gini_runs_from_equal_shares_to_one_item_that_takes_all():
    assert gini(np.full(8, 3)) == pytest.approx(0)
    assert gini(np.eye(8, dtype=np.int64)[2]) == pytest.approx(1 - 1 / 8)


def test_group_means_leave_out_who_is_in_no_group_or_not_defined():
    groups = UserGroups(np.array([0, 1, 1, -1, 0]), ("few", "many"))
    means = group_means(np.array([0.5, 0.1, np.nan, 0.9]), np.array([0, 1, 2, 3]), groups)
    assert means == (GroupMean("few", 1, 0.5), GroupMean("many", 1, 0.1))
    assert gap(means) == pytest.approx(0.4)
    assert np.isnan(gap(means[:1]))


@given(st.lists(st.tuples(st.floats(0, 5, width=32), st.floats(0, 5, width=32)), min_size=1))
def test_errors_equal_their_definitions(pairs):
    predicted, actual = np.array(pairs, dtype=np.float32).T
    for name, metric in ERRORS.items():
        expected = getattr(reference, name)(*zip(*pairs, strict=True))
        mean = np.mean(errors_of(metric, predicted, actual))
        assert metric.of_mean(mean) == pytest.approx(expected, abs=1e-9)


def test_metrics_are_read_in_the_order_given_and_once_each():
    parsed = parse_metrics(" ndcg@20, RMSE,recall@5,ndcg@20 ,,ndcg@3")
    assert parsed == (Metric("ndcg", 20), Metric("rmse", None), Metric("recall", 5), Metric("ndcg", 3))
    assert [str(metric) for metric in parsed] == ["ndcg@20", "rmse", "recall@5", "ndcg@3"]
    assert parse_metrics(["ndcg@20", "rmse"]) == parsed[:2]


@pytest.mark.parametrize("name", [*PER_USER, *CATALOGUE, *ERRORS, *SCORED, "ndcg-gap", "auc-gap"])
def test_every_metric_can_be_asked_for_by_its_name(name):
    is_gap, base = name.endswith("-gap"), name.removesuffix("-gap")
    text = name if base in (*ERRORS, *SCORED) else f"{name}@5"
    (metric,) = parse_metrics(text)
    assert str(metric) == text
    assert metric == Metric(base, metric.k, is_gap)
    assert str(metric.base) == text.replace("-gap", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("ndcg", True), ("recall@20", True), ("auc", True), ("coverage@5", True), ("serendipity@5", True)),
        *(("gini@10", False), ("calibration@10", False), ("rmse", False), ("ndcg-gap@10", False)),
        ("popularity-lift@10", None),
    ],
)
def test_it_is_known_whether_more_of_a_metric_is_better(name, expected):
    assert higher_is_better(name) is expected


def test_a_direction_of_no_metric_is_refused():
    with pytest.raises(ParameterError, match="there is no metric 'mystery@5'"):
        higher_is_better("mystery@5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no metric is asked for"),
        (" , ", "no metric is asked for"),
        (
            "ndgc@5",
            r"no metric 'ndgc@5'; there are .*map@k, .*mae and rmse, .*\. Did you mean 'ndcg'\?",
        ),
        ("zzz", r"no metric 'zzz'; there are .* and rmse, and .*users\.$"),
        ("ndcg", "metric 'ndcg': expected a list length of 1 to 999,999, e.g. ndcg@10"),
        ("ndcg@", "expected a list length of 1 to 999,999"),
        ("ndcg@0", "expected a list length of 1 to 999,999"),
        ("ndcg@-3", "expected a list length of 1 to 999,999"),
        ("ndcg@2.5", "expected a list length of 1 to 999,999"),
        ("ndcg@ten", "expected a list length of 1 to 999,999"),
        ("ndcg@5,rmse@5", "metric 'rmse@5': rmse takes no @k"),
        ("rmse@", "rmse takes no @k"),
        ("auc@10", "auc takes no @k"),
        ("rmse-gap", "there is no metric 'rmse-gap'"),
        ("coverage-gap@5", "there is no metric 'coverage-gap@5'"),
        ("ndcg-gap", "expected a list length"),
    ],
)
def test_what_is_no_metric_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_metrics(text)
