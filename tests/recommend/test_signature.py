"""A signed bundle is that of the one who has the key, and no other is loaded where a key is asked for."""

from __future__ import annotations

import json

import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, DependencyError, ParameterError
from recsys.models.registry import make
from recsys.recommend import signature
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.signing import sign_bundle
from recsys.recommend.verification import verify_bundle
from tests.matrices import random_matrix


def save(folder, seed=0):
    data = Interactions.from_matrix(random_matrix(6, 5, density=0.6, seed=seed))
    save_bundle(Bundle.of(make("popularity").fit(data), data), folder)


@pytest.fixture(params=["secret", "pair"])
def keys(request, tmp_path):
    """Return the files of a key to sign with, of the one to check with, and of another of its kind."""
    if request.param == "secret":
        for number, name in enumerate(("ours", "theirs")):
            (tmp_path / name).write_bytes(bytes([number]) * 32)
        return tmp_path / "ours", tmp_path / "ours", tmp_path / "theirs"
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    made = [ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (0, 1)]
    private = made[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "private").write_bytes(private)
    for name, key in zip(("ours", "theirs"), made, strict=True):
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / name).write_bytes(public)
    return tmp_path / "private", tmp_path / "ours", tmp_path / "theirs"


def test_what_is_signed_is_loaded_by_its_key_alone(tmp_path, keys, monkeypatch):
    private, ours, theirs = keys
    folder = tmp_path / "model"
    save(folder)
    with pytest.raises(BundleError, match="is not signed, and a key is asked for"):
        load_bundle(folder, key=ours)
    sign_bundle(folder, private)
    assert load_bundle(folder, key=ours).model.is_fitted
    assert load_bundle(folder).model.is_fitted
    assert verify_bundle(folder, key=ours).signature_checked
    assert not verify_bundle(folder).signature_checked
    with pytest.raises(BundleError, match="not by this key"):
        load_bundle(folder, key=theirs)
    monkeypatch.setenv(signature.KEY_VARIABLE, str(theirs))
    with pytest.raises(BundleError, match="not by this key"):
        load_bundle(folder)


def test_the_signature_of_one_model_is_none_of_another(tmp_path, keys):
    private, ours, _ = keys
    for seed in (0, 1):
        save(tmp_path / str(seed), seed)
        sign_bundle(tmp_path / str(seed), private)
    (tmp_path / "1" / signature.FILE).write_bytes((tmp_path / "0" / signature.FILE).read_bytes())
    with pytest.raises(BundleError, match="or of another model"):
        load_bundle(tmp_path / "1", key=ours)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"algorithm": "none", "signature": "zz"}', b"\xff"]
)
def test_a_signature_that_cannot_be_read(tmp_path, keys, content):
    save(tmp_path / "model")
    (tmp_path / "model" / signature.FILE).write_bytes(content)
    with pytest.raises(BundleError, match="cannot be read; sign the model again"):
        load_bundle(tmp_path / "model", key=keys[1])


def test_a_signature_of_another_kind(tmp_path, keys):
    save(tmp_path / "model")
    sign_bundle(tmp_path / "model", keys[0])
    path = tmp_path / "model" / signature.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "algorithm": "none"}))
    with pytest.raises(BundleError, match="is signed by 'none', the key is of another kind"):
        load_bundle(tmp_path / "model", key=keys[1])


def test_keys_that_are_none(tmp_path, monkeypatch):
    save(tmp_path / "model")
    (tmp_path / "short").write_bytes(b"secret")
    with pytest.raises(ParameterError, match="has 6 bytes; expected 32 or more"):
        sign_bundle(tmp_path / "model", tmp_path / "short")
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        load_bundle(tmp_path / "model", key=tmp_path / "nowhere")
    (tmp_path / "pem").write_bytes(b"-----BEGIN NOTHING-----\n" * 3)
    pytest.importorskip("cryptography")
    with pytest.raises(ParameterError, match="no private key that can be used"):
        sign_bundle(tmp_path / "model", tmp_path / "pem")
    monkeypatch.setitem(__import__("sys").modules, "cryptography.exceptions", None)
    with pytest.raises(DependencyError, match=r"recsys\[sign\]"):
        sign_bundle(tmp_path / "model", tmp_path / "pem")


def test_a_model_saved_anew_is_no_longer_signed(tmp_path, keys):
    save(tmp_path / "model")
    sign_bundle(tmp_path / "model", keys[0])
    save(tmp_path / "model", 1)
    with pytest.raises(BundleError, match="is not signed"):
        load_bundle(tmp_path / "model", key=keys[1])
