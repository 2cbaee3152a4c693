"""The address of a standalone master of Spark: what answers there, and whether it may be a master."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from recsys.errors import InputError, ParameterError

_SCHEME = "spark://"
_CONNECT_SECONDS, _LISTEN_SECONDS = 10.0, 1.0
_INCOMPLETE = b"\0\0\0\0\0\0\0\xff\r\n\r\n"
"""The length of a message of Spark, 255 bytes, and the first four of these. A master waits for the others and
says nothing; a web server takes it for a whole request, which it does not understand."""
_TLS_ALERT = b"\x15\x03"
_ADVICE = "or take --spark-master 'local[2]' to run on this machine."


def is_standalone(master: str) -> bool:
    """Return whether a master is one of Spark's own, named by its address."""
    return master.startswith(_SCHEME)


def check_answers(master: str) -> None:
    """Raise if nothing answers at a ``spark://`` address, or something that is no master.

    One of several addresses is enough. What says nothing may be a master: Spark itself finds that out.

    Raises
    ------
    InputError
        Which says what was found at each address.
    ParameterError
        If it is no address.
    """
    if not is_standalone(master):
        return
    silent, speaking = [], []
    for address in master.removeprefix(_SCHEME).split(","):
        host, port = _host_and_port(address, master)
        try:
            words = _words_of(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that a host may have
            silent.append(f"{address}: {getattr(error, 'strerror', None) or error}")
            continue
        if words is None:
            return
        speaking.append(f"{words} answers at {address}")
    if not speaking:
        raise InputError(
            f"the Spark master {master} does not answer ({'; '.join(silent)}). Check its address, {_ADVICE}"
        )
    raise InputError(
        f"there is no Spark master: {'; '.join(speaking + silent)}. A master listens at port 7077 unless it "
        f"is given another one, which its web page names; give that address, {_ADVICE}"
    )


def _host_and_port(address: str, master: str) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{address}")
        host, port = split.hostname, split.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise ParameterError(f"the master {master!r} is none; expected e.g. spark://host:7077 or local[4].")
    return host, port


def _words_of(host: str, port: int) -> str | None:
    """Return what answers, by what it says, or None if it is silent as a master is.

    Raises
    ------
    OSError
        If nothing takes the connection.
    """
    with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as connection:
        connection.settimeout(_LISTEN_SECONDS)
        try:
            connection.sendall(_INCOMPLETE)
            said = connection.recv(64)
        except OSError:  # silent until now, or gone
            return None
    if not said or said.startswith(_TLS_ALERT):  # a master that wants TLS may say so
        return None
    if said.startswith(b"HTTP/"):
        return "a web server"
    greeting = re.sub(r"[^ -~]+", " ", said.decode("latin-1")).strip()
    return f"something that says {greeting!r}" if greeting else "something that is no Spark"
