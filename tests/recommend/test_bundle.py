import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from recsys import files
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ModelError
from recsys.files import current_folder, sha256
from recsys.models.registry import MODELS, make
from recsys.recommend import bundle_files as bundles
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_checks import MAY_BE_UNSET
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix

PARTS = ("arrays.safetensors", "users.parquet", "items.parquet")


def bundle_of(name="masked-nmf", *, seed=0, **params):
    train = Interactions.from_matrix(random_matrix(6, 5, density=0.6))
    params = {"random_state": seed, "n_components": 2, "max_iter": 3} | params if name != "popularity" else {}
    return Bundle.of(make(name, params).fit(train), train)


@pytest.fixture
def folder(tmp_path):
    save_bundle(bundle_of(), tmp_path / "model")
    return tmp_path / "model"


def seed_of(folder):
    return load_bundle(folder).model.get_params()["random_state"]


def change_record(folder, change):
    """Change the record and seal it anew, as somebody would who knows the format."""
    path = folder / "model.json"
    record = json.loads(path.read_text())
    change(record)
    del record["digest"]
    record["digest"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(record))


def rehash(folder):
    """Make the hashes fit the parts, so that what is inside them is what gets checked."""
    change_record(folder, lambda record: record.update(parts={part: sha256(folder / part) for part in PARTS}))


def change_arrays(folder, **changes):
    arrays = load_file(folder / "arrays.safetensors")
    for name, change in changes.items():
        arrays[name.replace("__", ".")] = np.ascontiguousarray(change(arrays[name.replace("__", ".")]))
    write_arrays(folder, arrays)


def write_arrays(folder, arrays):
    with safe_open(folder / "arrays.safetensors", "numpy") as file:
        metadata = file.metadata()
    save_file(arrays, folder / "arrays.safetensors", metadata)
    rehash(folder)


def write_ids(folder, part, ids):
    columns = {"id": ids} | ({"name": [None] * len(ids)} if part == "items.parquet" else {})
    pq.write_table(pa.table(columns), folder / part)
    rehash(folder)


