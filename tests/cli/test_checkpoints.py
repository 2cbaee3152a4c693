"""``recsys train --checkpoint-every --resume``: what stands beside the model, and what is said."""

from __future__ import annotations

import pytest

from recsys.errors import OutputError
from recsys.recommend.bundle_files import load_bundle
from recsys_cli.versions import Destination

FIT = ("--model", "masked-nmf", "--set", "n_components=3", "--set", "max_iter=12", "--set", "tol=0")


@pytest.fixture
def cut_off(recsys, ratings, tmp_path, monkeypatch):
    """A training whose model could not be saved, as if it had been killed before."""

    def refuse(*_, **__):
        raise OutputError("nothing can be saved.")

    with monkeypatch.context() as patched:
        patched.setattr(Destination, "write", refuse)
        code, _, err = recsys("train", ratings, *FIT, "--out", tmp_path / "model", "--checkpoint-every", 5)
    assert (code, err) == (1, "recsys: nothing can be saved.\n")
    assert (tmp_path / "model.checkpoint").exists()
    return tmp_path / "model"


def arrays(folder):
    return {name: array.tobytes() for name, array in load_bundle(folder).model.to_arrays().items()}


def test_a_training_goes_on_to_the_same_bits_and_clears_its_checkpoint(recsys, ratings, cut_off, tmp_path):
    code, _, err = recsys("train", ratings, *FIT, "--out", cut_off, "--resume")
    assert (code, err) == (0, "")
    assert not (tmp_path / "model.checkpoint").exists()
    assert recsys("train", ratings, *FIT, "--out", tmp_path / "whole")[0] == 0
    assert arrays(cut_off) == arrays(tmp_path / "whole")


def test_without_one_the_fit_begins_and_says_so(recsys, ratings, tmp_path):
    code, _, err = recsys("train", ratings, *FIT, "--out", tmp_path / "model", "--resume")
    assert (code, err) == (0, f"There is no {tmp_path / 'model.checkpoint'}: the fit begins.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "ratings.csv"]


def test_without_resume_it_begins_anew_and_says_so(recsys, ratings, cut_off):
    code, _, err = recsys("train", ratings, *FIT, "--out", cut_off, "--checkpoint-every", "1h")
    assert code == 0
    assert err == (
        f"{cut_off}.checkpoint is of a fit that did not end; it is replaced, for --resume is not given.\n"
    )


def test_one_of_another_fit_is_one_message_and_stays(recsys, ratings, cut_off):
    code, _, err = recsys("train", ratings, *FIT, "--seed", 1, "--out", cut_off, "--resume")
    assert code == 1
    assert err == (
        f"recsys: {cut_off}.checkpoint is the checkpoint of another fit: random_state was 0 and is 1; "
        f"to begin anew, delete it or do not resume.\n"
    )
    assert cut_off.with_name("model.checkpoint").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--model", "popularity", "--resume"), "popularity keeps no checkpoints; those that do are "),
        (("--checkpoint-every", "5x"), "a checkpoint every '5x'; expected a number of iterations"),
        (("--checkpoint-every", "0"), "a checkpoint every '0'; expected a number of iterations"),
    ],
)
def test_what_cannot_be_is_said_before_the_log_is_read(recsys, tmp_path, arguments, told):
    code, _, err = recsys("train", tmp_path / "none.csv", "--out", tmp_path / "model", *arguments)
    assert code == 2
    assert told in err


def test_an_update_is_no_fit_to_go_on_with(recsys, ratings, model):
    code, _, err = recsys("train", "--update", ratings, "--out", model, "--resume")
    assert code == 2
    assert "--checkpoint-every and --resume out" in err
