"""Files of known formats, fetched from where they are published, checked against a known hash, and unpacked.

Nothing that comes over the network is trusted: the bytes must be as many as expected and have the hash that
stands in ``datasets/formats/``; of an archive only the files named there are taken, under their own names,
each no longer than a limit. What is written appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import stat
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any

from recsys.data.file import room_for_copy
from recsys.errors import InputError, ParameterError, RecsysError
from recsys.files import atomic_write_folder

_CHUNK = 1 << 20
_SECONDS = 30
_MOST_REDIRECTS = 5
_ARCHIVE = "the archive that is fetched"
_MOST_UNPACKED = 1 << 34
_KEYS = {"url", "sha256", "bytes", "members"}


@dataclass(frozen=True)
class RemoteFile:
    """An archive that can be fetched.

    Attributes
    ----------
    url : str
    sha256 : str
        Of the archive, 64 hexadecimal digits.
    n_bytes : int
    members : tuple of str
        The files that are taken from it, the log first; their last parts are their names here.
    """

    url: str
    sha256: str
    n_bytes: int
    members: tuple[str, ...]

    @classmethod
    def of(cls, table: dict[str, Any], where: str) -> RemoteFile:
        """Return what a table ``[file]`` says.

        Raises
        ------
        ParameterError
            If a key is missing or unknown.
        """
        if table.keys() != _KEYS:
            raise ParameterError(f"{where}: expected {', '.join(sorted(_KEYS))} in [file].")
        return cls(table["url"], table["sha256"], table["bytes"], tuple(table["members"]))


def fetch(remote: RemoteFile, folder: str | Path, *, most_unpacked: int = _MOST_UNPACKED) -> list[Path]:
    """Fetch an archive, and write the files that are wanted of it.

    Parameters
    ----------
    remote : RemoteFile
    folder : str or Path
        For the files; must be new or empty.
    most_unpacked : int
        Bytes that a file may have.

    Returns
    -------
    list of Path
        The files, in the order of ``remote.members``.

    Raises
    ------
    InputError
        If the folder holds something, the address does not answer, sends something else than is known or
        leads to where it may not, or the archive does not hold what it should.
    OutputError
        If the folder cannot be written, or there is no room for the archive among temporary files.
    """
    folder = Path(folder).expanduser()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} exists already, and is not overwritten; name another folder by --out.")
    with room_for_copy(_ARCHIVE), tempfile.TemporaryFile() as archive:
        _download(remote, archive)
        with atomic_write_folder(folder) as place:
            for member in remote.members:
                _unpack(remote, archive, member, place / PurePosixPath(member).name, most_unpacked)
    return [folder / PurePosixPath(member).name for member in remote.members]


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, and never from an encrypted address to one that is not."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        scheme = newurl.partition(":")[0].lower()
        if req.full_url.startswith("https:") and scheme != "https":
            raise InputError(f"{req.full_url} leads to {newurl}, which is not followed.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(remote: RemoteFile, target: IO[bytes]) -> None:
    opener = urllib.request.build_opener(_Redirects)
    if not remote.url.startswith(("https://", "http://")):
        raise ParameterError(f"the address {remote.url!r:.80} is none of the web.")
    request = urllib.request.Request(remote.url, headers={"User-Agent": "recsys"})  # noqa: S310 - it is checked
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            # One byte more than is expected is enough to know that it is something else.
            while n_bytes <= remote.n_bytes and (chunk := answer.read(_CHUNK)):
                digest.update(chunk)
                n_bytes += len(chunk)
                with room_for_copy(_ARCHIVE):
                    target.write(chunk)
    except RecsysError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise InputError(f"{remote.url} could not be fetched: {reason}.") from error
    with room_for_copy(_ARCHIVE):
        target.flush()
    if n_bytes != remote.n_bytes:
        problem = "cut off" if n_bytes < remote.n_bytes else "longer than known"
        raise InputError(
            f"{remote.url} is {problem}: {n_bytes:,} bytes came where {remote.n_bytes:,} are expected; "
            f"nothing is kept. Try again."
        )
    if digest.hexdigest() != remote.sha256:
        raise InputError(
            f"{remote.url} is not what is known of it: its SHA-256 is {digest.hexdigest()}, expected "
            f"{remote.sha256}; nothing is kept."
        )


def _unpack(remote: RemoteFile, archive: IO[bytes], member: str, path: Path, most: int) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            about = opened.getinfo(member)
            if about.is_dir() or stat.S_ISLNK(about.external_attr >> 16):
                raise InputError(f"{member!r} of {remote.url} is no file.")
            n_bytes = 0
            with opened.open(about) as packed, path.open("wb") as target:
                while chunk := packed.read(_CHUNK):
                    n_bytes += len(chunk)
                    if n_bytes > most:
                        raise InputError(f"{member!r} of {remote.url} is longer than {most:,} bytes.")
                    target.write(chunk)
    except KeyError:
        raise InputError(f"{remote.url} holds no {member!r}.") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{remote.url} could not be unpacked: {error}.") from error
