"""A bundle whose arrays are mapped is checked and answers as one that is read."""

from __future__ import annotations

import mmap

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ParameterError
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix


def bundle_of(name, seed=0):

    data = Interactions.from_matrix(random_matrix(20, 12, seed=seed))
    params = {"hybrid-nmf": {"n_components": 4}, "masked-nmf": {"n_components": 3, "max_iter": 3}}[name]
    return Bundle.of(make(name, params).fit(data), data)


@pytest.fixture(scope="module", params=["hybrid-nmf", "masked-nmf"])
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mapped") / "model"
    save_bundle(bundle_of(request.param), folder)
    return request.param, folder


def base_of(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.base.obj if isinstance(array.base, memoryview) else array.base


def answers(bundle):
    return list(bundle.recommend(list(bundle.user_ids)[:5], 4).lists())


def test_it_answers_the_same_and_its_arrays_are_in_the_file(saved):
    _, folder = saved
    mapped, read = load_bundle(folder, mapped=True), load_bundle(folder)
    assert answers(mapped) == answers(read)
    assert isinstance(base_of(mapped.seen.columns), mmap.mmap)
    assert not isinstance(base_of(read.seen.columns), mmap.mmap)


def test_any_byte_that_changed_is_noticed(saved, tmp_path):
    name, _ = saved
    folder = tmp_path / "model"
    save_bundle(bundle_of(name), folder)
    path = folder / "arrays.safetensors"
    whole = path.read_bytes()
    for position in (0, 9, len(whole) // 2, len(whole) - 1):
        content = bytearray(whole)
        content[position] ^= 1
        path.write_bytes(content)
        with pytest.raises(BundleError, match="is not the file that was written"):
            load_bundle(folder, mapped=True)
    for content in (b"", whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(BundleError, match="is not the file that was written"):
            load_bundle(folder, mapped=True)


def test_a_new_bundle_in_its_place_changes_nothing(saved, tmp_path):
    name, _ = saved
    folder = tmp_path / "model"
    save_bundle(bundle_of(name), folder)
    mapped = load_bundle(folder, mapped=True)
    before = answers(mapped)
    save_bundle(bundle_of(name, seed=1), folder)
    assert answers(mapped) == before
    assert answers(load_bundle(folder, mapped=True)) != before


def test_what_must_be_signed_is_not_mapped(saved, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    with pytest.raises(ParameterError, match="is read, not mapped"):
        load_bundle(saved[1], key=key, mapped=True)
