"""Signing a bundle: only one that is whole."""

from __future__ import annotations

from pathlib import Path

from recsys.recommend.model_pointer import model_folder
from recsys.recommend.signature import read_key, write_signature
from recsys.recommend.verification import verify_bundle


def sign_bundle(folder: str | Path, key: str | Path) -> None:
    """Sign a bundle that is whole.

    Parameters
    ----------
    folder : str or Path
    key : str or Path
        File of a shared secret, or of a private Ed25519 key.

    Raises
    ------
    ParameterError
        If the key cannot be used.
    BundleError
        If the bundle is not whole.
    DependencyError
        If the key is one of a pair and ``cryptography`` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import recsys
    >>> log = pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model, key = Path(folder, "model"), Path(folder, "key")
    ...     _ = key.write_bytes(bytes(32))
    ...     recsys.save_bundle(recsys.train(recsys.Popularity(), log), model)
    ...     recsys.sign_bundle(model, key)
    ...     recsys.load_bundle(model, key=key)
    Bundle(popularity: 2 users, 2 items, 3 pairs seen, from the data frame)
    """
    secret = read_key(key)
    whole = model_folder(Path(folder).expanduser().resolve())
    write_signature(whole, verify_bundle(whole).digest, secret)
