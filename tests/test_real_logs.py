"""Who has the real logs elsewhere says so by RECSYS_DATA."""

import pytest

from tests.real_logs import DEFAULT, VARIABLE, real_logs


def test_a_named_folder_is_taken(monkeypatch, tmp_path):
    (tmp_path / "ml-100k").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert real_logs() / "ml-100k" == tmp_path / "ml-100k"


def test_a_log_that_is_absent_skips_the_test_and_says_where_it_would_be(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"gowalla is absent.*tests/README\.md"):
        real_logs() / "gowalla"


def test_a_name_that_leads_nowhere_fails(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(pytest.fail.Exception, match="which is no folder"):
        real_logs()


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_it_is_the_folder_beside_the_project(monkeypatch, value):
    if value is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, value)
    assert real_logs().folder == DEFAULT
