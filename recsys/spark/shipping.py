"""A bundle on the workers of a cluster: sent once to each executor, and mapped by each process once."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from recsys.errors import ModelError
from recsys.files import current_folder
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.bundle_parts import RECORD
from recsys.recommend.model_pointer import model_folder
from recsys.recommend.signature import key_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class ShippedBundle:
    """Where a worker finds a bundle.

    Attributes
    ----------
    folder : str
        The bundle's own folder, on a machine that has it.
    archive : str, optional
        What Spark calls the copy that it sends to each executor; None where all tasks run on this machine.
    digest : str
        Of the bundle, by which one that was replaced is told from it.
    """

    folder: str
    archive: str | None
    digest: str

    def opened(self) -> Bundle:
        """Return the bundle, in a worker; the same object for all tasks of a process.

        Raises
        ------
        ModelError
            If another bundle has taken its place.
        """
        return _opened(self)


@lru_cache(maxsize=1)
def _opened(shipped: ShippedBundle) -> Bundle:
    folder = Path(shipped.folder)
    if shipped.archive is not None:
        from pyspark import SparkFiles

        folder = Path(SparkFiles.get(shipped.archive))
    if _digest(folder) != shipped.digest:
        raise ModelError(f"the model in {folder} was replaced while lists were made of it; begin again.")
    return load_bundle(folder, mapped=key_of(None) is None)


def _digest(folder: Path) -> str:
    return str(json.loads((folder / RECORD).read_text(encoding="utf-8"))["digest"])


@contextmanager
def shipped(spark: SparkSession, model: str | Path | Bundle) -> Iterator[tuple[Bundle, ShippedBundle]]:
    """Yield a bundle, and where workers find it.

    Parameters
    ----------
    spark : SparkSession
    model : str, Path or Bundle
        A folder, or a bundle of this process, which is written to a temporary folder first.
    """
    with TemporaryDirectory(prefix="recsys-shipped-") as scratch:
        if isinstance(model, Bundle):
            bundle, folder = model, Path(scratch) / "model"
            save_bundle(bundle, folder)
        else:
            bundle = load_bundle(model, mapped=key_of(None) is None)
            folder = current_folder(model_folder(Path(model).expanduser().resolve()))
        digest = _digest(folder)
        archive = None
        if not spark.sparkContext.master.startswith("local["):
            archive = f"recsys-model-{digest[:16]}"
            packed = Path(scratch) / f"{archive}.tar"
            with tarfile.open(packed, "w") as file:
                for part in sorted(folder.iterdir()):
                    file.add(part, part.name)  # Spark unpacks no entry for the folder itself
            spark.sparkContext.addArchive(f"{packed}#{archive}")
        yield bundle, ShippedBundle(str(folder), archive, digest)
