"""scikit-learn's own checks of an estimator."""

import warnings

import pytest

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.utils.estimator_checks import estimator_checks_generator

from recsys.models.masked_nmf import MaskedNMF
from recsys.models.poisson_nmf import PoissonNMF
from recsys.models.weighted_nmf import WeightedNMF

# What is not as scikit-learn wants it, and why. Each must really fail (xfail_strict).
EXCEPTIONS = {
    "check_fit_score_takes_y": "score refuses entries that were fitted, which is what this check scores",
    "check_pipeline_consistency": "the same",
    "check_dtype_object": "what is no number is an InputError, which is a ValueError, not a TypeError",
}


def checks(kind=MaskedNMF, **params):
    marks, found = [pytest.mark.filterwarnings("ignore")], []
    with warnings.catch_warnings():
        # Ours follow its conventions without its base class, so that they work where it is not installed.
        warnings.filterwarnings("ignore", "Estimator .* does not inherit", UserWarning)
        generated = list(estimator_checks_generator(kind(**params)))
    for number, (estimator, check) in enumerate(generated):
        name = check.func.__name__
        expected = [pytest.mark.xfail(reason=EXCEPTIONS[name])] if name in EXCEPTIONS else []
        found.append(pytest.param(estimator, check, id=f"{number}-{name}", marks=[*marks, *expected]))
    return found


@pytest.mark.parametrize(("estimator", "check"), checks(n_components=3))
def test_squared_loss(estimator, check):
    check(estimator)


# To the end: a check compares what the fit found with what `transform` finds for the same rows.
KL = {"n_components": 3, "loss": "kl", "biases": False, "max_iter": 2000, "tol": 1e-7, "l2": 1.0}


@pytest.mark.parametrize(("estimator", "check"), checks(**KL))
def test_kl_loss(estimator, check):
    check(estimator)


TO_THE_END = {"n_components": 3, "max_iter": 3000, "tol": 1e-9}


@pytest.mark.parametrize(("estimator", "check"), checks(WeightedNMF, **TO_THE_END, l2=1.0))
def test_weighted(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), checks(PoissonNMF, **TO_THE_END, l2=0.1))
def test_poisson(estimator, check):
    check(estimator)
