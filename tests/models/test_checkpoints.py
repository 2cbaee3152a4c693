"""A fit that was cut off anywhere and is resumed comes to the bits of one that was not."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from recsys import Checkpoint, Interactions
from recsys.checkpoints import KEEPS_NOTHING, FitState, Keeper
from recsys.errors import InputError, OutputError, ParameterError
from recsys.factorization import item_weights
from recsys.files import reserved
from recsys.models.registry import make, models_with_checkpoints
from tests.listeners import RaisingAt
from tests.matrices import random_matrix

DATA = replace(Interactions.from_matrix(random_matrix(40, 30)), feedback="implicit")
FITS = {
    "masked-nmf": {"n_components": 3, "max_iter": 7, "tol": 0.0},
    "masked-nmf, gradient": {
        "n_components": 3,
        "max_iter": 30,
        "tol": 0.0,
        "gradient_tol": 0.05,
        "warm_up": 3,
    },
    "masked-nmf, several": {
        "n_components": 2,
        "max_iter": 9,
        "n_init": 3,
        "validation_share": 0.2,
        "patience": 2,
    },
    "masked-nmf, kl": {"n_components": 3, "max_iter": 6, "loss": "kl", "biases": False},
    "masked-nmf, tol": {"n_components": 3, "tol": 1e-3},
    "weighted-nmf": {"n_components": 12, "max_iter": 6, "tol": 0.0},
    "weighted-nmf, any sign": {"n_components": 3, "max_iter": 5, "nonnegative": False, "init": "random"},
    "poisson-nmf": {"n_components": 3, "max_iter": 6, "tol": 0.0},
    "explicit-als": {"n_components": 3, "max_iter": 6, "tol": 0.0},
    "bayesian-nmf": {"n_components": 2, "n_burn_in": 2, "n_draws": 5, "n_kept": 3, "n_chains": 2},
    "slim": {"n_neighbors": 5},
    "hybrid-nmf": {"n_components": 8, "max_iter": 4, "ratings": "yes"},
}


class Killed(Exception):
    """Stands for the end of the process."""


def made(fit):
    return make(fit.partition(",")[0], FITS[fit])


def arrays_of(model):
    return {name: array.tobytes() for name, array in model.to_arrays().items()}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(item_weights, "_BLOCK", 7)


def test_every_model_that_keeps_checkpoints_is_tried():
    assert {fit.partition(",")[0] for fit in FITS} == set(models_with_checkpoints())


@pytest.mark.parametrize("fit", FITS)
def test_cut_off_after_any_step_it_ends_with_the_same_bits(fit, tmp_path, small_blocks):
    whole = made(fit).fit(DATA)
    checkpoint = Checkpoint(tmp_path / "fit.checkpoint", every=1, resume=True)
    n_kills, n = 0, 1
    while True:  # killed after one step, then, resumed, after one more, and so on
        assert n < 300
        try:
            resumed = made(fit).fit(DATA, checkpoint=checkpoint, progress=RaisingAt(n + 1, Killed))
        except Killed:
            n_kills += 1
            n = (
                3 if fit == "hybrid-nmf" else 2
            )  # what was done before counts as a step, of each part; one more
            continue
        break
    assert n_kills > 1
    assert arrays_of(resumed) == arrays_of(whole)
    assert resumed.config() == whole.config()
    if whole.history is not None:
        assert resumed.history.objective == whole.history.objective
        assert resumed.history.validation == whole.history.validation
        assert resumed.history.stopped == whole.history.stopped
    checkpoint.remove()
    assert not list(tmp_path.iterdir())


def killed(checkpoint, n=4, fit="masked-nmf", data=DATA, **params):
    with pytest.raises(Killed):
        made(fit).set_params(**params).fit(data, checkpoint=checkpoint, progress=RaisingAt(n + 1, Killed))


def test_it_is_written_every_so_many_iterations_and_goes_on_from_there(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=3, resume=True)
    killed(checkpoint, 2)
    assert not checkpoint.path.exists()
    killed(checkpoint, 5)
    steps = []
    made("masked-nmf").fit(DATA, checkpoint=checkpoint, progress=steps.append)
    assert steps[0].startswith("masked-nmf 3/7, from a checkpoint")
    assert len(steps) == 1 + 4


def test_what_a_kill_left_goes_although_nothing_is_left_to_fit(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    made("masked-nmf").fit(DATA, checkpoint=checkpoint)
    (tmp_path / ".c.recsys-0123abcd.part").write_bytes(b"cut off")
    made("masked-nmf").fit(DATA, checkpoint=checkpoint)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_without_resume_it_begins_anew(tmp_path):
    killed(Checkpoint(tmp_path / "c", every=1))
    steps = []
    made("masked-nmf").fit(DATA, checkpoint=Checkpoint(tmp_path / "c", every=99), progress=steps.append)
    assert len(steps) == 7


def test_a_start_that_was_given_goes_on_too_and_another_one_does_not(tmp_path):
    rng = np.random.default_rng(0)
    w, h = rng.random((40, 3)), rng.random((3, 30))
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)

    def fit(w, **more):
        return made("masked-nmf").set_params(init="custom").fit(DATA, W=w, H=h, **more)

    with pytest.raises(Killed):
        fit(w, checkpoint=checkpoint, progress=RaisingAt(5, Killed))
    with pytest.raises(InputError, match="it has other start"):
        fit(2 * w, checkpoint=checkpoint)
    assert arrays_of(fit(w, checkpoint=checkpoint)) == arrays_of(fit(w))


@pytest.mark.parametrize(
    ("fit", "params", "data", "message"),
    [
        ("masked-nmf", {"max_iter": 9}, DATA, "max_iter was 7 and is 9"),
        ("masked-nmf", {"random_state": 1}, DATA, "random_state was 0 and is 1"),
        ("poisson-nmf", {}, DATA, "the model was masked-nmf and is poisson-nmf"),
        ("masked-nmf", {}, Interactions.from_matrix(random_matrix(40, 30, seed=1)), "it has other data"),
    ],
)
def test_one_of_another_fit_is_refused(fit, params, data, message, tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    killed(checkpoint)
    before = checkpoint.path.read_bytes()
    with pytest.raises(
        InputError, match=re.escape(f"is the checkpoint of another fit: {message}; to begin anew")
    ):
        made(fit).set_params(**params).fit(data, checkpoint=checkpoint)
    assert checkpoint.path.read_bytes() == before


def test_entry_weights_and_times_belong_to_it(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    killed(checkpoint)
    with pytest.raises(InputError, match="it has other weights"):
        made("masked-nmf").fit(DATA, entry_weight=np.full(DATA.nnz, 2.0), checkpoint=checkpoint)
    with pytest.raises(InputError, match="it has other times"):
        made("masked-nmf").fit(replace(DATA, time=np.arange(DATA.nnz)), checkpoint=checkpoint)


def test_one_of_another_version_is_refused(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    with monkeypatch.context() as patched:
        patched.setattr("recsys.checkpoints.__version__", "0.0.9")
        killed(checkpoint)
    with pytest.raises(InputError, match=r"is a checkpoint of recsys 0\.0\.9, this is "):
        made("masked-nmf").fit(DATA, checkpoint=checkpoint)


def test_any_damage_is_noticed(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    killed(checkpoint)
    whole = checkpoint.path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [b"", b"no", whole[:-1], whole + b"\0", b"\xff" * 200]
    for position in rng.integers(len(whole), size=20):
        content = bytearray(whole)
        content[position] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(content))
    for content in damaged:
        checkpoint.path.write_bytes(content)
        with pytest.raises(InputError, match=r"damage|another fit|of recsys"):
            made("masked-nmf").fit(DATA, checkpoint=checkpoint)
    checkpoint.path.write_bytes(whole)
    made("masked-nmf").fit(DATA, checkpoint=checkpoint)


def test_a_place_is_held_by_one_fit_at_a_time(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1)
    with reserved(checkpoint.path):
        told = []

        def second():
            try:
                made("masked-nmf").fit(DATA, checkpoint=checkpoint)
            except OutputError as error:
                told.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(told) == 1
    assert "is being written by this process" in told[0]


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_fit(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    checkpoint = Checkpoint(tmp_path / "c", every=5, resume=True)
    killed(checkpoint, 6)
    before = checkpoint.path.read_bytes()
    monkeypatch.setattr("recsys.checkpoints.write_arrays", full)
    again = Checkpoint(checkpoint.path, every=1, resume=True)
    with pytest.warns(RuntimeWarning, match="no checkpoint: .*No space left on device"):
        model = made("masked-nmf").fit(DATA, checkpoint=again)
    assert arrays_of(model) == arrays_of(made("masked-nmf").fit(DATA))
    assert checkpoint.path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_before_the_fit():
    steps = []
    with pytest.raises(OutputError, match="cannot be written"):
        made("masked-nmf").fit(DATA, checkpoint=Checkpoint("/proc/none/c"), progress=steps.append)
    assert not steps


def test_time_already_spent_counts_for_a_time_limit(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", every=1, resume=True)
    killed(checkpoint, time_limit=1000.0)
    model = made("masked-nmf").set_params(time_limit=1000.0).fit(DATA, checkpoint=checkpoint)
    assert checkpoint.seconds_before > 0
    assert model.history_.n_iter == 7

    class Late(Keeper):
        seconds_before = 999.999

    late = made("masked-nmf").set_params(time_limit=1000.0, max_iter=10**6, n_components=1)
    assert late.fit(DATA, checkpoint=Late()).history_.stopped == "time"


def test_models_without_checkpoints_say_which_have_them():
    with pytest.raises(
        ParameterError, match=r"popularity keeps no checkpoints; those that do are .*masked-nmf"
    ):
        make("popularity").fit(DATA, checkpoint=Checkpoint("c"))


@pytest.mark.parametrize(
    ("every", "interval"),
    [
        (5, (5, np.inf)),
        ("5", (5, np.inf)),
        ("60s", (np.inf, 60)),
        (" 1.5m ", (np.inf, 90)),
        ("2h", (np.inf, 7200)),
    ],
)
def test_intervals(every, interval):
    assert Checkpoint("c", every)._interval == interval


@pytest.mark.parametrize("every", [0, -1, True, 1.5, "", "s", "0s", "5x", "1.5", "-5s", "nan", None, 10**10])
def test_what_is_no_interval(every):
    with pytest.raises(ParameterError, match="expected a number of iterations, 1 or more, or a time such as"):
        Checkpoint("c", every)


def test_a_keeper_of_nothing_keeps_nothing():
    KEEPS_NOTHING.finish("part", FitState)
    KEEPS_NOTHING.part("inner").keep("part", FitState)
    assert KEEPS_NOTHING.part("inner").state_of("part") is None
