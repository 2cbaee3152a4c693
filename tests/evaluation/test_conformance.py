"""The same numbers as a second library: trec_eval, the program of the TREC conferences."""

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from recsys.evaluation.from_lists import evaluate_lists

N_CASES, N_ITEMS, CUTS = 4000, 30, (1, 3, 10)
NAMES = ("precision", "recall", "f1", "hit-rate", "mrr", "map", "ndcg", "graded-ndcg")


@pytest.fixture(scope="module")
def cases():
    """Lists of 0 to 14 items whose scores tie, beside held-out items of values 1 to 5, not all listed."""
    generator = np.random.default_rng(0)
    lists, held_out = [], []
    for _ in range(N_CASES):
        items = generator.permutation(N_ITEMS)[: generator.integers(0, 15)].tolist()
        lists.append({item: float(generator.integers(0, 4)) for item in items})
        held = generator.permutation(N_ITEMS + 5)[: generator.integers(1, 13)].tolist()
        held_out.append({item: int(generator.integers(1, 6)) for item in held})
    assert sum(not listed for listed in lists) > 100
    return lists, held_out


@pytest.fixture(scope="module")
def ours(cases):
    lists, held_out = cases
    found = evaluate_lists(
        pd.DataFrame(
            [(u, *at) for u, of in enumerate(lists) for at in of.items()], columns=["user", "item", "score"]
        ),
        pd.DataFrame(
            [(u, *at) for u, of in enumerate(held_out) for at in of.items()],
            columns=["user", "item", "value"],
        ),
        ",".join(f"{name}@{k}" for name in NAMES for k in CUTS),
    )
    assert found.users.tolist() == list(range(N_CASES))
    return found.per_user


def by_trec(lists, held_out):
    """Return {measure: values of users}; there ties fall to the last name, so names run backwards."""
    names = {item: f"{999 - item}" for item in range(N_ITEMS + 5)}
    qrels = {str(u): {names[item]: value for item, value in of.items()} for u, of in enumerate(held_out)}
    runs = {
        str(u): {names[item]: score for item, score in of.items()} or {"nothing": 0.0}
        for u, of in enumerate(lists)
    }
    cuts = ",".join(map(str, CUTS))
    asked = {f"{name}.{cuts}" for name in ("P", "recall", "success", "map_cut", "ndcg_cut")} | {"recip_rank"}
    found = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(runs)
    return {
        name: np.array([found[str(u)][name] for u in range(len(lists))])
        for name in next(iter(found.values()))
    }


@pytest.mark.parametrize("k", CUTS)
@pytest.mark.parametrize("name", NAMES)
def test_metrics_equal_those_of_trec_eval(trec, plain, ours, cases, name, k):
    n_held_out = np.array([len(held) for held in cases[1]])
    if name == "f1":
        both = trec[f"P_{k}"] + trec[f"recall_{k}"]
        expected = 2 * trec[f"P_{k}"] * trec[f"recall_{k}"] / np.where(both > 0, both, 1)
    elif name == "mrr":  # trec_eval knows no cut here
        expected = np.where(trec["recip_rank"] >= 1 / k - 1e-9, trec["recip_rank"], 0)
    elif name == "map":  # it divides by the held-out items, however short the list
        expected = trec[f"map_cut_{k}"] * n_held_out / np.minimum(k, n_held_out)
    elif name == "ndcg":
        expected = plain[f"ndcg_cut_{k}"]
    else:
        known_as = {"precision": "P", "recall": "recall", "hit-rate": "success", "graded-ndcg": "ndcg_cut"}
        expected = trec[f"{known_as[name]}_{k}"]
    np.testing.assert_allclose(ours[f"{name}@{k}"], expected, atol=1e-9, rtol=0)


@pytest.fixture(scope="module")
def trec(cases):
    return by_trec(*cases)


@pytest.fixture(scope="module")
def plain(cases):
    """With all held-out values taken as 1."""
    lists, held_out = cases
    return by_trec(lists, [dict.fromkeys(held, 1) for held in held_out])