def test_a_bundle_is_four_files_that_hold_no_code(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([*PARTS, "model.json"])
    assert json.loads((folder / "model.json").read_text())["format"] == bundles.FORMAT
    for path in folder.iterdir():
        assert not path.read_bytes().startswith(b"\x80")  # the first byte of a pickle


def test_the_record_tells_of_the_training(folder):
    record = json.loads((folder / "model.json").read_text())
    model = load_bundle(folder).model
    assert record["model"] == "masked-nmf"
    assert record["config"] == model.config()
    assert len(record["history"]["objective"]) == 3
    assert record["training"]["n_users"] == 6
    assert record["training"]["digest"] == bundle_of().training["digest"]


def test_a_loaded_model_keeps_its_history(folder):
    record = json.loads((folder / "model.json").read_text())
    history = load_bundle(folder).model.history
    assert history is not None
    assert history.to_json() == record["history"]


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_found(folder, part):
    (folder / part).unlink()
    with pytest.raises(BundleError, match=f"{part} is missing"):
        load_bundle(folder)


@pytest.mark.parametrize("part", PARTS)
def test_a_flipped_byte_is_found(folder, part):
    content = bytearray((folder / part).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / part).write_bytes(content)
    with pytest.raises(BundleError, match=f"{part} is not the file that was written"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.update(format=2), "has format 2; this version reads 1"),
        (lambda record: record.pop("format"), "has format None; this version reads 1"),
        (lambda record: record["config"].update(nonsense=1), "no parameter 'nonsense'"),
        (lambda record: record["config"].update(l2=-1), "l2 is -1; expected a number, 0 or more"),
        (lambda record: record.update(config=[1]), "cannot be read"),
        (lambda record: record.update(model="no-such-model"), "it is of a model 'no-such-model'"),
        (lambda record: record.update(model=["masked-nmf"]), r"it is of a model \['masked-nmf'\]"),
        (lambda record: record.pop("model"), "cannot be read: .*'model'"),
        (lambda record: record.pop("parts"), "cannot be read: .*'parts'"),
        (lambda record: record.update(parts=[]), "cannot be read"),
    ],
)
def test_an_edited_record_is_found(folder, change, message):
    change_record(folder, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_a_record_edited_by_hand_is_found(folder):
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"tol": 0.0001', '"tol": 0.001'))
    with pytest.raises(BundleError, match=r"model\.json is not what was written"):
        load_bundle(folder)


def test_a_rank_in_the_config_that_is_not_that_of_the_factors_is_found(folder):
    change_record(folder, lambda record: record["config"].update(n_components=3))
    with pytest.raises(BundleError, match=r"'user_factors' has shape .* expected 3 columns"):
        load_bundle(folder)


@pytest.mark.parametrize("content", ["", '{"format": 1, "mod', "[]", "null", "\x00"])
def test_a_record_that_is_not_json_or_no_record_is_found(folder, content):
    (folder / "model.json").write_text(content)
    with pytest.raises(BundleError, match=r"cannot be read|has format None"):
        load_bundle(folder)


def test_a_record_that_is_not_text_is_found(folder):
    (folder / "model.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(folder)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_cannot_be_read_is_found_even_if_its_hash_fits(folder, part):
    (folder / part).write_bytes(b"not what it was")
    rehash(folder)
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__item_factors": lambda a: a[:, :1]}, "'item_factors' has shape .* expected"),
        ({"model__user_bias": lambda a: a[:-1]}, "'user_bias' has shape .* expected"),
        ({"model__mean": lambda a: np.r_[a, a]}, "'mean' has shape"),
        ({"model__values": lambda a: a[:2]}, "'values' has 2 numbers"),
        (
            {"model__user_factors": lambda a: a * np.float32(np.nan)},
            "'user_factors' holds a number that is not",
        ),
        ({"model__user_factors": lambda a: a.astype(np.float64)}, "'user_factors' is float64"),
        (
            {"model__user_factors": lambda a: a[:-1], "model__user_bias": lambda a: a[:-1]},
            "6 users and 5 items are listed, but the model has 5 and 5",
        ),
        ({"seen__items": lambda a: a + np.int32(1)}, "seen items does not fit"),
        ({"seen__items": lambda a: -a}, "seen items does not fit"),
        ({"seen__items": lambda a: a[:-1]}, "seen items does not fit"),
        ({"seen__items": lambda a: a.astype(np.int64)}, "'seen.items' is int64"),
        ({"seen__indptr": lambda a: a[:-1]}, "users.parquet lists 6 ids; the arrays are of 5"),
        ({"seen__items": lambda a: np.r_[a[0], a[0], a[2:]]}, "seen items does not fit"),
        ({"item_counts": lambda a: a[::-1]}, "counts of items do not fit"),
        ({"item_counts": lambda a: a + 1}, "counts of items do not fit"),
        ({"seen__indptr": lambda a: a[::-1]}, "seen items does not fit"),
        ({"seen__indptr": lambda a: a + 1}, "seen items does not fit"),
        ({"seen__indptr": lambda a: np.r_[a[0], a[2], a[1], a[3:]]}, "seen items does not fit"),
    ],
)
def test_arrays_that_do_not_fit_are_found_even_if_the_hash_does(folder, changes, message):
    change_arrays(folder, **changes)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_an_array_that_is_not_there_is_found(folder):
    arrays = load_file(folder / "arrays.safetensors")
    del arrays["model.mean"]
    write_arrays(folder, arrays)
    with pytest.raises(BundleError, match="'mean' is missing"):
        load_bundle(folder)


@pytest.mark.parametrize(("part", "n"), [("users.parquet", 6), ("items.parquet", 5)])
def test_ids_in_another_order_are_found(folder, part, n):
    write_ids(folder, part, list(range(n))[::-1])
    with pytest.raises(BundleError, match="ids are not those of this model, or not in its order"):
        load_bundle(folder)


