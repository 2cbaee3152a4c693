"""Fetching from a server on the loopback address that does what servers should not."""

import hashlib
import http.server
import io
import json
import resource
import stat
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.data import formats
from recsys.data.fetching import RemoteFile, _Redirects, fetch
from recsys.errors import InputError, OutputError, ParameterError
from recsys_cli.main import run
from tests.web import running

LOG = b"1::2::3::978300760\n" * 50


def archive(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in members.items():
            target.writestr(name.replace("__", "/"), text)
    return content.getvalue()


GOOD = archive(ml__ratings=LOG, ml__movies=b"2::A::B\n", **{"..__..__evil": b"evil"})


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header(
                "Location", {"good": "/good", "loop": "/to/loop"}.get(self.path[4:], "file:///etc/passwd")
            )
            self.end_headers()
            return
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        body = GOOD + b"more" * 1000 if self.path == "/long" else GOOD
        if self.path == "/changed":
            body = body[:-1] + b"!"
        if self.path != "/unsaid":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if self.path in ("/cut", "/unsaid") else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(Handler) as address:
        yield address


def remote(
    url: str, content: bytes = GOOD, members: tuple[str, ...] = ("ml/ratings", "ml/movies")
) -> RemoteFile:
    return RemoteFile(url, hashlib.sha256(content).hexdigest(), len(content), members)


@pytest.mark.parametrize("path", ["/good", "/to/good"])
def test_what_is_wanted_is_fetched(server: str, tmp_path: Path, path: str) -> None:
    files = fetch(remote(server + path), tmp_path / "out")
    assert files == [tmp_path / "out" / "ratings", tmp_path / "out" / "movies"]
    assert files[0].read_bytes() == LOG
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["movies", "out", "ratings"]
    with pytest.raises(InputError, match="exists already"):
        fetch(remote(server + path), tmp_path / "out")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/cut", "cut off|IncompleteRead"),
        ("/unsaid", "cut off: 100 bytes came"),
        ("/long", "longer than known"),
        ("/changed", "is not what is known of it: its SHA-256 is"),
        ("/to/loop", "could not be fetched"),
        ("/to/file", "could not be fetched: .*file:///etc/passwd. is not allowed"),
        ("/gone", "could not be fetched: Not Found"),
    ],
)
def test_nothing_is_kept_of_what_is_wrong(server: str, tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fetch(remote(server + path), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_archives_are_unpacked_safely(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as target:
        about = zipfile.ZipInfo("ml/ratings")
        about.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(about, "/etc/passwd")
    broken = bytearray(GOOD)
    broken[60] ^= 0xFF
    cases = {
        "is no file": link.getvalue(),
        "could not be unpacked": b"<html>no archive</html>",
        r"could not be unpacked|Error -3": bytes(broken),
        "holds no 'ml/ratings'": archive(other=b"x"),
        "is longer than 1,000 bytes": archive(ml__ratings=b"0" * 100_000),
    }
    for message, content in cases.items():
        monkeypatch.setattr("tests.data.test_fetching.GOOD", content)
        with pytest.raises(InputError, match=message):
            fetch(remote(server + "/good", content, ("ml/ratings",)), tmp_path / "out", most_unpacked=1_000)
        assert list(tmp_path.iterdir()) == []


def test_a_member_cannot_leave_the_folder(server: str, tmp_path: Path) -> None:
    (file,) = fetch(remote(server + "/good", members=("../../evil",)), tmp_path / "a" / "out")
    assert file == tmp_path / "a" / "out" / "evil"
    assert not (tmp_path / "evil").exists()


def test_an_encrypted_address_leads_to_no_plain_one() -> None:
    request = urllib.request.Request("https://example.org/a.zip")
    with pytest.raises(InputError, match=r"leads to http://example\.org/a\.zip, which is not followed"):
        _Redirects().redirect_request(request, None, 302, "", {}, "http://example.org/a.zip")
    with pytest.raises(ParameterError, match="none of the web"):
        fetch(remote("file:///etc/passwd"), "out")


def test_no_server_answers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not be fetched: .*refused"):
        fetch(remote("http://127.0.0.1:9"), tmp_path / "out")


def test_no_room_for_the_archive_is_no_fault_of_the_address(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "small"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OutputError, match=r"small has no room for the archive that is fetched: .*TMPDIR"):
            fetch(remote(server + "/good"), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_the_command(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = formats.named("movielens-1m")
    monkeypatch.setattr(
        formats,
        "named",
        lambda _: formats.NamedFormat("x", "", "", "", known.log_format, remote(server + "/good")),
    )
    monkeypatch.chdir(tmp_path)
    assert run(["data", "fetch", "movielens-1m", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["next"] == (
        "recsys data describe movielens-1m/ratings --format movielens-1m --items movielens-1m/movies"
    )


def test_what_can_be_fetched_is_well_described(capsys: pytest.CaptureFixture[str]) -> None:
    known = {name: formats.named(name).remote for name in formats.names()}
    fetched = {name: about for name, about in known.items() if about is not None}
    assert {"movielens-100k", "movielens-1m"} <= set(fetched)
    for about in fetched.values():
        assert about.url.startswith("https://")
        assert len(bytes.fromhex(about.sha256)) == 32
    assert run(["data", "fetch", "yelp"]) == 2
    assert "cannot be fetched by a program" in capsys.readouterr().err
    with pytest.raises(ParameterError, match=r"expected bytes, members, sha256, url"):
        RemoteFile.of({"url": "x"}, "x.toml")
