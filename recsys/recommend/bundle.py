"""A trained model as a folder: JSON, safetensors and Parquet, nothing that runs code.

::

    model.json           format, model name and config, versions, training data, hashes of the rest
    arrays.safetensors   what the model learned, the entries seen in training, item counts
    users.parquet        id
    items.parquet        id, name
    themes.toml          what people call the themes, where somebody wrote it; the one file to be edited

Written to a sibling, synced and renamed: a reader finds the old bundle or the new one.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys._version import __version__
from recsys.data.ids import Id, Ids, listed_ids
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import BundleError, InputError, ModelError, RecsysError
from recsys.factorization.history import History
from recsys.files import atomic_write_folder, current_folder, previous_folder, sha256
from recsys.models.base import Model, require
from recsys.models.registry import MODELS, make
from recsys.recommend.explain import Subject, explain, with_reasons
from recsys.recommend.explanation import Explanation
from recsys.recommend.lists import lists_for_histories, lists_for_users
from recsys.recommend.ranking import check_n
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.rules import Rules
from recsys.recommend.similar import Similarities, similar_items, similar_users
from recsys.recommend.theme_items import ThemeItems
from recsys.recommend.theme_labels import FILE, labels_text, read_labels
from recsys.typing import AnyArray, Float32Array, Int64Array

FORMAT = 1
_ATTEMPTS = 20
_PARTS = ("arrays.safetensors", "users.parquet", "items.parquet")


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted model with all that recommending needs.

    Attributes
    ----------
    model : Model
    user_ids, item_ids : Ids
    seen : CompressedRows, (n_users, n_items)
        The training entries: what a list of new items leaves out, and what explanations fold in again.
    item_counts : int64, (n_items,)
        How many users have each item: the list for users the model does not know.
    item_names : mapping of id to str
        Names to show; an item without one shows its id.
    training : dict
        Where the data came from: source, digest, counts, seconds.
    has_values : bool
        Whether ``seen`` holds the values trained on; of a bundle of an older version it holds ones.
    theme_labels : mapping of int to str
        What people call themes, by number from 1.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> bundle = recsys.train(recsys.MaskedNMF(1), frame)
    >>> bundle
    Bundle(masked-nmf: 4 users, 3 items, 8 pairs seen, from the data frame)
    >>> [row["item"] for row in next(bundle.recommend(1, n=1).lists())["items"]]
    ['c']
    >>> bundle.predict([1, 2], ["c", "b"]).shape
    (2,)
    """

    model: Model
    user_ids: Ids
    item_ids: Ids
    seen: CompressedRows
    item_counts: Int64Array
    item_names: Mapping[Id, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    has_values: bool = True
    theme_labels: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Model,
        train: Interactions,
        *,
        item_names: Mapping[Id, str] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Bundle:
        """Join a fitted model and the data it was fitted to.

        Raises
        ------
        ModelError
            If the model was fitted to data of another size.
        """
        if (model.n_users_, model.n_items_) != (train.n_users, train.n_items):
            raise ModelError(
                f"the model was fitted to {model.n_users_} x {model.n_items_}, "
                f"the data is {train.n_users} x {train.n_items}."
            )
        record = {
            "digest": train.digest,
            "n_users": train.n_users,
            "n_items": train.n_items,
            "n_entries": train.nnz,
            "feedback": train.feedback,
            **(training or {}),
        }
        return cls(
            model, train.user_ids, train.item_ids, train.by_user, train.item_counts, item_names or {}, record
        )

    def __repr__(self) -> str:
        source = self.training.get("source")
        return (
            f"Bundle({self.model.name}: {len(self.user_ids):,} users, {len(self.item_ids):,} items, "
            f"{self.seen.nnz:,} pairs seen{'' if source is None else f', from {source}'})"
        )

    def predict(self, user_ids: Iterable[Id] | Id, item_ids: Iterable[Id] | Id) -> Float32Array:
        """Return predicted values of pairs, in the units of the log.

        Parameters
        ----------
        user_ids, item_ids : id or iterable of id, (n_pairs,)
            One alone is paired with all of the others.

        Returns
        -------
        float32, (n_pairs,)

        Raises
        ------
        InputError
            If an id is not known, or there are not as many users as items.
        ModelError
            If the model ranks but does not predict values.
        """
        users, items = listed_ids(user_ids, "user_ids"), listed_ids(item_ids, "item_ids")
        if len(users) != len(items) and 1 not in (len(users), len(items)):
            raise InputError(
                f"{len(users)} users and {len(items)} items make no pairs; give as many of each."
            )
        rows = np.broadcast_arrays(
            self.user_ids.known_rows(users, "user"), self.item_ids.known_rows(items, "item")
        )
        return self.model.predict_by_row(rows[0], rows[1])

    def recommend(
        self,
        users: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for each user, by ids; see `Recommender.recommend`."""
        lists = lists_for_users(self, users, n, include_seen=include_seen, rules=rules)
        return with_reasons(self, lists, reasons)

    def recommend_for(
        self,
        history: Iterable[Id] | Mapping[Id, float],
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for somebody who is known by what they did alone (fold-in).

        Parameters
        ----------
        history : iterable of item id, or mapping of item id to rating or amount
            Ids alone count 1 each; a model that learns from ratings needs them.
        n : int
            Longest list, 1 or more.
        include_seen : bool
            Whether items of the history may be listed.
        rules : Rules, optional
            What else the list keeps to; those for single users name "history".
        reasons : int
            Most past items that the reason for an item names; 0 for no reasons.

        Returns
        -------
        Recommendations
            One list, of the user "history".

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` is below 1, or the model needs ratings and there are none.
        ModelError
            If the model cannot answer for users it was not trained on.
        """
        lists = lists_for_histories(self, {"history": history}, n, include_seen=include_seen, rules=rules)
        return with_reasons(self, lists, reasons, {"history": history})

    def recommend_for_each(
        self,
        histories: Mapping[Id, Iterable[Id] | Mapping[Id, float]],
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        reasons: int = 0,
    ) -> Recommendations:
        """Return the best n items for several people who are known by what they did alone.

        All are folded in together, which is much quicker than one after the other.

        Parameters
        ----------
        histories : mapping of name to history
            A history as by `recommend_for`; an empty one gets the popularity list, marked ``"popularity"``.
        n, include_seen, rules, reasons
            As in `recommend_for`; rules for single users go by the names.

        Returns
        -------
        Recommendations
            A list for each, under its name.

        Raises
        ------
        InputError, ParameterError, ModelError
            As `recommend_for`.
        """
        if not isinstance(histories, Mapping):
            raise InputError(
                f"histories is {histories!r:.80}; expected a mapping, e.g. {{'ann': ['tea', 'milk']}}."
            )
        lists = lists_for_histories(self, histories, n, include_seen=include_seen, rules=rules)
        return with_reasons(self, lists, reasons, histories)

    def notes_on(self, rules: Rules) -> tuple[str, ...]:
        """Return what is to be said of rules before they are used: ids that are not known, and the like.

        Raises
        ------
        InputError
            If they leave no item, or name nothing that is known.
        """
        return rules.restriction(self.user_ids, self.item_ids, self.item_counts).notes

    def explain(
        self,
        user: Id,
        items: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        reasons: int = 3,
        counterfactual: bool = True,
    ) -> tuple[Explanation, ...]:
        """Return why items are in a user's list, or why other items have the scores they have.

        Parameters
        ----------
        user : id
            One whom the model does not know gets the popularity list, and its reason.
        items : id or iterable of id, optional
            By default the best n that the user has not.
        n : int
            Length of the list, which counterfactuals are about, too.
        reasons : int
            Most past items that a reason names.
        counterfactual : bool
            Whether to look for the fewest past items without which an item leaves the list. It takes longest.

        Returns
        -------
        tuple of Explanation
            One an item, in their order.

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` or ``reasons`` is below 1.
        """
        check_n(n)
        check_n(reasons, "reasons")
        subject = Subject.of_user(self, listed_ids(user, "user")[0])
        return explain(self, subject, items, n, n_named=reasons, counterfactual=counterfactual)

    def explain_for(
        self,
        history: Iterable[Id] | Mapping[Id, float],
        items: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        reasons: int = 3,
        counterfactual: bool = True,
    ) -> tuple[Explanation, ...]:
        """Return explanations for somebody known by a history alone; see `explain` and `recommend_for`."""
        check_n(n)
        check_n(reasons, "reasons")
        subject = Subject.of_history(self, history)
        return explain(self, subject, items, n, n_named=reasons, counterfactual=counterfactual)

    def similar(self, items: Iterable[Id] | Id, n: int = 10, *, by: str | None = None) -> Similarities:
        """Return the items most alike to some items.

        All items are compared. Equals stand in the order of their numbers.

        Parameters
        ----------
        items : id or iterable of id
        n : int
            Most for each.
        by : {"neighbors", "factors"}, optional
            ``"neighbors"``: by what having the one adds to the score of the other; the default where the
            model learns that. ``"factors"``: by the cosine of their factors.

        Raises
        ------
        InputError
            If an item is not known to the model.
        ParameterError
            If ``n`` is below 1, or ``by`` is none of these.
        ModelError
            If the model learns nothing to compare items by.
        """
        return similar_items(self.model, self.item_ids, self.name_of, items, n, by)

    def similar_users(self, users: Iterable[Id] | Id, n: int = 10) -> Similarities:
        """Return the users most alike to some users, by the cosine of their factors; see `similar`."""
        return similar_users(self.model, self.user_ids, users, n)

    @cached_property
    def theme_items(self) -> ThemeItems | None:
        """What the components of the model are about; None where their factors may be of any sign."""
        components = self.model.component_model
        return None if components is None else ThemeItems.of(components, self.seen)

    def name_of(self, item_id: Id) -> str:
        """Return an item's name, or its id as text."""
        return self.item_names.get(item_id) or str(item_id)


def check_place(folder: Path) -> None:
    """Raise BundleError if ``folder`` is something else than a bundle or an empty folder."""
    if (
        not folder.exists()
        or (folder / "model.json").exists()
        or (folder.is_dir() and not any(folder.iterdir()))
    ):
        return
    raise BundleError(f"{folder} exists and is no model bundle; give another place.")


def save_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write a bundle; an older bundle at that place is replaced as a whole.

    Raises
    ------
    BundleError
        If ``folder`` is something else than a bundle or an empty folder.
    """
    folder = Path(folder).expanduser()
    check_place(folder)
    history = bundle.model.history
    with atomic_write_folder(folder) as place:
        arrays = {f"model.{name}": array for name, array in bundle.model.to_arrays().items()}
        arrays["seen.indptr"], arrays["seen.items"] = bundle.seen.indptr, bundle.seen.columns
        if bundle.has_values:
            arrays["seen.values"] = _stored_values(bundle.seen.values)
        arrays["item_counts"] = bundle.item_counts
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, place / _PARTS[0])
        pq.write_table(pa.table({"id": _id_column(bundle.user_ids)}), place / _PARTS[1])
        names = [bundle.item_names.get(item) for item in bundle.item_ids]
        pq.write_table(
            pa.table({"id": _id_column(bundle.item_ids), "name": pa.array(names, pa.string())}),
            place / _PARTS[2],
        )
        record = {
            "format": FORMAT,
            "model": bundle.model.name,
            "config": bundle.model.config(),
            "training": dict(bundle.training),
            "history": None if history is None else history.to_json(),
            "versions": {"recsys": __version__, "numpy": np.__version__, "python": platform.python_version()},
            "parts": {part: sha256(place / part) for part in _PARTS},
        }
        record["digest"] = _digest(record)
        if bundle.theme_labels:
            (place / FILE).write_text(labels_text(bundle.theme_labels), encoding="utf-8")
        (place / "model.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _stored_values(values: Float32Array) -> Float32Array:
    """Return the values of entries, or one for all of them where they are equal, as in a log of clicks."""
    is_constant = len(values) > 0 and bool(np.all(values == values[0]))
    return values[:1] if is_constant else values


def _digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record: it guards against damage and slips, not against forgers."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _id_column(ids: Ids) -> pa.Array:
    return pa.array(ids.values, pa.int64() if ids.is_integer else pa.string())


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; hashes, shapes, ids and numbers are checked before anything is used.

    Raises
    ------
    BundleError
        If a part is missing, changed, of a newer format or inconsistent.
    """
    if not isinstance(folder, (str, Path)):
        raise BundleError(f"a bundle is read from a folder, not from {folder!r:.80}; give its path.")
    folder = Path(folder).expanduser().resolve()
    for attempt in range(_ATTEMPTS):
        place = current_folder(folder)
        before = _stamp(place)
        try:
            return _load(place)
        except (
            RecsysError,
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RecursionError,
            pa.ArrowException,
            SafetensorError,
        ) as error:
            if attempt + 1 < _ATTEMPTS:
                time.sleep(0.002 * attempt)
                if _stamp(current_folder(folder)) != before or previous_folder(folder).exists():
                    continue  # another process was putting a new bundle in its place
            if isinstance(error, BundleError):
                raise
            raise BundleError(f"{folder}: the bundle cannot be read: {error}") from error
    raise AssertionError("unreachable")


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Return what tells one bundle at a place from the next."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _load(folder: Path) -> Bundle:
    if not (folder / "model.json").is_file():
        raise BundleError(
            f"{folder} is no model bundle: it holds no model.json; make one with 'recsys train'."
        )
    record = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else None
        raise BundleError(f"{folder}: the bundle has format {found}; this version reads {FORMAT}.")
    if record.get("digest") != _digest({key: value for key, value in record.items() if key != "digest"}):
        raise BundleError(f"{folder}: model.json is not what was written; train the model again.")
    for part in _PARTS:
        if not (folder / part).is_file():
            raise BundleError(f"{folder}: {part} is missing; train the model again.")
        if sha256(folder / part) != record["parts"][part]:
            raise BundleError(f"{folder}: {part} is not the file that was written; train the model again.")

    arrays: dict[str, AnyArray] = load_file(folder / _PARTS[0])
    # By name alone: a bundle that names a module must not have it imported.
    name = record["model"]
    if not isinstance(name, str) or name not in MODELS:
        raise BundleError(
            f"{folder}: it is of a model {name!r}; there are {', '.join(MODELS)}. If that is your own, "
            f"import the module that registers it first (recsys --import MODULE ...)."
        )
    model = make(name, MODELS[name].current_config(record["config"]))
    prefix = "model."
    learned = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    history = None if record["history"] is None else History.from_json(record["history"])
    users, items = pq.read_table(folder / _PARTS[1]), pq.read_table(folder / _PARTS[2])
    user_ids, item_ids = _ids(users), _ids(items)
    model.load(learned, history=history, ids=(user_ids, item_ids))
    if (len(user_ids), len(item_ids)) != (model.n_users_, model.n_items_):
        raise BundleError(
            f"{folder}: {len(user_ids)} users and {len(item_ids)} items are listed, "
            f"but the model has {model.n_users_} and {model.n_items_}."
        )
    indptr = require(arrays, "seen.indptr", np.int64, 1)
    columns = require(arrays, "seen.items", np.int32, 1)
    if (
        len(indptr) != len(user_ids) + 1
        or indptr[0] != 0
        or indptr[-1] != len(columns)
        or np.any(indptr[1:] < indptr[:-1])  # a difference may leave int64
        or (len(columns) and (columns.min() < 0 or columns.max() >= len(item_ids)))
    ):
        raise BundleError(f"{folder}: the pattern of seen items does not fit the lists of users and items.")
    has_values = "seen.values" in arrays
    values = require(arrays, "seen.values", np.float32, 1) if has_values else np.ones(1, dtype=np.float32)
    if len(values) not in (1, len(columns)):
        raise BundleError(f"{folder}: {len(values)} values of {len(columns)} seen items; expected as many.")
    seen = CompressedRows(indptr, columns, np.broadcast_to(values, len(columns)), len(item_ids))
    names = {
        item: name for item, name in zip(item_ids, items.column("name").to_pylist(), strict=True) if name
    }
    counts = require(arrays, "item_counts", np.int64, 1)
    if len(counts) != len(item_ids) or (len(counts) and counts.min() < 0):
        raise BundleError(f"{folder}: the counts of items do not fit the list of items.")
    components = model.component_model
    labels = {} if components is None else read_labels(folder, len(components.shares_))
    return Bundle(model, user_ids, item_ids, seen, counts, names, record["training"], has_values, labels)


def _ids(table: pa.Table) -> Ids:
    column = table.column("id")
    if column.null_count:
        raise BundleError("an id is missing in a list of ids.")
    if pa.types.is_integer(column.type):
        return Ids(column.to_numpy())
    return Ids(column.to_pylist())
