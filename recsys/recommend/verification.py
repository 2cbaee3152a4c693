"""Whether a bundle on disk is whole, and what it holds, without an answer being asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys.files import current_folder
from recsys.recommend.bundle_files import load_bundle
from recsys.recommend.model_pointer import model_folder
from recsys.recommend.signature import FILE as SIGNATURE
from recsys.recommend.signature import key_of


@dataclass(frozen=True)
class VerifiedBundle:
    """What a bundle that passed every check holds.

    Attributes
    ----------
    folder : str
    model : str
        Name of the model, e.g. "masked-nmf".
    format : int
        Version of the layout of the files.
    written_by : str
        The version of recsys that wrote it.
    digest : str
        SHA-256 of the record, which holds the hashes of the other files: two bundles with one digest
        give the same answers.
    n_users, n_items, n_entries : int
        Entries are the pairs seen in training.
    is_signed : bool
        Whether it holds a signature.
    signature_checked : bool
        Whether that was checked by a key.
    source : str or None
        The log it was trained on.
    files : mapping of str to int
        Size of each file in bytes.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import recsys
    >>> log = pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recsys.save_bundle(recsys.train(recsys.Popularity(), log), f"{folder}/model")
    ...     recsys.verify_bundle(f"{folder}/model").n_users
    2
    """

    folder: str
    model: str
    format: int
    written_by: str
    digest: str
    n_users: int
    n_items: int
    n_entries: int
    is_signed: bool
    signature_checked: bool
    source: str | None
    files: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the attributes by name, ready for JSON."""
        return asdict(self)


def verify_bundle(folder: str | Path, *, key: str | Path | None = None) -> VerifiedBundle:
    """Check a bundle as loading does: hashes, shapes, ranges, ids and parameters.

    Without a key the check is remembered: `recsys.load_bundle` then maps the bundle without another one.

    Parameters
    ----------
    folder : str or Path
    key : str or Path, optional
        As for `recsys.load_bundle`.

    Returns
    -------
    VerifiedBundle

    Raises
    ------
    BundleError
        If a part is missing, changed, of a newer format or inconsistent, or the signature is not right;
        the message says which.
    """
    # Mapped, so that a bundle larger than memory can be verified, and so that the check is remembered; what
    # a key vouches for is read, as it is where it is used.
    bundle = load_bundle(folder, key=key, mapped=key_of(key) is None, verify="always")
    place = current_folder(model_folder(Path(folder).expanduser().resolve()))
    record = json.loads((place / "model.json").read_text(encoding="utf-8"))
    source = bundle.training.get("source")
    return VerifiedBundle(
        folder=str(folder),
        model=bundle.model.name,
        format=record["format"],
        written_by=record["versions"]["recsys"],
        digest=record["digest"],
        n_users=len(bundle.user_ids),
        n_items=len(bundle.item_ids),
        n_entries=bundle.seen.nnz,
        is_signed=(place / SIGNATURE).is_file(),
        signature_checked=key_of(key) is not None,
        source=None if source is None else str(source),
        files={path.name: path.stat().st_size for path in sorted(place.iterdir()) if path.is_file()},
    )
