import contextvars

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from recsys import rng, threads
from recsys.errors import LogError, NotFittedError, ParameterError, RecsysError
from recsys.files import atomic_write, atomic_write_folder, current_folder, previous_folder, sha256


def test_a_stream_is_the_same_for_the_same_seed_and_names():
    expected = rng.stream(7, "a", 1).random(5)
    np.testing.assert_array_equal(rng.stream(7, "a", 1).random(5), expected)


def test_streams_of_other_seeds_and_names_differ():
    arguments = [(7, "a"), (8, "a"), (7, "b"), (7, "a", "b"), (7, "ab"), (7,), (7, "a", 1)]
    assert len({rng.stream(*given).random() for given in arguments}) == len(arguments)


def test_a_stream_is_the_same_on_every_platform():
    # Written down once: a change here changes every seeded result that users have.
    assert rng.stream(7, "a").integers(0, 1000, 3).tolist() == [397, 967, 181]


class Killed(BaseException):
    pass


@pytest.fixture
def old_file(tmp_path):
    (tmp_path / "file").write_text("old")
    return tmp_path / "file"


@pytest.fixture
def old_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "part").write_text("old")
    (folder / "old part").touch()
    return folder


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_replaced_when_all_is_written(old_file):
    with atomic_write(old_file) as sibling:
        sibling.write_text("new")
        assert old_file.read_text() == "old"
    assert old_file.read_text() == "new"
    assert names(old_file.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, Killed])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(old_file, error):
    with pytest.raises(error), atomic_write(old_file) as sibling:  # noqa: PT012 - the write comes first
        sibling.write_text("half")
        raise error
    assert old_file.read_text() == "old"
    assert names(old_file.parent) == ["file"]


def test_folders_above_are_made(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "file") as sibling:
        sibling.write_text("new")
    with atomic_write_folder(tmp_path / "c" / "d" / "folder") as place:
        (place / "part").write_text("new")
    assert (tmp_path / "a" / "b" / "file").read_text() == "new"
    assert (tmp_path / "c" / "d" / "folder" / "part").read_text() == "new"


def test_a_folder_is_replaced_as_a_whole(old_folder):
    with atomic_write_folder(old_folder) as place:
        assert names(place) == []
        (place / "part").write_text("new")
        assert (old_folder / "part").read_text() == "old"
    assert (old_folder / "part").read_text() == "new"
    assert names(old_folder) == ["part"]
    assert names(old_folder.parent) == ["folder"]


@pytest.mark.parametrize("error", [ValueError, Killed])
def test_a_failed_write_leaves_the_old_folder_and_nothing_else(old_folder, error):
    with pytest.raises(error), atomic_write_folder(old_folder) as place:  # noqa: PT012 - the write comes first
        (place / "part").write_text("half")
        raise error
    assert (old_folder / "part").read_text() == "old"
    assert names(old_folder.parent) == ["folder"]


def test_what_is_written_is_as_readable_as_any_other_file(tmp_path):
    (tmp_path / "plain").touch()
    (tmp_path / "plain folder").mkdir()
    with atomic_write(tmp_path / "file") as sibling:
        sibling.touch(0o600)
    with atomic_write_folder(tmp_path / "folder") as place:
        (place / "part").touch(0o600)
    plain = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "file").stat().st_mode == plain
    assert (tmp_path / "folder" / "part").stat().st_mode == plain
    assert (tmp_path / "folder").stat().st_mode == (tmp_path / "plain folder").stat().st_mode


def test_the_folder_that_stands_is_the_new_one_or_the_one_set_aside(old_folder):
    assert current_folder(old_folder) == old_folder
    old_folder.rename(previous_folder(old_folder))
    assert current_folder(old_folder) == old_folder, "nothing beside it: it was deleted"
    (old_folder.parent / ".folder.recsys-0123abcd.part").mkdir()
    assert current_folder(old_folder) == previous_folder(old_folder)
    assert (current_folder(old_folder) / "part").read_text() == "old"
    with atomic_write_folder(old_folder) as place:
        (place / "part").write_text("new")
    assert current_folder(old_folder) == old_folder
    assert names(old_folder.parent) == ["folder"]
    assert current_folder(old_folder.parent / "nothing") == old_folder.parent / "nothing"


def test_a_folder_left_aside_does_not_stop_a_write(old_folder):
    previous_folder(old_folder).mkdir()
    (previous_folder(old_folder) / "part").write_text("older")
    with atomic_write_folder(old_folder) as place:
        (place / "part").write_text("new")
    assert (old_folder / "part").read_text() == "new"
    assert names(old_folder.parent) == ["folder"]


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "file") == expected


def test_threads_are_set_inside_and_put_back():
    before = threads.current()
    with threads.use(2):
        assert threads.current() == min(2, numba.config.NUMBA_NUM_THREADS)
        with threads.use(1):
            assert threads.current() == 1
        assert threads.current() == min(2, numba.config.NUMBA_NUM_THREADS)
        with pytest.raises(ZeroDivisionError), threads.use(1):
            raise ZeroDivisionError
        assert threads.current() == min(2, numba.config.NUMBA_NUM_THREADS)
    assert threads.current() == before


def test_without_a_number_all_cores_are_used_and_never_more_than_there_are():
    most = min(threads.available(), numba.config.NUMBA_NUM_THREADS)
    for n_threads in (None, 1_024):
        with threads.use(n_threads):
            assert threads.current() <= numba.config.NUMBA_NUM_THREADS
    # Outside of the one thread that tests are held to.
    assert contextvars.Context().run(threads.current) == most


@pytest.mark.parametrize("n_threads", [0, -1])
def test_fewer_than_one_thread_is_refused(n_threads):
    with (
        pytest.raises(ParameterError, match=f"threads is {n_threads}; expected a whole number, 1 to"),
        threads.use(n_threads),
    ):
        pass


def test_a_launch_holds_numba_and_blas_and_lets_them_go():
    before = numba.get_num_threads()
    with threads.use(1), threads.launch() as n_threads:
        assert n_threads == numba.get_num_threads() == 1
        pools = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
        assert pools == {1}
        with threads.launch() as inner:
            assert inner == 1
    assert numba.get_num_threads() == before


def test_a_log_error_tells_what_where_and_what_to_do():
    error = LogError("no number", advice="Give one.", source="a.csv", line=3, column="rating")
    assert str(error) == "a.csv, line 3, column 'rating': no number Give one."
    assert str(LogError("empty", source="t", line=2, unit="row")) == "t, row 2: empty"
    assert str(LogError("empty")) == "empty"


def test_errors_are_also_those_that_others_catch():
    assert issubclass(NotFittedError, (ValueError, AttributeError))
    assert issubclass(ParameterError, ValueError)
    assert issubclass(NotFittedError, RecsysError)


def test_blas_stays_on_one_thread_until_the_last_that_needs_it_so_ends():
    def numbers():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    pools, before = threads._BlasPools(), numbers()
    first, second = pools.limit(), pools.limit()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert numbers() == {1}
    second.__exit__(None, None, None)
    assert numbers() == before
