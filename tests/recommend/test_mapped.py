"""A bundle whose arrays are mapped is checked and answers as one that is read."""

from __future__ import annotations

import mmap
import os
import pickle

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ParameterError
from recsys.models.registry import make
from recsys.recommend import bundle_parts, checked_before
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.verification import verify_bundle
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


@pytest.fixture
def notes(monkeypatch, tmp_path):
    """Return the folder of notes of checked files, empty, and let files settle at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checked_before, "SETTLED_SECONDS", -3600)
    return tmp_path / "cache" / "recsys" / "checked"


@pytest.fixture
def hashed(monkeypatch):
    """Return the names of the parts whose hashes are checked, as they are."""
    names = []

    def check_hash(content, part, record, check=bundle_parts._check_hash):
        names.append(part)
        check(content, part, record)

    monkeypatch.setattr(bundle_parts, "_check_hash", check_hash)
    return names


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


def test_what_was_checked_and_not_written_since_is_not_hashed_again(saved, notes, hashed):
    _, folder = saved
    first = load_bundle(folder, mapped=True)
    assert len(hashed) == 3
    hashed.clear()
    second = load_bundle(folder, mapped=True)
    assert hashed == []
    assert (len(second.user_ids), len(second.item_ids)) == (20, 12)
    assert hashed == []
    assert answers(second) == answers(first)
    assert set(hashed) == {"users.parquet", "items.parquet"}  # ids and names, as they are asked for
    hashed.clear()
    load_bundle(folder, mapped=True, verify="always")
    load_bundle(folder)
    assert len(hashed) == 6


def test_verifying_is_the_check_that_is_remembered(saved, notes, hashed):
    verify_bundle(saved[1])
    hashed.clear()
    load_bundle(saved[1], mapped=True)
    assert hashed == []


def test_a_file_that_was_just_written_is_not_remembered(saved, notes, monkeypatch):
    monkeypatch.setattr(checked_before, "SETTLED_SECONDS", 3600)
    load_bundle(saved[1], mapped=True)
    assert list(notes.iterdir()) == []


def test_notes_that_others_could_write_are_not_believed(saved, notes, hashed, monkeypatch, tmp_path):
    load_bundle(saved[1], mapped=True)
    notes.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    hashed.clear()
    load_bundle(saved[1], mapped=True)
    assert len(hashed) == 3


def test_old_notes_go(saved, notes, monkeypatch):
    monkeypatch.setattr(checked_before, "_MOST_KEPT", 3)
    notes.mkdir(parents=True, mode=0o700)
    for number in range(9):
        (notes / str(number)).touch()
        os.utime(notes / str(number), (number, number))
    load_bundle(saved[1], mapped=True)
    assert {"5", "8"} < {note.name for note in notes.iterdir()}
    assert not (notes / "4").exists()


@pytest.mark.parametrize("part", bundle_parts.PARTS)
def test_what_was_written_to_after_the_check_is_checked_again(saved, notes, tmp_path, part):
    name, _ = saved
    folder = tmp_path / "model"
    save_bundle(bundle_of(name), folder)
    load_bundle(folder, mapped=True)
    path = folder / part
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if nothing had been
    with pytest.raises(BundleError, match=f"{part} is not the file that was written"):
        load_bundle(folder, mapped=True)


def test_a_layout_that_does_not_fit_is_seen_without_a_look_at_the_content(
    saved, notes, tmp_path, monkeypatch
):
    name, _ = saved
    folder = tmp_path / "model"
    save_bundle(bundle_of(name), folder)
    monkeypatch.setattr(checked_before.CheckedFiles, "were_checked", lambda files: True)
    path = folder / "arrays.safetensors"
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole + b"0", bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(content)
        with pytest.raises(BundleError):
            load_bundle(folder, mapped=True)
    path.write_bytes(whole)
    table = pq.read_table(folder / "users.parquet")
    pq.write_table(table.slice(1), folder / "users.parquet")
    bundle = load_bundle(folder, mapped=True)
    with pytest.raises(BundleError, match=r"users\.parquet is not the file that was written"):
        bundle.recommend([1])


def test_a_mapped_bundle_can_be_sent_to_another_process(saved, notes):
    load_bundle(saved[1], mapped=True)
    mapped = load_bundle(saved[1], mapped=True)
    assert answers(pickle.loads(pickle.dumps(mapped))) == answers(mapped)


def test_another_word_for_when_to_check_is_refused(saved):
    with pytest.raises(ParameterError, match="'once' or 'always'"):
        load_bundle(saved[1], mapped=True, verify="never")


def test_any_byte_that_changed_is_noticed(saved, notes, tmp_path):
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
