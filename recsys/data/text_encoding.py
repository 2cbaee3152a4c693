"""Columns of text as numbers: which of the different texts each row holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.typing import AnyArray, Int32Array, Int64Array, UInt64Array


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """The different texts of some rows, and a number for each row.

    Attributes
    ----------
    codes : int32, shape (n_rows,)
        The position of each row's text in ``texts``.
    texts : Arrow array of text, shape (n_texts,)
        In the order of their first rows.
    hashes : uint64, shape (n_texts,)
    """

    codes: Int32Array
    texts: pa.Array
    hashes: UInt64Array

    @classmethod
    def of(cls, texts: pa.Array, hashes: UInt64Array) -> EncodedTexts:
        """Encode texts by their hashes, which the database makes as it reads them.

        Numbers are looked up several times faster than texts. The texts that the numbers stand for are
        compared with those of the rows, so that two texts of one hash differ all the same.

        Parameters
        ----------
        texts : Arrow array of text, shape (n_rows,)
            None of them missing.
        hashes : uint64, shape (n_rows,)
            The same for equal texts.
        """
        codes, distinct = pd.factorize(hashes, size_hint=len(hashes))  # a table that never has to grow
        first = _first_rows(codes, len(distinct))
        of_hash = texts.take(pa.array(first))
        if not of_hash.take(pa.array(codes)).equals(texts):
            encoded = texts.dictionary_encode()
            codes, of_hash = encoded.indices.to_numpy(), encoded.dictionary
            distinct = hashes[_first_rows(codes, len(of_hash))]
        return cls(codes.astype(np.int32), of_hash, distinct)

    @classmethod
    def merged(cls, parts: Sequence[EncodedTexts]) -> EncodedTexts:
        """Return the different texts of all parts, and a code for each text of each part in turn."""
        # The texts of all parts together may be longer than 32-bit offsets reach.
        texts = pa.concat_arrays([part.texts.cast(pa.large_string()) for part in parts])
        return cls.of(texts, np.concatenate([part.hashes for part in parts]))


def _first_rows(codes: AnyArray, n: int) -> Int64Array:
    """Return the first row of each of n codes."""
    first = np.empty(n, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of rows with one code the last one written stays
    return first