def test_arrays_of_another_model_are_found(folder, tmp_path):
    save_bundle(bundle_of(seed=5), tmp_path / "other")
    (folder / "arrays.safetensors").write_bytes((tmp_path / "other" / "arrays.safetensors").read_bytes())
    rehash(folder)
    with pytest.raises(BundleError, match="arrays are those of other ids or parameters"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["l2", "n_components", "max_iter"])
@pytest.mark.parametrize("change", ["without", "none"])
def test_a_parameter_without_a_value_is_found(folder, name, change):
    def changed(record):
        if change == "none":
            record["config"][name] = None
        else:
            del record["config"][name]

    change_record(folder, changed)
    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_a_fit_fills_in_all_parameters_but_those_that_may_be_unset(name, feedback):
    data = replace(Interactions.from_matrix(random_matrix(12, 9, density=0.6)), feedback=feedback)
    model = make(name)
    short = {"max_iter": 2, "n_burn_in": 2, "n_draws": 2, "n_kept": 2}
    model.set_params(**{key: value for key, value in short.items() if key in model.get_params()}).fit(data)
    assert {key for key, value in model.config().items() if value is None} <= MAY_BE_UNSET


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda training: training.update(n_users=7), "n_users of the training is 7; the files hold 6"),
        (lambda training: training.update(n_entries=1), "n_entries of the training is 1"),
        (lambda training: training.update(feedback="both"), "feedback is 'both'"),
        (lambda training: training.clear(), "feedback is None"),
    ],
)
def test_a_record_of_other_data_is_found(folder, change, message):
    change_record(folder, lambda record: change(record["training"]))
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_a_list_of_more_ids_than_fit_into_memory_is_not_read(folder):
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000_000, dtype=np.int8)), ["a"])
    pq.write_table(pa.table({"id": ids}), folder / "users.parquet")
    assert (folder / "users.parquet").stat().st_size < 200_000
    rehash(folder)
    with pytest.raises(BundleError, match=r"users\.parquet lists 20,000,000 ids"):
        load_bundle(folder)


@pytest.mark.parametrize(("part", "n"), [("users.parquet", 6), ("items.parquet", 5)])
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (lambda n: list(range(n - 1)), r"lists \d ids; the arrays are of \d\."),
        (lambda n: [0, *range(n - 1)], "id 0 stands twice"),
        (lambda n: ["a"] * n, "id 'a' stands twice"),
        (lambda n: [None, *range(n - 1)], "an id is missing"),
        (lambda n: [0.5 + i for i in range(n)], "numbers with fractions or gaps; expected integers or text"),
    ],
    ids=["one too few", "twice", "text twice", "missing", "fractions"],
)
def test_lists_of_ids_that_do_not_fit_are_found(folder, part, n, ids, message):
    write_ids(folder, part, ids(n))
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_what_is_no_bundle_is_not_loaded(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(BundleError, match=r"is no model bundle: it holds no model\.json"):
            load_bundle(place)
    with pytest.raises(BundleError, match="is no model bundle: it does not exist"):
        load_bundle(tmp_path / "nowhere")


def test_what_is_no_bundle_is_not_overwritten(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("more work")
    for place in (tmp_path / "folder", tmp_path / "file"):
        with pytest.raises(BundleError, match="exists and is no model bundle"):
            save_bundle(bundle_of(), place)
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "more work"


def test_an_empty_folder_is_taken_and_an_older_bundle_replaced(tmp_path):
    (tmp_path / "model").mkdir()
    for seed in (1, 2):
        save_bundle(bundle_of(seed=seed), tmp_path / "model")
        assert seed_of(tmp_path / "model") == seed
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def fail(*_args, **_kwargs):
    raise OSError("disk full")


@pytest.mark.parametrize("where", ["write_arrays", "pq.write_table", "sha256"])
def test_an_interrupted_save_leaves_the_old_bundle(tmp_path, monkeypatch, where):
    save_bundle(bundle_of(seed=1), tmp_path / "model")
    monkeypatch.setattr(f"recsys.recommend.bundle_files.{where}", fail)
    with pytest.raises(OSError, match="disk full"):
        save_bundle(bundle_of(seed=2), tmp_path / "model")
    monkeypatch.undo()
    assert seed_of(tmp_path / "model") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_interrupted_first_save_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "sha256", fail)
    with pytest.raises(OSError, match="disk full"):
        save_bundle(bundle_of(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


class Killed(BaseException):
    pass


def test_between_the_two_renames_a_reader_finds_the_old_bundle(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    save_bundle(bundle_of(seed=1), folder)
    rename = Path.rename

    def rename_or_die(path, target):
        if Path(target) == folder:
            raise Killed
        return rename(path, target)

    monkeypatch.setattr("recsys.exchange._call", None)  # a system that cannot exchange folders in one step
    monkeypatch.setattr(Path, "rename", rename_or_die)
    with pytest.raises(Killed):
        save_bundle(bundle_of(seed=2), folder)
    monkeypatch.undo()
    assert seed_of(folder) == 1
    assert current_folder(folder) in (folder, files.previous_folder(folder))
    save_bundle(bundle_of(seed=3), folder)
    assert seed_of(folder) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_reader_beside_a_writer_finds_a_whole_bundle(tmp_path):
    path = tmp_path / "model"
    save_bundle(bundle_of(seed=0), path)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            save_bundle(bundle_of("popularity"), path)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(150):
            assert load_bundle(path).model.is_fitted
    finally:
        stop.set()
        writer.join()


def test_a_link_stays_a_link_to_the_new_bundle(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    save_bundle(bundle_of(seed=0), real)
    link.symlink_to(real)
    for seed in (1, 2):
        save_bundle(bundle_of(seed=seed), link)
        assert link.is_symlink()
        assert seed_of(link) == seed_of(real) == seed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_model_and_data_of_different_sizes_make_no_bundle():
    bundle = bundle_of()
    with pytest.raises(ModelError, match="the model was fitted to"):
        Bundle.of(bundle.model, Interactions.from_matrix(np.ones((2, 2))))


def test_a_model_and_data_of_other_ids_make_no_bundle():
    data = Interactions.from_matrix(random_matrix(6, 5, density=0.6))
    model = make("popularity").fit(data)
    for side in ("user_ids", "item_ids"):
        ids = getattr(data, side)
        with pytest.raises(ModelError, match=f"other {side[:4]}s, or to these in another order"):
            Bundle.of(model, replace(data, **{side: Ids(ids.values[::-1])}))
    assert Bundle.of(model, replace(data, user_ids=Ids(list(data.user_ids)))).model is model


def test_a_model_and_the_data_from_before_its_update_make_no_bundle():
    data = Interactions.from_matrix(random_matrix(6, 5, density=0.6))
    model = make("masked-nmf", {"n_components": 2, "max_iter": 3}).fit(data)
    new = Interactions.from_pairs([0, 0], [int(item) for item in data.item_ids][:2], [5.0, 1.0])
    model.partial_fit(new)
    with pytest.raises(ModelError, match="give what it was fitted to last"):
        Bundle.of(model, data)
    assert Bundle.of(model, model.training_).seen.nnz > data.nnz


def test_the_config_is_that_of_the_fit(tmp_path):
    bundle = bundle_of("weighted-nmf")
    used = bundle.model.config()["l2"]
    assert used > 0  # the default is filled in
    bundle.model.set_params(l2=99.0, n_components=7)
    save_bundle(bundle, tmp_path / "model")
    assert load_bundle(tmp_path / "model").model.config() == bundle.model.config()
    assert load_bundle(tmp_path / "model").model.l2 == used
